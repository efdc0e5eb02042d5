"""Every mart that dbt builds on a Spark cluster of a master and two workers is the one DuckDB built from the same lake.

Run by `make spark-test` only, in an environment of its own: nothing else here needs Spark or Java.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from opora.build import build
from opora.demo import write_region
from opora.home import Home
from opora.reference import load_reference
from opora.warehouse import prepare
from pipelines.run import run_now
from schemas.registry import tables
from tests.conftest import REAL_DATA
from tests.spark.cluster import cluster, java, session
from tests.spark.compare import compare
from tests.spark.lakehouse import build_on_spark, parquet_of

ALTAI = REAL_DATA / "altai-krai-vpr"
REAL_PARTS = ("participants", "registry", "context", "reference", "manifest.csv")
AS_OF = date(2024, 9, 1)

pytestmark = pytest.mark.skipif(java() is None, reason="no Java: Spark needs Java 17 (Debian: openjdk-17-jre-headless)")


def made_up(folder: Path) -> Home:
    write_region(folder)
    return received(Home(folder))


def real(folder: Path) -> Home:
    if not ALTAI.is_dir():
        pytest.skip(f"the real region is not at {ALTAI}")
    home = Home(folder).ensure()
    for part in REAL_PARTS:
        (home.landing / part).symlink_to(ALTAI / part)
    return received(home)


def received(home: Home) -> Home:
    """A home with its lake filled. A home that is already filled can be named instead: OPORA_SPARK_HOMES=<folder>."""
    outcome = run_now(home)
    assert outcome.succeeded, outcome.failures
    return home


@pytest.mark.parametrize(("region", "make"), [("demo", made_up), ("real", real)])
def test_marts_of_spark_are_those_of_duckdb(
    region: str, make: Callable[[Path], Home], tmp_path: Path, tell_count: Callable[[str], None]
) -> None:
    ready = Path(os.environ.get("OPORA_SPARK_HOMES", "")) / region
    home = Home(ready) if "OPORA_SPARK_HOMES" in os.environ and ready.is_dir() else make(tmp_path / "home")
    by_duckdb, prepared, folder = (
        tmp_path / "duckdb" / "all.duckdb",
        tmp_path / "spark" / "all.duckdb",
        tmp_path / "spark",
    )
    for database in (by_duckdb, prepared):
        prepare(home, load_reference(), database, as_of=AS_OF)
    started = time.monotonic()
    build(by_duckdb)
    built = time.monotonic()
    with cluster(folder) as master, session(master, folder) as spark:
        build_on_spark(spark, home, prepared, folder)
    tell_count(f"{region}: DuckDB {built - started:.0f} s, Spark {time.monotonic() - built:.0f} s")
    found = [
        compare(by_duckdb, "marts", mart.table, parquet_of(folder, "marts", mart.table)) for mart in tables("marts")
    ]
    for one in found:
        tell_count(
            f"{region} {one.table}: rows {one.rows}, cells {one.cells}, other bits {one.close}, {one.furthest:.1e}"
        )
    differing = [f"{one.table}: {words}" for one in found for words in one.differences]
    assert not differing, "\n".join(differing)
    assert sum(one.cells for one in found) > 100_000
