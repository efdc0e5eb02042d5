"""Files as grids of text: what a spreadsheet, a CSV or a Parquet file holds, before anybody knows what it is.

What belongs here: opening a file by its first bytes, encoding and delimiter, one `Sheet` per worksheet, every
cell as text. What does not: layouts, headers, types. Rows are numbered as an editor shows them.

A file is hostile until it is read: bounds come first (`opora/limits.py`, `opora/containers.py`), and books whose
reading cannot be foreseen are read by a process of their own (`opora/reader_process.py`).
"""

from __future__ import annotations

import codecs
import csv
import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import fastexcel
import polars as pl
import pyarrow.parquet as pq

from opora import reader_process
from opora.containers import weigh
from opora.limits import SAVE_AGAIN, UnreadableFile, bound, refuse_beyond, unreadable_in_words
from opora.masking import masked
from opora.safe_text import plain, plain_expr

__all__ = [
    "SPREADSHEETS",
    "SUFFIXES",
    "TEXTS",
    "Sheet",
    "UnreadableFile",
    "by_value",
    "clean",
    "read_book",
    "read_sheets",
    "tidy",
]
SPREADSHEETS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
TEXTS = (".csv", ".tsv", ".txt")
SUFFIXES = (*SPREADSHEETS, *TEXTS, ".parquet")
# First bytes of a file: whatever it is called, that is what it is. A file with none of them is text.
PARQUET_MAGIC = b"PAR1"
ZIP_MAGIC = b"PK\x03\x04"
OLE_MAGIC = b"\xd0\xcf\x11\xe0"
ENCODINGS = ("utf-8-sig", "cp1251")
# Encodings of old programs: they would be read as Windows-1251 and give other letters.
OLD_ENCODINGS = {"cp866": "DOS (cp866)", "koi8-r": "КОИ-8"}
DELIMITERS = (";", "\t", ",")
HEAD_CHARACTERS = 1_000_000
# Rows of a table whose columns are looked at together.
_SHORT = 5_000
_NO_TEXT = bytes(byte for byte in range(32) if byte not in b"\t\n\r\x1a")
_HEAD_BYTES = 65_536
_SAVE_UTF8 = "Сохраните файл как «CSV UTF-8 (разделитель — запятая)» или как книгу Excel."
_SPLIT = "Разделите выгрузку по процедурам или пришлите Parquet."


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
        """The first rows as lists, cells cleaned and no longer than a header can be."""
        return header_cells(self.grid.head(rows))


def clean(text: pl.Expr) -> pl.Expr:
    """Cells as people mean them: no-break spaces are spaces, edges are bare, nothing is null."""
    bare = text.str.replace_all("\u00a0", " ", literal=True).str.strip_chars()
    return pl.when(bare != "").then(bare)


def tidy(text: pl.Expr) -> pl.Expr:
    """Cells that are kept: cleaned, on one line, and what cannot be seen is �. Slow: for distinct texts."""
    return clean(plain_expr(text))


def header_cells(grid: pl.DataFrame) -> list[list[str | None]]:
    """Rows in which headers and titles are looked for: a cell of a megabyte is not searched to its end."""
    most = bound("header_characters")
    columns = by_value(grid.get_columns(), lambda text: tidy(text.str.slice(0, most)))
    return [list(row) for row in zip(*(column.to_list() for column in columns), strict=True)]


def by_value(columns: Sequence[pl.Series], convert: Callable[[pl.Expr], pl.Expr]) -> list[pl.Series]:
    """Columns of texts converted, each distinct text once: exports hold few of them.

    Columns of a short table are converted together: what an operation of polars costs whatever it is done to would be
    most of it.
    """
    if len(columns) < 2 or columns[0].len() > _SHORT:
        return [_converted(column, convert).alias(column.name) for column in columns]
    height = columns[0].len()
    together = _converted(pl.concat([column.alias("text") for column in columns]), convert)
    return [together.slice(i * height, height).alias(column.name) for i, column in enumerate(columns)]


def _converted(texts: pl.Series, convert: Callable[[pl.Expr], pl.Expr]) -> pl.Series:
    distinct = texts.unique().drop_nulls()
    if distinct.len() * 2 > texts.len():
        return texts.to_frame("text").select(convert(pl.col("text"))).to_series()
    values = distinct.to_frame("text").select(convert(pl.col("text"))).to_series()
    if values.dtype == texts.dtype and values.equals(distinct, null_equal=False):
        return texts
    return texts.replace_strict(distinct, values, default=None, return_dtype=values.dtype)


def read_sheets(path: Path) -> list[Sheet]:
    """All worksheets of a file as text. Raises UnreadableFile with a message for the supplier."""
    with unreadable_in_words():
        with path.open("rb") as file:
            first = file.read(4)
        if first in (ZIP_MAGIC, OLE_MAGIC):
            return _read_spreadsheet(path, is_archive=first == ZIP_MAGIC)
        if first == PARQUET_MAGIC:
            return [Sheet("", _bounded(_read_parquet(path)))]
        return [Sheet("", _bounded(_read_text(path)))]


# --- books -----------------------------------------------------------------------------------------------


def _read_spreadsheet(path: Path, *, is_archive: bool) -> list[Sheet]:
    """A book is read here if it is known to be light, else by a process with a ceiling of memory and time."""
    if is_archive and not zipfile.is_zipfile(path):
        raise UnreadableFile("unreadable_file", "Книга обрывается: передана не целиком.", SAVE_AGAIN)
    weight = weigh(path) if is_archive else None
    is_light = weight is not None and weight.sheets and weight.memory <= bound("light_bytes")
    return [
        Sheet(name, _bounded(_numbered(grid)), number, is_hidden)
        for number, (name, is_hidden, grid) in enumerate(
            read_book(path) if is_light else reader_process.read_apart(path), start=1
        )
    ]


def read_book(path: Path) -> list[tuple[str, bool, pl.DataFrame]]:
    """Name, whether it is hidden, and the cells of every worksheet of a book, with no bound on what that takes."""
    # by its bytes the reader tells the kind of book itself, by its name it would believe the ending
    is_xlsx = path.suffix.lower() == ".xlsx" and zipfile.is_zipfile(path)
    book = fastexcel.read_excel(path if is_xlsx else path.read_bytes())
    refuse_beyond("sheets", len(book.sheet_names), "Листов в книге", "Оставьте листы с данными или разделите книгу.")
    sheets = []
    for name in book.sheet_names:
        sheet = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
        _refuse_width(sheet.width)
        sheets.append((name, sheet.visible != "visible", sheet.to_polars()))
    return sheets


def _refuse_width(columns: int) -> None:
    refuse_beyond("columns", columns, "Столбцов в таблице", "Оставьте только столбцы с данными.")


def _bounded(grid: pl.DataFrame) -> pl.DataFrame:
    """A grid whose cells are no longer than a cell can be: one that is longer hides other rows in it."""
    if grid.is_empty():
        return grid
    longest = grid.select(pl.all().str.len_bytes().max().fill_null(0)).row(0)
    for column, size in enumerate(longest):
        if size <= bound("cell_characters"):
            continue
        row = int(grid.to_series(column).str.len_bytes().arg_max() or 0)
        refuse_beyond(
            "cell_characters",
            len(grid.to_series(column)[row]),
            f"Строка {row + 1}, столбец {column + 1}: знаков в ячейке",
            "Проверьте, что кавычки в файле закрыты, и уберите лишний текст.",
        )
    return grid


# --- Parquet and text --------------------------------------------------------------------------------------


def _read_parquet(path: Path) -> pl.DataFrame:
    described = pq.read_metadata(path)
    _refuse_width(described.num_columns)
    refuse_beyond("table_cells", described.num_columns * described.num_rows, "Ячеек в таблице", _SPLIT)
    groups = [described.row_group(number) for number in range(described.num_row_groups)]
    for column in range(described.num_columns):
        size = sum(group.column(column).total_uncompressed_size for group in groups)
        refuse_beyond("text_bytes", size, f"Байт в столбце {column + 1} в развёрнутом виде", _SPLIT)
    frame = pl.read_parquet(path, hive_partitioning=False)
    header = pl.DataFrame([frame.columns], schema=frame.columns, orient="row")
    return _numbered(pl.concat([header.cast(pl.String), frame.cast(pl.String)], rechunk=False))


def _read_text(path: Path) -> pl.DataFrame:
    refuse_beyond("text_bytes", path.stat().st_size, "Байт в файле", _SPLIT)
    return _text_grid(path.read_bytes())


def head_of_text(path: Path) -> Sheet | None:
    """The first whole lines of a text file: enough to see whose header it bears. None where they cannot be cut off."""
    with path.open("rb") as file:
        raw = file.read(_HEAD_BYTES + 1)
    if len(raw) > _HEAD_BYTES:
        raw = raw[: raw.rfind(b"\n") + 1]
    if not raw or b"\0" in raw:  # of UTF-16 a line feed is no byte
        return None
    try:
        return Sheet("", _text_grid(raw))
    except Exception:
        return None  # reading the whole file will tell why


def _text_grid(raw: bytes) -> pl.DataFrame:
    raw = _as_utf8(raw, _encoding_of(raw))
    # no character takes more than four bytes
    head = raw[: 4 * HEAD_CHARACTERS].decode(errors="ignore")[:HEAD_CHARACTERS]
    if not (head.strip() or raw.decode().strip()):
        return pl.DataFrame()
    delimiter = _delimiter_of(head)
    try:
        return _parse_text(raw, delimiter, _width_of(head, delimiter))
    except pl.exceptions.ComputeError:
        # a line below the head is wider than any in it
        try:
            return _parse_text(raw, delimiter, _width_of(raw.decode(), delimiter))
        except pl.exceptions.ComputeError:
            raise UnreadableFile(
                "unreadable_file", "Текст не делится на строки и столбцы: кавычки не закрыты.", SAVE_AGAIN
            ) from None


def _as_utf8(raw: bytes, encoding: str) -> bytes:
    """The text in UTF-8 without a mark. Most texts are that already: they are large, and are not copied."""
    if encoding == "utf-8-sig":
        return raw.removeprefix(codecs.BOM_UTF8)
    try:
        return raw.decode(encoding).encode()
    except UnicodeDecodeError:
        raise UnreadableFile("wrong_encoding", "Текст обрывается посреди знака UTF-16.", _SAVE_UTF8) from None


def _parse_text(raw: bytes, delimiter: str, width: int) -> pl.DataFrame:
    """Text as a grid. Blank lines stay: a row number must be the one that an editor shows."""
    _refuse_width(width)
    refuse_beyond("table_cells", width * (raw.count(b"\n") + 1), "Ячеек в таблице", _SPLIT)
    return pl.read_csv(
        io.BytesIO(raw),
        separator=delimiter,
        has_header=False,
        schema=dict.fromkeys(_names(width), pl.String),
        missing_columns="insert",
    )


def _encoding_of(raw: bytes) -> str:
    """The encoding of a text. Raises UnreadableFile where it is none or where two are mixed."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if wide := _wide_encoding(raw[:4000]):
        return wide
    for encoding in ENCODINGS:
        if encoding != "utf-8-sig":
            _refuse_mixed(raw)
            _refuse_old(raw, encoding)
        try:
            raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    raise UnreadableFile("wrong_encoding", "Кодировка текста не опознана: ни UTF-8, ни Windows-1251.", _SAVE_UTF8)


def _wide_encoding(head: bytes) -> str | None:
    """UTF-16 without a mark: every other byte is the page of Latin or of Cyrillic. Raises for what is no text."""
    for encoding, high in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
        pages = high.count(b"\x00") + high.count(b"\x04")
        if b"\0" in high and pages > 0.9 * len(high) and head.count(b"\0") < 0.6 * len(head):
            return encoding
    if len(head) - len(head.translate(None, _NO_TEXT)) > len(head) // 100:
        raise UnreadableFile("unreadable_file", "В файле двоичные данные, а не текст таблицы.", SAVE_AGAIN)
    return None


def _refuse_mixed(raw: bytes) -> None:
    """Lines in UTF-8 among lines that are not: whichever is taken, some rows would be read as other letters."""
    good = other = 0
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
            good = good or number
        except UnicodeDecodeError:
            other = other or number
        if good and other:
            if other > raw.count(b"\n"):
                raise UnreadableFile(
                    "unreadable_file", "Текст обрывается посреди знака: передан не целиком.", SAVE_AGAIN
                )
            raise UnreadableFile(
                "wrong_encoding",
                f"Кодировки смешаны: строка {good} в UTF-8, строка {other} нет.",
                f"Соберите файл из частей в одной кодировке. {_SAVE_UTF8}",
            )


def _refuse_old(raw: bytes, expected: str) -> None:
    """A text of DOS or КОИ-8 is told by its letters: read as Windows-1251 they are the rare ones, or no letters."""
    sample = raw[:HEAD_CHARACTERS]
    here = _rarity(sample.decode(expected, "replace"))
    for encoding, name in OLD_ENCODINGS.items():
        if _rarity(sample.decode(encoding, "replace")) + _CLEARLY < here:
            raise UnreadableFile(
                "wrong_encoding", f"Текст похож на кодировку {name}, ожидается UTF-8 или Windows-1251.", _SAVE_UTF8
            )


# Russian letters from the most frequent to the rarest; signs that stand in any text count for nothing.
_LETTERS = {letter: rank for rank, letter in enumerate("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё")}
_SIGNS = frozenset("«»№–—…\u00a0“”„’°±")
_CLEARLY = 4.0
_LEAST_LETTERS = 30


def _rarity(text: str) -> float:
    """The mean rank of the letters beyond ASCII; too few of them say nothing."""
    ranks = [_LETTERS.get(sign.lower(), len(_LETTERS)) for sign in text if sign > "\x7f" and sign not in _SIGNS]
    return sum(ranks) / len(ranks) if len(ranks) >= _LEAST_LETTERS else 0.0


# Longer lines are read to here when the delimiter is looked for: the module csv takes no larger field.
_DELIMITER_WITHIN = 100_000


def _delimiter_of(text: str) -> str:
    """The delimiter that splits the first lines most often and most evenly."""
    lines = [line[:_DELIMITER_WITHIN] for line in text.splitlines()[:30]]

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
