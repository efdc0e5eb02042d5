"""Forms that people fill in: books with drop-down lists that the intake reads as they are.

What belongs here: writing the books of monitoring returns, of social passports and of risk profiles. What does not: the
vocabularies behind their lists (`opora/programmes.py`, `opora/risk.py`, `schemas/lake/`, `reference/context/`) and how
a filled book is read (`reference/layouts/`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from xlsxwriter.utility import xl_col_to_name

from opora.context_facts import CODED, ContextCatalogue, Question
from opora.programmes import RETURN_KINDS, Programme
from opora.release import Release
from opora.risk import Cycle, FactorList, RiskFacts, cycle_year, stage_dates
from opora.safe_text import safe_cell
from opora.workbook import new_workbook
from schemas.registry import table

ROWS = 2000
LISTS = "Списки"
GUIDE = "Инструкция"
LEVELS = {"school": "школа", "municipality": "муниципалитет", "region": "регион"}
TERMS = {"year": "учебный год", "q1": "1 четверть", "q2": "2 четверть", "q3": "3 четверть", "q4": "4 четверть"}
_WIDE = 40


@dataclass(frozen=True)
class SchoolChoice:
    """A school as a form offers it. `vpr_login` is six digits; one of the two keys is there."""

    name: str
    municipality: str
    vpr_login: str | None = None
    exam_code: str | None = None


@dataclass(frozen=True)
class _Column:
    """A column of a form: its header is the one the layout knows, `choices` names a list of the book."""

    header: str
    hint: str
    choices: str | None = None
    kind: str = "text"
    width: int = 16
    at_most: float | str | None = None  # a number, or the header of the column that holds it


def schools_of_release(release: Release) -> list[SchoolChoice]:
    """The schools of a release that a report may be about, by municipality and name."""
    query = """
        select school_name, municipality_name, vpr_login, exam_code
        from school
        where is_school and merged_into_school_id is null and coalesce(vpr_login, exam_code) is not null
        order by municipality_name, school_name, school_id
    """
    with duckdb.connect(str(release.database), read_only=True) as connection:
        return [SchoolChoice(*row) for row in connection.execute(query).fetchall()]


def write_returns_template(path: Path, programmes: Sequence[Programme], schools: Sequence[SchoolChoice] = ()) -> Path:
    """Write the book of returns for these programmes; without schools the school is typed in.

    Schools are chosen by login; only where no school has one, by exam code.
    """
    by_code = bool(schools) and not any(school.vpr_login for school in schools)
    return _write_book(path, _sheets(by_code), _lists(programmes, schools, by_code), _returns_guide(programmes))


def write_passport_template(
    path: Path,
    catalogue: ContextCatalogue,
    academic_year: str,
    years: Sequence[str],
    schools: Sequence[SchoolChoice] = (),
) -> Path:
    """Write the book of social passports with staff and resources: a row a school, of which only the answers are asked.

    Without schools the login is typed in.
    """
    forms = [form for form in catalogue.forms if form.letter]
    known = [
        (academic_year, f"edu{school.vpr_login}", school.name, school.municipality)
        for school in schools
        if school.vpr_login
    ]
    return _write_book(
        path,
        {form.title_ru: _passport_columns(catalogue.questions_of(form.form_id)) for form in forms},
        _passport_lists(catalogue, years),
        _passport_guide(academic_year),
        known,
    )


# --- what the forms ask ------------------------------------------------------------------------------


def _sheets(by_code: bool) -> dict[str, tuple[_Column, ...]]:
    """The forms of the book. Annual figures are asked by login only."""
    school: tuple[_Column, ...] = (
        _Column("школа", "Выберите из списка: в скобках логин ФИС ОКО.", "schools", width=_WIDE),
    )
    leader: tuple[_Column, ...] = (
        _Column("школа-лидер", "Школа, которая поддерживает; выберите из списка.", "schools", width=_WIDE),
    )
    if by_code:
        school = (
            _Column("код ОО", "Код школы в ГИА.", "codes"),
            _Column("школа", "Название, для людей.", width=_WIDE),
        )
        leader = (
            _Column("код школы-лидера", "Код школы, которая поддерживает.", "codes"),
            _Column("школа-лидер", "Название, для людей.", width=_WIDE),
        )
    place = _Column("муниципалитет", "Нужен, если уровень — муниципалитет.", "municipalities", width=24)
    programme = _Column("программа", "Код программы стоит после черты.", "programmes", width=_WIDE)
    document = _Column("документ", "Номер и дата документа или ссылка.", width=28)
    sheets = {
        "Факты": (
            programme,
            _Column("вид факта", "Что сделано; код стоит после черты.", "kinds", width=_WIDE),
            _Column("показатель или мероприятие", "Если факт относится только к нему.", "items", width=_WIDE),
            _Column("период", "2023, 2022-2023, 2023-Q2 или 2023-05.", "periods"),
            _Column("уровень", "Где сделано.", "levels"),
            *school,
            place,
            _Column("дата факта", "Когда сделано; дата внутри периода.", kind="date"),
            _Column("количество", "Число; для простого факта 1, для «нет» 0.", kind="number"),
            _Column("из скольких", "Из какого числа взято количество.", kind="number"),
            document,
            _Column("исполнитель (должность)", "Должность или орган. Фамилии не пишите.", "executors", width=24),
            _Column("примечание", "Без персональных данных.", width=28),
        ),
        "Список программы": (
            programme,
            _Column("период списка", "Период программы: 2023 или 2022-2023.", "programme_periods"),
            *school,
            place,
            _Column("документ о включении", "Решение, которым школа включена.", width=28),
        ),
        "Соглашения": (
            *school,
            place,
            *leader,
            _Column("программа", "Если соглашение заключено в рамках одной программы.", "programmes", width=_WIDE),
            _Column("номер соглашения", "Номер договора или соглашения.", width=28),
            _Column("дата подписания", "День, с которого соглашение действует.", kind="date"),
            _Column("действует по", "Последний день; пусто — срока нет.", kind="date"),
            _Column("есть совместная программа", "Принята ли программа с партнёром.", "yes_no"),
        ),
    }
    if by_code:
        return sheets
    year = _Column("учебный год", "Например 2022-2023.", "years")
    annual = (year, *school, place)
    return sheets | {
        "Аттестаты": (
            *annual,
            _Column("выпускной класс", "9 или 11.", "grades"),
            _Column("выпускников", "Всего выпускников.", kind="number"),
            _Column("получили аттестат", "Сколько получили.", kind="number"),
            _Column("без аттестата", "Сколько не получили.", kind="number"),
        ),
        "Суммы ЕГЭ": (
            *annual,
            _Column("сдавали не менее трёх ЕГЭ", "Выпускников с тремя и более ЕГЭ.", kind="number"),
            _Column("220 и более", "Набрали 220 и больше по трём лучшим предметам.", kind="number"),
            _Column("160 и более", "Набрали 160 и больше.", kind="number"),
            _Column("менее 160", "Набрали меньше 160.", kind="number"),
        ),
        "Контингент": (
            *annual,
            *(_Column(header, "Обучающихся.", kind="number") for header in ("1-4", "5-9", "10-11", "всего")),
        ),
        "Посещаемость": (
            *annual,
            _Column("четверть или год", "За какое время.", "terms", width=24),
            _Column("обучающихся", "Всего обучающихся.", kind="number"),
            _Column("пропущено дней", "Сумма по всем обучающимся.", kind="number"),
            _Column("из них без уважительной причины", "Сумма дней.", kind="number"),
            _Column("состоят на учёте", "Всех видов учёта.", kind="number"),
            _Column("дисциплинарных нарушений", "Число случаев.", kind="number"),
        ),
    }


def _lists(
    programmes: Sequence[Programme], schools: Sequence[SchoolChoice], by_code: bool
) -> Mapping[str, tuple[str, list[str]]]:
    """The drop-down lists of the book: a title and the choices. After the bar stands the code that is read."""
    periods = sorted({period.period for programme in programmes for period in programme.periods})
    years = sorted({year for p in programmes for x in p.periods for year in (x.results_year, x.list_year)})
    executors = table("programme_return").column("executor").vocabulary
    quarters = [f"{period}-Q{number}" for period in periods if len(period) == 4 for number in range(1, 5)]
    return {
        "programmes": ("Программы", [f"{p.title_ru} | {p.programme_id}" for p in programmes]),
        "kinds": ("Виды фактов", [f"{kind.title_ru} | {name}" for name, kind in RETURN_KINDS.items()]),
        "items": ("Показатели и мероприятия", list(_items(programmes))),
        "periods": ("Периоды фактов", sorted(periods + quarters)),
        "programme_periods": ("Периоды программ", periods),
        "levels": ("Уровни", [f"{title} | {level}" for level, title in LEVELS.items()]),
        "schools": ("Школы", [f"{s.name} (edu{s.vpr_login})" for s in schools if s.vpr_login and not by_code]),
        "codes": ("Коды ОО", [str(s.exam_code) for s in schools if by_code]),
        "municipalities": ("Муниципалитеты", sorted({school.municipality for school in schools})),
        "executors": ("Исполнители", list(executors)),
        "years": ("Учебные годы", years),
        "grades": ("Выпускные классы", ["9", "11"]),
        "terms": ("Четверти", [f"{title} | {term}" for term, title in TERMS.items()]),
        "yes_no": ("Да или нет", ["да", "нет"]),
    }


def _items(programmes: Iterable[Programme]) -> Iterable[str]:
    for programme in programmes:
        for indicator in programme.indicators:
            if indicator.fact and indicator.fact.startswith("return:"):
                yield f"{programme.programme_id}: {indicator.title_ru} | {indicator.indicator_id}"
        for measure in programme.measures:
            if measure.return_kind:
                yield f"{programme.programme_id}: {measure.number} {measure.title_ru} | {measure.measure_id}"


# --- social passports ---------------------------------------------------------------------------------


def _passport_columns(questions: Sequence[Question]) -> tuple[_Column, ...]:
    """The columns that say which school, then the questions. Their numbers are what the layout reads."""
    headers = {question.question_id: _passport_header(question) for question in questions}
    return (
        _Column("учебный год", "Год, о котором ответы: 2022-2023.", "years"),
        _Column("логин ФИС ОКО", "edu или sch и шесть цифр.", width=18),
        _Column("школа", "Название, для людей.", width=_WIDE),
        _Column("муниципалитет", "Для людей.", width=24),
        *(
            _Column(
                headers[question.question_id],
                _HINTS[question.kind],
                question.question_id if question.kind == "choice" else "yes_no" if question.kind == "flag" else None,
                kind="text" if question.kind in CODED else "number",
                at_most=headers.get(question.part_of or "", 100 if question.kind == "percent" else None),
            )
            for question in questions
        ),
    )


_HINTS = {
    "count": "Человек. Неизвестно — оставьте пустым. 0 — проверили, нет ни одного.",
    "number": "Можно с долями. Неизвестно — оставьте пустым.",
    "percent": "Только если число неизвестно: доля от 0 до 100.",
    "choice": "Выберите ответ. Неизвестно — оставьте пустым.",
    "flag": "Да или нет. Неизвестно — оставьте пустым.",
}


def _passport_header(question: Question) -> str:
    unit = {"count": ", человек", "percent": ", % обучающихся"}.get(question.kind, "")
    return f"{question.number}. {question.title_ru}{unit}"


def _passport_lists(catalogue: ContextCatalogue, years: Sequence[str]) -> Mapping[str, tuple[str, list[str]]]:
    asked = {form.form_id for form in catalogue.forms if form.letter}
    answers = {
        question.question_id: (
            f"{question.number}. {question.title_ru}",
            [f"{value}) {label}" for value, label in question.answers.items()],
        )
        for question in catalogue.questions
        if question.form_id in asked and question.kind == "choice"
    }
    return {"years": ("Учебные годы", list(years)), "yes_no": ("Да или нет", ["да", "нет"])} | answers


def _passport_guide(academic_year: str) -> list[tuple[str, ...]]:
    lines = (
        "Социальный паспорт школы, кадры и ресурсы",
        "",
        f"Одна строка — одна школа за один учебный год. Книга подготовлена на {academic_year}.",
        "Показывайте положение на 1 октября учебного года, если орган управления не назвал другой день.",
        "Считайте обучающихся 1–11 классов; дошкольные группы не входят.",
        "Неизвестно — оставьте ячейку пустой или напишите «нет данных». Пустая ячейка не ноль.",
        "0 значит «проверили: нет ни одного». Не ставьте 0 вместо неизвестного.",
        "Число важнее доли: столбцы с «%» заполняйте, только если числа нет. Если даны оба, они сверяются.",
        "Часть не бывает больше целого: П2–П12 не больше П1, П2 и П3 вместе тоже; К2 не больше К1, К4 не больше К3.",
        "Ответ, который не прошёл проверку, откладывается один; остальные ответы школы принимаются.",
        "Ответы со списком выбирайте из списка: система читает номер перед скобкой.",
        "Номера вопросов в шапке (П1, К1…) не меняйте: столбцы узнаются по ним. Лишние столбцы и строки можно удалить.",
        "Исправление пришлите новым файлом целиком: последняя форма школы за год действует вся.",
        "Фамилии, адреса и другие персональные данные не пишите нигде.",
        "Готовый файл положите в папку приёма; проверить его заранее: opora check ФАЙЛ.",
    )
    return [(line,) for line in lines]


# --- writing -----------------------------------------------------------------------------------------


def _write_book(
    path: Path,
    sheets: Mapping[str, Sequence[_Column]],
    lists: Mapping[str, tuple[str, list[str]]],
    guide: Iterable[tuple[str, ...]],
    known: Sequence[tuple[str, ...]] = (),
) -> Path:
    """A book with its instruction in front and its lists at the end; `known` are the first cells of every row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with new_workbook(path) as book:
        handles = {name: book.add_worksheet(name) for name in (GUIDE, *sheets, LISTS)}
        head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#E8EEF4", "border": 1})
        formats = {
            "head": head,
            "date": book.add_format({"num_format": "dd.mm.yyyy"}),
            "text": book.add_format({"num_format": "@"}),
            "number": book.add_format({"num_format": "General"}),
            "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
            "title": book.add_format({"bold": True, "font_size": 14}),
        }
        ranges = _write_lists(handles[LISTS], lists, head)
        for name, columns in sheets.items():
            _write_form(handles[name], columns, ranges, formats, known)
        _write_guide(handles[GUIDE], guide, formats)
    return path


def _write_lists(sheet: Any, lists: Mapping[str, tuple[str, list[str]]], head: Any) -> dict[str, str]:
    """One column a list; what a drop-down refers to, by the list's name. An empty list offers nothing."""
    ranges = {}
    for column, (name, (title, choices)) in enumerate(lists.items()):
        sheet.write_string(0, column, title, head)
        for row, choice in enumerate(choices, start=1):
            sheet.write_string(row, column, safe_cell(choice))
        sheet.set_column(column, column, _WIDE)
        if choices:
            letter = xl_col_to_name(column)
            ranges[name] = f"='{LISTS}'!${letter}$2:${letter}${len(choices) + 1}"
    sheet.freeze_panes(1, 0)
    return ranges


def _write_form(
    sheet: Any,
    columns: Sequence[_Column],
    ranges: Mapping[str, str],
    formats: Mapping[str, Any],
    known: Sequence[tuple[str, ...]],
) -> None:
    letters = {column.header: xl_col_to_name(number) for number, column in enumerate(columns)}
    rows = max(ROWS, len(known))
    for number, column in enumerate(columns):
        sheet.write_string(0, number, column.header, formats["head"])
        sheet.set_column(number, number, column.width, formats[column.kind])
        rule = _validation(column, ranges, letters)
        sheet.data_validation(1, number, rows, number, rule | {"input_title": column.header[:32], "ignore_blank": True})
    for row, cells in enumerate(known, start=1):
        for number, cell in enumerate(cells):
            sheet.write_string(row, number, safe_cell(cell))
    sheet.freeze_panes(1, len(known[0]) - 1 if known else 0)
    sheet.autofilter(0, 0, rows, len(columns) - 1)


def _validation(column: _Column, ranges: Mapping[str, str], letters: Mapping[str, str]) -> dict[str, Any]:
    """What Excel lets into a cell. Lists only warn, a code typed by hand is as good; bounds too, for «нет данных»."""
    told = {"input_message": column.hint[:255]}
    if column.choices and column.choices in ranges:
        return told | {
            "validate": "list",
            "source": ranges[column.choices],
            "error_type": "warning",
            "error_title": "Нет в списке",
            "error_message": "Такого значения в списке нет. Оставить?",
        }
    if column.kind == "date":
        return told | {"validate": "date", "criteria": ">=", "value": "=DATE(2000,1,1)", "error_title": "Дата"}
    if column.at_most is not None:
        most = f"=${letters[column.at_most]}2" if isinstance(column.at_most, str) else column.at_most
        return told | {
            "validate": "decimal",
            "criteria": "between",
            "minimum": 0,
            "maximum": most,
            "error_type": "warning",
            "error_title": "Больше целого",
            "error_message": f"Не больше, чем «{column.at_most}». Оставить?"[:255],
        }
    if column.kind == "number":
        return told | {"validate": "decimal", "criteria": ">=", "value": 0, "error_title": "Число"}
    return told | {"validate": "any"}


def _returns_guide(programmes: Sequence[Programme]) -> list[tuple[str, ...]]:
    lines: list[tuple[str, ...]] = [
        ("Отчёт об исполнении программ поддержки школ",),
        (),
        ("Один факт — одна строка листа «Факты». Заполняйте листы, которые вас касаются; пустые оставьте пустыми.",),
        ("Программа, вид факта, период, уровень, дата и количество обязательны. Остальное — если известно.",),
        ("Значения со списком выбирайте из списка: система читает код после черты или логин в скобках.",),
        ("Дата факта — день, когда он состоялся. Она должна попадать в названный период.",),
        ("Количество для простого факта 1. Ноль значит «проверили: нет», пустая строка — «не сообщили».",),
        ("«Из скольких» нужно там, где это сказано ниже, например: педагогов прошли диагностику 6 из 24.",),
        ("Если одно и то же сообщено дважды, принимается первая строка, вторая уходит в карантин.",),
        ("Соглашение двух школ — строка листа «Соглашения»; тогда на листе «Факты» повторять его не нужно.",),
        ("Исправление пришлите новым файлом с теми же программой, видом факта, местом, датой и документом.",),
        ("Фамилии, имена и другие персональные данные не пишите нигде.",),
        ("Готовый файл положите в папку приёма; проверить его заранее: opora check ФАЙЛ.",),
        (),
        ("Вид факта", "Кто сообщает", "Что в количестве"),
    ]
    for kind in RETURN_KINDS.values():
        who = "школа: уровень «школа»" if kind.by_school else "организатор: муниципалитет или регион"
        lines.append((kind.title_ru, who, "число, и «из скольких»" if kind.of_total else "число; факт — 1"))
    lines += [(), ("Программы",)]
    lines += [(f"{p.title_ru}", p.programme_id, ", ".join(x.period for x in p.periods)) for p in programmes]
    return lines


def _write_guide(sheet: Any, lines: Iterable[tuple[str, ...]], formats: Mapping[str, Any]) -> None:
    sheet.set_column(0, 0, 60, formats["wrap"])
    sheet.set_column(1, 2, 32, formats["wrap"])
    for row, cells in enumerate(lines):
        for column, cell in enumerate(cells):
            sheet.write_string(row, column, cell, formats["title"] if row == 0 else formats["wrap"])


# --- risk profiles -----------------------------------------------------------------------------------

PROFILES, PROFILES_BY_SCHOOL, STAGES, ANSWERS = "Профили рисков", "Профили по школам", "Этапы", "Анкеты"


def write_risk_template(
    path: Path, facts: RiskFacts, academic_year: str | None = None, schools: Sequence[SchoolChoice] = ()
) -> Path:
    """Write the book of risk profiles for the factor list of a year, the last known year if none is named.

    Raises LookupError if no list covers the year.
    """
    year = academic_year or facts.academic_years[-1].academic_year
    factors, cycle = facts.in_force(year)
    lists = _risk_lists(facts, factors, cycle, schools)
    return _write_book(path, _risk_sheets(factors), lists, _guide_of_risk(year, factors, cycle))


def _risk_sheets(factors: FactorList) -> dict[str, tuple[_Column, ...]]:
    school = (
        _Column("учебный год", "Год анкетирования, например 2021-2022 или 2022.", "years"),
        _Column("школа", "Выберите из списка: в скобках логин ФИС ОКО.", "schools", width=_WIDE),
    )
    level = "Высокая, средняя или низкая; пусто — неизвестно."
    titles = [factor.title_ru for factor in factors.factors]
    return {
        PROFILES: (
            *school,
            _Column("фактор риска", "Код стоит после черты.", "factors", width=_WIDE),
            _Column("значимость", level, "levels", width=24),
            _Column("риск выбран", "Да, если школа выбрала его для антирисковой программы.", "yes"),
        ),
        PROFILES_BY_SCHOOL: (
            *school,
            *(_Column(f"{title}: значимость", level, "levels", width=24) for title in titles),
            *(_Column(f"{title}: выбран", "Да, если риск выбран.", "yes", width=24) for title in titles),
        ),
        STAGES: (
            *school,
            _Column("фактор риска", "Пусто, если этап относится ко всем выбранным рискам.", "factors", width=_WIDE),
            _Column("этап", "Код стоит после черты.", "stages", width=_WIDE),
            _Column("дата этапа", "Когда этап пройден; строка без даты не читается.", kind="date"),
            _Column("документ", "Номер и дата документа или ссылка.", width=28),
            _Column("кто подтвердил (должность)", "Должность или орган. Фамилии не пишите.", "confirmers", width=28),
        ),
        ANSWERS: (
            *school,
            _Column("показатель", "Код стоит после черты.", "indicators", width=_WIDE),
            _Column("кто отвечал", "Группа ответивших.", "respondents", width=20),
            _Column("значение, %", "От 0 до 100; «да» — 100, «нет» — 0.", kind="number", at_most=100),
            _Column("ответивших", "Сколько человек ответило.", kind="number"),
        ),
    }


def _risk_lists(
    facts: RiskFacts, factors: FactorList, cycle: Cycle, schools: Sequence[SchoolChoice]
) -> Mapping[str, tuple[str, list[str]]]:
    years = [year.academic_year for year in facts.academic_years if facts.list_of(year.academic_year) == factors]
    behind = [indicator for indicator in facts.indicators if indicator.factor_id in factors.factor_ids]
    return {
        "years": ("Учебные годы", years),
        "schools": ("Школы", [f"{s.name} (edu{s.vpr_login})" for s in schools if s.vpr_login]),
        "factors": ("Факторы риска", [f"{f.title_ru} | {f.factor_id}" for f in factors.factors]),
        "levels": ("Значимость", [item.title_ru for item in facts.levels]),
        "yes": ("Выбор", ["да", "нет"]),
        "stages": ("Этапы", [f"{s.title_ru} | {s.stage_id}" for s in cycle.stages]),
        "confirmers": ("Кто подтверждает", list(table("risk_stage_report").column("confirmed_by").vocabulary)),
        "indicators": ("Показатели анкет", [f"{i.title_ru} | {i.indicator_id}" for i in behind]),
        "respondents": ("Кто отвечал", [item.title_ru for item in facts.respondents]),
    }


def _guide_of_risk(year: str, factors: FactorList, cycle: Cycle) -> list[tuple[str, ...]]:
    least, most = cycle.chosen_least.value, cycle.chosen_most.value
    lines: list[tuple[str, ...]] = [
        (f"Рисковые профили школ: {factors.title_ru.lower()}",),
        (),
        (f"Цикл {cycle_year(year)} года относится к {year} учебному году, его осенние этапы тоже.",),
        (f"Заполните «{PROFILES}» (строка — фактор) или «{PROFILES_BY_SCHOOL}» (строка — школа), одно из двух.",),
        (f"Школа выбирает рисков от {least} до {most}: отметьте их словом «да». Без отметок выбор не сообщён.",),
        ("Если уровень неизвестен, оставьте пустым: пустое не значит «низкая».",),
        (f"«{STAGES}»: строка на пройденный этап. Этап без фактора относится ко всем выбранным рискам школы.",),
        (f"«{ANSWERS}»: доли ответивших, отдельных анкет и имён быть не должно.",),
        ("Исправление пришлите новым файлом: действует последнее.",),
        ("Готовый файл положите в папку приёма; проверить его заранее: opora check ФАЙЛ.",),
        (),
        ("Этап", "Срок", "О чём отчёт"),
    ]
    for stage in cycle.stages:
        due = f"до {stage_dates(stage, year)[1]:%d.%m.%Y}"
        lines.append((stage.title_ru, due, "каждый выбранный риск" if stage.by_factor else "школа в целом"))
    return lines
