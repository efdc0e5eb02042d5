"""The frame of analyses, and partial pooling against SciPy's own distribution."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from opora.analysis import ANALYSES
from opora.analysis.base import Analysis, AnalysisError, run_analysis
from opora.analysis.pooling import PoolingFacts, Prior, fit_prior, pool, probability_at_least
from opora.facts import read_file
from opora.inputs import NoBuild, done, note_inputs
from schemas.arrow import polars_schema
from schemas.registry import tables

FACTS = read_file("analysis/pooling.yaml", PoolingFacts)
THRESHOLDS = pl.DataFrame({"method_id": ["m"], "low_share_numerator": [30], "low_share_denominator": [100]})


def results(below: list[int], participants: list[int]) -> pl.DataFrame:
    """One procedure of one year, a school a row."""
    return pl.DataFrame(
        {
            "method_id": "m",
            "academic_year": "2022-2023",
            "procedure_id": "vpr_5_russian",
            "school_id": [f"s{number:03}" for number in range(len(below))],
            "participants": participants,
            "below_minimum": below,
            "unknown_count": 0,
        }
    )


def region(schools: int = 200, seed: int = 1) -> pl.DataFrame:
    """True shares from Beta(4, 12), sizes from 1 to 60."""
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 60, schools)
    return results(random.binomial(sizes, random.beta(4, 12, schools)).tolist(), sizes.tolist())


# --- the frame ---------------------------------------------------------------------------------------


def test_every_table_of_the_layer_is_written_by_one_analysis() -> None:
    written = [name for analysis in ANALYSES for name in analysis.writes]
    assert sorted(written) == sorted(table.table for table in tables("analysis"))


def test_an_analysis_reads_only_what_is_there_before_it() -> None:
    done: set[str] = set()
    for analysis in ANALYSES:
        wanted = {name.removeprefix("analysis.") for name in analysis.reads if name.startswith("analysis.")}
        assert wanted <= done, f"{analysis.name} reads {sorted(wanted - done)} too early"
        done |= set(analysis.writes)


def test_what_the_registry_does_not_allow_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    database = tmp_path / "x.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema analysis; create table analysis.pooled_result as select 1 as former")
    wrong = pool(region(40), THRESHOLDS, FACTS).with_columns(pooled_share=pl.lit(2.0))
    analysis = Analysis("pooling", "—", (), ("pooled_result",), lambda frames: {"pooled_result": wrong})
    with pytest.raises(AnalysisError, match="pooled_share: value_out_of_range"):
        run_analysis(database, analysis)
    with duckdb.connect(str(database), read_only=True) as connection:
        assert connection.execute("from analysis.pooled_result").fetchall() == [(1,)]


def test_what_rounding_alone_puts_beyond_the_end_of_a_column_is_put_back_on_it(tmp_path: Path) -> None:
    database = tmp_path / "x.duckdb"
    right = pool(region(40), THRESHOLDS, FACTS)
    ends = pl.Series("pooled_share", [1.0000000000000002, -5e-17, 0.25] + [0.5] * (right.height - 3))
    found = right.sort("school_id").with_columns(ends)
    names = ", ".join(found.columns)
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"create schema analysis; create table analysis.pooled_result as select {names} from found")
    run_analysis(database, Analysis("pooling", "—", (), ("pooled_result",), lambda frames: {"pooled_result": found}))
    with duckdb.connect(str(database), read_only=True) as connection:
        shares = connection.execute("select pooled_share from analysis.pooled_result order by school_id").fetchall()
    assert [share for (share,) in shares[:3]] == [1.0, 0.0, 0.25]


def test_an_analysis_that_was_made_is_noted_beside_its_build_until_that_is_laid_out_anew(tmp_path: Path) -> None:
    database = tmp_path / "x.duckdb"
    analysis = Analysis("pooling", "—", (), ("pooled_result",), lambda frames: {"pooled_result": rows})
    rows = pool(region(40), THRESHOLDS, FACTS)
    with pytest.raises(NoBuild):
        run_analysis(database, analysis)
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema analysis; create table analysis.pooled_result as from rows")
    assert done(database) == []
    run_analysis(database, analysis)
    assert done(database) == ["pooling"]
    note_inputs(database, {})
    assert done(database) == []


# --- partial pooling ---------------------------------------------------------------------------------


def test_the_fit_finds_the_distribution_the_counts_came_from() -> None:
    rows = region(4000)
    prior = fit_prior(rows["below_minimum"].to_numpy(), rows["participants"].to_numpy(), 1000)
    assert prior.mean == pytest.approx(0.25, abs=0.01)
    assert prior.weight == pytest.approx(16, rel=0.15)


def test_no_other_prior_is_more_likely_by_scipys_own_distribution() -> None:
    rows = region()
    below, participants = rows["below_minimum"].to_numpy(), rows["participants"].to_numpy()

    def likelihood(prior: Prior) -> float:
        alpha, beta = prior.mean * prior.weight, (1 - prior.mean) * prior.weight
        return float(stats.betabinom.logpmf(below, participants, alpha, beta).sum())

    found = fit_prior(below, participants, 1000)
    others = [Prior(found.mean * a, found.weight * b) for a in (0.95, 1, 1.05) for b in (0.9, 1, 1.1)]
    assert likelihood(found) == pytest.approx(max(likelihood(other) for other in others), abs=1e-3)


def test_the_fit_does_not_make_much_of_the_last_bits_of_its_sums() -> None:
    """Another order of schools is another order of summing up, as another processor is."""
    rows = region(300)
    below, participants = rows["below_minimum"].to_numpy(), rows["participants"].to_numpy()
    found = fit_prior(below, participants, 1000)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(below))
        again = fit_prior(below[order], participants[order], 1000)
        assert again.mean == pytest.approx(found.mean, rel=1e-11)
        assert again.weight == pytest.approx(found.weight, rel=1e-9)


def test_the_probability_is_that_of_the_beta_distribution() -> None:
    prior, below, participants = Prior(0.25, 16), np.array([0, 3, 20]), np.array([3, 10, 40])
    expected = stats.beta.sf(0.3, 4 + below, 12 + participants - below)
    assert probability_at_least(prior, below, participants, 0.3) == pytest.approx(expected, abs=1e-12)


def test_a_small_school_is_drawn_to_the_others_more_than_a_large_one() -> None:
    rows = pl.concat([region(), results([1, 40], [1, 40]).with_columns(school_id=pl.Series(["x-small", "x-large"]))])
    found = dict(pool(rows, THRESHOLDS, FACTS).select("school_id", "pooled_share").iter_rows())
    assert found["x-small"] < 0.35 < 0.7 < found["x-large"] < 1


def test_too_few_schools_give_nothing() -> None:
    assert pool(region(FACTS.minimum_schools.value - 1), THRESHOLDS, FACTS).is_empty()


def test_schools_that_differ_by_chance_alone_stop_at_the_largest_weight() -> None:
    rows = results([25] * 40, [100] * 40)
    assert pool(rows, THRESHOLDS, FACTS)["prior_weight"][0] == pytest.approx(FACTS.largest_prior_weight.value)


@settings(max_examples=25)
@given(st.randoms(use_true_random=False))
def test_the_order_of_schools_changes_nothing(random: object) -> None:
    rows = region(60)
    order = list(range(rows.height))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert pool(rows[order], THRESHOLDS, FACTS).equals(pool(rows, THRESHOLDS, FACTS))


def test_the_columns_are_those_of_the_registry() -> None:
    assert pool(region(), THRESHOLDS, FACTS).schema == polars_schema("pooled_result")
