"""Every layout is recognised by its content and mapped, in each variant in which it is known to come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest
import yaml

from opora.home import PROJECT
from opora.layouts.context import Facts, _grade_of_codes, _titled, calendar_year, facts_of_path
from opora.layouts.convert import CONVERTERS
from opora.layouts.model import (
    AUXILIARY,
    Context,
    Layout,
    LayoutError,
    RowKind,
    Source,
    Unpivot,
    read_layout,
    read_layouts,
)
from tests import builders as b

RESULT = "assessment_result"
AGGREGATE = "aggregate_result"


def rows_of(result: object, table: str, *columns: str) -> list[tuple[object, ...]]:
    return b.records(result, table).select(columns).rows()  # type: ignore[arg-type]


# --- ВПР: participants ---------------------------------------------------------------------------------


def test_individual_results(tmp_path: Path) -> None:
    rows = [b.pupil(60001, tasks=(2, "X", "Х"), total=2), b.pupil("60002", tasks=("—", 1, 0), total="1", mark=None)]
    absent = b.pupil(60003, variant="отсутствовал", tasks=(None, None, None), total=None, mark="нет отметки")
    result = b.read(b.xlsx(tmp_path / "2849657.xlsx", b.individual(*rows, absent, declared=3)))
    assert result.record.layout_ids == ["vpr_individual_results"]
    assert result.issues.is_empty()
    assert (result.record.rows.group, result.record.rows.accepted, result.record.rows.absent) == (1, 2, 1)
    frame = b.records(result, RESULT)
    assert frame.select("school_key", "school_label", "municipality_label").unique().rows() == [
        ("990012", "МБОУ «СОШ № 5»", b.PLACE)
    ]
    assert frame.select("subject_id", "test_grade", "measured_year", "held_on", "max_score").unique().rows() == [
        ("russian", 6, "2022-2023", dt.date(2023, 4, 11), 4.0)
    ]
    assert frame["task_scores"].to_list() == [["2", "X", "X"], ["X", "1", "0"], [None, None, None]]
    assert frame["source_row"].to_list() == [10, 11, 12]
    assert frame["mark"].to_list() == [4, None, None]
    assert frame["attendance"].to_list() == ["participated", "participated", "absent"]


PARTICIPANTS: dict[str, tuple[str, Sequence[b.Row], dict[str, object]]] = {
    "vpr_participants_2020": (
        "Математика.xlsx",
        [b.AUTUMN_2020, b.autumn_pupil(60001), b.autumn_pupil(60002, variant="отсутствовал", total=None)],
        {
            "subject_id": "mathematics",
            "test_grade": 5,
            "pupil_grade": 6,
            "measured_year": "2019-2020",
            "held_year": "2020-2021",
            "municipality_key": "99_m003",
            "sex": "f",
            "task_scores": ["1", "2", "X", "1"],
            "total_score": 4.0,
            "max_score": 20.0,
        },
    ),
    "vpr_participants_2021": (
        "что угодно.xlsx",
        [
            b.SPRING_2021,
            b.spring_pupil(50001),
            b.spring_pupil(50002, prior="5\u00a0", tasks=("1\u00a0", "не пройд.", 1)),
        ],
        {
            "subject_id": "mathematics",
            "test_grade": 5,
            "pupil_grade": 5,
            "measured_year": "2020-2021",
            "municipality_label": b.PLACE,
            "sex": "m",
            "class_name": "А",
            "prior_mark": 4,
            "task_scores": ["1", "1", "0"],
        },
    ),
    "vpr_participants_2022": (
        "Математика.xlsx",
        [b.PROTOCOL_2022, b.protocol_pupil(50001), b.protocol_pupil(50002, variant="отсутствовал", total=0)],
        {
            "subject_id": "mathematics",
            "test_grade": 5,
            "measured_year": "2021-2022",
            "municipality_key": "99_m003",
            "municipality_label": b.PLACE,
            "school_label": "МБОУ «СОШ № 5»",
            "max_score": 4.0,
            "held_on": dt.date(2022, 3, 18),
            "task_scores": ["1", "2", "X"],
        },
    ),
}


@pytest.mark.parametrize("layout", PARTICIPANTS)
def test_participant_layouts_as_book_and_parquet_are_equal(layout: str, tmp_path: Path) -> None:
    name, rows, expected = PARTICIPANTS[layout]
    book = b.read(b.xlsx(tmp_path / "книга" / name, {"Sheet": rows}))
    copy = b.read(b.parquet(tmp_path / "копия" / Path(name).with_suffix(".parquet").name, rows))
    assert book.record.layout_ids == copy.record.layout_ids == [layout]
    frame = b.records(book, RESULT)
    first = frame.row(0, named=True)
    assert {name: first[name] for name in expected} == expected
    assert first["school_key"] == "990012"
    apart = ["delivery_id", "sheet"]
    assert frame.drop(apart).equals(b.records(copy, RESULT).drop(apart))
    assert book.issues.is_empty()


def test_spring_2021_cleans_no_break_spaces_and_topics_not_taught(tmp_path: Path) -> None:
    _, rows, _ = PARTICIPANTS["vpr_participants_2021"]
    frame = b.records(b.read(b.xlsx(tmp_path / "ф.xlsx", rows)), RESULT)
    assert frame.row(1, named=True)["prior_mark"] == 5
    assert frame["task_scores"].to_list()[1] == ["1", "N", "1"]


def test_a_protocol_remembers_what_its_headers_say_of_the_tasks(tmp_path: Path) -> None:
    named = b.read(b.xlsx(tmp_path / "5" / "Математика.xlsx", {"Протокол": PARTICIPANTS["vpr_participants_2022"][1]}))
    assert [(c.position, c.label, c.max_score) for c in named.record.task_columns] == [
        (1, "1", 1),
        (2, "2", 2),
        (3, "10к1", 1),
    ]
    assert {(c.subject_id, c.test_grade, c.measured_year) for c in named.record.task_columns} == {
        ("mathematics", 5, "2021-2022")
    }
    numbered = b.read(b.xlsx(tmp_path / "2021" / "ф.xlsx", PARTICIPANTS["vpr_participants_2021"][1]))
    assert [(c.label, c.max_score) for c in numbered.record.task_columns] == [("1", None), ("2", None), ("3", None)]


def test_rows_with_shifted_attributes_stay_with_a_warning(tmp_path: Path) -> None:
    shifted = b.spring_pupil(prior="ж", sex="4")
    result = b.read(b.xlsx(tmp_path / "ф.xlsx", [b.SPRING_2021, shifted]))
    assert b.issues(result) == [("attribute_unreadable", "warning")] * 2
    assert rows_of(result, RESULT, "prior_mark", "sex") == [(None, None)]


def test_a_collection_form_takes_its_school_from_the_path(tmp_path: Path) -> None:
    rows = [
        (60001, 1, 5, 3, 1, 4, 8),
        (60002, 2, "X", 2, 1, "нет отметки", 2),
        (60003, "отсутствовал", None, None, 1, 3, 0),
    ]
    path = b.xlsx(tmp_path / "sch990012" / "Форма сбора результатов Математика 6 класс ВПР 2024.xlsx", b.form(*rows))
    result = b.read_all(tmp_path)[path.relative_to(tmp_path).as_posix()]
    assert result.record.layout_ids == ["vpr_collection_form"]
    assert result.issues.is_empty(), "the sheets of lists are known to hold no data"
    assert (result.record.rows.accepted, result.record.rows.absent, result.record.rows.blank) == (2, 1, 1496)
    assert rows_of(result, RESULT, "school_key", "subject_id", "test_grade", "measured_year", "max_score")[0] == (
        *("990012", "mathematics", 6, "2023-2024"),
        8.0,
    )
    assert rows_of(result, RESULT, "prior_mark", "attendance") == [
        (4, "participated"),
        (None, "participated"),
        (3, "absent"),
    ]


def test_a_delivery_note_says_what_a_file_does_not(tmp_path: Path) -> None:
    b.xlsx(tmp_path / "2020" / "файл 1.xlsx", [b.AUTUMN_2020, b.autumn_pupil()])
    b.xlsx(tmp_path / "2020" / "форма.xlsx", b.form((60001, 1, 5, 3, 1, 4, 8)))
    note = [
        ("файл", "предмет", "класс", "год", "логин"),
        ("файл 1.xlsx", "Математика", 5, 2020, None),
        ("форма.xlsx", "Русский язык", "6", "2024", "edu990012"),
        (None, None, None, None, None),
        ("нет такого.xlsx", "?", "седьмой", "когда-то", "нет"),
    ]
    b.csv(tmp_path / "2020" / "опись.csv", note)
    results = b.read_all(tmp_path)
    assert rows_of(results["2020/файл 1.xlsx"], RESULT, "subject_id", "test_grade") == [("mathematics", 5)]
    told = rows_of(results["2020/форма.xlsx"], RESULT, "school_key", "subject_id", "test_grade", "measured_year")
    assert told == [("990012", "russian", 6, "2023-2024")]
    own = results["2020/опись.csv"].record
    assert (own.status, own.rows.accepted, own.rows.blank) == ("accepted", 3, 1)


@pytest.mark.parametrize(
    ("path", "facts"),
    [
        ("2020/5/Математика.xlsx", Facts(subject_id="mathematics", grade=5, year=2020)),
        ("participants/2021/05_russkiy.parquet", Facts(subject_id="russian", grade=5, year=2021)),
        ("ВПР по физике, 8 класс. 2021.xlsx", Facts(assessment="vpr", subject_id="physics", grade=8, year=2021)),
        ("sch990012/форма.xlsx", Facts(school_key="990012")),
        (
            "ОГЭ/Русский язык 2022.06.07.csv",
            Facts(assessment="oge", subject_id="russian", year=2022, held_on=dt.date(2022, 6, 7)),
        ),
        ("college/storage.csv", Facts()),
    ],
)
def test_words_of_a_path(path: str, facts: Facts) -> None:
    assert facts_of_path(path, b.reference()) == facts


# --- ВПР: reports --------------------------------------------------------------------------------------


def test_mark_statistics_recover_counts(tmp_path: Path) -> None:
    result = b.read(b.xlsx(tmp_path / "ф.xlsx", b.statistics([b.SCHOOL, None, 89, 12.36, 52.81, 26.97, 7.87])))
    assert result.record.layout_ids == ["vpr_mark_statistics"]
    assert result.issues.is_empty()
    levels = rows_of(result, AGGREGATE, "territory_level", "school_key", "municipality_key")
    assert levels == [("country", None, None), ("municipality", None, "99_m003"), ("school", "990012", None)]
    assert rows_of(result, AGGREGATE, "participants", "below_minimum", "count_2", "count_3", "count_4", "count_5")[
        2
    ] == (
        *(89, 11, 11, 47, 24),
        7,
    )


WIDE = (
    *("Группы участников", "Кол-во участников(всего)"),
    *("Понизили (Отметка < Отметка по журналу) %", "Понизили (Отметка < Отметка по журналу) Кол-во участников"),
    *("Подтвердили (Отметка = Отметке по журналу) %", "Подтвердили (Отметка = Отметке по журналу) Кол-во участников"),
    *("Повысили (Отметка > Отметка по журналу) %", "Повысили (Отметка > Отметка по журналу) Кол-во участников"),
)
OUTCOMES = [("lowered", 2, 20.0, 10), ("confirmed", 7, 70.0, 10), ("raised", 1, 10.0, 10)]


def test_mark_comparison_wide(tmp_path: Path) -> None:
    table = b.report("Сравнение отметок с отметками по журналу", WIDE, [(b.SCHOOL, 10, "20,0", 2, 70, 7, 10, 1)])
    result = b.read(b.xlsx(tmp_path / "ф.xlsx", {"РУ 6 Сравнение отметок с отметк": table}))
    assert result.record.layout_ids == ["vpr_mark_comparison_wide"]
    assert rows_of(result, "mark_comparison", "outcome", "outcome_count", "outcome_pct", "participants") == OUTCOMES


def test_mark_comparison_long(tmp_path: Path) -> None:
    rows = [
        (b.SCHOOL, None, None),
        ("Понизили (Отметка < Отметка по журналу)", 2, 20),
        ("Подтвердили (Отметка = Отметке по журналу)", 7, 70),
        ("Повысили (Отметка > Отметка по журналу)", 1, 10),
        ("Всего", 10, 100),
    ]
    table = b.report("Сравнение отметок", ("Группы участников", "Кол-во участников", "%"), rows)
    result = b.read(b.xlsx(tmp_path / "ф.xlsx", {"РУ 6": table}))
    assert result.record.layout_ids == ["vpr_mark_comparison_long"]
    assert rows_of(result, "mark_comparison", "outcome", "outcome_count", "outcome_pct", "participants") == OUTCOMES
    assert rows_of(result, "mark_comparison", "territory_level", "school_key")[0] == ("school", "990012")
    assert (result.record.rows.group, result.record.rows.total, result.record.rows.accepted) == (1, 1, 3)


def test_score_distribution(tmp_path: Path) -> None:
    header = ("Группы участников", "Кол-во ОО", "Кол-во участников", 0, 1, 2)
    table = b.report("Распределение первичных баллов", header, [(b.SCHOOL, None, 4, 25, 0, 75)])
    result = b.read(b.xlsx(tmp_path / "ф.xlsx", {"РУ 6 Распределение": table}))
    assert result.record.layout_ids == ["vpr_score_distribution"]
    assert rows_of(result, "score_distribution", "primary_score", "score_share_pct") == [(1, 0.0), (2, 75.0)] or (
        rows_of(result, "score_distribution", "primary_score", "score_share_pct") == [(0, 25.0), (1, 0.0), (2, 75.0)]
    )


# --- flat tables ---------------------------------------------------------------------------------------


def as_xlsx(folder: Path, rows: b.Table) -> Path:
    return b.xlsx(folder / "таблица.xlsx", {" Лист ": rows})


def as_csv(folder: Path, rows: b.Table) -> Path:
    return b.csv(folder / "таблица.csv", [["Региональная таблица"], [], *rows], encoding="cp1251")


@pytest.mark.parametrize("write", [as_xlsx, as_csv])
def test_flat_marks(tmp_path: Path, write: Callable[[Path, b.Table], Path]) -> None:
    header = (" Год", "Класс ", *b.MARKS[2:])
    rows = [
        (2023, 6, "Русский язык", b.PLACE, b.LOGIN, " СОШ  № 5 ", 8, "12,5", "37,5", 25, 25),
        ("2022-2023", 7, "Математика (базовый уровень)", b.PLACE, b.LOGIN, "СОШ № 5", 8, 12.5, 37.5, 25, 25),
        (2023, 6, "Математика", b.PLACE, "sch990013", "СОШ № 6", 0, None, None, None, None),
    ]
    result = b.read(write(tmp_path, [header, *rows]))
    assert result.record.layout_ids == ["vpr_marks_flat"]
    assert result.issues.is_empty(), result.issues.to_dicts()
    assert rows_of(result, AGGREGATE, "subject_id", "test_grade", "measured_year", "participants", "below_minimum") == [
        ("russian", 6, "2022-2023", 8, 1),
        ("mathematics", 7, "2022-2023", 8, 1),
        ("mathematics", 6, "2022-2023", 0, None),
    ]


@pytest.mark.parametrize("write", [as_xlsx, as_csv])
def test_flat_scores(tmp_path: Path, write: Callable[[Path, b.Table], Path]) -> None:
    header = (*b.MARKS[:7], 0, 1, 2)
    result = b.read(write(tmp_path, [header, (2023, 6, "Русский язык", b.PLACE, b.LOGIN, "СОШ № 5", 4, 25, None, 75)]))
    assert result.record.layout_ids == ["vpr_scores_flat"]
    shares = rows_of(result, "score_distribution", "primary_score", "score_share_pct")
    assert shares == [(0, 25.0), (2, 75.0)]


@pytest.mark.parametrize("write", [as_xlsx, as_csv])
def test_flat_bias(tmp_path: Path, write: Callable[[Path, b.Table], Path]) -> None:
    result = b.read(write(tmp_path, [b.BIAS, (2024, b.LOGIN, b.PLACE, "СОШ № 5", 1, 0, None, 1, 2)]))
    assert result.record.layout_ids == ["vpr_bias_flat"]
    assert rows_of(result, "objectivity_marker", "test_grade", "subject_id", "is_marked") == [
        (4, "russian", True),
        (4, "mathematics", False),
        (5, "mathematics", True),
    ]


def test_objectivity_list(tmp_path: Path) -> None:
    result = b.read(b.csv(tmp_path / "список.csv", [("year", "grade", "subject", "login"), (2021, 4, "ru", b.LOGIN)]))
    assert b.issues(result) == [("value_out_of_vocabulary", "quarantine")]
    result = b.read(b.csv(tmp_path / "список.csv", [("year", "grade", "subject", "login"), (2021, 4, "РУ", b.LOGIN)]))
    assert rows_of(result, "objectivity_marker", "subject_id", "test_grade", "measured_year", "is_marked") == [
        ("russian", 4, "2020-2021", True)
    ]


# --- ГИА -----------------------------------------------------------------------------------------------


def spread(row: b.Row) -> list[b.Cell]:
    """Blank columns between the fields, as regional exports have them."""
    return [cell for field in row for cell in (field, None)]


PEOPLE = (b.SURNAME, b.NAME, b.PATRONYMIC)
MASKS = ("++-+", "1(1)2(3)")
REGION_2022 = (
    *("№", "Код МСУ", "Код ОО", "Класс", "Код ППЭ", "Аудитория", "Фамилия", "Имя", "Отчество", "Серия", "Номер"),
    *("Задания с кратким ответом", "Задания с развёрнутым ответом", "Первичный балл", "Балл"),
)
BASE_2022 = (
    *("№", "Код ОО", "Класс", "Код ППЭ", "Аудитория", "Фамилия", "Имя", "Отчество", "Серия", "Номер"),
    *("Задания с кратким ответом", "Первичный балл", "Оценка"),
)
REGION_2026 = (
    *("№", "Код МСУ", "Код ОО", "Класс", "Код ППЭ", "Аудитория", "Фамилия Имя Отчество"),
    *("Задания с кратким ответом", "Задания с развёрнутым ответом", "Первичный балл", "Тестовый балл"),
)
COMPACT = (
    *("№", "Код ППЭ", "Код ОО", "Класс", "Код ООП", "Профиль", "Фамилия", "Имя", "Отчество", "Вариант"),
    *("Код участника", "№ бланка", "Ответы в краткой форме", "Ответы в развернутой форме"),
    *("Первичный балл", "Итоговый балл"),
)
FOREIGN = (
    *("№", "Код ОО", "Класс", "Код ППЭ", "Аудитория", "Фамилия", "Имя", "Отчество", "Документ"),
    *("Часть с кратким ответом", "Часть с развёрнутым ответом", "Устная часть"),
    *("Первичный балл устной части", "Первичный балл письм. части", "Первичный балл", "Тестовый балл"),
)
OGE_2026 = (
    *("№", "Код ОО", "Класс", None, "Код ППЭ", None, "Код МСУ", None, "Фамилия", None, "Имя", "Отчество"),
    *("Задания с кратким ответом", None, "Задания с развёрнутым ответом", "Первичный балл", "Оценка"),
)
DENSE = (
    *("№", "Код ОО", "Класс", "Код ППЭ", "Аудитория", "Код участника", "Фамилия", "Имя", "Отчество"),
    *("Серия", "Номер", "Ответы в краткой форме", "Ответы в развернутой форме", "Первичный балл", "Оценка"),
)
MACHINE = (
    *("SchoolCode", "ClassCode", "StationCode", "AuditoriumCode", "GovernmentCell", "SurnameCell", "NameCell"),
    *("SecondNameCell", "DocumentSeriesCode", "DocumentNumberCode", "TestResultBCell", "TestResultCCell"),
    *("PrimaryMark", "Mark5"),
)
PAPER = (b.SERIES, b.NUMBER)

# name → file, and what its one row must become
PROTOCOLS: dict[str, tuple[Callable[[Path], Path], dict[str, object]]] = {
    "region, blank columns, cp1251": (
        lambda folder: b.csv(
            folder / "п.csv",
            [
                ["01 - Русский язык 2022.05.30"],
                spread(REGION_2022),
                spread((1, 3, 9306, "11Б", 101, 5, *PEOPLE, *PAPER, *MASKS, 40, 72)),
                spread(("Средние", None, None, None, None, None, None, None, None, None, None, None, None, 40, 72)),
                spread(("Минимальная граница", *[None] * 12, None, 24)),
                ["Всего участников: 1"],
            ],
            encoding="cp1251",
        ),
        {"assessment": "ege", "subject_id": "russian", "test_score": 72.0, "total_score": 40.0, "mark": None}
        | {"held_on": dt.date(2022, 5, 30), "measured_year": "2021-2022", "class_name": "11Б", "test_grade": 11},
    ),
    "base mathematics": (
        lambda folder: b.csv(
            folder / "п.csv",
            [
                ["22 - Математика базовая 2022.06.27"],
                BASE_2022,
                (1, "013450", 11, 101, 5, *PEOPLE, *PAPER, "++-", 14, 4),
            ],
        ),
        {"assessment": "ege", "subject_id": "mathematics_base", "mark": 4, "test_score": None, "school_key": "013450"},
    ),
    "profile mathematics by code 02": (
        lambda folder: b.xlsx(
            folder / "п.xlsx",
            [
                ["02 - Математика 2022.06.02"],
                spread(REGION_2022),
                spread((1, 3, 9306, 11, 101, 5, *PEOPLE, *PAPER, *MASKS, 10, 46)),
            ],
        ),
        {"assessment": "ege", "subject_id": "mathematics_profile", "test_score": 46.0},
    ),
    "region 2026, one name column": (
        lambda folder: b.xlsx(
            folder / "п.xlsx",
            {
                "Page 1": [
                    ["Протокол проверки"],
                    ["99 - Верхнеозёрская область"],
                    ["04 - Химия 2026.06.01"],
                    spread(REGION_2026),
                    spread((1, 3, 9306, "11", 101, 5, " ".join(PEOPLE), *MASKS, 30, 61)),
                ]
            },
        ),
        {"assessment": "ege", "subject_id": "chemistry", "test_score": 61.0, "person_key": None},
    ),
    "compact": (
        lambda folder: b.xls(
            folder / "п.xls",
            {
                "Page 1": [
                    ["01 - Русский язык 2020.07.06"],
                    COMPACT,
                    (1, 101, 9306, 11, 9306, None, *PEOPLE, 304, 2000001, 20001, *MASKS, 40, 72),
                ]
            },
        ),
        {"subject_id": "russian", "participant_code": "2000001", "variant": "304", "test_score": 72.0},
    ),
    "foreign language": (
        lambda folder: b.csv(
            folder / "п.csv",
            [
                ["Английский язык п.: 2021.06.18, у.: 2021.06.21"],
                FOREIGN,
                (1, 9306, 11, 101, 5, *PEOPLE, "4512 678901", "++", "12", "3", 15, 50, 65, 70),
            ],
        ),
        {"assessment": "ege", "subject_id": "english", "held_on": dt.date(2021, 6, 18), "total_score": 65.0}
        | {"test_score": 70.0},
    ),
    "ОГЭ 2026": (
        lambda folder: b.xls(
            folder / "п.xls",
            [
                ["Протокол проверки результатов"],
                ["99 - Верхнеозёрская область"],
                ["12 - Обществознание 2026.07.03"],
                OGE_2026,
                (
                    1,
                    9306,
                    "9а",
                    None,
                    101,
                    None,
                    3,
                    None,
                    b.SURNAME,
                    None,
                    b.NAME,
                    b.PATRONYMIC,
                    "++",
                    None,
                    "1",
                    20,
                    3,
                ),
            ],
        ),
        {"assessment": "oge", "subject_id": "social_studies", "mark": 3, "test_grade": 9, "person_key": None},
    ),
    "ОГЭ dense": (
        lambda folder: b.csv(
            folder / "п.csv",
            [
                ["02 - Математика 2023.06.09"],
                DENSE,
                (1, 9306, "9А", 101, 5, "2300000001", *PEOPLE, *PAPER, *MASKS, 15, 4),
            ],
            delimiter=",",
        ),
        {"assessment": "oge", "subject_id": "mathematics", "mark": 4, "participant_code": "2300000001"},
    ),
    "ОГЭ machine, no title": (
        lambda folder: b.csv(
            folder / "Математика 2022.05.23.csv",
            [MACHINE, ("009306", "9 «а»", 101, 5, 3, *PEOPLE, *PAPER, *MASKS, 15, 4)],
            encoding="utf-8-sig",
        ),
        {"assessment": "oge", "subject_id": "mathematics", "mark": 4, "held_on": dt.date(2022, 5, 23)}
        | {"school_key": "009306"},
    ),
    "ГВЭ of grade 9": (
        lambda folder: b.csv(folder / "п.csv", b.protocol(b.examinee(), title="51 - Русский язык 2023.06.06")),
        {"assessment": "gve", "subject_id": "russian", "mark": 4, "test_grade": 9},
    ),
    "ГВЭ of grade 11": (
        lambda folder: b.csv(
            folder / "п.csv", b.protocol(b.examinee(class_name=11), title="52 - Математика 2023.06.06")
        ),
        {"assessment": "gve", "subject_id": "mathematics", "mark": 4, "test_grade": 11},
    ),
    "a college in place of a class": (
        lambda folder: b.csv(
            folder / "п.csv",
            [["22 - Математика базовая 2022.06.27"], BASE_2022, (1, 9306, "СПО", 101, 5, *PEOPLE, *PAPER, "+", 14, 4)],
        ),
        {"participant_category": "spo", "class_name": None, "assessment": "oge"},
    ),
}


@pytest.mark.parametrize("variant", PROTOCOLS)
def test_protocols(variant: str, tmp_path: Path) -> None:
    write, expected = PROTOCOLS[variant]
    result = b.read(write(tmp_path))
    assert result.record.layout_ids == ["exam_protocol"], result.record.message_ru
    assert result.record.rows.accepted == 1
    row = b.records(result, RESULT).row(0, named=True)
    assert {name: row[name] for name in expected} == expected
    assert row["person_name_key"] is not None
    assert row["school_key_kind"] == "exam_code"


@pytest.mark.parametrize("order", [(5, 6), (6, 5)])
@pytest.mark.parametrize(
    ("title", "class_name", "expected"),
    [
        ("22 - Математика базовая 2024.05.31", 11, {"mark": 2, "test_score": None}),
        ("02 - Математика 2024.05.31", 11, {"mark": None, "test_score": 4.0}),
        ("02 - Математика 2024.06.06", "9А", {"mark": 2, "test_score": None}),
    ],
)
def test_of_a_score_and_a_mark_the_exam_says_which_is_its_result(
    title: str, class_name: object, expected: dict[str, object], order: tuple[int, int], tmp_path: Path
) -> None:
    cells = {5: ("Тестовый балл", 4), 6: ("Оценка", 2)}
    first, second = (cells[place] for place in order)
    header = ["Код ОО", "Класс", "Код участника", "Первичный балл", first[0], second[0]]
    row = ["009306", class_name, "104", 4, first[1], second[1]]
    found = b.records(b.read(b.csv(tmp_path / "п.csv", [[title], header, row])), RESULT).row(0, named=True)
    assert {name: found[name] for name in expected} == expected


def test_several_exams_on_one_sheet(tmp_path: Path) -> None:
    footer = [["Средние", *[None] * 11, 25, 4], ["Минимальная граница", *[None] * 11, 15], ["Всего участников: 1"], []]
    rows = [
        *b.protocol(b.examinee(), footer=footer),
        *b.protocol(
            b.examinee(paper="111111"), title="02 - Математика 2023.06.09", footer=[["Средние", *[None] * 11, 15]]
        ),
        [],
        ["22 - Математика базовая 2023.06.01"],
        BASE_2022,
        (1, 9306, 11, 101, 5, *PEOPLE, b.SERIES, "222222", "+", 14, 4),
    ]
    result = b.read(b.xlsx(tmp_path / "п.xlsx", {"Page 1": rows}))
    assert rows_of(result, RESULT, "assessment", "subject_id", "held_on", "source_row") == [
        ("oge", "russian", dt.date(2023, 6, 6), 3),
        ("oge", "mathematics", dt.date(2023, 6, 9), 10),
        ("ege", "mathematics_base", dt.date(2023, 6, 1), 15),
    ]
    counts = result.record.rows
    assert (counts.accepted, counts.footer, counts.group, counts.blank) == (3, 4, 2, 2)


def test_one_document_has_one_key_however_it_is_written(tmp_path: Path) -> None:
    dense = [DENSE, (1, 9306, "9А", 1, 5, 1, *PEOPLE, 112, 8901, *MASKS, 15, 4)]
    joined = [FOREIGN, (1, 9306, 11, 101, 5, *PEOPLE, "0112 008901", "+", "1", "3", 15, 50, 65, 70)]
    one = b.read(b.xlsx(tmp_path / "a" / "п.xlsx", [["02 - Математика 2023.06.09"], *dense]))
    other = b.read(b.csv(tmp_path / "b" / "п.csv", [["Английский язык п.: 2023.06.18, у.: 2023.06.21"], *joined]))
    assert rows_of(one, RESULT, "person_key") == rows_of(other, RESULT, "person_key")


EGE_APPEAL = (
    *("№", "Код ОО", "Класс", "Код ППЭ", "Аудитория", "Фамилия", "Имя", "Отчество", "Документ"),
    *("Тип апелляции / перепроверки", "Состояние", "Дата отправки на обработку", "Дата изменений"),
    *("Балл до изменения", "Текущие: Первичный балл", "Текущие: Балл", "Разница"),
)
OGE_APPEAL = (
    *("№", "Код ОО", "Класс", "Код ППЭ", "Аудитория", "Фамилия", "Имя", "Отчество", "Документ", "Экзамен"),
    *("Состояние апелляции", "Текущие: Первичный балл", "Текущие: Оценка"),
)


def test_appeals_of_one_exam(tmp_path: Path) -> None:
    who = (9306, 11, 101, 5, *PEOPLE, "4512 678901", "О несогласии")
    rows = [
        ["Апелляции"],
        ["01 - Русский язык 2023.05.29"],
        EGE_APPEAL,
        (1, *who, "Удовлетворена", "2023-06-10", "2023-06-12", 60, 42, 74, 14),
        (2, *who, "Отклонена", "2023-06-10", "2023-06-12", 60, 40, 60, 0),
    ]
    result = b.read(b.csv(tmp_path / "а.csv", rows, encoding="cp1251"))
    assert result.record.layout_ids == ["exam_appeals"]
    told = ("subject_id", "held_on", "test_score_after", "mark_after", "total_score_after", "is_accepted", "status")
    assert rows_of(result, "appeal", *told) == [
        ("russian", dt.date(2023, 5, 29), 74.0, None, 42.0, True, "Удовлетворена"),
        ("russian", dt.date(2023, 5, 29), 60.0, None, 40.0, False, "Отклонена"),
    ]


def test_appeals_of_many_exams(tmp_path: Path) -> None:
    who = (9306, "9а", 101, 5, *PEOPLE, "4512 678901")
    rows = [
        OGE_APPEAL,
        (1, *who, "Математика(2026.06.02)", "Удовлетворена", 12, 3),
        (2, *who, "Русский язык (2026.06.09)", "Отозвана", 20, 3),
    ]
    result = b.read(b.xlsx(tmp_path / "а.xlsx", rows))
    assert rows_of(result, "appeal", "assessment", "subject_id", "held_on", "mark_after", "is_accepted") == [
        ("oge", "mathematics", dt.date(2026, 6, 2), 3, True),
        ("oge", "russian", dt.date(2026, 6, 9), 3, False),
    ]


def test_appeals_with_both_scores_in_one_column(tmp_path: Path) -> None:
    header = [*EGE_APPEAL[:14], "Текущие (Первичный балл, Балл)", "Разница"]
    row = (1, 9306, 11, 101, 5, *PEOPLE, "4512 678901", "О несогласии", "Удовлетворена", None, None, 60, "42, 74", 14)
    result = b.read(b.xlsx(tmp_path / "а.xlsx", [["01 - Русский язык 2023.05.29"], header, row]))
    assert rows_of(result, "appeal", "total_score_after", "test_score_after") == [(42.0, 74.0)]


def test_an_appeal_and_its_result_have_one_person(tmp_path: Path) -> None:
    rows = [
        OGE_APPEAL,
        (1, 9306, "9а", 101, 5, *PEOPLE, "4512 678901", "Русский язык(2023.06.06)", "Удовлетворена", 26, 4),
    ]
    appeal = b.read(b.xlsx(tmp_path / "а.xlsx", rows))
    result = b.read(b.csv(tmp_path / "п.csv", b.protocol(b.examinee())))
    keys = ("person_key", "person_name_key", "school_key")
    assert rows_of(appeal, "appeal", *keys) == rows_of(result, RESULT, *keys)


# --- the regional ЕГЭ table ------------------------------------------------------------------------------


def test_the_regional_table_of_two_header_rows(tmp_path: Path) -> None:
    rows = [
        ["Город Чита", 'МБОУ "СОШ № 1"', 51, 51, None, 13, 0, 71.61, 23, 2, None, None, "57,35"],
        ["Город Чита", "МБОУ СОШ №2", 20, None, None, None, None, 0, 5, 5, None, None, 20],
        ["Город Чита", "МБОУ СОШ №3", None, None, None, None, None, None, None, None, None, None, None],
        ["итого по краю", None, 71, 51, None, 13, 0, 71.61, 28, 7, 0, 0, 50],
    ]
    subjects = ("Русский язык", "Математика профильная")
    result = b.read(b.xlsx(tmp_path / "е.xlsx", b.ege_table(*rows, subjects=subjects)))
    assert result.record.layout_ids == ["ege_school_results"]
    told = ("subject_id", "participants", "below_minimum", "high_80_99", "mean_score", "graduates", "source_row")
    assert rows_of(result, AGGREGATE, *told) == [
        ("russian", 51, 0, 13, 71.61, 51, 8),
        ("mathematics_profile", 23, 2, 0, 57.35, 51, 8),
        ("mathematics_profile", 5, 5, 0, 20.0, 20, 9),
    ]
    assert rows_of(result, AGGREGATE, "school_key", "measured_year")[0] == ("город чита|мбоу сош №1", "2022-2023")
    counts = result.record.rows
    assert (counts.rows_in, counts.accepted, counts.blank, counts.total) == (4, 2, 1, 1)


def test_oral_parts_are_no_second_exam(tmp_path: Path) -> None:
    rows = [[b.PLACE, "СОШ № 5", 20, 3, 0, 1, 0, 61, 2, 0, 0, 0, 60]]
    subjects = ("Английский язык", "Английский язык (устный)")
    result = b.read(b.xlsx(tmp_path / "е.xlsx", b.ege_table(*rows, subjects=subjects)))
    assert rows_of(result, AGGREGATE, "subject_id", "participants") == [("english", 3)]
    assert result.issues.is_empty()


@pytest.mark.parametrize("levels", [2, 3])
def test_the_sibling_names_the_municipality_on_subtotals(levels: int, tmp_path: Path) -> None:
    sheet = list(b.ege_table()["2023"])
    upper, lower = list(sheet[5]), list(sheet[6])
    head = [upper, lower] if levels == 2 else [[*upper[:3], "Результаты ЕГЭ"], [None, None, None, *upper[3:]], lower]
    rows = [
        [1, 2, 3, 4, 5, 6, 7, 8],
        ["ВСЕГО по региону", 57, 60, 50, 3, 5, 0, 60],
        ["Биробиджан", None, 40, 30, 2, 3, 0, 61],
        [None, "СОШ № 1", 25, 20, 1, 3, 0, 62],
        [None, "СОШ № 2", 15, 10, 1, None, None, 60],
        [],
        ["Ленинский район", None, 20, 20, 1, 2, 0, 58],
        [None, "СОШ № 1", 20, 20, 1, 2, 0, 58],
    ]
    result = b.read(b.xlsx(tmp_path / "е.xlsx", {"2023": [*sheet[:5], *head, *rows]}))
    assert result.record.layout_ids == ["ege_school_results"], result.record.message_ru
    assert rows_of(result, AGGREGATE, "school_key", "participants", "below_minimum") == [
        ("биробиджан|сош №1", 20, 1),
        ("биробиджан|сош №2", 10, 1),
        ("ленинский район|сош №1", 20, 1),
    ]
    counts = result.record.rows
    assert (counts.accepted, counts.total, counts.blank) == (3, 4, 1)


# --- registers and the rest ------------------------------------------------------------------------------


def test_the_short_register(tmp_path: Path) -> None:
    rows = [("логин", "имя", "регион"), ("sch990012", "СОШ № 5", b.PLACE), ("ksh990012", "Интернат", b.PLACE)]
    result = b.read(b.xlsx(tmp_path / "л.xlsx", rows))
    assert result.record.layout_ids == ["school_register_short"]
    assert rows_of(result, "school_register", "vpr_login", "school_name", "municipality_label") == [
        ("990012", "СОШ № 5", b.PLACE),
        ("ksh990012", "Интернат", b.PLACE),
    ]
    assert b.issues(result) == [], "sch and ksh are two series of numbers"


def test_a_login_twice_in_a_register(tmp_path: Path) -> None:
    rows = [("логин", "имя", "регион"), ("sch990012", "СОШ № 5", b.PLACE), ("edu990012", "СОШ № 5 (новая)", b.PLACE)]
    assert b.issues(b.read(b.csv(tmp_path / "л.csv", rows))) == [("duplicate_row", "quarantine")]


def test_the_full_register(tmp_path: Path) -> None:
    header = ("логин", "школа", "код ОО", "ИНН", "ОГРН", "краткое имя", "полное имя", "вид ОО", "муниципалитет")
    more = ("код муниципалитета", "город/село", "классы с", "классы по", "обучающихся", "действует с", "исключение")
    row = ("sch990012", "s990012", "09306", "0411000001", "1020400000012", "СОШ № 5", "МБОУ СОШ № 5", "СОШ", b.PLACE)
    rest = ("reg99_m003", "сельский населённый пункт", 1, 11, 213, "01.09.2019", None)
    result = b.read(b.csv(tmp_path / "р.csv", [(*header, *more), (*row, *rest)]))
    assert result.record.layout_ids == ["school_register_full"]
    told = ("school_id", "exam_code", "inn", "settlement_type", "municipality_key", "last_grade", "valid_from")
    assert rows_of(result, "school_register", *told) == [
        ("s990012", "09306", "0411000001", "rural", "99_m003", 11, dt.date(2019, 9, 1))
    ]


def test_the_crosswalk(tmp_path: Path) -> None:
    rows = [
        ("вид ключа", "ключ", "школа", "отношение", "действует с", "действует по"),
        ("exam_code", "9306", "s990012", "same", None, None),
        ("vpr_login", "990014", "s990012", "merged_into", "2021-09-01", None),
    ]
    result = b.read(b.csv(tmp_path / "к.csv", rows))
    told = ("key_kind", "key_value", "school_id", "relation", "valid_from")
    assert rows_of(result, "school_crosswalk", *told) == [
        ("exam_code", "9306", "s990012", "same", None),
        ("vpr_login", "990014", "s990012", "merged_into", dt.date(2021, 9, 1)),
    ]


def test_the_context_survey(tmp_path: Path) -> None:
    header = (
        "Пользователь",
        "Муниципалитет",
        "Школа",
        "Дата загрузки",
        "1. ФИО директора",
        "6. ИНН",
        "20. Обучающихся",
    )
    row = (b.LOGIN, f"reg99_m003 | {b.PLACE}", f"{b.LOGIN} | СОШ № 5", "2022-02-11", b.SURNAME, "0411000001", 213)
    result = b.read(b.xlsx(tmp_path / "к.xlsx", {"Часть 1": [header, row]}))
    assert result.record.layout_ids == ["context_survey_2022"]
    assert rows_of(result, "context_value", "indicator_id", "value_text", "value_number") == [
        ("inn", "0411000001", 411000001.0),
        ("enrolment", "213", 213.0),
    ]


def test_scales_specifications_and_codifiers(tmp_path: Path) -> None:
    b.csv(tmp_path / "2021.csv", [("grade", "subject", "mark", "score_min", "score_max"), (6, "Математика", 2, 0, 5)])
    specification = ("grade", "subject", "kim_task", "task", "position", "skill_fgos", "level", "max_score")
    b.csv(tmp_path / "з.csv", [specification, (6, "Математика", "1К1", 1, 1, "Считать", "Б", 1)])
    b.csv(tmp_path / "з 2021.csv", [specification, (6, "Математика", "1К1", 1, 1, "Считать", "Б", 1)])
    b.csv(
        tmp_path / "к.csv",
        [("grade", "subject", "codifier", "code", "label"), (6, "Математика", "kes", "1.1", "Числа")],
    )
    results = b.read_all(tmp_path)
    assert rows_of(results["2021.csv"], "score_scale", "scale_year", "mark", "score_max") == [("2020-2021", 2, 5)]
    told = ("specification_year", "subject_id", "task_label", "max_score")
    assert rows_of(results["з.csv"], "task_specification", *told) == [(None, "mathematics", "1К1", 1)]
    assert rows_of(results["з 2021.csv"], "task_specification", *told) == [("2020-2021", "mathematics", "1К1", 1)]
    assert rows_of(results["к.csv"], "codifier", "code") == [("1.1",)]


# --- recognition -----------------------------------------------------------------------------------------


def test_two_layouts_in_one_book(tmp_path: Path) -> None:
    register = {"Логины": [("логин", "имя", "регион"), ("sch990012", "СОШ № 5", b.PLACE)]}
    result = b.read(b.xlsx(tmp_path / "всё.xlsx", {**b.individual(b.pupil()), **register}))
    assert result.record.layout_ids == ["school_register_short", "vpr_individual_results"]
    assert result.record.tables == {"assessment_result": 1, "school_register": 1}


def test_a_header_may_stand_below_titles_and_among_other_columns(tmp_path: Path) -> None:
    rows = [["Министерство"], [], ["Логины школ"], [], ["№", "ИМЯ:", None, "Логин\u00a0", "регион", "Примечание"]]
    result = b.read(b.csv(tmp_path / "л.csv", [*rows, [1, "СОШ № 5", None, "sch990012", b.PLACE, "нет"]]))
    assert rows_of(result, "school_register", "vpr_login", "source_row") == [("990012", 6)]


def test_a_tie_between_layouts_is_refused(tmp_path: Path) -> None:
    twin = b.layouts()[[x.id for x in b.layouts()].index("school_register_short")].model_copy(update={"id": "twin"})
    path = b.csv(tmp_path / "л.csv", [("логин", "имя", "регион"), ("sch990012", "СОШ № 5", b.PLACE)])
    result = b.read(path, own=[twin])
    assert b.issues(result) == [("unknown_layout", "refusal")]
    assert "school_register_short, twin" in result.record.message_ru


def test_every_built_in_layout_is_cited_and_tested() -> None:
    assert len(b.layouts()) == len({layout.id for layout in b.layouts()})
    text = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    for layout in b.layouts():
        assert layout.source
        assert layout.id in text or layout.table in text, layout.id


def test_the_page_on_layouts_names_all_that_a_declaration_may_say() -> None:
    page = (PROJECT / "docs" / "layouts.md").read_text(encoding="utf-8")
    words = {*Layout.model_fields, *Context.model_fields, *Unpivot.model_fields, *RowKind.model_fields}
    words |= {*Source.model_fields, *CONVERTERS, *AUXILIARY}
    assert {word for word in words if f"`{word}`" not in page and f"{word}:" not in page} == set()


# --- declarations ----------------------------------------------------------------------------------------

GOOD = {
    "id": "own",
    "title_ru": "Своя таблица",
    "table": "school_register",
    "source": "Поставщик",
    "evidence": "USER",
    "columns": {"vpr_login": {"header": "login", "convert": "vpr_login"}, "school_name": {"header": "name"}},
}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"table": "no_such"}, "unknown table 'no_such'"),
        ({"colums": {}}, "colums"),
        ({"columns": {}}, "at least 1"),
        ({"columns": {"vpr_login": {}}}, "needs `header` or `pattern`"),
        ({"columns": {"vpr_login": {"header": "login", "convert": "magic"}}}, "unknown conversion 'magic'"),
        ({"columns": {"login": {"header": "login"}}}, "has no columns ['login']"),
        ({"columns": {"vpr_login": {"header": "login", "required": False}}}, "at least one column must be required"),
        ({"columns": {"vpr_login": {"pattern": "("}}}, "not a regular expression"),
        ({"rows": [{"kind": "total", "pattern": "(?=x)"}]}, "not a regular expression for cells"),
        ({"rows": [{"kind": "total", "pattern": "x", "column": "inn"}]}, "no column is mapped to ['inn']"),
        ({"unpivot": {"pattern": "x"}}, "`value`, or `metrics`"),
        ({"unpivot": {"pattern": "x", "metrics": {"a": "inn"}}}, "`value`, or `metrics`"),
        ({"constants": {"colour": "red"}}, "has no columns ['colour']"),
        ({"shape": "round"}, "shape"),
    ],
)
def test_a_wrong_declaration_is_named(change: dict[str, object], says: str, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump({**GOOD, **change}, allow_unicode=True), encoding="utf-8")
    with pytest.raises(LayoutError) as error:
        read_layout(path)
    assert "own.yaml" in str(error.value)
    assert says in str(error.value)


def test_a_later_folder_replaces_a_layout(tmp_path: Path) -> None:
    own = {**GOOD, "id": "school_register_short"}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(own, allow_unicode=True), encoding="utf-8")
    layouts = {layout.id: layout for layout in read_layouts(PROJECT / "reference" / "layouts", tmp_path)}
    assert layouts["school_register_short"].title_ru == "Своя таблица"
    assert len(layouts) == len(b.layouts())


def test_the_foreign_example(tmp_path: Path) -> None:
    example = read_layout(PROJECT / "docs" / "examples" / "nyc_math.yaml")
    header = ("DBN", "Grade", "Year", "Category", "Number Tested", "Mean Scale Score")
    levels = [f"Level {i} {sign}" for i in (1, 2, 3, 4) for sign in "#%"] + ["Level 3+4 #", "Level 3+4 %"]
    rows = [
        ("01M015", 3, 2006, "All Students", 39, 667, 2, 5.1, 11, 28.2, 20, 51.3, 6, 15.4, 26, 66.7),
        ("01M015", 4, 2006, "All Students", 3, "s", *["s"] * 10),
        ("01M015", "All Grades", 2006, "All Students", 42, None, 2, 5.1, 11, 28.2, 20, 51.3, 6, 15.4, 26, 66.7),
    ]
    result = b.read(b.csv(tmp_path / "math.csv", [(*header, *levels), *rows], delimiter=","), own=[example])
    assert result.record.layout_ids == [example.id]
    counts = result.record.rows
    assert (counts.accepted, counts.suppressed, counts.total, counts.quarantined) == (1, 1, 1, 0)
    told = ("assessment", "subject_id", "test_grade", "measured_year", "school_key", "participants", "below_minimum")
    assert rows_of(result, AGGREGATE, *told) == [("other", "mathematics", 3, "2005-2006", "01M015", 39, 2)]


# --- cells ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("convert", "cell", "expected"),
    [
        ("date", "01.09.24", dt.date(2024, 9, 1)),
        ("date", "31.08.2024 00:00:00", dt.date(2024, 8, 31)),
        ("date", "2024-05-31", dt.date(2024, 5, 31)),
        ("date", "30.02.2024", None),
        ("date", "01.09.0024", None),
        ("variant", "Н", "отсутствовал"),
        ("variant", "н/я", "отсутствовал"),
        ("variant", "не явился", "отсутствовал"),
        ("variant", "вариант 5", "вариант 5"),
        ("variant", "нет", None),
        ("appeal_status", "Частично удовлетворена", "Частично удовлетворена"),
        ("pupil_class", "Н", "Н"),  # a letter of a class
        ("any_key", "edu990016", "990016"),
        ("any_key", "2204012345", "2204012345"),
        ("any_key", "9306.0", "9306"),
        ("group_level", "МБОУ СОШ № 6(еdu990013)", "school"),  # the first letter of the login is Russian
        ("group_level", "(edu99014)", "school"),
        ("group_level", "КГБОУ «Лицей»", "school"),
        ("group_level", "Алтайский край", "region"),
        ("group_level", "Московская область", "region"),
        ("group_level", "Итого", "region"),
    ],
)
def test_cells_are_read_as_people_write_them(convert: str, cell: str, expected: object) -> None:
    assert pl.select(CONVERTERS[convert](pl.lit(cell, pl.String))).item() == expected


@pytest.mark.parametrize(
    ("cell", "year"),
    [
        ("2023", 2023),
        *((f"2022{dash}2023", 2023) for dash in "-‐‑–—−_/"),
        ("2022/23", 2023),
        ("2022-03-15", 2022),
    ],
)
def test_a_school_year_is_that_of_its_spring_whatever_joins_it(cell: str, year: int) -> None:
    assert pl.select(calendar_year(pl.lit(cell))).item() == year


@pytest.mark.parametrize(
    ("path", "year", "day"),
    [
        ("2022-23/5/Математика.csv", 2023, None),
        ("2022/05_russkiy.csv", 2022, None),
        ("Математика 2024.05.31.csv", 2024, dt.date(2024, 5, 31)),
        ("Математика 2024.02.30.csv", 2024, None),
    ],
)
def test_years_and_days_of_a_path(path: str, year: int, day: dt.date | None) -> None:
    found = facts_of_path(path, b.reference())
    assert (found.year, found.held_on) == (year, day)


def test_an_absentee_marked_in_short_is_no_pupil_with_nothing(tmp_path: Path) -> None:
    rows = [b.pupil(60001, tasks=(2, 1, 1), total=4), b.pupil(60002, variant="н", tasks=(0, 0, 0), total=0, mark=None)]
    result = b.read(b.xlsx(tmp_path / "работа.xlsx", b.individual(*rows, declared=2)))
    assert rows_of(result, RESULT, "attendance") == [("participated",), ("absent",)]


@pytest.mark.parametrize(
    ("codes", "grade"),
    [
        (["60001", "60002", "70001"], 6),
        (["60001", "70001"], None),
        (["60001", "60002", "70001", "70002"], None),
        ([], None),
    ],
)
def test_codes_of_two_works_in_one_table_tell_no_grade(codes: list[str], grade: int | None) -> None:
    assert _grade_of_codes(pl.Series(codes, dtype=pl.String), 0) == grade


def test_a_school_of_a_report_whose_login_cannot_be_read_is_told_and_is_no_region(tmp_path: Path) -> None:
    figures = [None, 89, 12.36, 52.81, 26.97, 7.87]
    rows = [["МБОУ «СОШ № 6»(еdu990013)", *figures], ["МБОУ «СОШ № 8»", *figures], ["Северный край", *figures]]
    result = b.read(b.xlsx(tmp_path / "ф.xlsx", b.statistics(*rows)))
    assert rows_of(result, AGGREGATE, "territory_level") == [("country",), ("municipality",), ("region",)]
    assert set(result.issues["check_id"]) == {"required_value_missing"}
    assert result.record.rows.quarantined == 2


@pytest.mark.parametrize(
    ("texts", "year", "day"),
    [
        (["Выгрузка 15.01.2025", "ВПР 2024 Математика"], 2024, None),
        (["Выгрузка 15.05.2024", "ВПР 2024 Математика"], 2024, dt.date(2024, 5, 15)),
        (["Выгрузка 15.01.2025"], 2025, dt.date(2025, 1, 15)),
        (["ВПР 2024 Математика"], 2024, None),
    ],
)
def test_a_year_that_a_title_names_beats_the_day_of_an_export(texts: list[str], year: int, day: dt.date | None) -> None:
    found = _titled(texts, [r"(?P<date>\d{2}\.\d{2}\.\d{4})", r"ВПР (?P<year>\d{4})"], lambda text: None)
    assert (found.year, found.held_on) == (year, day)
