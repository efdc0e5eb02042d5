"""Risk profiles of the synthetic region, held against what its generator knows to be true."""

from __future__ import annotations

import polars as pl
import pytest

from opora.demo.config import load_facts
from opora.risk import load_risk
from tests.conftest import Region

FACTS = load_risk()
KEYS = ["academic_year", "school_id", "factor_id"]


def truth(region: Region, name: str) -> pl.DataFrame:
    return pl.read_csv(region.truth / f"{name}.csv", infer_schema_length=None, try_parse_dates=True)


def mart(region: Region, name: str) -> pl.DataFrame:
    return pl.read_parquet(region.home.current / "official" / f"{name}.parquet")


def test_every_level_and_choice_is_the_true_one(demo_region: Region) -> None:
    true, found = truth(demo_region, "risk_profile"), mart(demo_region, "risk_profile")
    assert found.height == true.height > 200
    joined = true.join(found, on=KEYS, how="left", suffix="_found")
    differs = [pl.col(name).ne_missing(pl.col(f"{name}_found")) for name in ("level", "is_chosen")]
    assert joined.filter(pl.any_horizontal(differs)).is_empty()
    assert set(found["level"].unique()) == {"high", "medium", "low", None}
    assert set(found["origin"].drop_nulls().unique()) == {"delivered"}, "the scoring is off"


def test_every_reported_stage_is_there_and_no_other(demo_region: Region) -> None:
    true = truth(demo_region, "risk_stage").rename({"done_on": "stage_done_on"})
    found = mart(demo_region, "risk_stage").filter(pl.col("stage_done_on").is_not_null())
    columns = [*KEYS, "stage", "stage_done_on"]
    assert sorted(found.select(columns).rows()) == sorted(true.select(columns).rows())
    assert {"done", "done_late", "overdue"} <= set(mart(demo_region, "risk_stage")["stage_status"])


def test_each_cycle_has_the_factors_of_its_list(demo_region: Region) -> None:
    lists = dict(mart(demo_region, "risk_profile").select("academic_year", "list_id").unique().rows())
    cycles = load_facts().raw["risk"]["cycles"]
    assert sorted(lists) == [f"{year - 1}-{year}" for year in cycles]
    for year, list_id in lists.items():
        known = FACTS.list_of(year)
        assert known is not None
        assert list_id == known.list_id


@pytest.mark.parametrize("population", ["all", "shnor"])
def test_the_region_is_summed_from_its_profiles(demo_region: Region, population: str) -> None:
    profiles = truth(demo_region, "risk_profile")
    if population == "shnor":
        listed = truth(demo_region, "school_status").filter("is_shnor").select("academic_year", "school_id")
        profiles = profiles.join(listed, on=["academic_year", "school_id"])
    expected = profiles.group_by("academic_year", "factor_id").agg(
        took_part_count=pl.len(),
        known_count=pl.col("level").count(),
        high_count=(pl.col("level") == "high").sum(),
        low_count=(pl.col("level") == "low").sum(),
        chosen_count=pl.col("is_chosen").cast(pl.Int64).sum(),
    )
    found = mart(demo_region, "risk_summary").filter(territory_level="region", population_id=population)
    columns = [
        "academic_year",
        "factor_id",
        "took_part_count",
        "known_count",
        "high_count",
        "low_count",
        "chosen_count",
    ]
    assert sorted(found.select(columns).rows()) == sorted(expected.select(columns).rows())


def test_languages_are_nobodys_risk(demo_region: Region) -> None:
    """The generator puts them four deviations below the others."""
    rows = mart(demo_region, "risk_summary").filter(
        territory_level="region", population_id="all", factor_id="language_barriers"
    )
    assert set(rows["finding_ru"]) == {"низкая значимость у всех школ"}


def test_silent_schools_are_missed_not_counted_as_low(demo_region: Region) -> None:
    """A school of the list that sent nothing stays in the denominator and has no row of its own."""
    rows = mart(demo_region, "risk_summary").filter(
        territory_level="region", population_id="shnor", factor_id="equipment"
    )
    for row in rows.iter_rows(named=True):
        plan = load_facts().raw["risk"]["cycles"][int(row["academic_year"][5:])]
        assert row["schools_count"] - row["took_part_count"] == plan["silent"]
        assert row["participation_share"] == row["took_part_count"] / row["schools_count"]


def test_what_the_reference_does_not_know_is_told(demo_region: Region) -> None:
    planted = truth(demo_region, "dirt").filter(pl.col("check_id").is_in(["unknown_risk_factor", "risk_choice_count"]))
    found = mart(demo_region, "quality_issue").filter(pl.col("check_id").is_in(planted["check_id"].implode()))
    counts = found.group_by(pl.col("file_name").alias("path"), "check_id").agg(pl.len().cast(pl.Int64).alias("count"))
    columns = ["path", "check_id", "count"]
    assert sorted(counts.select(columns).rows()) == sorted(planted.select(columns).rows())
