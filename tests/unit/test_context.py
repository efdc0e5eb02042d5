"""Conditions of schools: the catalogue, how an answer is read, and the components against a lake worked by hand."""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.context_facts import Component, answer_values, context_tables, load_context, read_answers
from opora.facts import ReferenceFileError, default_root
from opora.home import PROJECT, Home
from opora.layouts.model import BUILT_IN, read_layouts
from opora.models import choose, run_models
from opora.reference import load_reference
from opora.warehouse import prepare
from schemas.registry import table
from tests.built import rows_of
from tests.unit.test_dbt_rules import Lake, delivery_id
from tests.unit.test_docs import tables_of

CATALOGUE = load_context()
Y1, Y2 = "2021-2022", "2022-2023"

# --- the catalogue -----------------------------------------------------------------------------------


def test_every_item_is_cited() -> None:
    cited = [CATALOGUE, *CATALOGUE.forms, *CATALOGUE.contradictions, *CATALOGUE.components]
    assert all(item.source.strip() for item in cited)


def test_layouts_ask_the_questions_of_the_catalogue_under_its_numbers() -> None:
    layouts = {layout.id: layout for layout in read_layouts(BUILT_IN)}
    asked = {
        (form.form_id, question)
        for form in CATALOGUE.forms
        for layout_id in form.layout_ids
        for question in layouts[layout_id].unpivot.fields["indicator_id"].items()  # type: ignore[union-attr]
    }
    declared = {
        (form.form_id, (question.number.lower().removeprefix((form.letter or "").lower()), question.question_id))
        for form in CATALOGUE.forms
        if form.layout_ids
        for question in CATALOGUE.questions_of(form.form_id)
    }
    assert asked == declared


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("part_of: teachers,", "part_of: teacher,", "unknown questions: teacher"),
        ("- {numerator: [settlement_size]}", "- {numerator: [inn]}", "settlement_size: a way reads an answer that is"),
        ("{1: 1, 2: 0}", "{1: 1, 3: 0}", "is_urban: map names answers that register_settlement"),
        ("map: {6: 4, 7: 4, 8: 4}", "map: {6: 5, 7: 4, 8: 4}", r"transport_access: values without a label: \[5"),
        ("component_id: vacancies", "component_id: enrolment", "component_id declared twice: enrolment"),
        ("kind: percent, share_of: passport_disability", "kind: percent", "share_of stands with the kind percent"),
        ("unit: ratio", "unit: code", "labels stand with the unit code"),
        ("beside_answers: [4]", "beside_answers: [5]", "settlement has no such answers"),
    ],
)
def test_a_wrong_fact_is_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    shutil.copytree(default_root() / "context", tmp_path / "context")
    path = tmp_path / "context" / "indicators.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ReferenceFileError, match=f"context/indicators.yaml.*{complaint}"):
        load_context(tmp_path)


# --- one answer --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question_id", "text", "value"),
    [
        ("settlement", "4) Населенный пункт сельского типа (поселок, село, деревня, станица, хутор и пр.)", 4),
        ("settlement", "город", 2),
        ("settlement", "3", 3),
        ("settlement", "9) Луна", None),
        ("settlement", "4 км от города", None),
        ("has_branches", "Да", 1),
        ("has_branches", "нет", 0),
        ("has_branches", "иногда", None),
        ("enrolment", "213", 213),
        ("enrolment", "0", 0),
        ("enrolment", "213,5", None),
        ("enrolment", "нет", None),
        ("enrolment", "-3", None),
        ("staff_vacancies", "1,5", 1.5),
        ("passport_disability_pct", "12,5 %", 12.5),
        ("passport_disability_pct", "112", None),
        ("inn", "2200000000", None),
    ],
)
def test_an_answer_is_read_as_what_it_means(question_id: str, text: str, value: float | None) -> None:
    assert read_answers(CATALOGUE.by_id[question_id], [text]) == {text: value}


@given(
    question=st.sampled_from(CATALOGUE.questions),
    text=st.sampled_from(["", " ", "-", "—", "нет данных", "н/д", "Нет данных", "nan", "?", "не знаю", "NaN", "inf"]),
)
def test_what_says_nothing_never_becomes_a_number(question: Any, text: str) -> None:
    assert read_answers(question, [text])[text] is None


@given(st.integers(0, 5000))
def test_a_zero_is_a_zero_and_a_count_itself(count: int) -> None:
    assert read_answers(CATALOGUE.by_id["enrolment"], [str(count)]) == {str(count): count}


def test_only_questions_with_answers_need_their_words_read() -> None:
    told = answer_values([("settlement", "2) Город"), ("enrolment", "5"), ("settlement", "?"), ("x", "1")], CATALOGUE)
    assert told.rows() == [("settlement", "2) Город", 2.0)]


# --- components --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Built:
    database: Path

    def row(self, school: str, component: str, year: str = Y1) -> dict[str, Any]:
        key = {"school_id": f"s{school}", "component_id": component, "academic_year": year}
        (row,) = rows_of(self.database, "marts.context_component", **key)
        return row

    def told(self, school: str, component: str, year: str = Y1) -> tuple[float | str | None, str | None]:
        """The value with its sources, or the reason why there is none."""
        row = self.row(school, component, year)
        return (row["value"], row["source_ids"]) if row["is_known"] else (row["unknown_reason"], None)


def answers(login: str, year: str = Y1, **given: str | int | float) -> list[dict[str, Any]]:
    """A school's answers, as the lake keeps them."""
    return [
        {
            "school_key_kind": "vpr_login",
            "school_key": login,
            "measured_year": year,
            "indicator_id": question,
            "value_text": str(value),
            "value_number": None if isinstance(value, str) else float(value),
        }
        for question, value in given.items()
    ]


def fill(lake: Lake) -> None:
    def add(delivery: int, *rows: list[dict[str, Any]]) -> None:
        lake.add("context_value", delivery, *(row for group in rows for row in group))

    village, town = "4) Населенный пункт сельского типа", "2) Город"
    # 1: only the survey; 2: passport and survey; 3: a passport with shares only; 4: no form; 5: nothing to divide by
    add(
        1,
        answers(
            "220001",
            enrolment=40,
            teachers=8,
            teachers_with_category=6,
            settlement=village,
            settlement_size="1) Менее 1 тыс.",
        ),
    )
    add(1, answers("220001", pupils_born_2006=4, disability_born_2006=1, pupils_born_2007=6, disability_born_2007=0))
    add(
        1,
        answers(
            "220002", enrolment=100, teachers=9, settlement=town, settlement_size="7) 450–680", teachers_with_category=0
        ),
    )
    add(
        2,
        answers(
            "220002", passport_pupils=120, passport_low_income=30, passport_low_income_pct=99, passport_large_family=0
        ),
    )
    add(2, answers("220003", passport_low_income_pct=12.5, passport_settlement=village, passport_transport_access="4"))
    add(2, answers("220003", staff_teachers=10, staff_vacancies=1.5, staff_positions=12, staff_psychologist="Нет"))
    add(2, answers("220005", pupils_born_2006=0, pupils_born_2007=0, disability_born_2006=0, disability_born_2007=0))
    add(2, answers("220005", passport_pupils=0, passport_low_income=0))
    # 6: the newest passport counts as a whole, the other form stays; 7: a replaced delivery; 8: more parts than pupils
    add(3, answers("220006", passport_pupils=50, passport_low_income=10, passport_large_family=5))
    add(3, answers("220006", staff_teachers=5))
    add(4, answers("220006", passport_pupils=60, passport_low_income=30))
    add(5, answers("220007", passport_pupils=10, passport_low_income=10))
    add(6, answers("220007", passport_pupils=20, passport_low_income=1))
    add(2, answers("220008", passport_pupils=5, passport_low_income=9))
    # 9 was merged into 10, which gave its own passport in the first year only; another year has other forms
    add(2, answers("220010", passport_pupils=70), answers("220009", passport_pupils=30))
    add(2, answers("220009", Y2, passport_pupils=33))
    # 12: the example of the page
    add(1, answers("220012", enrolment=100, teachers=9, teachers_with_category=6))
    add(2, answers("220012", passport_pupils=120, passport_low_income=30, passport_large_family=0))
    # unknown words are no answer, whatever stands in the lake
    add(2, answers("220011", settlement="9) Луна", enrolment=10))
    rows = [{"vpr_login": f"2200{n:02}", "school_name": f"МБОУ СОШ № {n}", "enrolment": 500 + n} for n in range(1, 13)]
    rows[3] |= {"settlement_type": "urban", "valid_from": None}
    lake.add("school_register", 7, *rows)
    merger = {"key_kind": "vpr_login", "key_value": "220009", "school_id": "s220010", "relation": "merged_into"}
    lake.add("school_crosswalk", 7, merger | {"valid_from": None})


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("context")
    lake = Lake(Home(folder / "home"))
    fill(lake)
    lake.write(replaced={5: 6})
    prepare(lake.home, load_reference(), folder / "build.duckdb")
    run_models(folder / "build.duckdb", choose(["+context_component", "+school"]))
    # tests that also look at other marts need a whole build; those of the whole region see them
    of_this_mart = ["conditions_are_complete", "context_component_key", "context_component_values"]
    run_models(folder / "build.duckdb", choose(of_this_mart))
    return Built(folder / "build.duckdb")


def test_a_survey_alone_gives_what_it_asks(built: Built) -> None:
    assert built.told("220001", "enrolment") == (40, "survey")
    assert built.told("220001", "teachers_with_category_share") == (0.75, "survey")
    assert built.told("220001", "pupils_per_teacher") == (5, "survey")
    assert built.told("220001", "disability_share") == (0.1, "survey"), "one of ten in two years of birth"
    assert built.told("220001", "is_urban") == (0, "survey")
    assert built.told("220001", "low_income_share") == ("no_form", None)
    row = built.row("220001", "settlement_kind")
    assert (row["value_ru"], row["delivery_ids"]) == ("Населённый пункт сельского типа", delivery_id(1))


def test_a_passport_comes_before_a_survey(built: Built) -> None:
    assert built.told("220002", "enrolment") == (120, "social_passport")
    assert built.told("220002", "low_income_share") == (0.25, "social_passport"), "the count, not the share"
    assert built.row("220002", "pupils_per_teacher")["value"] == pytest.approx(100 / 9), "both from one form"


def test_a_zero_stays_a_zero_and_a_blank_unknown(built: Built) -> None:
    assert built.told("220002", "large_family_share") == (0, "social_passport")
    assert built.told("220002", "teachers_with_category_share") == (0, "survey")
    assert built.told("220002", "guardianship_share") == ("not_answered", None)
    assert built.told("220003", "has_psychologist") == (0, "staff_resources")
    assert built.told("220003", "has_speech_therapist") == ("not_answered", None)


def test_big_towns_are_not_asked_about_transport(built: Built) -> None:
    row = built.row("220002", "transport_access")
    assert (row["value"], row["source_ids"]) == (4, "survey")
    assert row["reason_ru"].startswith("Анкета не спрашивает")
    assert built.told("220003", "transport_access") == (1, "social_passport")
    assert built.told("220001", "transport_access") == ("not_answered", None), "a village that did not say"


def test_shares_alone_are_enough(built: Built) -> None:
    assert built.told("220003", "low_income_share") == (0.125, "social_passport")
    assert built.told("220003", "vacancies") == (1.5, "staff_resources")
    assert built.told("220003", "teacher_shortage_share") == (0.125, "staff_resources")


def test_the_register_stands_in_and_says_so(built: Built) -> None:
    row = built.row("220004", "enrolment")
    assert (row["value"], row["source_ids"]) == (504, "register")
    assert row["reason_ru"].startswith("Взято из реестра")
    assert built.told("220004", "is_urban") == (1, "register")
    assert built.told("220003", "is_urban") == (0, "social_passport")
    assert built.told("220008", "is_urban") == ("not_answered", None)


def test_nothing_is_divided_by_zero(built: Built) -> None:
    assert built.told("220005", "disability_share") == ("zero_denominator", None)
    assert built.told("220005", "low_income_share") == ("zero_denominator", None)
    assert built.told("220005", "enrolment") == (0, "social_passport")


def test_the_newest_form_counts_as_a_whole(built: Built) -> None:
    assert built.told("220006", "low_income_share") == (0.5, "social_passport")
    assert built.told("220006", "large_family_share") == ("not_answered", None), "left out of the newest"
    row = built.row("220006", "pupils_per_teacher")
    assert (row["value"], row["source_ids"]) == (12, "social_passport;staff_resources")
    assert row["delivery_ids"] == ";".join(map(delivery_id, (3, 4)))
    assert built.told("220007", "low_income_share") == (0.05, "social_passport")


def test_an_impossible_value_is_none(built: Built) -> None:
    assert built.told("220008", "low_income_share") == ("out_of_range", None)
    assert built.told("220011", "settlement_kind") == ("not_answered", None)


def test_a_merged_school_is_no_row_and_speaks_only_where_its_heir_is_silent(built: Built) -> None:
    assert built.told("220010", "enrolment") == (70, "social_passport")
    assert built.told("220010", "enrolment", Y2) == (33, "social_passport")
    assert built.told("220001", "low_income_share", Y2) == ("no_form", None)
    assert built.told("220001", "settlement_size", Y2) == ("not_asked", None)
    with duckdb.connect(str(built.database), read_only=True) as connection:
        merged = "select count(*) from marts.context_component where school_id = 's220009'"
        assert connection.execute(merged).fetchall() == [(0,)]


def test_every_cell_is_there_and_unknown_ones_say_why(built: Built) -> None:
    with duckdb.connect(str(built.database), read_only=True) as connection:
        cells = connection.execute("select * from marts.context_component").pl()
    assert cells.height == 2 * 11 * len(CATALOGUE.components)
    unknown = cells.filter(~pl.col("is_known"))
    assert unknown["value"].null_count() == unknown.height > 0
    assert unknown["reason_ru"].null_count() == 0
    assert not any(math.isnan(value) for value in cells["value"].drop_nulls())


def test_tables_for_dbt_hold_the_whole_catalogue() -> None:
    tables = context_tables(CATALOGUE)
    assert tables["context_component_list"]["component_id"].to_list() == [c.component_id for c in CATALOGUE.components]
    assert tables["context_way_term"].height == sum(
        len(way.numerator) + len(way.denominator) for c in CATALOGUE.components for way in c.ways
    )


# --- the page ----------------------------------------------------------------------------------------

PAGE = PROJECT / "docs" / "methodology" / "context.md"
NUMBERS = {question.question_id: question.number for question in CATALOGUE.questions}


def in_words(component: Component) -> str:
    """«П6 / П1; П6%»: the questions of each way, as the page names them."""

    def side(questions: tuple[str, ...]) -> str:
        told = " + ".join(NUMBERS[q] if not q.startswith("register_") else "реестр" for q in questions)
        return f"({told})" if len(questions) > 1 else told

    return "; ".join(
        " / ".join(side(part) for part in (way.numerator, way.denominator) if part) for way in component.ways
    )


def test_the_page_lists_every_component_and_its_ways() -> None:
    told = list(tables_of(PAGE, "показатель", "что это", "единица", "из чего, по порядку", "метка"))
    assert [(row[0].strip("`"), row[1], row[3], row[4]) for row in told] == [
        (c.component_id, c.title_ru, in_words(c), c.evidence) for c in CATALOGUE.components
    ]


def test_the_page_names_every_reason_of_the_unknown() -> None:
    told = [row[0].strip("`") for row in tables_of(PAGE, "`unknown_reason`", "когда")]
    assert told == list(table("context_component").column("unknown_reason").vocabulary)


def test_the_example_of_the_page_is_computed_as_it_says(built: Built) -> None:
    for component, calculation, value in tables_of(PAGE, "показатель", "расчёт", "значение"):
        row = built.row("220012", component.strip("`"))
        if value == "неизвестно":
            assert not row["is_known"], calculation
        else:
            assert round(row["value"], 1 if "11" in value else 3) == float(value.replace(",", "."))
