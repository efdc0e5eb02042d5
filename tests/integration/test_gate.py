"""The gate over copies of a good release: each check fails on what it is made for, and only then."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import duckdb
import polars as pl
import pytest

from opora.facts import ReferenceFileError
from opora.gate import CHECK_IDS, judge_candidate
from opora.home import Home
from opora.quality.differences import DIFFERENCES, differences, rows_by_year
from opora.quality.facts import (
    ExpectedRows,
    ExpectedRowsFile,
    load_expected_rows,
    load_gate_facts,
    write_expected_rows,
)
from opora.quality.pages import outside_addresses, without_outside_parts
from opora.quality.suites import MOST_ROWS, SuiteResult, expectations_of, hold_marts, open_context
from opora.release import DATABASE, OFFICIAL, Release, current_release, read_release
from schemas.conditions import bad_value, missing_value
from schemas.registry import Table, table, tables
from tests.conftest import Region

FACTS = load_gate_facts()
# One mutation of the marts for each check of figures; `{year}` is a year of the former release with a list.
BREAKS = {
    "every_row_of_every_delivery_is_accounted_for": "update delivery set rows_in = rows_in + 1 where rows_in > 0",
    "region_totals_equal_schools": "update region_summary set participants = participants + 1 where participants > 0",
    "municipalities_add_up_to_region": "update municipality_summary set schools_count = schools_count + 1",
    "flags_follow_from_counts": "update procedure_result set below_minimum = 0 where is_low",
    "listed_schools_have_grounds": "update school_status set reason_ru = null where is_shnor",
    "list_size_equals_listed_schools": "update region_summary set shnor_count = shnor_count + 1 where shnor_count > 0",
    "published_totals_agree": "update published_total set status = 'differs' where status = 'agrees'",
    "rows_did_not_fall": "delete from school_status where academic_year = '2022-2023' and school_id < 's9905'",
    "participants_did_not_fall": "update procedure_result set own_participants = own_participants // 2",
    "list_did_not_jump": "update school_status set is_shnor = not is_shnor where academic_year = '2022-2023'",
    "rows_are_as_reviewed": "delete from school where false",
}


@pytest.fixture(scope="module")
def good(demo_region: Region) -> Release:
    release = current_release(demo_region.home)
    assert release is not None
    return release


@pytest.fixture
def copy(good: Release, tmp_path: Path) -> Path:
    folder = tmp_path / "candidate"
    shutil.copytree(good.folder, folder)
    (folder / OFFICIAL / DATABASE).chmod(0o644)
    return folder


def failing(candidate: Path, former: Release | None, expected: list[ExpectedRows] | None = None) -> set[str]:
    found = differences(candidate / OFFICIAL / DATABASE, former.database if former else None, expected, FACTS)
    return {item.difference.check_id for item in found if not item.rows.is_empty()}


def test_every_check_of_figures_has_a_case_here() -> None:
    assert set(BREAKS) == {difference.check_id for difference in DIFFERENCES}


def test_a_good_release_passes_against_itself(good: Release, copy: Path) -> None:
    assert failing(copy, good, rows_by_year(good.database)) == set()


@pytest.mark.parametrize("check_id", BREAKS)
def test_a_break_is_found_by_its_check(good: Release, copy: Path, check_id: str) -> None:
    with duckdb.connect(str(copy / OFFICIAL / DATABASE)) as connection:
        connection.execute(BREAKS[check_id])
    expected = [ExpectedRows(mart="school_status", academic_year="2022-2023", rows=1)]
    assert check_id in failing(copy, good, expected if check_id == "rows_are_as_reviewed" else None)


def test_counts_within_the_reviewed_tolerance_pass(good: Release, copy: Path) -> None:
    rows = next(item for item in rows_by_year(good.database) if item.mart == "school_status")
    near = rows.model_copy(update={"rows": rows.rows + 3, "tolerance_pct": 10})
    assert failing(copy, None, [near]) == set()
    assert failing(copy, None, [near.model_copy(update={"tolerance_pct": 1})]) == {"rows_are_as_reviewed"}


def test_a_reason_lets_a_fall_pass_and_is_told(good: Release, copy: Path) -> None:
    with duckdb.connect(str(copy / OFFICIAL / DATABASE)) as connection:
        connection.execute(BREAKS["rows_did_not_fall"])
    words = "школы переданы другому региону"
    refused = {c.check_id: c for c in judge_candidate(copy, FACTS, former=good)}["rows_did_not_fall"]
    shutil.rmtree(copy / "quality")
    accepted = {c.check_id: c for c in judge_candidate(copy, FACTS, former=good, accepted_ru=words)}[
        "rows_did_not_fall"
    ]
    assert not refused.passed
    assert not refused.lets_pass
    assert not accepted.passed
    assert accepted.lets_pass
    assert words in accepted.message_ru


def test_no_reason_lets_a_contradiction_pass(copy: Path) -> None:
    with duckdb.connect(str(copy / OFFICIAL / DATABASE)) as connection:
        connection.execute(BREAKS["region_totals_equal_schools"])
    checks = {c.check_id: c for c in judge_candidate(copy, FACTS, accepted_ru="так надо")}
    assert not checks["region_totals_equal_schools"].lets_pass


# --- expectations of single marts --------------------------------------------------------------------


def held(mart: Table, rows: pl.DataFrame, folder: Path, most_rows: int = MOST_ROWS) -> SuiteResult:
    rows.write_parquet(folder / f"{mart.table}.parquet")
    (result,) = hold_marts(open_context(folder / "pages"), folder, [mart], most_rows)
    return result


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (pl.col("school_id").first().alias("school_id"), "school_id: expect_compound_columns_to_be_unique: нарушений"),
        (pl.lit(None, pl.String).alias("status"), "status: expect_column_values_to_not_be_null: нарушений"),
        (pl.lit("good").alias("status"), "status: expect_column_values_to_be_in_set: нарушений {}, например good"),
        (
            pl.lit(-1, pl.Int64).alias("years_listed_in_a_row"),
            "years_listed_in_a_row: expect_column_values_to_be_between: нарушений {}, например -1",
        ),
        (
            pl.lit("2022").alias("academic_year"),
            "academic_year: expect_column_values_to_match_regex: нарушений {}, например 2022",
        ),
        (pl.lit(1).alias("extra"), "expect_table_columns_to_match_set"),
    ],
)
def test_a_mart_that_is_not_what_the_registry_says_fails(
    good: Release, tmp_path: Path, change: pl.Expr, words: str
) -> None:
    rows = pl.read_parquet(good.folder / OFFICIAL / "school_status.parquet").with_columns(change)
    for most_rows in (MOST_ROWS, 20):  # of a long mart so many of the rows that break something are looked at
        result = held(table("school_status"), rows, tmp_path, most_rows)
        expected = words.format(min(rows.height, most_rows))
        assert any(expected in failure for failure in result.failed_ru), result.failed_ru


def test_one_bad_row_among_good_ones_is_found(good: Release, tmp_path: Path) -> None:
    mart = table("school")  # of one column is its key
    rows = pl.read_parquet(good.folder / OFFICIAL / "school.parquet")
    result = held(mart, pl.concat([rows, rows.head(1)]), tmp_path)
    assert result.failed_ru == (f"school_id: expect_column_values_to_be_unique: нарушений 2, например {rows[0, 0]}",)


def test_a_good_mart_and_an_empty_one_pass_and_tell_what_was_looked_for(good: Release, tmp_path: Path) -> None:
    rows = pl.read_parquet(good.folder / OFFICIAL / "school_status.parquet")
    for frame in (rows, rows.clear()):
        result = held(table("school_status"), frame, tmp_path)
        assert result.failed_ru == ()
        assert "status (Положение): ни одно из: shnor, risk, none, not_assessed, excluded" in result.looked_for_ru


@pytest.mark.parametrize("mart", tables("marts"), ids=lambda mart: mart.table)
def test_the_screen_looks_for_whatever_an_expectation_is_about(mart: Table) -> None:
    """Else a row that breaks an expectation would never come before Great Expectations."""
    of_suite = Counter(item.column for item in expectations_of(mart)[2:])
    for column in mart.columns:
        bounds = [bound for bound in (column.at_least, column.at_most) if bound is not None]
        conditions = [*missing_value(column), *bad_value(column)]
        assert len(conditions) - max(len(bounds) - 1, 0) == of_suite[column.name]


# --- pages -------------------------------------------------------------------------------------------


def test_the_pages_of_a_release_ask_nothing_of_the_network(good: Release) -> None:
    pages = sorted((good.folder / "quality").rglob("*.html"))
    assert {page.stem for page in pages} == {
        "index",
        *(mart.table for mart in tables("marts")),
        *(difference.check_id for difference in DIFFERENCES),
    }
    assert outside_addresses(pages) == []
    index = (good.folder / "quality" / "index.html").read_text(encoding="utf-8")
    assert all(f"<code>{check_id}</code>" in index for check_id in CHECK_IDS)
    page = (good.folder / "quality" / "expectations" / "school_status.html").read_text(encoding="utf-8")
    assert "<li>shnor_basis (Основание): ни одно из: two_procedures, two_years, both</li>" in page


def test_outside_parts_are_found_where_they_are() -> None:
    page = (
        '<head><link href="https://x.org/a.css">'
        "<style>.a { background: url('https://x.org/a.png') 0 0; }</style></head>"
        '<script src="https://x.org/a.js"></script><img src="https://x.org/a.png"><a href="https://x.org">слово</a>'
    )
    assert "x.org" not in without_outside_parts(page)
    assert "слово" in without_outside_parts(page)


# --- reviewed counts ---------------------------------------------------------------------------------


def test_reviewed_counts_are_kept_as_they_are(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert load_expected_rows(home) is None
    file = ExpectedRowsFile(expected=(ExpectedRows(mart="school_status", academic_year="2022-2023", rows=59),))
    write_expected_rows(home, file)
    assert load_expected_rows(home) == file


def test_a_wrong_file_of_counts_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "expected_rows.yaml").write_text("expected: [{mart: school, rows: 5}]", encoding="utf-8")
    with pytest.raises(ReferenceFileError, match=r"expected_rows\.yaml: expected\[0\]\.academic_year"):
        load_expected_rows(Home(tmp_path))


def test_the_manifest_keeps_every_verdict(good: Release) -> None:
    verdicts = read_release(good.folder).manifest["gate"]
    assert {verdict["check_id"] for verdict in verdicts} == set(CHECK_IDS)
