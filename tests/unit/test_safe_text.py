"""What suppliers write stays text wherever people open it."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import openpyxl
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opora.release import _export
from opora.safe_text import (
    original_cell,
    plain,
    safe_cell,
    safe_cell_sql,
    safe_cells,
    safe_markdown,
    safe_path,
)
from opora.templates import LISTS, SchoolChoice, write_returns_template
from schemas.registry import table

FORMULAS = (
    "=1+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x","y")',
    "+1+1",
    "-1+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "\t=1+1",
    "\r\n=1+1",
    "  =1+1",
    "\u00a0=1+1",
    "＝1+1",
    "＋1+1",
    "－1-1",
    "＠A1",
    "−1+1",
    "'=1+1",
    "' =1+1",
    "\u200b=1+1",
    "-2+3",
    "+",
)
HARMLESS = ("МБОУ «СОШ № 5»", "-5", "+5,5", "-0.1%", "12", "", "'", "д'Артаньян", "1=1", "с. Ям-Ижора", "— нет")
TEXTS = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("=+-@'\t\r\n \u00a0＝0\u202e\0")))


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_becomes_text_and_can_be_had_back(text: str) -> None:
    cell = safe_cell(text)
    assert cell.startswith("'")
    assert original_cell(cell) == plain(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_names_and_numbers_stay_as_they_are(text: str) -> None:
    assert safe_cell(text) == original_cell(text) == text


def test_the_unseen_is_shown_or_gone() -> None:
    assert plain("СОШ\n№\t5") == "СОШ № 5"
    assert plain("a\x00b\x1b[31m\u202ecba\ud800") == "a�b�[31m�cba�"
    assert plain("\ufeffСОШ\u200e") == "СОШ"
    assert safe_path(Path("a") / "b\n\u202e.csv") == "a/b\\x0a\\u202e.csv"
    assert safe_path("\udcff.csv") == "\\xff.csv"


def test_markup_of_a_name_is_shown_not_obeyed() -> None:
    assert safe_markdown("<b>|[x](http://y)") == r"&lt;b&gt;\|\[x\](http://y)"


@settings(max_examples=300, derandomize=True)
@given(TEXTS)
def test_the_apostrophe_comes_off_without_loss(text: str) -> None:
    assert original_cell(safe_cell(text)) == plain(text)
    assert safe_cell(plain(text)) == safe_cell(text)
    safe_cell(text).encode("utf-8")


@settings(max_examples=20, derandomize=True)
@given(st.lists(st.one_of(TEXTS, st.sampled_from(FORMULAS)), min_size=1, max_size=60))
def test_python_polars_and_duckdb_agree(texts: list[str]) -> None:
    frame = pl.DataFrame({"text": texts, "n": range(len(texts))})
    expected = [safe_cell(text) for text in texts]
    assert safe_cells(frame)["text"].to_list() == expected
    with duckdb.connect() as connection:
        found = connection.execute(f"select {safe_cell_sql('text')} from frame order by n").fetchall()
    assert [text for (text,) in found] == expected


def test_a_table_of_text_opens_with_no_formula(tmp_path: Path) -> None:
    path = tmp_path / "school.csv"
    safe_cells(pl.DataFrame({"name": FORMULAS, "share": [-0.5] * len(FORMULAS)})).write_csv(path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["share"] for row in rows} == {"-0.5"}
    assert not [row["name"] for row in rows if row["name"].lstrip()[:1] in "=+-@"]


NAMES = ("=cmd|' /C calc'!A0", "'; drop table school; --", "<script>alert(1)</script>", "a\u202eb")


def test_csv_of_a_mart_is_safe_and_its_parquet_exact(tmp_path: Path) -> None:
    mart = table("school")
    typed = ", ".join(f'null::{_DUCKDB[column.type]} as "{column.name}"' for column in mart.columns)
    with duckdb.connect() as connection:
        connection.execute(f"create schema marts; create table marts.school as select {typed}")
        connection.executemany("insert into marts.school (school_id, school_name) values (?, ?)", [*enumerate(NAMES)])
        connection.execute("delete from marts.school where school_id is null")
        assert _export(connection, mart, tmp_path) == len(NAMES)
    assert tuple(pl.read_parquet(tmp_path / "school.parquet")["school_name"]) == NAMES
    with (tmp_path / "school.csv").open(encoding="utf-8", newline="") as file:
        assert [row["school_name"] for row in csv.DictReader(file)] == [safe_cell(name) for name in NAMES]


_DUCKDB = {
    "string": "varchar",
    "integer": "bigint",
    "number": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamptz",
    "strings": "varchar[]",
}


def test_a_form_offers_names_as_text(tmp_path: Path) -> None:
    schools = [SchoolChoice(name, name, "990012") for name in NAMES]
    book = openpyxl.load_workbook(write_returns_template(tmp_path / "Форма.xlsx", (), schools))
    cells = [cell for row in book[LISTS].iter_rows() for cell in row if cell.value]
    assert {cell.data_type for cell in cells} == {"s"}
    values = {cell.value for cell in cells}
    assert {safe_cell(name) for name in NAMES} <= values
    assert not values & {NAMES[0], NAMES[3]}
