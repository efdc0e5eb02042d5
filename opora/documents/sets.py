"""The sets of documents of a release: folders, and what lies in them.

Belongs here: which documents are made together. Does not belong here: making them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opora.documents.kinds import (
    Wanted,
    wanted_annexes,
    wanted_municipalities,
    wanted_regions,
    wanted_reports,
    wanted_schools,
)
from opora.documents.reader import Marts


@dataclass(frozen=True)
class DocumentSet:
    """Documents that are made and replaced together, in one folder; `name` is what code calls them."""

    name: str
    folder: str
    title_ru: str
    wanted: Callable[[Marts, str | None, bool], list[Wanted]]
    has_tables: bool = False

    def formats(self, asked: Sequence[str] = ()) -> tuple[str, ...]:
        """The asked formats, else all; a set of tables always comes as a workbook too."""
        return (*(asked or ("docx", "pdf")), *(("xlsx",) if self.has_tables else ()))


ORDER = DocumentSet(
    "annex",
    "приказ",
    "Приложение к приказу",
    lambda marts, year, everything: wanted_annexes(marts, year),
    has_tables=True,
)
REGION = DocumentSet(
    "region_note", "регион", "Справка по региону", lambda marts, year, everything: wanted_regions(marts, year)
)
MUNICIPALITIES = DocumentSet(
    "municipality_notes",
    "муниципалитеты",
    "Справки по муниципалитетам",
    lambda marts, year, everything: wanted_municipalities(marts, year),
)
PROGRAMMES = DocumentSet(
    "programme_reports",
    "программы",
    "Отчёты программ",
    lambda marts, year, everything: wanted_reports(marts),
    has_tables=True,
)
SCHOOLS = DocumentSet(
    "school_notes",
    "школы",
    "Справки по школам",
    lambda marts, year, everything: wanted_schools(marts, year, listed_only=not everything),
)
SETS: tuple[DocumentSet, ...] = (ORDER, REGION, MUNICIPALITIES, PROGRAMMES, SCHOOLS)
