"""The comparison of two builds finds what differs: a text, a number, a null, a row too few, a row twice, a fraction."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from schemas.arrow import sql_type
from schemas.registry import table
from tests.spark.compare import TOLERANCE, Comparison, compare

MART = table("pooled_years")


def compared(folder: Path, change: str) -> Comparison:
    """Ten rows of a mart against themselves with something changed."""
    database, parquet = folder / "one.duckdb", folder / "other.parquet"
    columns = ", ".join(f'"{column.name}" {sql_type(column)}' for column in MART.columns)
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"create schema marts; create table marts.{MART.table} ({columns})")
        connection.execute(
            f"insert into marts.{MART.table} (academic_year, school_id, procedure_id, window_years, participants, "
            "below_share, is_low, reliability) "
            "select '2023-2024', 's' || range, 'p', 3, 20, range / 7, range > 5, 'high' from range(10)"
        )
        connection.execute(f"create table changed as from marts.{MART.table}; {change.format(table='changed')}")
        connection.execute(f"copy changed to '{parquet}'; drop table changed")
    return compare(database, "marts", MART.table, str(parquet))


def test_the_same_is_the_same(tmp_path: Path) -> None:
    found = compared(tmp_path, "")
    assert (found.rows, found.cells, found.close, found.differences) == (10, 10 * len(MART.columns), 0, ())


@pytest.mark.parametrize(
    "change",
    [
        "update {table} set reliability = 'low' where school_id = 's3'",
        "update {table} set reliability = null where school_id = 's3'",
        "update {table} set below_minimum = 0 where school_id = 's3'",
        "update {table} set participants = 21 where school_id = 's3'",
        "update {table} set is_low = not is_low where school_id = 's3'",
        f"update {{table}} set below_share = below_share + {10 * TOLERANCE} where school_id = 's3'",
        "update {table} set below_share = null where school_id = 's3'",
        "update {table} set below_share = 'nan' where school_id = 's3'",
        "delete from {table} where school_id = 's3'",
        "insert into {table} from {table} where school_id = 's3'",
        "update {table} set school_id = 's11' where school_id = 's3'",
        "alter table {table} drop column reliability",
    ],
)
def test_what_differs_is_told(tmp_path: Path, change: str) -> None:
    assert compared(tmp_path, change).differences


def test_a_fraction_of_other_bits_is_counted_and_no_difference(tmp_path: Path) -> None:
    found = compared(
        tmp_path, f"update {{table}} set below_share = below_share + {TOLERANCE / 10} where window_years = 3"
    )
    assert (found.close, found.differences) == (10, ())
    assert 0 < found.furthest <= TOLERANCE
