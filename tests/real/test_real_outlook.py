"""The outlook on open results of another place: five years of forecasts, one of them across a raised bar.

New York City, mathematics, grades 3 to 8, 2006 to 2011: share below level 3. Skipped where the data is absent.
"""

from __future__ import annotations

import duckdb
import polars as pl
import pytest

from opora.analysis.outlook import quality
from opora.analysis.outlook_model import OutlookFacts, Threshold, backtest, standings
from opora.analysis.pooling import PoolingFacts, pool
from opora.facts import read_file
from schemas.arrow import polars_schema
from tests.conftest import REAL_DATA

RESULTS = next(REAL_DATA.glob("*/math_test_results.csv.gz"), None)
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(RESULTS is None, reason=f"no results of New York City under {REAL_DATA}; set OPORA_REAL_DATA"),
]
FACTS = read_file("analysis/outlook.yaml", OutlookFacts)
RAISED = "2010-2011"  # results of the calendar year in which the cut scores were raised


@pytest.fixture(scope="module")
def known() -> pl.DataFrame:
    results = duckdb.sql(
        f"""
        select
            'm' as method_id,
            "Year" || '-' || (cast("Year" as integer) + 1) as academic_year,
            cast("Year" as integer) as start_year,
            "DBN" as school_id,
            'nys_' || "Grade" || '_mathematics' as procedure_id,
            cast("Grade" as integer) as grade,
            'mathematics' as subject,
            cast("Number Tested" as bigint) as participants,
            cast("Level 1 #" as bigint) + cast("Level 2 #" as bigint) as below_minimum
        from read_csv('{RESULTS}', all_varchar = true)
        where "Grade" <> 'All Grades' and regexp_full_match("Level 1 #", '[0-9]+')
        """
    ).pl()
    results = results.with_columns(is_low=pl.col("below_minimum") * 100 >= 30 * pl.col("participants"))
    thresholds = pl.DataFrame({"method_id": ["m"], "low_share_numerator": [30], "low_share_denominator": [100]})
    pooled = pool(results.with_columns(unknown_count=0), thresholds, read_file("analysis/pooling.yaml", PoolingFacts))
    traits = results.select("school_id").unique().with_columns(school_type=pl.lit("secondary"), is_urban=pl.lit(True))
    return standings(results, pooled, traits, pl.DataFrame(schema=polars_schema("context_index")), FACTS)


def test_the_level_moves_as_much_as_the_settings_say_but_for_the_raised_bar(known: pl.DataFrame) -> None:
    levels = known.select("start_year", "procedure_id", "level").unique().sort("procedure_id", "start_year")
    steps = levels.with_columns(step=(pl.col("level") - pl.col("level").shift(1)).over("procedure_id")).drop_nulls()
    sizes = dict(steps.group_by("start_year").agg((pl.col("step") ** 2).mean().sqrt()).iter_rows())
    assert all(0.37 <= round(sizes[year], 2) <= 0.43 for year in (2007, 2008, 2009))
    assert FACTS.level_uncertainty.value == pytest.approx(0.4)
    assert sizes[2010] > 1.4


def test_it_beats_both_simple_rules_but_not_across_a_raised_bar(known: pl.DataFrame) -> None:
    judged = backtest(known, Threshold(30, 100), FACTS)

    def scores(rows: pl.DataFrame) -> dict[str, dict[str, float]]:
        whole = quality(rows, {}, FACTS).filter(group_kind="all", judged_year="all")
        return {row["predictor"]: row for row in whole.to_dicts()}

    plain = scores(judged.filter(pl.col("judged_year") != RAISED))
    assert plain["probability_low"]["pairs_count"] == 14_039
    assert plain["last_flag"]["brier_gain_lower"] > 0.02
    assert plain["region_rate"]["brier_gain_lower"] > 0.02
    assert plain["last_flag"]["log_loss_gain_lower"] > 0.05
    assert plain["probability_low"]["roc_auc"] > 0.95
    broken = scores(judged.filter(pl.col("judged_year") == RAISED))
    assert broken["probability_low"]["log_loss"] > broken["region_rate"]["log_loss"]
