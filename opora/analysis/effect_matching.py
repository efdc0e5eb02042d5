"""Similar schools: who is compared with whom, and how alike the two sides came out.

What belongs here: settings of the search, nearest neighbours within a caliper, the balance of covariates. What does
not: where covariates come from and what is then compared (`effect_model.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

Vector = NDArray[np.float64]

MATCHED = pl.Schema({"start_year": pl.Int64(), "treated_id": pl.String(), "comparison_id": pl.String()})


@dataclass(frozen=True)
class Cohort:
    """Schools of a group by one list, and schools outside among which similar ones are looked for."""

    year: int
    treated: frozenset[str]
    pool: frozenset[str]


@dataclass(frozen=True)
class Search:
    """How similar schools are looked for. `results` are covariates that the caliper holds for."""

    covariates: tuple[str, ...]
    results: tuple[str, ...]
    neighbours: int
    caliper: float
    same_settlement: bool
    least_pool: int

    def but(self, **changed: int | float | bool) -> Search:
        return replace(self, **changed)  # type: ignore[arg-type]


def match(cohort: Cohort, known: pl.DataFrame, search: Search) -> pl.DataFrame:
    """The nearest schools of the pool for every treated one that has any within the caliper (`MATCHED`).

    `known`: a row a school with the covariates of the year. Differences are counted in standard deviations within
    treated and pool, as in `balance`; the caliper holds for each earlier result by itself. A school may serve several.
    """
    rows = known.filter(pl.col("school_id").is_in(cohort.treated | cohort.pool)).sort("school_id")
    found = []
    is_treated = pl.col("school_id").is_in(cohort.treated)
    scaled = rows.select("school_id", *[_scaled(name, is_treated) for name in search.covariates])
    for treated, pool in _strata(rows, cohort, search):
        for school, others in _nearest(scaled, treated, pool, search):
            found += [(cohort.year, school, other) for other in others]
    return pl.DataFrame(found, schema=MATCHED, orient="row").sort(MATCHED.names())


def _strata(rows: pl.DataFrame, cohort: Cohort, search: Search) -> list[tuple[pl.Series, pl.Series]]:
    """Treated and pool by town and village, where the pool of that kind is large enough; else together."""
    is_treated = pl.col("school_id").is_in(cohort.treated)
    pool = rows.filter(~is_treated)
    strata = []
    for _, treated in rows.filter(is_treated).group_by("urban", maintain_order=True):
        same = pool.filter(pl.col("urban") == treated["urban"][0])
        is_enough = search.same_settlement and same.height >= search.least_pool
        strata.append((treated["school_id"], (same if is_enough else pool)["school_id"]))
    return strata


def _nearest(scaled: pl.DataFrame, treated: pl.Series, pool: pl.Series, search: Search) -> list[tuple[str, list[str]]]:
    from sklearn.neighbors import NearestNeighbors

    if treated.is_empty() or pool.is_empty():
        return []
    ours, theirs = (scaled.filter(pl.col("school_id").is_in(names.implode())) for names in (treated, pool))
    finder = NearestNeighbors(radius=search.caliper, metric="chebyshev").fit(theirs.select(search.results).to_numpy())
    within = finder.radius_neighbors(ours.select(search.results).to_numpy(), return_distance=False)
    mine, others = (frame.select(search.covariates).to_numpy() for frame in (ours, theirs))
    names = theirs["school_id"].to_list()
    found = []
    for school, point, near in zip(ours["school_id"], mine, within, strict=True):
        near = np.sort(near)  # so that equal distances are taken in the order of schools
        distance = ((others[near] - point) ** 2).sum(axis=1).round(9)  # equal ones differ in their last bits
        order = np.argsort(distance, kind="stable")[: search.neighbours]
        found.append((school, [names[i] for i in near[order]]))
    return found


def _scaled(name: str, is_treated: pl.Expr) -> pl.Expr:
    """In standard deviations; a covariate that does not differ tells nothing."""
    both = (pl.col(name).filter(is_treated).var(ddof=0) + pl.col(name).filter(~is_treated).var(ddof=0)) / 2
    return pl.when(both > 0).then(pl.col(name) / both.sqrt()).otherwise(0.0).alias(name)


SIDES = ("treated", "pool", "matched_treated", "matched_comparison")


def balance(
    cohorts: Sequence[Cohort], matched: pl.DataFrame, known: pl.DataFrame, covariates: Sequence[str]
) -> list[dict[str, str | float | None]]:
    """Means of covariates on four sides, and standardised differences before and after matching.

    `known`: year × school with covariates. A difference of means is counted in standard deviations of treated and pool,
    the same before and after, so that matching cannot look better by making groups wider.
    """
    weights = pl.concat([*_members(cohorts), *_matched_members(matched)])
    rows = weights.join(known, on=["start_year", "school_id"]).sort("side", "start_year", "school_id")
    sides = {side: rows.filter(side=side) for side in SIDES}
    found = []
    for name in covariates:
        means = {side: _mean(part, name) for side, part in sides.items()}
        variances = [
            float(np.var(sides[side][name].to_numpy())) if means[side] is not None else 0.0 for side in SIDES[:2]
        ]
        deviation = float(np.sqrt(np.mean(variances)))
        found.append(
            {"covariate_id": name}
            | {f"{side}_mean": mean for side, mean in means.items()}
            | {
                "difference_before": _difference(means["treated"], means["pool"], deviation),
                "difference_after": _difference(means["matched_treated"], means["matched_comparison"], deviation),
            }
        )
    return found


def _members(cohorts: Sequence[Cohort]) -> list[pl.DataFrame]:
    return [
        pl.DataFrame({"school_id": sorted(schools)}).select(
            pl.lit(cohort.year, pl.Int64).alias("start_year"), "school_id", weight=pl.lit(1.0), side=pl.lit(side)
        )
        for cohort in cohorts
        for side, schools in (("treated", cohort.treated), ("pool", cohort.pool))
        if schools
    ]


def _matched_members(matched: pl.DataFrame) -> list[pl.DataFrame]:
    """Every treated school once, its similar schools sharing one weight between them."""
    pairs = matched.with_columns(weight=1 / pl.len().over("start_year", "treated_id"))
    treated = pairs.select("start_year", school_id="treated_id").unique().with_columns(weight=pl.lit(1.0))
    similar = pairs.group_by("start_year", school_id="comparison_id").agg(pl.col("weight").sum())
    return [
        side.select("start_year", "school_id", "weight", side=pl.lit(name))
        for name, side in (("matched_treated", treated), ("matched_comparison", similar))
    ]


def _mean(rows: pl.DataFrame, name: str) -> float | None:
    return None if rows.is_empty() else float(np.average(rows[name].to_numpy(), weights=rows["weight"].to_numpy()))


def _difference(mine: float | None, other: float | None, deviation: float) -> float | None:
    if mine is None or other is None:
        return None
    return (mine - other) / deviation if deviation > 0 else 0.0
