"""The model of the outlook: what earlier years say about a school, and how likely a low result is in the next one.

What belongs here: settings, features, the fit of the next year's share, the probability, the simple rules it has to
beat, and forecasts for past years. What does not: scores (`scoring.py`), when a forecast is shown and the tables
(`outlook.py`).

A year is its first calendar year here. Nothing of a year is used to forecast that year: a fit sees the years up to the
one before, and the level of the region is carried forward as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from opora.facts import Cited, Fact, Setting

Vector = NDArray[np.float64]
Counts = NDArray[np.int64]
Measure = Literal["brier", "log_loss"]

KEYS = ["school_id", "procedure_id"]
MODEL = "probability_low"
BASELINES = ("last_flag", "region_rate")


# --- settings ----------------------------------------------------------------------------------------


class Feature(Fact):
    """What a forecast rests on, and its words. `is_monotone`: more of it never makes a low result less likely."""

    feature_id: Literal["own", "others", "before", "conditions", "size", "urban", "advanced", "basic"]
    label_ru: str
    is_monotone: bool = False


class TypeGroup(Fact):
    group_id: str
    label_ru: str
    school_types: tuple[str, ...]


class SizeBand(Fact):
    group_id: str
    label_ru: str
    participants_from: int
    participants_to: int | None


class OutlookFacts(Cited):
    """Settings of the outlook: what it rests on, when it is shown, by which groups it is checked."""

    model_id: str
    is_enabled: Setting[bool]
    must_beat: Setting[tuple[Measure, ...]]
    minimum_schools: Setting[int]
    ridge: Setting[float]
    level_uncertainty: Setting[float]
    confidence: Setting[float]
    bootstrap_samples: Setting[int]
    seed: Setting[int]
    driver_threshold: Setting[float]
    minimum_group: Setting[int]
    features: tuple[Feature, ...]
    type_groups: tuple[TypeGroup, ...]
    size_bands: tuple[SizeBand, ...]
    probability_bins: tuple[float, ...]


# --- what is known -----------------------------------------------------------------------------------


def standings(
    results: pl.DataFrame, pooled: pl.DataFrame, traits: pl.DataFrame, context: pl.DataFrame, facts: OutlookFacts
) -> pl.DataFrame:
    """Results of years with enough schools, each with how far the school stands from the region.

    `level` is the region's logit share of the procedure that year, `relative` the school's pooled logit share less it:
    the fewer the participants, the nearer to 0.
    """
    keys = ["method_id", "academic_year", *KEYS]
    shares = pooled.select(*keys, "pooled_share", "prior_mean")
    known = results.join(shares, on=keys).with_columns(
        level=_logit("prior_mean"), relative=_logit("pooled_share") - _logit("prior_mean")
    )
    enough = pl.col("school_id").n_unique().over("start_year") >= facts.minimum_schools.value
    about = lasting(traits, context, facts)
    return known.filter(enough).join(about, on="school_id", how="left").sort("start_year", *KEYS)


def lasting(traits: pl.DataFrame, context: pl.DataFrame, facts: OutlookFacts) -> pl.DataFrame:
    """What lasts about a school: town or village, kind, its latest official index of conditions. No result is in it."""
    types = {kind: group.group_id for group in facts.type_groups for kind in group.school_types}
    other = next((group.group_id for group in facts.type_groups if not group.school_types), "other")
    # weights of a regression on results would let the forecast see what it is to tell
    index = context.filter(pl.col("is_official") & (pl.col("method") != "regression_weights"))
    latest = index.drop_nulls("rank_share").sort("academic_year").group_by("school_id").agg(pl.col("rank_share").last())
    settlement = pl.when("is_urban").then(pl.lit("urban")).when(~pl.col("is_urban")).then(pl.lit("rural"))
    return traits.join(latest, on="school_id", how="left").select(
        "school_id",
        "rank_share",
        settlement=settlement,
        type_group=pl.col("school_type").replace_strict(types, default=other, return_dtype=pl.String),
    )


def _logit(column: str) -> pl.Expr:
    return (pl.col(column) / (1 - pl.col(column))).log()


def last_year_features(known: pl.DataFrame, year: int) -> pl.DataFrame:
    """Everything held in `year`, with what it and the year before it say about the year to come."""
    this = known.filter(pl.col("start_year") == year)
    before = known.filter(pl.col("start_year") == year - 1).group_by("school_id").agg(before=pl.col("relative").mean())
    school = pl.col("relative").sum().over("school_id") - pl.col("relative")
    others = pl.len().over("school_id") - 1
    return _with_conditions(
        this.with_columns(own="relative", others=pl.when(others > 0).then(school / others).otherwise(0.0))
        .join(before, on="school_id", how="left")
        .with_columns(pl.col("before").fill_null(0.0))
    )


def same_year_features(known: pl.DataFrame, year: int) -> pl.DataFrame:
    """Everything held in `year`, with what the school's *other children* showed in the same year.

    It stands in for a pair of years where there is only one: next year's class is another class too, so a procedure is
    told by those of other grades; of the same subject in place of its own earlier result, of other subjects beside it.
    What no other grade tells is left out.
    """
    this = known.filter(pl.col("start_year") == year)
    shown = this.select("school_id", "subject", "grade", "relative")
    pairs = this.select(*KEYS, "subject", "grade").join(shown, on="school_id", suffix="_other")
    of_others = (
        pairs.filter(pl.col("grade") != pl.col("grade_other"))
        .group_by(KEYS)
        .agg(
            own=pl.col("relative").filter(pl.col("subject") == pl.col("subject_other")).mean(),
            others=pl.col("relative").filter(pl.col("subject") != pl.col("subject_other")).mean(),
        )
    )
    told = this.join(of_others, on=KEYS).with_columns(pl.col("own", "others").fill_null(0.0), before=pl.lit(0.0))
    return _with_conditions(told).sort(KEYS)


def _with_conditions(rows: pl.DataFrame) -> pl.DataFrame:
    """What lasts about a school; what is not known of it stands in the middle."""
    settlement = pl.col("settlement")
    return rows.with_columns(
        conditions=(0.5 - pl.col("rank_share")).fill_null(0.0),
        size=(pl.col("participants") / 20).log(),
        urban=pl.when(settlement == "urban").then(0.5).when(settlement == "rural").then(-0.5).otherwise(0.0),
        advanced=(pl.col("type_group") == "advanced").cast(pl.Float64),
        basic=(pl.col("type_group") == "basic").cast(pl.Float64),
    )


@dataclass(frozen=True)
class Learnt:
    """What a fit may see: rows with features, the share they led to, and the flag they stood with."""

    rows: pl.DataFrame
    years: tuple[int, ...]
    kind: Literal["pairs_of_years", "same_year"]


def learnable(known: pl.DataFrame, until: int) -> Learnt:
    """Pairs of neighbouring years up to `until`; where there is none, the last year told by other children."""
    years = [year for year in known["start_year"].unique().sort().to_list() if year <= until]
    pairs = [(year, year + 1) for year in years if year + 1 in years]
    if pairs:
        rows = pl.concat([_pair(known, *pair) for pair in pairs])
        return Learnt(rows, tuple(sorted({year for pair in pairs for year in pair})), "pairs_of_years")
    return Learnt(same_year_features(known, until), (until,), "same_year")


def _pair(known: pl.DataFrame, earlier: int, later: int) -> pl.DataFrame:
    outcome = known.filter(pl.col("start_year") == later).select(
        *KEYS, "level", "participants", "below_minimum", "is_low"
    )
    told = last_year_features(known, earlier).rename({"is_low": "was_low"})
    return told.drop("level", "participants", "below_minimum").join(outcome, on=KEYS).sort(KEYS)


# --- the model ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Threshold:
    """The share from which a result is low, as a fraction of whole numbers."""

    numerator: int
    denominator: int

    def least(self, participants: Counts) -> Counts:
        """The smallest count that is low, in integers: the first k with k·denominator ≥ numerator·n."""
        return np.asarray(-(-participants * self.numerator // self.denominator), dtype=np.int64)


@dataclass(frozen=True)
class Model:
    """Expected logit share = level + intercept + coefficients · features; true shares scatter about it as a beta."""

    features: tuple[str, ...]
    intercept: float
    coefficients: Vector
    dispersion: float

    def logit_share(self, rows: pl.DataFrame) -> Vector:
        effect = rows.select(self.features).to_numpy() @ self.coefficients
        return np.asarray(rows["level"].to_numpy() + self.intercept + effect, dtype=float)


def fit_model(rows: pl.DataFrame, features: Sequence[Feature], ridge: float) -> Model:
    """The beta-binomial regression that makes the counts most likely, less a ridge penalty on its coefficients."""
    from scipy.optimize import minimize
    from scipy.special import betaln, digamma, expit

    names = tuple(feature.feature_id for feature in features)
    table = rows.select(names).to_numpy().astype(float)
    level, n, k = (rows[name].to_numpy().astype(float) for name in ("level", "participants", "below_minimum"))

    def loss(point: Vector) -> tuple[float, Vector]:
        slopes, weight = point[1:-1], np.exp(point[-1])
        mean = np.clip(expit(level + point[0] + table @ slopes), 1e-9, 1 - 1e-9)
        a, b = mean * weight, (1 - mean) * weight
        value = -np.sum(betaln(a + k, b + n - k) - betaln(a, b)) + ridge / 2 * slopes @ slopes
        both = digamma(weight) - digamma(weight + n)
        by_a, by_b = digamma(a + k) - digamma(a) + both, digamma(b + n - k) - digamma(b) + both
        by_logit = weight * (by_a - by_b) * mean * (1 - mean)
        by_weight = weight * np.sum(mean * by_a + (1 - mean) * by_b)
        gradient = [-np.sum(by_logit), *(ridge * slopes - table.T @ by_logit), -by_weight]
        return float(value), np.asarray(gradient)

    start = np.zeros(len(names) + 2)
    start[-1] = np.log(20.0)
    slopes = [(0.0 if feature.is_monotone else None, None) for feature in features]
    bounds = [(None, None), *slopes, (0.0, np.log(1000.0))]
    found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B").x
    return Model(names, float(found[0]), np.asarray(found[1:-1]), float(np.exp(found[-1])))


def spread(share: Vector, dispersion: float, level_uncertainty: float) -> Vector:
    """The weight of the beta distribution of the next true share: scatter of schools, and of the region's level.

    The beta with the variance of both: m(1−m)/(w+1) of schools and (m(1−m)·σ)² of a level that moves by σ logits.
    """
    scatter = share * (1 - share)
    variance = scatter / (dispersion + 1) + (scatter * level_uncertainty) ** 2
    return np.asarray(scatter / variance - 1, dtype=float)


def probability_low(share: Vector, weight: Vector, participants: Counts, least: Counts) -> Vector:
    """P(at least `least` of `participants` are below the minimum), the true share being a beta about `share`."""
    from scipy.stats import betabinom

    # up to `least` terms a row, all rows at once: SciPy's own sum goes row by row
    row = np.repeat(np.arange(len(least)), least)
    count = np.arange(len(row)) - np.repeat(np.cumsum(least) - least, least)
    terms = betabinom.pmf(count, participants[row], (share * weight)[row], ((1 - share) * weight)[row])
    return np.clip(1 - np.bincount(row, terms, minlength=len(least)), 0.0, 1.0)


def forecast(
    model: Model, rows: pl.DataFrame, threshold: Threshold, level_uncertainty: float, *, anchored: bool
) -> pl.DataFrame:
    """Share, its weight and the probability of a low result next year, with as many participants as this year.

    `anchored`: the model has seen no step from year to year, so it says which schools and not how many: all logits
    are moved alike until as many low results are expected as there were this year.
    """
    from scipy.optimize import brentq
    from scipy.special import expit

    logit, n = model.logit_share(rows), rows["participants"].to_numpy()
    least = threshold.least(n)

    def shifted(shift: float) -> tuple[Vector, Vector, Vector]:
        share = np.clip(expit(logit + shift), 1e-6, 1 - 1e-6)
        weight = spread(share, model.dispersion, level_uncertainty)
        return share, weight, probability_low(share, weight, n, least)

    shift = 0.0
    if anchored:
        rate = (float(rows["is_low"].sum()) + 1) / (rows.height + 2)
        shift = brentq(lambda x: float(shifted(x)[2].mean()) - rate, -15, 15)
    share, weight, probability = shifted(shift)
    columns = {"expected_share": share, "share_weight": weight, "probability_low": probability}
    return rows.with_columns(**{name: pl.Series(values) for name, values in columns.items()})


# --- simple rules ------------------------------------------------------------------------------------


def region_rates(known: pl.DataFrame, year: int) -> pl.DataFrame:
    """The share of low results of each procedure that year, by Laplace's rule of succession."""
    this = known.filter(pl.col("start_year") == year)
    return (
        this.group_by("procedure_id")
        .agg(region_rate=(pl.col("is_low").sum() + 1) / (pl.len() + 2))
        .sort("procedure_id")
    )


def flag_rates(known: pl.DataFrame, learnt: Learnt) -> dict[bool, float]:
    """How often a low result followed a low and a not low one, by Laplace's rule, in what a fit may see."""
    if learnt.kind == "pairs_of_years":
        seen = learnt.rows.select("was_low", "is_low")
    else:
        rows = learnt.rows.select("school_id", "grade", "is_low")
        pairs = rows.join(rows.rename({"is_low": "was_low"}), on="school_id", suffix="_other")
        seen = pairs.filter(pl.col("grade") != pl.col("grade_other")).select("was_low", "is_low")
    return {
        flag: (float(part["is_low"].sum()) + 1) / (part.height + 2)
        for flag in (False, True)
        for part in [seen.filter(pl.col("was_low") == flag)]
    }


# --- judged and shown --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Forecast:
    """The forecast made at the end of a year for the next: rows, by model and by both simple rules."""

    rows: pl.DataFrame
    model: Model
    learnt: Learnt


def forecast_after(known: pl.DataFrame, year: int, threshold: Threshold, facts: OutlookFacts) -> Forecast:
    """What is to be expected of everything held in `year`, by what was known at its end."""
    learnt = learnable(known, year)
    model = fit_model(learnt.rows, facts.features, facts.ridge.value)
    rows = forecast(
        model,
        last_year_features(known, year),
        threshold,
        facts.level_uncertainty.value,
        anchored=learnt.kind == "same_year",
    )
    flags = flag_rates(known, learnt)
    after = pl.when("is_low").then(flags[True]).otherwise(flags[False])
    rows = rows.join(region_rates(known, year), on="procedure_id").with_columns(last_flag=after).sort(KEYS)
    return Forecast(rows, model, learnt)


def backtest(known: pl.DataFrame, threshold: Threshold, facts: OutlookFacts) -> pl.DataFrame:
    """Forecasts for every year whose year before is known too, each made without it, beside what came (`happened`)."""
    years = known["start_year"].unique().sort().to_list()
    parts = []
    for year in (year for year in years if year + 1 in years):
        came = known.filter(pl.col("start_year") == year + 1).select(
            *KEYS, happened="is_low", judged_year="academic_year"
        )
        made = forecast_after(known, year, threshold, facts)
        told = {"fit_kind": pl.lit(made.learnt.kind), "fit_years": pl.lit(years_named(known, made.learnt.years))}
        parts.append(made.rows.join(came, on=KEYS).sort(KEYS).with_columns(**told))
    return pl.concat(parts) if parts else pl.DataFrame()


def years_named(known: pl.DataFrame, years: Iterable[int]) -> str:
    names = dict(known.select("start_year", "academic_year").unique().iter_rows())
    return ";".join(names[year] for year in years)
