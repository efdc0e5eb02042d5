"""Files become grids of text, whatever their kind, name, encoding and delimiter."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from opora import limits, reading
from opora.limits import load_limits
from opora.reading import UnreadableFile, head_of_text, read_sheets
from tests import builders as b

ROWS = [["Логин", "Имя", "Балл"], ["edu990012", "Ёлкина «школа»", "5,5"], ["edu990013", None, "7"]]


def cells(path: Path) -> list[tuple[str | None, ...]]:
    return read_sheets(path)[0].grid.rows()


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
def test_text_in_any_encoding_with_any_delimiter(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = b.csv(tmp_path / "имя.csv", ROWS, encoding=encoding, delimiter=delimiter)
    assert [row[:3] for row in cells(path)] == [tuple(row) for row in ROWS]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1251"])
def test_the_head_of_a_text_is_whole_lines_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    path = b.csv(tmp_path / "t.csv", [*ROWS, ["edu990014", "Школа", "4"]], encoding=encoding)
    for size, rows in ((path.stat().st_size, 4), (path.stat().st_size - 3, 3)):
        monkeypatch.setattr(reading, "_HEAD_BYTES", size)
        head = head_of_text(path)
        assert head is not None
        assert head.grid.rows() == cells(path)[:rows]


def test_a_text_whose_lines_no_byte_ends_has_no_head(tmp_path: Path) -> None:
    assert head_of_text(b.csv(tmp_path / "t.csv", ROWS, encoding="utf-16")) is None


def test_blank_lines_keep_the_numbers_of_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"title\r\n\r\na;b;c\r\n\r\n1;2;3\r\n")
    assert [row[0] for row in cells(path)] == ["title", None, "a", None, "1"]


def test_a_line_wider_than_all_above_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "HEAD_CHARACTERS", 10)
    path = b.csv(tmp_path / "t.csv", [["a", "b"], ["1", "2"], ["1", "2", "3", "4"]])
    assert cells(path)[-1] == ("1", "2", "3", "4")


def test_a_delimiter_inside_quotes_splits_nothing(tmp_path: Path) -> None:
    path = b.csv(tmp_path / "t.csv", [["a;b", "c"], ["д, е", "ж"]], delimiter=";")
    assert [row[:2] for row in cells(path)] == [("a;b", "c"), ("д, е", "ж")]


@pytest.mark.parametrize("write", [b.xlsx, b.xls])
def test_books_keep_the_numbers_of_rows(tmp_path: Path, write: object) -> None:
    table = [[], [None, "Заголовок"], [], [None, "Код", 2], [None, 9306, 5.06], [None, "007", 12.0]]
    path = write(tmp_path / "книга", {"Лист": table})  # type: ignore[operator]
    sheet = read_sheets(path)[0]
    assert sheet.name == "Лист"
    assert sheet.grid.rows()[3:] == [("Код", "2"), ("9306", "5.06"), ("007", "12")]


def test_dates_booleans_and_formulas_of_a_book(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append([dt.date(2026, 4, 20), True, "=1+1", "#Н/Д"])  # type: ignore[union-attr]
    book.save(tmp_path / "к.xlsx")
    first, second, *_ = cells(tmp_path / "к.xlsx")[0]
    assert str(first).startswith("2026-04-20")
    assert str(second).lower() == "true"


def test_sheet_names_of_31_characters(tmp_path: Path) -> None:
    name = "МА 4 Сравнение отметок с отметк"
    assert [sheet.name for sheet in read_sheets(b.xlsx(tmp_path / "к.xlsx", {name: ROWS}))] == [name]


@pytest.mark.parametrize("name", ["выгрузка.csv", "выгрузка.xls", "выгрузка.parquet", "без окончания"])
def test_the_first_bytes_tell_the_kind_not_the_name(tmp_path: Path, name: str) -> None:
    for write in (b.xlsx, b.xls, b.csv, b.parquet):
        shutil.move(write(tmp_path / "файл", ROWS), tmp_path / name)
        assert cells(tmp_path / name)[1][0] == "edu990012", write


def test_parquet_counts_its_header_as_the_first_row(tmp_path: Path) -> None:
    pl.DataFrame({"код": [1, 2], "балл": [1.5, None]}).write_parquet(tmp_path / "t.parquet")
    assert cells(tmp_path / "t.parquet") == [("код", "балл"), ("1", "1.5"), ("2", None)]


def test_no_break_spaces_and_bare_cells(tmp_path: Path) -> None:
    path = b.xlsx(tmp_path / "к.xlsx", [["\u00a04 ", "  ", "а\u00a0б"]])
    assert read_sheets(path)[0].head(1) == [["4", None, "а б"]]


@pytest.mark.parametrize("content", [b"", b"  \r\n \n"])
def test_nothing_is_an_empty_grid(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    assert read_sheets(tmp_path / "t.csv")[0].grid.is_empty()


@pytest.mark.parametrize("content", [b"PK\x03\x04 broken", b"PAR1 broken", b"\xd0\xcf\x11\xe0 broken", b"\x98\xff"])
def test_broken_files_are_refused_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.xlsx").write_bytes(content)
    with pytest.raises(UnreadableFile) as refusal:
        read_sheets(tmp_path / "t.xlsx")
    assert refusal.value.check_id == ("wrong_encoding" if content == b"\x98\xff" else "unreadable_file")
    assert refusal.value.remedy_ru.endswith((".", "Excel»."))


@pytest.mark.parametrize(("limit", "write"), [("archive_bytes", b.xlsx), ("text_bytes", b.csv)])
def test_files_beyond_the_bounds_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, write: object
) -> None:
    monkeypatch.setattr(limits, "bound", lambda name: 10 if name == limit else getattr(load_limits(), name).value)
    with pytest.raises(UnreadableFile) as refusal:
        read_sheets(write(tmp_path / "файл", ROWS))  # type: ignore[operator]
    assert refusal.value.check_id == "too_large"
