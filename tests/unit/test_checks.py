"""Every check has one minimal file that fails it, and says where and why in words for the supplier."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opora.delivery import NON_DATA
from opora.limits import bound
from opora.masking import masked
from schemas.arrow import polars_schema
from schemas.pandera_schemas import failures, may_fail
from schemas.registry import table
from tests import builders as b


@dataclass(frozen=True)
class Case:
    """A file, and the one issue that it must raise: place, column and value."""

    check_id: str
    severity: str
    make: Callable[[Path], Path]
    row: int | None = None
    column: str | None = None
    value: str | None = None
    sheet: str = ""
    says: str = ""

    def __str__(self) -> str:
        return f"{self.check_id}: {self.says}"


RU6 = "РУ 6 Индивидуальные результаты"
RU6_STATISTICS = "РУ 6 Статистика по отметкам"
MARKS_ROW = (2023, 6, "Русский язык", b.PLACE, b.LOGIN, "СОШ № 5")


def book(sheets: object, name: str = "выгрузка.xlsx") -> Callable[[Path], Path]:
    return lambda folder: b.xlsx(folder / name, sheets)  # type: ignore[arg-type]


def text(rows: b.Table, name: str = "выгрузка.csv") -> Callable[[Path], Path]:
    return lambda folder: b.csv(folder / name, rows)


def f1(*rows: b.Row, **told: object) -> Callable[[Path], Path]:
    return book(b.individual(*rows, **told))  # type: ignore[arg-type]


def f3(*shares: float, participants: int = 10) -> Callable[[Path], Path]:
    return book(b.statistics([b.SCHOOL, None, participants, *shares]))


def marks(*cells: b.Cell) -> Callable[[Path], Path]:
    return text([b.MARKS, cells])


def truncated(folder: Path) -> Path:
    path = b.xlsx(folder / "обрыв.xlsx", b.individual(b.pupil()))
    path.write_bytes(path.read_bytes()[:1500])
    return path


def too_wide(folder: Path) -> Path:
    return b.csv(folder / "широкая.csv", [["x"] * (bound("columns") + 1)])


def long_comparison(outcome_count: int) -> dict[str, b.Table]:
    header = ("Группы участников", "Кол-во участников", "%")
    rows = [
        (b.SCHOOL, None, None),
        ("Понизили (Отметка < Отметка по журналу)", outcome_count, 20),
        ("Подтвердили (Отметка = Отметка по журналу)", 7, 70),
        ("Повысили (Отметка > Отметка по журналу)", 1, 10),
        ("Всего", 10, 100),
    ]
    return {"РУ 6": b.report("Сравнение отметок с отметками по журналу", header, rows)}


REFUSED = [
    Case("unreadable_file", "refusal", truncated, says="обрывается"),
    Case("too_large", "refusal", too_wide, says="Столбцов"),
    Case("unknown_layout", "refusal", book([["Меню"], ["День", "Блюдо"], ["Вторник", "Суп"]]), says="не подходит"),
    Case("unknown_layout", "refusal", lambda f: _written(f / "письмо.pdf", b"%PDF"), says="не таблица"),
    Case(
        "missing_columns",
        "refusal",
        book([[h for h in b.SPRING_2021 if h != "всего баллов"], b.spring_pupil()[:-1]]),
        sheet="Sheet1",
        says="всего баллов",
    ),
    Case(
        "duplicate_headers",
        "refusal",
        book([[*b.SPRING_2021, "вариант"], [*b.spring_pupil(), 8]]),
        sheet="Sheet1",
        says="вариант",
    ),
    Case(
        "duplicate_headers",
        "refusal",
        book([["балл за 1" if h == "балл за 2" else h for h in b.SPRING_2021], b.spring_pupil()]),
        sheet="Sheet1",
        says="балл за 1",
    ),
    Case("unknown_context", "refusal", book([b.AUTUMN_2020, b.autumn_pupil()]), sheet="Sheet1", says="предмет"),
    Case("empty_form", "refusal", book(b.form()), sheet="Протокол", says="форма пуста"),
    Case("no_data_rows", "refusal", book([b.SPRING_2021]), sheet="Sheet1", says="ни одной строки"),
    Case("no_data_rows", "refusal", lambda f: _written(f / "пусто.csv", b" \n"), says="пуст"),
]

QUARANTINED = [
    Case("required_value_missing", "quarantine", f1(b.pupil(login=None)), 9, "school_key", "—", RU6),
    Case("value_unreadable", "quarantine", f1(b.pupil(total="двадцать")), 9, "total_score", "двадцать", RU6),
    Case("value_out_of_range", "quarantine", f1(b.pupil(total=-3)), 9, "total_score", "-3", RU6),
    Case("value_out_of_range", "quarantine", f1(b.pupil(mark=7)), 9, "mark", "7", RU6),
    Case(
        "value_out_of_vocabulary",
        "quarantine",
        marks(2023, 6, "Чистописание", b.PLACE, b.LOGIN, "СОШ № 5", 10, 10, 40, 30, 20),
        2,
        "subject_id",
        "Чи…(12 знаков)",
    ),
    Case(
        "value_out_of_vocabulary",
        "quarantine",
        text([("вид ключа", "ключ", "школа", "отношение"), ("vpr_login", "990012", "s990012", "похожа")]),
        2,
        "relation",
        "по…(6 знаков)",
    ),
    Case(
        "total_above_maximum",
        "quarantine",
        f1(b.pupil(total=92), maximum=51),
        9,
        "total_score",
        "92",
        RU6,
        says="92 больше наибольшего возможного 51",
    ),
    Case("result_missing", "quarantine", f1(b.pupil(total=None, mark=None)), 9, "total_score", "—", RU6),
    Case(
        "below_exceeds_participants",
        "quarantine",
        book(b.ege_table([b.PLACE, "СОШ № 5", 20, 3, 5, None, None, 61.5])),
        8,
        "below_minimum",
        "5",
        "2023",
        says="Не преодолели порог 5, а участников 3",
    ),
    Case(
        "shares_do_not_add_up",
        "quarantine",
        f3(10, 40, 30, 27.5),
        11,
        "share_2_pct",
        "10",
        RU6_STATISTICS,
        says="не дают 100 %",
    ),
    Case("counts_not_whole", "quarantine", f3(14, 36, 30, 20), 11, "share_2_pct", "14", RU6_STATISTICS),
    Case("counts_do_not_add_up", "quarantine", f3(10, 25, 25, 40), 11, "count_2", "1", RU6_STATISTICS),
    *(
        Case("school_key_malformed", "quarantine", f1(b.pupil(login=login)), 9, "school_key", masked(login), RU6)
        for login in ("sch99О012", "edu99001", "edu9900123", "990012", "vpr990012")
    ),
    Case(
        "duplicate_participant",
        "quarantine",
        f1(b.pupil(60001), b.pupil(60002), b.pupil(60001, total=4, tasks=(2, 1, 1))),
        11,
        "participant_code",
        "60001",
        RU6,
        says="уже есть в строке 9",
    ),
    Case(
        "duplicate_row",
        "quarantine",
        text([b.MARKS, (*MARKS_ROW, 10, 10, 40, 30, 20), (*MARKS_ROW, 10, 10, 40, 30, 20)]),
        3,
        "school_key",
        "990012",
        says="уже есть в строке 2",
    ),
    Case("stray_header_row", "quarantine", f1(b.pupil(), b.INDIVIDUAL), 10, "", None, RU6),
    Case("outcome_exceeds_participants", "quarantine", book(long_comparison(12)), 10, "outcome_count", "12", "РУ 6"),
    Case(
        "scale_upside_down",
        "quarantine",
        text([("grade", "subject", "mark", "score_min", "score_max"), (6, "Русский язык", 2, 24, 0)], "2021.csv"),
        2,
        "score_min",
        "24",
    ),
]

PASSPORT, STAFF = "Социальный паспорт", "Кадры и ресурсы"


def answer(check_id: str, value: str, says: str, sheet: str = PASSPORT, **given: b.Cell) -> Case:
    """A school with these answers, one of which is set aside."""
    answers = {number.replace("pct", "%"): cell for number, cell in given.items()}
    made = book(b.passport(answers, sheet=sheet))
    return Case(check_id, "quarantine", made, 2, "value_text", value, sheet, says=says)


SET_ASIDE = [
    answer("value_unreadable", "много", "«П6. Из малообеспеченных семей»: ответ «много» не принят", П1=100, П6="много"),
    answer("value_unreadable", "нет", "целое число не меньше нуля", П1=100, П6="нет"),
    answer("value_unreadable", "12.5", "целое число", П1=100, П6=12.5),
    answer("value_out_of_range", "-3", "не меньше нуля", П1=100, П6=-3),
    answer("value_out_of_range", "104", "число от 0 до 100", П1=100, П6pct=104),
    answer("value_out_of_vocabulary", "где-то", "4) Населённый пункт сельского типа", П1=100, П13="где-то"),
    answer("value_out_of_vocabulary", "ин…(6 знаков)", "да или нет", STAFF, К1=10, К5="иногда"),
    answer("part_exceeds_whole", "101", "101, а «П1. Обучающихся всего»: 100", П1=100, П6=101),
    answer("part_exceeds_whole", "2.5", "2,5, а «К3. Ставок", STAFF, К3=2, К4=2.5),
    answer("share_contradicts_count", "50", "50 %, а 20 из 100 — это 20 %", П1=100, П6=20, П6pct=50),
]

WARNED = [
    Case(
        "total_differs_from_tasks",
        "warning",
        f1(b.pupil(total=2)),
        9,
        "total_score",
        "2",
        RU6,
        says="Итоговый балл 2 не равен сумме баллов за задания 3",
    ),
    Case("total_differs_from_tasks", "warning", f1(b.pupil(tasks=(0, 0, 0))), 9, "total_score", "3", RU6),
    Case("attribute_unreadable", "warning", f1(b.pupil(prior="ж")), 9, "prior_mark", "ж", RU6),
    Case("attribute_unreadable", "warning", f1(b.pupil(prior=9)), 9, "prior_mark", "9", RU6),
    Case("attribute_unreadable", "warning", f1(b.pupil(tasks=(2, 1, "?"))), 9, "task_scores", "?", RU6),
    Case("attendance_inferred", "warning", f1(b.pupil(variant=None)), 9, "attendance", None, RU6, "как писавший"),
    Case(
        "attendance_inferred",
        "warning",
        f1(b.pupil(variant="отсутствовал")),
        9,
        "attendance",
        "отсутствовал",
        RU6,
        says="есть баллы",
    ),
    Case(
        "attendance_inferred",
        "warning",
        f1(b.pupil(variant=None, tasks=(None, None, None), total=0, mark=None)),
        9,
        "attendance",
        None,
        RU6,
        says="как отсутствовавший",
    ),
    Case("declared_count_differs", "warning", f1(b.pupil(), declared=2), 9, "participants", "2", RU6, "а строк: 1"),
    Case(
        "minimum_differs",
        "warning",
        text(b.protocol(b.examinee(), footer=[["Минимальная граница", None, 14]])),
        4,
        "total_score",
        "14",
        says="14, в справочнике 15",
    ),
    Case(
        "participants_exceed_graduates",
        "warning",
        book(b.ege_table([b.PLACE, "СОШ № 5", 2, 3, None, None, None, 61.5])),
        8,
        "participants",
        "3",
        "2023",
    ),
    Case(
        "count_exceeds_participants",
        "warning",
        book(b.ege_table([b.PLACE, "СОШ № 5", 20, 3, None, None, 8, 61.5])),
        8,
        "score_100",
        "8",
        "2023",
    ),
    Case(
        "path_contradicts_content",
        "warning",
        book(b.individual(b.pupil()), "ВПР Математика 6 класс.xlsx"),
        None,
        "",
        "mathematics",
        RU6,
        says="содержание: russian",
    ),
    Case(
        "sheet_not_recognised",
        "warning",
        book({**b.individual(b.pupil()), "Черновик": [["заметки"], ["ещё"]]}),
        None,
        "",
        "Черновик",
        "Черновик",
    ),
    Case(
        "column_not_recognised",
        "warning",
        book(b.ege_table([b.PLACE, "СОШ № 5", 20, 3, *[None] * 4, 2, *[None] * 4], subjects=("Русский язык", "Танцы"))),
        6,
        "subject_id",
        "та…(5 знаков)",
        "2023",
    ),
]


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("case", [*REFUSED, *QUARANTINED, *SET_ASIDE, *WARNED], ids=str)
def test_each_check_says_where_and_why(case: Case, tmp_path: Path) -> None:
    result = b.read(case.make(tmp_path))
    found = result.issues.filter(pl.col("check_id") == case.check_id).to_dicts()
    assert len(found) == 1, result.issues.to_dicts()
    issue = found[0]
    assert issue["severity"] == case.severity
    assert issue["file_name"] == result.record.file_name
    assert issue["delivery_id"] == result.record.delivery_id
    assert issue["sheet"] == case.sheet
    assert (issue["source_row"], issue["column_name"], issue["value"]) == (case.row, case.column, case.value)
    assert case.says in issue["reason_ru"]
    for words in (issue["reason_ru"], issue["remedy_ru"]):
        assert re.search("[а-я]{3}", words), words
        assert words.endswith("."), words


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_a_refused_file_gives_nothing_but_its_message(case: Case, tmp_path: Path) -> None:
    result = b.read(case.make(tmp_path))
    assert result.record.status == "refused"
    assert result.parts == {}
    assert result.record.rows.rows_in == 0
    assert result.record.issues == {case.check_id: 1}
    assert result.record.message_ru == " ".join(result.issues.select("reason_ru", "remedy_ru").row(0))


@pytest.mark.parametrize("case", QUARANTINED, ids=str)
def test_a_quarantined_row_is_counted_and_kept_out(case: Case, tmp_path: Path) -> None:
    result = b.read(case.make(tmp_path))
    rows = result.record.rows
    assert result.record.status == "accepted_with_quarantine"
    assert rows.rows_in == rows.accepted + rows.quarantined + sum(getattr(rows, kind) for kind in NON_DATA)
    assert rows.quarantined == 1
    kept = [row for frame in result.parts.values() for row in frame["source_row"]]
    assert case.row not in kept or case.check_id == "outcome_exceeds_participants"
    quarantine = result.issues.filter(pl.col("severity") == "quarantine")
    assert quarantine.height == 1, "one reason is enough for one row"


@pytest.mark.parametrize("case", SET_ASIDE, ids=str)
def test_an_answer_is_set_aside_alone(case: Case, tmp_path: Path) -> None:
    result = b.read(case.make(tmp_path))
    assert result.record.status == "accepted_with_quarantine"
    assert b.issues(result) == [(case.check_id, "quarantine")]
    kept = b.records(result, "context_value")["value_text"].to_list()
    assert kept, "the other answers stay"
    assert case.value not in kept


@pytest.mark.parametrize(("login", "check_id"), [("edu99", "school_key_malformed"), (None, "required_value_missing")])
def test_a_wide_row_without_a_school_is_one_issue(login: b.Cell, check_id: str, tmp_path: Path) -> None:
    rows = b.passport({"login": login, "П1": 100, "П6": 3, "П7": 4}, {"login": b.LOGIN, "П1": 5})
    result = b.read(b.xlsx(tmp_path / "п.xlsx", rows))
    assert b.issues(result) == [(check_id, "quarantine")]
    assert (result.record.rows.accepted, result.record.rows.quarantined) == (1, 1)
    assert b.records(result, "context_value").height == 1


def test_a_school_stands_in_a_form_once(tmp_path: Path) -> None:
    twice = b.passport({"login": b.LOGIN, "П1": 100}, {"login": b.LOGIN, "П1": 110})
    result = b.read(b.xlsx(tmp_path / "п.xlsx", twice))
    assert b.issues(result) == [("duplicate_row", "quarantine")]
    assert b.records(result, "context_value")["value_text"].to_list() == ["100"]


def test_parts_that_do_not_fit_together_fall_together(tmp_path: Path) -> None:
    result = b.read(b.xlsx(tmp_path / "п.xlsx", b.passport({"П1": 100, "П2": 60, "П3": 50, "П4": 50})))
    assert b.issues(result) == [("parts_exceed_whole", "quarantine")] * 2
    assert result.issues["reason_ru"].unique().to_list() == [
        "Вместе П2 + П3: 110, а «П1. Обучающихся всего»: 100. Эти группы не пересекаются."
    ]
    assert b.records(result, "context_value")["indicator_id"].to_list() == ["passport_pupils", "passport_single_parent"]


def test_a_part_above_the_whole_does_not_condemn_the_other_part(tmp_path: Path) -> None:
    result = b.read(b.xlsx(tmp_path / "п.xlsx", b.passport({"П1": 100, "П2": 900, "П3": 50})))
    assert b.issues(result) == [("part_exceeds_whole", "quarantine")]


def test_answers_that_exclude_each_other(tmp_path: Path) -> None:
    header = ("Пользователь", "Муниципалитет", "Школа", "Дата загрузки", "14. Где", "15. Размер", "20. Обучающихся")
    village, big = "4) Населенный пункт сельского типа", "7) 450–680 тыс. человек"
    row = (b.LOGIN, f"reg99_m003 | {b.PLACE}", f"{b.LOGIN} | СОШ № 5", "2022-02-11", village, big, 30)
    result = b.read(b.xlsx(tmp_path / "к.xlsx", [header, row]))
    assert b.issues(result) == [("answers_contradict", "quarantine")]
    assert "в сельском населённом пункте столько жителей не бывает" in result.issues["reason_ru"][0]
    assert b.records(result, "context_value")["indicator_id"].to_list() == ["settlement", "enrolment"]


@pytest.mark.parametrize("nothing", [None, "", "нет данных", "Нет данных", "н/д", "-", "—"])
def test_nothing_said_is_no_issue_and_no_record(nothing: b.Cell, tmp_path: Path) -> None:
    result = b.read(b.xlsx(tmp_path / "п.xlsx", b.passport({"П1": 100, "П6": nothing, "П13": nothing})))
    assert result.issues.is_empty()
    assert b.records(result, "context_value")["indicator_id"].to_list() == ["passport_pupils"]


def test_a_zero_is_taken_as_said(tmp_path: Path) -> None:
    result = b.read(b.xlsx(tmp_path / "п.xlsx", b.passport({"П1": 0, "П6": 0, "П6%": 0})))
    assert result.issues.is_empty()
    assert b.records(result, "context_value")["value_number"].to_list() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("case", WARNED, ids=str)
def test_a_warning_keeps_the_row(case: Case, tmp_path: Path) -> None:
    result = b.read(case.make(tmp_path))
    assert result.record.status == "accepted"
    assert result.record.rows.quarantined == 0
    assert result.record.rows.accepted + result.record.rows.absent >= 1


def test_no_secret_refuses_a_file_with_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPORA_PERSON_SECRET")
    result = b.read(b.csv(tmp_path / "огэ.csv", b.protocol(b.examinee())))
    assert b.issues(result) == [("secret_missing", "refusal")]
    assert "OPORA_PERSON_SECRET" in result.record.message_ru


def test_an_absentee_of_2022_with_a_total_of_0_is_no_participant(tmp_path: Path) -> None:
    absent = b.protocol_pupil(50002, variant="отсутствовал", total=0, tasks=(None, None, None))
    path = b.xlsx(tmp_path / "Математика 5 класс.xlsx", {"Протокол": [b.PROTOCOL_2022, b.protocol_pupil(), absent]})
    result = b.read(path)
    rows = b.records(result, "assessment_result").select("participant_code", "attendance", "total_score").rows()
    assert rows == [("50001", "participated", 3.0), ("50002", "absent", None)]
    assert (result.record.rows.rows_in, result.record.rows.accepted, result.record.rows.absent) == (2, 1, 1)
    assert result.issues.is_empty()


def test_an_empty_form_is_told_from_one_with_absentees_only(tmp_path: Path) -> None:
    absent = (60001, "отсутствовал", None, None, 1, "нет отметки", 0)
    result = b.read(b.xlsx(tmp_path / "sch990012 Физика 8 класс 2023.xlsx", b.form(absent)))
    assert result.record.status == "accepted"
    assert (result.record.rows.absent, result.record.rows.blank) == (1, 1498)


def test_a_total_that_cannot_be_read_is_said_once(tmp_path: Path) -> None:
    result = b.read(b.xlsx(tmp_path / "ф.xlsx", b.individual(b.pupil(total="много", mark=None))))
    assert b.issues(result) == [("value_unreadable", "quarantine")]


def test_duplicates_are_found_across_the_sheets_of_a_book(tmp_path: Path) -> None:
    one = b.individual(b.pupil())
    result = b.read(b.xlsx(tmp_path / "ф.xlsx", {**one, "копия": next(iter(one.values()))}))
    issue = result.issues.to_dicts()[0]
    assert (issue["check_id"], issue["sheet"], issue["source_row"]) == ("duplicate_participant", "копия", 9)
    assert f"уже есть в строке 9 листа «{RU6}»" in issue["reason_ru"]


def test_a_retake_on_another_day_is_no_duplicate(tmp_path: Path) -> None:
    rows = [*b.protocol(b.examinee(result=2)), *b.protocol(b.examinee(), title="01 - Русский язык 2023.07.03")]
    result = b.read(b.csv(tmp_path / "огэ.csv", rows))
    assert result.record.rows.accepted == 2
    again = [*b.protocol(b.examinee(result=2)), *b.protocol(b.examinee())]
    assert b.issues(b.read(b.csv(tmp_path / "огэ 2.csv", again))) == [("duplicate_participant", "quarantine")]


def test_issues_of_a_row_name_its_academic_year(tmp_path: Path) -> None:
    rows = [(year, *MARKS_ROW[1:], 10, 10, 40, 30, 27.5) for year in (2022, 2023)]
    result = b.read(b.csv(tmp_path / "marks.csv", [b.MARKS, *rows]))
    assert result.issues["academic_year"].to_list() == ["2021-2022", "2022-2023"]


def test_an_issue_after_the_first_row_group_of_a_parquet_file(tmp_path: Path) -> None:
    path = b.parquet(tmp_path / "ф.parquet", [b.SPRING_2021, *(b.spring_pupil(50000 + i) for i in range(1, 5))])
    whole = pl.read_parquet(path)
    spoiled = whole.with_columns(pl.when(pl.int_range(4) < 3).then("пол").otherwise(pl.lit("4")).alias("пол"))
    spoiled.write_parquet(path, row_group_size=2)
    assert [(row["source_row"], row["value"]) for row in b.read(path).issues.to_dicts()] == [(5, "4")]


RESULTS = st.fixed_dictionaries(
    {
        "school_key": st.sampled_from(["990012", None]),
        "attendance": st.sampled_from(["participated", "absent", "ушёл", None]),
        "total_score": st.sampled_from([-1.0, 0.0, 3.0, 201.0, None]),
        "max_score": st.sampled_from([2.0, 4.0, None]),
        "mark": st.sampled_from([1, 2, 5, 6, None]),
        "measured_year": st.sampled_from(["2022-2023", "2022", None]),
    }
)
GOOD = {
    "delivery_id": "d0123456789ab",
    "assessment": "vpr",
    "subject_id": "russian",
    "test_grade": 6,
    "school_key_kind": "vpr_login",
}


@given(st.lists(RESULTS, min_size=1, max_size=6))
@settings(max_examples=40)
def test_the_quick_look_sees_every_row_that_pandera_refuses(rows: list[dict[str, object]]) -> None:
    full = [{**GOOD, "source_row": i + 1, **row} for i, row in enumerate(rows)]
    schema = polars_schema("assessment_result")
    frame = pl.DataFrame([{name: row.get(name) for name in schema} for row in full], schema=schema)
    refused = set(failures("assessment_result", frame)["index"].drop_nulls())
    suspects = frame.select(may_fail(table("assessment_result")).alias("suspect"))["suspect"].fill_null(False)
    assert set(suspects.arg_true()) == refused
