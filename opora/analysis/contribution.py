"""The contribution of a school to the quality of the region: named methods, one of them official.

What belongs here: the two formulas and the choice between them. What does not: results and expectations themselves,
and which method is official (`reference/analysis/contribution.yaml`).
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from opora.analysis.base import Analysis, Frames, registry_frame
from opora.facts import Cited, Setting, read_file

MethodName = Literal["region_difference", "expectation_difference"]


class ContributionFacts(Cited):
    """Which method of contribution is official."""

    official_method: Setting[MethodName]


METHODS: dict[MethodName, str] = {"region_difference": "region_result", "expectation_difference": "expected_result"}
"""A method names what the result of a school is compared with."""


def contributions(expectation: pl.DataFrame, facts: ContributionFacts) -> pl.DataFrame:
    """Share of the region's participants × (result − what the method compares it with), in percentage points.

    `expectation`: rows of the official model, a school a row. Only schools that are compared and have a result take
    part, so contributions against the region add up to zero in every region and year.
    """
    by_region = ["academic_year", "region_code"]
    share = pl.col("participants") / pl.col("participants").sum().over(by_region)
    counted = expectation.filter("is_compared", pl.col("observed_result").is_not_null())
    return registry_frame(
        "contribution",
        [
            counted.select(
                *by_region,
                "school_id",
                method=pl.lit(method),
                participants_share=share,
                value=share * (pl.col("observed_result") - pl.col(against)),
                is_official=pl.lit(method == facts.official_method.value),
            )
            for method, against in METHODS.items()
        ],
    )


def _compute(frames: Frames) -> Frames:
    schools = frames["intermediate.int_context_school"]
    compared = schools.select("academic_year", "school_id", is_compared="is_in_population")
    official = frames["analysis.expectation"].filter("is_official").join(compared, on=["academic_year", "school_id"])
    facts = read_file("analysis/contribution.yaml", ContributionFacts)
    return {"contribution": contributions(official, facts)}


CONTRIBUTION = Analysis(
    name="contribution",
    title_ru="Вклад школы в качество образования региона",
    reads=("intermediate.int_context_school", "analysis.expectation"),
    writes=("contribution",),
    compute=_compute,
)
