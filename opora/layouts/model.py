"""What a layout declaration may say, and how declarations are read.

What belongs here: the model of the YAML files and their loading. What does not: applying them to a sheet.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from opora.home import PROJECT
from schemas.registry import registry

BUILT_IN = PROJECT / "reference" / "layouts"
NonData = Literal["group", "footer", "total", "suppressed"]


class LayoutError(ValueError):
    """A layout file is wrong; the message names the file and the field."""


def normalise_header(text: str) -> str:
    """Headers are compared without case, ё, no-break spaces, repeated spaces and a closing colon."""
    bare = re.sub(r"\s+", " ", text.replace("\u00a0", " ")).strip().rstrip(":").lower()
    return bare.replace("ё", "е")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Strict):
    """Where a field comes from: the column whose header is one of `header` or matches `pattern`."""

    header: tuple[str, ...] = ()
    pattern: str | None = None
    convert: str | None = None
    required: bool = True

    @field_validator("header", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        """Headers are kept as they are compared."""
        return tuple(normalise_header(str(name)) for name in ([value] if isinstance(value, str) else value))

    @model_validator(mode="after")
    def _says_where(self) -> Source:
        if not self.header and not self.pattern:
            raise ValueError("a column needs `header` or `pattern`")
        return self

    def matches(self, header: str) -> bool:
        """Whether a normalised header is this column's."""
        if header in self.header:
            return True
        return self.pattern is not None and re.search(self.pattern, header) is not None


class RowKind(_Strict):
    """Rows that are not data: the column's text (or the row's first filled cell) matches a pattern."""

    kind: NonData
    pattern: str
    column: str | None = None
    also_blank: str | None = Field(default=None, description="and this field is empty")


class Unpivot(_Strict):
    """Columns whose header matches `pattern` become records.

    Named groups of the pattern are fields of the record; the group `metric` says through `metrics` which
    field the cell's value goes to, otherwise the value goes to `value`.
    """

    pattern: str
    value: str | None = None
    metrics: dict[str, str] = {}
    fields: dict[str, dict[str, str]] = Field(default={}, description="group → text → canonical value")
    drop_if_null: tuple[str, ...] = Field(default=(), description="no record where all of these are empty")


class Context(_Strict):
    """What the whole table is about, where a column does not say it."""

    title: tuple[str, ...] = Field(
        default=(), description="patterns with groups year, subject, grade, date, code"
    )
    year: int | None = None
    subject: str | None = None
    grade: int | None = None
    subject_vote: str | None = Field(
        default=None, description="field whose texts name the subject most often"
    )
    grade_from_code: int | None = Field(
        default=None, description="leading digit of participant_code plus this"
    )
    date_from: str | None = Field(default=None, description="field whose first value dates the table")


class Layout(_Strict):
    """One declared layout of one supplier's table."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title_ru: str
    table: str | None
    source: str
    evidence: Literal["SEED", "FOUND", "FOUND-2", "RECALLED", "OPEN", "USER"]
    valid_from: str | None = None
    valid_to: str | None = None
    note_ru: str = ""
    sheet: str | None = None
    header_rows: Literal[1, 2] = 1
    repeats: bool = False
    columns: dict[str, Source]
    without: tuple[str, ...] = Field(default=(), description="header patterns that must not be there")
    tasks: str | None = Field(
        default=None, description="header pattern of task columns, groups label and max"
    )
    unpivot: Unpivot | None = None
    constants: dict[str, str | int] = {}
    school_key_kind: str | None = None
    context: Context = Context()
    rows: tuple[RowKind, ...] = ()
    fill_down: tuple[str, ...] = ()
    blank_is_zero: tuple[str, ...] = Field(default=(), description="counts left blank for 0 by this supplier")
    companions: tuple[str, ...] = Field(default=(), description="sheets of the same book that hold no data")
    blank_without: str | None = Field(
        default=None, description="rows without this field are blank lines of a form"
    )
    declared_count: str | None = Field(default=None, description="pattern with group count in a group row")
    declared_minimum: str | None = Field(default=None, description="pattern of the footer with the threshold")
    shape: str | None = Field(default=None, description="a function of shapes.py")

    @model_validator(mode="after")
    def _fits_the_registry(self) -> Layout:
        if self.table is None:
            return self
        if self.table not in registry():
            raise ValueError(f"unknown table {self.table!r}")
        known = set(registry()[self.table].names)
        named = set(self.constants) | set(self.unpivot.metrics.values() if self.unpivot else ())
        if self.unpivot and self.unpivot.value:
            named.add(self.unpivot.value)
        if named - known:
            raise ValueError(f"{self.table} has no columns {sorted(named - known)}")
        return self

    @property
    def required(self) -> list[str]:
        return [name for name, source in self.columns.items() if source.required]


def read_layout(path: Path) -> Layout:
    """One declaration. Raises LayoutError naming file and field."""
    try:
        return Layout.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (ValueError, yaml.YAMLError) as error:
        raise LayoutError(f"{path.name}: {error}") from error


def read_layouts(*folders: Path) -> list[Layout]:
    """All layouts of the folders; a later folder's layout replaces an earlier one of the same id."""
    layouts: dict[str, Layout] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.yaml")):
            layout = read_layout(path)
            layouts[layout.id] = layout
    return list(layouts.values())
