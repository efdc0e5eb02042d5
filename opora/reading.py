"""Files as grids of text: what a spreadsheet, a CSV or a Parquet file holds, before anybody knows what it is.

What belongs here: opening a file by its first bytes, encoding and delimiter, one `Sheet` per worksheet, every
cell as text. What does not: layouts, headers, types. Rows are numbered as an editor shows them.
"""

from __future__ import annotations

import codecs
import csv
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import fastexcel
import polars as pl
import pyarrow.parquet as pq

from opora.masking import masked
from opora.safe_text import plain

SPREADSHEETS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
TEXTS = (".csv", ".tsv", ".txt")
SUFFIXES = (*SPREADSHEETS, *TEXTS, ".parquet")
# First bytes of a file: whatever it is called, that is what it is. A file with none of them is text.
PARQUET_MAGIC = b"PAR1"
SPREADSHEET_MAGIC = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
ENCODINGS = ("utf-8-sig", "cp1251")
DELIMITERS = (";", "\t", ",")
# Bounds on what one file may claim to be: far above any real delivery, far below this machine's memory.
MOST_UNPACKED_BYTES = 2_000_000_000
MOST_TEXT_BYTES = 8_000_000_000
MOST_COLUMNS = 4_000
HEAD_CHARACTERS = 1_000_000


class UnreadableFile(Exception):
    """The file cannot be opened as what its ending says, or is too large; the message is for the supplier."""

    def __init__(self, check_id: str, reason_ru: str, remedy_ru: str) -> None:
        super().__init__(reason_ru)
        self.check_id = check_id
        self.reason_ru = reason_ru
        self.remedy_ru = remedy_ru


@dataclass(frozen=True)
class Sheet:
    """One worksheet: `grid` has only text columns `c0…`; its row i is row i + 1 of the file."""

    name: str
    grid: pl.DataFrame
    number: int = 1
    is_hidden: bool = False

    @property
    def shown(self) -> str:
        """The name as messages and the lake have it: words that may be somebody's name are masked."""
        bare = masked(self.name)
        return bare if bare == plain(self.name).strip() else f"{bare}, лист № {self.number}"

    def head(self, rows: int) -> list[list[str | None]]:
        """The first rows as lists, cells cleaned."""
        return [list(row) for row in self.grid.head(rows).select(clean(pl.all())).iter_rows()]


def clean(text: pl.Expr) -> pl.Expr:
    """Cells as people mean them: no-break spaces are spaces, edges are bare, nothing is null."""
    bare = text.str.replace_all("\u00a0", " ", literal=True).str.strip_chars()
    return pl.when(bare != "").then(bare)


def read_sheets(path: Path) -> list[Sheet]:
    """All worksheets of a file as text. Raises UnreadableFile with a message for the supplier."""
    try:
        with path.open("rb") as file:
            first = file.read(4)
        if first in SPREADSHEET_MAGIC:
            return _read_spreadsheet(path)
        if first == PARQUET_MAGIC:
            return [Sheet("", _read_parquet(path))]
        return [Sheet("", _read_text(path))]
    except UnreadableFile:
        raise
    except Exception as error:
        raise UnreadableFile(
            "unreadable_file",
            f"Файл не открывается: {type(error).__name__}.",
            "Откройте его в редакторе, сохраните заново и пришлите ещё раз; возможно, он передан не целиком.",
        ) from error


def _read_spreadsheet(path: Path) -> list[Sheet]:
    _refuse_bombs(path)
    # by its bytes the reader tells the kind of book itself, by its name it would believe the ending
    book = fastexcel.read_excel(path if path.suffix.lower() == ".xlsx" else path.read_bytes())
    sheets = []
    for name in book.sheet_names:
        sheet = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
        _refuse_width(sheet.width)
        sheets.append(Sheet(name, _numbered(sheet.to_polars())))
    return sheets


def _refuse_bombs(path: Path) -> None:
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > MOST_UNPACKED_BYTES:
        raise UnreadableFile(
            "too_large",
            f"Книга занимает в развёрнутом виде {size / 1e9:.1f} ГБ.",
            "Уберите лишние листы и оформление или пришлите данные в CSV.",
        )


def _refuse_width(columns: int) -> None:
    if columns > MOST_COLUMNS:
        raise UnreadableFile(
            "too_large",
            f"На листе {columns} столбцов.",
            f"Оставьте только столбцы с данными; больше {MOST_COLUMNS} не бывает ни в одной выгрузке.",
        )


def _read_parquet(path: Path) -> pl.DataFrame:
    _refuse_width(len(pq.read_schema(path).names))
    frame = pl.read_parquet(path, hive_partitioning=False)
    header = pl.DataFrame([frame.columns], schema=frame.columns, orient="row")
    return _numbered(pl.concat([header.cast(pl.String), frame.cast(pl.String)], rechunk=False))


def _read_text(path: Path) -> pl.DataFrame:
    if path.stat().st_size > MOST_TEXT_BYTES:
        raise UnreadableFile(
            "too_large",
            f"Файл занимает {path.stat().st_size / 1e9:.1f} ГБ.",
            "Разделите выгрузку по процедурам или пришлите Parquet.",
        )
    raw = path.read_bytes()
    encoding = _encoding_of(raw)
    text = raw.decode(encoding)
    if not text.strip():
        return pl.DataFrame()
    delimiter = _delimiter_of(text[:HEAD_CHARACTERS])
    raw = text.encode("utf-8")
    width = _width_of(text[:HEAD_CHARACTERS], delimiter)
    try:
        return _parse_text(raw, delimiter, width)
    except pl.exceptions.ComputeError:
        # a line below the head is wider than any in it
        return _parse_text(raw, delimiter, _width_of(text, delimiter))


def _parse_text(raw: bytes, delimiter: str, width: int) -> pl.DataFrame:
    """Text as a grid. Blank lines stay: a row number must be the one that an editor shows."""
    _refuse_width(width)
    return pl.read_csv(
        io.BytesIO(raw),
        separator=delimiter,
        has_header=False,
        schema=dict.fromkeys(_names(width), pl.String),
        missing_columns="insert",
    )


def _encoding_of(raw: bytes) -> str:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ENCODINGS:
        try:
            raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    raise UnreadableFile(
        "unreadable_file",
        "Кодировка текста не опознана: ни UTF-8, ни Windows-1251.",
        "Сохраните файл как «CSV UTF-8 (разделитель — запятая)» или как книгу Excel.",
    )


def _delimiter_of(text: str) -> str:
    """The delimiter that splits the first lines most often and most evenly."""
    lines = text.splitlines()[:30]

    def evenness(delimiter: str) -> tuple[int, int]:
        counts = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        wide = [count for count in counts if count > 1]
        return (len(wide), max(wide, default=1))

    return max(DELIMITERS, key=evenness)


def _width_of(text: str, delimiter: str) -> int:
    """The widest line: exports put a one-cell title above a wide table."""
    return max((line.count(delimiter) + 1 for line in text.splitlines()), default=1)


def _numbered(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.rename(dict(zip(frame.columns, _names(frame.width), strict=True)))


def _names(width: int) -> Sequence[str]:
    return [f"c{i}" for i in range(width)]
