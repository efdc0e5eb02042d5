"""The public files of the synthetic region, read as everybody reads them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb
import polars as pl
import pytest

from opora.gate import PROTECTION, _protected
from opora.public.attack import narrowed, public_cells, shown_but_small
from opora.public.facts import load_public_facts
from opora.public.profile import Former, public_tables
from opora.reference import load_reference
from opora.release import OFFICIAL, PUBLIC, Release, current_release, write_public
from schemas.pandera_schemas import failures
from schemas.registry import tables
from tests.conftest import Region

FACTS = load_public_facts()
METHODS = {method.method_id: method.settings for method in load_reference().methods if method.is_official}


@pytest.fixture(scope="module")
def release(demo_region: Region) -> Release:
    found = current_release(demo_region.home)
    assert found is not None
    return found


def rows(release: Release, name: str) -> pl.DataFrame:
    return pl.read_parquet(release.folder / PUBLIC / f"{name}.parquet")


def test_nothing_hidden_can_be_worked_out_of_the_files(release: Release) -> None:
    cells = public_cells(release.folder / PUBLIC)
    assert cells["participants_symbol"].drop_nulls().len() > 300
    assert narrowed(release.folder / PUBLIC, FACTS) == []
    assert shown_but_small(release.folder / PUBLIC, FACTS) == 0


def test_the_gate_sees_a_file_that_gives_something_back(release: Release, tmp_path: Path) -> None:
    folder = tmp_path / PUBLIC
    shutil.copytree(release.folder / PUBLIC, folder)
    official = pl.read_parquet(release.folder / OFFICIAL / "procedure_result.parquet")
    hidden = rows(release, "procedure_result").with_row_index()
    keys = ["academic_year", "school_id", "procedure_id"]
    first = hidden.filter(pl.col("participants_symbol") == "c").head(1).join(official, on=keys, suffix="_true")
    shown = hidden.with_columns(
        participants=pl.when(pl.col("index") == first["index"][0])
        .then(first["own_participants"][0])
        .otherwise(pl.col("participants"))
    )
    shown.drop("index").write_parquet(folder / "procedure_result.parquet")
    verdict = _protected(folder)
    assert verdict.check_id == PROTECTION
    assert not verdict.lets_pass


def test_every_shown_number_is_the_official_one(release: Release) -> None:
    keys = ["academic_year", "school_id", "procedure_id"]
    official = pl.read_parquet(release.folder / OFFICIAL / "procedure_result.parquet")
    both = rows(release, "procedure_result").join(official, on=keys, suffix="_true")
    assert both.height == official.height
    shown = both.filter(pl.col("participants").is_not_null())
    assert shown.height > 500
    assert shown.filter(pl.col("participants") != pl.col("own_participants")).is_empty()
    counted = both.filter(pl.col("below_minimum").is_not_null())
    assert counted.filter(pl.col("below_minimum") != pl.col("own_below_minimum")).is_empty()
    flagged = both.filter(pl.col("is_low").is_not_null())
    assert flagged.filter(pl.col("is_low") != pl.col("is_low_true")).is_empty()
    assert flagged["is_low"].any()


def test_shown_totals_are_the_official_ones(release: Release) -> None:
    keys = ["academic_year", "region_code", "procedure_id"]
    official = pl.read_parquet(release.folder / OFFICIAL / "region_summary.parquet")
    both = rows(release, "region_summary").join(official, on=keys, suffix="_true")
    shown = both.filter(pl.col("participants").is_not_null())
    assert shown.height > 20
    assert shown.filter(pl.col("participants") != pl.col("participants_true")).is_empty()


def test_a_status_is_shown_only_where_hidden_results_could_not_change_it(release: Release) -> None:
    official = pl.read_parquet(release.folder / OFFICIAL / "school_status.parquet")
    both = rows(release, "school_status").join(official, on=["academic_year", "school_id"], suffix="_true")
    assert both.filter((pl.col("status") != "hidden") & (pl.col("status") != pl.col("status_true"))).is_empty()
    rests_on_few = both.filter((pl.col("status_true") == "shnor") & (pl.col("evidence_participants") < 10))
    assert rests_on_few.height > 0
    assert set(rests_on_few["status"]) == {"hidden"}


def test_the_files_are_what_the_registry_says_and_no_others(release: Release) -> None:
    folder = release.folder / PUBLIC
    names = {table.table.removeprefix("public_"): table.table for table in tables("public")}
    assert {path.stem for path in folder.glob("*.parquet")} == set(names)
    for name, table in names.items():
        assert failures(table, pl.read_parquet(folder / f"{name}.parquet")).is_empty(), name
    with duckdb.connect(str(folder / "marts.duckdb"), read_only=True) as connection:
        assert {name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()} == set(
            names
        )


@pytest.mark.parametrize("participants", [pl.col("own_participants") + 1, pl.lit(0)], ids=["corrected", "gone"])
def test_a_later_release_shows_no_more_of_what_was_hidden(
    release: Release, tmp_path: Path, participants: pl.Expr
) -> None:
    """One small school is corrected, or has no results any more: its totals go, and what was hidden stays hidden."""
    official = tmp_path / OFFICIAL
    shutil.copytree(release.folder / OFFICIAL, official)
    results = pl.read_parquet(official / "procedure_result.parquet")
    chosen = (
        results.filter(pl.col("own_participants").is_between(3, 8) & (pl.col("own_unknown_count") == 0))
        .join(pl.read_parquet(official / "school.parquet").filter("is_school"), on="school_id")
        .row(0, named=True)
    )
    same = (pl.col("school_id") == chosen["school_id"]) & (pl.col("procedure_id") == chosen["procedure_id"])
    same &= pl.col("academic_year") == chosen["academic_year"]
    results.with_columns(
        own_participants=pl.when(same).then(participants).otherwise("own_participants"),
        own_below_minimum=pl.when(same).then(0).otherwise("own_below_minimum"),
    ).write_parquet(official / "procedure_result.parquet")
    years = sorted(rows(release, "school_status")["academic_year"].unique())
    former = Former(release.folder / OFFICIAL, release.folder / PUBLIC)
    write_public(tmp_path, public_tables(official, years, FACTS, METHODS, [former]))
    later = tmp_path / PUBLIC
    assert narrowed(later, FACTS) == []
    keys = ["academic_year", "school_id", "procedure_id"]
    both = rows(release, "procedure_result").join(
        pl.read_parquet(later / "procedure_result.parquet"), on=keys, suffix="_now"
    )
    was_hidden = both.filter((pl.col("participants_symbol") == "c") & (pl.col("school_id") != chosen["school_id"]))
    assert set(was_hidden["participants_symbol_now"]) == {"c"}
    region = pl.read_parquet(later / "region_summary.parquet").filter(
        (pl.col("academic_year") == chosen["academic_year"]) & (pl.col("procedure_id") == chosen["procedure_id"])
    )
    assert region["participants_symbol"].to_list() == ["c"]


def published(folder: Path, official: Path, years: Sequence[str], former: Sequence[Former]) -> Former:
    """A release of its own with both profiles."""
    write_public(folder, public_tables(official, years, FACTS, METHODS, former))
    return Former(official, folder / PUBLIC)


def changed(release: Release, folder: Path, **marts: pl.Expr) -> Path:
    """The official profile of a release with a column of some marts written anew."""
    official = folder / OFFICIAL
    shutil.copytree(release.folder / OFFICIAL, official)
    for mart, column in marts.items():
        path = official / f"{mart}.parquet"
        pl.read_parquet(path).with_columns(column).write_parquet(path)
    return official


def hidden_and_now(release: Release, later: Former) -> pl.DataFrame:
    """What a release hid of schools, with what a later one shows of the same."""
    keys = ["academic_year", "school_id", "procedure_id"]
    now = pl.read_parquet(later.public / "procedure_result.parquet")
    return rows(release, "procedure_result").filter(participants_symbol="c").join(now, on=keys, suffix="_now")


def test_a_municipality_that_is_called_otherwise_gives_nothing_back(release: Release, tmp_path: Path) -> None:
    years = sorted(rows(release, "school_status")["academic_year"].unique())
    first = Former(release.folder / OFFICIAL, release.folder / PUBLIC)
    other = pl.when(pl.col("municipality_id") == pl.col("municipality_id").min()).then(pl.lit("99_m999"))
    renamed = changed(release, tmp_path, school=other.otherwise("municipality_id").alias("municipality_id"))
    later = published(tmp_path, renamed, years, [first])
    assert set(hidden_and_now(release, later)["participants_symbol_now"]) == {"c"}
    assert narrowed(later.public, FACTS) == []


def test_what_was_hidden_is_remembered_past_a_release_that_did_not_have_it(release: Release, tmp_path: Path) -> None:
    """A hidden school is withdrawn and comes back; a year is taken out and comes back."""
    years = sorted(rows(release, "school_status")["academic_year"].unique())
    first = Former(release.folder / OFFICIAL, release.folder / PUBLIC)
    chosen = rows(release, "procedure_result").filter(participants_symbol="c").sort("academic_year").row(-1, named=True)
    same = pl.col("school_id") == chosen["school_id"]
    gone = pl.when(same).then(0).otherwise("own_participants").alias("own_participants")
    second = published(tmp_path / "2", changed(release, tmp_path / "2", procedure_result=gone), years[:-1], [first])
    third = published(tmp_path / "3", changed(release, tmp_path / "3"), years, [second, first])
    assert set(hidden_and_now(release, third)["participants_symbol_now"]) == {"c"}
    towns = [pl.read_parquet(of.public / "municipality_summary.parquet") for of in (first, third)]
    keys = ["academic_year", "procedure_id", "region_code", "municipality_id"]
    both = towns[0].join(towns[1], on=keys, suffix="_now")
    assert both.filter(pl.col("participants_symbol").eq("c") & pl.col("participants_symbol_now").is_null()).is_empty()


def test_whether_a_standing_is_shown_does_not_depend_on_what_it_is(release: Release, tmp_path: Path) -> None:
    """Were only schools at risk hidden where others are «not assessed», the symbol would tell the risk."""
    years = sorted(rows(release, "school_status")["academic_year"].unique())
    swap = pl.col("status").replace({"risk": "not_assessed", "not_assessed": "risk", "none": "risk"})
    official = changed(release, tmp_path, school_status=swap)
    tables = public_tables(official, years, FACTS, METHODS)
    keys = ["academic_year", "school_id"]
    both = tables["public_school_status"].join(rows(release, "school_status"), on=keys, suffix="_true")
    of_others = both.join(
        pl.read_parquet(official / "school_status.parquet").select(*keys, true="status"), on=keys
    ).filter(pl.col("true") != "shnor")
    assert of_others.filter(pl.col("status").eq("hidden") != pl.col("status_true").eq("hidden")).is_empty()
    assert of_others.filter(status="hidden").height > 0
