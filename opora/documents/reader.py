"""One opened release: rows of its marts, names of procedures, who it is and how final.

Belongs here: asking the marts of one release. Does not belong here: words, and figures that no mart holds.
The file is opened once and read only, so that a document never mixes two releases.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType
from zoneinfo import ZoneInfo

import duckdb

from opora import labels
from opora import russian as fmt
from opora.documents.facts import DocumentFacts, load_document_facts
from opora.list_years import NEWEST_LIST
from opora.methods import Method
from opora.reference import Reference, load_reference, shown_order
from opora.release import Release
from opora.sql import Row, fetch

MartRow = Row


class DocumentRefused(LookupError):
    """A document cannot be made; the message says what to do instead."""


@dataclass
class Marts:
    """The marts of a release, opened for as long as `with` lasts."""

    release: Release

    def __enter__(self) -> Marts:
        self.connection = duckdb.connect(str(self.release.database), read_only=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.connection.close()

    def rows(self, query: str, *values: object) -> list[MartRow]:
        try:
            return fetch(self.connection, query, *values)
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            reason = str(error).splitlines()[0]
            raise DocumentRefused(
                f"Выпуск сделан прежним кодом: сделайте новый, opora run --force. {reason}"
            ) from error

    def one(self, query: str, *values: object) -> MartRow | None:
        found = self.rows(query, *values)
        return found[0] if found else None

    @cached_property
    def facts(self) -> DocumentFacts:
        return load_document_facts()

    @cached_property
    def reference(self) -> Reference:
        return load_reference()

    @cached_property
    def procedures(self) -> Mapping[str, str]:
        """Short names, in the order of showing."""
        return {p.procedure_id: p.short_ru for p in self.reference.procedures}

    def in_order(self, rows: Iterable[MartRow]) -> list[MartRow]:
        """Rows with a procedure each, in the order of showing."""
        place = shown_order(self.procedures)
        return sorted(rows, key=lambda row: place(row["procedure_id"]))

    @property
    def method(self) -> Method:
        return self.reference.official_method

    @property
    def threshold(self) -> float:
        return self.method.settings.low_share

    def short(self, procedure_id: str) -> str:
        return fmt.text(self.procedures.get(procedure_id, procedure_id))

    @cached_property
    def list_year(self) -> str:
        """The newest list that names a school, as the pages take it; else the newest in which a school was decided."""
        decided = "select max(academic_year) as academic_year from school_status where is_assessed"
        years = [row["academic_year"] for query in (NEWEST_LIST, decided) for row in self.rows(query)]
        year = next(filter(None, years), None)
        if year is None:
            raise DocumentRefused(
                "В выпуске нет ни одного решённого списка: пришлите результаты двух лет и запустите opora run."
            )
        return str(year)

    def checked_year(self, year: str | None) -> str:
        """The asked list year, else the newest. Raises DocumentRefused with the known years."""
        if year is None:
            return self.list_year
        known = [
            row["academic_year"] for row in self.rows("select distinct academic_year from school_status order by 1")
        ]
        if year not in known:
            raise DocumentRefused(f"Списка за {year} в выпуске нет; есть: {', '.join(known)}.")
        return year

    @cached_property
    def created_at(self) -> dt.datetime:
        return dt.datetime.fromisoformat(str(self.release.manifest["created_at"]))

    @cached_property
    def release_day(self) -> dt.date:
        """The day of the release where the region lives."""
        return self.created_at.astimezone(ZoneInfo(self.reference.timezone)).date()

    def maturity_ru(self, year: str) -> str:
        by_year: Mapping[str, str] = self.release.manifest.get("maturity_by_year", {})
        return labels.DATA_MATURITY[by_year.get(year, str(self.release.manifest["maturity"]))]

    @property
    def release_ru(self) -> str:
        version = self.release.manifest.get("version")
        return f"выпуск {self.release.release_id}" + (f", версия {version}" if version else "")

    def files(self, delivery_ids: set[str]) -> list[str]:
        """Names and days of deliveries, in name order."""
        rows = self.rows(
            """
            select file_name, received_at from delivery
            where delivery_id in (select unnest($1::varchar[])) order by 1, 2
            """,
            sorted(delivery_ids),
        )
        return [f"«{fmt.text(row['file_name'])}», получен {fmt.day(row['received_at'].date())}" for row in rows]


def split_ids(*joined: str | None) -> set[str]:
    """`d1;d2` of several rows as a set."""
    return {part for text in joined if text for part in text.split(";")}
