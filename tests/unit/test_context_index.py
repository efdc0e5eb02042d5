"""The index of conditions by four methods against hand-worked tables and the libraries; clusters, their stability."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, zscore
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import MinMaxScaler

from opora.analysis import context_cluster as clustering
from opora.analysis import context_index as indexing
from opora.analysis.context_index import METHODS, Components, ContextIndex, ContextIndexFacts, Outcome
from opora.analysis.resampling import drawn_parts, draws, parts
from opora.facts import ReferenceFileError, Setting, read_file
from opora.home import PROJECT
from schemas.arrow import polars_schema
from tests.unit.test_docs import number, tables_of

FACTS, NAMED = indexing.load_facts()
CLUSTERS = read_file("analysis/context_cluster.yaml", clustering.ClusterFacts)
PASSPORT = NAMED[0]
NAMES = [component.component_id for component in PASSPORT.components]
YEAR = "2022-2023"


def few(facts: Any, **values: Any) -> Any:
    """Facts with other values of some settings."""
    return facts.model_copy(update={name: Setting(value=v, status="OPEN", note_ru="—") for name, v in values.items()})


def components(values: Any, raises: Any, anchor: int = 0, minimum_known: int = 1, weights: Any = None) -> Components:
    columns = np.array(values, dtype=float)
    weight = np.ones(columns.shape[1]) if weights is None else np.array(weights, dtype=float)
    return Components(columns, np.array(raises), weight, anchor, minimum_known)


def region(schools: int = 60, seed: int = 1, year: str = YEAR) -> pl.DataFrame:
    """A social passport that one thing stands behind: better-off schools have more of the first component."""
    random = np.random.default_rng(seed)
    wealth = random.normal(size=schools)
    signs = [1 if component.raises_wellbeing else -1 for component in PASSPORT.components]
    values = 0.3 + 0.05 * np.outer(wealth, signs) + random.normal(scale=0.04, size=(schools, len(NAMES)))
    wide = pl.DataFrame(values, schema=NAMES).with_columns(
        school_id=pl.Series([f"s{number:03}" for number in range(schools)]),
        is_urban=pl.Series((wealth + random.normal(size=schools) > 0).astype(float)),
    )
    return wide.unpivot(index="school_id", variable_name="component_id").with_columns(academic_year=pl.lit(year))


def placed(rows: pl.DataFrame, *years: str) -> pl.DataFrame:
    """All schools of the rows in one region, all of them compared."""
    schools = rows.select("school_id").unique().sort("school_id")
    return pl.concat(
        schools.with_columns(
            academic_year=pl.lit(year),
            region_code=pl.lit("99"),
            municipality_id=pl.lit("m1"),
            is_in_population=pl.lit(True),
            outside_reason_ru=pl.lit(None, pl.String),
        )
        for year in years or (YEAR,)
    )


RESULTS = {"academic_year": pl.String, "school_id": pl.String, "participants": pl.Int64, "observed_result": pl.Float64}


def results(rows: pl.DataFrame, year: str = YEAR, seed: int = 2) -> pl.DataFrame:
    """Results that follow the first component."""
    random = np.random.default_rng(seed)
    first = rows.filter(component_id=NAMES[0]).sort("school_id")
    return pl.DataFrame(
        {
            "academic_year": year,
            "school_id": first["school_id"],
            "participants": random.integers(20, 200, first.height),
            "observed_result": 60 + 60 * first["value"].to_numpy() + random.normal(size=first.height),
        },
        schema_overrides=RESULTS,
    )


def computed(rows: pl.DataFrame, facts: ContextIndexFacts = FACTS, **given: Any) -> pl.DataFrame:
    values, _ = indexing.indices(
        rows, given.get("schools", placed(rows)), given.get("results", results(rows)), [PASSPORT], facts
    )
    return values


# --- methods -----------------------------------------------------------------------------------------

HAND = components([[0.1, 10], [0.2, 30], [0.3, 20]], [True, False])


def test_the_mean_of_z_scores_worked_by_hand() -> None:
    """sd of 0.1, 0.2, 0.3 with divisor n is 0.1·√(2/3), so z is ∓√1.5 at the ends; of 10, 30, 20 likewise."""
    end = 1.5**0.5
    expected = [(-end + end) / 2, (0 - end) / 2, (end - 0) / 2]
    assert METHODS["z_mean"](HAND, None).value == pytest.approx(expected)


def test_min_max_worked_by_hand() -> None:
    """From the worst to the best: 0, ½, 1 of the first; of the second, which lowers well-being, 1, 0, ½."""
    assert METHODS["min_max"](HAND, None).value == pytest.approx([50, 25, 75])


def test_weights_count() -> None:
    heavy = replace(HAND, weights=np.array([3.0, 1.0]))
    assert METHODS["min_max"](heavy, None).value == pytest.approx([25, 37.5, 87.5])


def test_an_unknown_component_takes_its_weight_away_and_is_no_zero() -> None:
    gap = components([[0.1, np.nan], [0.2, 30], [0.3, 20]], [True, False])
    assert METHODS["min_max"](gap, None).value == pytest.approx([0, 25, 100])
    assert METHODS["z_mean"](gap, None).value[0] == pytest.approx(-(1.5**0.5))


def matrix(schools: int = 50, seed: int = 3) -> Components:
    rows = region(schools, seed).filter(pl.col("component_id") != "is_urban")
    values = rows.pivot("component_id", index="school_id", values="value").select(NAMES).to_numpy()
    return components(values, [component.raises_wellbeing for component in PASSPORT.components])


def test_the_first_component_is_that_of_the_library_with_the_anchor_up() -> None:
    table = matrix()
    z = zscore(table.values)
    fitted = PCA(n_components=1).fit(z)
    scores, loadings = fitted.transform(z)[:, 0], fitted.components_[0]
    found = METHODS["first_component"](table, None)
    assert found.value == pytest.approx(scores * np.sign(loadings[0]))
    assert found.coefficients[0] > 0
    assert found.explained_share == pytest.approx(fitted.explained_variance_ratio_[0])


def test_the_sign_of_the_first_component_falls_back_on_the_directions() -> None:
    table = matrix()
    without_anchor = table.without(np.array([True] + [False] * (len(NAMES) - 1)))
    assert without_anchor.anchor == -1
    assert METHODS["first_component"](without_anchor, None).coefficients @ without_anchor.signs > 0


def test_regression_weights_are_those_of_the_library() -> None:
    table = matrix()
    random = np.random.default_rng(4)
    outcome = Outcome(random.normal(70, 5, 50), random.integers(10, 90, 50).astype(float))
    fitted = sm.WLS(outcome.result, sm.add_constant(zscore(table.values)), weights=outcome.participants).fit()
    scaled = MinMaxScaler((0, 100)).fit_transform(fitted.fittedvalues[:, None])[:, 0]
    found = METHODS["regression_weights"](table, outcome)
    assert found.coefficients == pytest.approx(fitted.params[1:])
    assert found.value == pytest.approx(scaled)
    assert found.explained_share == pytest.approx(fitted.rsquared)


@settings(max_examples=50)
@given(st.integers(0, 10_000))
def test_the_scale_of_regression_weights_ends_at_0_and_100_to_the_last_bit(seed: int) -> None:
    random = np.random.default_rng(seed)
    outcome = Outcome(random.normal(70, 5, 50), random.integers(10, 90, 50).astype(float))
    found = METHODS["regression_weights"](matrix(), outcome).value
    assert (found.min(), found.max()) == (0, 100)


def test_equal_schools_have_one_weighted_mean_wherever_they_stand() -> None:
    random = np.random.default_rng(3)
    for schools in (98, 99, 103):
        values = np.tile(random.random(10), (schools, 1))
        assert len(set(indexing.weighted_mean(values, random.random(10)).tolist())) == 1


@settings(max_examples=20)
@given(st.integers(0, len(NAMES) - 1), st.floats(0.001, 1000), st.floats(-100, 100))
def test_scaling_a_component_changes_no_rank(column: int, factor: float, shift: float) -> None:
    table = matrix()
    values = table.values.copy()
    values[:, column] = values[:, column] * factor + shift
    for method in ("z_mean", "min_max", "first_component"):
        before = METHODS[method](table, None).value  # type: ignore[index]
        after = METHODS[method](replace(table, values=values), None).value  # type: ignore[index]
        assert rankdata(after.round(6)).tolist() == rankdata(before.round(6)).tolist()


# --- a region and a year -------------------------------------------------------------------------------


@settings(max_examples=10)
@given(st.randoms(use_true_random=False))
def test_the_order_of_schools_changes_nothing(random: Any) -> None:
    rows = region(30)
    order = list(range(rows.height))
    random.shuffle(order)
    schools = placed(rows)
    expected = computed(rows)
    assert computed(rows[order], schools=schools.sample(fraction=1, shuffle=True, seed=order[0])).equals(expected)


def test_the_columns_are_those_of_the_registry() -> None:
    values, fits = indexing.indices(region(), placed(region()), results(region()), NAMED, FACTS)
    assert values.schema == polars_schema("context_index")
    assert fits.schema == polars_schema("context_index_fit")


def test_a_constant_component_is_dropped_with_a_note_and_breaks_nothing() -> None:
    rows = region()
    flat = rows.with_columns(value=pl.when(component_id=NAMES[2]).then(0.1).otherwise("value"))
    values, fits = indexing.indices(flat, placed(flat), results(flat), [PASSPORT], FACTS)
    dropped = fits.filter(component_id=NAMES[2])
    assert dropped["is_used"].to_list() == [False] * 4
    assert set(dropped["note_ru"]) == {"у всех школ одно значение"}
    assert values["value"].is_finite().all()
    without = rows.filter(pl.col("component_id") != NAMES[2])
    assert values["value"].to_list() == pytest.approx(computed(without)["value"].to_list())


def test_a_school_with_too_few_known_components_has_no_index_and_the_reason() -> None:
    least = PASSPORT.minimum_known.value
    unknown = pl.col("school_id").eq("s007") & pl.col("component_id").is_in(NAMES[least - 1 :])
    rows = region().with_columns(value=pl.when(~unknown).then("value"))
    values = computed(rows).filter(school_id="s007")
    assert values["value"].null_count() == values["band"].null_count() == 4
    assert set(values["reason_ru"]) == {f"из {len(NAMES)} показателей известно {least - 1}: нужно не меньше {least}"}
    one_more = rows.with_columns(
        value=pl.when(pl.col("school_id").eq("s007") & pl.col("component_id").eq(NAMES[-1]))
        .then(0.2)
        .otherwise("value")
    )
    assert computed(one_more).filter(school_id="s007")["value"].null_count() == 0


def test_too_few_schools_have_no_index() -> None:
    rows = region(FACTS.minimum_schools.value - 1)
    assert computed(rows)["value"].null_count() == 4 * (FACTS.minimum_schools.value - 1)
    assert computed(rows)["reason_ru"].null_count() == 0


def test_a_school_outside_the_list_has_no_index_and_alters_no_other() -> None:
    rows = region()
    schools = placed(rows).with_columns(
        is_in_population=pl.col("school_id") != "s000",
        outside_reason_ru=pl.when(school_id="s000").then(pl.lit("вне списка по виду школы")),
    )
    values = computed(rows, schools=schools)
    assert set(values.filter(school_id="s000")["reason_ru"]) == {"вне списка по виду школы"}
    others = rows.filter(pl.col("school_id") != "s000")
    expected = computed(others, results=results(rows))["value"].to_list()
    assert values.filter(pl.col("school_id") != "s000")["value"].to_list() == pytest.approx(expected)


def test_regression_weights_need_results_near_in_time() -> None:
    rows = region()
    near, far = results(rows, "2020-2021"), results(rows, "2017-2018")
    nearer_but_few = results(rows, "2021-2022").head(FACTS.minimum_schools.value - 1)
    both = computed(rows, results=pl.concat([near, nearer_but_few]))
    assert both.equals(computed(rows, results=near))
    assert computed(rows, results=near).filter(method="regression_weights")["value"].null_count() == 0
    refused = computed(rows, results=far).filter(method="regression_weights")
    assert refused["value"].null_count() == 60
    assert set(refused["reason_ru"]) == {"рядом нет года с результатами, по которым оцениваются веса"}


def test_ranks_and_bands() -> None:
    values = computed(region(60)).filter(method="z_mean").sort("value")
    assert values["rank_share"].to_list() == pytest.approx([(number + 1) / 60 for number in range(60)])
    assert values["band"].to_list() == ["low"] * 20 + ["middle"] * 20 + ["high"] * 20
    halves = computed(region(60), few(FACTS, bands=2)).filter(method="z_mean").sort("value")
    assert halves["band"].to_list() == ["low"] * 30 + ["high"] * 30


def test_more_wellbeing_is_a_higher_index_by_every_method() -> None:
    rows = region(80)
    best = rows.filter(component_id=NAMES[0]).sort("school_id")["value"]
    for (_,), part in computed(rows).group_by("method"):
        assert np.corrcoef(best, part.sort("school_id")["value"])[0, 1] > 0.5


# --- which index is official -----------------------------------------------------------------------------


def official(rows: pl.DataFrame, facts: ContextIndexFacts = FACTS) -> set[tuple[str, str]]:
    values, _ = indexing.indices(rows, placed(rows), results(rows), NAMED, facts)
    return set(values.filter("is_official").select("index_id", "method").iter_rows())


def survey(schools: int) -> pl.DataFrame:
    names = [component.component_id for component in NAMED[1].components]
    random = np.random.default_rng(5)
    wide = pl.DataFrame(random.random((schools, len(names))), schema=names)
    ids = pl.Series([f"s{number:03}" for number in range(schools)])
    return wide.with_columns(school_id=ids, academic_year=pl.lit(YEAR)).unpivot(
        index=["school_id", "academic_year"], variable_name="component_id"
    )


def test_the_first_index_that_enough_schools_have_is_official() -> None:
    method = FACTS.official_method.value
    passport = region(60).filter(~pl.col("component_id").is_in(["is_urban", "disability_share"]))
    both = pl.concat([passport, survey(60)], how="diagonal")
    assert official(both) == {("social-passport", method)}
    share = int(60 * FACTS.least_school_share.value)
    some = pl.col("school_id") < f"s{share - 1:03}"
    assert official(pl.concat([passport.filter(some), survey(60)], how="diagonal")) == {("survey-2022", method)}
    assert official(passport.filter(some).vstack(passport.filter(~some).with_columns(value=None))) == set()


# --- files ---------------------------------------------------------------------------------------------


def test_the_nearest_year() -> None:
    years = ["2018-2019", "2020-2021", "2023-2024"]
    assert indexing.nearest_year("2019-2020", years, 2) == "2018-2019"
    assert indexing.nearest_year("2022-2023", years, 2) == "2023-2024"
    assert indexing.nearest_year("2026-2027", years, 2) is None


def test_components_of_indices_are_known_conditions() -> None:
    from opora.context_facts import load_context

    known = {component.component_id for component in load_context().components}
    used = {component.component_id for index in NAMED for component in index.components}
    assert used | set(CLUSTERS.extra_components.value) <= known


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"anchor": "nothing"}, "anchor nothing is not a component"),
        ({"minimum_known": Setting(value=99, status="OPEN", note_ru="—")}, "minimum_known 99"),
        ({"components": PASSPORT.components[:6] + PASSPORT.components[:1]}, "a component stands twice"),
    ],
)
def test_a_wrong_index_file_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ContextIndex.model_validate(dict(PASSPORT) | change)


def test_the_order_of_preference_names_every_index(tmp_path: Any) -> None:
    import shutil

    from opora.facts import default_root

    shutil.copytree(default_root(), tmp_path / "reference")
    (tmp_path / "reference/context/indices/survey-2022.yaml").unlink()
    with pytest.raises(ReferenceFileError, match="preference"):
        indexing.load_facts(tmp_path / "reference")


# --- resampling ------------------------------------------------------------------------------------------


def test_every_draw_has_as_many_schools_as_the_region() -> None:
    drawn = draws(40, 25, 7)
    assert drawn.shape == (25, 40)
    assert set(drawn.sum(axis=1)) == {40}
    assert (draws(40, 25, 7) == drawn).all()


@given(st.lists(st.integers(0, 5), min_size=3, max_size=30), st.integers(2, 4))
def test_parts_under_one_draw_of_each_are_the_parts_themselves(values: list[int], bands: int) -> None:
    numbers = np.array(values, dtype=float)
    drawn = np.ones((1, len(values)), dtype=np.int64)
    assert drawn_parts(numbers, drawn, bands)[0].tolist() == parts(*indexing.ranks(numbers), bands).tolist()


def test_parts_of_a_draw_worked_by_hand() -> None:
    """Drawn 1, 1, 1, 2: then 1 and 2 stand above two thirds and all of the others."""
    drawn = np.array([[3, 1, 0, 0]])
    assert drawn_parts(np.array([1.0, 2.0, 3.0, 0.0]), drawn, 2)[0].tolist() == [2, 2, 2, 1]


# --- clusters ----------------------------------------------------------------------------------------------


def clusters_of(*years: pl.DataFrame, facts: Any = CLUSTERS) -> dict[str, pl.DataFrame]:
    rows = pl.concat(years)
    schools = placed(rows, *rows["academic_year"].unique().sort())
    values, fits = indexing.indices(
        rows, schools, results(years[0]), [PASSPORT], few(FACTS, preference=("social-passport",))
    )
    frames = {
        "analysis.context_index": values,
        "analysis.context_index_fit": fits,
        "intermediate.int_context_component": rows,
    }
    return dict(clustering.clusters(frames, facts, FACTS))


QUICK = few(CLUSTERS, resamples=20)


def test_clusters_are_territory_and_band_and_sizes_add_up() -> None:
    rows = region()
    found = clusters_of(rows, facts=QUICK)
    index = computed(rows).filter(method="z_mean").select("school_id", "band")
    urban = rows.filter(component_id="is_urban").select("school_id", "value")
    expected = index.join(urban, on="school_id").select(
        "school_id",
        cluster_id=pl.when(value=1).then(pl.lit("urban_")).otherwise(pl.lit("rural_")) + pl.col("band"),
    )
    named = found["context_cluster"].filter(scheme="territory_band").select("school_id", "cluster_id")
    assert dict(named.iter_rows()) == dict(expected.iter_rows())
    sizes = found["context_cluster_fit"].group_by("scheme").agg(pl.col("schools").sum())
    assert set(sizes["schools"]) == {60}
    for name, frame in found.items():
        assert frame.schema == polars_schema(name)


def test_a_school_whose_territory_is_unknown_has_no_cluster_and_the_reason() -> None:
    unknown = pl.col("school_id").eq("s001") & pl.col("component_id").eq("is_urban")
    rows = region().with_columns(value=pl.when(~unknown).then("value"))
    own = clusters_of(rows, facts=QUICK)["context_cluster"].filter(school_id="s001").sort("scheme")
    assert own["cluster_id"].to_list() == [None, None]
    assert own["reason_ru"].to_list() == [
        "известны не все показатели, по которым ищутся группы",
        "не известно, город это или село",
    ]


def test_planted_groups_are_found_numbered_from_the_worst_and_hold() -> None:
    """Three groups far apart: k-means names three, worst first, and resampling does not move them."""
    random = np.random.default_rng(8)
    level = np.repeat([0.0, 5.0, 10.0], 20)
    features = level[:, None] + random.normal(scale=0.1, size=(60, 2))
    found = clustering.grouped(features, -level, CLUSTERS)
    assert found.number == 3
    assert found.silhouette > 0.9
    assert found.labels.tolist() == [3] * 20 + [2] * 20 + [1] * 20
    again = list(clustering.regrouped(features, draws(60, 10, 1), 3, 1))
    held = [clustering.matched(found.labels, labels) for labels in again]
    assert all((labels == found.labels).all() for labels in held)


def test_stability_between_years_is_that_of_the_library_and_one_year_has_none() -> None:
    first, second = region(), region(seed=9, year="2023-2024")
    found = clusters_of(first, second, facts=QUICK)
    stability = (
        found["context_cluster_stability"].filter(scheme="territory_band", comparison="years").sort("academic_year")
    )
    assert stability["adjusted_rand"][0] is None
    assert stability["reason_ru"][0] == "нет данных: кластеры есть только за один год"
    both = (
        found["context_cluster"]
        .filter(scheme="territory_band")
        .pivot("academic_year", index="school_id", values="cluster_id")
    )
    assert stability["compared_year"][1] == YEAR
    assert stability["adjusted_rand"][1] == pytest.approx(adjusted_rand_score(both[YEAR], both["2023-2024"]))
    assert stability["stay_share"][1] == pytest.approx((both[YEAR] == both["2023-2024"]).mean())


def test_the_same_clusters_a_year_later_are_wholly_stable() -> None:
    again = region().with_columns(academic_year=pl.lit("2023-2024"))
    stability = clusters_of(region(), again, facts=QUICK)["context_cluster_stability"]
    later = stability.filter(academic_year="2023-2024", comparison="years")
    assert later["adjusted_rand"].to_list() == later["stay_share"].to_list() == [1.0, 1.0]


def test_few_schools_are_not_grouped_by_data_and_stability_says_why() -> None:
    found = clusters_of(region(CLUSTERS.minimum_schools.value - 1))
    groups = found["context_cluster"].filter(scheme="kmeans")
    assert groups["cluster_id"].null_count() == groups.height
    resampling = found["context_cluster_stability"].filter(comparison="resampling")
    assert resampling["adjusted_rand"].null_count() == 2
    assert resampling["reason_ru"].str.contains("нужно не меньше").all()


# --- the page --------------------------------------------------------------------------------------------

PAGE = PROJECT / "docs" / "methodology" / "wellbeing-index.md"


def test_the_example_of_the_page() -> None:
    rows = list(tables_of(PAGE, "школа", "оба с высшим, %", "на учёте, %", "`z_mean`", "`min_max`"))
    told = np.array([[float(number(cell.replace("−", "-"))) for cell in row[1:]] for row in rows])
    table = components(told[:, :2], [True, False])
    assert METHODS["z_mean"](table, None).value == pytest.approx(told[:, 2], abs=0.005)
    assert METHODS["min_max"](table, None).value == pytest.approx(told[:, 3])


def test_the_page_names_the_indices_as_the_files_do() -> None:
    rows = list(tables_of(PAGE, "индекс", "как называется", "показателей", "нужно известных", "метка"))
    expected = [
        [
            f"`{index.index_id}`",
            index.title_ru,
            str(len(index.components)),
            str(index.minimum_known.value),
            index.evidence,
        ]
        for index in NAMED
    ]
    assert rows == expected


def test_the_page_names_every_method() -> None:
    assert [row[0].strip("`") for row in tables_of(PAGE, "метод", "формула", "шкала")] == list(METHODS)
