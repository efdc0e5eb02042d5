"""What executors send: the form that Opora writes is read back, and every bad row says what is wrong with it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from opora.programmes import RETURN_KINDS, load_programmes
from opora.templates import LISTS, SchoolChoice, write_returns_template
from schemas.registry import table
from tests import builders

PROGRAMMES = load_programmes()
SCHOOLS = (
    SchoolChoice("МБОУ «СОШ № 5»", "Северский район", "990012", "9306"),
    SchoolChoice("МБОУ «СОШ № 6»", "Северский район", "990013", None),
)
CODED = (SchoolChoice("МБОУ «СОШ № 5»", "Северский район", None, "9306"),)
HEADER = (
    *("программа", "вид факта", "показатель или мероприятие", "период", "уровень", "школа", "муниципалитет"),
    *("дата факта", "количество", "из скольких", "документ", "исполнитель (должность)", "примечание"),
)
GOOD = {
    "программа": "Программа района | kargasok-2023",
    "вид факта": "Соглашение (договор) о партнёрстве | agreement",
    "показатель или мероприятие": None,
    "период": "2023",
    "уровень": "школа | school",
    "школа": "МБОУ «СОШ № 5» (edu990012)",
    "муниципалитет": None,
    "дата факта": "15.05.2023",
    "количество": 1,
    "из скольких": None,
    "документ": "договор № 7 от 15.05.2023",
    "исполнитель (должность)": "директор школы",
    "примечание": None,
}


def fact(**changes: builders.Cell) -> list[builders.Cell]:
    """A good row of returns, changed by header."""
    return list((GOOD | {name.replace("_", " "): value for name, value in changes.items()}).values())


def returns(folder: Path, *rows: builders.Row) -> builders.Processed:
    return builders.read(builders.xlsx(folder / "returns.xlsx", {"Факты": [HEADER, *rows]}))


def words(result: builders.Processed) -> list[tuple[str, str, str]]:
    return list(result.issues.select("check_id", "severity", "reason_ru").rows())


# --- the form ----------------------------------------------------------------------------------------


def filled(path: Path, sheets: dict[str, Sequence[builders.Row]]) -> Path:
    """The book with rows typed below the headers of its sheets."""
    book = openpyxl.load_workbook(path)
    for name, rows in sheets.items():
        for number, row in enumerate(rows, start=2):
            for column, cell in enumerate(row, start=1):
                book[name].cell(number, column).value = cell
    book.save(path)
    return path


def choice(path: Path, title: str, code: str) -> str:
    """The entry of a drop-down list that bears a code."""
    sheet = openpyxl.load_workbook(path)[LISTS]
    (column,) = (cell.column for cell in sheet[1] if cell.value == title)
    cells = [str(row[0].value) for row in sheet.iter_rows(min_row=2, min_col=column, max_col=column)]
    (found,) = (cell for cell in cells if cell.endswith((f"| {code}", f"({code})")))
    return found


def test_the_form_is_read_as_it_was_filled(tmp_path: Path) -> None:
    path = write_returns_template(tmp_path / "returns.xlsx", PROGRAMMES, SCHOOLS)
    programme = choice(path, "Программы", "kargasok-2023")
    kind = choice(path, "Виды фактов", "teacher_diagnostics")
    school = choice(path, "Школы", "edu990013")
    level, day = choice(path, "Уровни", "school"), dt.datetime(2023, 5, 15)
    filled(
        path,
        {
            "Факты": [
                (programme, kind, None, 2023, level, school, None, day, 6, 24, "справка", "директор школы", None)
            ],
            "Список программы": [(programme, 2023, school, None, "приказ № 228")],
            "Аттестаты": [("2022-2023", school, None, 9, 40, 38, 2)],
            "Суммы ЕГЭ": [("2022-2023", school, None, 20, 3, 11, 9)],
            "Контингент": [("2022-2023", school, None, 100, 120, 30, 250)],
            "Посещаемость": [("2022-2023", school, None, choice(path, "Четверти", "q1"), 250, 900, 40, 5, 2)],
            "Соглашения": [(school, None, choice(path, "Школы", "edu990012"), programme, "№ 7", day, None, "да")],
        },
    )
    result = builders.read(path)
    assert result.record.status == "accepted", words(result)
    assert result.issues.is_empty()
    sent = builders.records(result, "programme_return").row(0, named=True)
    assert (sent["programme_id"], sent["return_kind"], sent["period"]) == (
        "kargasok-2023",
        "teacher_diagnostics",
        "2023",
    )
    assert (sent["school_key"], sent["school_label"]) == ("990013", "МБОУ «СОШ № 6»")
    assert (sent["reported_on"], sent["quantity"], sent["denominator"]) == (dt.date(2023, 5, 15), 6.0, 24.0)
    assert builders.records(result, "listed_school")["school_key"].to_list() == ["990013"]
    assert builders.records(result, "certificate_count")["without_certificate"].to_list() == [2]
    assert builders.records(result, "exam_sum").select("participants", "at_least_220", "below_160").row(0) == (20, 3, 9)
    bands = builders.records(result, "contingent").select("grade_band", "pupils").rows()
    assert set(bands) == {("1-4", 100), ("5-9", 120), ("10-11", 30), ("all", 250)}
    assert builders.records(result, "attendance")["term"].to_list() == ["q1"]
    agreed = builders.records(result, "partner_agreement").row(0, named=True)
    assert (agreed["school_key"], agreed["leader_key"], agreed["leader_label"]) == (
        "990013",
        "990012",
        "МБОУ «СОШ № 5»",
    )
    assert (agreed["signed_on"], agreed["valid_to"], agreed["has_programme"]) == (dt.date(2023, 5, 15), None, True)


def test_an_unfilled_form_is_refused_as_empty(tmp_path: Path) -> None:
    result = builders.read(write_returns_template(tmp_path / "returns.xlsx", PROGRAMMES, SCHOOLS))
    assert result.record.issues == {"no_data_rows": 1}


def test_schools_without_logins_are_chosen_by_exam_code(tmp_path: Path) -> None:
    path = write_returns_template(tmp_path / "returns.xlsx", PROGRAMMES, CODED)
    programme, level = choice(path, "Программы", "kargasok-2023"), choice(path, "Уровни", "school")
    day = dt.datetime(2023, 5, 15)
    row = (programme, "x | agreement", None, 2023, level, 9306, "СОШ № 5", None, day, 1, None, None, None, None)
    sent = builders.records(builders.read(filled(path, {"Факты": [row]})), "programme_return").row(0, named=True)
    assert (sent["school_key_kind"], sent["school_key"]) == ("exam_code", "9306")


@pytest.mark.parametrize("sheet", ["Факты", "Список программы", "Аттестаты", "Посещаемость", "Соглашения"])
def test_every_choice_has_a_drop_down(tmp_path: Path, sheet: str) -> None:
    book = openpyxl.load_workbook(write_returns_template(tmp_path / "returns.xlsx", PROGRAMMES, SCHOOLS))
    lists = [rule for rule in book[sheet].data_validations.dataValidation if rule.type == "list"]
    assert len(lists) >= 3
    assert all(str(rule.formula1).startswith(f"'{LISTS}'!$") for rule in lists)


def test_kinds_of_facts_are_those_of_the_programmes() -> None:
    assert set(table("programme_return").column("return_kind").vocabulary) == set(RETURN_KINDS)


# --- bad rows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "check_id", "told"),
    [
        ({"дата_факта": "15.05.2024"}, "date_outside_period", "Дата 2024-05-15 вне периода 2023."),
        ({"дата_факта": "вчера"}, "value_unreadable", "ожидается дата"),
        ({"количество": "пять"}, "value_unreadable", "«пять» не читается, ожидается число"),
        ({"количество": None}, "required_value_missing", "«Количество» обязателен"),
        ({"количество": -1}, "value_out_of_range", "от 0"),
        ({"программа": None}, "required_value_missing", "«Программа» обязателен"),
        ({"вид_факта": "субботник"}, "value_out_of_vocabulary", "«су…(9 знаков)» недопустимо"),
        ({"школа": None}, "school_of_return_missing", "школа не названа"),
        ({"школа": "СОШ № 5"}, "school_key_malformed", "«СОШ № 5»"),
        ({"период": "весна"}, "value_unreadable", "«весна»"),
        ({"из_скольких": 0.5}, "quantity_exceeds_denominator", "Количество 1 больше"),
    ],
)
def test_a_bad_row_says_what_is_wrong(
    tmp_path: Path, changes: dict[str, builders.Cell], check_id: str, told: str
) -> None:
    result = returns(tmp_path, fact(), fact(**{"документ": "второй"} | changes))
    assert result.record.rows.accepted == 1
    assert result.record.rows.quarantined == 1
    found = {check: reason for check, _, reason in words(result)}
    assert told in found[check_id], found


@pytest.mark.parametrize(
    ("period", "day", "is_inside"),
    [
        ("2023", "2023-12-31", True),
        ("2023", "2022-12-31", False),
        ("2022-2023", "2022-09-01", True),
        ("2022-2023", "2023-08-31", True),
        ("2022-2023", "2023-09-01", False),
        ("2023-Q2", "2023-04-01", True),
        ("2023-Q2", "2023-06-30", True),
        ("2023-Q2", "2023-07-01", False),
        ("2023-Q4", "2023-12-31", True),
        ("2023-05", "2023-05-31", True),
        ("2023-05", "2023-06-01", False),
    ],
)
def test_the_date_belongs_to_the_period(tmp_path: Path, period: str, day: str, is_inside: bool) -> None:
    result = returns(tmp_path, fact(**{"период": period, "дата факта": day}))
    assert ("date_outside_period" in result.record.issues) is not is_inside


def test_the_same_fact_twice_is_kept_once(tmp_path: Path) -> None:
    result = returns(tmp_path, fact(), fact(количество=2), fact(документ="договор № 8"), fact(документ=None))
    assert result.record.issues == {"duplicate_row": 1}
    assert builders.records(result, "programme_return")["quantity"].to_list() == [1.0, 1.0, 1.0]
    assert "уже есть в строке 2" in words(result)[0][2]


def test_reports_of_a_territory_need_no_school_and_repeat_like_others(tmp_path: Path) -> None:
    row = fact(уровень="муниципалитет | municipality", школа=None, муниципалитет="Северский район")
    result = returns(tmp_path, row, row)
    assert result.record.rows.accepted == 1
    assert result.record.issues == {"duplicate_row": 1}


def test_a_name_in_place_of_a_position_goes_nowhere(tmp_path: Path) -> None:
    result = returns(tmp_path, fact(**{"исполнитель (должность)": "Вымышленская Ксантиппа"}))
    assert result.record.issues == {"attribute_unreadable": 1}
    assert builders.records(result, "programme_return")["executor"].to_list() == [None]
    assert "Вымышленская" not in str(result.issues.to_dicts())


# --- agreements --------------------------------------------------------------------------------------

AGREEMENT = {
    "школа": "МБОУ «СОШ № 5» (edu990012)",
    "школа-лидер": "МБОУ «СОШ № 6» (edu990013)",
    "номер соглашения": "7",
    "дата подписания": "15.05.2023",
    "действует по": "31.08.2024",
    "есть совместная программа": "нет",
}


def agreements(folder: Path, *changes: dict[str, builders.Cell]) -> builders.Processed:
    rows = [list((AGREEMENT | change).values()) for change in changes]
    return builders.read(builders.xlsx(folder / "agreements.xlsx", [list(AGREEMENT), *rows]))


@pytest.mark.parametrize(
    ("change", "check_id", "told"),
    [
        ({"школа-лидер": AGREEMENT["школа"]}, "partner_is_the_school", "одна и та же: 990012"),
        ({"действует по": "14.05.2023"}, "agreement_ends_too_early", "по 2023-05-14, а подписано позже: 2023-05-15"),
        ({"дата подписания": None}, "required_value_missing", "«Дата подписания» обязателен"),
        ({"дата подписания": "весной"}, "value_unreadable", "ожидается дата"),
        ({"школа-лидер": "СОШ № 6"}, "value_unreadable", "«СОШ № 6»"),
        ({"школа-лидер": None}, "required_value_missing", "«Ключ школы-лидера» обязателен"),
        ({"школа": "СОШ № 5"}, "school_key_malformed", "«СОШ № 5»"),
        ({"есть совместная программа": "скоро"}, "value_unreadable", "да или нет"),
        ({}, "duplicate_row", "уже есть в строке 2"),
    ],
)
def test_a_bad_agreement_says_what_is_wrong(
    tmp_path: Path, change: dict[str, builders.Cell], check_id: str, told: str
) -> None:
    result = agreements(tmp_path, {}, ({"номер соглашения": "8"} if change else {}) | change)
    assert (result.record.rows.accepted, result.record.rows.quarantined) == (1, 1)
    assert [told in reason for check, _, reason in words(result) if check == check_id] == [True], words(result)


def test_an_agreement_may_end_on_the_day_it_begins_and_need_not_end(tmp_path: Path) -> None:
    result = agreements(tmp_path, {"действует по": "15.05.2023"}, {"действует по": None, "номер соглашения": None})
    assert result.issues.is_empty()
    assert builders.records(result, "partner_agreement")["valid_to"].to_list() == [dt.date(2023, 5, 15), None]


def test_agreements_of_schools_known_by_exam_code(tmp_path: Path) -> None:
    header = ("код ОО", "школа", "код школы-лидера", "школа-лидер", "дата подписания")
    path = builders.csv(tmp_path / "a.csv", [header, (9306, "СОШ № 5", 9307, "СОШ № 6", "15.05.2023")])
    sent = builders.records(builders.read(path), "partner_agreement").row(0, named=True)
    assert (sent["school_key_kind"], sent["school_key"]) == ("exam_code", "9306")
    assert (sent["leader_key_kind"], sent["leader_key"]) == ("exam_code", "9307")


# --- annual figures ----------------------------------------------------------------------------------

PLACE = ("2022-2023", "МБОУ «СОШ № 5» (edu990012)")
ANNUAL = {
    "certificate_count": (
        ("учебный год", "школа", "выпускной класс", "выпускников", "без аттестата"),
        [((*PLACE, 9, 40, 3), None), ((*PLACE, 11, 40, 41), "certificates_do_not_add_up")],
    ),
    "exam_sum": (
        ("учебный год", "школа", "сдавали не менее трёх ЕГЭ", "220 и более", "160 и более"),
        [((*PLACE, 20, 3, 11), None), (("2021-2022", PLACE[1], 20, 13, 11), "sums_do_not_add_up")],
    ),
    "attendance": (
        ("учебный год", "школа", "четверть или год", "обучающихся", "состоят на учёте"),
        [((*PLACE, "year", 250, 4), None), ((*PLACE, "q1", 250, 251), "on_records_exceed_pupils")],
    ),
    "contingent": (
        ("учебный год", "школа", "1-4 классы", "всего"),
        [((*PLACE, 100, 250), None), (("2021-2022", PLACE[1], 100, "много"), "value_unreadable")],
    ),
}


@pytest.mark.parametrize("name", ANNUAL)
def test_annual_figures_are_judged_like_any_delivery(tmp_path: Path, name: str) -> None:
    header, cases = ANNUAL[name]
    rows = [row for row, _ in cases]
    result = builders.read(builders.xlsx(tmp_path / "annual.xlsx", [header, *rows, rows[0]]))
    checks = {check for _, check in cases if check} | {"duplicate_row"}
    assert set(result.record.issues) == checks
    assert set(builders.records(result, name)["measured_year"]) >= {"2022-2023"}


@pytest.mark.parametrize("year", range(2016, 2027))
def test_a_calendar_year_means_the_school_year_that_ends_in_it(tmp_path: Path, year: int) -> None:
    """Also in 2020 and 2022, when ВПР moved to autumn."""
    header, _ = ANNUAL["certificate_count"]
    rows = [(str(year), PLACE[1], 9, 40, 3), (f"{year - 1}/{year}", PLACE[1], 11, 40, 3)]
    result = builders.read(builders.csv(tmp_path / "c.csv", [header, *rows]))
    assert set(builders.records(result, "certificate_count")["measured_year"]) == {f"{year - 1}-{year}"}


def test_the_misnamed_column_of_moscow_is_read_for_what_it_is(tmp_path: Path) -> None:
    header = ("AdmArea", "District", "EDU_NAME", "OGRN", "PASSED_NUMBER_FULL", "PASSES_OVER_220")
    row = ("САО", "район Аэропорт", "ГБОУ «Школа № 179»", "1", 109, 80, 101, "2015-2016")
    path = builders.csv(tmp_path / "ege.csv", [(*header, "PASSER_UNDER_160", "YEAR"), row])
    sent = builders.records(builders.read(path), "exam_sum").row(0, named=True)
    assert (sent["participants"], sent["at_least_220"], sent["at_least_160"], sent["below_160"]) == (109, 80, 101, None)
    assert (sent["measured_year"], sent["school_key"]) == ("2015-2016", "район аэропорт|гбоу школа №179")


def test_the_open_data_of_moscow_is_read(tmp_path: Path) -> None:
    from tests.conftest import REAL_DATA

    path = REAL_DATA / "moscow-ege" / "data-9722-2016-10-31.csv"
    if not path.exists():
        pytest.skip(f"no {path.name}: set OPORA_REAL_DATA")
    copied = tmp_path / path.name
    copied.write_bytes(path.read_bytes())
    result = builders.read(copied)
    frame = builders.records(result, "exam_sum")
    assert result.record.rows.accepted == 626 - result.record.rows.quarantined
    assert frame.filter(pl.col("at_least_160") < pl.col("at_least_220")).is_empty()
