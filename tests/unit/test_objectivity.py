"""Markers of objectivity, agreement with the journal, comparability and dynamics: random results against SciPy and
statsmodels, and cases worked by hand. Two builds of one small lake: as the reference says, and decided otherwise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from scipy import stats

from opora.build import build
from opora.facts import Setting
from opora.home import Home
from opora.models import choose, run_models
from opora.objectivity import MarkerMethod
from opora.reference import Reference, load_reference
from opora.warehouse import prepare
from schemas.pandera_schemas import failures
from schemas.registry import table
from tests.built import rows_of
from tests.unit.test_dbt_rules import Lake, exam, report, school, works

Row = dict[str, Any]
MARTS = ("objectivity", "objectivity_summary", "mark_agreement", "comparability", "dynamics", "stable_low")
Y20, Y21, Y22, Y23, Y24 = (f"{year}-{year + 1}" for year in range(2020, 2025))
WORKS = ("vpr_4_russian", "vpr_4_mathematics", "vpr_5_russian", "vpr_5_mathematics")
RU4, MA4, RU5, MA5 = WORKS
MAXIMUM = 20
SCHOOLS = range(1, 41)
REFERENCE = load_reference()
(METHOD,) = REFERENCE.marker_methods


# --- the lake ----------------------------------------------------------------------------------------


def pupils(login: str, procedure: str, year: str, results: list[tuple[float | None, int | None]]) -> list[Row]:
    """Works of a school by score and mark in the journal; without a score the pupil was absent."""
    rows = works(login, procedure, year, 0, len(results), max_score=float(MAXIMUM))
    for row, (score, prior) in zip(rows, results, strict=True):
        row |= {"total_score": score, "prior_mark": prior, "mark": None if score is None else _mark(score)}
        row["attendance"] = "absent" if score is None else "participated"
    return rows


def _mark(score: float) -> int:
    return 2 + sum(score >= least for least in (7, 11, 15))


def random_pupils(rng: np.random.Generator, number: int) -> Iterator[tuple[str, str, list[tuple[float, int | None]]]]:
    """A school's works of two years: sizes from one pupil up, some marks of the journal unknown."""
    level = rng.normal(11, 2.5)
    for year in (Y22, Y23):
        for procedure in WORKS:
            size = number if number < 4 else int(rng.integers(3, 30))
            scores = np.clip(np.round(rng.normal(level, 4, size)), 0, MAXIMUM)
            priors = np.clip(np.round(scores / 5 + rng.normal(0.5, 1.5, size)), 2, 5).astype(int)
            known = rng.random(size) > 0.1
            marked = [
                (float(s), int(p) if is_known else None) for s, p, is_known in zip(scores, priors, known, strict=True)
            ]
            yield procedure, year, marked


def fill(lake: Lake) -> None:
    add = lake.add
    rng = np.random.default_rng(5)
    for number in SCHOOLS:
        for procedure, year, marked in random_pupils(rng, number):
            add("assessment_result", 1, *pupils(f"2200{number:02}", procedure, year, [*marked, (None, None)]))
        for person in range(int(rng.integers(1, 12))):
            score = float(rng.integers(5, 31))
            login = {"school_key_kind": "vpr_login", "school_key": f"2200{number:02}"}
            name = f"{number} {person}"
            add(
                "assessment_result",
                1,
                exam("", "oge_9_russian", name, date(2023, 6, 1), mark=4, total_score=score, **login),
            )
    # 41: both pupils have one score, so the interval has no width; 42: one mark for all; 43: exactly no correlation
    add("assessment_result", 1, *pupils("220041", RU4, Y22, [(19, 5), (19, 4)]))
    add("assessment_result", 1, *pupils("220042", RU4, Y22, [(3, 4), (9, 4), (15, 4)]))
    add("assessment_result", 1, *pupils("220043", RU4, Y22, [(1, 3), (2, 4), (3, 3)]))
    # 44: against the journal; 45: only the later work; 46: nobody gets a point a year later
    add("assessment_result", 1, *pupils("220044", RU4, Y22, [(18, 3), (12, 4), (5, 5), (5, 4)]))
    add("assessment_result", 1, *pupils("220045", RU5, Y23, [(10, 3), (11, 4)]))
    add("assessment_result", 1, *pupils("220046", RU4, Y22, [(10, 3), (11, 4)]))
    add("assessment_result", 1, *pupils("220046", RU5, Y23, [(0, 3), (0, 4)]))
    # 47 and 48: planted fall and rise of the parallel
    add("assessment_result", 1, *pupils("220047", MA4, Y22, [(20, 5)] * 6), *pupils("220047", MA5, Y23, [(2, 3)] * 6))
    add("assessment_result", 1, *pupils("220048", MA4, Y22, [(1, 3)] * 6), *pupils("220048", MA5, Y23, [(20, 5)] * 6))
    # another region with one school; a second login of 49; a college
    add("assessment_result", 1, *pupils("330001", RU4, Y22, [(10, 3), (11, 4), (12, 5)]))
    add("assessment_result", 1, *pupils("220049", RU4, Y22, [(10, 5), (12, 3)]))
    add("assessment_result", 1, *pupils("229949", RU4, Y22, [(14, 4)]))
    add("assessment_result", 1, *pupils("220050", RU4, Y22, [(20, 2), (1, 5)]))
    # published lists: the later one stands alone
    add("objectivity_marker", 2, listed("220001", RU4), listed("220002", RU4), listed("220003", MA4))
    add("objectivity_marker", 3, listed("220001", RU4, is_marked=False), listed("220044", RU4))
    # reports of agreement: of 51 alone, of both sittings; of 1 beside its protocols, of 2 with other figures
    add("mark_comparison", 4, *reported("220051", MA5, Y22, 7, 8, 9))
    add("mark_comparison", 4, *reported("220051", MA5, Y22, 3, 5, 2, held_year=Y23))
    one = compared(lake, "220001", RU5, Y22)
    add("mark_comparison", 4, *reported("220001", RU5, Y22, *one))
    add("mark_comparison", 4, *reported("220004", RU5, Y22, 0, 1, 0, outcome_count=None, outcome_pct=0.0))
    # dynamics: 61 to 68, by counts of reports
    for login, year, below, participants in DYNAMICS:
        add("aggregate_result", 5, report(login, RU5, year, below, participants))
    add("aggregate_result", 5, report("220061", "oge_9_mathematics", Y22, 0, 10))
    add("aggregate_result", 5, report("220061", "oge_9_mathematics", Y23, 5, 10))
    add(
        "aggregate_result",
        5,
        report("220061", "ege_11_physics", Y22, 2, 10),
        report("220061", "ege_11_physics", Y23, 1, 10),
    )
    for number in range(80, 100):
        earlier, later = (int(n) for n in rng.integers(1, 80, 2))
        add("aggregate_result", 5, report(f"2200{number}", RU5, Y22, int(rng.integers(0, earlier + 1)), earlier))
        add("aggregate_result", 5, report(f"2200{number}", RU5, Y23, int(rng.integers(0, later + 1)), later))
    numbers = [*SCHOOLS, *range(41, 50), *range(51, 52), *range(61, 71), *range(80, 100)]
    add("school_register", 9, *(school(f"2200{number:02}") for number in numbers), school("330001"))
    add("school_register", 9, school("220050", school_name="Колледж связи", municipality_label="СПО края"))
    same = {"key_kind": "vpr_login", "key_value": "229949", "school_id": "s220049", "relation": "same"}
    add("school_crosswalk", 9, same)


DYNAMICS = (
    # 61 better, 62 the same share of other numbers, 63 exactly ten points worse, 64 a point less than that
    *(("220061", Y22, 4, 10), ("220061", Y23, 2, 10)),
    *(("220062", Y22, 1, 10), ("220062", Y23, 2, 20)),
    *(("220063", Y22, 10, 100), ("220063", Y23, 20, 100)),
    *(("220064", Y22, 10, 100), ("220064", Y23, 19, 100)),
    # 65 over the years of the interrupted sitting; 66 without the year between; 67 and 68 over the change of instrument
    *(("220065", Y20, 5, 10), ("220065", Y21, 3, 10), ("220065", Y22, 4, 10)),
    *(("220066", Y21, 3, 10), ("220066", Y23, 4, 10)),
    *(("220067", Y23, 3, 30), ("220067", Y24, 9, 30)),
    # low: 69 in three years with a gap, 70 in two of them
    *(("220069", Y20, 5, 10), ("220069", Y21, 4, 10), ("220069", Y23, 3, 9)),
    *(("220070", Y20, 5, 10), ("220070", Y22, 1, 10), ("220070", Y23, 5, 10)),
)


def listed(login: str, procedure: str, *, is_marked: bool = True) -> Row:
    assessment, grade, subject = procedure.split("_")
    return {
        "assessment": assessment,
        "subject_id": subject,
        "test_grade": int(grade),
        "measured_year": Y22,
        "school_key_kind": "vpr_login",
        "school_key": login,
        "is_marked": is_marked,
    }


def reported(login: str, procedure: str, year: str, *counts: int, **values: Any) -> list[Row]:
    row = report(login, procedure, year, 0, sum(counts))
    del row["below_minimum"]
    outcomes = zip(("lowered", "confirmed", "raised"), counts, strict=True)
    return [
        row | {"outcome": outcome, "outcome_count": count, "outcome_pct": 0.0} | values for outcome, count in outcomes
    ]


def compared(lake: Lake, login: str, procedure: str, year: str) -> tuple[int, int, int]:
    """How many lowered, confirmed and raised their mark, by a bare count of the lake's rows."""
    signs = [
        int(np.sign(row["mark"] - row["prior_mark"]))
        for row in lake.rows["assessment_result", "d000000000001"]
        if (row["school_key"], _procedure(row), row["measured_year"]) == (login, procedure, year)
        and row["mark"] is not None
        and row.get("prior_mark") is not None
    ]
    return signs.count(-1), signs.count(0), signs.count(1)


def _procedure(row: Row) -> str:
    return f"{row['assessment']}_{row['test_grade']}_{row['subject_id']}"


# --- the builds --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Built:
    database: Path
    lake: Lake

    def rows(self, mart: str, **key: Any) -> list[Row]:
        return rows_of(self.database, f"marts.{mart}", **key)

    def row(self, mart: str, **key: Any) -> Row:
        (found,) = self.rows(mart, **key)
        return found

    def marker(self, school_id: str, marker_id: str, year: str = Y22) -> Row:
        return self.row("objectivity", school_id=school_id, marker_id=marker_id, academic_year=year)

    def change(self, login: str, year: str, earlier: str, procedure: str = RU5) -> Row:
        key = {"territory_id": f"s{login}", "academic_year": year, "earlier_year": earlier}
        return self.row("dynamics", territory_level="school", procedure_id=procedure, **key)

    @cached_property
    def scores(self) -> dict[tuple[str, str, str], list[tuple[float, int | None]]]:
        """Scores and marks in the journal by year, school and work, straight from the lake; region 22 only."""
        found: dict[tuple[str, str, str], list[tuple[float, int | None]]] = defaultdict(list)
        for row in self.lake.rows["assessment_result", "d000000000001"]:
            login = {"229949": "220049"}.get(row["school_key"], row["school_key"])
            if row.get("total_score") is not None and login.startswith("22") and login != "220050":
                found[row["measured_year"], f"s{login}", _procedure(row)].append(
                    (row["total_score"], row.get("prior_mark"))
                )
        return found

    def region_scores(self, year: str, procedure: str) -> np.ndarray:
        return np.array(
            [s for (y, _, p), marked in self.scores.items() if (y, p) == (year, procedure) for s, _ in marked]
        )


def prepared(folder: Path, reference: Reference) -> Built:
    home = Home(folder).ensure()
    lake = Lake(home)
    fill(lake)
    lake.write(replaced={})
    database = folder / "run.duckdb"
    prepare(home, reference, database)
    return Built(database, lake)


def decided_otherwise() -> MarkerMethod:
    changes: dict[str, Any] = {
        "standard_deviation": "population",
        "mean_minimum_participants": 5,
        "correlation_minimum_participants": 5,
        "change_minimum_participants": 5,
        "quantile": "discrete",
        "change_across_break": "refused",
        "index_schools": "all",
        "minimum_schools": 1,
    }
    settings = {name: Setting(value=value, status="OPEN", note_ru="-") for name, value in changes.items()}
    return METHOD.model_copy(update={"settings": METHOD.settings.model_copy(update=settings)})


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Built:
    made = prepared(tmp_path_factory.mktemp("markers"), REFERENCE)
    build(made.database)
    return made


@pytest.fixture(scope="module")
def otherwise(tmp_path_factory: pytest.TempPathFactory) -> Built:
    reference = replace(REFERENCE, marker_methods=(decided_otherwise(),))
    made = prepared(tmp_path_factory.mktemp("otherwise"), reference)
    run_models(made.database, choose(["+objectivity_summary", "+stable_low"]))
    return made


@pytest.mark.parametrize("mart", MARTS)
def test_marts_match_the_registry(region: Built, mart: str) -> None:
    with duckdb.connect(region.database, read_only=True) as connection:
        frame = connection.execute(f"select * from marts.{mart}").pl()
    assert frame.columns == table(mart).names
    assert failures(mart, frame).is_empty()
    assert frame.height > 0


# --- criterion 1 -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("which", "ddof"), [("region", 1), ("otherwise", 0)])
@pytest.mark.parametrize("procedure", [*WORKS, "oge_9_russian"])
def test_high_mean_agrees_with_scipy(which: str, ddof: int, procedure: str, request: pytest.FixtureRequest) -> None:
    found: Built = request.getfixturevalue(which)
    least = 2 if which == "region" else 5
    everybody = found.region_scores(Y22, procedure)
    upper = everybody.mean() + 1.96 * stats.sem(everybody, ddof=ddof)
    marked = 0
    for (year, school_id, work), results in found.scores.items():
        if (year, work) != (Y22, procedure):
            continue
        row = found.marker(school_id, f"high_mean_{procedure}")
        scores = np.array([score for score, _ in results])
        assert row["participants"] == len(scores)
        if len(scores) < least:
            assert (row["state"], row["is_marked"]) == ("too_few", None)
            continue
        lower = scores.mean() - 1.96 * stats.sem(scores, ddof=ddof)
        assert row["statistic"] == pytest.approx(lower, abs=1e-9)
        assert row["critical_value"] == pytest.approx(upper, abs=1e-9)
        assert row["is_marked"] is bool(lower > upper)
        marked += row["is_marked"]
    assert marked > 0


def test_a_mean_without_spread_has_an_interval_without_width(region: Built) -> None:
    row = region.marker("s220041", "high_mean_vpr_4_russian")
    assert (row["statistic"], row["is_marked"], row["reliability"]) == (19, True, "very_low")
    assert row["explanation_ru"].startswith("Средний первичный балл 19,0 (от 19,00) у 2 участников; по региону ")


def test_one_school_is_no_region(region: Built, otherwise: Built) -> None:
    row = region.marker("s330001", "high_mean_vpr_4_russian")
    assert (row["state"], row["is_marked"], row["reliability"]) == ("too_few_schools", None, None)
    assert otherwise.marker("s330001", "high_mean_vpr_4_russian")["state"] == "too_few", "three participants of five"


# --- criterion 2 -------------------------------------------------------------------------------------


@pytest.mark.parametrize("procedure", WORKS)
def test_rank_correlation_agrees_with_scipy(region: Built, procedure: str) -> None:
    marked = []
    for (year, school_id, work), results in region.scores.items():
        if work != procedure:
            continue
        row = region.marker(school_id, f"against_journal_{procedure}", year)
        known = [(score, prior) for score, prior in results if prior is not None]
        if row["state"] != "decided":
            # a school none of whose pupils has a mark in the journal has nothing to say
            assert len(known) < 2 or any(len(set(values)) == 1 for values in zip(*known, strict=True))
            continue
        rho = stats.spearmanr(*zip(*known, strict=True)).statistic
        assert row["participants"] == len(known)
        assert row["statistic"] == pytest.approx(rho, abs=1e-12)
        assert row["is_marked"] is bool(rho < -1e-12)
        marked.append(row["is_marked"])
    assert len(marked) > 70
    assert any(marked)


def test_correlation_by_hand(region: Built, otherwise: Built) -> None:
    constant = region.marker("s220042", "against_journal_vpr_4_russian")
    assert (constant["state"], constant["is_marked"], constant["participants"]) == ("constant", None, 3)
    none = region.marker("s220043", "against_journal_vpr_4_russian")
    assert (none["statistic"], none["is_marked"]) == (0, False), "exactly no correlation is not a negative one"
    # ranks 4, 3, 1.5, 1.5 and 1, 2.5, 4, 2.5: rho = -0.833
    against = region.marker("s220044", "against_journal_vpr_4_russian")
    assert (round(against["statistic"], 3), against["is_marked"]) == (-0.833, True)
    assert otherwise.marker("s220044", "against_journal_vpr_4_russian")["state"] == "too_few"


def test_two_logins_are_one_school_and_a_college_is_none(region: Built) -> None:
    assert region.marker("s220049", "against_journal_vpr_4_russian")["participants"] == 3
    assert region.rows("objectivity", school_id="s220050") == []


# --- criterion 3 -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("which", "method", "least"), [("region", "linear", 1), ("otherwise", "inverted_cdf", 5)])
@pytest.mark.parametrize("subject", ["russian", "mathematics"])
def test_jumps_of_a_parallel_agree_with_numpy(
    which: str, method: Any, least: int, subject: str, request: pytest.FixtureRequest
) -> None:
    found: Built = request.getfixturevalue(which)
    ratios: dict[str, float] = {}
    for (year, school_id, work), later in found.scores.items():
        earlier = found.scores.get((Y22, school_id, f"vpr_4_{subject}"))
        if (year, work) == (Y23, f"vpr_5_{subject}") and earlier and min(len(earlier), len(later)) >= least:
            before, after = (np.mean([score for score, _ in part]) / MAXIMUM for part in (earlier, later))
            if after > 0:
                ratios[school_id] = float(before / after)
    q25, q75 = np.quantile(list(ratios.values()), [0.25, 0.75], method=method)
    fences = {"fall": q75 + 3 * (q75 - q25), "rise": q25 - 3 * (q75 - q25)}
    for school_id, ratio in ratios.items():
        for way, fence in fences.items():
            row = found.marker(school_id, f"{way}_{subject}", Y23)
            assert row["state"] == "decided"
            assert row["statistic"] == pytest.approx(ratio, abs=1e-12)
            assert row["critical_value"] == pytest.approx(fence, abs=1e-12)
            assert row["is_marked"] is bool(ratio > fence if way == "fall" else ratio < fence)
    decided = {row["school_id"] for row in found.rows("objectivity", marker_id=f"fall_{subject}", state="decided")}
    assert decided == set(ratios)


def test_planted_jumps_are_found(region: Built) -> None:
    fall, rise = region.marker("s220047", "fall_mathematics", Y23), region.marker("s220048", "fall_mathematics", Y23)
    assert (fall["is_marked"], fall["statistic"], rise["is_marked"]) == (True, 10, False)
    assert (fall["participants"], fall["earlier_participants"], fall["note_ru"]) == (6, 6, None)
    assert region.marker("s220046", "fall_russian", Y23)["state"] == "no_ratio"
    assert region.marker("s220045", "fall_russian", Y23)["state"] == "no_earlier_results"
    assert region.marker("s220044", "fall_russian", Y23)["state"] == "no_results"
    assert region.marker("s330001", "fall_russian", Y23)["state"] == "no_region_results"


def test_every_school_has_every_marker_of_every_year(region: Built) -> None:
    counted = defaultdict(set)
    for row in region.rows("objectivity", source="computed"):
        counted[row["academic_year"], row["school_id"]].add(row["marker_id"])
    assert {year for year, _ in counted} == {Y22, Y23}
    assert {frozenset(markers) for markers in counted.values()} == {frozenset(m.marker_id for m in METHOD.markers)}
    assert len(METHOD.markers) == 14


# --- lists and territories ---------------------------------------------------------------------------


def test_the_latest_published_list_stands_alone(region: Built) -> None:
    by_school = {
        row["school_id"]: (row["state"], row["is_marked"])
        for row in region.rows("objectivity", marker_id="published_vpr_4_russian", academic_year=Y22)
    }
    assert by_school["s220044"] == ("listed", True)
    assert by_school["s220001"] == ("listed", False)
    assert by_school["s220002"] == ("not_listed", False), "only the former list had it"
    assert "s330001" not in by_school, "the list is of another region"
    mathematics = region.row("objectivity", school_id="s220003", marker_id="published_vpr_4_mathematics")
    assert mathematics["is_marked"], "of this work the former list is the latest"


@pytest.mark.parametrize("which", ["region", "otherwise"])
def test_index_and_agreement_are_counts_of_schools(which: str, request: pytest.FixtureRequest) -> None:
    found: Built = request.getfixturevalue(which)
    summary = found.row("objectivity_summary", academic_year=Y22, territory_id="22", procedure_id="all")
    computed: dict[str, list[bool]] = defaultdict(list)
    published: dict[str, bool] = defaultdict(bool)
    for row in found.rows("objectivity", academic_year=Y22):
        if row["school_id"] == "s330001":
            continue
        if row["source"] == "published":
            published[row["school_id"]] |= row["is_marked"]
        elif row["is_marked"] is not None:
            computed[row["school_id"]].append(row["is_marked"])
    marked = {school_id for school_id, markers in computed.items() if any(markers)}
    schools = len(found.rows("stable_low", academic_year=Y22)) - 1
    base = len(computed) if which == "region" else schools
    assert (summary["checked_schools_count"], summary["marked_schools_count"]) == (len(computed), len(marked))
    assert summary["schools_count"] == schools
    assert summary["objectivity_index"] == pytest.approx(100 - 100 * len(marked) / base)
    assert summary["markers_count"] == sum(map(sum, computed.values()))
    named = {school_id for school_id, is_marked in published.items() if is_marked}
    assert named == {"s220003", "s220044"}
    sat = {school_id for year, school_id, work in found.scores if (year, work) == (Y22, RU4)}
    assert (summary["published_schools_count"], summary["sat_schools_count"]) == (2, len(sat))
    assert summary["published_share"] == pytest.approx(2 / len(sat))
    both, neither = summary["both_count"], summary["neither_count"]
    assert both == len(marked & named)
    assert summary["published_only_count"] == len((named & set(computed)) - marked)
    assert both + neither + summary["computed_only_count"] + summary["published_only_count"] == len(
        set(published) & set(computed)
    )


def test_a_year_without_a_list_says_so(region: Built) -> None:
    summary = region.row("objectivity_summary", academic_year=Y23, territory_id="22", procedure_id="all")
    assert not summary["has_published_list"]
    assert (summary["published_share"], summary["both_count"]) == (None, None)


# --- the journal -------------------------------------------------------------------------------------


def test_agreement_of_a_school_agrees_with_a_bare_count(region: Built) -> None:
    from statsmodels.stats.proportion import proportion_confint

    for row in region.rows("mark_agreement", territory_level="school", source="participants"):
        work, year = row["procedure_id"], row["academic_year"]
        known = [(_mark(s), p) for s, p in region.scores.get((year, row["territory_id"], work), []) if p is not None]
        if not known:  # the school of the other region
            assert row["territory_id"] == "s330001"
            continue
        signs = [int(np.sign(mark - prior)) for mark, prior in known]
        assert [row[f"{way}_count"] for way in ("lowered", "confirmed", "raised")] == [
            signs.count(k) for k in (-1, 0, 1)
        ]
        assert row["far_apart_count"] == sum(abs(mark - prior) >= 2 for mark, prior in known)
        assert row["compared_count"] == row["far_apart_base"] == len(known)
        low, high = proportion_confint(row["lowered_count"], len(known), 0.05, "wilson")
        assert (row["lowered_ci_low"], row["lowered_ci_high"]) == pytest.approx((low, high), abs=1e-8)
        bands = REFERENCE.journal.bands.value
        band = next(b for b in bands if b.participants_from <= len(known) <= (b.participants_to or len(known)))
        assert row["informativeness"] == band.informativeness


def test_a_report_stands_in_where_there_are_no_protocols_and_is_reconciled_where_there_are(region: Built) -> None:
    def row(territory_id: str, procedure: str) -> Row:
        key = {"academic_year": Y22, "procedure_id": procedure, "territory_id": territory_id}
        return region.row("mark_agreement", **key)

    alone = row("s220051", MA5)
    assert (alone["source"], alone["mark_origin"], alone["participants"]) == ("report", "report", None)
    assert (alone["compared_count"], alone["lowered_count"], alone["raised_count"]) == (10, 3, 2), "of the last sitting"
    assert (alone["far_apart_count"], alone["far_apart_share"]) == (None, None), "a report does not tell it"
    same, other = row("s220001", RU5), row("s220004", RU5)
    assert (same["source"], same["both_sources_count"], same["reconciled_count"]) == ("participants", 1, 1)
    assert (other["both_sources_count"], other["reconciled_count"]) == (1, 0)
    whole = row("22", MA5)
    schools = region.rows("mark_agreement", academic_year=Y22, procedure_id=MA5, territory_level="school")
    assert whole["source"] == "mixed"
    assert whole["schools_count"] == len(schools)
    assert whole["compared_count"] == sum(r["compared_count"] for r in schools) == whole["far_apart_base"] + 10


# --- comparability -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("procedure", "earlier", "later", "scores", "marks", "breaks"),
    [
        (RU5, "2018-2019", "2019-2020", False, False, "vpr_autumn_2020"),
        (RU5, "2019-2020", "2020-2021", False, False, "vpr_autumn_2020"),
        (RU5, "2018-2019", "2020-2021", True, True, None),  # both in spring, the autumn lies between
        (RU5, "2020-2021", "2021-2022", False, False, "vpr_split_2022"),
        (RU5, "2020-2021", "2022-2023", True, True, None),
        (RU5, "2022-2023", "2023-2024", True, True, None),
        (RU5, "2023-2024", "2024-2025", False, True, "vpr_instrument_2025"),
        (RU5, "2021-2022", "2024-2025", False, False, "vpr_split_2022;vpr_instrument_2025"),
        ("vpr_6_biology", "2018-2019", "2020-2021", False, False, "vpr_assigned_subjects_2021"),
        ("oge_9_russian", "2018-2019", "2020-2021", False, False, "oge_after_2020"),
        ("ege_11_russian", "2018-2019", "2021-2022", True, True, None),
        ("ege_11_russian", "2019-2020", "2020-2021", False, False, "ege_population_2020"),
    ],
)
def test_comparability_of_two_years(
    region: Built, procedure: str, earlier: str, later: str, scores: bool, marks: bool, breaks: str | None
) -> None:
    row = region.row("comparability", procedure_id=procedure, earlier_year=earlier, academic_year=later)
    assert (row["is_score_comparable"], row["is_mark_comparable"], row["break_ids"]) == (scores, marks, breaks)


def test_a_year_in_which_nothing_was_held_is_in_no_pair(region: Built) -> None:
    pairs = region.rows("comparability", procedure_id="oge_9_russian")
    assert not [row for row in pairs if "2019-2020" in (row["earlier_year"], row["academic_year"])]


# --- dynamics ----------------------------------------------------------------------------------------


def test_changes_agree_with_statsmodels_and_with_fractions(region: Built) -> None:
    from statsmodels.stats.proportion import confint_proportions_2indep

    rows = region.rows("dynamics", state="compared")
    assert len({row["dynamics"] for row in rows}) == 3
    for row in rows:
        k2, n2, k1, n1 = (
            row[name] for name in ("below_minimum", "participants", "earlier_below_minimum", "earlier_participants")
        )
        change = Fraction(k2, n2) - Fraction(k1, n1)
        assert row["change_pp"] == pytest.approx(float(100 * change), abs=1e-9)
        assert row["dynamics"] == ("improved" if change < 0 else "worsened" if change > 0 else "unchanged")
        low, high = confint_proportions_2indep(k2, n2, k1, n1, method="newcomb", compare="diff")
        assert (row["change_low_pp"], row["change_high_pp"]) == pytest.approx((100 * low, 100 * high), abs=1e-5)
        clear = None if min(n1, n2) < 20 else not low <= 0 <= high
        assert row["is_change_clear"] is clear


def test_positive_dynamics_by_hand(region: Built) -> None:
    better, same = region.change("220061", Y23, Y22), region.change("220062", Y23, Y22)
    assert (better["dynamics"], better["is_improved"], better["is_change_clear"]) == ("improved", True, None)
    assert better["change_pp"] == pytest.approx(-20)
    assert (same["dynamics"], same["is_improved"], same["change_pp"]) == ("unchanged", False, 0)


def test_ten_points_more_are_a_sharp_worsening_of_a_work(region: Built) -> None:
    assert region.change("220063", Y23, Y22)["is_sharp_worsening"]
    assert region.change("220064", Y23, Y22)["is_sharp_worsening"] is False
    exam_change = region.change("220061", Y23, Y22, "oge_9_mathematics")
    assert (exam_change["change_pp"], exam_change["is_sharp_worsening"]) == (50, None)


def test_a_break_is_named_and_the_change_of_shares_is_shown(region: Built) -> None:
    into, out, over = (region.change("220065", *years) for years in ((Y21, Y20), (Y22, Y21), (Y22, Y20)))
    for row in (into, out):
        assert row["is_comparable"] is False
        assert "прерваны весной" in row["note_ru"]
    assert (over["is_comparable"], over["note_ru"], over["is_longest"]) == (True, None, True)
    assert [row["is_longest"] for row in (into, out)] == [True, False]
    instrument = region.change("220067", Y24, Y23)
    assert instrument["is_comparable"]
    assert "другая структура" in instrument["note_ru"]


def test_a_missing_year_is_said_not_guessed(region: Built) -> None:
    year, longest = region.change("220066", Y23, Y22), region.change("220066", Y23, Y21)
    assert (year["state"], year["change_pp"], year["dynamics"], year["is_longest"]) == (
        "no_earlier_result",
        None,
        None,
        False,
    )
    assert (longest["state"], longest["years_between"], longest["is_longest"]) == ("compared", 2, True)


def test_mean_scores_change_only_where_no_break_lies_between(region: Built) -> None:
    for number in SCHOOLS:
        row = region.change(f"2200{number:02}", Y23, Y22)
        before, after = (
            100 * np.mean([score for score, _ in region.scores[year, f"s2200{number:02}", RU5]]) / MAXIMUM
            for year in (Y22, Y23)
        )
        assert (row["earlier_mean_score_pct"], row["mean_score_pct"]) == pytest.approx((before, after))
        assert row["mean_score_change"] == pytest.approx(after - before)
    assert region.change("220067", Y24, Y23)["is_score_comparable"] is False


def test_territories_are_pooled_over_every_procedure(region: Built) -> None:
    rows = region.rows("dynamics", territory_level="region", territory_id="22", academic_year=Y23, earlier_year=Y22)
    by_procedure = {row["procedure_id"]: row for row in rows}
    assert {RU4, MA4, RU5, MA5, "oge_9_mathematics", "ege_11_physics"} <= set(by_procedure)
    schools = region.rows("dynamics", territory_level="school", procedure_id=RU5, academic_year=Y23, earlier_year=Y22)
    russian = by_procedure[RU5]
    assert russian["participants"] == sum(row["participants"] for row in schools)
    assert russian["below_minimum"] == sum(row["below_minimum"] for row in schools)
    physics = by_procedure["ege_11_physics"]
    assert (physics["participants"], physics["change_pp"]) == (10, -10)


# --- stably low --------------------------------------------------------------------------------------


def test_stably_low_needs_three_years_with_data(region: Built) -> None:
    def row(login: str, year: str) -> tuple[Any, ...]:
        found = region.row("stable_low", school_id=f"s{login}", academic_year=year)
        return (
            found["years_with_data"],
            found["years_low_in_a_row"],
            found["is_stable_low"],
            found["evidence_participants"],
        )

    assert row("220069", Y23) == (3, 3, True, 9), "the year without data neither counts nor breaks"
    assert row("220069", Y21) == (2, 2, None, 10), "two low years, and no third to decide"
    assert row("220070", Y23) == (3, 1, False, 10)
    assert row("220070", Y22) == (2, 0, False, None)
    assert row("220067", Y24)[:3] == (2, 1, False)
    assert row("220042", Y22) == (0, 0, None, None), "grade 4 is no procedure of the method"
    reason = region.row("stable_low", school_id="s220069", academic_year=Y23)["reason_ru"]
    assert reason.endswith("2023/24 — ВПР-5 РУ; 2021/22 — ВПР-5 РУ; 2020/21 — ВПР-5 РУ")
