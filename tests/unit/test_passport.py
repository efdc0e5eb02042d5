"""The workbook of social passports: what it asks, what it lets in, and that the intake reads it as it was filled."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opora.context_facts import load_context
from opora.templates import GUIDE, LISTS, SchoolChoice, write_passport_template
from tests import builders

CATALOGUE = load_context()
SCHOOLS = [
    SchoolChoice("МБОУ «СОШ № 5»", "Северский район", "990012"),
    SchoolChoice("Без логина", "Северский район", None, "9306"),
    SchoolChoice("МБОУ «СОШ № 6»", "Южный район", "990013"),
]
YEARS = ["2021-2022", "2022-2023"]
PASSPORT, STAFF = "Социальный паспорт", "Кадры и ресурсы"


def form(folder: Path, *schools: SchoolChoice) -> Path:
    return write_passport_template(folder / "паспорта.xlsx", CATALOGUE, "2022-2023", YEARS, schools)


def fill(path: Path, sheet: str, row: int, **answers: str | float | None) -> Path:
    """Answers by the number of the question, as a person would type them."""
    book = openpyxl.load_workbook(path)
    columns = {str(cell.value).split(".")[0]: cell.column for cell in book[sheet][1]}
    for number, answer in answers.items():
        book[sheet].cell(row, columns[number.replace("pct", "%")]).value = answer
    book.save(path)
    return path


def test_the_form_knows_the_schools_and_asks_every_question(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(form(tmp_path, *SCHOOLS))
    assert book.sheetnames == [GUIDE, PASSPORT, STAFF, LISTS]
    for title, form_id in ((PASSPORT, "social_passport"), (STAFF, "staff_resources")):
        rows = list(book[title].iter_rows(values_only=True))
        assert [str(cell).split(".")[0] for cell in rows[0][4:]] == [
            question.number for question in CATALOGUE.questions_of(form_id)
        ]
        assert [row[:4] for row in rows[1:]] == [
            ("2022-2023", "edu990012", "МБОУ «СОШ № 5»", "Северский район"),
            ("2022-2023", "edu990013", "МБОУ «СОШ № 6»", "Южный район"),
        ]


def test_every_choice_has_a_drop_down_and_every_part_a_bound(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(form(tmp_path, *SCHOOLS))
    for title, form_id in ((PASSPORT, "social_passport"), (STAFF, "staff_resources")):
        questions = CATALOGUE.questions_of(form_id)
        letters = {
            q.question_id: book[title].cell(1, place).column_letter for place, q in enumerate(questions, start=5)
        }
        rules = {
            cells.min_col: rule for rule in book[title].data_validations.dataValidation for cells in rule.sqref.ranges
        }
        for place, question in enumerate(questions, start=5):
            rule = rules[place]
            if question.kind in ("choice", "flag"):
                assert (rule.type, str(rule.formula1).startswith(f"'{LISTS}'!$")) == ("list", True)
            elif question.part_of:
                assert (rule.operator, rule.formula2) == (None, f"${letters[question.part_of]}2"), (
                    "between is the default"
                )
                assert rule.errorStyle == "warning", "words may stand there"
            elif question.kind == "percent":
                assert (rule.formula1, rule.formula2) == ("0", "100")


def test_the_form_is_read_as_it_was_filled(tmp_path: Path) -> None:
    path = form(tmp_path, *SCHOOLS)
    fill(path, PASSPORT, 2, П1=250, П2=50, П6=0, П8="нет данных", П12pct=4, П13="4) Населённый пункт сельского типа")
    fill(path, STAFF, 2, К1=20, К2=15, К3=22.5, К4=1.5, К5="да", К6="нет", К10="2) Медленный или с перебоями")
    result = builders.read(path)
    assert result.record.status == "accepted", result.issues.to_dicts()
    assert result.issues.is_empty()
    assert result.record.layout_ids == ["social_passport", "staff_resources"]
    sent = builders.records(result, "context_value")
    assert set(sent.select("school_key", "school_label", "measured_year").rows()) == {
        ("990012", "МБОУ «СОШ № 5»", "2022-2023")
    }
    assert dict(sent.select("indicator_id", "value_number").drop_nulls().rows()) == {
        "passport_pupils": 250,
        "passport_both_parents_higher": 50,
        "passport_low_income": 0,
        "passport_disability_pct": 4,
        "staff_teachers": 20,
        "staff_with_category": 15,
        "staff_positions": 22.5,
        "staff_vacancies": 1.5,
    }
    assert sent.height == 12, "four answers in words, none for what was left empty or unknown"


def test_an_unfilled_form_is_refused_as_empty(tmp_path: Path) -> None:
    assert builders.read(form(tmp_path, *SCHOOLS)).record.issues == {"no_data_rows": 1}


def test_without_a_release_the_school_is_typed_in(tmp_path: Path) -> None:
    path = form(tmp_path)
    book = openpyxl.load_workbook(path)
    assert book[PASSPORT].max_row == 1
    book[PASSPORT].cell(2, 1).value, book[PASSPORT].cell(2, 2).value = "2021-2022", "sch990014"
    book[PASSPORT].cell(2, 5).value = 31
    book.save(path)
    sent = builders.records(builders.read(path), "context_value").row(0, named=True)
    assert (sent["school_key"], sent["measured_year"], sent["value_number"]) == ("990014", "2021-2022", 31.0)


CELLS = st.one_of(
    st.none(),
    st.sampled_from(["", "нет данных", "-", "н/д", "нет", "много", "0", "0,0"]),
    st.integers(-2, 130),
    st.floats(0, 100).map(lambda value: round(value, 1)),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.dictionaries(st.sampled_from([q.number for q in CATALOGUE.questions_of("social_passport")]), CELLS))
def test_whatever_is_written_no_zero_is_made_of_nothing(tmp_path: Path, cells: dict[str, builders.Cell]) -> None:
    """An answer is a record with just its number, or set aside with a reason, or says nothing and leaves no trace."""
    row = {"login": "edu990012", "П1": 100} | {number: cell for number, cell in cells.items() if number != "П1"}
    folder = tmp_path / "п"
    folder.mkdir(exist_ok=True)
    result = builders.read(builders.xlsx(folder / "п.xlsx", builders.passport(row)))
    kept = dict(builders.records(result, "context_value").select("indicator_id", "value_text").rows())
    aside = result.issues.filter(pl.col("severity") == "quarantine").height
    for question in CATALOGUE.questions_of("social_passport"):
        cell = row.get(question.number)
        says_nothing = cell in (None, "", "нет данных", "-", "н/д")
        assert not (says_nothing and question.question_id in kept)
        if question.question_id in kept:
            assert float(kept[question.question_id].replace(",", ".")) == float(str(cell).replace(",", "."))
    said = sum(cell not in (None, "", "нет данных", "-", "н/д") for number, cell in row.items() if number != "login")
    assert len(kept) + aside == said


@pytest.mark.parametrize("needle", ["нет данных", "1 октября", "opora check", "персональные данные"])
def test_the_instruction_says_what_people_ask(tmp_path: Path, needle: str) -> None:
    book = openpyxl.load_workbook(form(tmp_path, *SCHOOLS))
    assert needle in " ".join(str(row[0]) for row in book[GUIDE].iter_rows(values_only=True))
