"""The pieces of the pages that need no release: numbers, dates, plurals, addresses, words, files, layouts of pieces.

What belongs here: pure functions of `dashboards/`. What does not: views over a release (`tests/integration`).
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards import format as fmt
from dashboards import words
from dashboards.files import FileColumn, Sheet, as_csv, as_xlsx
from dashboards.page import address, params_of, search_of
from schemas.registry import table
from tests.pages import HOSTILE


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (fmt.number(1234567), "1\u202f234\u202f567"),
        (fmt.number(0.5), "1"),
        (fmt.number(2.25, 1), "2,3"),
        (fmt.number(-0.04, 1), "0,0"),
        (fmt.number(-12.5, 1), "\u221212,5"),
        (fmt.number(None), "—"),
        (fmt.short_number(3.0), "3"),
        (fmt.short_number(2.50), "2,5"),
        (fmt.short_number(100), "100"),
        (fmt.signed(1.25), "+1,3"),
        (fmt.signed(-1.25), "\u22121,3"),
        (fmt.signed(0.0), "0,0"),
        (fmt.signed(0.01), "0,0"),
        (fmt.share(0.125), "12,5\u00a0%"),
        (fmt.share(29 / 91), "31,9\u00a0%"),
        (fmt.share(0.295, 0), "30\u00a0%"),
        (fmt.percent(7), "7,0\u00a0%"),
        (fmt.interval(0.307, 0.501), "30,7–50,1\u00a0%"),
        (fmt.interval(None, 0.5), "—"),
        (fmt.out_of(38, 1095), "38 из 1\u202f095"),
        (fmt.day(dt.date(2026, 11, 22)), "22.11.2026"),
        (fmt.day("2026-11-22T08:00:45.211407+00:00"), "22.11.2026"),
        (fmt.long_day(dt.date(2026, 1, 2)), "2\u00a0января 2026"),
        (fmt.moment(dt.datetime(2026, 11, 22, 8, 5)), "22.11.2026 08:05"),
        (fmt.year("2023-2024"), "2023/24"),
        (fmt.schools(1), "1\u00a0школа"),
        (fmt.schools(22), "22\u00a0школы"),
        (fmt.schools(12), "12\u00a0школ"),
        (fmt.schools(111), "111\u00a0школ"),
        (fmt.short_name('МБОУ "Средняя школа № 1"'), "Средняя школа № 1"),
        (fmt.short_name("МКОУ «Лицей «Родник»»"), "Лицей «Родник»"),
        (fmt.short_name("Школа № 5"), "Школа № 5"),
    ],
)
def test_numbers_dates_and_plurals_are_russian(shown: str, expected: str) -> None:
    assert shown == expected


@given(st.floats(-1e9, 1e9), st.integers(0, 4))
def test_a_number_is_read_back_as_it_was_rounded(value: float, decimals: int) -> None:
    read = float(fmt.number(value, decimals).replace("\u202f", "").replace(",", ".").replace("\u2212", "-"))
    assert read == pytest.approx(value, abs=0.5 * 10**-decimals + 1e-6)


@given(st.dictionaries(st.text("abcq", min_size=1), st.text(min_size=1).filter(lambda text: text.isprintable())))
def test_an_address_gives_its_parameters_back(params: dict[str, str]) -> None:
    assert params_of(search_of(params)) == params


def test_an_address_leaves_out_what_is_empty() -> None:
    assert address("/list", year="2023-2024", q="", show=None) == "/list?year=2023-2024"


@pytest.mark.parametrize(
    ("mart", "column", "known"),
    [
        ("school_status", "status", words.STATUS),
        ("public_school_status", "status", words.STATUS),
        ("school_status", "listing", words.LISTING),
        ("school_status", "shnor_basis", words.BASIS),
        ("school_status", "support_format", words.SUPPORT),
        ("school_status", "reliability", words.RELIABILITY),
        ("school_status", "context_class", words.CONTEXT_CLASS),
        ("procedure_result", "state", words.STATE),
        ("public_procedure_result", "below_symbol", words.SYMBOL),
        ("risk_profile", "level", words.LEVEL),
        ("risk_profile", "stage_status", words.STAGE),
        ("task_deficit", "severity", words.SEVERITY),
        ("indicator", "status", words.INDICATOR),
        ("measure", "status", words.MEASURE),
        ("delivery", "status", words.DELIVERY),
        ("quality_issue", "severity", words.ISSUE),
        ("method_comparison", "movement", words.MOVEMENT),
        ("dynamics", "dynamics", words.DYNAMICS),
        ("partnership", "origin", words.ORIGIN),
        ("objectivity", "criterion", words.CRITERION),
        ("objectivity", "source", words.SOURCE),
        ("context_component", "component_group", words.COMPONENT_GROUP),
    ],
)
def test_every_word_of_a_vocabulary_has_russian_words(mart: str, column: str, known: Mapping[str, Any]) -> None:
    assert set(table(mart).column(column).vocabulary) <= set(known)


def test_a_status_has_a_sign_and_words_besides_its_tone() -> None:
    for statuses in (words.STATUS, words.STAGE, words.INDICATOR, words.MEASURE, words.DELIVERY, words.ISSUE):
        assert all(sign and said for sign, _, said in statuses.values())
        assert len({said for _, _, said in statuses.values()}) == len(statuses)


def sheet() -> Sheet:
    rows = [{"name": name, "share": 0.125, "day": dt.date(2026, 11, 22), "known": None} for name in HOSTILE]
    columns = [FileColumn(name, lambda row, name=name: row[name]) for name in ("name", "share", "day", "known")]  # type: ignore[misc]
    return Sheet("test", "Проба", columns, rows)


def test_a_csv_runs_nothing_and_reads_in_a_russian_spreadsheet() -> None:
    content = as_csv(sheet())
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    assert rows[1] == [HOSTILE[0], "0,125", "2026-11-22", ""]
    assert rows[2][0] == f"'{HOSTILE[1]}"
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


def test_a_workbook_holds_texts_and_no_formulas() -> None:
    book = openpyxl.load_workbook(io.BytesIO(as_xlsx(sheet(), {"Выпуск": "=1+1"})))
    data = book["Данные"]
    assert [data.cell(row, 1).value for row in (2, 3, 4)] == list(HOSTILE)
    assert {cell.data_type for row in book["Данные"].iter_rows(min_row=2) for cell in row if cell.value} == {
        "s",
        "n",
        "d",
    }
    assert book["Сведения"]["B2"].value == "=1+1"
    assert book["Сведения"]["B2"].data_type == "s"
    assert not data._hyperlinks
