"""The registry of tables and columns: one YAML file a table under `schemas/`, by layer.

What belongs here: the model of a table and how its file is read. What does not: dataframes, file paths
of a home folder, rules about what a layout looks like. Everything that must know a column (pandera,
pyarrow, dbt contracts, the dictionary) is derived from here; see `pandera_schemas.py`, `arrow.py`,
`dictionary.py` and `contracts.py` beside this file.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

ColumnType = Literal["string", "integer", "number", "boolean", "date", "timestamp", "strings"]
Severity = Literal["quarantine", "warning"]
Layer = Literal["lake", "analysis", "marts", "public"]

ROOT = Path(__file__).parent


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Strict):
    """One column: its type, what it may hold, and its words for people."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    type: ColumnType
    label_ru: str
    description_ru: str = ""
    required: bool = False
    vocabulary: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None
    pattern: str | None = None
    unit: str = ""
    decimals: int | None = None
    remedy_ru: str = ""
    attribute: bool = Field(
        default=False,
        description="an unreadable value is dropped with a warning; it does not put the row in quarantine",
    )
    free_text: bool = Field(
        default=False, description="people write what they like: a text that names somebody anywhere is dropped"
    )
    is_hidden: bool = Field(default=False, description="a bad value is never shown: people write names there")


class Rule(_Strict):
    """A statement about a whole row, as an SQL expression that holds for a good row.

    A null result counts as holding: a rule speaks only of values that are there.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    column: str
    holds: str
    severity: Severity
    reason_ru: str
    remedy_ru: str


class Table(_Strict):
    """One table of the lake, of the calculations between two runs of dbt, of a release or of its public profile."""

    table: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    layer: Layer
    title_ru: str
    description_ru: str
    grain_ru: str
    primary_key: tuple[str, ...]
    partitioned: bool = False
    restricted: bool = False
    moving_window: bool = Field(default=False, description="only the newest years are kept: older ones leave in time")
    text_copy: bool = Field(default=True, description="as CSV too; a table longer than a spreadsheet holds is not")
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def _names_agree(self) -> Table:
        names = [column.name for column in self.columns]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"table {self.table}: columns declared twice: {sorted(twice)}")
        unknown = (set(self.primary_key) | {rule.column for rule in self.rules}) - set(names)
        if unknown:
            raise ValueError(f"table {self.table}: key or rule names unknown columns {sorted(unknown)}")
        return self

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    def column(self, name: str) -> Column:
        """The column of that name. Raises KeyError with the table's name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.table}.{name}")


@cache
def registry(root: Path = ROOT) -> dict[str, Table]:
    """All tables by name, in the order of layers and file names. Raises ValueError naming the file that is wrong."""
    tables: dict[str, Table] = {}
    for layer in ("lake", "analysis", "marts", "public"):
        for path in sorted((root / layer).glob("*.yaml")):
            try:
                table = Table.model_validate(yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader))
            except ValueError as error:
                raise ValueError(f"{path.name}: {error}") from error
            if table.table != path.stem or table.layer != layer:
                raise ValueError(f"{path.name}: declares {table.layer}/{table.table}")
            tables[table.table] = table
    return tables


def tables(layer: Layer) -> list[Table]:
    """The tables of one layer."""
    return [table for table in registry().values() if table.layer == layer]


def table(name: str) -> Table:
    """One table. Raises KeyError with the known names."""
    try:
        return registry()[name]
    except KeyError:
        raise KeyError(f"no table {name!r} in the registry; known: {', '.join(registry())}") from None
