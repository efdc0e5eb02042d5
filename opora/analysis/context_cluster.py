"""Clusters of schools by conditions: territory × band of the official index, and groups found in the data.

What belongs here: both schemes, and their stability between years and under resampling. What does not: the index
(`context_index.py`), ranges and words (`reference/analysis/context_cluster.yaml`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from opora.analysis.base import Analysis, Frames, registry_frame
from opora.analysis.context_index import ContextIndexFacts, load_facts, z_scores
from opora.analysis.resampling import Counts, Floats, drawn_parts, draws
from opora.facts import Cited, Setting, read_file

Scheme = Literal["territory_band", "kmeans"]
Labels = NDArray[np.int64]


class ClusterFacts(Cited):
    """Settings of clusters: which scheme is official, what the groups are made of, how stability is seen."""

    official_scheme: Setting[Scheme]
    territory_ru: Setting[dict[Literal["urban", "rural"], str]]
    band_ru: Setting[dict[Literal["low", "middle", "high"], str]]
    extra_components: Setting[tuple[str, ...]]
    fewest_clusters: Setting[int]
    most_clusters: Setting[int]
    starts: Setting[int]
    seed: Setting[int]
    minimum_schools: Setting[int]
    resamples: Setting[int]
    confidence: Setting[float]


# --- groups found in the data --------------------------------------------------------------------------


@dataclass(frozen=True)
class Grouping:
    """Groups numbered from 1 in the order of the mean index, and how well apart they are."""

    labels: Labels
    silhouette: float

    @property
    def number(self) -> int:
        return int(self.labels.max())


def grouped(features: Floats, index: Floats, facts: ClusterFacts) -> Grouping:
    """k-means on standardised features; the number of groups is the one with the greatest silhouette."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    found = []
    for number in range(facts.fewest_clusters.value, facts.most_clusters.value + 1):
        labels = KMeans(number, n_init=facts.starts.value, random_state=facts.seed.value).fit_predict(features)
        found.append((float(silhouette_score(features, labels)), -number, labels))
    silhouette, number, labels = max(found, key=lambda item: item[:2])
    order = np.argsort([index[labels == label].mean() for label in range(-number)])
    return Grouping(np.argsort(order)[labels] + 1, silhouette)


def regrouped(features: Floats, drawn: Counts, number: int, seed: int) -> Iterator[Labels]:
    """The groups of all schools when k-means sees only the schools of each draw."""
    from sklearn.cluster import KMeans

    for weights in drawn:
        yield KMeans(number, n_init=1, random_state=seed).fit(features, sample_weight=weights).predict(features)


def matched(before: Labels, after: Labels) -> Labels:
    """`after` renamed one to one so that as many schools as can keep the name that they have in `before`."""
    from scipy.optimize import linear_sum_assignment
    from sklearn.metrics.cluster import contingency_matrix

    rows, columns = linear_sum_assignment(contingency_matrix(before, after), maximize=True)
    names = dict(zip(np.unique(after)[columns], np.unique(before)[rows], strict=True))
    return np.array([names.get(label, -1) for label in after])


# --- one region and year -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """The schools of the population of a region and year.

    `schools`: school_id, is_urban and, of the official index, value, band and reason_ru where there is none;
    `features`: standardised components for k-means, NaN where unknown.
    """

    schools: pl.DataFrame
    features: Floats

    @property
    def complete(self) -> NDArray[np.bool_]:
        """Which schools have an index and know every feature."""
        return self.schools["value"].is_not_null().to_numpy() & ~np.isnan(self.features).any(axis=1)


def territory_bands(place: Place, facts: ClusterFacts) -> pl.DataFrame:
    """Town or village × band of the index, or why a school has none."""
    urban = pl.col("is_urban")
    territory = pl.when(urban == 1).then(pl.lit("urban")).when(urban == 0).then(pl.lit("rural"))
    in_words = [
        territory.replace_strict(facts.territory_ru.value, default=None),
        pl.col("band").replace_strict(facts.band_ru.value, default=None),
    ]
    unknown = pl.when(territory.is_null()).then(pl.lit("не известно, город это или село"))
    return place.schools.select(
        "school_id",
        cluster_id=pl.concat_str(territory, "band", separator="_"),
        cluster_ru=pl.concat_str(in_words, separator=", "),
        reason_ru=pl.coalesce("reason_ru", unknown),
    )


def found_groups(place: Place, found: Grouping | None, facts: ClusterFacts) -> pl.DataFrame:
    """The group that k-means found for a school, or why it has none."""
    complete = place.complete
    number = np.zeros(len(complete), dtype=np.int64)
    unknown = f"школ, у которых известно всё, {complete.sum()}: нужно не меньше {facts.minimum_schools.value}"
    if found is not None:
        number[complete] = found.labels
        unknown = "известны не все показатели, по которым ищутся группы"
    grouped_ru = pl.format("группа {} из {}", "number", pl.lit(found.number if found else 0))
    is_grouped = pl.col("number") > 0
    return place.schools.with_columns(number=pl.Series(number)).select(
        "school_id",
        cluster_id=pl.when(is_grouped).then(pl.format("k{}", "number")),
        cluster_ru=pl.when(is_grouped).then(grouped_ru),
        reason_ru=pl.when(~is_grouped).then(pl.coalesce("reason_ru", pl.lit(unknown))),
    )


def agreement(before: Labels, after: Iterable[Labels], level: float) -> dict[str, float | None]:
    """Adjusted Rand index and the share of schools that stay, over one or many other clusterings of them."""
    from sklearn.metrics import adjusted_rand_score

    pairs = [(adjusted_rand_score(before, labels), np.mean(before == labels)) for labels in after]
    rand, stay = np.array(pairs, dtype=float).T
    found: dict[str, float | None] = {"adjusted_rand": float(rand.mean()), "stay_share": float(stay.mean())}
    for name, values in (("adjusted_rand", rand), ("stay_share", stay)) if len(pairs) > 1 else ():
        low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
        found |= {f"{name}_low": float(low), f"{name}_high": float(high)}
    return found


def resampled(
    place: Place, clusters: pl.DataFrame, scheme: Scheme, bands: int, facts: ClusterFacts
) -> dict[str, object]:
    """How clusters hold when schools are drawn anew, or why that is not known."""
    schools = place.schools.join(clusters, on="school_id", maintain_order="left")
    has = schools["cluster_id"].is_not_null().to_numpy()
    if (known := int(has.sum())) < facts.minimum_schools.value:
        return {
            "schools": known,
            "reason_ru": f"школ с кластером {known}: нужно не меньше {facts.minimum_schools.value}",
        }
    before = schools["cluster_id"].rank("dense").to_numpy()[has].astype(np.int64)
    drawn = draws(known, facts.resamples.value, facts.seed.value)
    after: Iterable[Labels]
    if scheme == "territory_band":
        urban = schools["is_urban"].to_numpy()[has].astype(np.int64)
        value = schools["value"].to_numpy()[has]
        before = urban * (bands + 1) + drawn_parts(value, np.ones((1, known), dtype=np.int64), bands)[0]
        after = urban * (bands + 1) + drawn_parts(value, drawn, bands)
    else:
        found = regrouped(place.features[has], drawn, int(before.max()), facts.seed.value)
        after = (matched(before, labels) for labels in found)
    return {"schools": known, "resamples": facts.resamples.value, **agreement(before, after, facts.confidence.value)}


def between_years(clusters: pl.DataFrame, scheme: Scheme, level: float) -> Iterator[dict[str, object]]:
    """Each year of one region beside the year before it that has clusters; the first has nothing beside it.

    `clusters`: academic_year, school_id, cluster_id of one scheme.
    """
    known = clusters.drop_nulls("cluster_id").partition_by("academic_year", as_dict=True)
    of_year = {str(year): rows for (year,), rows in known.items()}
    for year in clusters["academic_year"].unique().sort():
        former = max((other for other in of_year if other < year), default=None)
        row = {"academic_year": year, "comparison": "years", "compared_year": former}
        pair = of_year[year].join(of_year[former], on="school_id") if former and year in of_year else clusters.clear()
        if pair.is_empty():
            yield row | {"schools": 0, "reason_ru": "нет данных: кластеры есть только за один год"}
            continue
        names = pl.concat([pair["cluster_id_right"], pair["cluster_id"]]).rank("dense").to_numpy().astype(np.int64)
        before, after = np.split(names, 2)
        other = matched(before, after) if scheme == "kmeans" else after
        yield row | {"schools": pair.height, **agreement(before, [other], level)}


# --- all regions and years -----------------------------------------------------------------------------


def clusters(frames: Frames, facts: ClusterFacts, index_facts: ContextIndexFacts) -> Frames:
    """Clusters by both schemes for every school × year with an index, their sizes, and their stability."""
    keys = ["academic_year", "region_code"]
    official = frames["analysis.context_index"].filter("is_official")
    fits = frames["analysis.context_index_fit"].filter("is_used")
    components = frames["intermediate.int_context_component"]
    rows, sizes, stability = [], [], []
    for (year, region), own in official.sort("school_id").group_by(keys, maintain_order=True):
        where = {"academic_year": pl.lit(year), "region_code": pl.lit(region)}
        used = fits.join(own.head(1), on=[*keys, "index_id", "method"], how="semi")["component_id"].to_list()
        place = _place(own, components.filter(pl.col("academic_year") == year), used, facts)
        found = None
        if place.complete.sum() >= facts.minimum_schools.value:
            index = place.schools["value"].to_numpy()[place.complete]
            found = grouped(place.features[place.complete], index, facts)
        by_scheme: dict[Scheme, pl.DataFrame] = {
            "territory_band": territory_bands(place, facts),
            "kmeans": found_groups(place, found, facts),
        }
        for scheme, given in by_scheme.items():
            labelled = given.with_columns(
                **where, scheme=pl.lit(scheme), is_official=pl.lit(scheme == facts.official_scheme.value)
            )
            rows.append(labelled)
            counted = labelled.drop_nulls("cluster_id").join(own.select("school_id", "value"), on="school_id")
            sizes.append(
                counted.group_by(*keys, "scheme", "cluster_id", "cluster_ru")
                .agg(schools=pl.len(), index_mean=pl.col("value").mean())
                .with_columns(silhouette=pl.lit(found.silhouette if found and scheme == "kmeans" else None, pl.Float64))
            )
            again = resampled(place, given, scheme, index_facts.bands.value, facts)
            stability.append(
                pl.DataFrame([again | {"scheme": scheme, "comparison": "resampling"}]).with_columns(**where)
            )
    table = registry_frame("context_cluster", rows)
    for (region, scheme), own in table.group_by("region_code", "scheme", maintain_order=True):
        pairs = pl.DataFrame(list(between_years(own, scheme, facts.confidence.value)), infer_schema_length=None)
        stability.append(pairs.with_columns(region_code=pl.lit(region), scheme=pl.lit(scheme)))
    return {
        "context_cluster": table,
        "context_cluster_fit": registry_frame("context_cluster_fit", sizes),
        "context_cluster_stability": registry_frame("context_cluster_stability", stability),
    }


def _place(own: pl.DataFrame, components: pl.DataFrame, used: list[str], facts: ClusterFacts) -> Place:
    names = [*used, *facts.extra_components.value]
    wanted = components.filter(pl.col("component_id").is_in([*names, "is_urban"]))
    wide = own.select("school_id", "value", "band", "reason_ru").join(
        wanted.pivot("component_id", index="school_id", values="value"),
        on="school_id",
        how="left",
        maintain_order="left",
    )
    wide = wide.with_columns(pl.lit(None, pl.Float64).alias(name) for name in {*names, "is_urban"} - set(wide.columns))
    varying = [name for name in names if wide[name].n_unique() > 1 and wide[name].drop_nulls().n_unique() > 1]
    features = z_scores(wide.select(varying).to_numpy()) if varying else np.full((wide.height, 1), np.nan)
    return Place(wide.select("school_id", "value", "band", "reason_ru", "is_urban"), features)


def _compute(frames: Frames) -> Frames:
    facts = read_file("analysis/context_cluster.yaml", ClusterFacts)
    return clusters(frames, facts, load_facts()[0])


CONTEXT_CLUSTER = Analysis(
    name="context_cluster",
    title_ru="Кластеры школ по условиям и их устойчивость",
    reads=("analysis.context_index", "analysis.context_index_fit", "intermediate.int_context_component"),
    writes=("context_cluster", "context_cluster_fit", "context_cluster_stability"),
    compute=_compute,
)
