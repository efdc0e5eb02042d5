"""Index, expectation and classes on the synthetic region, held against what its generator knows to be true."""

from __future__ import annotations

import polars as pl
import pytest

from tests.conftest import Region


def _mart(region: Region, name: str) -> pl.DataFrame:
    return pl.read_parquet(region.home.current / "official" / f"{name}.parquet")


@pytest.fixture(scope="module")
def told(demo_region: Region) -> pl.DataFrame:
    """Contexts of schools in the years that have a story, beside the story."""
    stories = pl.read_csv(demo_region.truth / "context_story.csv", infer_schema_length=None)
    return _mart(demo_region, "school_context").join(stories, on=["academic_year", "school_id"])


def test_the_index_is_the_wellbeing_that_was_drawn(told: pl.DataFrame) -> None:
    """Three methods follow it whatever the results; regression weights of ten shares on fifty schools are chance."""
    known = told.drop_nulls("wellbeing_index")
    assert known.height > 0.75 * told.height
    assert set(known["index_id"]) == {"social-passport"}
    for method in ("wellbeing_z_mean", "wellbeing_min_max", "wellbeing_first_component"):
        for year in known.partition_by("academic_year"):
            assert year.select(pl.corr("wellbeing", method)).item() > 0.85


def test_schools_whose_results_go_against_their_conditions_are_found(told: pl.DataFrame) -> None:
    """Planted schools that have a class: the resilient are found, and nobody takes one kind for the other."""
    classed = told.drop_nulls("context_class")
    resilient = classed.filter(story="resilient")
    assert resilient.height >= 6
    assert (resilient["context_class"] == "resilient").mean() > 0.75
    favourable = classed.filter(story="favourable_low")
    assert favourable["residual"].max() < resilient["residual"].min()
    below = favourable.filter(pl.col("observed_result") < pl.col("region_result"))
    assert (below["context_class"] == "favourable_low").mean() > 0.5
    assert not set(favourable["context_class"]) & {"resilient", "leader", "adverse_low"}


def test_conditions_of_a_near_year_are_named(demo_region: Region) -> None:
    context = _mart(demo_region, "school_context")
    near = context.filter(academic_year="2020-2021").drop_nulls("expected_result")
    assert near.height > 30
    assert set(near["context_year"]) == {"2021-2022"}
    assert near["note_ru"].str.starts_with("условия за 2021/22").all()


def test_stability_is_known_where_there_is_a_year_before(demo_region: Region) -> None:
    rows = _mart(demo_region, "cluster_stability").filter(comparison="years", scheme="territory_band")
    assert rows.sort("academic_year")["adjusted_rand"].is_null().to_list() == [True, False, False]


def test_quality_is_published_for_every_year_with_an_expectation(demo_region: Region) -> None:
    context, model = _mart(demo_region, "school_context"), _mart(demo_region, "context_model")
    years = set(context.drop_nulls("expected_result")["academic_year"])
    for statistic in ("r_squared", "cv_rmse", "cv_explained_pct", "between_schools_sd"):
        published = model.filter(statistic=statistic, is_official=True).drop_nulls("value")
        assert set(published["academic_year"]) == years
        assert published["n"].min() >= 30
