"""The index of conditions of a school by four named methods, and which of them is official in a region and year.

What belongs here: standardising components inside a region and year, the four indices, their parameters, the choice
of the official one. What does not: components themselves (dbt, `int_context_component`), clusters and expectations
(modules of their own), and composition, weights and thresholds (`reference/context/indices/`, `reference/analysis/`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, model_validator

from opora.analysis.base import Analysis, Frames, registry_frame
from opora.analysis.resampling import parts
from opora.facts import Cited, Dated, ReferenceFileError, Setting, default_root, read_file

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
MethodName = Literal["z_mean", "min_max", "first_component", "regression_weights"]


# --- facts ---------------------------------------------------------------------------------------


class IndexComponent(Cited):
    """One component of an index: where it points and how much it weighs."""

    component_id: str
    raises_wellbeing: bool
    weight: Annotated[float, Field(gt=0)]


class ContextIndex(Dated):
    """One named index. `anchor` is the component whose share of the first principal component fixes its sign."""

    index_id: str
    title_ru: str
    short_ru: str
    minimum_known: Setting[int]
    anchor: str
    components: Annotated[tuple[IndexComponent, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _agrees(self) -> ContextIndex:
        names = [component.component_id for component in self.components]
        if len(set(names)) < len(names):
            raise ValueError("a component stands twice")
        if self.anchor not in names:
            raise ValueError(f"anchor {self.anchor} is not a component")
        if not 1 <= self.minimum_known.value <= len(names):
            raise ValueError(f"minimum_known {self.minimum_known.value} of {len(names)} components")
        return self


class ContextIndexFacts(Cited):
    """What makes an index official, and where there is none."""

    official_method: Setting[MethodName]
    preference: Setting[tuple[str, ...]]
    least_school_share: Setting[float]
    minimum_schools: Setting[int]
    bands: Setting[int]
    year_limit: Setting[int]


def load_facts(root: Path | None = None) -> tuple[ContextIndexFacts, list[ContextIndex]]:
    """The settings and every named index, in the order of preference. Raises ReferenceFileError."""
    facts = read_file("analysis/context_index.yaml", ContextIndexFacts, root)
    folder = (root or default_root()) / "context" / "indices"
    found = {path.stem: read_file(f"context/indices/{path.name}", ContextIndex, root) for path in folder.glob("*.yaml")}
    if wrong := [stem for stem, index in found.items() if index.index_id != stem]:
        raise ReferenceFileError(f"reference/context/indices: index_id differs from the file name: {sorted(wrong)}")
    if sorted(facts.preference.value) != sorted(found):
        raise ReferenceFileError(
            f"reference/analysis/context_index.yaml: preference is not an order of {sorted(found)}"
        )
    return facts, [found[index_id] for index_id in facts.preference.value]


def nearest_year(year: str, others: Iterable[str], limit: int) -> str | None:
    """The nearest of other academic years at most `limit` away; of two equally near the earlier."""
    distance = {other: abs(int(other[:4]) - int(year[:4])) for other in others}
    near = [other for other in sorted(distance) if distance[other] <= limit]
    return min(near, key=lambda other: distance[other], default=None)


# --- components of one region and year ---------------------------------------------------------------


@dataclass(frozen=True)
class Components:
    """Values of schools × components, NaN where unknown, with what the index file says of each component."""

    values: Floats
    raises: Flags
    weights: Floats
    anchor: int
    minimum_known: int

    @property
    def signs(self) -> Floats:
        return np.where(self.raises, 1.0, -1.0)

    @property
    def is_known(self) -> Flags:
        return ~np.isnan(self.values)

    @property
    def has_enough(self) -> Flags:
        """Of which schools enough is known for an index."""
        return np.asarray(self.is_known.sum(axis=1) >= self.minimum_known)

    def without(self, dropped: Flags) -> Components:
        """Without some components; an anchor that is dropped becomes −1."""
        kept = ~dropped
        anchor = -1 if self.anchor < 0 or dropped[self.anchor] else int(kept[: self.anchor].sum())
        return Components(self.values[:, kept], self.raises[kept], self.weights[kept], anchor, self.minimum_known)


@dataclass(frozen=True)
class Outcome:
    """Results of the same schools, NaN where there are none, and the participants they rest on."""

    result: Floats
    participants: Floats


@dataclass(frozen=True)
class IndexFit:
    """An index over the schools, the coefficient of every standardised component, and the share it explains."""

    value: Floats
    coefficients: Floats
    explained_share: float | None = None


def z_scores(values: Floats) -> Floats:
    """(x − mean) / sd of every column over its known values; the divisor of the variance is n."""
    from scipy.stats import zscore

    return np.asarray(zscore(values, axis=0, nan_policy="omit"), dtype=float)


def weighted_mean(values: Floats, weights: Floats) -> Floats:
    """Σ w·x / Σ |w| of every row over its known values: a missing component takes its weight away with it."""
    # no product of matrices: it adds up a row by its place among others, so that equal schools would differ in a bit
    total = np.where(np.isnan(values), 0.0, np.abs(weights)).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.nansum(values * weights, axis=1) / total, dtype=float)


def z_mean(components: Components, outcome: Outcome | None) -> IndexFit:
    """M1: the weighted mean of z-scores, each turned so that more is better."""
    coefficients = components.signs * components.weights
    return IndexFit(weighted_mean(z_scores(components.values), coefficients), coefficients)


def min_max(components: Components, outcome: Outcome | None) -> IndexFit:
    """M2: the weighted mean of components on a scale from the worst (0) to the best (100) school."""
    low, high = np.nanmin(components.values, axis=0), np.nanmax(components.values, axis=0)
    unit = (components.values - low) / (high - low)
    oriented = np.where(components.raises, unit, 1 - unit)
    return IndexFit(100 * weighted_mean(oriented, components.weights), components.signs * components.weights)


def first_component(components: Components, outcome: Outcome | None) -> IndexFit:
    """M3: the first principal component of z-scores, fitted on schools that know all of them.

    The anchor fixes the sign; where it does not take part, the declared directions do. A school with a gap is
    projected on the component by what is known of it.
    """
    from sklearn.decomposition import PCA

    z = z_scores(components.values)
    fitted = PCA(n_components=1, svd_solver="full").fit(z[components.is_known.all(axis=1)])
    loadings = np.asarray(fitted.components_[0], dtype=float)
    agreement = loadings * components.signs
    turned = agreement[components.anchor] if components.anchor >= 0 else agreement @ components.weights
    loadings = loadings if turned >= 0 else -loadings
    with np.errstate(divide="ignore", invalid="ignore"):  # schools that know nothing
        value = np.nansum(z * loadings, axis=1) / np.where(components.is_known, loadings**2, 0.0).sum(axis=1)
    return IndexFit(value, loadings, float(fitted.explained_variance_ratio_[0]))


def regression_weights(components: Components, outcome: Outcome | None) -> IndexFit:
    """M4: the fitted part of results regressed on z-scores with participants as weights, rescaled to 0–100."""
    import statsmodels.api as sm

    if outcome is None:
        raise ValueError("regression weights need results")
    z = z_scores(components.values)
    rows = components.is_known.all(axis=1) & ~np.isnan(outcome.result)
    fitted = sm.WLS(outcome.result[rows], sm.add_constant(z[rows]), weights=outcome.participants[rows]).fit()
    coefficients = np.asarray(fitted.params[1:], dtype=float)
    part = weighted_mean(z, coefficients)
    low, high = part[components.has_enough].min(), part[components.has_enough].max()
    # divided first: the best school has 100, not the next number above it
    return IndexFit(100 * ((part - low) / (high - low)), coefficients, float(fitted.rsquared))


METHODS: dict[MethodName, Callable[[Components, Outcome | None], IndexFit]] = {
    "z_mean": z_mean,
    "min_max": min_max,
    "first_component": first_component,
    "regression_weights": regression_weights,
}


def ranks(values: Floats) -> tuple[Floats, int]:
    """Of every known value how many known values are not above it, and how many are known."""
    from scipy.stats import rankdata

    return rankdata(values, method="max", nan_policy="omit"), int(np.count_nonzero(~np.isnan(values)))


def band_names(bands: int) -> dict[int, str | None]:
    """The name of every part of the schools: the first, the last, and those between."""
    return {0: None, **dict.fromkeys(range(2, bands), "middle"), 1: "low", bands: "high"}


# --- one region and year ---------------------------------------------------------------------------


def index_of_region(
    schools: Sequence[str],
    components: Components,
    outcome: Outcome | None,
    index: ContextIndex,
    facts: ContextIndexFacts,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All methods of one index over the schools of a region and year: their values, and their parameters."""
    notes = _notes(components, facts.minimum_schools.value)
    used = components.without(np.array([note is not None for note in notes]))
    values, parameters = [], []
    for method, compute in METHODS.items():
        refusal = _refusal(method, used, outcome, facts.minimum_schools.value)
        fit = compute(used, outcome) if refusal is None else None
        values.append(
            _values(schools, used, index, fit, refusal, facts.bands.value).with_columns(method=pl.lit(method))
        )
        parameters.append(_parameters(components, index, notes, fit, refusal).with_columns(method=pl.lit(method)))
    return pl.concat(values), pl.concat(parameters)


def _notes(components: Components, minimum_schools: int) -> list[str | None]:
    """Why a component takes no part; None if it does."""
    notes: list[str | None] = []
    for values in components.values.T:
        known = values[~np.isnan(values)]
        if known.size < minimum_schools:
            notes.append(f"известен у {known.size} школ: нужно не меньше {minimum_schools}")
        else:
            notes.append("у всех школ одно значение" if known.min() == known.max() else None)
    return notes


def _refusal(method: MethodName, used: Components, outcome: Outcome | None, minimum_schools: int) -> str | None:
    """Why a method gives no index of a region and year; None if it does."""
    if used.values.shape[1] < used.minimum_known:
        return f"показателей, которые различают школы, {used.values.shape[1]}: нужно не меньше {used.minimum_known}"
    if (schools := int(used.has_enough.sum())) < minimum_schools:
        return f"школ с известными показателями {schools}: нужно не меньше {minimum_schools}"
    complete = used.is_known.all(axis=1)
    if method == "regression_weights":
        if outcome is None:
            return "рядом нет года с результатами, по которым оцениваются веса"
        complete &= ~np.isnan(outcome.result)
    if method in ("first_component", "regression_weights") and complete.sum() < minimum_schools:
        return f"школ, у которых известно всё, {int(complete.sum())}: нужно не меньше {minimum_schools}"
    if method == "regression_weights" and outcome and np.unique(outcome.result[complete]).size == 1:
        return "результаты школ не различаются"
    return None


def _values(
    schools: Sequence[str], used: Components, index: ContextIndex, fit: IndexFit | None, refusal: str | None, bands: int
) -> pl.DataFrame:
    known = used.is_known.sum(axis=1)
    value = np.where(used.has_enough, fit.value, np.nan) if fit else np.full(len(schools), np.nan)
    rank, counted = ranks(value)
    names = band_names(bands)
    few = f"из {len(index.components)} показателей известно {{}}: нужно не меньше {used.minimum_known}"
    return pl.DataFrame(
        {
            "school_id": schools,
            "value": value,
            "rank_share": rank / max(counted, 1),
            "band": pl.Series([names[part] for part in parts(rank, counted, bands)], dtype=pl.String),
            "components_known": known,
            "components_total": len(index.components),
            "schools_in_fit": counted,
            "reason_ru": pl.Series(
                [
                    refusal or (None if enough else few.format(n))
                    for n, enough in zip(known, used.has_enough, strict=True)
                ],
                dtype=pl.String,
            ),
        }
    ).with_columns(pl.col("value", "rank_share").fill_nan(None))


def _parameters(
    components: Components, index: ContextIndex, notes: Sequence[str | None], fit: IndexFit | None, refusal: str | None
) -> pl.DataFrame:
    is_used = np.array([note is None and fit is not None for note in notes])
    coefficients = np.full(len(notes), np.nan)
    if fit is not None:
        coefficients[is_used] = fit.coefficients
    values = pl.from_numpy(components.values, [component.component_id for component in index.components]).fill_nan(None)
    statistics = {
        "mean": pl.all().mean(),
        "sd": pl.all().std(ddof=0),
        "minimum": pl.all().min(),
        "maximum": pl.all().max(),
        "schools": pl.all().count().cast(pl.Int64),
    }
    return pl.DataFrame(
        {
            "component_id": values.columns,
            "is_used": is_used,
            "raises_wellbeing": components.raises,
            "weight": components.weights,
            **{name: list(values.select(statistic).row(0)) for name, statistic in statistics.items()},
            "coefficient": coefficients,
            "explained_share": pl.Series([fit.explained_share if fit else None] * len(notes), dtype=pl.Float64),
            "note_ru": pl.Series([note or refusal for note in notes], dtype=pl.String),
        },
        schema_overrides=dict.fromkeys(("mean", "sd", "minimum", "maximum"), pl.Float64),
    ).with_columns(pl.col("coefficient").fill_nan(None))


# --- all regions and years -----------------------------------------------------------------------------


def indices(
    components: pl.DataFrame,
    schools: pl.DataFrame,
    results: pl.DataFrame,
    named: Sequence[ContextIndex],
    facts: ContextIndexFacts,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Every index valid in a year, by every method, for every school of a region; and the parameters of the fits.

    `components`: academic_year, school_id, component_id, value; `schools`: academic_year, school_id, region_code,
    is_in_population, outside_reason_ru; `results`: academic_year, school_id, participants, observed_result. Only
    schools of the population are fitted; the others have no index and the reason.
    """
    with_context = components.select("academic_year", "school_id").unique()
    surveyed = (
        schools.join(with_context, on=["academic_year", "school_id"]).select("academic_year", "region_code").unique()
    )
    placed = schools.join(surveyed, on=["academic_year", "region_code"], how="semi").sort("academic_year", "school_id")
    values, parameters = [], []
    for (year, region), group in placed.group_by("academic_year", "region_code", maintain_order=True):
        within = group.filter("is_in_population").select("school_id")
        outcome = _outcome(str(year), within, results, facts)
        for index in named:
            if not index.covers(str(year)):
                continue
            keys = [pl.lit(year).alias("academic_year"), pl.lit(region).alias("region_code")]
            keys += [pl.lit(index.index_id).alias("index_id"), pl.lit(index.title_ru).alias("index_ru")]
            own = components.filter(pl.col("academic_year") == year)
            of_schools, of_fit = index_of_region(
                within["school_id"].to_list(), _components(own, within, index), outcome, index, facts
            )
            values += [of_schools.with_columns(keys), _outside(group, index).with_columns(keys)]
            parameters.append(of_fit.with_columns(keys))
    return _official(registry_frame("context_index", values), placed, facts), registry_frame(
        "context_index_fit", parameters
    )


def _components(rows: pl.DataFrame, schools: pl.DataFrame, index: ContextIndex) -> Components:
    names = [component.component_id for component in index.components]
    wide = schools.join(
        rows.filter(pl.col("component_id").is_in(names)).pivot("component_id", index="school_id", values="value"),
        on="school_id",
        how="left",
        maintain_order="left",
    )
    wide = wide.with_columns(pl.lit(None).alias(name) for name in names if name not in wide.columns)
    return Components(
        values=wide.select(names).cast(pl.Float64).to_numpy(),
        raises=np.array([component.raises_wellbeing for component in index.components]),
        weights=np.array([component.weight for component in index.components]),
        anchor=names.index(index.anchor),
        minimum_known=index.minimum_known.value,
    )


def _outcome(year: str, schools: pl.DataFrame, results: pl.DataFrame, facts: ContextIndexFacts) -> Outcome | None:
    """Results of the nearest year in which enough of the schools have them."""
    own = results.join(schools, on="school_id", how="semi")
    years = own.group_by("academic_year").len().filter(pl.col("len") >= facts.minimum_schools.value)["academic_year"]
    nearest = nearest_year(year, years, facts.year_limit.value)
    if nearest is None:
        return None
    of_year = own.filter(pl.col("academic_year") == nearest)
    rows = schools.join(of_year, on="school_id", how="left", maintain_order="left")
    columns = rows.select(pl.col("observed_result", "participants").cast(pl.Float64)).to_numpy()
    return Outcome(result=columns[:, 0], participants=columns[:, 1])


def _outside(group: pl.DataFrame, index: ContextIndex) -> pl.DataFrame:
    """Schools outside the population: no index by any method, and why."""
    schools = group.filter(~pl.col("is_in_population")).select("school_id", reason_ru="outside_reason_ru")
    empty = {"components_known": pl.lit(None), "components_total": pl.lit(len(index.components))}
    return schools.join(pl.DataFrame({"method": list(METHODS)}), how="cross").with_columns(**empty)


def _official(values: pl.DataFrame, placed: pl.DataFrame, facts: ContextIndexFacts) -> pl.DataFrame:
    """Marks the index of a region and year: the first in the order of preference that enough schools have."""
    by_region = ["academic_year", "region_code"]
    is_method = pl.col("method") == facts.official_method.value
    population = placed.filter("is_in_population").group_by(by_region).agg(schools=pl.len())
    have = values.filter(is_method).group_by(*by_region, "index_id").agg(have=pl.col("value").count())
    enough = (pl.col("have") > 0) & (pl.col("have") >= facts.least_school_share.value * pl.col("schools"))
    order = pl.Enum(facts.preference.value)
    first = (
        have.join(population, on=by_region)
        .filter(enough)
        .group_by(by_region)
        .agg(first=pl.col("index_id").cast(order).min().cast(pl.String))
    )
    marked = values.join(first, on=by_region, how="left", maintain_order="left")
    is_official = is_method & (pl.col("index_id") == pl.col("first"))
    return marked.with_columns(is_official=is_official.fill_null(value=False)).drop("first")


def _compute(frames: Frames) -> Frames:
    facts, named = load_facts()
    values, parameters = indices(
        frames["intermediate.int_context_component"],
        frames["intermediate.int_context_school"],
        frames["intermediate.int_comparable_result"],
        named,
        facts,
    )
    return {"context_index": values, "context_index_fit": parameters}


CONTEXT_INDEX = Analysis(
    name="context_index",
    title_ru="Индекс условий школы четырьмя методами",
    reads=(
        "intermediate.int_context_component",
        "intermediate.int_context_school",
        "intermediate.int_comparable_result",
    ),
    writes=("context_index", "context_index_fit"),
    compute=_compute,
)
