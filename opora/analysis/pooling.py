"""Partial pooling: what the results of all schools say about a school with few participants.

What belongs here: the beta-binomial fit of one procedure of one year over its schools, and the posterior of each
school. What does not: the formal flag, which it never alters, and the annual interval (dbt, `int_procedure_outcome`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from opora.analysis.base import Analysis, Frames
from opora.facts import Cited, Setting, read_file
from schemas.arrow import polars_schema

Counts = NDArray[np.int64]


class PoolingFacts(Cited):
    """Settings of partial pooling: when a fit is refused, and how far it may go."""

    minimum_schools: Setting[int]
    largest_prior_weight: Setting[int]


@dataclass(frozen=True)
class Prior:
    """A beta distribution of the true shares of schools: its mean and its weight in participants."""

    mean: float
    weight: float


def fit_prior(below: Counts, participants: Counts, largest_weight: float) -> Prior:
    """The beta prior that makes the counts of all schools most likely under the beta-binomial distribution.

    Where schools differ no more than chance allows, likelihood grows with the weight without end: it stops at
    `largest_weight`. Source of the formula: empirical Bayes for the beta-binomial (Casella, 1985).
    """
    from scipy.optimize import minimize
    from scipy.special import betaln, digamma, expit, logit

    def loss(point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        mean, weight = expit(point[0]), np.exp(point[1])
        alpha, beta = mean * weight, (1 - mean) * weight
        passed = participants - below
        likelihood = np.sum(betaln(alpha + below, beta + passed) - betaln(alpha, beta))
        both = digamma(weight) - digamma(weight + participants)
        by_alpha = np.sum(digamma(alpha + below) - digamma(alpha) + both)
        by_beta = np.sum(digamma(beta + passed) - digamma(beta) + both)
        by_mean = weight * mean * (1 - mean) * (by_alpha - by_beta)
        return -float(likelihood), -np.array([by_mean, alpha * by_alpha + beta * by_beta])

    pooled = (below.sum() + 0.5) / (participants.sum() + 1)  # half a pupil keeps the start off the ends
    bounds = [(-12.0, 12.0), (np.log(0.5), np.log(largest_weight))]
    # with its gradient: one by differences would make of the last bit of a sum, which is the machine's, a seventh digit
    start, most = [logit(pooled), np.log(10.0)], {"ftol": 1e-14, "gtol": 1e-10}
    fitted = minimize(loss, x0=start, jac=True, bounds=bounds, method="L-BFGS-B", options=most)
    return Prior(mean=float(expit(fitted.x[0])), weight=float(np.exp(fitted.x[1])))


def probability_at_least(prior: Prior, below: Counts, participants: Counts, share: float) -> NDArray[np.float64]:
    """P(true share ≥ `share` | counts) of each school under the prior of all schools."""
    from scipy.special import betainc

    alpha = prior.mean * prior.weight + below
    beta = (1 - prior.mean) * prior.weight + participants - below
    return np.asarray(1 - betainc(alpha, beta, share), dtype=float)


# What `pool` needs of results.
_COLUMNS = (
    *("method_id", "academic_year", "procedure_id", "school_id"),
    *("participants", "below_minimum", "unknown_count"),
)


def pool(results: pl.DataFrame, thresholds: pl.DataFrame, facts: PoolingFacts) -> pl.DataFrame:
    """Pooled probabilities and shares of every school × procedure × year whose schools are enough for a fit.

    `results`: method_id, academic_year, procedure_id, school_id, participants, below_minimum, unknown_count;
    `thresholds`: method_id, low_share_numerator, low_share_denominator. Schools with unknown results take no part.
    """
    known = results.filter(pl.col("unknown_count") == 0).join(thresholds, on="method_id").sort("school_id")
    groups = known.group_by("method_id", "academic_year", "procedure_id", maintain_order=True)
    parts = [part for _, rows in groups for part in _pooled(rows, facts)]
    schema = polars_schema("pooled_result")
    return pl.concat([pl.DataFrame(schema=schema), *parts]).sort(schema.names()[:4])


def _pooled(rows: pl.DataFrame, facts: PoolingFacts) -> Iterator[pl.DataFrame]:
    if rows.height < facts.minimum_schools.value:
        return
    below, participants = rows["below_minimum"].to_numpy(), rows["participants"].to_numpy()
    prior = fit_prior(below, participants, facts.largest_prior_weight.value)
    share = rows["low_share_numerator"][0] / rows["low_share_denominator"][0]
    shrunk = (prior.mean * prior.weight + below) / (prior.weight + participants)
    columns = {
        "pooled_share": shrunk,
        "pooled_probability_low": probability_at_least(prior, below, participants, share),
        "prior_mean": np.full(rows.height, prior.mean),
        "prior_weight": np.full(rows.height, prior.weight),
        "schools_in_fit": np.full(rows.height, rows.height, dtype=np.int64),
    }
    keys = rows.select("method_id", "academic_year", "school_id", "procedure_id")
    yield keys.with_columns(**{name: pl.Series(values) for name, values in columns.items()})


def _compute(frames: Frames) -> Frames:
    facts = read_file("analysis/pooling.yaml", PoolingFacts)
    methods = frames["reference.method"].filter("is_official")  # what others would decide is compared without fits
    thresholds = methods.select("method_id", "low_share_numerator", "low_share_denominator")
    return {"pooled_result": pool(frames["intermediate.int_procedure_outcome"], thresholds, facts)}


POOLING = Analysis(
    name="pooling",
    title_ru="Частичное объединение: вероятность низкого результата с учётом всех школ",
    reads=("intermediate.int_procedure_outcome", "reference.method"),
    writes=("pooled_result",),
    compute=_compute,
    columns={"intermediate.int_procedure_outcome": _COLUMNS},
)
