"""Outlook: the model against SciPy and statsmodels, what it may not see, and when it keeps silent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit, logit
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from opora.analysis.base import Frames
from opora.analysis.outlook import OUTLOOK, _compute
from opora.analysis.outlook_model import (
    KEYS,
    Feature,
    Model,
    OutlookFacts,
    Threshold,
    backtest,
    fit_model,
    flag_rates,
    forecast,
    forecast_after,
    last_year_features,
    learnable,
    probability_low,
    region_rates,
    same_year_features,
    spread,
    standings,
)
from opora.analysis.pooling import PoolingFacts, pool
from opora.analysis.scoring import Resamples, Scorer, calibration, losses, roc_auc
from opora.facts import read_file
from opora.home import PROJECT
from schemas.arrow import polars_schema
from schemas.pandera_schemas import failures
from tests.simulated import METHOD, PROCEDURES, result, traits

FACTS = read_file("analysis/outlook.yaml", OutlookFacts)
POOLING = read_file("analysis/pooling.yaml", PoolingFacts)
THIRTY = Threshold(30, 100)


# --- a region ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """Schools with a lasting logit (`lasting` is its standard deviation), years, sizes and what came of chance.

    In a `turning` world every year makes good schools of bad ones and bad schools of good ones.
    """

    schools: int = 150
    years: tuple[int, ...] = (2019, 2020, 2021)
    lasting: float = 1.0
    turning: bool = False
    seed: int = 1

    def frames(self) -> dict[str, pl.DataFrame]:
        random = np.random.default_rng(self.seed)
        quality = random.normal(-1.4, self.lasting, self.schools)
        size = random.integers(3, 60, self.schools)
        rows = []
        for year in self.years:
            for procedure in PROCEDURES:
                turned = -1 if self.turning and year % 2 else 1
                share = expit(-1.4 + turned * (quality + 1.4) + random.normal(0, 0.3, self.schools))
                below = random.binomial(size, share)
                rows += [result(f"s{i:03}", procedure, year, int(size[i]), int(below[i])) for i in range(self.schools)]
        results = pl.DataFrame(rows)
        return frames_of(results, traits(self.schools))


def frames_of(results: pl.DataFrame, about: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """What the analysis reads, the pooled shares fitted from the same results."""
    thresholds = pl.DataFrame({"method_id": [METHOD], "low_share_numerator": [30], "low_share_denominator": [100]})
    pooled = pool(results.with_columns(unknown_count=0), thresholds, POOLING)
    method = thresholds.with_columns(low_result_decided_by=pl.lit("share"))
    return {
        "intermediate.int_result_history": results,
        "intermediate.int_school_trait": about,
        "analysis.pooled_result": pooled,
        "analysis.context_index": pl.DataFrame(schema=polars_schema("context_index")),
        "reference.method": method,
        "reference.procedure": pl.DataFrame({"procedure_id": PROCEDURES, "title_ru": PROCEDURES}),
    }


def known_of(frames: Frames) -> pl.DataFrame:
    names = ("intermediate.int_result_history", "analysis.pooled_result", "intermediate.int_school_trait")
    return standings(*(frames[name] for name in names), frames["analysis.context_index"], FACTS)


@pytest.fixture(scope="module")
def region() -> dict[str, pl.DataFrame]:
    return World().frames()


@pytest.fixture(scope="module")
def known(region: dict[str, pl.DataFrame]) -> pl.DataFrame:
    return known_of(region)


@pytest.fixture(scope="module")
def written(region: dict[str, pl.DataFrame]) -> Frames:
    return _compute(region)


def plain(*names: str) -> list[Feature]:
    return [
        feature.model_copy(update={"is_monotone": False}) for feature in FACTS.features if feature.feature_id in names
    ]


# --- the fit -----------------------------------------------------------------------------------------


def simulated(dispersion: float, schools: int = 4000) -> pl.DataFrame:
    """Counts from a known model: intercept 0.2, own 0.5, others 0.8 about a level of -1.5."""
    random = np.random.default_rng(3)
    own, others = random.normal(0, 1, (2, schools))
    mean = expit(-1.5 + 0.2 + 0.5 * own + 0.8 * others)
    n = random.integers(1, 80, schools)
    share = random.beta(mean * dispersion, (1 - mean) * dispersion)
    return pl.DataFrame(
        {"own": own, "others": others, "level": -1.5, "participants": n, "below_minimum": random.binomial(n, share)}
    )


def test_the_fit_finds_the_model_the_counts_came_from() -> None:
    model = fit_model(simulated(15), plain("own", "others"), ridge=1)
    assert model.intercept == pytest.approx(0.2, abs=0.05)
    assert model.coefficients == pytest.approx([0.5, 0.8], abs=0.05)
    assert model.dispersion == pytest.approx(15, rel=0.1)


def test_no_other_model_is_more_likely_by_scipys_own_distribution() -> None:
    rows = simulated(15, 400)
    n, k = rows["participants"].to_numpy(), rows["below_minimum"].to_numpy()
    found = fit_model(rows, plain("own", "others"), ridge=0)

    def likelihood(model: Model) -> float:
        share = expit(model.logit_share(rows))
        return float(stats.betabinom.logpmf(k, n, share * model.dispersion, (1 - share) * model.dispersion).sum())

    best = likelihood(found)
    for step in (-0.05, 0.05):
        assert likelihood(Model(found.features, found.intercept + step, found.coefficients, found.dispersion)) < best
        for axis in np.eye(2):
            moved = found.coefficients + step * axis
            assert likelihood(Model(found.features, found.intercept, moved, found.dispersion)) < best
        assert (
            likelihood(Model(found.features, found.intercept, found.coefficients, found.dispersion * (1 + step))) < best
        )


def test_without_scatter_it_is_the_logistic_regression_of_statsmodels() -> None:
    import statsmodels.api as sm

    rows = simulated(1e7, 600)
    n, k = rows["participants"].to_numpy(), rows["below_minimum"].to_numpy()
    design = sm.add_constant(rows.select("own", "others").to_numpy())
    glm = sm.GLM(np.column_stack([k, n - k]), design, family=sm.families.Binomial(), offset=rows["level"].to_numpy())
    model = fit_model(rows, plain("own", "others"), ridge=0)
    assert model.dispersion > 300
    assert [model.intercept, *model.coefficients] == pytest.approx(glm.fit().params, abs=0.02)


def test_a_heavier_penalty_draws_coefficients_to_zero() -> None:
    rows = simulated(15, 300)
    sizes = [np.abs(fit_model(rows, plain("own", "others"), ridge).coefficients).sum() for ridge in (0, 10, 1000)]
    assert sizes[0] > sizes[1] > sizes[2]


def test_worse_results_never_speak_for_a_school() -> None:
    rows = simulated(15).with_columns(own=-pl.col("own"))  # here the coefficient would be negative
    monotone = [feature for feature in FACTS.features if feature.feature_id in ("own", "others")]
    assert all(feature.is_monotone for feature in monotone)
    assert fit_model(rows, plain("own", "others"), 1).coefficients[0] < -0.3
    assert fit_model(rows, monotone, 1).coefficients[0] == 0


# --- probability -------------------------------------------------------------------------------------


@given(st.integers(0, 200), st.integers(1, 200), st.integers(1, 99))
def test_the_least_low_count_is_the_first_that_the_rule_calls_low(below: int, participants: int, percent: int) -> None:
    least = int(Threshold(percent, 100).least(np.array([participants]))[0])
    assert (below >= least) == (below * 100 >= percent * participants)


def test_the_probability_is_that_of_scipys_distribution() -> None:
    random = np.random.default_rng(5)
    share, weight = random.uniform(0.01, 0.99, 200), random.uniform(1, 200, 200)
    n = random.integers(1, 150, 200)
    least = THIRTY.least(n)
    expected = stats.betabinom.sf(least - 1, n, share * weight, (1 - share) * weight)
    assert probability_low(share, weight, n, least) == pytest.approx(expected, abs=1e-9)


def test_an_uncertain_level_widens_the_beta_by_just_its_variance() -> None:
    share, dispersion, sigma = np.array([0.05, 0.3, 0.8]), 12.0, 0.4
    weight = spread(share, dispersion, sigma)
    expected = share * (1 - share) / (dispersion + 1) + (share * (1 - share) * sigma) ** 2
    assert stats.beta.var(share * weight, (1 - share) * weight) == pytest.approx(expected)
    assert spread(share, dispersion, 0.0) == pytest.approx(dispersion)


def test_an_anchored_forecast_expects_as_many_low_results_as_there_were(known: pl.DataFrame) -> None:
    rows = last_year_features(known, 2019)
    model = Model(("own",), 1.5, np.array([0.7]), 20.0)
    free, held = (forecast(model, rows, THIRTY, 0.4, anchored=anchored) for anchored in (False, True))
    rate = (rows["is_low"].sum() + 1) / (rows.height + 2)
    assert held["probability_low"].mean() == pytest.approx(rate, abs=1e-6)
    assert abs(float(free["probability_low"].mean()) - rate) > 0.1  # type: ignore[arg-type]
    same_order = np.argsort(free["expected_share"].to_numpy()) == np.argsort(held["expected_share"].to_numpy())
    assert same_order.all()


# --- what is known -----------------------------------------------------------------------------------


def hand(*rows: tuple[str, str, int, float]) -> pl.DataFrame:
    """Standings by hand: school, procedure, year, relative logit."""
    return pl.DataFrame(
        [
            result(school, procedure, year, 20, 5) | {"relative": relative, "level": -1.0}
            for school, procedure, year, relative in rows
        ]
    ).with_columns(
        settlement=pl.lit(None, dtype=pl.String), type_group=pl.lit("ordinary"), rank_share=pl.lit(None, pl.Float64)
    )


HAND = hand(
    ("a", "vpr_5_russian", 2020, 1.0),
    ("a", "vpr_5_mathematics", 2020, 2.0),
    ("a", "vpr_6_russian", 2020, 4.0),
    ("a", "vpr_5_russian", 2019, 0.5),
    ("a", "vpr_6_russian", 2019, 1.5),
    ("b", "vpr_5_russian", 2020, -1.0),
    ("b", "vpr_5_russian", 2018, 9.0),
)


def test_features_of_the_last_year() -> None:
    rows = last_year_features(HAND, 2020).sort(KEYS).select(*KEYS, "own", "others", "before").rows()
    assert rows == [
        ("a", "vpr_5_mathematics", 2.0, 2.5, 1.0),
        ("a", "vpr_5_russian", 1.0, 3.0, 1.0),
        ("a", "vpr_6_russian", 4.0, 1.5, 1.0),
        ("b", "vpr_5_russian", -1.0, 0.0, 0.0),
    ]


def test_features_of_the_same_year_come_from_other_grades_alone() -> None:
    rows = same_year_features(HAND, 2020).select(*KEYS, "own", "others", "before").rows()
    assert rows == [
        ("a", "vpr_5_mathematics", 0.0, 4.0, 0.0),
        ("a", "vpr_5_russian", 4.0, 0.0, 0.0),
        ("a", "vpr_6_russian", 1.0, 2.0, 0.0),
    ]  # nothing of school b but its one procedure is known


def test_pairs_are_of_neighbouring_years_only() -> None:
    learnt = learnable(HAND, 2020)
    assert (learnt.kind, learnt.years) == ("pairs_of_years", (2018, 2019, 2020))
    # of 2018 and 2019 no school has both, of 2019 and 2020 school a has two procedures
    assert learnt.rows.select(*KEYS, "own").rows() == [("a", "vpr_5_russian", 0.5), ("a", "vpr_6_russian", 1.5)]
    assert learnable(HAND, 2018).kind == "same_year"
    assert learnable(HAND.filter(pl.col("start_year") != 2019), 2020).kind == "same_year"


def test_simple_rules_by_hand() -> None:
    flags = pl.DataFrame(
        [
            result("a", "vpr_5_russian", 2019, 10, 5),  # low, then not
            result("a", "vpr_5_russian", 2020, 10, 0),
            result("b", "vpr_5_russian", 2019, 10, 5),  # low, then low
            result("b", "vpr_5_russian", 2020, 10, 5),
            result("c", "vpr_5_russian", 2019, 10, 0),  # not, then not
            result("c", "vpr_5_russian", 2020, 10, 0),
        ]
    )
    rows = HAND.head(0).drop("method_id")
    full = pl.concat([rows, flags.drop("method_id")], how="diagonal").with_columns(
        relative=pl.lit(0.0), level=pl.lit(-1.0)
    )
    assert flag_rates(full, learnable(full, 2020)) == {True: 2 / 4, False: 1 / 3}
    assert region_rates(full, 2020).rows() == [("vpr_5_russian", 2 / 5)]


def test_an_index_made_of_results_is_not_looked_at(region: dict[str, pl.DataFrame]) -> None:
    def with_index(method: str) -> pl.DataFrame:
        schema = polars_schema("context_index")
        row = {
            "academic_year": "2018-2019",
            "school_id": "s001",
            "method": method,
            "rank_share": 0.9,
            "is_official": True,
        }
        index = pl.DataFrame([row], schema=schema)
        return known_of(region | {"analysis.context_index": index}).filter(school_id="s001")

    assert with_index("z_mean")["rank_share"].unique().to_list() == [0.9]
    assert with_index("regression_weights")["rank_share"].unique().to_list() == [None]


# --- no look ahead, no order -------------------------------------------------------------------------


def test_a_forecast_does_not_see_the_year_it_is_for(known: pl.DataFrame) -> None:
    whole = forecast_after(known, 2020, THIRTY, FACTS)
    past = forecast_after(known.filter(pl.col("start_year") <= 2020), 2020, THIRTY, FACTS)
    assert np.array_equal(whole.model.coefficients, past.model.coefficients)
    assert whole.rows.equals(past.rows)
    changed = known.with_columns(
        relative=pl.when(pl.col("start_year") == 2021).then(9.0).otherwise("relative"),
        below_minimum=pl.when(pl.col("start_year") == 2021).then("participants").otherwise("below_minimum"),
        is_low=(pl.col("start_year") == 2021) | pl.col("is_low"),
    )
    told, retold = backtest(known, THIRTY, FACTS), backtest(changed, THIRTY, FACTS)
    assert told["probability_low"].equals(retold["probability_low"])
    assert told["last_flag"].equals(retold["last_flag"])
    assert not told["happened"].equals(retold["happened"])
    assert set(told["judged_year"]) == {"2020-2021", "2021-2022"}


def test_the_order_of_rows_changes_nothing(region: dict[str, pl.DataFrame], written: Frames) -> None:
    mixed = _compute({name: frame.sample(fraction=1, shuffle=True, seed=7) for name, frame in region.items()})
    assert all(frame.equals(mixed[name]) for name, frame in written.items())


# --- shown or not ------------------------------------------------------------------------------------


def verdict(written: Frames) -> dict[str, Any]:
    (row,) = (
        written["outlook_score"].filter(group_kind="all", judged_year="all", predictor="probability_low").to_dicts()
    )
    return row


def test_schools_that_differ_for_years_are_forecast_and_shown(written: Frames) -> None:
    for name, frame in written.items():
        assert failures(name, frame).is_empty()
    row = verdict(written)
    assert row["is_published"]
    assert row["note_ru"].startswith("Модель лучше обоих простых правил")
    assert row["roc_auc"] > 0.8
    assert row["calibration_slope_upper"] > 1  # never too sure: the level of the region could have moved and did not
    shown = written["outlook_forecast"]
    assert set(shown["academic_year"]) == {"2022-2023"}
    assert shown["probability_low"].null_count() == 0
    assert shown.filter(
        ~pl.col("expected_share").is_between("expected_share_ci_low", "expected_share_ci_high")
    ).is_empty()
    worst = shown.sort("probability_low", descending=True)["drivers_ru"][0]
    assert worst.startswith("повышают: ")


def test_a_model_that_fails_on_past_years_is_not_shown() -> None:
    written = _compute(World(turning=True).frames())
    assert not verdict(written)["is_published"]
    assert verdict(written)["note_ru"].startswith("Модель не лучше обоих простых правил")
    shown = written["outlook_forecast"]
    hidden = ["probability_low", "baseline_probability", "region_probability", "expected_share", "drivers_ru"]
    assert shown.height == 600
    assert all(shown[name].null_count() == shown.height for name in hidden)
    assert shown["reason_ru"].null_count() == 0


def test_it_can_be_switched_off(region: dict[str, pl.DataFrame], monkeypatch: pytest.MonkeyPatch) -> None:
    off = FACTS.model_copy(update={"is_enabled": FACTS.is_enabled.model_copy(update={"value": False})})
    monkeypatch.setattr("opora.analysis.outlook.read_file", lambda name, model: off)
    written = _compute(region)
    assert written["outlook_score"].is_empty()
    assert written["outlook_forecast"]["probability_low"].null_count() == written["outlook_forecast"].height
    assert set(written["outlook_forecast"]["reason_ru"]) == {"Прогноз выключен в настройках (is_enabled)."}


def test_a_method_that_decides_otherwise_is_not_forecast(region: dict[str, pl.DataFrame]) -> None:
    method = region["reference.method"].with_columns(low_result_decided_by=pl.lit("interval"))
    written = _compute(region | {"reference.method": method})
    assert not verdict(written)["is_published"]
    assert written["outlook_forecast"]["reason_ru"][0].startswith("Методика решает о низком результате не по доле")


def test_one_year_gives_nothing_to_judge_by() -> None:
    written = _compute(World(years=(2020,)).frames())
    assert written["outlook_score"].is_empty()
    assert written["outlook_forecast"]["reason_ru"][0].startswith("Проверить модель не на чем")


def test_an_empty_region_writes_nothing() -> None:
    frames = World(schools=40, years=(2020,)).frames()
    empty = {name: frame.head(0) for name, frame in frames.items()}
    assert all(frame.is_empty() for frame in _compute(empty).values())


def test_a_year_with_few_schools_is_no_last_year() -> None:
    frames = World(years=(2019, 2020)).frames()
    late = World(schools=9, years=(2021,)).frames()["intermediate.int_result_history"]
    results = pl.concat([frames["intermediate.int_result_history"], late])
    written = _compute(frames_of(results, frames["intermediate.int_school_trait"]))
    assert set(written["outlook_forecast"]["academic_year"]) == {"2021-2022"}
    assert "2021-2022 (9)" in verdict(written)["note_ru"]
    assert "на одном году" in verdict(written)["note_ru"]


def test_small_groups_have_no_scores_and_say_why(written: Frames) -> None:
    rows = written["outlook_score"].filter(group_kind="school_type", group_id="special")
    assert rows["pairs_count"].to_list() == [0, 0, 0]
    assert rows["brier"].null_count() == 3
    assert all("не меньше" in note for note in rows["note_ru"])


def test_what_it_reads_is_what_it_names(region: dict[str, pl.DataFrame]) -> None:
    assert set(OUTLOOK.reads) == set(region)


# --- scores ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def told() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What happened, what was said, and of which school: 5 rows of each of 60 schools."""
    random = np.random.default_rng(11)
    probability = random.beta(1, 4, 300)
    return (random.random(300) < probability).astype(float), probability, np.repeat(np.arange(60), 5)


def test_scores_are_those_of_scikit_learn(told: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    happened, probability, _ = told
    cost = losses(happened, probability)
    assert cost["brier"].mean() == pytest.approx(brier_score_loss(happened, probability))
    assert cost["log_loss"].mean() == pytest.approx(log_loss(happened, probability))
    assert roc_auc(happened, probability) == pytest.approx(roc_auc_score(happened, probability))
    assert np.isnan(roc_auc(np.ones(5), np.arange(5.0)))


def test_a_school_drawn_twice_counts_twice(told: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    happened, probability, school = told
    drawn = np.random.default_rng(1).multinomial(60, np.full(60, 1 / 60))
    rows = np.repeat(np.arange(300), drawn[school])
    cost = losses(happened, probability)["brier"]
    low, high = Resamples(np.array([drawn, drawn]), 0.025).mean(school, cost)
    assert low == high == pytest.approx(cost[rows].mean())


@pytest.mark.parametrize("decimals", [1, 9])
def test_bounds_of_the_area_are_those_of_rows_drawn_anew(
    told: tuple[np.ndarray, np.ndarray, np.ndarray], decimals: int
) -> None:
    happened, probability, school = told
    rounded = probability.round(decimals)  # with one decimal most rows are alike
    resamples = Resamples.of(60, 40, 5, 0.95)
    rows = [np.repeat(np.arange(300), drawn[school]) for drawn in resamples.drawn]
    expected = np.quantile([roc_auc_score(happened[some], rounded[some]) for some in rows], [0.025, 0.975])
    assert resamples.area(school, happened, rounded) == pytest.approx(tuple(expected), abs=1e-12)


def test_bounds_of_a_mean_are_near_those_of_the_cluster_robust_error(
    told: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    import statsmodels.api as sm

    happened, probability, school = told
    cost = losses(happened, probability)["brier"]
    fit = sm.OLS(cost, np.ones(300)).fit(cov_type="cluster", cov_kwds={"groups": school})
    low, high = Resamples.of(60, 2000, 3, 0.95).mean(school, cost)
    assert (low, high) == pytest.approx(tuple(fit.conf_int()[0]), abs=0.005)


def test_calibration_knows_a_forecast_that_is_too_sure(told: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    happened, probability, school = told
    fair = calibration(happened, probability, school, 0.95)
    assert fair["calibration_slope_lower"] < 1 < fair["calibration_slope_upper"]
    assert fair["calibration_intercept_lower"] < 0 < fair["calibration_intercept_upper"]
    too_sure = calibration(happened, expit(2 * logit(probability)), school, 0.95)
    assert too_sure["calibration_slope"] == pytest.approx(fair["calibration_slope"] / 2, rel=0.01)
    too_high = calibration(happened, expit(logit(probability) + 1), school, 0.95)
    assert too_high["calibration_intercept_upper"] < 0
    assert calibration(np.zeros(300), probability, school, 0.95) == {}
    assert calibration(happened, np.full(300, 0.2), school, 0.95) == {}


def test_the_gain_is_the_difference_of_the_scores(told: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    happened, probability, school = told
    names = [f"s{number:02}" for number in range(60)]
    rows = pl.DataFrame(
        {
            "school_id": [names[i] for i in school],
            "happened": happened == 1,
            "good": probability,
            "bad": np.full(300, happened.mean()),
        }
    )
    numbers = {name: number for number, name in enumerate(names)}
    scorer = Scorer(("good", "bad"), "good", Resamples.of(60, 200, 1, 0.95), numbers, 0.95, 50)
    good, bad = scorer.score(rows, is_full=True)
    assert bad["brier_gain"] == pytest.approx(bad["brier"] - good["brier"])  # type: ignore[operator]
    assert bad["brier_gain_lower"] < bad["brier_gain"] < bad["brier_gain_upper"]  # type: ignore[operator]
    assert "brier_gain" not in good
    assert good["roc_auc_lower"] < good["roc_auc"] < good["roc_auc_upper"]  # type: ignore[operator]


def test_the_worked_example_of_the_page_adds_up() -> None:
    share = expit(np.array([-1.5 + 0.5 * 1.2 + 0.3 * 1.0]))
    weight = spread(share, 15.0, 0.4)
    found = [probability_low(share, weight, n, THIRTY.least(n))[0] for n in (np.array([20]), np.array([5]))]
    page = (PROJECT / "docs" / "methodology" / "outlook.md").read_text(encoding="utf-8")
    assert (round(share[0], 2), round(weight[0], 1), [round(p, 2) for p in found]) == (0.35, 9.1, [0.64, 0.55])
    assert "доля 35 %" in page
    assert "w' = 9,1 и P = 0,64" in page
    assert "P = 0,55" in page
