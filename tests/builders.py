"""Small files of suppliers for tests: real headers, made-up schools and people.

What belongs here: writing tables as books, text and Parquet, and the tables of the layouts as rows of cells.
What does not: what a test expects of them.
"""

from __future__ import annotations

import csv as csv_module
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import polars as pl
import xlsxwriter
import xlwt

from opora.intake import Processed, check
from opora.layouts.model import BUILT_IN, Layout, read_layouts
from opora.reference import Reference, load_reference

Cell = str | int | float | None
Row = Sequence[Cell]
Table = Sequence[Row]

LOGIN = "edu990012"
SCHOOL = "МБОУ «СОШ № 5»(edu990012)"
PLACE = "Северский муниципальный район"


# --- files -------------------------------------------------------------------------------------------


def xlsx(path: Path, sheets: dict[str, Table] | Table) -> Path:
    """A book; a bare table becomes `Sheet1`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(path) as book:
        for name, rows in _sheets(sheets).items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, ["" if cell is None else cell for cell in row])
    return path


def xls(path: Path, sheets: dict[str, Table] | Table) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    book = xlwt.Workbook()
    for name, rows in _sheets(sheets).items():
        sheet = book.add_sheet(name)
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                if cell is not None:
                    sheet.write(number, column, cell)
    book.save(str(path))
    return path


def csv(path: Path, rows: Table, *, encoding: str = "utf-8", delimiter: str = ";") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as file:
        csv_module.writer(file, delimiter=delimiter).writerows(rows)
    return path


def parquet(path: Path, rows: Table) -> Path:
    """The first row is the header; every cell is text, as in the copies of real exports."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header, *data = rows
    columns = {str(name): [_text(row[i]) for row in data] for i, name in enumerate(header)}
    pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String())).write_parquet(path)
    return path


def _sheets(sheets: dict[str, Table] | Table) -> dict[str, Table]:
    return sheets if isinstance(sheets, dict) else {"Sheet1": sheets}


def _text(cell: Cell) -> str | None:
    return None if cell is None else str(cell)


# --- reading them --------------------------------------------------------------------------------------


@cache
def reference() -> Reference:
    return load_reference()


@cache
def layouts() -> list[Layout]:
    return read_layouts(BUILT_IN)


def read_all(folder: Path, own: Sequence[Layout] = ()) -> dict[str, Processed]:
    """Everything in a folder as an intake would take it, by path; every file's rows must add up."""
    results = check(folder, [*layouts(), *own], reference())
    for result in results:
        assert result.record.rows.adds_up, result.record.rows
    return {result.record.file_name: result for result in results}


def read(path: Path, own: Sequence[Layout] = ()) -> Processed:
    """One file, told about by its own name and by notes beside it."""
    return read_all(path.parent, own)[path.name]


def records(result: Processed, table: str) -> pl.DataFrame:
    """The accepted records of one table, over all years."""
    frames = [frame for (name, _), frame in result.parts.items() if name == table]
    assert frames, f"{result.record.message_ru or 'nothing'}: {result.issues.to_dicts()}"
    return pl.concat(frames)


def issues(result: Processed) -> list[tuple[str, str]]:
    return list(zip(result.issues["check_id"], result.issues["severity"], strict=True))


# --- ВПР -----------------------------------------------------------------------------------------------


def report(
    name: str, header: Row, rows: Table, *, title: str = "ВПР 2023 Русский язык 6 класс", maximum: int = 4
) -> list[Row]:
    """A report of ФИС ОКО: seven rows of head, the header on the eighth, data below."""
    return [
        [name],
        [],
        [title],
        ["Предмет:", "Русский язык"],
        ["Максимальный первичный балл:", maximum],
        ["Дата:", "11.04.2023"],
        [],
        header,
        *rows,
    ]


TASKS = ("1 (2б)", "2 (1б)", "9.1 (1б)")
INDIVIDUAL = (
    *("ОО", "Муниципалитет", "Название ОО", "Код участника", "Класс", "Вариант"),
    *TASKS,
    *("Первичный балл", "Отметка", "Отметка по журналу"),
)


def group_row(declared: int) -> Row:
    return [f"{SCHOOL} | Кол-во участников: {declared}"]


def pupil(
    code: Cell = 60001,
    *,
    login: Cell = LOGIN,
    variant: Cell = 1,
    tasks: Row = (2, 1, 0),
    total: Cell = 3,
    mark: Cell = 4,
    prior: Cell = 4,
) -> Row:
    """A row of «Индивидуальные результаты»."""
    return [login, PLACE, SCHOOL, code, 1, variant, *tasks, total, mark, prior]


def individual(*rows: Row, declared: int | None = None, **told: str | int) -> dict[str, Table]:
    """«Индивидуальные результаты» of one school."""
    above = [] if declared is None else [group_row(declared)]
    name = "Индивидуальные результаты"
    return {"РУ 6 Индивидуальные результаты": report(name, INDIVIDUAL, [*above, *rows], **told)}  # type: ignore[arg-type]


STATISTICS = ("Группы участников", "Кол-во ОО", "Кол-во участников", 2, 3, 4, 5)


def statistics(*rows: Row) -> dict[str, Table]:
    """«Статистика по отметкам»: the whole sample, a municipality, then the rows."""
    above = [["Вся выборка", 35589, 1722202, 5.06, 32.92, 44.33, 17.69]]
    above += [["Северский муниципальный район(reg99_m003)", 47, 3162, 6.2, 33.0, 43.8, 17.0]]
    name = "Статистика по отметкам"
    return {"РУ 6 Статистика по отметкам": report(name, STATISTICS, [*above, *rows])}


AUTUMN_2020 = (
    *("groups", "user", "id", "code", "otc", "gender", "klass", "var-1", "var-2", "sum"),
    *("a-1-grade", "a-2-grade", "Учебник", "a-3-grade"),
)


def autumn_pupil(code: Cell = 60001, *, variant: Cell = 3, total: Cell = 4, tasks: Row = (1, 2, "X", 1)) -> Row:
    return [
        *("oo,reg99,reg99_vpr_m003,vpr", "sch990012", 1, code, 4, " ж", "а", variant, None, total),
        *tasks,
    ]


SPRING_2021 = (
    *("логин школы", "регион", "номер обучающегося", "код обучающегося"),
    *("отметка за предыдущую четверть/триместр", "пол", "класс", "вариант", "всего баллов"),
    *("балл за 1", "балл за 2", "балл за 3", "Учебник", "Др.уч. автор", "Др.уч. название"),
)
BOOK = "Мерзляк А.Г.,Полонский В.Б.,Якир М.С. Математика 5 класс"


def spring_pupil(
    code: Cell = 50001,
    *,
    login: Cell = "sch990012",
    prior: Cell = 4,
    sex: Cell = "м",
    variant: Cell = 7,
    total: Cell = 2,
    tasks: Row = (1, 1, 0),
) -> Row:
    return [login, PLACE, 1, code, prior, sex, "А", variant, total, *tasks, BOOK, None, None]


PROTOCOL_2022 = (
    *("Пользователь", "Код региона", "Регион", "Муниципалитет", "Школа", "Дата загрузки", "Код", "Вариант"),
    *("1 (1б)", "2 (2б)", "10К1 (1б)"),
    *("Наименование класса", "Пол", "Отметка за предыдущий триместр/ четверть/полугодие", "Итого баллов"),
)


def protocol_pupil(code: Cell = 50001, *, variant: Cell = 5, total: Cell = 3, tasks: Row = (1, 2, "X")) -> Row:
    return [
        *(LOGIN, 99, "Верхнеозёрская область", f"reg99_m003 | {PLACE}", f"{LOGIN} | МБОУ «СОШ № 5»"),
        *("2022-03-18 10:11:12", code, variant, *tasks, "5а", "Ж", 4, total),
    ]


FORM = (
    *("Код участника", "Вариант", "1 (5б)", "4К1 (3б)"),
    *("Порядковый номер класса", "Отметка за предыдущий триместр/ четверть/полугодие", "Итого баллов"),
)


def form(*rows: Row, size: int = 1499) -> dict[str, Table]:
    """The collection form: filled rows, then pre-made ones with a total of 0."""
    empty: list[Row] = [[None] * (len(FORM) - 1) + [0]] * (size - len(rows))
    return {
        "Протокол": [FORM, *rows, *empty],
        "Служебный": [["Вариант", "Балл"], [1, 0], ["отсутствовал", "X"]],
        "Порядковый номер класса": [["Класс", "Номер"], ["6А", 1]],
    }


MARKS = ("Год", "Класс", "Предмет", "Муниципалитет", "Логин", "ОО", "Кол-во участников", 2, 3, 4, 5)
BIAS = ("Год", "Логин", "Муниципалитет", "ОО", "4 РУ", "4 МА", "5 РУ", "5 МА", "Количество маркеров")


# --- ГИА -----------------------------------------------------------------------------------------------

SURNAME, NAME, PATRONYMIC = "Вымышленская", "Ксантиппа", "Аристарховна"
SERIES, NUMBER = "4512", "678901"
CANARIES = (SURNAME, NAME, PATRONYMIC, SERIES, NUMBER)
TITLE_OGE = "01 - Русский язык 2023.06.06"
OGE = (
    *("№", "Код ОО", "Класс", "Код ППЭ", "Аудитория", "Фамилия", "Имя", "Отчество", "Серия", "Номер"),
    *("Задания с кратким ответом", "Задания с развёрнутым ответом", "Первичный балл", "Оценка"),
)


def examinee(
    number: int = 1,
    *,
    school: Cell = 9306,
    class_name: Cell = "9а",
    paper: Cell = NUMBER,
    score: Cell = 25,
    result: Cell = 4,
) -> Row:
    """A row of an ОГЭ protocol."""
    who = (SURNAME, NAME, PATRONYMIC, SERIES, paper)
    return [number, school, class_name, 101, 3, *who, "++-+-", "1(1)2(3)", score, result]


def protocol(*rows: Row, title: str = TITLE_OGE, header: Row = OGE, footer: Table = ()) -> list[Row]:
    return [[title], header, *rows, *footer]


EGE_TABLE_METRICS = (
    *("приняло участие", "не преодолен min порог", "высокобалльники (80-99 баллов)"),
    *("получили 100 баллов", "средний балл"),
)


def ege_table(*rows: Row, subjects: Sequence[str] = ("Русский язык",), year: int = 2023) -> dict[str, Table]:
    """The regional table with two header rows; a row is municipality, school, graduates, five figures a subject."""
    upper: list[Cell] = [
        *("Муниципальное образование", "Образовательная организация (школа)"),
        f"Всего выпускников в {year} году по программам среднего общего образования, чел.",
    ]
    lower: list[Cell] = [None, None, None]
    for subject in subjects:
        upper += [subject, None, None, None, None]
        lower += EGE_TABLE_METRICS
    title = f"Информация о результатах ЕГЭ выпускников школ в {year} году"
    return {str(year): [[], [title], [], ["Верхнеозёрская область"], [], upper, lower, *rows]}


# --- conditions of schools -----------------------------------------------------------------------------


def passport(
    *answers: dict[str, Cell], sheet: str = "Социальный паспорт", year: Cell = "2022-2023"
) -> dict[str, Table]:
    """A sheet of social passports (or of staff and resources): a school a row, its answers by number of question.

    The login of a row stands under «login», else schools are numbered.
    """
    numbers = list(dict.fromkeys(number for row in answers for number in row if number != "login"))
    header = ("учебный год", "логин ФИС ОКО", "школа", *(f"{number}. Вопрос" for number in numbers))
    rows = [
        (year, row.get("login", f"edu9900{12 + place}"), "СОШ № 5", *(row.get(number) for number in numbers))
        for place, row in enumerate(answers)
    ]
    return {sheet: [header, *rows]}
