"""Risk profiles against cases worked by hand: Каргасокский район in three cycles, built with and without the scoring.

Fourteen schools; the first eight are the ШНОР of 2021/22, the first five those of 2022/23.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from scipy import stats

from opora.build import build
from opora.home import Home
from opora.models import choose, run_models
from opora.reference import load_reference
from opora.risk import RiskFacts, load_risk
from opora.warehouse import prepare
from schemas.pandera_schemas import failures
from schemas.registry import table
from tests.built import rows_of
from tests.unit.test_dbt_rules import Lake, delivery_id, report, school

Row = dict[str, Any]
Y20, Y21, Y22, Y23 = "2020-2021", "2021-2022", "2022-2023", "2023-2024"
KARGASOK, TOMSK = "Каргасокский район", "Томский район"
AUTUMN = dt.date(2023, 11, 15)
MARTS = ("risk_profile", "risk_stage", "risk_summary")
FACTS = load_risk()
TITLES = {f.factor_id: f.title_ru for f in FACTS.latest_list.factors}

# The cycle of 2022: six of the eight ШНОР, a letter each: в(ысокая), с(редняя), н(изкая); a point is nothing.
CYCLE_2022 = {
    "failure_risk": "ввввсн",
    "environment": "ввввсн",
    "training_system": "вввннв",
    "language_barriers": "нннннн",
    "adaptivity": "сссснв",
    "equipment": "вввннн",
    "staff_shortage": "ввсснн",
    "parent_involvement": "н.....",
}
LEVELS = {"в": "high", "с": "medium", "н": "low"}
CHOSEN_2022 = {1: ("failure_risk", "environment"), 2: ("failure_risk",), 3: tuple(TITLES)[:6]}


# --- the lake ----------------------------------------------------------------------------------------


def login(number: int) -> str:
    return f"7000{number:02}"


def key(number: int | str, year: str) -> Row:
    name = number if isinstance(number, str) else login(number)
    return {"school_key_kind": "vpr_login", "school_key": name, "measured_year": year}


def level(number: int | str, year: str, factor: str, value: str, chosen: bool | None = None) -> Row:
    return key(number, year) | {"factor": factor, "level": value, "is_chosen": chosen}


def stage(number: int, year: str, stage_id: str, day: dt.date, factor: str | None = None, **more: Any) -> Row:
    return key(number, year) | {"stage": stage_id, "done_on": day, "factor": factor} | more


def answer(number: int, year: str, indicator: str, group: str, value: float, respondents: int) -> Row:
    told = {"indicator": indicator, "respondent_group": group, "value_pct": float(value), "respondents": respondents}
    return key(number, year) | told


def profiles_of_2022() -> Iterator[Row]:
    for factor, letters in CYCLE_2022.items():
        for number, letter in enumerate(letters, start=1):
            if letter in LEVELS:
                chosen = True if factor in CHOSEN_2022.get(number, ()) else None
                yield level(number, Y21, TITLES[factor], LEVELS[letter], chosen)


def fill(lake: Lake) -> None:
    add = lake.add
    for year, low in ((Y20, 8), (Y21, 5)):
        for number in range(1, 15):
            for procedure in ("vpr_5_russian", "vpr_5_mathematics"):
                add("aggregate_result", 1, report(login(number), procedure, year, 5 if number <= low else 1, 10))
    add("school_register", 2, *(school(login(n), municipality_label=KARGASOK) for n in range(1, 15)))
    add("school_register", 2, school("700101", municipality_label=TOMSK))
    add("school_register", 2, school("700115", municipality_label=KARGASOK))  # merged into 700006 in August 2022
    merger = {"key_kind": "vpr_login", "key_value": "700015", "school_id": "s700006", "relation": "merged_into"}
    add("school_crosswalk", 2, merger | {"valid_from": dt.date(2022, 8, 1)})

    add("risk_factor_level", 3, *profiles_of_2022())
    # a later file corrects one level of school 5 and names the factor by its code
    add("risk_factor_level", 4, level(5, Y21, "failure_risk", "high"))
    # the cycle of 2021 had other factors; one of them is said of 2022, one is in no list, and 2020 has no list
    add("risk_factor_level", 3, level(1, Y20, "Низкая учебная мотивация обучающихся", "high"))
    add("risk_factor_level", 3, level(1, Y20, "1. Низкий уровень оснащения школы", "low"))
    add("risk_factor_level", 3, level(2, Y21, "Низкая учебная мотивация обучающихся", "high"))
    add("risk_factor_level", 3, level(2, Y21, "Погода", "high"))
    add("risk_factor_level", 3, level(2, "2019-2020", "equipment", "high"))

    # the plan of school 1: everything in time for one risk, but the programme; for the other only the programme, late
    for stage_id, day in (
        ("conditions", dt.date(2022, 6, 10)),
        ("changes", dt.date(2022, 11, 20)),
    ):
        add("risk_stage_report", 3, stage(1, Y21, stage_id, day, TITLES["failure_risk"]))
    done = {"document_ref": "приказ № 7", "confirmed_by": "куратор школы"}
    add("risk_stage_report", 3, stage(1, Y21, "programmes", dt.date(2022, 5, 12), "environment", **done))
    # of school 2 all is done, the programme for the school as a whole
    add("risk_stage_report", 3, stage(2, Y21, "Анкетирование", dt.date(2022, 2, 1)))
    for stage_id, day in (
        ("programmes", dt.date(2022, 4, 20)),
        ("conditions", dt.date(2022, 6, 1)),
        ("changes", dt.date(2022, 11, 1)),
        ("results", dt.date(2023, 1, 20)),
    ):
        add("risk_stage_report", 3, stage(2, Y21, stage_id, day))
    # what counts nowhere
    add("risk_stage_report", 3, stage(1, Y21, "отдых", dt.date(2022, 6, 1)))
    add("risk_stage_report", 3, stage(1, Y21, "conditions", dt.date(2022, 6, 1), "equipment"))
    add("risk_stage_report", 3, stage(1, Y21, "results", dt.date(2023, 12, 1)))
    add("risk_stage_report", 3, stage(4, Y21, "conditions", dt.date(2022, 6, 1), "failure_risk"))
    add("risk_stage_report", 3, stage(4, Y21, "results", dt.date(2022, 12, 20)))
    add("risk_stage_report", 3, stage(7, Y21, "conditions", dt.date(2022, 6, 1)))

    # the cycle of 2023: schools 1 and 15 (now 6) sent profiles, school 3 answers, school 4 a profile against its report
    add(
        "risk_factor_level", 5, level(1, Y22, "failure_risk", "medium", True), level(1, Y22, "environment", "low", True)
    )
    add("risk_factor_level", 5, level("700015", Y22, "equipment", "high"), level(4, Y22, "equipment", "low"))
    add("risk_stage_report", 5, stage(1, Y22, "programmes", dt.date(2023, 4, 3), "failure_risk"))
    add("risk_factor_level", 5, level("700101", Y22, "equipment", "low"))
    add(
        "risk_answer",
        5,
        # среда: mean of 100 − 40 (pupils and teachers agree), 100 − 80, 70 → 50: high, the border is included
        answer(3, Y22, "learning_motivation", "pupils", 30, 120),
        answer(3, Y22, "Учебная мотивация обучающихся", "teachers", 50, 20),
        answer(3, Y22, "relations_of_staff", "teachers", 80, 20),
        answer(3, Y22, "bullied_pupils", "pupils", 70, 120),
        answer(3, Y22, "bullied_pupils", "parents", 0, 90),  # nobody asks parents of it
        # кадры: two of five known are less than half
        answer(3, Y22, "teacher_shortage", "director", 100, 1),
        answer(3, Y22, "no_psychologist", "director", 100, 1),
        # языковые барьеры: the only indicator, of the director
        answer(3, Y22, "non_native_russian", "director", 24.9, 1),
        # повышение квалификации: three teachers are too few
        answer(3, Y22, "teachers_in_need", "teachers", 100, 3),
        answer(3, Y22, "mutual_visits", "teachers", 0, 3),
        answer(3, Y22, "рост", "pupils", 50, 30),
        # a delivered level stands, whatever the answers say
        answer(1, Y22, "bullied_pupils", "pupils", 100, 100),
        answer(1, Y22, "learning_motivation", "pupils", 0, 100),
    )
    february = {"programme_id": "kargasok-2023", "return_kind": "survey_taken", "period": "2023"}
    february |= {"territory_level": "school", "reported_on": dt.date(2023, 2, 10)}
    add("programme_return", 6, february | {"school_key_kind": "vpr_login", "school_key": login(1), "quantity": 1})
    add("programme_return", 6, february | {"school_key_kind": "vpr_login", "school_key": login(4), "quantity": 0})


# --- builds ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Built:
    database: Path
    statuses: dict[str, str]

    def rows(self, mart: str, **key: Any) -> list[Row]:
        return rows_of(self.database, f"marts.{mart}", **key)

    def row(self, mart: str, **key: Any) -> Row:
        (found,) = self.rows(mart, **key)
        return found

    def profile(self, number: int, factor_id: str, year: str = Y21) -> Row:
        return self.row("risk_profile", school_id=f"s{login(number)}", factor_id=factor_id, academic_year=year)

    def plan(self, number: int, factor_id: str, year: str = Y21) -> dict[str, Row]:
        rows = self.rows("risk_stage", school_id=f"s{login(number)}", factor_id=factor_id, academic_year=year)
        return {row["stage"]: row for row in rows}

    def finding(self, factor_id: str, year: str = Y21, population_id: str = "shnor") -> Row:
        where = {"territory_level": "municipality", "territory_name": KARGASOK, "population_id": population_id}
        return self.row("risk_summary", academic_year=year, factor_id=factor_id, **where)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("risk")).ensure()
    lake = Lake(home)
    fill(lake)
    lake.write(replaced={})
    return home


def prepared(home: Home, name: str, facts: RiskFacts) -> Path:
    database = home.build / f"{name}.duckdb"
    prepare(home, load_reference(), database, as_of=AUTUMN, risk=facts)
    return database


def with_scoring() -> RiskFacts:
    scoring = FACTS.scoring.model_copy(update={"is_on": FACTS.scoring.is_on.model_copy(update={"value": True})})
    return replace(FACTS, scoring=scoring)


@pytest.fixture(scope="module")
def built(home: Home) -> Built:
    database = prepared(home, "delivered", FACTS)
    return Built(database, {result.name: result.status for result in build(database)})


@pytest.fixture(scope="module")
def scored(home: Home) -> Built:
    """The same lake with the scoring on; of the marts only those of the risk profile."""
    database = prepared(home, "scored", with_scoring())
    results = run_models(database, choose([f"+{mart}" for mart in MARTS]))
    return Built(database, {result.name: result.status for result in results})


# --- what holds of all -------------------------------------------------------------------------------


def test_every_model_and_test_passes(built: Built, scored: Built) -> None:
    for each in (built, scored):
        assert {name for name, status in each.statuses.items() if status not in ("success", "pass")} == set()


@pytest.mark.parametrize("mart", MARTS)
def test_marts_match_the_registry(built: Built, scored: Built, mart: str) -> None:
    for each in (built, scored):
        with duckdb.connect(each.database, read_only=True) as connection:
            frame = connection.execute(f"select * from marts.{mart}").pl()
        assert frame.columns == table(mart).names
        assert frame.height
        assert failures(mart, frame).is_empty()


def test_a_school_that_takes_part_has_every_factor_of_its_list(built: Built) -> None:
    seen: dict[tuple[str, str], list[str]] = {}
    for row in built.rows("risk_profile"):
        seen.setdefault((row["academic_year"], row["school_id"]), []).append(row["factor_id"])
    of_2021 = [school_id for year, school_id in seen if year == Y20]
    assert of_2021 == ["s700001"]
    assert {school_id for year, school_id in seen if year == Y21} == {f"s{login(n)}" for n in range(1, 7)}
    for (year, _), factors in seen.items():
        found = FACTS.list_of(year)
        assert found is not None
        assert sorted(factors) == sorted(found.factor_ids)
    assert "2019-2020" not in {year for year, _ in seen}, "no list, no profile"


# --- levels ------------------------------------------------------------------------------------------


def test_a_later_file_corrects_a_level_and_a_code_names_the_factor(built: Built) -> None:
    row = built.profile(5, "failure_risk")
    assert (row["level"], row["level_ru"], row["origin"]) == ("high", "высокая значимость", "delivered")
    assert row["delivery_ids"] == delivery_id(4)


def test_a_level_that_was_not_sent_is_no_low_level(built: Built) -> None:
    row = built.profile(6, "parent_involvement")
    assert (row["level"], row["level_ru"], row["origin"]) == (None, None, None)
    assert row["note_ru"].startswith("Уровень не прислан.")


def test_the_level_of_a_year_ago_stands_beside_the_same_factor_only(built: Built) -> None:
    assert built.profile(1, "failure_risk", Y22)["previous_level"] == "high"
    assert built.profile(1, "equipment", Y21)["previous_level"] == "low"
    assert built.profile(1, "environment", Y21)["previous_level"] is None, "motivation was another factor"


def test_after_a_merger_the_profile_is_of_the_school_that_is_there(built: Built) -> None:
    assert built.profile(6, "equipment", Y22)["level"] == "high"


@pytest.mark.parametrize(
    ("number", "factor_id", "chosen"),
    [
        (1, "failure_risk", True),
        (1, "equipment", False),  # it marked two others, so this one is not chosen
        (4, "failure_risk", None),  # it marked none: nothing is known
    ],
)
def test_the_choice_is_known_where_one_is_marked(
    built: Built, number: int, factor_id: str, chosen: bool | None
) -> None:
    row = built.profile(number, factor_id)
    assert row["is_chosen"] is chosen
    assert (row["stage"] is None) == (chosen is not True)
    assert ("не сообщено" in (row["note_ru"] or "")) == (chosen is None)


# --- the plan ----------------------------------------------------------------------------------------


def test_the_plan_stands_at_the_first_stage_that_is_not_behind(built: Built) -> None:
    """The programme was due on 30 April 2022 and is not reported; two later stages are."""
    row, plan = built.profile(1, "failure_risk"), built.plan(1, "failure_risk")
    assert (row["stage"], row["stage_status"], row["stage_done_on"]) == ("programmes", "overdue", None)
    assert row["stage_due_on"] == dt.date(2022, 4, 30)
    # done: questionnaire, profile, choice, conditions, changes; overdue: programmes, results
    assert (row["stages_done"], row["stages_overdue"], row["stages_count"]) == (5, 2, 7)
    assert {name: plan[name]["stage_status"] for name in ("profile", "programmes", "changes", "results")} == {
        "profile": "done",
        "programmes": "overdue",
        "changes": "done",
        "results": "overdue",
    }
    assert plan["programmes"]["days_overdue"] == (AUTUMN - dt.date(2022, 4, 30)).days == 564
    assert plan["profile"]["stage_done_on"] is None, "the profile shows it, nobody told the day"


def test_a_stage_after_its_day_is_done_late_and_says_by_whom(built: Built) -> None:
    row = built.plan(1, "environment")["programmes"]
    assert (row["stage_status"], row["stage_done_on"]) == ("done_late", dt.date(2022, 5, 12))
    assert (row["document_ref"], row["confirmed_by"], row["delivery_id"]) == (
        "приказ № 7",
        "куратор школы",
        delivery_id(3),
    )
    assert built.profile(1, "environment")["stage"] == "conditions"


def test_stages_of_the_whole_school_serve_each_of_its_risks(built: Built) -> None:
    row, plan = built.profile(2, "failure_risk"), built.plan(2, "failure_risk")
    assert plan["questionnaire"]["stage_done_on"] == dt.date(2022, 2, 1)
    assert (row["stage"], row["stage_done_on"], row["stage_status"]) == ("results", dt.date(2023, 1, 20), "done_late")
    assert (row["stages_done"], row["stages_overdue"]) == (7, 0)


def test_what_is_under_way_or_to_come_is_not_overdue(built: Built) -> None:
    """On 15 November 2023: changes run from October to November, results are for December."""
    done = built.plan(1, "failure_risk", Y22)
    assert (done["conditions"]["stage_status"], done["changes"]["stage_status"]) == ("overdue", "in_progress")
    assert done["results"]["stage_status"] == "not_due"
    assert done["results"]["days_overdue"] is None


# --- the sentence of Каргасок ------------------------------------------------------------------------


@pytest.mark.parametrize("factor_id", ["failure_risk", "environment", "training_system"])
def test_three_risks_of_kargasok_are_high_in_most_schools(built: Built, factor_id: str) -> None:
    """«Высокую значимость» у большей части школ, участвующих в анкетировании."""
    row = built.finding(factor_id)
    assert row["finding_ru"] == "высокая значимость у большей части школ"
    assert row["majority_level"] == "high"
    assert row["factor_ru"] == TITLES[factor_id]


def test_languages_are_low_in_all_schools_of_kargasok(built: Built) -> None:
    """«Низкую значимость» отмечают все школы по риску «Низкое качество преодоления языковых и культурных барьеров»."""
    row = built.finding("language_barriers")
    assert (row["finding_ru"], row["majority_level"]) == ("низкая значимость у всех школ", "low")


@pytest.mark.parametrize(
    ("factor_id", "finding", "majority"),
    [
        ("adaptivity", "средняя значимость у большей части школ", "medium"),
        ("staff_shortage", "большинства нет: высокая значимость — 2, средняя — 2, низкая — 2", None),
        ("parent_involvement", "низкая значимость у единственной школы", "low"),
    ],
)
def test_other_risks_are_told_as_they_are(built: Built, factor_id: str, finding: str, majority: str | None) -> None:
    row = built.finding(factor_id)
    assert (row["finding_ru"], row["majority_level"]) == (finding, majority)


def test_exactly_half_is_no_majority(built: Built) -> None:
    row = built.finding("equipment")
    assert (row["high_count"], row["low_count"], row["known_count"], row["majority_level"]) == (3, 3, 6, None)
    assert row["finding_ru"].startswith("большинства нет")


def test_counts_shares_and_intervals(built: Built) -> None:
    """Six of the eight ШНОР took part; failure: four high by the file, five after the correction of school 5."""
    row = built.finding("failure_risk")
    assert (row["schools_count"], row["took_part_count"], row["participation_share"]) == (8, 6, 0.75)
    assert (row["high_count"], row["medium_count"], row["low_count"], row["known_count"]) == (5, 0, 1, 6)
    environment = built.finding("environment")
    assert (environment["high_count"], environment["medium_count"], environment["low_count"]) == (4, 1, 1)
    interval = stats.binomtest(4, 6).proportion_ci(confidence_level=0.95, method="wilson")
    assert environment["high_share"] == pytest.approx(4 / 6)
    assert (environment["high_ci_low"], environment["high_ci_high"]) == pytest.approx((interval.low, interval.high))
    # schools 1, 2 and 3 told their choice; of school 1 and 3 a plan is late, of school 2 none is
    assert (environment["choice_known_count"], environment["chosen_count"]) == (3, 2)
    assert (row["chosen_count"], row["overdue_count"]) == (2, 1)


def test_the_circle_of_schools_is_named(built: Built) -> None:
    """All fourteen of the district and 700115; in 2023 the programme's list is the ШНОР of 2022/23, five schools."""
    assert built.finding("failure_risk", population_id="all")["schools_count"] == 15
    row = built.finding("equipment", Y22, "kargasok-2023")
    # of 1…5: profiles of 1 and 4, answers of 3
    assert (row["population"], row["schools_count"], row["took_part_count"], row["known_count"]) == (
        "programme",
        5,
        3,
        1,
    )
    assert not built.rows("risk_summary", territory_level="region", population_id="kargasok-2023")
    region = built.row(
        "risk_summary", territory_level="region", population_id="all", academic_year=Y22, factor_id="equipment"
    )
    assert (region["schools_count"], region["took_part_count"]) == (16, 5)


def test_a_territory_where_nobody_took_part_says_so(built: Built) -> None:
    row = built.row(
        "risk_summary", territory_name=TOMSK, population_id="all", academic_year=Y21, factor_id="failure_risk"
    )
    assert (row["schools_count"], row["took_part_count"], row["high_share"], row["majority_level"]) == (
        1,
        0,
        None,
        None,
    )
    assert row["finding_ru"] == "анкетирования не прошла ни одна школа"


# --- the programme -----------------------------------------------------------------------------------


def test_profiles_serve_the_programme_where_executors_are_silent(built: Built) -> None:
    """Of five ШНОР school 1 reports, 4 reports «нет» (its profile changes nothing), 3 sent answers: 2 of 5."""
    key = {"programme_id": "kargasok-2023", "indicator_id": "survey_share", "period": "2023"}
    row = built.row("indicator", is_judged=True, **key)
    assert (row["numerator"], row["denominator"], row["value"]) == (2, 5, 40)
    assert (row["covered_count"], row["counted_from_ru"]) == (3, "отчёты исполнителей и рисковые профили школ")
    assert built.row("indicator", territory_id="s700004", **key)["value"] == 0
    former = built.row("indicator", is_judged=True, **(key | {"period": "2022"}))
    assert (former["numerator"], former["denominator"], former["counted_from_ru"]) == (6, 8, "рисковые профили школ")


# --- the scoring -------------------------------------------------------------------------------------


def test_the_scoring_is_off(built: Built) -> None:
    row = built.profile(3, "environment", Y22)
    assert (row["level"], row["origin"], row["score_pct"]) == (None, None, None)
    assert row["participation_basis"] == "answers"
    assert not built.rows("risk_profile", origin="scored")


@pytest.mark.parametrize(
    ("factor_id", "score", "level", "known", "count"),
    [
        # motivation (70 + 50) / 2 = 60, relations 20, bullying 70: 150 / 3 = 50
        ("environment", 50.0, "high", 3, 3),
        ("language_barriers", 24.9, "low", 1, 1),
    ],
)
def test_a_level_by_questionnaires(
    scored: Built, factor_id: str, score: float, level: str, known: int, count: int
) -> None:
    row = scored.profile(3, factor_id, Y22)
    assert (row["level"], row["origin"], row["score_pct"]) == (level, "scored", pytest.approx(score))
    assert (row["indicators_known"], row["indicators_count"]) == (known, count)
    assert row["scoring_method_id"] == FACTS.scoring.method_id
    assert row["note_ru"].startswith("Уровень не прислан, он посчитан по анкетам")


@pytest.mark.parametrize("factor_id", ["staff_shortage", "training_system", "equipment"])
def test_too_little_known_is_no_level(scored: Built, factor_id: str) -> None:
    row = scored.profile(3, factor_id, Y22)
    assert (row["level"], row["origin"]) == (None, None)


def test_a_delivered_level_stands_against_any_score(built: Built, scored: Built) -> None:
    row = scored.profile(1, "environment", Y22)
    assert (row["level"], row["origin"], row["score_pct"]) == ("low", "delivered", None)
    delivered = {(r["academic_year"], r["school_id"], r["factor_id"]): r for r in built.rows("risk_profile")}
    for row in scored.rows("risk_profile", origin="delivered"):
        assert row == delivered[row["academic_year"], row["school_id"], row["factor_id"]]


def test_a_summary_says_how_many_levels_were_scored(scored: Built) -> None:
    row = scored.finding("environment", Y22)
    assert (row["known_count"], row["scored_count"], row["took_part_count"]) == (2, 1, 3)


# --- properties --------------------------------------------------------------------------------------


def test_rows_in_another_order_give_the_same_marts(scored: Built, tmp_path: Path) -> None:
    home = Home(tmp_path).ensure()
    lake = Lake(home)
    fill(lake)
    lake.rows = {name: rows[::-1] for name, rows in reversed(lake.rows.items())}
    lake.write(replaced={})
    database = prepared(home, "reversed", with_scoring())
    run_models(database, choose([f"+{mart}" for mart in MARTS]))
    other = Built(database, {})
    for mart in MARTS:
        assert sorted(map(str, scored.rows(mart))) == sorted(map(str, other.rows(mart)))


# --- what is wrong -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check_id", "value", "told"),
    [
        ("unknown_risk_factor", "Погода", "нет ни в одном списке"),
        ("unknown_risk_factor", "Низкая учебная мотивация обучающихся", "образовательной и воспитательной среды"),
        ("unknown_risk_factor", "equipment", "За 2019-2020 учебный год списка факторов риска нет"),
        ("unknown_risk_stage", "отдых", "Этапа «отдых» в цикле нет"),
        ("risk_stage_in_future", "2023-12-01", "ещё не наступил"),
        ("stage_of_unchosen_risk", "equipment", "о риске «equipment», а выбора такого риска школа не сообщала: школ 1"),
        ("stage_of_unchosen_risk", "failure_risk", "школ 1"),  # school 4 marked nothing; school 1 did choose it
        ("stage_of_unchosen_risk", None, "о школе в целом, а выбора такого риска школа не сообщала: школ 2"),
        ("unknown_risk_indicator", "рост", "в справочнике анкеты нет"),
        ("risk_choice_count", "МБОУ СОШ № 2", "выбрала рисков: 1; по порядку 2021-2022 учебного года их от 2 до 5"),
        ("risk_choice_count", "МБОУ СОШ № 3", "выбрала рисков: 6"),
    ],
)
def test_what_counts_nowhere_is_told(built: Built, check_id: str, value: str | None, told: str) -> None:
    found = {row["value"]: row for row in built.rows("quality_issue", check_id=check_id)}
    assert told in found[value]["reason_ru"]
    assert found[value]["remedy_ru"]
    assert found[value]["severity"] == "warning"


def test_good_choices_are_not_complained_of(built: Built) -> None:
    named = {row["value"] for row in built.rows("quality_issue", check_id="risk_choice_count")}
    assert named == {"МБОУ СОШ № 2", "МБОУ СОШ № 3"}
