"""The result expected in given conditions: models against libraries, classes by hand, resampling, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import cross_val_predict

from opora.analysis import contribution as contributing
from opora.analysis import expectation as expecting
from opora.analysis.context_index import load_facts, ranks
from opora.analysis.expectation import ExpectationFacts, Place, Sample, Standing
from opora.analysis.resampling import parts
from opora.facts import read_file
from opora.home import PROJECT
from schemas.arrow import polars_schema
from tests.unit.test_context_index import few
from tests.unit.test_docs import number, tables_of

FACTS = read_file("analysis/expectation.yaml", ExpectationFacts)
INDEX_FACTS, _ = load_facts()
QUICK = few(FACTS, resamples=50, folds=3)
YEAR, BEFORE, LATER = "2022-2023", "2021-2022", "2023-2024"
BANDS = INDEX_FACTS.bands.value


# --- a made-up region --------------------------------------------------------------------------------


def region(
    schools: int = 120, seed: int = 1, slope: float = 6.0, spread: float = 3.0, year: str = YEAR
) -> pl.DataFrame:
    """Results follow the index, the town and the municipality: a school a row, with everything the analysis reads."""
    random = np.random.default_rng(seed)
    index, urban = random.normal(size=schools), random.integers(0, 2, schools)
    municipality = random.integers(0, 12, schools)
    participants = random.integers(12, 400, schools)
    true = 80 + slope * index + 2 * urban + random.normal(scale=spread, size=schools)
    below = random.binomial(participants, np.clip(1 - true / 100, 0.01, 0.99))
    observed = 100 * (1 - below / participants)
    order = np.argsort(np.argsort(index))
    return pl.DataFrame(
        {
            "academic_year": year,
            "region_code": "99",
            "school_id": [f"s{number:03}" for number in range(schools)],
            "municipality_id": [f"m{number:02}" for number in municipality],
            "participants": participants,
            "below_minimum": below,
            "procedures_count": 4,
            "observed_result": observed,
            "region_result": float(np.average(observed, weights=participants)),
            "value": index,
            "band": [("low", "middle", "high")[number * 3 // schools] for number in order],
            "is_urban": urban.astype(float),
        }
    )


def frames(rows: pl.DataFrame, context_year: str = YEAR) -> dict[str, pl.DataFrame]:
    """The same as the tables that the analysis reads."""
    text = pl.lit(None, pl.String)
    keys = ["academic_year", "school_id"]
    context = rows.with_columns(academic_year=pl.lit(context_year))
    return {
        "intermediate.int_context_school": rows.select(
            *keys, "region_code", "municipality_id", is_in_population=pl.lit(True), outside_reason_ru=text
        ),
        "intermediate.int_comparable_result": rows.select(
            *keys,
            "region_code",
            "participants",
            "below_minimum",
            "procedures_count",
            "observed_result",
            "region_result",
        ),
        "intermediate.int_context_component": context.select(
            *keys, component_id=pl.lit("is_urban"), value=pl.col("is_urban")
        ),
        "analysis.context_index": context.select(*keys, "value", "band", is_official=pl.lit(True), reason_ru=text),
    }


def computed(read: dict[str, pl.DataFrame], facts: ExpectationFacts = QUICK) -> dict[str, pl.DataFrame]:
    return dict(expecting.expectations(read, facts, INDEX_FACTS))


def expected(rows: pl.DataFrame, facts: ExpectationFacts = QUICK, model: str = "weighted") -> pl.DataFrame:
    return computed(frames(rows), facts)["expectation"].filter(model=model).sort("school_id")


def sample(rows: pl.DataFrame) -> Sample:
    place = Place(rows.with_columns(reason_ru=pl.lit(None, pl.String)), YEAR, ("value", "is_urban"))
    return place.sample(FACTS)


# --- models ------------------------------------------------------------------------------------------


def test_the_weighted_model_is_that_of_the_libraries() -> None:
    rows = region()
    own = sample(rows)
    fit = expecting.fit_weighted(own, 0.95)
    design = rows.select("value", "is_urban").to_numpy()
    other = LinearRegression().fit(design, own.result, sample_weight=own.participants)
    assert fit.expected == pytest.approx(other.predict(design))
    assert fit.r_squared == pytest.approx(r2_score(own.result, fit.expected, sample_weight=own.participants))
    whole = sm.WLS(own.result, own.design, weights=own.participants).fit(cov_type="HC3")
    assert fit.intervals == pytest.approx(whole.conf_int())
    assert fit.variance == pytest.approx(whole.get_prediction().se_mean ** 2)


def test_the_mixed_model_is_that_of_the_library() -> None:
    """Coefficients, effects and what is unknown of them as MixedLM tells them of the same rows."""
    own = sample(shifted(region(200)))
    fit = expecting.fit_mixed(own, 0.95)
    root = np.sqrt(own.weights)
    rows = own.design * root[:, None]
    found = sm.MixedLM(own.result * root, rows, groups=own.municipality, exog_re=root[:, None]).fit(method="powell")
    between = float(np.asarray(found.cov_re)[0, 0])
    assert fit.municipality_share == pytest.approx(between / (between + found.scale))
    assert fit.coefficients == pytest.approx(found.fe_params, rel=1e-4)
    effects = np.array([found.random_effects[name].iloc[0] for name in own.municipality])
    assert fit.expected == pytest.approx(own.design @ found.fe_params + effects, abs=1e-3)
    doubt = np.array([np.asarray(found.random_effects_cov[name])[0, 0] for name in own.municipality])
    fixed = np.einsum("np,pq,nq->n", own.design, np.asarray(found.cov_params())[:3, :3], own.design)
    assert fit.variance == pytest.approx(fixed + doubt, rel=0.02)


def test_no_other_difference_between_municipalities_is_more_likely() -> None:
    """By the restricted likelihood written out; it is near zero here, where gradients lose their way."""
    own = sample(region(slope=5))
    fit = expecting.fit_mixed(own, 0.95)
    assert fit.municipality_share is not None
    assert (fit.variance > 0).all()
    same = own.municipality[:, None] == own.municipality[None, :]

    def likelihood(ratio: float) -> float:
        sigma = ratio * same + np.diag(1 / own.weights)
        precise = np.linalg.inv(sigma)
        moments = own.design.T @ precise @ own.design
        left = own.result - own.design @ np.linalg.solve(moments, own.design.T @ precise @ own.result)
        freedom = len(own.result) - own.design.shape[1]
        spread = np.linalg.slogdet(sigma)[1] + np.linalg.slogdet(moments)[1]
        return float(-(freedom * np.log(left @ precise @ left / freedom) + spread) / 2)

    found = fit.municipality_share / (1 - fit.municipality_share)
    assert likelihood(found) >= max(likelihood(other * found) for other in (0.01, 0.5, 0.9, 1.1, 2, 10)) - 1e-6


def shifted(rows: pl.DataFrame) -> pl.DataFrame:
    """Municipalities differ by one and a half points from one to the next."""
    shift = pl.col("municipality_id").str.slice(1).cast(pl.Float64) * 1.5
    return rows.with_columns(observed_result=pl.col("observed_result") + shift)


def test_where_municipalities_do_not_differ_both_models_agree() -> None:
    """Whole intervals and classes, no division by a variance of zero."""
    rows = region(slope=6, seed=2).with_columns(is_urban=pl.lit(0.0))
    found = computed(frames(rows))["expectation"]
    weighted, mixed = (found.filter(model=model).sort("school_id") for model in ("weighted", "mixed"))
    assert mixed["expected_result"].to_list() == pytest.approx(weighted["expected_result"].to_list(), abs=0.3)
    assert mixed.select("residual_low", "residual_high", "residual_z").null_count().sum_horizontal().item() == 0
    assert mixed["residual_z"].is_finite().all()


def test_the_mixed_model_sees_what_municipalities_share_and_the_weighted_does_not() -> None:
    own = sample(shifted(region(200)))
    mixed, weighted = expecting.fit_mixed(own, 0.95), expecting.fit_weighted(own, 0.95)
    assert mixed.municipality_share is not None
    assert mixed.municipality_share > 0.4
    assert mixed.r_squared > weighted.r_squared + 0.2
    stranger = own.rows(np.array([0]))
    stranger = type(own)(**(vars(stranger) | {"municipality": np.array(["elsewhere"])}))
    assert mixed.predict(stranger) == pytest.approx(stranger.design @ mixed.coefficients)


def test_the_variance_of_a_share_worked_by_hand() -> None:
    """3 of 12: (3 + 2) / (12 + 4) = 0.3125; 0.3125 · 0.6875 / 12 in squared points. None of 12 is not without doubt."""
    one = expecting.sampling_variance(np.array([3.0, 0.0]), np.array([12.0, 12.0]), 1.0)
    assert one[0] == pytest.approx(1e4 * 0.3125 * 0.6875 / 12)
    assert one[1] > 0
    assert expecting.sampling_variance(np.array([3.0]), np.array([12.0]), 1.5) == pytest.approx(1.5 * one[:1])


def test_the_spread_of_schools_is_found_behind_the_noise() -> None:
    random = np.random.default_rng(3)
    noise = random.uniform(1, 100, 4000)
    residual = random.normal(scale=np.sqrt(25 + noise))
    between = expecting.between_schools(residual, noise, np.ones(4000), 2)
    assert between == pytest.approx(25, rel=0.2)
    assert expecting.between_schools(np.zeros(50), np.ones(50), np.ones(50), 2) == 0


def test_intervals_of_residuals_cover_schools_that_are_as_expected() -> None:
    """Where schools differ by chance alone, the share of intervals without zero is the one promised."""
    rows = region(600, spread=0.0)
    found = expected(rows, few(QUICK, design_effect=1.0))
    outside = found.filter(pl.col("against_expectation") != "within").height
    assert stats.binomtest(outside, 600, 0.05).pvalue > 0.001
    assert found["residual_z"].std() == pytest.approx(1, abs=0.15)


def test_a_residual_of_few_participants_is_less_unusual_than_the_same_of_many() -> None:
    rows = region().with_columns(
        participants=pl.when(school_id="s000").then(12).when(school_id="s001").then(1200).otherwise("participants"),
        below_minimum=pl.when(school_id="s000").then(6).when(school_id="s001").then(600).otherwise("below_minimum"),
        observed_result=pl.when(pl.col("school_id") < "s002").then(50.0).otherwise("observed_result"),
        value=pl.when(pl.col("school_id") < "s002").then(0.0).otherwise("value"),
        is_urban=pl.when(pl.col("school_id") < "s002").then(0.0).otherwise("is_urban"),
    )
    found = expected(rows)
    small, large = found.row(0, named=True), found.row(1, named=True)
    assert small["residual"] == pytest.approx(large["residual"])
    assert large["residual_z"] < small["residual_z"] < 0
    assert small["residual_high"] - small["residual_low"] > 3 * (large["residual_high"] - large["residual_low"])


# --- quality -----------------------------------------------------------------------------------------


def test_cross_validation_is_that_of_the_library() -> None:
    from sklearn.model_selection import KFold

    own = sample(region())
    unseen, mean = expecting.cross_validated(own, "weighted", FACTS)
    folds = KFold(FACTS.folds.value, shuffle=True, random_state=FACTS.seed.value)
    other = cross_val_predict(
        LinearRegression(), own.design, own.result, cv=folds, params={"sample_weight": own.participants}
    )
    assert unseen == pytest.approx(other)
    assert len(set(mean.round(9))) == FACTS.folds.value


def test_calibration_worked_by_hand() -> None:
    own = sample(region(10))
    guess = np.arange(10.0)
    found = {(row.statistic, row.part): (row.value, row.n) for row in expecting.calibration(own, guess, 5)}
    value, n = found["calibration_observed", "2"]
    assert n == 2
    assert value == pytest.approx(np.average(own.result[2:4], weights=own.participants[2:4]))
    assert found["calibration_expected", "5"][0] == pytest.approx(np.average(guess[8:], weights=own.participants[8:]))


def figures(found: dict[str, pl.DataFrame], model: str = "weighted") -> dict[tuple[str, str], float]:
    return {
        (statistic, part): value
        for statistic, part, value in found["expectation_fit"]
        .filter(model=model)
        .select("statistic", "part", "value")
        .iter_rows()
    }


def test_conditions_that_matter_are_told_from_conditions_that_do_not() -> None:
    told = computed(frames(region(300)))
    told_figures = figures(told)
    assert told_figures["cv_explained_pct", "all"] > 50
    assert told_figures["cv_rmse", "all"] < told_figures["cv_rmse_of_mean", "all"]
    assert told["expectation"].filter(model="weighted")["is_informative"].all()
    idle = computed(frames(region(300, slope=0.0).with_columns(is_urban=pl.lit(1.0))))
    assert figures(idle)["cv_explained_pct", "all"] < 100 * FACTS.informative_share.value
    assert not idle["expectation"].filter(model="weighted")["is_informative"].any()


def test_sizes_of_classes_are_those_of_the_rows() -> None:
    found = computed(frames(region(200)))
    rows = found["expectation"].filter(model="weighted")
    for name, group in rows.drop_nulls("context_class").group_by("context_class"):
        assert figures(found)["class_schools", str(name[0])] == group.height
        stable = group.filter(pl.col("class_stability") >= FACTS.stable_share.value).height
        assert figures(found)["stable_schools", str(name[0])] == stable


# --- classes -----------------------------------------------------------------------------------------

CLASSES = {
    # band, not below the region, quarter by the residual: class
    (1, False, 1): "adverse_low",
    (1, False, 4): "adverse_low",
    (1, True, 4): "resilient",
    (1, True, 3): "typical",
    (3, False, 1): "favourable_low",
    (3, False, 2): "typical",
    (3, True, 4): "leader",
    (3, True, 3): "typical",
    (2, True, 4): "typical",
    (2, False, 1): "typical",
}
BY_DEVIATIONS = {
    # band, not below the region, residual z: class
    (1, False, 0.0): "adverse_low",
    (1, True, 1.0): "resilient",
    (1, True, 0.9): "typical",
    (3, False, -1.0): "favourable_low",
    (3, False, -0.9): "typical",
    (3, True, 1.0): "leader",
    (3, True, 0.9): "typical",
}
NAMES = ["typical", *(one.context_class for one in FACTS.classes.value)]


def test_classes_worked_by_hand() -> None:
    band, above, quarter = (np.array(column) for column in zip(*CLASSES, strict=True))
    codes = expecting.class_codes(band, 3, above, np.zeros(len(band)), quarter, FACTS)
    assert [NAMES[code] for code in codes] == list(CLASSES.values())


def test_classes_by_standard_deviations_are_a_change_of_the_file_alone() -> None:
    facts = few(FACTS, classes=FACTS.classes.alternatives[0])
    band, above, z = (np.array(column) for column in zip(*BY_DEVIATIONS, strict=True))
    codes = expecting.class_codes(band, 3, above, z, np.ones(len(band), dtype=np.int64), facts)
    assert [NAMES[code] for code in codes] == list(BY_DEVIATIONS.values())


def test_planted_schools_get_their_classes_and_keep_them() -> None:
    """Poor conditions and a high result; good conditions and a low one; both at the same end of the index."""
    rows = region(200).sort("value")
    poor, rich = rows["school_id"][:2], rows["school_id"][-2:]
    planted = {poor[0]: 97.0, poor[1]: 45.0, rich[0]: 60.0, rich[1]: 99.9}
    result = pl.col("school_id").replace_strict(planted, default=None)
    changed = rows.with_columns(
        observed_result=pl.coalesce(result, "observed_result"),
        participants=pl.when(result.is_not_null()).then(400).otherwise("participants"),
        below_minimum=pl.coalesce((4 * (100 - result)).round().cast(pl.Int64), "below_minimum"),
    )
    found = {row["school_id"]: row for row in expected(changed).iter_rows(named=True)}
    names = [found[school]["context_class"] for school in planted]
    assert names[:3] == ["resilient", "adverse_low", "favourable_low"]
    for school in list(planted)[:3]:
        assert found[school]["class_stability"] > 0.9
        assert found[school]["class_stability_pupils"] > 0.9


def test_few_participants_have_an_expectation_but_no_class() -> None:
    least = FACTS.minimum_participants.value
    rows = region().with_columns(participants=pl.when(school_id="s000").then(least - 1).otherwise("participants"))
    own = expected(rows.with_columns(below_minimum=pl.min_horizontal("below_minimum", "participants"))).row(
        0, named=True
    )
    assert own["expected_result"] is not None
    assert own["context_class"] is own["class_stability"] is None
    assert own["reason_ru"] == f"участий {least - 1}: для класса нужно не меньше {least}"


# --- resampling ----------------------------------------------------------------------------------------


def test_one_draw_of_every_school_once_gives_the_classes_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = region()
    own = sample(rows)
    fit = expecting.fit_weighted(own, 0.95)
    residual = expecting.residuals(own, fit, 0.95)
    band = np.array([{"low": 1, "middle": 2, "high": 3}[name] for name in rows["band"]])
    above = own.result >= rows["region_result"][0]
    quarter = parts(*ranks(residual.z), FACTS.residual_parts.value)
    codes = expecting.class_codes(band, 3, above, residual.z, quarter, FACTS)
    monkeypatch.setattr(expecting, "draws", lambda schools, resamples, seed: np.ones((1, schools), dtype=np.int64))
    standing = Standing(rows["value"].to_numpy(), np.arange(rows.height), float(rows["region_result"][0]))
    kept = expecting.class_stability(own, standing, codes, fit, 3, FACTS, pupils=False)
    assert kept.tolist() == [1.0] * rows.height


def test_a_draw_is_a_refit_on_the_schools_drawn() -> None:
    """The class in one draw, by statsmodels on the drawn schools one by one."""
    rows = region(60)
    own = sample(rows)
    fit = expecting.fit_weighted(own, 0.95)
    one = few(FACTS, resamples=1)
    drawn = expecting.draws(60, 1, FACTS.seed.value)[0]
    chosen = np.repeat(np.arange(60), drawn)
    again = sm.WLS(own.result[chosen], own.design[chosen], weights=own.weights[chosen]).fit()
    residual = own.result - own.design @ again.params
    between = expecting.between_schools(residual[chosen], own.variance[chosen], own.weights[chosen], 3)
    z = residual / np.sqrt(between + own.variance + fit.variance)
    index = rows["value"].to_numpy()

    def part_of(values: Any, number: int) -> Any:
        rank = np.array([(values[chosen] <= value).sum() for value in values])
        return np.clip(np.ceil(rank * number / 60), 1, number).astype(np.int64)

    region_result = float(rows["region_result"][0])
    shift = np.average(own.result[chosen], weights=own.participants[chosen])
    above = own.result >= region_result + shift - np.average(own.result, weights=own.participants)
    quarter = part_of(z, FACTS.residual_parts.value)
    codes = expecting.class_codes(part_of(index, 3), 3, above, z, quarter, FACTS)
    standing = Standing(index, np.arange(60), region_result)
    assert expecting.class_stability(own, standing, codes, fit, 3, one, pupils=False).tolist() == [1.0] * 60
    other = (codes + 1) % 5
    assert expecting.class_stability(own, standing, other, fit, 3, one, pupils=False).tolist() == [0.0] * 60


def test_chance_in_results_makes_classes_less_sure() -> None:
    rows = region(200).with_columns(participants=pl.lit(12), below_minimum=pl.lit(3))
    found = expected(rows)
    assert found["class_stability_pupils"].mean() < found["class_stability"].mean() - 0.05


# --- conditions and refusals ---------------------------------------------------------------------------


@settings(max_examples=4)
@given(st.randoms(use_true_random=False))
def test_the_order_of_schools_changes_nothing(random: Any) -> None:
    rows = region(40)
    order = list(range(rows.height))
    random.shuffle(order)
    facts = few(FACTS, resamples=5, folds=2)
    usual = computed(frames(rows), facts)
    for name, frame in computed(frames(rows[order]), facts).items():
        assert frame.equals(usual[name])


def test_the_columns_are_those_of_the_registry() -> None:
    for name, frame in computed(frames(region())).items():
        assert frame.schema == polars_schema(name)


def test_conditions_of_a_near_year_serve_and_are_named() -> None:
    rows = region()
    same = expected(rows)
    near = computed(frames(rows, LATER))["expectation"].filter(model="weighted").sort("school_id")
    assert set(near["context_year"]) == {LATER}
    assert near["expected_result"].to_list() == pytest.approx(same["expected_result"].to_list())
    far = computed(frames(rows, "2029-2030"))["expectation"]
    assert far["expected_result"].null_count() == far.height
    assert far["reason_ru"].str.contains("условий нет ни за этот год").all()


def test_of_two_near_years_the_earlier_serves() -> None:
    earlier, later = frames(region(), BEFORE), frames(region(), LATER)
    both = {name: pl.concat([frame, later[name]]).unique() for name, frame in earlier.items()}
    assert set(computed(both)["expectation"]["context_year"]) == {BEFORE}


@pytest.mark.parametrize(
    ("table", "column", "reason"),
    [
        ("intermediate.int_context_school", "outside_reason_ru", "вне списка по виду школы"),
        ("intermediate.int_comparable_result", "observed_result", "за этот год результатов нет"),
        ("analysis.context_index", "value", "индекса условий нет: школы нет в списке школ того года"),
        ("intermediate.int_context_component", "value", "не известно: город или село"),
    ],
)
def test_a_school_without_what_is_needed_is_told_so_and_left_out(table: str, column: str, reason: str) -> None:
    read = frames(region())
    value = pl.lit(reason) if column == "outside_reason_ru" else pl.lit(None)
    read[table] = read[table].with_columns(pl.when(school_id="s007").then(value).otherwise(column).alias(column))
    found = computed(read)["expectation"].filter(model="weighted")
    own = found.filter(school_id="s007").row(0, named=True)
    assert own["reason_ru"] == reason
    assert own["expected_result"] is own["context_class"] is None
    assert set(found["schools_in_fit"].drop_nulls()) == {119}


def test_too_few_schools_are_refused_with_the_number() -> None:
    least = FACTS.minimum_schools.value
    found = computed(frames(region(least - 1)))
    reason = f"школ с результатом и известными условиями {least - 1}: нужно не меньше {least}"
    assert set(found["expectation"]["reason_ru"]) == {reason}
    assert found["expectation"]["expected_result"].null_count() == 2 * (least - 1)
    assert (
        found["expectation_fit"].select("statistic", "value", "reason_ru").rows()
        == [("schools", least - 1, reason)] * 2
    )
    assert computed(frames(region(least)))["expectation"].filter(model="weighted")["reason_ru"].null_count() == least


def test_few_municipalities_leave_the_weighted_model() -> None:
    rows = region().with_columns(municipality_id=pl.lit("m01"))
    found = computed(frames(rows))["expectation"]
    assert found.filter(model="weighted")["expected_result"].null_count() == 0
    assert set(found.filter(model="mixed")["reason_ru"]) == {
        f"муниципалитетов 1: нужно не меньше {FACTS.minimum_municipalities.value}"
    }


def test_a_region_of_one_kind_of_place_drops_the_town_and_says_so() -> None:
    found = computed(frames(region().with_columns(is_urban=pl.lit(0.0))))
    rows = found["expectation_fit"].filter(model="weighted", part="is_urban")
    assert rows.select("statistic", "value", "reason_ru").rows() == [("coefficient", None, "у всех школ одно значение")]
    assert found["expectation"]["expected_result"].null_count() == 0


def test_a_covariate_may_be_a_logarithm() -> None:
    rows = region()
    read = frames(rows)
    sizes = rows.select(
        "academic_year", "school_id", component_id=pl.lit("enrolment"), value=pl.col("participants").cast(pl.Float64)
    )
    read["intermediate.int_context_component"] = pl.concat([read["intermediate.int_context_component"], sizes])
    with_size = FACTS.covariates.alternatives[1]
    assert [one.component_id for one in with_size] == ["is_urban", "enrolment"]
    found = computed(read, few(QUICK, covariates=with_size))
    design = rows.select("value", "is_urban", pl.col("participants").log()).to_numpy()
    other = LinearRegression().fit(design, rows["observed_result"], sample_weight=rows["participants"])
    weighted = found["expectation"].filter(model="weighted").sort("school_id")
    assert weighted["expected_result"].to_list() == pytest.approx(other.predict(design).tolist())


# --- contribution ----------------------------------------------------------------------------------------

CONTRIBUTION = read_file("analysis/contribution.yaml", contributing.ContributionFacts)


def official(rows: pl.DataFrame) -> pl.DataFrame:
    return expected(rows).with_columns(is_compared=pl.lit(True))


def test_contributions_worked_by_hand() -> None:
    """100 and 300 participants, 90 % and 70 %: the region has 75 %; ¼ · 15 and ¾ · (−5)."""
    rows = pl.DataFrame(
        {
            "academic_year": YEAR,
            "region_code": "99",
            "school_id": ["a", "b", "c"],
            "participants": [100, 300, 50],
            "observed_result": [90.0, 70.0, 10.0],
            "region_result": 75.0,
            "expected_result": [80.0, 72.0, None],
            "is_compared": [True, True, False],
        }
    )
    found = contributing.contributions(rows, CONTRIBUTION)
    by_method = {key: group["value"].to_list() for (key,), group in found.sort("school_id").group_by("method")}
    assert by_method["region_difference"] == pytest.approx([3.75, -3.75])
    assert by_method["expectation_difference"] == pytest.approx([2.5, -1.5])
    assert set(found.filter("is_official")["method"]) == {CONTRIBUTION.official_method.value}


def test_contributions_add_up_to_nothing_and_shares_to_one() -> None:
    found = contributing.contributions(official(region()), CONTRIBUTION).filter(method="region_difference")
    assert found["value"].sum() == pytest.approx(0, abs=1e-9)
    assert found["participants_share"].sum() == pytest.approx(1)
    assert found.schema == polars_schema("contribution")


# --- the pages -------------------------------------------------------------------------------------------

PAGE = PROJECT / "docs" / "methodology" / "expectation.md"


def test_the_classes_of_the_page_are_those_of_the_file() -> None:
    words = {
        (None, "below"): "ниже региона",
        (None, "not_below"): "не ниже региона",
        None: "любой",
        "upper": "верхняя четверть школ",
        "lower": "нижняя четверть школ",
    }
    told = list(tables_of(PAGE, "класс", "условия", "результат", "остаток"))
    assert told[:-1] == [
        [f"`{one.context_class}`", one.band, words[None, one.result], words[one.residual]]
        for one in FACTS.classes.value
    ]
    assert told[-1][0] == "`typical`"
    assert FACTS.residual_parts.value == 4


def test_the_intervals_of_the_page() -> None:
    header = ("год списка", "школ списка с ожиданием", "ниже ожидания", "в пределах", "доля ниже, %", "интервал, %")
    rows = list(tables_of(PAGE, *header))
    assert rows
    for _, schools, below, within, share, interval in rows:
        n, k = int(schools), int(below)
        assert int(within) == n - k
        assert number(share) == round(100 * k / n, 1)
        ends = stats.binomtest(k, n).proportion_ci(0.95, method="wilson")
        assert [number(end) for end in interval.split("–")] == [round(100 * end, 1) for end in ends]


def test_the_example_of_a_contribution() -> None:
    page = PROJECT / "docs" / "methodology" / "contribution.md"
    rows = list(tables_of(page, "школа", "участий", "результат, %", "вклад, п. п."))
    told = [(int(row[1]), number(row[2]), number(row[3].replace("−", "-"))) for row in rows]
    whole = sum(n for n, _, _ in told)
    mean = sum(n * result for n, result, _ in told) / whole
    assert f"Результат региона {mean:.0f} %." in page.read_text(encoding="utf-8")
    assert [value for _, _, value in told] == pytest.approx([n / whole * (result - mean) for n, result, _ in told])
    methods = [row[0].strip("`") for row in tables_of(page, "метод", "с чем сравнивает")]
    assert methods == list(contributing.METHODS)
