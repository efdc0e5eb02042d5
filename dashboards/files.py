"""Rows of a view as a CSV or XLSX that a spreadsheet opens without running anything (`opora/safe_text.py`).

What belongs here: writing a sheet safely. What does not: which rows and columns (`views/`).
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from opora.safe_text import plain, safe_cell
from opora.sql import Row
from opora.workbook import new_workbook

_MOST_WIDTH = 60

Value = str | int | float | bool | dt.date | dt.datetime | None


@dataclass(frozen=True)
class FileColumn:
    title: str
    value: Callable[[Row], Value]


@dataclass(frozen=True)
class Sheet:
    """What a file holds: `name` is for the file, `title` for its reader."""

    name: str
    title: str
    columns: Sequence[FileColumn]
    rows: Sequence[Row]

    def cells(self) -> list[list[Value]]:
        return [[column.value(row) for column in self.columns] for row in self.rows]


def as_csv(sheet: Sheet) -> bytes:
    """UTF-8 with a mark, semicolons and decimal commas: what Russian spreadsheets open by a double click."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow([column.title for column in sheet.columns])
    writer.writerows([_text(cell) for cell in line] for line in sheet.cells())
    return ("\ufeff" + text.getvalue()).encode()


def _text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "да" if value else "нет"
    if isinstance(value, float):
        return repr(value).replace(".", ",")
    return safe_cell(value) if isinstance(value, str) else str(value)


def as_xlsx(sheet: Sheet, about: Mapping[str, str]) -> bytes:
    """A workbook: the rows, and a sheet that says of what release they are. Texts are texts, never formulas."""
    target = io.BytesIO()
    with new_workbook(target, in_memory=True) as book:
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        day = book.add_format({"num_format": "dd.mm.yyyy", "valign": "top"})
        page = book.add_worksheet("Данные")
        cells = sheet.cells()
        page.write_row(0, 0, [column.title for column in sheet.columns], bold)
        for number, line in enumerate(cells, start=1):
            for place, value in enumerate(line):
                if isinstance(value, dt.date):
                    page.write_datetime(number, place, value, day)
                elif isinstance(value, str):
                    page.write_string(number, place, plain(value), wrapped)
                elif value is not None:
                    page.write(number, place, value, wrapped)
        for place, column in enumerate(sheet.columns):
            longest = max((len(str(line[place] or "")) for line in cells), default=0)
            page.set_column(place, place, min(max(longest, len(column.title) // 2, 8) + 2, _MOST_WIDTH))
        page.freeze_panes(1, 0)
        page.autofilter(0, 0, max(len(cells), 1), len(sheet.columns) - 1)
        page.repeat_rows(0)
        page.set_landscape()
        page.fit_to_pages(1, 0)
        told = book.add_worksheet("Сведения")
        told.set_column(0, 0, 24)
        told.set_column(1, 1, 80)
        for number, (name, words) in enumerate({"Что здесь": sheet.title, **about}.items()):
            told.write_string(number, 0, name, bold)
            told.write_string(number, 1, plain(words), wrapped)
    return target.getvalue()
