"""What every file of `reference/` is made of: strict dated facts, settings with their standing, and how a file is read.

Belongs here: base models, field types, the reading of one file, what checks between facts share, the frames that dbt
gets. Does not belong here: models of a subject matter (`reference.py`, `programmes.py` and the modules of `analysis/`)
and facts themselves (YAML).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

import polars as pl
import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, model_validator

Evidence = Literal["SEED", "FOUND", "FOUND-2", "RECALLED", "OPEN"]
T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


def default_root() -> Path:
    """The folder `reference/` of this project."""
    return Path(__file__).resolve().parents[1] / "reference"


class ReferenceFileError(ValueError):
    """A reference file that breaks its contract; the message names the file and the field."""


# --- field types ---------------------------------------------------------------------------------


def _check_academic_year(value: str) -> str:
    match = re.fullmatch(r"(\d{4})-(\d{4})", value)
    if not match or int(match[2]) != int(match[1]) + 1:
        raise ValueError(f"'{value}' is not an academic year such as 2022-2023")
    return value


def _check_pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"'{value}' is not a regular expression: {error}") from error
    return value


def _check_cron(value: str) -> str:
    if len(value.split()) != 5:
        raise ValueError(f"'{value}' is not a cron expression of five fields")
    return value


AcademicYearId = Annotated[str, AfterValidator(_check_academic_year)]
Pattern = Annotated[str, AfterValidator(_check_pattern)]
Cron = Annotated[str, AfterValidator(_check_cron)]


class Fact(BaseModel):
    """Strict and immutable: an unknown field or a value of another type is an error, not a guess."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Cited(Fact):
    source: str
    evidence: Evidence
    note_ru: str | None = None


class Dated(Cited):
    """True from the first to the last named academic year, both included; an absent end is open."""

    valid_from: AcademicYearId | None = None
    valid_to: AcademicYearId | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Dated:
        if self.valid_from and self.valid_to and self.valid_from > self.valid_to:
            raise ValueError(f"valid_from {self.valid_from} is later than valid_to {self.valid_to}")
        return self

    def covers(self, academic_year: str) -> bool:
        return (self.valid_from or academic_year) <= academic_year <= (self.valid_to or academic_year)

    def overlaps(self, other: Dated) -> bool:
        """Whether there is a year in which both hold."""
        starts = max(self.valid_from or "", other.valid_from or "")
        ends = min(self.valid_to or "9", other.valid_to or "9")
        return starts <= ends


class Setting(Fact, Generic[T]):
    """One decision of a method: what was chosen, what else could be, and how far it is settled."""

    value: T
    alternatives: tuple[T, ...] = ()
    status: Evidence
    note_ru: str


# --- files ---------------------------------------------------------------------------------------


class _UniqueKeyLoader(yaml.CSafeLoader):
    """YAML lets the last of two equal keys win silently; a fact must not vanish that way."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if repeated := {key for key in keys if keys.count(key) > 1 and key != "<<"}:
            raise yaml.constructor.ConstructorError(None, None, f"repeated keys {sorted(repeated)}", node.start_mark)
        return super().construct_mapping(node, deep)


def _field(location: Sequence[int | str]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")


def problems_of(error: ValidationError, below: str = "") -> str:
    """What a model found wrong, each with its field; `below` is where the checked data stand in their file."""
    found = ((_field((*([below] if below else []), *item["loc"])), item["msg"]) for item in error.errors())
    return "; ".join(f"{field}: {message}" for field, message in found)


def load_data(name: str, content: bytes) -> Any:
    """The bytes of a file as data, not yet checked; `name` is what messages call the file."""
    try:
        return yaml.load(content, Loader=_UniqueKeyLoader)
    except yaml.YAMLError as error:
        raise ReferenceFileError(f"{name}: not readable as YAML: {error}") from error


def check_data(name: str, data: Any, model: type[M]) -> M:
    """Hold data of a file against their model."""
    try:
        # JSON is the strict mode in which a list may fill a tuple and a string a date, and nothing else bends
        return model.model_validate_json(json.dumps(data, default=str))
    except ValidationError as error:
        raise ReferenceFileError(f"{name}: {problems_of(error)}") from error


def parse_file(name: str, content: bytes, model: type[M]) -> M:
    """Check the bytes of one reference file against its model."""
    return check_data(f"reference/{name}", load_data(f"reference/{name}", content), model)


def read_file(name: str, model: type[M], root: Path | None = None) -> M:
    """One file of the folder, checked; `name` is its path below `reference/`. Raises ReferenceFileError."""
    path = (root or default_root()) / name
    if not path.is_file():
        raise ReferenceFileError(f"reference/{name}: the file is missing")
    return parse_file(name, path.read_bytes(), model)


# --- checks between facts ------------------------------------------------------------------------


def repeated(values: Iterable[Hashable]) -> list[str]:
    """What is met more than once, as messages show it."""
    return sorted(str(value) for value, count in Counter(values).items() if count > 1)


# --- tables --------------------------------------------------------------------------------------

Rows = Iterator[tuple[Any, ...]]


def frame_schema(columns: str) -> dict[str, pl.DataType]:
    """«title_ru grade:int» to a polars schema; text is the type of most columns and is not spelled out."""
    types = {
        "text": pl.String(),
        "int": pl.Int64(),
        "bool": pl.Boolean(),
        "date": pl.Date(),
        "float": pl.Float64(),
    }
    parts = (column.partition(":") for column in columns.split())
    return {name: types[kind or "text"] for name, _, kind in parts}


def frame_of(columns: str, rows: Iterable[tuple[Any, ...]]) -> pl.DataFrame:
    """Rows under columns that are spelled as in `frame_schema`."""
    return pl.DataFrame(list(rows), schema=frame_schema(columns), orient="row")


def frames_of(tables: Mapping[str, tuple[str, Callable[[T], Rows]]], facts: T) -> dict[str, pl.DataFrame]:
    """Facts as flat tables: each has a name, columns, and a function that gives its rows."""
    return {name: frame_of(columns, rows(facts)) for name, (columns, rows) in tables.items()}
