"""Programmes against cases worked by hand: the real descriptions of five programmes over one small lake.

Каргасок, Саратов, Тербуны and two districts of Томск share the lake; the marts are built twice, for two days.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from opora.build import build
from opora.home import Home
from opora.models import choose, run_models
from opora.programmes import Programme, load_programmes
from opora.reference import load_reference
from opora.warehouse import prepare
from schemas.pandera_schemas import failures
from schemas.registry import table
from tests.built import rows_of
from tests.unit.test_dbt_rules import Lake, exam, report, school

Row = dict[str, Any]
Y18, Y19, Y20, Y21, Y22, Y23 = (f"{year}-{year + 1}" for year in range(2018, 2024))
AUTUMN_2023, SPRING_2025 = dt.date(2023, 11, 15), dt.date(2025, 3, 1)
MARTS = ("indicator", "measure", "programme_list", "monitoring_report")
RU, MA = "vpr_5_russian", "vpr_5_mathematics"


# --- the lake ----------------------------------------------------------------------------------------


def fact(programme: str, kind: str, day: dt.date, login: str | None = None, quantity: float = 1, **more: Any) -> Row:
    """One report of an executor: of a school, or of its municipality."""
    return {
        "programme_id": programme,
        "return_kind": kind,
        "period": str(day.year),
        "territory_level": "school" if login else "municipality",
        "school_key_kind": "vpr_login" if login else None,
        "school_key": login,
        "reported_on": day,
        "quantity": quantity,
    } | more


def annual(login: str, year: str, **values: Any) -> Row:
    return {"school_key_kind": "vpr_login", "school_key": login, "measured_year": year} | values


def spring(prefix: str, numbers: range, year: str, low: int) -> Iterator[Row]:
    """ВПР of a year: the first `low` schools have 5 of 10 below in both subjects, the others 1 of 10."""
    for number in numbers:
        for procedure in (RU, MA):
            yield report(f"{prefix}{number:02}", procedure, year, 5 if number <= low else 1, 10)


def fill(lake: Lake) -> None:
    add = lake.add
    # Каргасок: 14 schools; 12, 8 and 5 of them low in both subjects, so 12 → 8 → 5 in the lists of the years after
    for year, low in ((Y19, 12), (Y20, 8), (Y21, 5)):
        add("aggregate_result", 1, *spring("7000", range(1, 15), year, low))
    # 2022/23: low in one subject are four
    add("aggregate_result", 1, *(report(f"7000{n:02}", RU, Y22, 5 if n <= 4 else 1, 10) for n in range(1, 15)))
    add("aggregate_result", 1, *(report(f"7000{n:02}", MA, Y22, 1, 10) for n in range(1, 15)))
    # Саратов: 10 schools; 8 → 6 → 4 → 4
    for year, low in ((Y19, 8), (Y20, 6), (Y21, 4), (Y22, 4)):
        add("aggregate_result", 1, *spring("6400", range(1, 11), year, low))
    # Тверь: three schools, one of them low in two years
    for year in (Y19, Y20):
        add("aggregate_result", 1, *spring("6900", range(1, 4), year, 1))
    # Тербуны: four schools, nothing low
    add("aggregate_result", 1, *spring("4800", range(1, 5), Y20, 0))
    add(
        "aggregate_result",
        1,
        report("480001", "oge_9_russian", Y20, 3, 10),
        report("480001", "oge_9_russian", Y21, 2, 10),
    )
    add(
        "aggregate_result",
        1,
        report("480002", "oge_9_russian", Y20, 2, 10),
        report("480002", "oge_9_russian", Y21, 2, 10),
    )
    # Томск: two schools of the list of 2024, before the programme and in its last year
    for login, year, failed, takers, physics in (
        ("700101", Y18, 10, 30, 8),
        ("700102", Y18, 3, 20, 4),
        ("700101", Y23, 6, 30, 6),
        ("700102", Y23, 4, 20, 3),
    ):
        add("aggregate_result", 1, report(login, "oge_9_mathematics", year, failed, takers))
        add("aggregate_result", 1, report(login, "oge_9_physics", year, physics, 15))
    for login, year, takers, high in (
        ("700101", Y18, 30, 4),
        ("700102", Y18, 20, 1),
        ("700101", Y23, 30, 4),
        ("700102", Y23, 20, 2),
    ):
        add("exam_sum", 2, annual(login, year, participants=takers, at_least_220=high))
    add("certificate_count", 2, annual("700101", Y23, graduate_grade=9, graduates=60, without_certificate=4))
    add("certificate_count", 2, annual("700102", Y23, graduate_grade=9, graduates=40, without_certificate=2))
    add("certificate_count", 2, annual("480001", Y21, graduate_grade=11, graduates=3, without_certificate=0))
    # days missed in Саратов: a year's row, a year of four quarters, three quarters that are no year
    missed = (
        ("640001", Y21, "year", 500),
        ("640002", Y21, "year", 100),
        ("640001", Y22, "year", 300),
        *(("640002", Y22, f"q{number}", 25) for number in (1, 2, 3, 4)),
        *(("640003", Y22, f"q{number}", 99) for number in (1, 2, 3)),
    )
    add(
        "attendance",
        2,
        *(annual(login, year, term=term, pupils=100, days_missed=days) for login, year, term, days in missed),
    )
    # 700103: four sat ОГЭ mathematics, one retook it in July and one in September
    sat = partial(exam, "7103", "oge_9_mathematics", measured_year=Y22, held_year=Y22)
    june, july, september = dt.date(2023, 6, 1), dt.date(2023, 7, 1), dt.date(2023, 9, 6)
    add(
        "assessment_result",
        3,
        sat("good", june, mark=4),
        sat("never", june, mark=2),
        sat("in july", june, mark=2),
        sat("in july", july, mark=3),
        sat("in september", june, mark=2),
        sat("in september", september, mark=4),
    )
    # Тербуны, grade 11 of 480001: three graduates; one passed both, one after a retake, one took Russian only
    sat = partial(exam, "4801", measured_year=Y21, held_year=Y21)
    russian, base = "ege_11_russian", "ege_11_mathematics_base"
    june, july = dt.date(2022, 5, 30), dt.date(2022, 6, 28)
    add(
        "assessment_result",
        3,
        *(sat(russian, person, june, test_score=50.0) for person in ("both", "retook", "one only")),
        sat(base, "both", june, mark=4),
        sat(base, "retook", june, mark=2),
        sat(base, "retook", july, mark=3),
    )
    for code, school_id in (("7103", "s700103"), ("4801", "s480001")):
        add(
            "school_crosswalk",
            4,
            {"key_kind": "exam_code", "key_value": code, "school_id": school_id, "relation": "same"},
        )
    for prefix, last, place in (
        ("7000", 14, "Каргасокский район"),
        ("7001", 3, "Томский район"),
        ("6400", 10, "г. Саратов"),
        ("4800", 4, "Тербунский район"),
        ("6900", 3, "Бежецкий район"),
    ):
        logins = (f"{prefix}{number:02}" for number in range(1, last + 1))
        add("school_register", 4, *(school(login, municipality_label=place) for login in logins))
    fill_returns(lake)


def fill_returns(lake: Lake) -> None:
    add = lake.add
    karg, sar, terb = "kargasok-2023", "saratov-2021", "terbuny-2022"
    # Каргасок: three schools took the survey, one says it did not, the fifth is silent; one took part later on
    february = dt.date(2023, 2, 10)
    add("programme_return", 5, *(fact(karg, "survey_taken", february, f"70000{n}") for n in (1, 2, 3)))
    add("programme_return", 5, fact(karg, "survey_taken", february, "700004", 0))
    add("programme_return", 5, fact(karg, "participation", dt.date(2023, 5, 10), "700001"))
    add("programme_return", 5, fact(karg, "participation", dt.date(2023, 10, 10), "700002"))
    # a report that a later delivery corrects
    add("programme_return", 5, fact(karg, "participation", dt.date(2023, 5, 11), "700003", 1))
    add("programme_return", 6, fact(karg, "participation", dt.date(2023, 5, 11), "700003", 0))
    # Саратов: five agreements in 2021/22, three of schools and two of the city; four in the year after
    autumn = dt.date(2021, 10, 1)
    add("programme_return", 5, *(fact(sar, "agreement", autumn, f"64000{n}") for n in (1, 2, 3)))
    add("programme_return", 5, fact(sar, "agreement", autumn, quantity=2))
    fill_agreements(lake)
    add("programme_return", 5, fact(sar, "agreement", dt.date(2022, 10, 1), quantity=4))
    # three of the four reports of 2022/23 and none yet of 2023/24
    for day in (dt.date(2022, 10, 20), dt.date(2022, 12, 20), dt.date(2023, 3, 20)):
        add("programme_return", 5, fact(sar, "analytical_report", day, item_id="monitoring"))
    # Тербуны: the list of three schools; 480004 is not in it and reports all the same
    add("listed_school", 5, *(_listed(terb, "2022", f"48000{n}") for n in (1, 2, 3)))
    add("listed_school", 5, *(_listed("tomsk-2020", "2024", login) for login in ("700101", "700102")))
    may = dt.date(2022, 5, 20)
    add("programme_return", 5, *(fact(terb, "consultation_point_pupils", may, f"48000{n}") for n in (1, 2, 4)))
    add("programme_return", 5, fact(terb, "consultation_point_parents", may, "480001"))
    add("programme_return", 5, fact(terb, "individual_plan", may, "480001", 0))
    add("programme_return", 5, *(fact(terb, "network_membership", may, f"48000{n}") for n in (1, 2, 3)))
    add("programme_return", 5, fact(terb, "teacher_diagnostics", may, "480001", 3, denominator=10))
    add("programme_return", 5, fact(terb, "teacher_diagnostics", may, "480002", 2, denominator=10))
    # what counts nowhere, and is told
    add(
        "programme_return",
        7,
        fact("nowhere-2023", "agreement", february, "700001"),
        fact(karg, "agreement", dt.date(2030, 1, 1), "700001"),
        fact(karg, "survey_taken", february, item_id="no_such_item"),
        fact(karg, "survey_taken", february, "640001"),
        fact(karg, "survey_taken", february, "709999"),
        fact("tomsk-2020", "event", february, municipality_label="Нигдейский район"),
        fact(sar, "measure_done", dt.date(2022, 10, 1)),
    )


def fill_agreements(lake: Lake) -> None:
    """Agreements delivered as such: one that was reported too, one more of that school, one of the list of Томск."""
    day = dt.date(2023, 10, 1)
    lake.add("programme_return", 8, fact("saratov-2021", "agreement", day, "640001"))
    rows = (
        # 640001 reported one of its two agreements: the other adds one
        agreed("640001", "640009", day, document_ref="1"),
        agreed("640001", "640010", dt.date(2023, 10, 5), document_ref="2"),
        # Томск, 2024: one of the two listed schools, with a programme; it is in force from autumn 2023
        agreed("700101", "700103", day, valid_to=dt.date(2024, 12, 31), has_programme=True, programme_id="tomsk-2020"),
        # another programme's agreement is not this one's
        agreed("700102", "700103", day, valid_to=dt.date(2024, 12, 31), programme_id="kargasok-2023"),
        # the head school under two keys
        agreed("700001", "700001", day, leader_key_kind="school_id", leader_key="s700001"),
        # a leader that is in the list itself
        agreed("700012", "700001", dt.date(2022, 10, 1)),
    )
    lake.add("partner_agreement", 8, *rows)


def agreed(login: str, leader: str, day: dt.date, **more: Any) -> Row:
    keys = {"school_key_kind": "vpr_login", "school_key": login, "leader_key_kind": "vpr_login", "leader_key": leader}
    return keys | {"signed_on": day} | more


def _listed(programme: str, period: str, login: str) -> Row:
    return {"programme_id": programme, "period": period, "school_key_kind": "vpr_login", "school_key": login}


# --- two builds --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Built:
    database: Path
    statuses: dict[str, str]

    def rows(self, mart: str, **key: Any) -> list[Row]:
        return rows_of(self.database, mart, **key)

    def row(self, mart: str, **key: Any) -> Row:
        (found,) = self.rows(mart, **key)
        return found

    def indicator(self, programme_id: str, indicator_id: str, period: str) -> Row:
        """The row that the document's plan is about."""
        key = {"programme_id": programme_id, "indicator_id": indicator_id, "period": period}
        return self.row("marts.indicator", is_judged=True, **key)

    def measure(self, programme_id: str, measure_id: str, period: str) -> Row:
        key = {"programme_id": programme_id, "measure_id": measure_id, "period": period}
        return self.row("marts.measure", is_judged=True, **key)


def programmes() -> list[Programme]:
    """The programmes of the reference; Томск also counts the final result of what it counts by the first attempt."""
    loaded = {programme.programme_id: programme for programme in load_programmes()}
    tomsk = loaded["tomsk-2020"]
    first = next(i for i in tomsk.indicators if i.indicator_id == "oge_mathematics_failed_ratio")
    extra = [
        first.model_copy(
            update={"indicator_id": f"oge_{attempt}", "attempt": attempt, "population": "all", "targets": ()}
        )
        for attempt in ("first", "final")
    ]
    loaded["tomsk-2020"] = tomsk.model_copy(update={"indicators": (*tomsk.indicators, *extra)})
    return list(loaded.values())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("programmes")).ensure()
    lake = Lake(home)
    fill(lake)
    lake.write(replaced={})
    return home


@pytest.fixture(scope="module")
def autumn(home: Home) -> Built:
    """On 15 November 2023, with all tests of dbt."""
    database = home.build / "autumn.duckdb"
    prepare(home, load_reference(), database, as_of=AUTUMN_2023, programmes=programmes())
    return Built(database, {result.name: result.status for result in build(database)})


@pytest.fixture(scope="module")
def later(home: Home) -> Built:
    """On 1 March 2025."""
    database = home.build / "later.duckdb"
    prepare(home, load_reference(), database, as_of=SPRING_2025, programmes=programmes())
    results = run_models(database, [node for node in choose() if node.resource_type == "model"])
    return Built(database, {result.name: result.status for result in results})


# --- what holds of all -------------------------------------------------------------------------------


def test_every_model_and_test_passes(autumn: Built) -> None:
    assert {name for name, status in autumn.statuses.items() if status not in ("success", "pass")} == set()


@pytest.mark.parametrize("mart", MARTS)
def test_marts_match_the_registry(autumn: Built, later: Built, mart: str) -> None:
    for built in (autumn, later):
        with duckdb.connect(built.database, read_only=True) as connection:
            frame = connection.execute(f"select * from marts.{mart}").pl()
        assert frame.columns == table(mart).names
        assert failures(mart, frame).is_empty()


def test_every_indicator_is_computed_or_says_why_not(later: Built) -> None:
    told = {
        (row["programme_id"], row["indicator_id"], row["period"])
        for row in later.rows("marts.indicator", is_judged=True)
        if row["value"] is not None or row["no_data_reason_ru"]
    }
    wanted = {
        (programme.programme_id, indicator.indicator_id, period.period)
        for programme in programmes()
        for indicator in programme.indicators
        for period in programme.periods
    }
    assert told == wanted


@pytest.mark.parametrize("indicator_id", ["adverse_conditions_schools", "resource_deficit_schools"])
def test_where_no_conditions_came_nothing_is_said_of_them(later: Built, indicator_id: str) -> None:
    """The plan of Тверь over the region of the lake: results are there, conditions are not."""
    row = later.indicator("tver-plan", indicator_id, "2021-2022")
    assert (row["value"], row["status"]) == (None, "no_data")
    assert row["no_data_reason_ru"].startswith("Данных об условиях и ресурсах школ нет")
    assert later.indicator("tver-plan", "low_results_schools", "2021-2022")["value"] == 1
    groups = later.rows("marts.target_group", academic_year="2021-2022", definition_id="tomsk-2020-adverse")
    assert {group["is_member"] for group in groups} == {None}
    assert "в регионе не посчитать" in groups[0]["basis_ru"]
    statuses = later.rows("marts.school_status", academic_year="2021-2022", is_shnor=True)
    assert {(row["is_adverse_conditions"], row["has_resource_deficit"], row["context_class"]) for row in statuses} == {
        (None, None, None)
    }


# --- Каргасок ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "schools", "change", "dynamics", "status"),
    [
        ("2021", 12, None, None, "no_data"),  # nothing to compare with: the first list
        ("2022", 8, -4, "improved", None),  # 8 − 12, before the programme: there is no plan to meet
        ("2023", 5, -3, "improved", "met"),  # 5 − 8
    ],
)
def test_the_lists_of_kargasok_shrink(
    autumn: Built, period: str, schools: int, change: int | None, dynamics: str | None, status: str | None
) -> None:
    """«в 2020 году вошли 12 школ, в 2021 году – 8 школ, в 2022 году – 5 школ»."""
    row = autumn.indicator("kargasok-2023", "shnor_count_municipality_change", period)
    assert (row["measured_value"], row["value"], row["dynamics"]) == (schools, change, dynamics)
    assert row["status"] == status
    assert (row["numerator"], row["denominator"]) == (schools, 14)


def test_the_region_of_a_municipal_programme_is_its_own_row(autumn: Built) -> None:
    row = autumn.indicator("kargasok-2023", "shnor_count_region_change", "2023")
    # region 70: fourteen schools of Каргасок, of which five are listed, three of the Томский район and one that is in
    # no register
    assert (row["territory_level"], row["territory_id"], row["measured_value"]) == ("region", "70", 5)
    assert row["denominator"] == 18


def test_shares_are_pooled_over_the_frozen_list(autumn: Built) -> None:
    """2022: the eight schools then listed, five with 5 of 10 and three with 1 of 10: 28/80 = 35 %.

    2023: the five now listed, four with 5 of 10 and one with 1 of 10: 21/50 = 42 %. The list of 2022 did not move
    when three schools left it.
    """
    before = autumn.indicator("kargasok-2023", "vpr_5_russian_shnor", "2022")
    row = autumn.indicator("kargasok-2023", "vpr_5_russian_shnor", "2023")
    assert (before["numerator"], before["denominator"], before["value"]) == (28, 80, 35)
    assert (row["numerator"], row["denominator"], row["value"], row["schools_count"]) == (21, 50, 42, 5)
    assert (row["previous_value"], row["change_from_previous"], row["dynamics"]) == (35, 7, "worsened")
    assert row["is_improved"] is False


def test_schools_and_municipalities_have_rows_without_a_plan(autumn: Built) -> None:
    key = {"programme_id": "kargasok-2023", "indicator_id": "vpr_5_russian_shnor", "period": "2023"}
    row = autumn.row("marts.indicator", territory_id="s700005", **key)
    assert (row["value"], row["is_judged"], row["target"], row["status"]) == (10, False, None, None)
    assert len(autumn.rows("marts.indicator", territory_level="school", **key)) == 5


def test_a_share_of_schools_counts_the_silent_in_its_denominator(autumn: Built) -> None:
    """Five schools are listed: three took the survey, one says no, one says nothing: 3/5 = 60 %, known of four."""
    row = autumn.indicator("kargasok-2023", "survey_share", "2023")
    assert (row["numerator"], row["denominator"], row["value"]) == (3, 5, 60)
    assert (row["schools_count"], row["covered_count"]) == (5, 4)


def test_no_data_is_not_zero(autumn: Built) -> None:
    key = {"programme_id": "kargasok-2023", "indicator_id": "survey_share", "period": "2023"}
    assert autumn.row("marts.indicator", territory_id="s700004", **key)["value"] == 0
    assert autumn.row("marts.indicator", territory_id="s700005", **key)["value"] is None
    nothing = autumn.indicator("kargasok-2023", "prevention_planned_share", "2023")
    assert (nothing["numerator"], nothing["denominator"], nothing["value"]) == (None, 5, None)
    assert (nothing["status"], nothing["no_data_reason_ru"]) == ("no_data", "Отчётов этого вида за период нет.")


@pytest.mark.parametrize(
    ("indicator_id", "window", "status"),
    [
        ("prevention_planned_share", ("2023-04-01", "2023-05-31"), "no_data"),  # April and May have passed
        ("oge_9_russian_shnor", ("2023-08-01", "2023-09-30"), "no_data"),  # August and September too
        ("vpr_6_russian_shnor", ("2023-07-01", "2023-12-31"), "not_due"),  # «июль или декабрь»: December is to come
        ("risk_schools_share", ("2023-12-01", "2023-12-31"), "not_due"),  # there are figures, but not yet their day
    ],
)
def test_what_is_not_due_is_no_failure(autumn: Built, indicator_id: str, window: tuple[str, str], status: str) -> None:
    row = autumn.indicator("kargasok-2023", indicator_id, "2023")
    assert (str(row["due_from"]), str(row["due_on"])) == window
    assert row["status"] == status


def test_a_corrected_report_replaces_the_former(autumn: Built) -> None:
    """Schools 1 and 2 took part; of school 3 a later file says that it did not."""
    row = autumn.indicator("kargasok-2023", "prevention_events_share", "2023")
    assert (row["numerator"], row["value"], row["covered_count"]) == (2, 40, 3)


def test_what_changed_since_the_quarter_began(autumn: Built) -> None:
    """The quarter of 15 November begins on 1 October: school 1 took part before it, school 2 in it: 20 % → 40 %."""
    row = autumn.row(
        "marts.monitoring_report", programme_id="kargasok-2023", item_id="prevention_events_share", period="2023"
    )
    assert (row["quarter"], row["actual_at_quarter_start"], row["actual"]) == ("2023-Q4", 20, 40)
    assert row["change_since_quarter_start"] == 20


# --- Саратов -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "indicator_id", "change", "target", "attainment", "status"),
    [
        # 8 → 6: a quarter less. «Не менее чем на 25 %» is 6 at most, «на 30 %» is 5,6
        ("2021-2022", "shnor_reduction_25_30", -2, -2.0, 100.0, "met"),
        ("2021-2022", "shnor_reduction_30", -2, -2.4, 100 * 5.6 / 6, "not_met"),
        # 6 → 4: a third less; the plans are 4,5 and 4,2
        ("2022-2023", "shnor_reduction_25_30", -2, -1.5, 100 * 4.5 / 4, "met"),
        ("2022-2023", "shnor_reduction_30", -2, -1.8, 100 * 4.2 / 4, "met"),
        # 4 → 4: nothing less; the plans are 3 and 2,8
        ("2023-2024", "shnor_reduction_25_30", 0, -1.0, 75.0, "not_met"),
        ("2023-2024", "shnor_reduction_30", 0, -1.2, 70.0, "not_met"),
    ],
)
def test_the_reduction_goal_of_saratov(
    later: Built, period: str, indicator_id: str, change: int, target: float, attainment: float, status: str
) -> None:
    row = later.indicator("saratov-2021", indicator_id, period)
    assert (row["value"], row["status"]) == (change, status)
    assert row["target"] == pytest.approx(target)
    assert row["attainment_pct"] == pytest.approx(attainment)


def test_unchanged_is_neither_better_nor_worse(later: Built) -> None:
    row = later.indicator("saratov-2021", "shnor_reduction_30", "2023-2024")
    assert (row["dynamics"], row["is_improved"]) == ("unchanged", False)


def test_the_goal_of_a_year_that_runs_is_not_yet_missed(autumn: Built) -> None:
    assert autumn.indicator("saratov-2021", "shnor_reduction_30", "2023-2024")["status"] == "not_due"


def test_the_second_year_in_the_list_changes_the_support(later: Built) -> None:
    seen = {
        (row["period"], row["school_id"]): row
        for row in later.rows("marts.programme_list", programme_id="saratov-2021")
    }
    first, second = seen["2020-2021", "s640001"], seen["2021-2022", "s640001"]
    assert (first["listing"], first["years_listed_in_a_row"], first["support_format"]) == ("new", 1, "first_year")
    assert (second["listing"], second["years_listed_in_a_row"], second["support_format"]) == (
        "continuing",
        2,
        "repeated",
    )
    assert "формата поддержки" in second["support_ru"]
    left = seen["2021-2022", "s640008"]
    assert (left["is_listed"], left["listing"], left["support_format"], left["basis"]) == (False, "left", "none", None)
    assert ("2022-2023", "s640008") not in seen
    # of the list of 2022/23, four schools, all were in the list of the year before
    assert later.indicator("saratov-2021", "listed_again", "2022-2023")["value"] == 4


def test_days_missed_a_pupil(later: Built) -> None:
    """2021/22: (500 + 100) / 200 = 3; 2022/23: (300 + 4 × 25) / 200 = 2, the school with three quarters is unknown."""
    row = later.indicator("saratov-2021", "attendance_change", "2022-2023")
    assert (row["previous_value"], row["measured_value"], row["value"], row["dynamics"]) == (3, 2, -1, "improved")
    assert (row["numerator"], row["denominator"], row["covered_count"], row["schools_count"]) == (400, 200, 2, 4)


@pytest.mark.parametrize(("period", "made", "status"), [("2021-2022", 5, "met"), ("2022-2023", 4, "not_met")])
def test_agreements_of_schools_and_of_the_city_add_up(later: Built, period: str, made: int, status: str) -> None:
    row = later.indicator("saratov-2021", "agreements", period)
    assert (row["value"], row["target"], row["status"], row["attainment_pct"]) == (made, 5, status, 20 * made)


def test_an_agreement_that_was_reported_counts_once(later: Built) -> None:
    """2023/24: of two agreements of one school one was reported too."""
    row = later.indicator("saratov-2021", "agreements", "2023-2024")
    assert (row["value"], row["counted_from_ru"]) == (2, "отчёты исполнителей и соглашения школ")
    assert later.indicator("saratov-2021", "agreements", "2022-2023")["counted_from_ru"] == "отчёты исполнителей"


def test_a_plan_over_four_dates_is_due_by_parts(autumn: Built) -> None:
    """October, December, March, May: on 15 November 2023 one of four was due, by 31 October, 15 days ago."""
    row = autumn.measure("saratov-2021", "monitoring", "2023-2024")
    assert (row["planned"], row["planned_by_now"], row["actual"]) == (4, 1, None)
    assert (row["status"], row["days_overdue"], str(row["next_due_on"])) == ("overdue", 15, "2023-12-31")
    # of 2022/23 three came, the fourth was due by 31 May 2023: 168 days
    former = autumn.measure("saratov-2021", "monitoring", "2022-2023")
    assert (former["actual"], former["completion_pct"], former["status"]) == (3, 75, "overdue")
    assert former["days_overdue"] == (AUTUMN_2023 - dt.date(2023, 5, 31)).days == 168


def test_what_is_overdue_names_who_answers(autumn: Built) -> None:
    rows = autumn.rows("marts.monitoring_report", is_overdue=True)
    assert rows
    assert all(row["responsible_ru"] and row["is_due"] is not None for row in rows)
    row = next(row for row in rows if row["item_id"] == "monitoring" and row["period"] == "2023-2024")
    assert (row["item_kind"], row["responsible_ru"]) == ("measure", "Комитет по образованию, РОО")


def test_where_nothing_was_reported_nothing_is_late(autumn: Built) -> None:
    rows = autumn.rows("marts.measure", programme_id="tver-plan")
    assert {row["status"] for row in rows} <= {"no_data", "not_due"}


# --- Тербуны -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("indicator_id", "numerator", "denominator", "value", "status"),
    [
        ("points_pupils_share", 2, 3, 200 / 3, "met"),  # 2 of the 3 schools: 66,7 % ≥ 66 %; 480004 is not in the list
        ("points_parents_share", 1, 3, 100 / 3, "met"),  # 1 of 3: 33,3 % ≥ 33 %
        ("individual_plans_share", 0, 3, 0, "not_met"),  # one school says no, two say nothing: 0 of 3
        ("materials_bank_share", None, 3, None, "no_data"),  # nobody says anything
        ("network_schools", 3, 3, 3, "met"),
        ("diagnosed_teachers_share", 5, 20, 25, "met"),  # (3 + 2) of (10 + 10)
        ("ege_passed_share", 2, 3, 200 / 3, "not_met"),  # one passed both, one after a retake, one took Russian only
        # 480001: 3/10 → (2 + 1)/15 better; 480002: 2/10 → 2/10 the same; 480003 unknown: 1 of 3, the plan is 40 %
        ("improved_exams_share", 1, 3, 100 / 3, "not_met"),
    ],
)
def test_targets_of_terbuny(
    later: Built, indicator_id: str, numerator: int | None, denominator: int, value: float | None, status: str
) -> None:
    row = later.indicator("terbuny-2022", indicator_id, "2022")
    assert (row["numerator"], row["denominator"], row["status"]) == (numerator, denominator, status)
    assert row["value"] == (None if value is None else pytest.approx(value))


def test_the_delivered_list_is_the_programme(later: Built) -> None:
    rows = later.rows("marts.programme_list", programme_id="terbuny-2022", period="2022", is_listed=True)
    assert {row["school_id"]: row["basis"] for row in rows} == dict.fromkeys(
        ("s480001", "s480002", "s480003"), "programme_list"
    )


def test_a_list_that_was_not_delivered_is_stood_in_for(later: Built) -> None:
    rows = later.rows("marts.programme_list", programme_id="tomsk-2020", period="2021", is_listed=True)
    assert {row["basis"] for row in rows} == {"fallback:shnor"}
    assert len(rows) == 12  # Каргасок is in the region: its list of 2020/21


# --- Томск -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("indicator_id", "baseline", "value", "target", "attainment", "status"),
    [
        # 13/50 = 26 % in 2018/19; «в 1,3 раза» меньше is 20 %; 10/50 = 20 %
        ("oge_mathematics_failed_ratio", 26, 20, 20, 100, "met"),
        # passed 18/30 = 60 %; × 1,2 is 72 %; 21/30 = 70 %: 70/72
        ("physics_passed_ratio", 60, 70, 72, 100 * 70 / 72, "not_met"),
        # 5/50 = 10 %; × 1,2 is 12 %; 6/50 = 12 %
        ("sum_220_ratio", 10, 12, 12, 100, "met"),
        # from 8,5 % of the document to 6 %: (4 + 2)/(60 + 40) = 6 %; lower is better, so plan ÷ fact
        ("without_certificate_share", 8.5, 6, 6, 100, "met"),
    ],
)
def test_outcomes_of_tomsk(
    later: Built,
    indicator_id: str,
    baseline: float,
    value: float,
    target: float,
    attainment: float,
    status: str,
) -> None:
    row = later.indicator("tomsk-2020", indicator_id, "2024")
    found = (row["baseline"], row["value"], row["target"], row["attainment_pct"])
    assert found == pytest.approx((baseline, value, target, attainment))
    assert row["status"] == status


def test_partners_of_tomsk_by_delivered_agreements(later: Built) -> None:
    """2024: one of the two listed schools has an agreement with a programme: 1/2 = 50 % of 90 %, pairs and programmes
    alike; the agreement of the other school was made for another programme. In 2023 it stood since autumn, but the
    list of 2023 is another."""
    shares = later.indicator("tomsk-2020", "partner_programmes_share", "2024")
    assert (shares["numerator"], shares["denominator"], shares["value"]) == (1, 2, 50)
    assert (shares["target"], shares["status"], shares["counted_from_ru"]) == (90, "not_met", "соглашения школ")
    pairs = later.measure("tomsk-2020", "school_pairs", "2024")
    assert (pairs["actual"], pairs["planned"], pairs["counted_from_ru"]) == (50, 90, "соглашения школ")
    assert later.indicator("tomsk-2020", "partner_programmes_share", "2021")["counted_from_ru"] is None


def test_first_attempt_and_final_result_are_different_facts(later: Built) -> None:
    """Of four three failed in June; one passed in July, one in September, one never: 3/4 first, 1/4 in the end."""
    key = {"programme_id": "tomsk-2020", "period": "2023", "territory_id": "s700103"}
    first = later.row("marts.indicator", indicator_id="oge_first", **key)
    final = later.row("marts.indicator", indicator_id="oge_final", **key)
    assert (first["numerator"], first["denominator"], first["value"]) == (3, 4, 75)
    assert (final["numerator"], final["denominator"], final["value"]) == (1, 4, 25)


# --- what counts nowhere -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check_id", "value", "told"),
    [
        ("unknown_programme", "nowhere-2023", "нет в справочнике"),
        ("return_outside_programme", "2030-01-01", "не попадает ни в один период"),
        ("unknown_item", "no_such_item", "нет показателя или мероприятия"),
        ("return_without_school", "survey_taken", "сообщает школа"),
        ("school_outside_programme", "640001", "вне территории программы kargasok-2023"),
        ("unknown_school", "709999", "нет в реестре"),
        ("unknown_municipality", "Нигдейский район", "не найден"),
        ("measure_not_named", "measure_done", "мероприятие не названо"),
        ("school_outside_programme", "700102", "вне территории программы kargasok-2023"),
        ("partner_is_the_school", "s700001", "под двумя ключами"),
        ("leader_is_listed", "МБОУ СОШ № 1", "сама в списке ШНОР"),
    ],
)
def test_a_report_that_counts_nowhere_is_told(autumn: Built, check_id: str, value: str, told: str) -> None:
    found = {row["value"]: row["reason_ru"] for row in autumn.rows("marts.quality_issue", check_id=check_id)}
    assert told in found[value]
