"""Conditions of the synthetic region, held against what its generator knows to be true."""

from __future__ import annotations

import polars as pl

from tests.conftest import Region


def _components(region: Region) -> pl.DataFrame:
    return pl.read_parquet(region.home.current / "official" / "context_component.parquet")


def _truth(region: Region, name: str) -> pl.DataFrame:
    return pl.read_csv(region.truth / f"{name}.csv", infer_schema_length=None)


KEYS = ["academic_year", "school_id", "component_id"]


def test_every_condition_is_the_true_one_or_unknown(demo_region: Region) -> None:
    truth, found = _truth(demo_region, "context_component"), _components(demo_region)
    joined = truth.join(found, on=KEYS, how="left", suffix="_found")
    same = (pl.col("value") - pl.col("value_found")).abs() < 1e-9
    wrong = joined.filter(~pl.coalesce(same, pl.col("value").is_null() & pl.col("is_known").eq_missing(False)))
    assert wrong.is_empty(), wrong
    assert truth["value"].null_count() > 200, "blanks, words for the unknown and cells set aside"
    assert truth.filter(pl.col("value") == 0).height > 50, "true zeros"


def test_sources_stand_in_for_each_other(demo_region: Region) -> None:
    enrolment = _components(demo_region).filter(component_id="enrolment", is_known=True)
    of_year = {
        year: set(rows["source_ids"]) for (year,), rows in enrolment.group_by("academic_year", maintain_order=True)
    }
    assert of_year["2021-2022"] == {"social_passport", "survey"}
    assert of_year["2022-2023"] == {"social_passport", "register"}


def test_a_corrected_passport_counts_as_a_whole(demo_region: Region) -> None:
    components = _components(demo_region).with_columns(pl.col("delivery_ids").str.split(";"))
    deliveries = pl.read_parquet(demo_region.home.current / "official" / "delivery.parquet")
    again = deliveries.filter(pl.col("file_name").str.contains("Паспорт .*исправлен"))["delivery_id"].item()
    corrected = components.filter(pl.col("delivery_ids").list.contains(again))
    (school,) = corrected["school_id"].unique()
    of_school = components.filter(academic_year="2022-2023", school_id=school)
    told = {row["component_id"]: row for row in of_school.iter_rows(named=True)}
    assert told["low_income_share"]["delivery_ids"] == [again]
    assert told["large_family_share"]["unknown_reason"] == "not_answered", "the former one had told it"


def test_conditions_go_with_results_but_for_the_planted_schools(demo_region: Region) -> None:
    stories = _truth(demo_region, "context_story").unique(["school_id", "story"]).select("school_id", "story")
    results = (
        pl.read_parquet(demo_region.home.current / "official" / "procedure_result.parquet")
        .filter(
            (pl.col("state") == "held") & pl.col("academic_year").is_between(pl.lit("2021-2022"), pl.lit("2023-2024"))
        )
        .group_by("school_id")
        .agg((pl.col("own_below_minimum").sum() / pl.col("own_participants").sum()).alias("below"))
    )
    poor = (
        _components(demo_region)
        .filter(component_id="low_income_share", is_known=True)
        .group_by("school_id")
        .agg(pl.col("value").mean())
    )
    schools = stories.join(results, on="school_id").join(poor, on="school_id")
    assert dict(schools["story"].value_counts().rows()) | {"ordinary": 0} == {
        "resilient": 3,
        "favourable_low": 3,
        "ordinary": 0,
    }
    ordinary = schools.filter(story="ordinary")
    assert ordinary.select(pl.corr("below", "value")).item() > 0.3
    mean = {story: rows.mean().row(0, named=True) for (story,), rows in schools.group_by("story")}
    assert mean["resilient"]["value"] > mean["ordinary"]["value"] > mean["favourable_low"]["value"]
    assert mean["resilient"]["below"] < mean["favourable_low"]["below"]
