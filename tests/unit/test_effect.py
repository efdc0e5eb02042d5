"""Supported schools beside similar ones: simulated truth is found again, sham support is told, no cause is claimed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from opora.analysis.base import Frames
from opora.analysis.effect import EFFECT, _compute, groups_of, study_of
from opora.analysis.effect_matching import Cohort, Search, balance, match
from opora.analysis.effect_model import EffectFacts, Region, compare, units
from opora.facts import read_file
from opora.home import PROJECT
from schemas.arrow import polars_schema
from schemas.pandera_schemas import failures
from schemas.registry import table
from tests.simulated import PROCEDURES, result, traits, year_name

FACTS = read_file("analysis/effect.yaml", EffectFacts)
ALL, RUSSIAN, _ = FACTS.outcomes
YEARS = (2018, 2019, 2020, 2021, 2022)
LIST_YEARS = (2020, 2021)
Floats = NDArray[np.float64]


# --- a region where the truth is known ---------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """Schools with a lasting logit and years of their own.

    Two programmes take schools by lot, `chosen_for_results` among those that had a low result the year before. From the
    year of the list on, `helped` moves the logits of the first; the second only has its name. `fading` moves the logits
    of all schools that had a bad year, supported or not; `early` those of the first a year before it begins.
    """

    schools: int = 900
    helped: float = 0.0
    fading: float = 0.0
    early: float = 0.0
    chosen_for_results: bool = True
    seed: int = 1

    def frames(self) -> tuple[dict[str, pl.DataFrame], float]:
        """What the analysis reads, and the true mean change of the share at schools helped, in their first year."""
        random = np.random.default_rng(self.seed)
        names = [f"s{i:03}" for i in range(self.schools)]
        quality = random.normal(-1.5, 0.6, self.schools)
        size = random.integers(5, 26, self.schools)
        lots = {year: random.random(self.schools) for year in LIST_YEARS}
        shift = np.zeros((len(YEARS), self.schools))
        for year, lot in lots.items():
            shift[YEARS.index(year) - 1 :, lot < 0.35] += self.early
        rows: list[dict[str, Any]] = []
        supported: list[dict[str, Any]] = []
        low = np.zeros(self.schools, dtype=int)
        true: list[tuple[float, float]] = []
        for number, year in enumerate(YEARS):
            wander = random.normal(0, 0.25, self.schools)
            if year in lots:
                may = (low >= 1) | (not self.chosen_for_results)
                first, second = may & (lots[year] < 0.35), may & (lots[year] > 0.65)
                for programme, chosen in (("a", first), ("b", second)):
                    supported += [membership(programme, year, names[i]) for i in np.flatnonzero(chosen)]
                without = expit(quality + wander + shift[number])
                shift[number:, first] += self.helped
                changed = expit(quality + wander + shift[number]) - without
                true += zip(size[first].tolist(), changed[first].tolist(), strict=True)
                shift[number:, low >= 1] += self.fading
            low = np.zeros(self.schools, dtype=int)
            for procedure in PROCEDURES:
                share = expit(quality + wander + shift[number] + random.normal(0, 0.1, self.schools))
                below = random.binomial(size, share)
                low += below * 100 >= 30 * size
                rows += [result(names[i], procedure, year, int(size[i]), int(below[i])) for i in range(self.schools)]
        weights, changes = np.array(true).T
        return frames_of(pl.DataFrame(rows), pl.DataFrame(supported)), float(np.average(changes, weights=weights))


def membership(
    programme: str, year: int, school: str, kind: str = "list", group: str = "all", *, by_rule: bool = False
) -> dict[str, Any]:
    return {
        "programme_id": programme,
        "programme_ru": f"программа {programme}",
        "academic_year": year_name(year),
        "school_id": school,
        "is_by_rule": by_rule,
        "group_kind": kind,
        "group_id": group,
        "group_ru": group,
        "start_year": year,
    }


def frames_of(history: pl.DataFrame, supported: pl.DataFrame) -> dict[str, pl.DataFrame]:
    breaks = {"procedure_id": pl.String, "academic_year": pl.String, "affects_marks": pl.Boolean}
    return {
        "intermediate.int_result_history": history,
        "intermediate.int_school_trait": traits(history["school_id"].n_unique()),
        "intermediate.int_supported_group": supported,
        "analysis.context_index": pl.DataFrame(schema=polars_schema("context_index")),
        "reference.academic_year": pl.DataFrame(
            {"start_year": list(range(2015, 2026)), "academic_year": [year_name(y) for y in range(2015, 2026)]}
        ),
        "reference.comparability_break": pl.DataFrame(schema=breaks),
    }


def rows_of(written: Frames, **key: str) -> list[dict[str, Any]]:
    wanted = {"group_kind": "list", "outcome_id": "all", "list_year": "all", "event": "list_year"} | key
    return written["effect_comparison"].filter(**wanted).to_dicts()


def row_of(written: Frames, **key: str) -> dict[str, Any]:
    (row,) = rows_of(written, **key)
    return row


def one_row(frames: dict[str, pl.DataFrame], programme: str) -> dict[str, Any]:
    """The row of all schools and list years of a programme, without the rest of the table."""
    study = study_of(frames, FACTS)
    (group,) = (group for group in study.groups if group.programme_id == programme)
    return study.row(group, ALL, list(LIST_YEARS), "list_year")


@pytest.fixture(scope="module")
def helped() -> tuple[dict[str, pl.DataFrame], Frames, float]:
    frames, truth = World(helped=-0.5).frames()
    return frames, _compute(frames), truth


# --- the truth is found again ------------------------------------------------------------------------


def test_a_planted_change_is_found_and_an_empty_programme_shows_none(
    helped: tuple[dict[str, pl.DataFrame], Frames, float],
) -> None:
    _, written, truth = helped
    assert truth < -0.04
    for programme, true in (("a", truth), ("b", 0.0)):
        row = row_of(written, programme_id=programme)
        assert row["difference_net_of_regression"] == pytest.approx(true, abs=0.02)
        low, high = (row[f"difference_net_of_regression_{end}"] for end in ("lower", "upper"))
        assert low <= true <= high
        assert row["is_placebo_passed"]
        assert row["sensitivity_count"] == 5
        assert row["sensitivity_lower"] - 0.02 <= true <= row["sensitivity_upper"] + 0.02
    planted = row_of(written, programme_id="a")
    assert planted["difference_net_of_regression_upper"] < 0
    likeness = written["effect_covariate"].filter(pl.col("covariate_id").is_in(["last", "before"]), list_year="all")
    assert likeness["difference_before"].min() > 0.25  # type: ignore[operator]
    assert likeness["difference_after"].abs().max() < 0.1  # type: ignore[operator]
    assert likeness["is_balanced"].all()


def test_before_and_after_alone_would_have_promised_more(
    helped: tuple[dict[str, pl.DataFrame], Frames, float],
) -> None:
    """Schools were chosen in a bad year, so they get better even where nothing was done."""
    _, written, truth = helped
    assert row_of(written, programme_id="b")["treated_change"] < -0.015
    assert row_of(written, programme_id="a")["treated_change"] < truth - 0.01
    for programme in ("a", "b"):
        row = row_of(written, programme_id=programme)
        assert row["treated_expected_regression"] < 0
        assert row["comparison_expected_regression"] < 0


def test_over_many_regions_the_net_difference_is_not_biased() -> None:
    """Ten regions without any change: the mean net difference is near 0, the mean change of the chosen is not."""
    rows = []
    for seed in range(10):
        frames, _ = World(schools=400, seed=seed + 10).frames()
        (group, *_) = groups_of(frames["intermediate.int_supported_group"])
        region = region_of(frames)
        pairs, changes = [], {}
        for year in LIST_YEARS:
            cohort = Cohort(
                year,
                group.schools[year],
                frozenset(frames["intermediate.int_result_history"]["school_id"]) - chosen(frames, year),
            )
            pairs.append(match(cohort, region.covariates(year), FACTS.search))
            changes[year] = region.changes(ALL, year - 1, year)
        found = compare(units(pl.concat(pairs), changes), 0.95)
        rows.append((found.net[0], found.shares[1] - found.shares[0], found.net[1] <= 0 <= found.net[2]))
    net, naive, covered = np.array(rows, dtype=float).T
    assert abs(net.mean()) < 2.6 * net.std(ddof=1) / np.sqrt(len(net))
    assert abs(net.mean()) < 0.01
    assert naive.mean() < -0.015
    assert covered.sum() >= 8


def chosen(frames: dict[str, pl.DataFrame], year: int) -> frozenset[str]:
    return frozenset(frames["intermediate.int_supported_group"].filter(start_year=year)["school_id"])


def region_of(frames: dict[str, pl.DataFrame]) -> Region:
    about = frames["intermediate.int_school_trait"].select(
        "school_id", urban=pl.col("is_urban").cast(pl.Float64), conditions=pl.lit(None, pl.Float64)
    )
    return Region(frames["intermediate.int_result_history"], about, 1000)


def test_sham_support_tells_of_change_that_came_to_all_bad_schools() -> None:
    frames, _ = World(fading=-0.8).frames()
    row = one_row(frames, "b")
    assert row["placebo_sham_upper"] < 0
    assert row["is_placebo_passed"] is False
    assert FACTS.notes.placebo_failed in row["design_note_ru"]


def test_earlier_support_tells_of_schools_that_were_on_their_way_already() -> None:
    frames, _ = World(early=-0.8, chosen_for_results=False).frames()
    row = one_row(frames, "a")
    assert row["placebo_earlier_upper"] < 0
    assert row["is_placebo_passed"] is False


def test_a_bad_year_before_the_list_is_no_failure_but_is_seen() -> None:
    frames, _ = World().frames()
    row = one_row(frames, "b")
    assert row["placebo_earlier_lower"] > 0
    assert row["is_placebo_passed"]


def test_expected_regression_is_what_schools_chosen_for_a_bad_year_show_again() -> None:
    random = np.random.default_rng(8)
    share = random.beta(6, 24, 3000)
    size = random.integers(5, 60, 3000)
    first, second = random.binomial(size, share), random.binomial(size, share)
    rows = [
        result(f"s{i:04}", "vpr_5_russian", year, int(size[i]), int(k[i]))
        for year, k in ((2020, first), (2021, second))
        for i in range(3000)
    ]
    about = pl.DataFrame({"school_id": ["s0000"], "urban": [1.0], "conditions": [0.5]})
    changes = Region(pl.DataFrame(rows), about, 1000).changes(ALL, 2020, 2021)
    bad = changes.filter(pl.col("k0") * 10 >= 3 * pl.col("n0"))
    raw, expected, came = (
        float(np.average(bad[name] / bad[of] if of else bad[name], weights=bad["n0"]))
        for name, of in (("k0", "n0"), ("expected", ""), ("k1", "n1"))
    )
    assert raw - came > 0.08
    assert expected == pytest.approx(came, abs=0.01)


# --- the figures -------------------------------------------------------------------------------------

HAND = pl.DataFrame(
    [
        ("t1", 20, 8, 25, 5, 0.35),
        ("t2", 10, 5, 10, 4, 0.40),
        ("c1", 30, 9, 20, 5, 0.28),
        ("c2", 10, 4, 20, 4, 0.33),
        ("c3", 40, 16, 40, 10, 0.38),
    ],
    schema=["school_id", "n0", "k0", "n1", "k1", "expected"],
    orient="row",
)
PAIRS = pl.DataFrame(
    {"start_year": 2020, "treated_id": ["t1", "t1", "t2", "t2"], "comparison_id": ["c1", "c2", "c2", "c3"]},
    schema={"start_year": pl.Int64, "treated_id": pl.String, "comparison_id": pl.String},
)


def test_shares_and_weights_by_hand() -> None:
    rows = units(PAIRS, {2020: HAND})
    similar = {row["school_id"]: (row["w0"], row["w1"]) for row in rows.filter(~pl.col("is_treated")).to_dicts()}
    # t1 weighs 20 and 25: c1 and c2 share them 30 to 10 before and 20 to 20 after; t2 weighs 10 and 10
    assert similar["c1"] == pytest.approx((15.0, 12.5))
    assert similar["c2"] == pytest.approx((5.0 + 2.0, 12.5 + 10 / 3))
    assert similar["c3"] == pytest.approx((8.0, 20 / 3))
    found = compare(rows, 0.95)
    before = (15 * 0.3 + 7 * 0.4 + 8 * 0.4) / 30
    after = (12.5 * 0.25 + (12.5 + 10 / 3) * 0.2 + 20 / 3 * 0.25) / 35
    assert found.shares == pytest.approx((13 / 30, 9 / 35, before, after))
    assert found.difference[0] == pytest.approx((9 / 35 - 13 / 30) - (after - before))
    expected = ((20 * 0.35 + 10 * 0.4) / 30, (15 * 0.28 + 7 * 0.33 + 8 * 0.38) / 30)
    assert found.expected == pytest.approx(expected)
    assert found.net[0] == pytest.approx((9 / 35 - expected[0]) - (after - expected[1]))
    assert (found.matched, found.similar, found.participants) == (2, 3, 35)


def test_the_worked_example_of_the_page_adds_up() -> None:
    rows = units(PAIRS.filter(treated_id="t1"), {2020: HAND})
    found = compare(rows, 0.95)
    assert found.shares == pytest.approx((0.40, 0.20, 0.325, 0.225))
    assert found.difference[0] == pytest.approx(-0.10)
    page = (PROJECT / "docs" / "methodology" / "effect.md").read_text(encoding="utf-8")
    assert "= 32,5 %, стало (12,5 · 0,25 + 12,5 · 0,20) / 25 = 22,5 %" in page
    assert "= −10 пунктов" in page


def test_the_interval_is_near_that_of_schools_drawn_anew() -> None:
    """Pairs apart from one another, so that schools can be drawn with replacement by SciPy's bootstrap."""
    from scipy import stats

    random = np.random.default_rng(2)
    size = random.integers(10, 60, (2, 120))
    k0, k1 = (random.binomial(size, random.beta(8, 20, size.shape)) for _ in range(2))
    side = [
        pl.DataFrame(
            {
                "school_id": [f"{letter}{i:03}" for i in range(120)],
                "n0": size[s],
                "k0": k0[s],
                "n1": size[s],
                "k1": k1[s],
            }
        )
        for s, letter in enumerate("tc")
    ]
    changes = pl.concat(side).with_columns(expected=pl.col("k0") / pl.col("n0"))
    pairs = pl.DataFrame(
        {"start_year": 2020, "treated_id": side[0]["school_id"], "comparison_id": side[1]["school_id"]}
    )
    found = compare(units(pairs.cast({"start_year": pl.Int64}), {2020: changes}), 0.95)

    def statistic(*columns: Floats, axis: int = -1) -> Floats:
        n, tk0, tk1, cd = columns
        treated = tk1.sum(axis) / n.sum(axis) - tk0.sum(axis) / n.sum(axis)
        return np.asarray(treated - (n * cd).sum(axis) / n.sum(axis))

    data = (size[0], k0[0], k1[0], (k1[1] - k0[1]) / size[1])
    drawn = stats.bootstrap(
        data, statistic, paired=True, n_resamples=2000, rng=np.random.default_rng(1), method="basic"
    )
    low, high = drawn.confidence_interval
    assert statistic(*data) == pytest.approx(found.difference[0])
    assert found.difference[1:] == pytest.approx((low, high), abs=0.012)


# --- similar schools ---------------------------------------------------------------------------------


def known(rows: list[tuple[str, float, float, float]]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=["school_id", "last", "size", "urban"], orient="row")
    return frame.with_columns(start_year=pl.lit(2020, pl.Int64))


SEARCH = Search(("last", "size"), ("last",), neighbours=2, caliper=0.5, same_settlement=True, least_pool=2)
POOL = known(
    [
        ("t1", 1.0, 3.0, 1.0),
        ("t2", 1.0, 3.0, 0.0),
        ("t3", 9.0, 3.0, 1.0),
        ("c1", 1.1, 3.5, 1.0),
        ("c2", 1.0, 5.0, 1.0),
        ("c3", 1.0, 3.0, 0.0),
        ("c4", -4.0, 3.0, 1.0),
        ("c5", 1.2, 3.1, 1.0),
    ]
)
COHORT = Cohort(2020, frozenset({"t1", "t2", "t3"}), frozenset({"c1", "c2", "c3", "c4", "c5"}))


def test_the_nearest_of_the_same_settlement_within_the_caliper() -> None:
    pairs = match(COHORT, POOL, SEARCH).select("treated_id", "comparison_id").rows()
    # t1: of the town, c5 is nearest, then c1; c2 is far in size. t2: one village school is too few, so all are taken.
    # t3: nobody is within half a deviation of its result.
    assert pairs == [("t1", "c1"), ("t1", "c5"), ("t2", "c3"), ("t2", "c5")]


def test_the_order_of_schools_does_not_change_who_is_similar() -> None:
    expected = match(COHORT, POOL, SEARCH)
    for seed in range(5):
        assert match(COHORT, POOL.sample(fraction=1, shuffle=True, seed=seed), SEARCH).equals(expected)


def test_a_wider_caliper_finds_more_and_equal_schools_are_taken_in_their_order() -> None:
    wide = match(COHORT, POOL, SEARCH.but(caliper=50.0))
    assert set(wide["treated_id"]) == {"t1", "t2", "t3"}
    twins = known([("t1", 1.0, 1.0, 1.0), *[(f"c{i}", 1.0, 1.0, 1.0) for i in (3, 1, 2)], ("c9", 0.0, 2.0, 1.0)])
    cohort = Cohort(2020, frozenset({"t1"}), frozenset({"c1", "c2", "c3", "c9"}))
    assert match(cohort, twins, SEARCH)["comparison_id"].to_list() == ["c1", "c2"]


def test_schools_equally_far_on_both_sides_are_taken_in_their_order() -> None:
    """10/90 lies between 9/90 and 11/90, though the distances differ in the last bit."""
    sides = known(
        [("t1", 10 / 90, 1.0, 1.0), ("c1", 11 / 90, 1.0, 1.0), ("c2", 9 / 90, 1.0, 1.0), ("c3", 0.9, 1.0, 1.0)]
    )
    cohort = Cohort(2020, frozenset({"t1"}), frozenset({"c1", "c2", "c3"}))
    other = sides.with_columns(pl.col("school_id").replace({"c1": "c2", "c2": "c1"}))
    for rows in (sides, other):
        assert match(cohort, rows, SEARCH.but(neighbours=1))["comparison_id"].to_list() == ["c1"]


def test_nobody_to_choose_from_is_no_failure() -> None:
    empty = Cohort(2020, frozenset({"t1"}), frozenset())
    assert match(empty, POOL, SEARCH).is_empty()
    assert balance([empty], match(empty, POOL, SEARCH), POOL, ["last"])[0]["difference_after"] is None


def test_the_balance_by_hand() -> None:
    (row,) = balance([COHORT], match(COHORT, POOL, SEARCH), POOL, ["last"])
    mine, pool = np.array([1.0, 1.0, 9.0]), np.array([1.1, 1.0, 1.0, -4.0, 1.2])
    deviation = np.sqrt((mine.var() + pool.var()) / 2)
    assert (row["treated_mean"], row["pool_mean"]) == pytest.approx((mine.mean(), pool.mean()))
    assert row["difference_before"] == pytest.approx((mine.mean() - pool.mean()) / deviation)
    matched = (1.1 * 0.5 + 1.2 * 0.5 + 1.0 * 0.5 + 1.2 * 0.5) / 2
    assert (row["matched_treated_mean"], row["matched_comparison_mean"]) == pytest.approx((1.0, matched))
    assert row["difference_after"] == pytest.approx((1.0 - matched) / deviation)


# --- no look ahead, no order, no promise -------------------------------------------------------------


def test_who_is_similar_does_not_depend_on_what_came_of_it(
    helped: tuple[dict[str, pl.DataFrame], Frames, float],
) -> None:
    frames, _, _ = helped
    history = frames["intermediate.int_result_history"]
    changed = history.with_columns(
        below_minimum=pl.when(pl.col("start_year") >= 2020).then(0).otherwise("below_minimum"),
    )
    cohort = Cohort(2020, chosen(frames, 2020), frozenset(history["school_id"]) - chosen(frames, 2020))
    told, retold = (
        match(cohort, region_of(frames | {"intermediate.int_result_history": rows}).covariates(2020), FACTS.search)
        for rows in (history, changed)
    )
    assert told.height > 100
    assert told.equals(retold)


def test_the_order_of_rows_changes_nothing(helped: tuple[dict[str, pl.DataFrame], Frames, float]) -> None:
    frames, written, _ = helped
    mixed = _compute({name: frame.sample(fraction=1, shuffle=True, seed=7) for name, frame in frames.items()})
    for name, frame in written.items():
        assert failures(name, frame).is_empty()
        for column in frame.columns:
            if frame.schema[column] == pl.Float64:
                difference = (frame[column] - mixed[name][column]).abs().max()
                assert difference is None or float(difference) < 1e-9, column  # type: ignore[arg-type]
            else:
                assert frame[column].equals(mixed[name][column]), column


def test_every_group_outcome_year_and_event_is_there(helped: tuple[dict[str, pl.DataFrame], Frames, float]) -> None:
    _, written, _ = helped
    rows = written["effect_comparison"]
    assert rows.height == 2 * len(FACTS.outcomes) * (len(LIST_YEARS) + 1) * 3
    assert set(rows["list_year"]) == {"2020-2021", "2021-2022", "all"}
    before = row_of(written, programme_id="a", event="year_before")
    assert (before["before_years"], before["after_years"]) == ("2018-2019;2019-2020", "2019-2020;2020-2021")
    assert before["difference_net_of_regression"] is None
    assert before["design_note_ru"] is None
    after = row_of(written, programme_id="a", event="year_after", list_year="2021-2022")
    assert (after["before_years"], after["after_years"]) == ("2020-2021", "2022-2023")


def small(count: int, years: tuple[int, ...] = (2019, 2020)) -> dict[str, pl.DataFrame]:
    """Sixty schools with plain results; `count` of them in the list of 2020."""
    rows = [
        result(f"s{i:03}", p, year, 20, 4 + (i + year) % 5) for i in range(60) for p in PROCEDURES for year in years
    ]
    return frames_of(pl.DataFrame(rows), pl.DataFrame([membership("a", 2020, f"s{i:03}") for i in range(count)]))


def test_too_few_schools_are_refused_with_the_number() -> None:
    least = FACTS.minimum_treated.value
    (row,) = rows_of(_compute(small(least - 1)), list_year="2020-2021")
    assert not row["is_estimated"]
    assert (
        row["reason_ru"]
        == f"Школ группы, которым нашлись сходные, {least - 1}, а нужно не меньше {least}: сравнения нет."
    )
    assert row["difference_in_differences"] is None
    assert rows_of(_compute(small(30)), list_year="2020-2021")[0]["is_estimated"]
    (crowd,) = rows_of(_compute(small(55)), list_year="2020-2021")
    assert crowd["reason_ru"].startswith("Сходных школ, ")


def test_years_without_results_are_refused() -> None:
    written = _compute(small(30))
    reasons = {
        row["event"]: row["reason_ru"] for row in written["effect_comparison"].filter(outcome_id="all").to_dicts()
    }
    assert reasons["list_year"] is None
    assert reasons["year_before"] == reasons["year_after"] == "Результатов года до или года после нет или их мало."
    assert _compute(small(30, years=(2021, 2022)))[
        "effect_comparison"
    ].is_empty()  # nothing of the year before the list


def test_a_list_by_rule_has_no_earlier_placebo_and_says_so() -> None:
    frames, _ = World(schools=400).frames()
    ruled = frames["intermediate.int_supported_group"].with_columns(is_by_rule=pl.lit(True))
    row = one_row(frames | {"intermediate.int_supported_group": ruled}, "a")
    assert "placebo_earlier" not in row
    assert row["placebo_sham"] is not None
    assert FACTS.notes.by_rule in row["design_note_ru"]
    delivered = one_row(frames, "a")
    assert delivered["placebo_earlier"] is not None
    assert FACTS.notes.by_rule not in delivered["design_note_ru"]


def test_breaks_between_the_years_are_named() -> None:
    frames, _ = World(schools=400).frames()
    breaks = pl.DataFrame({"procedure_id": [PROCEDURES[0]], "academic_year": ["2020-2021"], "affects_marks": [True]})
    study = study_of(frames | {"reference.comparability_break": breaks}, FACTS)
    told = {year: study.row(study.groups[0], ALL, [year], "list_year")["design_note_ru"] for year in LIST_YEARS}
    assert FACTS.notes.break_between in told[2020]
    assert FACTS.notes.break_between not in told[2021]


def test_schools_of_any_programme_and_excluded_ones_are_nobodys_comparison() -> None:
    frames = small(20)
    history = frames["intermediate.int_result_history"].with_columns(is_excluded=pl.col("school_id") == "s059")
    members = [membership("a", 2020, f"s{i:03}") for i in range(20)]
    members += [membership("b", 2020, "s020"), membership("shnor", 2020, "s021", by_rule=True)]
    study = study_of(frames_of(history, pl.DataFrame(members)), FACTS)
    numbers = {name: {int(school[1:]) for school in study.pool(name, 2020)} for name in ("a", "b", "shnor")}
    # the list of the method is no programme: its schools may be compared with those of one
    assert numbers["a"] == numbers["b"] == {21, *range(22, 59)}
    assert numbers["shnor"] == set(range(22, 59))


def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    off = FACTS.model_copy(update={"is_enabled": FACTS.is_enabled.model_copy(update={"value": False})})
    real: Callable[..., Any] = read_file
    monkeypatch.setattr(
        "opora.analysis.effect.read_file", lambda name, model: off if model is EffectFacts else real(name, model)
    )
    assert all(frame.is_empty() for frame in _compute(small(30)).values())


def test_no_word_promises_a_cause() -> None:
    marts = [table(name) for name in ("measure_effect", "effect_balance")]
    words = [*FACTS.notes.model_dump().values(), *(mart.title_ru + mart.description_ru for mart in marts)]
    words += [column.label_ru + column.description_ru for mart in marts for column in mart.columns]
    for text in words:
        plain = text.replace("причиной разницы поддержку называть нельзя", "").replace("Слова «причина» здесь нет", "")
        assert not re.search(r"(?i)эффект|благодаря|привел|привёл|вызва|причин|из-за поддержки", plain), text


def test_what_it_reads_is_what_it_names() -> None:
    assert set(EFFECT.reads) == set(small(1))
