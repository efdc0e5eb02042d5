"""What a layout declaration may say, and how declarations are read.

What belongs here: the model of the YAML files and their loading. What does not: applying them to a sheet.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import polars as pl
import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from opora.home import PROJECT
from opora.layouts.convert import CONVERTERS
from schemas.registry import registry

BUILT_IN = PROJECT / "reference" / "layouts"
NonData = Literal["group", "footer", "total", "suppressed"]
ShapeName = Literal["mark_comparison_long", "exam_protocol", "exam_appeals"]
# Fields that become keyed hashes while a file is read, and go no further.
PERSONAL = (
    "surname",
    "first_name",
    "patronymic",
    "full_name",
    "document_series",
    "document_number",
    "document",
)
# Fields that no table has; they feed columns that tables have.
AUXILIARY = (
    "subject",
    "grade",
    "year",
    "date",
    "group",
    "textbook",
    "variant_2",
    "result",
    "result_mark",
    "result_score",
    "exam",
    "class_name",
    "zero",
    *PERSONAL,
)


def _header_pattern(pattern: str) -> str:
    """A pattern that is looked for in headers and titles, by Python."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
    return pattern


def _cell_pattern(pattern: str) -> str:
    """A pattern that is looked for in cells, by polars, which knows no look-around."""
    try:
        pl.select(pl.lit("").str.contains(pattern))
    except pl.exceptions.ComputeError as error:
        raise ValueError(f"{pattern!r} is not a regular expression for cells: {error}") from error
    return pattern


HeaderPattern = Annotated[str, AfterValidator(_header_pattern)]
CellPattern = Annotated[str, AfterValidator(_cell_pattern)]


class LayoutError(ValueError):
    """A layout file is wrong; the message names the file and the field."""


def normalise_header(text: str) -> str:
    """Headers are compared without case, ё, no-break spaces, repeated spaces and a closing colon."""
    return " ".join(text.split()).rstrip(":").lower().replace("ё", "е")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Strict):
    """Where a field comes from: the column whose header is one of `header` or matches `pattern`."""

    header: tuple[str, ...] = ()
    pattern: HeaderPattern | None = None
    convert: str | None = None
    required: bool = True

    @field_validator("header", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        """Headers are kept as they are compared."""
        return tuple(normalise_header(str(name)) for name in ([value] if isinstance(value, str) else value))

    @field_validator("convert")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and value not in CONVERTERS:
            raise ValueError(f"unknown conversion {value!r}; known: {', '.join(CONVERTERS)}")
        return value

    @model_validator(mode="after")
    def _says_where(self) -> Source:
        if not self.header and not self.pattern:
            raise ValueError("a column needs `header` or `pattern`")
        return self

    def matches(self, header: str) -> bool:
        """Whether a normalised header is this column's."""
        return self.is_among((header,))

    def is_among(self, headers: Collection[str]) -> bool:
        """Whether one of the normalised headers is this column's."""
        if any(name in headers for name in self.header):
            return True
        return self.pattern is not None and any(re.search(self.pattern, header) for header in headers)


class RowKind(_Strict):
    """Rows that are not data: the column's text (or the row's first filled cell) matches a pattern."""

    kind: NonData
    pattern: CellPattern
    column: str | None = None
    also_blank: str | None = Field(default=None, description="and this field is empty")


class Unpivot(_Strict):
    """Columns whose header matches `pattern` become records.

    Named groups of the pattern are fields of the record; the group `metric` says through `metrics` which
    field the cell's value goes to; where there is no such group or it says nothing, the value goes to `value`.
    """

    pattern: HeaderPattern
    value: str | None = None
    metrics: dict[str, str] = {}
    fields: dict[str, dict[str, str]] = Field(default={}, description="group → text → canonical value")
    convert: dict[str, str] = Field(default={}, description="field → conversion of its cells, if not by its type")
    drop_if_null: tuple[str, ...] = Field(default=(), description="no record where all of these are empty")

    @model_validator(mode="after")
    def _says_where_values_go(self) -> Unpivot:
        if not self.targets or ("(?P<metric>" in self.pattern) != bool(self.metrics):
            raise ValueError("`value`, or `metrics` with a group `metric` in the pattern, or both")
        if unknown := sorted(set(self.convert.values()) - set(CONVERTERS)):
            raise ValueError(f"unknown conversion {unknown}; known: {', '.join(CONVERTERS)}")
        if stray := sorted(set(self.convert) - self.targets):
            raise ValueError(f"no value goes to {stray}")
        return self

    @property
    def targets(self) -> set[str]:
        """Fields that values go to."""
        return {*self.metrics.values(), *([self.value] if self.value else [])}


class Context(_Strict):
    """What the whole table is about, where a column does not say it."""

    title: tuple[HeaderPattern, ...] = Field(
        default=(), description="patterns with groups year, subject, grade, date, code"
    )
    year: int | None = None
    subject: str | None = None
    grade: int | None = None
    subject_vote: str | None = Field(default=None, description="field whose texts name the subject most often")
    grade_from_code: int | None = Field(default=None, description="leading digit of participant_code plus this")
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
    sheet: HeaderPattern | None = None
    header_rows: Literal[1, 2] = 1
    repeats: bool = False
    columns: dict[str, Source] = Field(min_length=1)
    without: tuple[HeaderPattern, ...] = Field(default=(), description="header patterns that must not be there")
    tasks: HeaderPattern | None = Field(
        default=None, description="header pattern of task columns, groups label and max"
    )
    unpivot: Unpivot | None = None
    constants: dict[str, str | int] = {}
    school_key_kind: str | None = None
    context: Context = Context()
    rows: tuple[RowKind, ...] = ()
    fill_down: tuple[str, ...] = ()
    blank_is_zero: tuple[str, ...] = Field(default=(), description="counts left blank for 0 by this supplier")
    companions: tuple[HeaderPattern, ...] = Field(default=(), description="sheets of the same book that hold no data")
    blank_without: str | None = Field(default=None, description="rows without this field are blank lines of a form")
    declared_count: CellPattern | None = Field(default=None, description="pattern with group count in a group row")
    declared_minimum: CellPattern | None = Field(default=None, description="pattern of the footer with the threshold")
    shape: ShapeName | None = Field(default=None, description="a function of shapes.py")

    @model_validator(mode="after")
    def _fits_the_registry(self) -> Layout:
        if self.table is None:
            return self
        if self.table not in registry():
            raise ValueError(f"unknown table {self.table!r}")
        known = set(registry()[self.table].names)
        named = set(self.constants) | (set(self.columns) - set(AUXILIARY))
        if self.unpivot:
            named |= {*self.unpivot.targets, *self.unpivot.drop_if_null}
        if named - known:
            raise ValueError(f"{self.table} has no columns {sorted(named - known)}")
        return self

    @model_validator(mode="after")
    def _names_its_own_fields(self) -> Layout:
        told = {*self.fill_down, self.blank_without, *(kind.column for kind in self.rows)}
        told |= {kind.also_blank for kind in self.rows}
        told |= {self.context.subject_vote, self.context.date_from}
        if unknown := told - set(self.columns) - {None}:
            raise ValueError(f"no column is mapped to {sorted(map(str, unknown))}")
        if not self.required:
            raise ValueError("at least one column must be required: a table is recognised by them")
        return self

    @cached_property
    def required(self) -> list[str]:
        return [name for name, source in self.columns.items() if source.required]

    @property
    def is_personal(self) -> bool:
        """Whether names or documents stand in such a table: then no cell of it is ever shown."""
        return any(name in PERSONAL for name in self.columns)


def read_layout(path: Path) -> Layout:
    """One declaration. Raises LayoutError naming file and field."""
    try:
        return Layout.model_validate(yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader))
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
