"""Risk profiles before they reach the warehouse: the reference and its checks, the form, what is read and refused."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from opora.facts import ReferenceFileError, default_root
from opora.layouts.model import BUILT_IN, normalise_header, read_layout
from opora.risk import cycle_year, last_turn_of_risk, load_risk, risk_tables, stage_dates
from opora.templates import ANSWERS, PROFILES, PROFILES_BY_SCHOOL, STAGES, SchoolChoice, write_risk_template
from schemas.registry import table
from tests import builders
from tests.unit.test_docs import METHODOLOGY, number, tables_of
from tests.unit.test_returns import choice, filled, words

FACTS = load_risk()
SCHOOLS = (
    SchoolChoice("МБОУ «СОШ № 5»", "Северский район", "990012", "9306"),
    SchoolChoice("МБОУ «СОШ № 6»", "Северский район", "990013", None),
)
SCHOOL = "МБОУ «СОШ № 5» (edu990012)"


# --- the reference -----------------------------------------------------------------------------------


def test_every_fact_is_cited() -> None:
    factors = [factor for item in FACTS.lists for factor in item.factors]
    stages = [stage for cycle in FACTS.cycles for stage in cycle.stages]
    cited = (*FACTS.lists, *factors, *FACTS.successions, *FACTS.indicators, *FACTS.levels, *stages, FACTS.scoring)
    assert all(fact.source.strip() for fact in cited)


def test_the_lists_are_those_of_the_project() -> None:
    former, later = FACTS.lists
    assert (len(former.factors), len(later.factors)) == (10, 8)
    assert former.covers("2020-2021")
    assert not former.covers("2021-2022")
    assert later.covers("2021-2022")
    assert FACTS.list_of("2019-2020") is None
    seeds = {factor.factor_id for factor in later.factors if factor.evidence == "SEED"}
    assert seeds == {"training_system", "language_barriers", "environment", "failure_risk", "parent_involvement"}


def test_every_factor_of_the_first_list_leads_into_the_second() -> None:
    former, later = FACTS.lists
    led = {factor_id: factor_id for factor_id in former.factor_ids & later.factor_ids}
    led |= {s.factor_id: s.becomes for s in FACTS.successions}
    assert set(led) == former.factor_ids
    assert set(led.values()) <= later.factor_ids


def test_the_scoring_is_off_and_says_that_its_rules_are_open() -> None:
    scoring = FACTS.scoring
    assert scoring.is_on.value is False
    for setting in (scoring.high_from_pct, scoring.medium_from_pct, scoring.minimum_known_pct):
        assert setting.status == "OPEN"
    assert risk_tables(FACTS)["risk_scoring"].is_empty()


def test_words_of_the_lake_are_those_of_the_reference() -> None:
    assert {level.level for level in FACTS.levels} == set(table("risk_factor_level").column("level").vocabulary)
    groups = {item.respondent_group for item in FACTS.respondents}
    assert groups == set(table("risk_answer").column("respondent_group").vocabulary)
    assert {group for i in FACTS.indicators for group in i.respondents} <= groups


def test_a_cycle_takes_its_calendar_year_from_the_end_of_the_school_year() -> None:
    assert cycle_year("2021-2022") == 2022
    stages = {stage.stage_id: stage_dates(stage, "2021-2022") for stage in FACTS.cycles[0].stages}
    assert stages["questionnaire"] == (dt.date(2022, 1, 1), dt.date(2022, 3, 31))
    assert stages["changes"][1] == dt.date(2022, 11, 30)


@given(st.dates(dt.date(2019, 1, 1), dt.date(2030, 12, 31)))
def test_between_two_turns_no_stage_changes_by_itself(day: dt.date) -> None:
    turn = last_turn_of_risk(FACTS, day)
    assert turn <= day
    stages = risk_tables(FACTS)["risk_stage_due"]

    def standing(of: dt.date) -> list[tuple[bool, bool]]:
        return stages.select(pl.col("due_from") <= of, pl.col("due_on") < of).rows()

    if turn > dt.date.min:
        assert standing(day) == standing(turn)
        assert standing(turn - dt.timedelta(days=1)) != standing(turn)


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        ("lists.yaml", "valid_from: 2021-2022", "valid_from: 2020-2021", "two lists in one year: 2020-2021"),
        ("lists.yaml", "number: 2", "number: 3", r"lists\[0\].*numbered"),
        ("lists.yaml", "factor_id: wellbeing\n", "factor_id: discipline\n", "repeated in a list"),
        (
            "lists.yaml",
            "- Низкая вовлечённость",
            "- Низкий уровень оснащения школы\n          - Н",
            "two factors claim",
        ),
        ("lists.yaml", "becomes: training_system", "becomes: motivation", "motivation is not in risk-factors-2022"),
        ("lists.yaml", "factor_id: motivation, to", "factor_id: equipment, to", "motivation of .* goes nowhere"),
        ("lists.yaml", "relation: replaced", "relation: lost", r"successions\[0\]\.relation"),
        ("indicators.yaml", "factor_id: equipment", "factor_id: weather", "factor_id: unknown: weather"),
        ("indicators.yaml", "factor_id: language_barriers", "factor_id: equipment", "behind: language_barriers"),
        ("indicators.yaml", "indicator_id: joint_work", "indicator_id: mutual_visits", "indicator_id: repeated"),
        ("indicators.yaml", "direction: up,", "direction: sideways,", r"indicators\[0\]\.direction"),
        ("indicators.yaml", "respondents: [director, teachers]", "respondents: [cook]", r"respondents\[0\]"),
        ("cycle.yaml", "valid_from: 2020-2021", "valid_from: 2021-2022", "a list without a cycle: 2020-2021"),
        ("cycle.yaml", 'value: "06-30"', 'value: "06-31"', r"stages\[4\]\.due"),
        ("cycle.yaml", 'value: "06-30"', 'value: "12-30"', "order of their dates"),
        ("cycle.yaml", 'starts: "05-01"', 'starts: "07-01"', "later than due"),
        ("cycle.yaml", "stage_id: profile", "stage_id: questionnaire", "stage_id: repeated"),
        ("cycle.yaml", "shown_by: level", "shown_by: participation", "shown_by: two stages"),
        ("cycle.yaml", "value: 5,", "value: 1,", "chosen_least"),
        ("cycle.yaml", "majority_denominator: {value: 2", "majority_denominator: {value: 3", "majority"),
        ("scoring.yaml", "value: 25", "value: 50", "medium_from_pct"),
        ("scoring.yaml", "value: false", "value: maybe", "is_on"),
    ],
)
def test_a_wrong_file_is_refused_by_name_and_field(
    tmp_path: Path, file: str, old: str, new: str, complaint: str
) -> None:
    root = tmp_path / "reference"
    shutil.copytree(default_root() / "risk", root / "risk")
    shutil.copy(default_root() / "academic_years.yaml", root)
    path = root / "risk" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ReferenceFileError, match=complaint) as refusal:
        load_risk(root)
    assert f"reference/risk/{file}" in str(refusal.value)


def test_a_column_of_each_factor_is_known_for_one() -> None:
    """The wide layout tells columns of factors by their first words: a new list may need a new one."""
    wide = read_layout(BUILT_IN / "risk_profile_wide.yaml").unpivot
    assert wide is not None
    for name in risk_tables(FACTS)["risk_name"].filter(pl.col("kind") == "factor", pl.col("code") != pl.col("name"))[
        "name"
    ]:
        for header in (name, f"7. {name}", f"{name}: значимость", f"{name} | выбран"):
            found = re.search(wide.pattern, normalise_header(header))
            assert found, header
            assert found["factor"] == normalise_header(name)


# --- the page of the methodology -------------------------------------------------------------------------

PAGE = METHODOLOGY / "risk-profile.md"


def test_the_page_names_the_factors_of_both_lists() -> None:
    former, later = ({f.factor_id: f.title_ru for f in item.factors} for item in FACTS.lists)
    becomes = {s.factor_id: s for s in FACTS.successions}
    rows = {row[0].strip("`"): row[1:] for row in tables_of(PAGE, "код", "цикл 2021 года", "с цикла 2022 года")}
    assert set(rows) == {*former, *later}
    for factor_id, (first, second) in rows.items():
        assert first == former.get(factor_id, "—")
        if factor_id in becomes:
            assert f"`{becomes[factor_id].becomes}`" in second
        else:
            assert second == ("то же" if factor_id in former else later[factor_id])


def test_the_page_names_the_stages_as_they_stand() -> None:
    months = ("января", "февраля", "марта", "апреля", "мая", "июня", "июля")
    months += ("августа", "сентября", "октября", "ноября", "декабря")
    rows = list(tables_of(PAGE, "этап", "срок в году цикла", "о чём отчёт", "метка срока"))
    expected = []
    for stage in FACTS.cycles[-1].stages:
        _, due = stage_dates(stage, "2021-2022")
        about = "риск" if stage.by_factor else "школа"
        expected.append([f"`{stage.stage_id}`", f"{due.day} {months[due.month - 1]}", about, stage.due.status])
    assert rows == expected


def test_examples_of_a_majority() -> None:
    header = ("высокая", "средняя", "низкая", "доля с высокой, %", "интервал, %", "вывод")
    rows = list(tables_of(PAGE, *header))
    assert len(rows) == 5
    titles = {level.level: level.title_ru for level in FACTS.levels}
    for *cells, share, ends, finding in rows:
        counts = dict(zip(("high", "medium", "low"), (int(cell) for cell in cells), strict=True))
        known = sum(counts.values())
        interval = stats.binomtest(counts["high"], known).proportion_ci(0.95, method="wilson")
        assert number(share) == round(100 * counts["high"] / known, 1)
        assert [number(end) for end in ends.split("–")] == [round(100 * end, 1) for end in interval]
        most = max(counts, key=lambda level: counts[level])
        assert finding.startswith(titles[most] if 2 * counts[most] > known else "большинства нет")


def test_example_of_the_scoring() -> None:
    rows = list(tables_of(PAGE, "показатель", "кто отвечал", "прислано, %", "в расчёт"))
    turned: dict[str, list[int]] = {}
    for name, _, sent, counted in rows:
        assert int(counted) in (int(sent), 100 - int(sent))
        turned.setdefault(name, []).append(int(counted))
    means = [sum(values) / len(values) for values in turned.values()]
    assert "(70 + 50) / 2 = 60" in PAGE.read_text(encoding="utf-8")
    assert sum(means) / len(means) == FACTS.scoring.high_from_pct.value


# --- the form ----------------------------------------------------------------------------------------


def test_the_form_is_read_as_it_was_filled(tmp_path: Path) -> None:
    path = write_risk_template(tmp_path / "risk.xlsx", FACTS, "2022-2023", SCHOOLS)
    school, other = (choice(path, "Школы", login) for login in ("edu990012", "edu990013"))
    factor, step = choice(path, "Факторы риска", "environment"), choice(path, "Этапы", "conditions")
    question = choice(path, "Показатели анкет", "bullied_pupils")
    levels = ["высокая значимость", "средняя значимость", None, None, None, "низкая значимость", None, None]
    filled(
        path,
        {
            PROFILES: [("2022-2023", school, factor, "высокая значимость", "да")],
            PROFILES_BY_SCHOOL: [(2023, other, *levels, "да", None, None, None, None, "нет", None, None)],
            STAGES: [
                (2023, school, factor, step, dt.datetime(2023, 6, 15), "справка", "куратор школы"),
                (2023, school, factor, step, None, None, None),  # not yet done
            ],
            ANSWERS: [("2022-2023", school, question, "обучающиеся", 12.5, 80)],
        },
    )
    result = builders.read(path)
    assert result.record.status == "accepted", words(result)
    assert result.issues.is_empty()
    rows = builders.records(result, "risk_factor_level").select("school_key", "factor", "level", "is_chosen").rows()
    titles = [normalise_header(factor.title_ru) for factor in FACTS.latest_list.factors]
    assert sorted(rows, key=str) == sorted(
        [
            ("990012", "environment", "high", True),
            ("990013", titles[0], "high", True),
            ("990013", titles[1], "medium", None),
            ("990013", titles[5], "low", False),
        ],
        key=str,
    )
    step_done = builders.records(result, "risk_stage_report").row(0, named=True)
    assert (step_done["stage"], step_done["factor"], step_done["done_on"]) == (
        "conditions",
        "environment",
        dt.date(2023, 6, 15),
    )
    assert (step_done["measured_year"], step_done["confirmed_by"]) == ("2022-2023", "куратор школы")
    answer = builders.records(result, "risk_answer").row(0, named=True)
    assert (answer["indicator"], answer["respondent_group"]) == ("bullied_pupils", "pupils")
    assert (answer["value_pct"], answer["respondents"]) == (12.5, 80)


def test_the_form_of_a_year_offers_the_factors_of_its_list(tmp_path: Path) -> None:
    former, later = (write_risk_template(tmp_path / f"{y}.xlsx", FACTS, y) for y in ("2020-2021", "2021-2022"))
    assert choice(former, "Факторы риска", "motivation")
    assert len(openpyxl.load_workbook(former)[PROFILES_BY_SCHOOL]["1"]) == 2 + 2 * 10
    assert len(openpyxl.load_workbook(later)[PROFILES_BY_SCHOOL]["1"]) == 2 + 2 * 8


@pytest.mark.parametrize("year", ["2019-2020", "2022", "когда-нибудь"])
def test_a_year_without_a_list_has_no_form(tmp_path: Path, year: str) -> None:
    with pytest.raises(LookupError, match=year):
        write_risk_template(tmp_path / "risk.xlsx", FACTS, year)
    assert not (tmp_path / "risk.xlsx").exists()


# --- rows --------------------------------------------------------------------------------------------

LEVELS = ("учебный год", "школа", "фактор риска", "значимость", "риск выбран")
STAGE = ("учебный год", "школа", "фактор риска", "этап", "дата этапа", "документ", "кто подтвердил (должность)")
ANSWER = ("учебный год", "школа", "показатель", "кто отвечал", "значение, %", "ответивших")
GOOD = {
    LEVELS: ("2021-2022", SCHOOL, "Дефицит педагогических кадров", "Высокая значимость", "да"),
    STAGE: (2022, SCHOOL, "x | staff_shortage", "Итоги | results", "20.12.2022", "приказ № 7", "директор школы"),
    ANSWER: (2022, SCHOOL, "Нет психолога | no_psychologist", "директор", 100, 1),
}


def read(folder: Path, header: tuple[str, ...], *rows: builders.Row) -> builders.Processed:
    return builders.read(builders.csv(folder / "risk.csv", [header, *rows]))


def changed(header: tuple[str, ...], column: str, value: builders.Cell) -> list[builders.Cell]:
    row = list(GOOD[header])
    row[header.index(column)] = value
    return row


@pytest.mark.parametrize("header", GOOD, ids=lambda header: header[2])
def test_a_good_row_has_no_issue(tmp_path: Path, header: tuple[str, ...]) -> None:
    result = read(tmp_path, header, GOOD[header])
    assert (result.record.status, result.issues.height) == ("accepted", 0)


@pytest.mark.parametrize(
    ("header", "column", "value", "check_id", "told"),
    [
        (LEVELS, "школа", "МБОУ «СОШ № 5»", "school_key_malformed", "Ключ школы не опознан"),
        (LEVELS, "учебный год", None, "required_value_missing", "Учебный год"),
        (LEVELS, "фактор риска", None, "required_value_missing", "Фактор риска"),
        (LEVELS, "значимость", "невысокая", "value_out_of_vocabulary", "«невысокая» недопустимо"),
        (LEVELS, "значимость", None, "required_value_missing", "Значимость"),
        (LEVELS, "риск выбран", "возможно", "value_unreadable", "ожидается да или нет"),
        (STAGE, "дата этапа", "31.08.2021", "stage_date_outside_cycle", "День 2021-08-31 вне цикла"),
        (STAGE, "дата этапа", "01.09.2023", "stage_date_outside_cycle", "прошло в 2021-2022 учебном году"),
        (STAGE, "дата этапа", "скоро", "value_unreadable", "ожидается дата"),
        (STAGE, "этап", None, "required_value_missing", "Этап"),
        (ANSWER, "кто отвечал", "завуч", "value_out_of_vocabulary", "«завуч» недопустимо"),
        (ANSWER, "значение, %", 100.5, "value_out_of_range", "от 0 до 100"),
        (ANSWER, "значение, %", None, "required_value_missing", "Значение"),
        (ANSWER, "ответивших", 0, "value_out_of_range", "от 1"),
        (ANSWER, "ответивших", "много", "value_unreadable", "целое число"),
    ],
)
def test_a_bad_row_says_what_is_wrong_and_what_to_do(
    tmp_path: Path, header: tuple[str, ...], column: str, value: builders.Cell, check_id: str, told: str
) -> None:
    good = changed(header, "школа", "МБОУ «СОШ № 6» (edu990013)")
    result = read(tmp_path, header, good, changed(header, column, value))
    assert builders.issues(result) == [(check_id, "quarantine")]
    issue = result.issues.row(0, named=True)
    assert told in issue["reason_ru"]
    assert issue["remedy_ru"]
    assert (result.record.rows.accepted, result.record.rows.quarantined) == (1, 1)


@pytest.mark.parametrize("day", ["01.09.2021", "31.08.2023"])
def test_a_cycle_reaches_from_its_school_year_into_the_next(tmp_path: Path, day: str) -> None:
    assert read(tmp_path, STAGE, changed(STAGE, "дата этапа", day)).record.status == "accepted"


@pytest.mark.parametrize("header", GOOD, ids=lambda header: header[2])
def test_the_same_row_twice_counts_once(tmp_path: Path, header: tuple[str, ...]) -> None:
    result = read(tmp_path, header, GOOD[header], GOOD[header])
    assert builders.issues(result) == [("duplicate_row", "quarantine")]
    assert result.record.rows.accepted == 1


def test_two_stages_of_the_whole_school_are_the_same_row_too(tmp_path: Path) -> None:
    row = changed(STAGE, "фактор риска", None)
    assert builders.issues(read(tmp_path, STAGE, row, row)) == [("duplicate_row", "quarantine")]


def test_a_name_in_place_of_a_position_goes_nowhere(tmp_path: Path) -> None:
    result = read(tmp_path, STAGE, changed(STAGE, "кто подтвердил (должность)", "Вымышленская Ксантиппа"))
    assert builders.issues(result) == [("attribute_unreadable", "warning")]
    assert "Вымышленская" not in str(result.issues.to_dicts())
    assert builders.records(result, "risk_stage_report")["confirmed_by"].to_list() == [None]


def test_a_chosen_risk_without_a_level_is_not_dropped_in_silence(tmp_path: Path) -> None:
    header = (
        "учебный год",
        "школа",
        "Дефицит педагогических кадров: значимость",
        "Дефицит педагогических кадров: выбран",
    )
    good = (2022, "edu990013", "низкая", None)
    result = read(tmp_path, header, (2022, SCHOOL, None, "да"), good)
    assert builders.issues(result) == [("required_value_missing", "quarantine")]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(["высокая", "средняя", "низкая"]), st.sampled_from(["да", "нет", None])),
        min_size=8,
        max_size=8,
    )
)
def test_the_two_forms_say_the_same(tmp_path: Path, profile: list[tuple[str, str | None]]) -> None:
    titles = [factor.title_ru for factor in FACTS.latest_list.factors]
    long = [(2023, SCHOOL, title, *said) for title, said in zip(titles, profile, strict=True)]
    wide_header = ("год цикла", "школа", *titles, *(f"{title} | выбран" for title in titles))
    wide = (2023, SCHOOL, *(level for level, _ in profile), *(chosen for _, chosen in profile))
    columns = ("factor", "level", "is_chosen", "school_key", "measured_year")
    found = [
        builders.records(read(tmp_path, header, *rows), "risk_factor_level").select(
            pl.col("factor").str.to_lowercase().str.replace_all("ё", "е"), *columns[1:]
        )
        for header, rows in ((LEVELS, long), (wide_header, [wide]))
    ]
    assert sorted(found[0].rows(), key=str) == sorted(found[1].rows(), key=str)
