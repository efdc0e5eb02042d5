"""Partners and target groups of the synthetic region, held against what its generator knows to be true."""

from __future__ import annotations

import polars as pl

from opora.explain import explain_school
from tests.conftest import Region

KEYS = ["academic_year", "school_id", "leader_school_id"]


def _mart(region: Region, name: str) -> pl.DataFrame:
    return pl.read_parquet(region.home.current / "official" / f"{name}.parquet")


def _truth(region: Region, name: str) -> pl.DataFrame:
    return pl.read_csv(region.truth / f"{name}.csv", infer_schema_length=None)


def test_agreements_are_the_true_ones(demo_region: Region) -> None:
    """Broken rows made none, and the leader that a later file corrected is gone."""
    truth = _truth(demo_region, "partner_agreement")
    found = _mart(demo_region, "partnership").filter(pl.col("origin") == "agreement")
    assert found.height == truth.height > 5
    joined = truth.join(found, on=KEYS, how="inner", suffix="_found")
    assert joined.height == truth.height
    assert joined["agreement_number"].equals(joined["agreement_number_found"], check_names=False)
    assert joined.filter("is_leader_listed")["is_admissible"].to_list() == [False]


def test_every_listed_school_has_a_leader_or_the_reason_why_not(demo_region: Region) -> None:
    listed = _truth(demo_region, "school_status").filter("is_shnor").select("academic_year", "school_id")
    told = _mart(demo_region, "partnership")
    assert listed.join(told, on=["academic_year", "school_id"], how="anti").is_empty()
    proposed = told.filter(pl.col("origin") == "proposal")
    assert proposed.join(listed, on=["academic_year", "school_id"], how="anti").is_empty()
    leaders = proposed.select("academic_year", school_id="leader_school_id")
    assert leaders.join(listed, on=["academic_year", "school_id"], how="semi").is_empty()
    assert told["reason_ru"].str.len_chars().min() > 40  # type: ignore[operator]


def test_explain_tells_conditions_and_the_partner(demo_region: Region) -> None:
    agreement = _mart(demo_region, "partnership").filter(pl.col("origin") == "agreement").row(0, named=True)
    lines = explain_school(demo_region.home, agreement["school_id"], agreement["academic_year"])
    leader = _mart(demo_region, "school").filter(school_id=agreement["leader_school_id"])["school_name"].item()
    assert f"Школа-лидер: {leader}. {agreement['reason_ru']}" in lines
    assert [line.split(":")[0] for line in lines if line.startswith(("Условия", "Ресурсы"))] == [
        "Условия",
        "Ресурсы",
        "Условия и результат",
    ]


def test_the_list_does_not_hang_on_conditions(demo_region: Region) -> None:
    truth = _truth(demo_region, "school_status").select("academic_year", "school_id", "is_shnor")
    found = _mart(demo_region, "school_status").join(truth, on=["academic_year", "school_id"], suffix="_true")
    assert found.filter(pl.col("is_shnor") != pl.col("is_shnor_true")).is_empty()
    for fact in ("is_adverse_conditions", "has_resource_deficit"):
        assert found.filter("is_shnor")[fact].drop_nulls().n_unique() == 2, fact


def test_planted_conditions_are_found(demo_region: Region) -> None:
    """Schools drawn into hard and favourable conditions stand on their side of the index, whatever their results."""
    stories = _truth(demo_region, "context_story").filter(pl.col("story").is_in(["resilient", "favourable_low"]))
    found = stories.join(_mart(demo_region, "school_status"), on=["academic_year", "school_id"])
    told = dict(found.group_by("story").agg(pl.col("is_adverse_conditions").drop_nulls().unique()).iter_rows())
    assert told == {"resilient": [True], "favourable_low": [False]}
