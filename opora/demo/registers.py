"""What is known about schools: two registers, the crosswalk of keys, the context survey.

What belongs here: facts of schools as files. What does not: results.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from opora.demo.files import Cell, Delivery, Row, headings
from opora.demo.population import Region, School

FOLDER = "справочники"
REGISTER = [
    "логин",
    "код ОГЭ/ЕГЭ",
    "ИНН",
    "ОГРН",
    "полное имя",
    "вид ОО",
    "муниципалитет",
    "код муниципалитета",
    "город/село",
    "классы с",
    "классы по",
    "обучающихся",
    "действует с",
    "действует по",
    "исключение",
]
CROSSWALK = ["вид ключа", "ключ", "школа", "отношение", "действует с", "действует по"]
OPENED = "1998-09-01"


def deliveries(region: Region, seed: int) -> list[Delivery]:
    return [logins(region), register(region), crosswalk(region), context_survey(region, seed)]


def _received(region: Region, register_name: str) -> date:
    return date.fromisoformat(region.facts.raw["registers"][register_name])


def logins(region: Region) -> Delivery:
    """The short register of ФИС ОКО: `логин`, `имя`, `регион` (really the municipality)."""
    rows = headings(["логин", "имя", "регион"])
    rows += [Row([f"sch{s.login}", s.name, s.municipality.short]) for s in region.schools]
    college = region.facts.raw["region"]["college"]
    rows.append(Row([f"sch{college['login']}", college["name"], f"СПО {region.facts.name}"]))
    return Delivery(f"{FOLDER}/logins.xlsx", {"Лист1": rows}, _received(region, "logins"), layout="logins")


def register(region: Region) -> Delivery:
    """The rich register: a renamed school has two dated rows, a merged one a closing day."""
    facts = region.facts
    rows = headings([*REGISTER])
    for school in region.schools:
        if school.later_name:
            change = date.fromisoformat(facts.raw["rename"]["date"])
            last = date.fromordinal(change.toordinal() - 1).isoformat()
            rows.append(_register_row(region, school, school.full_name, OPENED, last))
            rows.append(_register_row(region, school, school.later_full_name, change.isoformat(), None))
        elif school.merged_into is not None:
            closing = date.fromisoformat(facts.raw["merger"]["date"])
            last = date.fromordinal(closing.toordinal() - 1).isoformat()
            rows.append(_register_row(region, school, school.full_name, OPENED, last))
        else:
            rows.append(_register_row(region, school, school.full_name, OPENED, None))
    path = f"{FOLDER}/реестр школ.csv"
    return Delivery(path, {"": rows}, _received(region, "register"), layout="register", encoding="utf-8-sig")


def _register_row(region: Region, school: School, name: str, valid_from: str, valid_to: str | None) -> Row:
    excluded = excluded_reason(region, school)
    place = school.municipality
    cells: list[Cell] = [
        f"edu{school.login}",
        school.exam_code or None,
        school.inn,
        school.ogrn,
        name,
        school.role.type,
        place.name,
        f"{region.facts.code}_{place.key}",
        "город" if place.is_urban else "село",
        school.role.first,
        school.role.last,
        school.enrolment,
        valid_from,
        valid_to,
        excluded or None,
    ]
    return Row(cells)


def excluded_reason(region: Region, school: School) -> str:
    """Why a school stays outside the support list, in the words of the register."""
    return str(region.facts.raw["branch_exclusion"]) if school.is_branch else school.role.excluded


def crosswalk(region: Region) -> Delivery:
    """Keys that do not lead to a school by themselves; one row has a relation that nobody knows."""
    rows = headings([*CROSSWALK])
    for school in region.schools:
        rows += [Row([*cells]) for cells in _crosswalk_rows(region, school)]
    rows.append(Row(["vpr_login", "990888", region.schools[0].school_id, "поглощена", None, None], "quarantined"))
    delivery = Delivery(
        f"{FOLDER}/соответствия ключей.csv",
        {"": rows},
        _received(region, "crosswalk"),
        layout="crosswalk",
        encoding="utf-8-sig",
    )
    delivery.soil("unknown_relation", "value_out_of_vocabulary", "quarantine")
    return delivery


def _crosswalk_rows(region: Region, school: School) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    if school.second_login:
        opened = region.facts.raw["second_login"]["date"]
        rows.append(["vpr_login", school.second_login, school.school_id, "same", opened, None])
    if school.parent is not None:
        parent = region.schools[school.parent].school_id
        rows.append(["vpr_login", school.login, parent, "branch_of", OPENED, None])
        if school.exam_code:
            rows.append(["exam_code", school.exam_code, parent, "branch_of", OPENED, None])
    if school.merged_into is not None:
        heir, day = region.schools[school.merged_into].school_id, region.facts.raw["merger"]["date"]
        rows.append(["vpr_login", school.login, heir, "merged_into", day, None])
        rows.append(["exam_code", school.exam_code, heir, "merged_into", day, None])
    if school.later_name:
        place = school.municipality.name
        day = region.facts.raw["rename"]["date"]
        rows.append(["name", f"{place}|{school.later_full_name}", school.school_id, "renamed", day, None])
    return rows


GENERAL = [
    "Пользователь",
    "Код региона",
    "Регион",
    "Муниципалитет",
    "Школа",
    "Дата загрузки",
    "№",
]
ABOUT = [
    "1. ПОЛНОЕ наименование ОО (по уставу)",
    "2.\tСОКРАЩЕННОЕ наименование ОО (при наличии) (по уставу)",
    "3.\tФИО директора (полностью)",
    "4.\tТелефон ОО (с указанием кода города)",
    "5.\tЭлектронная почта (email) ОО",
    "6.\tИНН",
    "7.\tКод ОГЭ",
    "8.\tКод ЕГЭ",
    "9.\tСтатус организации.",
    "10. У ОО есть филиалы?",
    "11. Организационно-правовая форма организации",
    "12. Индекс местонахождения ОО",
    "13. Адрес ОО (населенный пункт, улица, дом)",
    "14. Где расположена образовательная организация?",
    "15. Каков размер населенного пункта, в котором расположена ОО?",
    "16. Какое из утверждений о возможности добраться общественным транспортом до ближайшего крупного города "
    "(численностью более 100 000 человек) наилучшим образом описывает положение ОО?",
]
WORK_OF_SCHOOL = [
    "17.1. Организация осуществляет образовательную деятельность по адаптированным образовательным программам (АОП)?",
    "17.2. ОО является отдельной организацией, осуществляющей образовательную деятельность по АОП (например, "
    "специальной (коррекционной) ОО?",
    "17.3. Образование обучающихся по АОП организовано в отдельных классах/группах?",
    "17.4. Образование обучающихся по АОП организовано совместно с другими обучающимися?",
    "18. На каких языках осуществляется образовательная деятельность в организации?",
    "19.1. Ведется ли в ОО углубленное изучение отдельных предметов?",
    "19.2. Есть ли предметы, углубленное изучение которых начинается с классов начальной школы (1–4 классов)?",
    "19.3. Есть ли предметы, углубленное изучение которых начинается с классов основной школы (5–9 классов)?",
    "19.4. Есть ли предметы, углубленное изучение которых начинается с классов средней школы (10–11 классов)?",
    "20. Укажите количество обучающихся в ОО в {year} учебном году (в сумме по всем классам/курсам)",
    "21. Общее количество обучающихся в {year} учебном году {born} года рождения",
    "22. Количество обучающихся в {year} учебном году {born} г. р., обучающихся по АОП, с ограниченными "
    "возможностями здоровья и/или инвалидов (всего)",
    "23. Общее количество обучающихся в {year} учебном году {later} года рождения",
    "24. Количество обучающихся в {year} учебном году {later} г. р., обучающихся по АОП, с ограниченными "
    "возможностями здоровья и/или инвалидов (всего)",
    "25. Сколько всего в ОО учителей/преподавателей?",
    "26. Сколько в ОО учителей, преподающих в 5–9 классах?",
    "27. Сколько всего в ОО учителей/преподавателей первой и высшей категорий?",
]
TRANSPORT = [
    "1) Регулярность транспортного сообщения и близость крупного города позволяет ежедневно ездить туда",
    "2) Каждый день ездить сложно, но класс, например, может побывать в крупном городе на выставке, "
    "экскурсии, спектакле или другом мероприятии и в тот же день вернуться",
    "3) Чтобы съездить в ближайший крупный город на какое-либо мероприятие и вернуться, требуется более одного дня",
]


def context_survey(region: Region, seed: int) -> Delivery:
    """Two sheets of answers; conditions go with the latent quality of the school."""
    told = region.facts.raw["registers"]
    spring = told["survey_spring"]
    rng = np.random.default_rng([seed, spring])
    questions = [
        text.format(year=f"{spring - 1}/{spring}", born=spring - 16, later=spring - 15) for text in WORK_OF_SCHOOL
    ]
    general, work = headings([*GENERAL, *ABOUT]), headings([*GENERAL, *questions])
    for school in region.schools:
        if school.merged_into is not None:
            continue
        head = _survey_head(region, school, spring)
        general.append(Row([*head, *_about(region, school)]))
        work.append(Row([*head, *_work_of_school(region, school, rng)]))
    sheets = {"Общая информация об ОО": general, "ОБРАЗОВАТЕЛЬНАЯ ДЕЯТЕЛЬНОСТЬ ОО": work}
    path = f"{FOLDER}/контекстные данные ОО {spring}.xlsx"
    return Delivery(path, sheets, _received(region, "survey"), spring, layout="context_survey")


def _survey_head(region: Region, school: School, spring: int) -> list[Cell]:
    code, place = region.facts.code, school.municipality
    return [
        f"edu{school.login}",
        int(code),
        f"reg{code}0000 | {region.facts.name}",
        f"reg{code}_{place.key} | {place.name}",
        f"edu{school.login} | {school.name}",
        f"0{1 + school.index % 9}.02.{spring} 1{school.index % 10}:22:51",
        1,
    ]


def _about(region: Region, school: School) -> list[Cell]:
    branches = any(other.parent == school.index for other in region.schools)
    state = school.role_name == "correctional"
    kind, far = school.municipality.kind, school.role_name in {"tiny", "basic_tiny"}
    where = {
        "city": "1) Административный центр субъекта РФ",
        "town": "2) Город",
        "district": "4) Населенный пункт сельского типа (поселок, село, деревня, станица, хутор и пр.)",
    }
    size = {"city": "6) 100–450 тыс. человек", "town": "4) 10–50 тыс. человек"}
    village = "2) 1–5 тыс. человек" if school.role_name == "centre" else "1) Менее 1 тыс. человек"
    code: Cell = int(school.exam_code) if school.exam_code else "нет"
    return [
        school.full_name,
        school.name,
        None,
        None,
        None,
        school.inn,
        code if school.has_grade(9) else None,
        code if school.has_grade(11) else None,
        "2) Филиал юридического лица, головной ОО"
        if school.is_branch
        else "1) Самостоятельное юридическое лицо (или головная ОО при наличии филиалов)",
        None if school.is_branch else "Да" if branches else "Нет",
        "1) Государственная организация" if state else "2) Муниципальная организация",
        699000 + school.index,
        f"{school.place}, ул. Школьная, {1 + school.index % 40}",
        where[kind],
        size.get(kind, village),
        None if kind == "city" else TRANSPORT[2 if far else 0 if kind == "town" else 1],
    ]


def _work_of_school(region: Region, school: School, rng: np.random.Generator) -> list[Cell]:
    quality = float(region.quality[school.index].mean())
    teachers = max(5, round(school.enrolment / (16 if school.enrolment > 300 else 8)))
    qualified = round(teachers * float(np.clip(0.62 + 0.16 * quality + rng.normal(0, 0.07), 0.1, 0.98)))
    special = float(np.clip(0.06 - 0.04 * quality + rng.normal(0, 0.015), 0, 0.95))
    if school.role_name == "correctional":
        special = 1.0
    born = [int(n) for n in rng.poisson(school.per_grade, 2)]
    disabled = [round(n * special) for n in born]
    deep = school.role_name in {"gymnasium", "lyceum"}
    return [
        "Да" if special > 0.02 else "Нет",
        "Да" if school.role_name == "correctional" else "Нет",
        "Нет",
        "Да" if special > 0.02 else None,
        "1) Только на русском языке",
        "Да" if deep else "Нет",
        "Нет" if deep else None,
        "Да" if deep else None,
        "Да" if deep else None,
        school.enrolment,
        born[0],
        disabled[0],
        born[1],
        disabled[1],
        teachers,
        round(teachers * 0.7),
        qualified,
    ]
