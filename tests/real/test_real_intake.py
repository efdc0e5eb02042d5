"""Intake of real deliveries: every row of every file is accounted for, and published totals reconcile.

The data are read where they lie; nothing of them is copied here but aggregates.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from opora.delivery import read_issues, read_records
from opora.home import PROJECT, Home
from opora.intake import Processed, ingest
from opora.layouts.model import read_layout
from tests import builders as b
from tests.conftest import REAL_DATA

REGION = REAL_DATA / "altai-krai-vpr"

pytestmark = pytest.mark.real


def folder(name: str) -> Path:
    path = REAL_DATA / name
    if not path.is_dir():
        pytest.skip(f"no real data at {path}; set OPORA_REAL_DATA")
    return path


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The participants of one region with the list that says what each file is about."""
    source = folder("altai-krai-vpr")
    home = Home(tmp_path_factory.mktemp("region")).ensure()
    (home.landing / "participants").symlink_to(source / "participants")
    (home.landing / "manifest.csv").write_bytes((source / "manifest.csv").read_bytes())
    ingest(home, b.reference())
    return home


def manifest() -> list[dict[str, str]]:
    with (folder("altai-krai-vpr") / "manifest.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_row_of_every_participants_file_is_accounted_for(region: Home) -> None:
    records = {record.file_name: record for record in read_records(region).values()}
    expected = {row["file"]: int(row["rows"]) for row in manifest()}
    assert len(expected) == 92
    assert {name: records[name].rows.rows_in for name in expected} == expected
    assert all(record.rows.adds_up for record in records.values())
    assert {records[name].status for name in expected} <= {"accepted", "accepted_with_quarantine"}
    assert sum(expected.values()) == 1_290_355


def test_few_rows_are_quarantined_and_only_for_what_is_wrong_in_them(region: Home) -> None:
    issues = read_issues(region)
    quarantined = issues.filter(pl.col("severity") == "quarantine")
    assert set(quarantined["check_id"]) <= {"total_above_maximum", "result_missing"}
    rows = sum(record.rows.quarantined for record in read_records(region).values())
    assert rows == quarantined.select("delivery_id", "source_row").n_unique() < 200


def test_years_schools_and_absentees_of_the_region(region: Home) -> None:
    files = region.lake_files("assessment_result")
    frame = pl.scan_parquet(files).select("measured_year", "held_year", "school_key", "attendance", "total_score")
    by_year = (
        frame.group_by("measured_year")
        .agg(
            pl.col("school_key").n_unique().alias("schools"),
            (pl.col("attendance") == "absent").sum().alias("absent"),
            pl.col("held_year").unique().first(),
            pl.col("total_score").filter(pl.col("attendance") == "absent").count().alias("scores_of_absentees"),
        )
        .sort("measured_year")
        .collect()
    )
    assert by_year.select("measured_year", "held_year", "schools").rows() == [
        ("2019-2020", "2020-2021", 639),
        ("2020-2021", "2020-2021", 652),
        ("2021-2022", "2021-2022", 435),
    ]
    assert by_year["scores_of_absentees"].sum() == 0
    # the absentees that the publisher counts wrote no variant; a few more rows say so in other words
    for told, found in zip([106_992, 70_901, 1_317], by_year["absent"], strict=True):
        assert abs(found - told) <= 1_300


SAMPLE = ("2020/6/Математика", "2021/11/", "2022/11/")


def test_books_equal_their_parquet_copies(region: Home, tmp_path: Path) -> None:
    copies = {row["origin_path"].removeprefix("excel/vpr_results/"): row for row in manifest()}
    books = [
        path
        for path in sorted((folder("altai-krai-vpr") / "raw-xlsx").rglob("*.xlsx"))
        if any(part in path.as_posix() for part in SAMPLE)
    ]
    by_grade = {path.parent: path for path in sorted(books, key=lambda path: path.stat().st_size, reverse=True)}
    assert len(by_grade) >= 3
    records = {record.file_name: record for record in read_records(region).values()}
    for book in by_grade.values():
        told = copies[book.relative_to(REGION / "raw-xlsx").as_posix()]
        place = tmp_path / told["year"] / told["grade_folder"]
        place.mkdir(parents=True)
        (place / f"{told['subject']}.xlsx").symlink_to(book)
        (result,) = b.read_all(place.parents[1]).values()
        record = records[told["file"]]
        (table, year), frame = next(iter(result.parts.items()))
        copy = pl.read_parquet(region.lake_part(table, year, record.delivery_id))
        apart = ["delivery_id", "sheet"]
        assert frame.drop(apart).equals(copy.drop(apart)), told["file"]
        (place / f"{told['subject']}.xlsx").unlink()
        place.rmdir()


def test_the_regional_table_reconciles_with_its_own_totals() -> None:
    """Participants and those below the minimum of accepted cells are the totals that the table itself gives.

    So they do without the 55 impossible cells of 2023, which name no participants and go to quarantine.
    """
    (path,) = folder("dfo-ege-schools").glob("*.xlsx")
    result = b.read_all(path.parent)[path.name]
    sums = (
        b.records(result, "aggregate_result")
        .group_by("measured_year", "subject_id")
        .agg(pl.col("participants").sum(), pl.col("below_minimum").sum())
    )
    found = {(year, subject): figures for year, subject, *figures in sums.rows()}
    assert found["2022-2023", "russian"] == [4955, 7]
    assert found["2022-2023", "mathematics_profile"] == [1721, 204]
    assert found["2022-2023", "social_studies"] == [2497, 673]
    assert found["2022-2023", "informatics"] == [731, 195]
    assert found["2021-2022", "russian"] == [5211, 64]
    assert found["2021-2022", "mathematics_profile"] == [1886, 322]
    assert found["2021-2022", "social_studies"] == [2562, 539]
    quarantined = result.issues.filter(pl.col("severity") == "quarantine")
    assert quarantined.group_by("sheet", "check_id", "column_name").len().rows() == [
        ("2023", "required_value_missing", "participants", 55)
    ]
    assert result.record.rows.quarantined == 55, "schools of which nothing else is told"
    assert result.record.rows.total == 2
    assert result.record.issues["sheet_not_recognised"] == 1, "applications of 2024 are no results"


def test_the_doubled_year_of_the_objectivity_list_is_found() -> None:
    (path,) = folder("dagestan-vpr-objectivity").glob("*.xlsx")
    result = b.read_all(path.parent)[path.name]
    assert result.record.layout_ids == ["vpr_bias_flat"]
    assert result.record.rows.rows_in == 599
    doubled = result.issues.filter(pl.col("check_id") == "duplicate_row")
    assert doubled["academic_year"].unique().to_list() == ["2023-2024"]
    assert doubled["source_row"].n_unique() == 148
    schools = b.records(result, "objectivity_marker").group_by("measured_year").agg(pl.col("school_key").n_unique())
    assert dict(schools.rows()) == {"2022-2023": 159, "2023-2024": 148, "2024-2025": 144}


def test_a_foreign_table_through_a_layout_of_ones_own(tmp_path: Path) -> None:
    source = folder("nyc-math-2006-2011") / "math_test_results.csv.gz"
    (tmp_path / "math.csv").write_bytes(gzip.decompress(source.read_bytes()))
    example = read_layout(PROJECT / "docs" / "examples" / "nyc_math.yaml")
    result: Processed = b.read(tmp_path / "math.csv", own=[example])
    counts = result.record.rows
    assert (counts.rows_in, counts.accepted, counts.total, counts.suppressed) == (28_478, 21_606, 6_479, 393)
    assert result.issues.is_empty()
    grades = Counter(b.records(result, "aggregate_result")["test_grade"].to_list())
    assert sorted(grades) == [3, 4, 5, 6, 7, 8]
