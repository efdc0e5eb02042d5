"""What a document is made of, whatever it is rendered to: head, sections in order, tables, charts.

Belongs here: shapes (which sections and columns a kind of document has) and a document's content as words.
Does not belong here: where content comes from and how it is drawn. The shapes are what a template may name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Row = Mapping[str, str]


class TemplateError(ValueError):
    """A template that cannot be filled; the message says which and why."""


@dataclass(frozen=True)
class Column:
    """A column of a table. `width` is a part of the table's width; figures stand to the right."""

    key: str
    title_ru: str
    width: float = 1.0
    is_number: bool = False


@dataclass(frozen=True)
class SectionShape:
    key: str
    title_ru: str
    columns: tuple[Column, ...] = ()
    has_chart: bool = False


@dataclass(frozen=True)
class Shape:
    """A kind of document: its sections in the order of the shipped template."""

    kind: str
    title_ru: str
    sections: tuple[SectionShape, ...]
    is_wide: bool = False


@dataclass(frozen=True)
class Mark:
    """One line of an interval chart: a value with its interval, and what it is compared with."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    other: float | None = None
    is_flagged: bool = False


@dataclass(frozen=True)
class IntervalChart:
    """Shares with intervals, a line each. `limit` is a threshold; `other_ru` names what hollow squares are."""

    title_ru: str
    axis_ru: str
    marks: tuple[Mark, ...]
    alt_ru: str
    value_ru: str
    flag_ru: str = ""
    other_ru: str = ""
    limit: float | None = None
    limit_ru: str = ""


@dataclass(frozen=True)
class CountChart:
    """Counts by year, two kinds stacked; a year without a count is told as one."""

    title_ru: str
    axis_ru: str
    labels: tuple[str, ...]
    lower: tuple[int | None, ...]
    upper: tuple[int | None, ...]
    lower_ru: str
    upper_ru: str
    alt_ru: str


Chart = IntervalChart | CountChart


@dataclass(frozen=True)
class Section:
    """Content of a section: paragraphs, points, rows of its table, a chart, a note under the table.

    `title_ru` stands in place of the shape's.
    """

    lines: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    note_ru: str = ""
    chart: Chart | None = None
    title_ru: str = ""


@dataclass(frozen=True)
class Document:
    """One document. `facts` are the requisites under the title; `stem` names its file."""

    shape: Shape
    stem: str
    title_ru: str
    subtitle_ru: str
    facts: tuple[tuple[str, str], ...]
    sections: Mapping[str, Section]
    release_id: str
    release_day: str
    release_ru: str
    maturity_ru: str
    created_at: str
    folder: str = field(default="")

    def __post_init__(self) -> None:
        named = {section.key for section in self.shape.sections}
        if set(self.sections) != named:
            raise ValueError(f"{self.shape.kind}: sections differ from the shape: {named ^ set(self.sections)}")

    def ordered(self) -> Sequence[tuple[SectionShape, Section]]:
        return [(shape, self.sections[shape.key]) for shape in self.shape.sections]
