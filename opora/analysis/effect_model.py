"""The model behind a comparison of supported schools with similar ones: what is compared, and how it is reckoned.

What belongs here: settings, results and conditions of schools, the difference of changes with its interval, what of it
is regression to the mean. What does not: how similar schools are found (`effect_matching.py`), groups, sham support,
tables and words (`effect.py`).

A year is its first calendar year here. Negative is better: the share below the minimum fell more than at similar ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from opora.analysis.effect_matching import Search
from opora.analysis.pooling import fit_prior
from opora.facts import Cited, Fact, Setting

Vector = NDArray[np.float64]


# --- settings ----------------------------------------------------------------------------------------


class Outcome(Fact):
    outcome_id: str
    label_ru: str
    subjects: tuple[str, ...]


class Covariate(Fact):
    covariate_id: Literal["last", "before", "size", "conditions", "urban", "senior"]
    label_ru: str
    is_result: bool


class Notes(Fact):
    """What may and may not be said, by what is so of a row."""

    always: str
    by_rule: str
    computed_list: str
    repeated: str
    later_listed: str
    unbalanced: str
    partly_matched: str
    placebo_failed: str
    placebo_absent: str
    break_between: str


class EffectFacts(Cited):
    """Settings of the comparison: how many schools it takes, how similar they have to be, what is compared."""

    is_enabled: Setting[bool]
    minimum_schools: Setting[int]
    minimum_treated: Setting[int]
    minimum_comparison: Setting[int]
    neighbours: Setting[int]
    caliper: Setting[float]
    same_settlement: Setting[bool]
    balance_limit: Setting[float]
    confidence: Setting[float]
    sham_low_procedures: Setting[int]
    outcomes: tuple[Outcome, ...]
    covariates: tuple[Covariate, ...]
    notes: Notes

    @property
    def search(self) -> Search:
        return Search(
            covariates=tuple(covariate.covariate_id for covariate in self.covariates),
            results=tuple(covariate.covariate_id for covariate in self.covariates if covariate.is_result),
            neighbours=self.neighbours.value,
            caliper=self.caliper.value,
            same_settlement=self.same_settlement.value,
            least_pool=self.minimum_comparison.value,
        )

    @property
    def other_searches(self) -> list[Search]:
        """The search with one setting at a time taken from its alternatives: how far an answer hangs on it."""
        return [
            self.search.but(**{name: value})
            for name in ("neighbours", "caliper", "same_settlement")
            for value in getattr(self, name).alternatives
        ]


# --- results of schools ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Region:
    """Results and lasting conditions of all schools, and what is derived from them for a year or a pair of years."""

    history: pl.DataFrame
    traits: pl.DataFrame
    largest_prior_weight: float
    _covariates: dict[int, pl.DataFrame] = field(default_factory=dict)
    _changes: dict[tuple[str, int, int], pl.DataFrame] = field(default_factory=dict)

    def has(self, *years: int) -> bool:
        return set(years) <= set(self.history["start_year"].unique())

    def covariates(self, year: int) -> pl.DataFrame:
        """A row a school held in the year before the list of `year`: earlier results and lasting conditions."""
        if year not in self._covariates:
            last, before = self._standing(year - 1), self._standing(year - 2)
            held = self.history.filter(pl.col("start_year") == year - 1).group_by("school_id")
            rows = held.agg(
                size=pl.col("participants").sum().log(),
                senior=(pl.col("grade") > 9).any().cast(pl.Float64),
                low_count=pl.col("is_low").sum(),
                is_excluded=pl.col("is_excluded").any(),
            )
            joined = rows.join(last.rename({"relative": "last"}), on="school_id")
            joined = joined.join(before.rename({"relative": "before"}), on="school_id", how="left")
            joined = joined.join(self.traits, on="school_id", how="left")
            self._covariates[year] = joined.with_columns(
                start_year=pl.lit(year, pl.Int64),
                before=pl.col("before").fill_null(0.0),
                urban=pl.col("urban").fill_null(0.5),
                conditions=pl.col("conditions").fill_null(0.5),
            ).sort("school_id")
        return self._covariates[year]

    def _standing(self, year: int) -> pl.DataFrame:
        """How far a school stands from the region that year: logit of its pooled share less that of all schools."""
        totals = (
            self.history.filter(pl.col("start_year") == year)
            .group_by("school_id")
            .agg(n=pl.col("participants").sum(), k=pl.col("below_minimum").sum())
            .sort("school_id")
        )
        if totals.is_empty():
            return pl.DataFrame(schema={"school_id": pl.String, "relative": pl.Float64})
        prior = fit_prior(totals["k"].to_numpy(), totals["n"].to_numpy(), self.largest_prior_weight)
        share = (prior.mean * prior.weight + pl.col("k")) / (prior.weight + pl.col("n"))
        middle = float(np.log(prior.mean / (1 - prior.mean)))
        return totals.select("school_id", relative=(share / (1 - share)).log() - middle)

    def changes(self, outcome: Outcome, before: int, after: int) -> pl.DataFrame:
        """Participants and those below the minimum in both years, over the procedures that a school held in both.

        `expected`: the share of the year before, drawn to that of all schools as far as its participants are few: what
        the school would show again by regression to the mean alone.
        """
        key = (outcome.outcome_id, before, after)
        if key not in self._changes:
            told = self.history.filter(pl.col("subject").is_in(outcome.subjects))
            first, second = (told.filter(pl.col("start_year") == year) for year in (before, after))
            both = first.join(second, on=["school_id", "procedure_id"], suffix="_after")
            totals = (
                both.group_by("school_id")
                .agg(
                    n0=pl.col("participants").sum(),
                    k0=pl.col("below_minimum").sum(),
                    n1=pl.col("participants_after").sum(),
                    k1=pl.col("below_minimum_after").sum(),
                )
                .sort("school_id")
            )
            # of no schools nothing is learnt, and there is no row to use it for
            prior = fit_prior(totals["k0"].to_numpy(), totals["n0"].to_numpy(), self.largest_prior_weight)
            expected = (prior.mean * prior.weight + pl.col("k0")) / (prior.weight + pl.col("n0"))
            self._changes[key] = totals.with_columns(expected=expected)
        return self._changes[key]


# --- the comparison ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """Shares of both sides, the difference of their changes, and the same less regression to the mean."""

    matched: int
    similar: int
    participants: int
    shares: tuple[float, float, float, float]  # treated before, after; comparison before, after
    expected: tuple[float, float]  # what regression alone would give after: treated, comparison
    difference: tuple[float, float, float]  # with its bounds
    net: tuple[float, float, float]


def units(pairs: pl.DataFrame, changes: Mapping[int, pl.DataFrame]) -> pl.DataFrame:
    """Every school of the comparison with its shares and weights; pairs that lack a year are left out.

    A treated school weighs its participants of the year. Its similar schools together weigh as many, shared between
    them by their own participants: so shares are pooled, and both sides have the same mix of sizes and lists.
    """
    told = pl.concat([frame.with_columns(start_year=pl.lit(year, pl.Int64)) for year, frame in sorted(changes.items())])
    both = pairs.join(told, left_on=["start_year", "treated_id"], right_on=["start_year", "school_id"]).join(
        told, left_on=["start_year", "comparison_id"], right_on=["start_year", "school_id"], suffix="_of"
    )
    keys = ["start_year", "treated_id"]
    shared = both.with_columns(
        **{f"w{i}": pl.col(f"n{i}") * pl.col(f"n{i}_of") / pl.col(f"n{i}_of").sum().over(keys) for i in (0, 1)}
    )
    treated = (
        shared.group_by(keys)
        .agg(pl.col("n0", "k0", "n1", "k1", "expected").first())
        .with_columns(w0=pl.col("n0").cast(pl.Float64), w1=pl.col("n1").cast(pl.Float64), is_treated=pl.lit(True))
    )
    similar = (
        shared.group_by("start_year", "comparison_id")
        .agg(
            pl.col("w0", "w1").sum(),
            *[pl.col(f"{name}_of").first().alias(name) for name in ("n0", "k0", "n1", "k1", "expected")],
        )
        .with_columns(is_treated=pl.lit(False))
    )
    columns = ["start_year", "school_id", "is_treated", "n0", "k0", "n1", "k1", "expected", "w0", "w1"]
    sides = [treated.rename({"treated_id": "school_id"}), similar.rename({"comparison_id": "school_id"})]
    return pl.concat([side.select(columns) for side in sides]).sort(columns[:3])


def compare(rows: pl.DataFrame, confidence: float) -> Comparison:
    """The difference of changes by a weighted regression of shares on group, year and both; errors robust by school."""
    treated, similar = rows.filter("is_treated"), rows.filter(~pl.col("is_treated"))
    first, second = pl.col("k0") / pl.col("n0"), pl.col("k1") / pl.col("n1")

    def share(side: pl.DataFrame, value: pl.Expr, weight: str) -> float:
        found = side.select((value * pl.col(weight)).sum() / pl.col(weight).sum()).item()
        return float(found)

    return Comparison(
        matched=treated.height,
        similar=similar["school_id"].n_unique(),
        participants=int(treated["n1"].sum()),
        shares=(
            share(treated, first, "w0"),
            share(treated, second, "w1"),
            share(similar, first, "w0"),
            share(similar, second, "w1"),
        ),
        expected=(share(treated, pl.col("expected"), "w0"), share(similar, pl.col("expected"), "w0")),
        difference=_difference_in_differences(rows, first, second, confidence),
        net=_difference_in_differences(rows, pl.col("expected"), second, confidence),
    )


def _difference_in_differences(
    rows: pl.DataFrame, before: pl.Expr, after: pl.Expr, confidence: float
) -> tuple[float, float, float]:
    import statsmodels.api as sm

    values = rows.select(before=before, after=after)
    y = np.concatenate([values["before"].to_numpy(), values["after"].to_numpy()])
    weights = np.concatenate([rows["w0"].to_numpy(), rows["w1"].to_numpy()])
    group = np.tile(rows["is_treated"].to_numpy().astype(float), 2)
    late = np.repeat([0.0, 1.0], rows.height)
    schools = rows["school_id"].rank("dense").to_numpy()
    design = np.column_stack([np.ones(len(y)), group, late, group * late])
    fit = sm.WLS(y, design, weights=weights).fit(
        cov_type="cluster", cov_kwds={"groups": np.tile(schools, 2)}, use_t=True
    )
    low, high = fit.conf_int(1 - confidence)[3]
    return float(fit.params[3]), float(low), float(high)
