"""Russian typography: figures, dates, plurals, quotation marks; the same digits in every place that prints a share.

What belongs here: `opora/russian.py`, and the texts of the marts and the public profile beside it. What does not:
which value a page or a document shows.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import duckdb
import jinja2
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora import russian as fmt
from opora.home import PROJECT
from opora.public.profile import percent_ru


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (fmt.number(1234567), "1\u00a0234\u00a0567"),
        (fmt.number(0.5), "1"),
        (fmt.number(2.25, 1), "2,3"),
        (fmt.number(-0.04, 1), "0,0"),
        (fmt.number(-3.25, 1), "−3,3"),
        (fmt.number(Decimal("0.15"), 1), "0,2"),
        (fmt.number(None), "—"),
        (fmt.short_number(3.0), "3"),
        (fmt.short_number(2.50), "2,5"),
        (fmt.short_number(1 / 3), "0,33"),
        (fmt.short_number(100), "100"),
        (fmt.signed(1.25), "+1,3"),
        (fmt.signed(-1.25), "\u22121,3"),
        (fmt.signed(0.0), "0,0"),
        (fmt.signed(0.01), "0,0"),
        (fmt.percent(7), "7,0\u00a0%"),
        (fmt.share(0.125), "12,5\u00a0%"),
        (fmt.share(29 / 91), "31,9\u00a0%"),
        (fmt.share(0.295, 0), "30\u00a0%"),
        (fmt.share(None), "—"),
        (fmt.interval(0.307, 0.501), "30,7–50,1\u00a0%"),
        (fmt.interval(None, 0.5), "—"),
        (fmt.points(0.031), "+3,1\u00a0п.\u00a0п."),
        (fmt.points(-0.031), "−3,1\u00a0п.\u00a0п."),
        (fmt.points(0.0004), "0,0\u00a0п.\u00a0п."),
        (fmt.amount(0.125, "share"), "12,5\u00a0%"),
        (fmt.amount(12.25, "pct"), "12,25\u00a0%"),
        (fmt.amount(1, "yes"), "да"),
        (fmt.amount(3.0, "count"), "3"),
        (fmt.amount(None, "pct"), "—"),
        (fmt.out_of(38, 1095), "38 из 1\u00a0095"),
        (fmt.day(dt.date(2026, 11, 22)), "22.11.2026"),
        (fmt.day("2026-11-22T08:00:45.211407+00:00"), "22.11.2026"),
        (fmt.long_day(dt.date(2026, 1, 2)), "2\u00a0января 2026"),
        (fmt.moment(dt.datetime(2026, 11, 22, 8, 5)), "22.11.2026 08:05"),
        (fmt.year("2023-2024"), "2023/24"),
        (fmt.year("2023"), "2023"),
        (fmt.year(None), "—"),
        (fmt.schools(1), "1\u00a0школа"),
        (fmt.schools(22), "22\u00a0школы"),
        (fmt.schools(12), "12\u00a0школ"),
        (fmt.schools(111), "111\u00a0школ"),
        (fmt.yes(False), "нет"),
        (fmt.short_name('МБОУ "Средняя школа № 1"'), "Средняя школа № 1"),
        (fmt.short_name("МКОУ «Лицей «Родник»»"), "Лицей «Родник»"),
        (fmt.short_name("Школа № 5"), "Школа № 5"),
        (fmt.text('МБОУ "СОШ № 5 им. Петрова"'), "МБОУ «СОШ №\u00a05 им.\u00a0Петрова»"),
        (fmt.text("38 из 95 (40,0 %)\nвторая"), "38 из 95 (40,0\u00a0%) вторая"),
        (fmt.text(None), "—"),
    ],
)
def test_russian_typography(shown: str, expected: str) -> None:
    assert shown == expected


@given(st.floats(-1e9, 1e9), st.integers(0, 4))
def test_a_number_is_read_back_as_it_was_rounded(value: float, decimals: int) -> None:
    read = float(fmt.number(value, decimals).replace(fmt.NBSP, "").replace(",", ".").replace(fmt.MINUS, "-"))
    assert read == pytest.approx(value, abs=0.5 * 10**-decimals + 1e-6)


def test_a_share_has_the_same_digits_on_pages_in_documents_in_texts_of_marts_and_in_the_public_profile() -> None:
    """Counted in whole numbers: of n = 16, 80, 400, 2000 some shares lie exactly between two tenths of a percent."""
    counts = [(k, n) for n in (1, 3, 7, 16, 48, 80, 91, 400, 2000) for k in range(n + 1)]
    expected = [f"{tenths // 10},{tenths % 10} %" for tenths in ((2000 * k + n) // (2 * n) for k, n in counts)]
    frame = pl.DataFrame(counts, schema={"k": pl.Int64, "n": pl.Int64}, orient="row")
    macros = jinja2.Template((PROJECT / "dbt/macros/text.sql").read_text(encoding="utf-8")).module
    of_counts, of_share = (macros.percent_ru(*of) for of in (("k", "n"), ("k / n", 1)))  # type: ignore[attr-defined]
    in_marts = duckdb.sql(f"select {of_counts}, {of_share} from frame").fetchall()
    assert [fmt.share(k / n).replace(fmt.NBSP, " ") for k, n in counts] == expected
    assert [text for text, _ in in_marts] == expected
    assert [text for _, text in in_marts] == expected
    assert frame.select(percent_ru(pl.col("k"), pl.col("n"))).to_series().to_list() == expected


def test_a_number_in_a_text_of_a_mart_is_that_of_a_page() -> None:
    macros = jinja2.Template((PROJECT / "dbt/macros/text.sql").read_text(encoding="utf-8")).module
    for value in (0.35, -2.25, -0.04, 12345.675, 7.0, 1e-9):
        for decimals in (0, 1, 2):
            said = macros.number_ru(f"cast({value} as double)", decimals)  # type: ignore[attr-defined]
            assert duckdb.sql(f"select {said}").fetchall() == [(fmt.number(value, decimals).replace(fmt.NBSP, ""),)]
