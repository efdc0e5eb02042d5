"""Deliveries as they lie in `landing/`: rows with their fate, and writers that repeat every byte.

What belongs here: the row, the delivery, xlsx / CSV / Parquet writing. What does not: the columns of layouts.
"""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path

import polars as pl
import xlsxwriter

Cell = str | int | float | None
FATES = ("accepted", "quarantined", "absent", "group", "footer", "blank", "total")
HEADING = "heading"  # titles and headers: no row of data, whatever their number
_CREATED = datetime(2000, 1, 1)  # any fixed moment: the same cells, the same bytes


@dataclass(slots=True)
class Row:
    """One row of a file, what must become of it, and what it adds to the school's result."""

    cells: list[Cell]
    fate: str = "accepted"
    school: int | None = None
    participants: int = 0
    below: int = 0

    def quarantine(self) -> None:
        self.fate, self.participants, self.below = "quarantined", 0, 0


@dataclass(frozen=True, slots=True)
class Dirt:
    """One kind of dirt in one delivery."""

    kind: str
    check_id: str
    level: str  # refusal, quarantine, warning, silent
    count: int


@dataclass
class Delivery:
    """One file of `landing/`."""

    path: str
    sheets: dict[str, list[Row]]
    modified: date
    spring: int | None = None
    procedure_id: str = ""
    layout: str = ""
    encoding: str = "utf-8"
    status: str = "accepted"
    same_as: str = ""
    dirt: list[Dirt] = field(default_factory=list)
    raw: bytes | None = None  # a file that is no table, as it is

    @property
    def rows(self) -> list[Row]:
        return [row for rows in self.sheets.values() for row in rows]

    @property
    def is_read(self) -> bool:
        """Whether its rows count: refused files and repeated bytes add nothing."""
        return self.status in {"accepted", "superseded"}

    def fates(self) -> Counter[str]:
        return Counter(row.fate for row in self.rows if row.fate != HEADING)

    def soil(self, kind: str, check_id: str, level: str, count: int = 1) -> None:
        if count:
            self.dirt.append(Dirt(kind, check_id, level, count))


def headings(*rows: Sequence[Cell]) -> list[Row]:
    return [Row(list(cells), HEADING) for cells in rows]


def write(delivery: Delivery, landing: Path) -> None:
    """Write one delivery and date it."""
    target = landing / delivery.path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content(delivery))
    stamp = datetime.combine(delivery.modified, time(9), UTC).timestamp()
    os.utime(target, (stamp, stamp))


def content(delivery: Delivery) -> bytes:
    """The bytes of a delivery, by the ending of its path."""
    if delivery.raw is not None:
        return delivery.raw
    match Path(delivery.path).suffix:
        case ".xlsx":
            return _xlsx({name: [row.cells for row in rows] for name, rows in delivery.sheets.items()})
        case ".parquet":
            return _parquet([row.cells for row in delivery.rows])
        case ".csv":
            return _csv([row.cells for row in delivery.rows], delivery.encoding)
        case other:
            raise ValueError(f"no writer for {other}")


def _xlsx(sheets: dict[str, list[list[Cell]]]) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties({"created": _CREATED})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        put_text, put_number = sheet.write_string, sheet.write_number
        for i, cells in enumerate(rows):
            for j, cell in enumerate(cells):
                if cell is None:
                    continue
                if isinstance(cell, str):
                    put_text(i, j, cell)
                else:
                    put_number(i, j, cell)
    book.close()
    return buffer.getvalue()


def _parquet(rows: list[list[Cell]]) -> bytes:
    """Every cell as text, the first row as the names: so the public copies of the protocols are made."""
    names = [str(name) for name in rows[0]]
    columns = zip(*rows[1:], strict=True)
    frame = pl.DataFrame(
        {
            name: pl.Series([None if c is None else str(c) for c in cells], dtype=pl.String)
            for name, cells in zip(names, columns, strict=True)
        }
    )
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", statistics=False)
    return buffer.getvalue()


def _csv(rows: list[list[Cell]], encoding: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerows([["" if c is None else decimal_comma(c) for c in cells] for cells in rows])
    return text.getvalue().encode(encoding)


def decimal_comma(cell: Cell) -> str:
    """Numbers as a Russian spreadsheet saves them."""
    return f"{cell:g}".replace(".", ",") if isinstance(cell, float) else str(cell)
