"""The result expected of a school in its conditions: regression, residual, class, and how sure each of them is.

What belongs here: two models of expectation, their quality, classes by index × result × residual, resampling. What does
not: the comparable result (dbt, `int_comparable_result`), the index (`context_index.py`), weights, covariates and cut
points (`reference/analysis/expectation.yaml`). A residual says how a school differs, never why.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from opora.analysis.base import Analysis, Frames, registry_frame
from opora.analysis.context_index import ContextIndexFacts, band_names, load_facts, nearest_year, ranks
from opora.analysis.resampling import Counts, Floats, drawn_parts, draws, parts
from opora.facts import Dated, Fact, Setting, read_file

ModelName = Literal["weighted", "mixed"]
Flags = NDArray[np.bool_]
KEYS = ["academic_year", "region_code"]


# --- facts ---------------------------------------------------------------------------------------


class Covariate(Fact):
    """A component that stands in the regression beside the index."""

    component_id: str
    title_ru: str
    transform: Literal["none", "log"]


class ContextClass(Fact):
    """A class: band of the index × result against the region × residual, the first or last part of the schools by it
    (`residual`), or so many standard deviations."""

    context_class: Literal["adverse_low", "resilient", "favourable_low", "leader"]
    label_ru: str
    band: Literal["low", "middle", "high"]
    result: Literal["below", "not_below"]
    residual: Literal["lower", "upper"] | None = None
    residual_z_from: float | None = None
    residual_z_to: float | None = None


class ExpectationFacts(Dated):
    """Decisions of contextual evaluation."""

    official_model: Setting[ModelName]
    weights: Setting[Literal["participants", "sqrt_participants", "equal"]]
    covariates: Setting[tuple[Covariate, ...]]
    minimum_schools: Setting[int]
    minimum_municipalities: Setting[int]
    minimum_participants: Setting[int]
    design_effect: Setting[float]
    confidence: Setting[float]
    folds: Setting[int]
    calibration_parts: Setting[int]
    resamples: Setting[int]
    stable_share: Setting[float]
    seed: Setting[int]
    informative_share: Setting[float]
    residual_parts: Setting[int]
    classes: Setting[tuple[ContextClass, ...]]
    typical_ru: Setting[str]


# --- the schools of a fit --------------------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    """Schools of a region and year with a result and known conditions, a row each; `design` begins with ones."""

    result: Floats
    variance: Floats
    weights: Floats
    participants: Floats
    municipality: NDArray[np.str_]
    design: Floats
    terms: tuple[str, ...]

    def rows(self, chosen: NDArray[Any]) -> Sample:
        arrays = ("result", "variance", "weights", "participants", "municipality", "design")
        return replace(self, **{name: getattr(self, name)[chosen] for name in arrays})


@dataclass(frozen=True)
class Fit:
    """Expectations of all schools of a sample, the variance of the fit, and what the model found."""

    expected: Floats
    variance: Floats
    coefficients: Floats
    intervals: Floats
    predict: Callable[[Sample], Floats]
    r_squared: float
    municipality_share: float | None = None


def sampling_variance(below: Floats, participants: Floats, design_effect: float) -> Floats:
    """The variance of a school's share in percentage points, of k + 2 out of n + 4 (Agresti and Coull) so that it is
    never zero, widened by the design effect."""
    share = (below + 2) / (participants + 4)
    return np.asarray(1e4 * design_effect * share * (1 - share) / participants, dtype=float)


def school_weights(participants: Floats, kind: str) -> Floats:
    """The weights of schools in the regression, with mean one."""
    power = {"participants": 1.0, "sqrt_participants": 0.5, "equal": 0.0}[kind]
    return np.asarray(participants**power / np.mean(participants**power), dtype=float)


def explained(result: Floats, expected: Floats, weights: Floats) -> float:
    """1 − Σ w·(result − expected)² / Σ w·(result − mean)²."""
    mean = np.average(result, weights=weights)
    return float(1 - np.sum(weights * (result - expected) ** 2) / np.sum(weights * (result - mean) ** 2))


# --- models ----------------------------------------------------------------------------------------


def fit_weighted(sample: Sample, confidence: float) -> Fit:
    """Weighted least squares; errors of coefficients allow for any spread of residuals (HC3)."""
    import statsmodels.api as sm

    found = sm.WLS(sample.result, sample.design, weights=sample.weights).fit(cov_type="HC3")
    return Fit(
        expected=np.asarray(found.fittedvalues),
        variance=np.einsum("np,pq,nq->n", sample.design, found.cov_params(), sample.design),
        coefficients=np.asarray(found.params),
        intervals=np.asarray(found.conf_int(1 - confidence)),
        predict=lambda other: np.asarray(other.design @ found.params),
        r_squared=float(found.rsquared),
    )


def fit_mixed(sample: Sample, confidence: float) -> Fit:
    """The same with a random effect of the municipality, which is part of the expectation.

    How much municipalities differ is found by the mixed model of statsmodels (REML), a weighted one since its rows are
    multiplied by the root of the weight; with that known the rest is generalised least squares.
    Raises LinAlgError or ValueError where it does not converge.
    """
    import statsmodels.api as sm
    from scipy.linalg import solve_triangular

    root = np.sqrt(sample.weights)
    model = sm.MixedLM(
        sample.result * root, sample.design * root[:, None], groups=sample.municipality, exog_re=root[:, None]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a variance at zero is an answer, and convergence is asked below
        found = model.fit(reml=True, method="powell")  # gradients mislead where the variance is near zero
    if not found.converged:
        raise ValueError("no convergence")
    ratio = max(0.0, float(np.asarray(found.cov_re)[0, 0]) / float(found.scale))

    # rows of a municipality are made independent of one another, and ordinary least squares does the rest
    white = np.column_stack([sample.result, sample.design, np.ones(len(root))])
    members = {name: sample.municipality == name for name in np.unique(sample.municipality)}
    for rows in members.values():
        covariance = ratio + np.diag(1 / sample.weights[rows])
        white[rows] = solve_triangular(np.linalg.cholesky(covariance), white[rows], lower=True)
    fitted = sm.OLS(white[:, 0], white[:, 1:-1]).fit()
    effects = {name: ratio * float(white[rows, -1] @ fitted.resid[rows]) for name, rows in members.items()}
    doubt = np.zeros(len(root))  # what stays unknown of an effect once its schools are seen
    for rows in members.values():
        doubt[rows] = float(fitted.scale) * ratio * (1 - ratio * float(white[rows, -1] @ white[rows, -1]))

    def predict(other: Sample) -> Floats:
        return np.asarray(other.design @ fitted.params + [effects.get(name, 0.0) for name in other.municipality])

    expected = predict(sample)
    return Fit(
        expected=expected,
        variance=np.einsum("np,pq,nq->n", sample.design, fitted.cov_params(), sample.design) + doubt,
        coefficients=np.asarray(fitted.params),
        intervals=np.asarray(fitted.conf_int(1 - confidence)),
        predict=predict,
        r_squared=explained(sample.result, expected, sample.weights),
        municipality_share=ratio / (ratio + 1),
    )


MODELS: dict[ModelName, Callable[[Sample, float], Fit]] = {"weighted": fit_weighted, "mixed": fit_mixed}


def between_schools(residual: Floats, noise: Floats, weights: Floats, parameters: int) -> Floats:
    """The variance of residuals that is not noise of small numbers, never below zero. Works along the last axis."""
    excess = np.sum(weights * (residual**2 - noise), axis=-1) / np.sum(weights, axis=-1)
    schools = residual.shape[-1]
    return np.asarray(np.maximum(0.0, excess * schools / (schools - parameters)), dtype=float)


@dataclass(frozen=True)
class Residuals:
    """Result − expectation, its interval by its own uncertainty, and how unusual it is among schools of that size."""

    value: Floats
    low: Floats
    high: Floats
    z: Floats
    spread: float


def residuals(sample: Sample, fit: Fit, confidence: float) -> Residuals:
    """The interval is of chance in the school's own result and in the fit; z divides by the spread of schools too."""
    from scipy.stats import norm

    value = sample.result - fit.expected
    own = sample.variance + fit.variance
    half = norm.ppf((1 + confidence) / 2) * np.sqrt(own)
    between = float(between_schools(value, sample.variance, sample.weights, len(sample.terms)))
    return Residuals(value, value - half, value + half, value / np.sqrt(between + own), between**0.5)


# --- quality -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Statistic:
    """A figure of a model: of the whole of it (`all`), of a term, of a class, or of a part of the schools."""

    statistic: str
    value: float | None
    n: int
    part: str = "all"
    reason_ru: str | None = None


def cross_validated(sample: Sample, model: ModelName, facts: ExpectationFacts) -> tuple[Floats, Floats]:
    """Expectations of schools by models that did not see them, and the same by the mean of the schools seen."""
    from sklearn.model_selection import KFold

    expected, mean = np.empty_like(sample.result), np.empty_like(sample.result)
    folds = KFold(facts.folds.value, shuffle=True, random_state=facts.seed.value)
    for seen, hidden in folds.split(sample.result):
        part = sample.rows(seen)
        expected[hidden] = MODELS[model](part, facts.confidence.value).predict(sample.rows(hidden))
        mean[hidden] = np.average(part.result, weights=part.weights)
    return expected, mean


def weighted_rmse(result: Floats, expected: Floats, weights: Floats) -> float:
    return float(np.sqrt(np.average((result - expected) ** 2, weights=weights)))


def calibration(sample: Sample, expected: Floats, parts: int) -> Iterator[Statistic]:
    """Schools in equal parts by expectation: what was expected of a part and what it showed, by participants."""
    for number, rows in enumerate(np.array_split(np.argsort(expected, kind="stable"), parts), start=1):
        weights = sample.participants[rows]
        for statistic, values in (("calibration_expected", expected), ("calibration_observed", sample.result)):
            yield Statistic(statistic, float(np.average(values[rows], weights=weights)), len(rows), str(number))


# --- classes -----------------------------------------------------------------------------------------


def class_codes(band: Counts, bands: int, above: Flags, z: Floats, z_part: Counts, facts: ExpectationFacts) -> Counts:
    """The number of the first class whose conditions hold, from 1; 0 is typical. Arrays that fit one another.

    `band` is the part of the schools by the index, `z_part` by the residual; `above`: the result is not below that of
    the region.
    """
    in_band = {"low": band == 1, "high": band == bands, "middle": (band > 1) & (band < bands)}
    in_part = {"lower": z_part == 1, "upper": z_part == facts.residual_parts.value, None: np.array(True)}
    codes = np.zeros(np.broadcast_shapes(band.shape, above.shape, z.shape), dtype=np.int64)
    for number, one in enumerate(facts.classes.value, start=1):
        holds = in_band[one.band] & (above if one.result == "not_below" else ~above) & in_part[one.residual]
        holds = holds & (z >= (-np.inf if one.residual_z_from is None else one.residual_z_from))
        holds = holds & (z <= (np.inf if one.residual_z_to is None else one.residual_z_to))
        codes = np.where((codes == 0) & holds, number, codes)
    return codes


@dataclass(frozen=True)
class Standing:
    """Where the schools of a sample stand: the index of all schools of the region, which of them the sample is, and
    the result of the region."""

    index: Floats
    rows: NDArray[np.int64]
    region_result: float


def class_stability(
    sample: Sample, standing: Standing, codes: Counts, fit: Fit, bands: int, facts: ExpectationFacts, *, pupils: bool
) -> Floats:
    """How often each school keeps its class when schools, and with `pupils` their results too, are drawn anew.

    Weighted regression only. In every draw bands, coefficients, the spread of schools and the region's result are found
    again; the index of a school stays. A redrawn result is the school's own plus noise of its sampling variance.
    """
    drawn = draws(len(standing.index), facts.resamples.value, facts.seed.value)
    band = drawn_parts(standing.index, drawn, bands)[:, standing.rows]
    drawn = drawn[:, standing.rows]
    result, noise = sample.result[None, :], sample.variance
    if pupils:
        random = np.random.default_rng(facts.seed.value + 1)
        result = result + random.normal(size=drawn.shape) * np.sqrt(sample.variance)
        noise = 2 * sample.variance
    weights = drawn * sample.weights
    moments = np.einsum("bn,np,nq->bpq", weights, sample.design, sample.design)
    products = np.einsum("bn,np->bp", weights * result, sample.design)
    coefficients = np.einsum("bpq,bq->bp", np.linalg.pinv(moments), products)
    residual = result - coefficients @ sample.design.T
    between = between_schools(residual, noise, weights, len(sample.terms))
    z = residual / np.sqrt(between[:, None] + sample.variance + fit.variance)
    shift = np.sum(drawn * sample.participants * result, axis=1) / np.sum(drawn * sample.participants, axis=1)
    region = standing.region_result + shift - np.average(sample.result, weights=sample.participants)
    z_part = drawn_parts(z, drawn, facts.residual_parts.value)
    again = class_codes(band, bands, result >= region[:, None], z, z_part, facts)
    return np.asarray(np.mean(again == codes, axis=0), dtype=float)


# --- one region and year -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """The schools of a region in a year of results beside the conditions of `context_year`.

    `schools`: school_id, municipality_id, participants, below_minimum, procedures_count, observed_result,
    region_result, value and band of the official index, a column for each covariate, and reason_ru: why nothing can
    be expected of a school, null where it can. `terms` are the columns that stand in the regression.
    """

    schools: pl.DataFrame
    context_year: str | None
    terms: tuple[str, ...]
    constant: tuple[str, ...] = ()

    @property
    def fitted(self) -> pl.DataFrame:
        return self.schools.filter(pl.col("reason_ru").is_null())

    def sample(self, facts: ExpectationFacts) -> Sample:
        """The schools of the fit as arrays, in the order of `fitted`."""
        rows = self.fitted
        participants = rows["participants"].cast(pl.Float64).to_numpy()
        below = rows["below_minimum"].cast(pl.Float64).to_numpy()
        return Sample(
            result=rows["observed_result"].to_numpy(),
            variance=sampling_variance(below, participants, facts.design_effect.value),
            weights=school_weights(participants, facts.weights.value),
            participants=participants,
            municipality=rows["municipality_id"].to_numpy().astype(str),
            design=rows.select(pl.lit(1.0).alias("const"), *self.terms).to_numpy(),
            terms=("const", *self.terms),
        )


def refusal(model: ModelName, place: Place, facts: ExpectationFacts) -> str | None:
    """Why a model is not fitted; None if it is."""
    rows = place.fitted
    if rows.height < (least := facts.minimum_schools.value):
        return f"школ с результатом и известными условиями {rows.height}: нужно не меньше {least}"
    if rows["observed_result"].n_unique() == 1:
        return "результаты школ не различаются"
    municipalities = rows["municipality_id"].n_unique()
    if model == "mixed" and municipalities < (least := facts.minimum_municipalities.value):
        return f"муниципалитетов {municipalities}: нужно не меньше {least}"
    return None


def evaluated(
    model: ModelName, place: Place, bands: int, facts: ExpectationFacts
) -> tuple[pl.DataFrame, list[Statistic]]:
    """Expectations of the fitted schools by one model, their classes, and the quality of the model.

    Raises LinAlgError or ValueError where the model cannot be fitted.
    """
    level, schools = facts.confidence.value, place.fitted
    sample = place.sample(facts)
    fit = MODELS[model](sample, level)
    residual = residuals(sample, fit, level)
    unseen, mean = cross_validated(sample, model, facts)
    errors = [weighted_rmse(sample.result, guess, sample.weights) for guess in (unseen, mean)]
    cv_explained = 1 - (errors[0] / errors[1]) ** 2

    number_of = {name: number for number, name in band_names(bands).items()}
    band = np.array([number_of[name] for name in schools["band"]])
    region = float(schools["region_result"][0])
    z_part = parts(*ranks(residual.z), facts.residual_parts.value)
    codes = class_codes(band, bands, sample.result >= region, residual.z, z_part, facts)
    names = ["typical", *(one.context_class for one in facts.classes.value)]
    labels = [facts.typical_ru.value, *(one.label_ru for one in facts.classes.value)]
    has_class = sample.participants >= facts.minimum_participants.value
    few = pl.format(f"участий {{}}: для класса нужно не меньше {facts.minimum_participants.value}", "participants")
    columns: dict[str, Any] = {
        "expected_result": fit.expected,
        "residual": residual.value,
        "residual_low": residual.low,
        "residual_high": residual.high,
        "residual_z": residual.z,
        "against_expectation": np.where(residual.high < 0, "below", np.where(residual.low > 0, "above", "within")),
        "context_class": [names[code] if has else None for code, has in zip(codes, has_class, strict=True)],
        "context_class_ru": [labels[code] if has else None for code, has in zip(codes, has_class, strict=True)],
    }
    if model == "weighted":  # the mixed model is too slow to be fitted a thousand times
        with_index = place.schools.with_row_index().filter(pl.col("value").is_not_null())
        rows = with_index.with_row_index("row").filter(pl.col("reason_ru").is_null())["row"].to_numpy().astype(np.int64)
        standing = Standing(with_index["value"].to_numpy(), rows, region)
        for name, pupils in (("class_stability", False), ("class_stability_pupils", True)):
            kept = class_stability(sample, standing, codes, fit, bands, facts, pupils=pupils)
            columns[name] = np.where(has_class, kept, np.nan)
    found = (
        schools.select("school_id", "participants")
        .with_columns(
            **{name: pl.Series(values) for name, values in columns.items()},
            schools_in_fit=pl.lit(len(codes)),
            cv_explained_pct=pl.lit(100 * cv_explained),
            is_informative=pl.lit(cv_explained > facts.informative_share.value),
            reason_ru=pl.when(~pl.Series(has_class)).then(few),
        )
        .drop("participants")
        .with_columns(pl.col("^class_stability.*$").fill_nan(None))
    )

    n = len(codes)
    quality = [
        Statistic("schools", n, n),
        Statistic("participants", float(sample.participants.sum()), n),
        Statistic("region_result", region, n),
        Statistic("r_squared", fit.r_squared, n),
        Statistic("cv_rmse", errors[0], n),
        Statistic("cv_rmse_of_mean", errors[1], n),
        Statistic("cv_explained_pct", 100 * cv_explained, n),
        Statistic("between_schools_sd", residual.spread, n),
        *_coefficients(sample, fit),
        *calibration(sample, unseen, facts.calibration_parts.value),
        *_counts(found, facts),
    ]
    if fit.municipality_share is not None:
        municipalities = schools["municipality_id"].n_unique()
        quality.append(Statistic("municipality_share", fit.municipality_share, municipalities))
    return found, quality


def _coefficients(sample: Sample, fit: Fit) -> Iterator[Statistic]:
    n = len(sample.result)
    for term, value, (low, high) in zip(sample.terms, fit.coefficients, fit.intervals, strict=True):
        name = "index" if term == "value" else term
        yield Statistic("coefficient", float(value), n, name)
        yield Statistic("coefficient_low", float(low), n, name)
        yield Statistic("coefficient_high", float(high), n, name)


def _counts(found: pl.DataFrame, facts: ExpectationFacts) -> Iterator[Statistic]:
    """How many schools are in each class, how many of them keep it, how many are off their expectation."""
    classed = found.drop_nulls("context_class")
    stability = {"stable_schools": "class_stability", "stable_schools_pupils": "class_stability_pupils"}
    for name in ("typical", *(one.context_class for one in facts.classes.value)):
        own = classed.filter(pl.col("context_class") == name)
        yield Statistic("class_schools", own.height, classed.height, name)
        for statistic, column in stability.items():
            if column in own.columns:
                stable = own.filter(pl.col(column) >= facts.stable_share.value).height
                yield Statistic(statistic, stable, own.height, name)
    for name in ("below", "within", "above"):
        own = found.filter(pl.col("against_expectation") == name)
        yield Statistic("against_expectation", own.height, found.height, name)


# --- all regions and years -----------------------------------------------------------------------------


def place_of(
    year: str,
    schools: pl.DataFrame,
    results: pl.DataFrame,
    official: pl.DataFrame,
    components: pl.DataFrame,
    facts: ExpectationFacts,
    year_limit: int,
) -> Place:
    """The schools of one region in one year of results, with conditions of the nearest year that has an official index.

    `schools`: school_id, municipality_id, outside_reason_ru; `results` of the year; `official` index and `components`
    of all years.
    """
    own = official.join(schools, on="school_id", how="semi")
    context_year = nearest_year(year, own["academic_year"].unique(), year_limit)
    of_year = pl.col("academic_year") == context_year if context_year else pl.lit(value=False)
    covariates = facts.covariates.value
    wide = components.filter(of_year, pl.col("component_id").is_in([one.component_id for one in covariates]))
    wide = wide.pivot("component_id", index="school_id", values="value")
    index = own.filter(of_year).select("school_id", "value", "band", index_reason_ru="reason_ru")
    rows = schools.join(results, on="school_id", how="left").join(index, on="school_id", how="left")
    rows = rows.join(wide, on="school_id", how="left").sort("school_id")
    rows = rows.with_columns(_transformed(one, rows.columns).alias(one.component_id) for one in covariates)
    unknown = [
        pl.when(pl.col(one.component_id).is_null()).then(pl.lit(f"не известно: {one.title_ru}")) for one in covariates
    ]
    without_year = f"условий нет ни за этот год, ни за соседние (не дальше {year_limit})"
    no_school = "школы нет в списке школ того года"
    without_index = pl.format("индекса условий нет: {}", pl.col("index_reason_ru").fill_null(no_school))
    rows = rows.with_columns(
        reason_ru=pl.coalesce(
            "outside_reason_ru",
            pl.when(pl.col("observed_result").is_null()).then(pl.lit("за этот год результатов нет")),
            pl.lit(None if context_year else without_year, pl.String),
            pl.when(pl.col("value").is_null()).then(without_index),
            *unknown,
        )
    )
    names = [one.component_id for one in covariates]
    fitted = rows.filter(pl.col("reason_ru").is_null())
    varying = tuple(name for name in names if fitted[name].n_unique() > 1)
    return Place(rows, context_year, ("value", *varying), tuple(name for name in names if name not in varying))


def _transformed(covariate: Covariate, columns: Sequence[str]) -> pl.Expr:
    if covariate.component_id not in columns:
        return pl.lit(None, pl.Float64)
    value = pl.col(covariate.component_id)
    return pl.when(value > 0).then(value.log()) if covariate.transform == "log" else value


def expectations(frames: Frames, facts: ExpectationFacts, index_facts: ContextIndexFacts) -> Frames:
    """Both models for every region and year with results or conditions: a row a school, and figures of the models."""
    results = frames["intermediate.int_comparable_result"]
    official = frames["analysis.context_index"].filter("is_official")
    components = frames["intermediate.int_context_component"]
    schools = frames["intermediate.int_context_school"].sort("academic_year", "school_id")
    rows, quality = [], []
    for (year, region), group in schools.group_by("academic_year", "region_code", maintain_order=True):
        of_year = results.filter(pl.col("academic_year") == year).drop("academic_year", "region_code")
        here = group.select("school_id", "municipality_id", "outside_reason_ru")
        place = place_of(str(year), here, of_year, official, components, facts, index_facts.year_limit.value)
        for model in MODELS:
            keys = {"academic_year": year, "region_code": region, "model": model, "context_year": place.context_year}
            columns = [pl.lit(value, pl.String).alias(name) for name, value in keys.items()]
            found, figures = tried(model, place, index_facts.bands.value, facts)
            told = place.schools.join(found, on="school_id", how="left", maintain_order="left").with_columns(
                reason_ru=pl.coalesce("reason_ru", "reason_ru_right"),
                is_official=pl.lit(model == facts.official_model.value),
            )
            rows.append(told.with_columns(columns))
            of_model = pl.DataFrame([vars(figure) for figure in figures], infer_schema_length=None)
            quality.append(of_model.with_columns(columns))
    return {
        "expectation": registry_frame("expectation", rows),
        "expectation_fit": registry_frame("expectation_fit", quality),
    }


def tried(model: ModelName, place: Place, bands: int, facts: ExpectationFacts) -> tuple[pl.DataFrame, list[Statistic]]:
    """What a model gives: rows of the fitted schools, and its figures; where it gives nothing, the reason in both."""
    why = refusal(model, place, facts)
    if why is None:
        try:
            found, figures = evaluated(model, place, bands, facts)
        except (np.linalg.LinAlgError, ValueError):
            why = "оценка модели не сошлась"
        else:
            same = "у всех школ одно значение"
            return found, figures + [Statistic("coefficient", None, len(found), name, same) for name in place.constant]
    known = place.fitted.height
    refused = place.fitted.select("school_id", reason_ru=pl.lit(why))
    return refused, [Statistic("schools", known, known, reason_ru=why)]


def _compute(frames: Frames) -> Frames:
    facts = read_file("analysis/expectation.yaml", ExpectationFacts)
    return expectations(frames, facts, load_facts()[0])


EXPECTATION = Analysis(
    name="expectation",
    title_ru="Ожидаемый результат при условиях школы, остаток, класс контекста и его устойчивость",
    reads=(
        "intermediate.int_context_school",
        "intermediate.int_comparable_result",
        "intermediate.int_context_component",
        "analysis.context_index",
    ),
    writes=("expectation", "expectation_fit"),
    compute=_compute,
)
