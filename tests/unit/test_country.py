"""The synthetic country: the same arguments, the same bytes; what is known of it is what the pipeline finds."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb
import polars as pl
import pytest
import yaml

from opora.delivery import read_records
from opora.demo.country import FACTS, CountrySummary, write_country
from opora.home import Home
from opora.intake import ingest
from opora.models import choose, run_models
from opora.reference import load_reference
from opora.warehouse import prepare

SCHOOLS, PARTICIPANTS = 60, 3000


@pytest.fixture(scope="module")
def few_works(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The country's facts with the works of the list alone and few books: a file costs more than its rows here."""
    told = yaml.safe_load(FACTS.read_text(encoding="utf-8"))
    told |= {"works": ["5_russian", "5_mathematics", "6_russian", "6_mathematics"], "books_of_region": 2}
    told["schools_per_region"], told["parquet_every"] = 40, 2
    path = tmp_path_factory.mktemp("facts") / "country.yaml"
    path.write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory, few_works: Path) -> CountrySummary:
    return write_country(tmp_path_factory.mktemp("country"), SCHOOLS, PARTICIPANTS, path=few_works)


def truth(country: CountrySummary, name: str) -> pl.DataFrame:
    return pl.read_csv(country.home / "truth" / f"{name}.csv", infer_schema_length=None)


def digests(home: Path) -> dict[str, str]:
    files = (path for path in home.rglob("*") if path.is_file())
    return {str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path, few_works: Path) -> None:
    for name, seed in (("one", 7), ("same", 7), ("other", 8)):
        write_country(tmp_path / name, 20, 200, seed, path=few_works)
    assert digests(tmp_path / "one") == digests(tmp_path / "same")
    assert digests(tmp_path / "one") != digests(tmp_path / "other")


def test_participants_are_as_many_as_asked_for(country: CountrySummary) -> None:
    assert country.participants == {"2020-2021": PARTICIPANTS, "2021-2022": PARTICIPANTS}
    rows = truth(country, "deliveries").filter(pl.col("layout") != "register")
    added = truth(country, "dirt").filter(pl.col("kind").is_in(["duplicate", "stray_header"]))["count"].sum()
    assert rows["rows_in"].sum() == 2 * PARTICIPANTS + rows["blank"].sum() + added


def test_the_pipeline_finds_what_is_known(country: CountrySummary) -> None:
    home = Home(country.home)
    ingest(home, load_reference())
    _assert_deliveries(home, country)
    database = country.home / "country.duckdb"
    prepare(home, load_reference(), database)
    run_models(database, [n for n in choose(["+int_school_status", "+int_procedure_result"]) if n.relation])
    with duckdb.connect(database, read_only=True) as connection:
        official = "from intermediate.{} where method_id = 'rosobrnadzor-847'"
        found = connection.execute(f"select * {official.format('int_procedure_result')}").pl()
        status = connection.execute(f"select * {official.format('int_school_status')}").pl()
    keys, counts = ["academic_year", "school_id", "procedure_id"], ["participants", "below_minimum"]
    joined = truth(country, "procedure_result").join(
        found.with_columns(pl.col(counts).fill_null(0)), on=keys, how="left", suffix="_found"
    )
    wrong = [pl.col(name).ne_missing(pl.col(f"{name}_found")) for name in ("state", *counts)]
    assert joined.filter(pl.any_horizontal(wrong)).is_empty()
    assert joined.height == 2 * SCHOOLS * 8
    lists = truth(country, "school_status").join(status, on=keys[:2], how="left", suffix="_found")
    assert lists.filter(pl.col("is_shnor").ne_missing(pl.col("is_shnor_found"))).is_empty()
    assert lists.height == 3 * SCHOOLS
    assert lists["is_shnor"].sum() == sum(country.shnor.values()) > 5


def _assert_deliveries(home: Home, country: CountrySummary) -> None:
    """Every row of every file has the fate, and every file the issues, that its maker knows of."""
    records = {record.paths[0]: record for record in read_records(home).values()}
    fates = ("rows_in", "accepted", "absent", "blank", "quarantined")
    for row in truth(country, "deliveries").iter_rows(named=True):
        counts = records[row["path"]].rows
        assert {name: getattr(counts, name) for name in fates} == {name: row[name] for name in fates}, row["path"]
    planted = truth(country, "dirt").group_by("path", "check_id").agg(pl.col("count").sum())
    found = {(path, check): n for path, record in records.items() for check, n in record.issues.items()}
    assert {(path, check): n for path, check, n in planted.rows()} == found
    assert planted.height > 3
