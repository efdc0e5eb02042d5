"""The pieces of the pages that need no release: addresses, words, files, layouts of pieces.

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

from dashboards import words
from dashboards.charts import trends
from dashboards.files import FileColumn, Sheet, as_csv, as_xlsx
from dashboards.page import address, params_of, search_of
from schemas.registry import table
from tests.pages import HOSTILE


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


def test_shares_beside_an_axis_are_written_as_in_a_table() -> None:
    row = {"academic_year": "2023-2024", "procedure_id": "vpr_5_russian", "participants": 16}
    row |= {"below_share": 1 / 16, "share_ci_low": 0.01, "share_ci_high": 0.19}
    axis = trends([("ВПР-5 РУ", [row])], None)["layout"]["yaxis"]
    assert axis["ticktext"] == [f"{percent}\u00a0%" for percent in (0, 5, 10, 15, 20)]
    assert axis["tickvals"][-1] <= axis["range"][1]
