"""ВПР deliveries: three yearly participant layouts, the ФИС ОКО reports, the collection form, flat tables.

What belongs here: which columns a layout has and how a result is written in it. What does not: the results
(`population.py`) and what spoils a file (`dirt.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from opora.demo.config import MARKS, Work
from opora.demo.files import HEADING, Cell, Delivery, Row, headings
from opora.demo.population import Region, School, WorkResults

ABSENT = "отсутствовал"
NOT_ATTEMPTED = ("X", "Х")  # Latin, then Cyrillic
NOT_TAUGHT = "не пройд."
AUTUMN_TASK_COLUMNS = 40
FORM_ROWS = 1499
PRIOR_IN_PARTICIPANTS = "отметка за предыдущую четверть/триместр"
PRIOR_IN_PROTOCOL = "Отметка за предыдущий триместр/ четверть/полугодие"
BOOKS = {
    "russian": "Баранов М.Т.,Ладыженская Т.А.,Тростенцова Л.А. и др. Русский язык {grade} класс",
    "mathematics": "Мерзляк А.Г.,Полонский В.Б.,Якир М.С. Математика {grade} класс",
    "environment": "Плешаков А.А. Окружающий мир {grade} класс",
    "physics": "Пёрышкин А.В. Физика {grade} класс",
}


@dataclass(frozen=True)
class Pupil:
    """One pupil of a ВПР, plain values only."""

    school: School
    login: str
    number: int
    class_no: int
    classes: int
    sex: str
    absent: bool
    variant: int
    prior: int
    points: list[int]
    total: int
    mark: int
    shade: float  # how this row is written where people write differently
    not_taught: list[bool]

    @property
    def class_name(self) -> str:
        """A letter; most schools with one class write «нет»."""
        if self.classes == 1:
            return "нет" if self.shade < 0.8 else "НЕТ"
        letter = "абвгдежик"[self.class_no - 1]
        return letter if self.shade < 0.6 else letter.upper()

    def tasks(self, maxima: tuple[int, ...]) -> list[Cell]:
        """Points; a few zeros are written as «not attempted», and what was not taught as such."""
        marks: list[Cell] = [*self.points]
        for i, point in enumerate(self.points):
            if self.not_taught[i]:
                marks[i] = NOT_TAUGHT
            elif point == 0 and (self.shade * 97 + i * 0.31) % 1 < 0.15:
                marks[i] = NOT_ATTEMPTED[0]
        return marks

    def counts(self) -> tuple[int, int]:
        return (0, 0) if self.absent else (1, int(self.mark == 2))


def pupils(region: Region, results: WorkResults) -> Iterator[Pupil]:
    """The results of one work as plain rows, those of a second login with numbers of their own."""
    shade = np.random.default_rng(results.spring * 100 + results.work.grade).random(len(results.pupil))
    columns = zip(
        results.school.tolist(),
        results.number.tolist(),
        results.class_no.tolist(),
        results.classes.tolist(),
        results.second_login.tolist(),
        results.girl.tolist(),
        results.absent.tolist(),
        results.variant.tolist(),
        results.prior.tolist(),
        results.points.tolist(),
        results.totals.tolist(),
        results.marks.tolist(),
        shade.tolist(),
        results.not_taught.tolist(),
        strict=True,
    )
    first_of_second: dict[int, int] = {}
    for (
        school,
        number,
        class_no,
        classes,
        second,
        girl,
        absent,
        variant,
        prior,
        points,
        total,
        mark,
        tone,
        not_taught,
    ) in columns:
        one = region.schools[school]
        if second:
            number = number - first_of_second.setdefault(school, number) + 1
        yield Pupil(
            school=one,
            login=one.second_login if second else one.login,
            number=number,
            class_no=class_no,
            classes=classes,
            sex="ж" if girl else "м",
            absent=absent,
            variant=variant,
            prior=prior,
            points=points,
            total=total,
            mark=mark,
            shade=tone,
            not_taught=not_taught,
        )


def data_row(pupil: Pupil, cells: list[Cell]) -> Row:
    participants, below = pupil.counts()
    return Row(cells, "absent" if pupil.absent else "accepted", pupil.school.index, participants, below)


def bracketed(school: School, login: str, spring: int) -> str:
    return f"{name_in(school, spring)}(edu{login})"


def name_in(school: School, spring: int, *, full: bool = False) -> str:
    """A renamed school carries its later name in the reports of the years after."""
    if school.later_name and spring > school.renamed_after:
        return school.later_full_name if full else school.later_name
    return school.full_name if full else school.name


def region_key(region: Region, school: School) -> str:
    return f"reg{region.facts.code}_{school.municipality.key}"


# --- participants, autumn layout (as in 2020) ---


def autumn_participants(region: Region, work: Work, spring: int) -> Delivery:
    """Folder grade = grade of the programme; pupils sit one grade higher and their codes say so."""
    plan, n = region.facts.vpr(spring), len(work.maxima)
    # The textbook column stands where task column n + 1 would.
    tasks = [f"a-{i}-grade" for i in range(1, AUTUMN_TASK_COLUMNS + 1)]
    tasks[n] = "Учебник"
    header: list[Cell] = [
        "groups",
        "user",
        "id",
        "code",
        "otc",
        "gender",
        "klass",
        "var-1",
        "var-2",
        "sum",
        *tasks,
    ]
    padding: list[Cell] = [None] * (AUTUMN_TASK_COLUMNS - n)
    rows = headings(header)
    for pupil in pupils(region, region.vpr[spring, work.key]):
        head: list[Cell] = [autumn_groups(region, pupil.school, spring), f"sch{pupil.login}", pupil.number]
        code = (work.grade + 1) * 10000 + pupil.number
        if pupil.absent:
            cells = [*head, code, None, None, None, ABSENT, None, None, *[None] * n, *padding]
        else:
            given: list[Cell] = [str(task) for task in pupil.tasks(work.maxima)]
            person: list[Cell] = [str(pupil.prior), pupil.sex, pupil.class_name, str(pupil.variant), None]
            cells = [*head, code, *person, pupil.total, *given, *padding]
        rows.append(data_row(pupil, cells))
    path = parquet_path(work, spring)
    if work.key not in plan["parquet"]:
        path = f"{spring}/{work.grade}/{work.subject.name}.xlsx"
    received = date.fromisoformat(plan["received"])
    return Delivery(path, {"Sheet1": rows}, received, spring, work.procedure_id, "autumn_participants")


def parquet_path(work: Work, spring: int) -> str:
    return f"participants/{spring}/{work.grade:02d}_{work.subject.file}.parquet"


def autumn_groups(region: Region, school: School, spring: int) -> str:
    """The long list of groups a school is in; the municipality is among them."""
    code, key = region.facts.code, school.municipality.key
    works = ",".join(f"vpr{spring}.{w.subject.code}{w.grade}" for w in region.facts.works_of(spring))
    return (
        f"{code}-RU-VOZ,EAST,VPR_{code},vpr_msk_3,tcs_schools,tcs_schools_{code},reg{code}_vpr_{key},"
        f"reg{code}_vpr.2017.{key},vpr.2017.r{code},active_reg{code},uchastniki_vpr{spring},{works}"
    )


# --- participants, spring layout (as in 2021) ---


def spring_participants(region: Region, work: Work, spring: int) -> Delivery:
    """Every cell is text; a college of the region takes part too."""
    plan = region.facts.vpr(spring)
    rows = headings(spring_header(work))
    rows += college_rows(region, work)
    rows += [spring_row(pupil, work) for pupil in pupils(region, region.vpr[spring, work.key])]
    path = parquet_path(work, spring)
    if work.key not in plan["parquet"]:
        path = f"{spring}/{work.grade}/{spring_title(work, spring)}.xlsx"
    received = date.fromisoformat(plan["received"])
    return Delivery(path, {"Sheet": rows}, received, spring, work.procedure_id, "spring_participants")


def spring_title(work: Work, spring: int) -> str:
    return f"Проведение работы по {work.subject.dative}, {work.grade} класс. ВПР {spring}"


def spring_header(work: Work) -> list[Cell]:
    return [
        "логин школы",
        "регион",
        "номер обучающегося",
        "код обучающегося",
        PRIOR_IN_PARTICIPANTS,
        "пол",
        "класс",
        "вариант",
        "всего баллов",
        *[f"балл за {i + 1}" for i in range(len(work.maxima))],
        "Учебник",
        "Др.уч. автор",
        "Др.уч. название",
    ]


def spring_row(pupil: Pupil, work: Work) -> Row:
    head: list[Cell] = [
        f"sch{pupil.login}",
        pupil.school.municipality.name,
        str(pupil.number),
        str(work.grade * 10000 + pupil.number),
    ]
    if pupil.absent:
        cells = [*head, None, None, None, ABSENT, None, *[None] * len(work.maxima), None, None, None]
    else:
        person: list[Cell] = [str(pupil.prior), pupil.sex, pupil.class_name, str(pupil.variant)]
        scores: list[Cell] = [str(task) for task in pupil.tasks(work.maxima)]
        book = BOOKS[work.subject.id].format(grade=work.grade)
        cells = [*head, *person, str(pupil.total), *scores, book, None, None]
    return data_row(pupil, cells)


def college_rows(region: Region, work: Work) -> list[Row]:
    """A college with school classes: its pupils are outside the rule, so these rows count for nobody."""
    if work.grade < 5:
        return []
    rng = np.random.default_rng(work.grade * 10 + len(work.maxima))
    login, place = region.facts.raw["region"]["college"]["login"], f"СПО {region.facts.name}"
    rows = []
    for number in range(1, 10):
        points = [int(p) for p in rng.binomial(work.maxima, 0.62)]
        head: list[Cell] = [f"sch{login}", place, str(number), str(work.grade * 10000 + number)]
        person: list[Cell] = ["4", "м" if number % 3 else "ж", "УОР-1", str(number % 2 + 1)]
        scores: list[Cell] = [str(point) for point in points]
        rows.append(Row([*head, *person, str(sum(points)), *scores, BOOKS[work.subject.id], None, None]))
    return rows


# --- participants, layout of the stopped spring (as in 2022) ---


def stopped_spring(region: Region, work: Work, spring: int, logins: set[str]) -> Delivery:
    """Two sheets, maxima in the headers; an absent pupil has total 0."""
    facts = region.facts
    plan = facts.vpr(spring)
    uploaded = plan["spring_uploaded"]
    head = ["Пользователь", "Код региона", "Регион", "Муниципалитет", "Школа", "Дата загрузки"]
    letter = 'Буква (цифра) класса. Введите "нет" - если отсутствует'
    classes = headings(
        [
            *head,
            letter,
            "Основной учебник по предмету",
            "Другое (автор учебника)",
            "Другое (название учебника)",
        ]
    )
    protocol = headings(
        [
            *head,
            "Код",
            "Вариант",
            *[task_header(label, top, brackets=work.subject.id == "russian") for label, top in tasks_of(work)],
            "Наименование класса",
            "Пол",
            PRIOR_IN_PROTOCOL,
            "Итого баллов",
        ]
    )
    seen: set[tuple[str, str]] = set()
    for pupil in pupils(region, region.vpr[spring, work.key]):
        if pupil.login not in logins:
            continue
        school = pupil.school
        minute = f"{uploaded} 0{5 + school.index % 4}:{school.index % 60:02d}:13"
        common: list[Cell] = [
            f"edu{pupil.login}",
            int(facts.code),
            f"reg{facts.code}0000 | {facts.name}",
            f"{region_key(region, school)} | {school.municipality.name}",
            f"edu{pupil.login} | {school.name}",
            minute,
        ]
        if (pupil.login, pupil.class_name.lower()) not in seen:
            seen.add((pupil.login, pupil.class_name.lower()))
            named = BOOKS[work.subject.id].format(grade=work.grade)
            book = f"{work.subject.code}{work.grade}.3 | 1.2.4.1.8.1 | {named}"
            classes.append(Row([*common, pupil.class_name, book, None, None], HEADING))
        code = work.grade * 10000 + pupil.number
        if pupil.absent:
            cells = [*common, code, ABSENT, *[None] * len(work.maxima), None, None, None, 0]
        else:
            scores = pupil.tasks(work.maxima)
            cells = [
                *common,
                code,
                pupil.variant,
                *scores,
                pupil.class_name,
                pupil.sex,
                pupil.prior,
                pupil.total,
            ]
        protocol.append(data_row(pupil, cells))
    path = f"{spring}/{work.grade}/{work.subject.name}.xlsx"
    sheets = {"Классы": classes, "Протокол": protocol}
    received = date.fromisoformat(plan["spring_received"])
    return Delivery(path, sheets, received, spring, work.procedure_id, "stopped_spring")


def tasks_of(work: Work) -> list[tuple[str, int]]:
    return list(zip(work.labels, work.maxima, strict=True))


def task_header(label: str, maximum: int, *, brackets: bool = False) -> str:
    """`12.2 (1б)`, in some papers `12(2) (1б)`."""
    number, dot, part = label.partition(".")
    return f"{number}({part}) ({maximum}б)" if dot and brackets else f"{label} ({maximum}б)"


# --- ФИС ОКО reports ---


def report_head(report: str, work: Work, spring: int, held_on: str) -> list[Row]:
    title = f"ВПР {spring} {work.subject.name} {work.grade} класс"
    return headings(
        [report],
        [],
        [title],
        ["Предмет:", work.subject.name],
        ["Максимальный первичный балл:", work.maximum],
        ["Дата:", held_on],
    )


def sheet_name(work: Work, report: str) -> str:
    """Excel cuts sheet names to 31 characters."""
    return f"{work.subject.short} {work.grade} {report}"[:31]


def by_login(region: Region, results: WorkResults, skip: set[str] | None = None) -> dict[str, list[Pupil]]:
    """Participants by login, in the order of the register."""
    found: dict[str, list[Pupil]] = {}
    for pupil in pupils(region, results):
        if not pupil.absent and pupil.login not in (skip or set()):
            found.setdefault(pupil.login, []).append(pupil)
    return found


def individual_results(
    region: Region, work: Work, spring: int, path: str, modified: date, skip: set[str] | None = None
) -> Delivery:
    """Ф1: a group row a school, then its participants; absent pupils are not there."""
    report = "Индивидуальные результаты"
    held_on = region.facts.vpr(spring)["printed_date"]
    rows = report_head(report, work, spring, held_on)
    rows += headings(
        [None, None, "Уровень сложности задания", None, None, None, *work.levels],
        [
            "ОО",
            "Муниципалитет",
            "Название ОО",
            "Код участника",
            "Класс",
            "Вариант",
            *[task_header(label, top) for label, top in tasks_of(work)],
            "Первичный балл",
            "Отметка",
            "Отметка по журналу",
        ],
    )
    for login, members in by_login(region, region.vpr[spring, work.key], skip).items():
        school = members[0].school
        label = bracketed(school, login, spring)
        rows.append(Row([f"{label} | Кол-во участников: {len(members)}"], "group", school.index))
        for pupil in members:
            head: list[Cell] = [
                f"edu{login}",
                school.municipality.name,
                label,
                work.grade * 10000 + pupil.number,
            ]
            journal: Cell = "нет отметки" if pupil.shade > 0.998 else pupil.prior
            end: list[Cell] = [pupil.total, pupil.mark, journal]
            scores = pupil.tasks(work.maxima)
            rows.append(data_row(pupil, [*head, pupil.class_no, pupil.variant, *scores, *end]))
    name = sheet_name(work, report)
    return Delivery(path, {name: rows}, modified, spring, work.procedure_id, "individual_results")


def shares(counts: list[int]) -> list[float]:
    """Percent with two decimals, as the reports give it."""
    return [round(100 * count / sum(counts), 2) for count in counts]


def mark_counts(members: list[Pupil]) -> list[int]:
    return [sum(pupil.mark == mark for pupil in members) for mark in MARKS]


def mark_statistics(region: Region, work: Work, spring: int, path: str, modified: date) -> Delivery:
    """Ф3: sample, region, municipalities, schools; mark headers are numbers. These rows count for nobody,
    because the participants of the same work arrive too."""
    report = "Статистика по отметкам"
    groups = by_login(region, region.vpr[spring, work.key])
    rows = report_head(report, work, spring, region.facts.vpr(spring)["printed_date"])
    rows += headings([], ["Группы участников", "Кол-во ОО", "Кол-во участников", *MARKS])
    rows.append(Row(["Вся выборка", 35412, 1_388_240, *country_shares(work)]))
    everyone = [pupil for members in groups.values() for pupil in members]
    rows.append(Row([region.facts.name, len(groups), len(everyone), *shares(mark_counts(everyone))]))
    for municipality in region.facts.municipalities:
        here = {k: v for k, v in groups.items() if v[0].school.municipality == municipality}
        members = [pupil for one in here.values() for pupil in one]
        label = f"{municipality.name}(reg{region.facts.code}_{municipality.key})"
        rows.append(Row([label, len(here), len(members), *shares(mark_counts(members))]))
    for login, members in groups.items():
        label = bracketed(members[0].school, login, spring)
        cells: list[Cell] = [label, None, len(members), *shares(mark_counts(members))]
        rows.append(Row(cells, school=members[0].school.index))
    return Delivery(path, {sheet_name(work, report): rows}, modified, spring, layout="mark_statistics")


def country_shares(work: Work) -> list[float]:
    return [9.84, 35.61, 36.93, 17.62] if work.subject.id == "russian" else [8.77, 31.02, 38.64, 21.57]


def compared(members: list[Pupil]) -> list[int]:
    """How many lowered, confirmed and raised their journal mark."""
    steps = [pupil.mark - pupil.prior for pupil in members]
    return [sum(s < 0 for s in steps), sum(s == 0 for s in steps), sum(s > 0 for s in steps)]


COMPARED = (
    "Понизили (Отметка < Отметка по журналу)",
    "Подтвердили (Отметка = Отметке по журналу)",
    "Повысили (Отметка > Отметка по журналу)",
)


def mark_comparison_wide(region: Region, work: Work, spring: int, path: str, modified: date) -> Delivery:
    """«Сравнение отметок с отметками по журналу», the newer layout."""
    report = "Сравнение отметок с отметками по журналу"
    rows = report_head(report, work, spring, region.facts.vpr(spring)["printed_date"])
    columns: list[Cell] = [f"{name} {unit}" for name in COMPARED for unit in ("%", "Кол-во участников")]
    rows += headings([], ["Группы участников", "Кол-во участников(всего)", *columns])
    for label, members in _comparison_groups(region, work, spring):
        counts = compared(members)
        pairs: list[Cell] = [value for pair in zip(shares(counts), counts, strict=True) for value in pair]
        rows.append(Row([label, len(members), *pairs]))
    return Delivery(path, {sheet_name(work, report): rows}, modified, spring, layout="mark_comparison_wide")


def mark_comparison_long(region: Region, work: Work, spring: int, path: str, modified: date) -> Delivery:
    """The same in the older layout: four rows below the name of a group."""
    report = "Сравнение отметок с отметками по журналу"
    rows = report_head(report, work, spring, region.facts.vpr(spring)["printed_date"])
    rows += headings([], ["Группы участников", "Кол-во участников", "%"])
    names = [name.replace("Отметке по", "Отметка по") for name in COMPARED]
    for label, members in _comparison_groups(region, work, spring):
        rows.append(Row([label, None, None], "group"))
        counts = compared(members)
        rows += [Row([n, c, s]) for n, c, s in zip(names, counts, shares(counts), strict=True)]
        rows.append(Row(["Всего", len(members), 100], "total"))
    return Delivery(path, {sheet_name(work, report): rows}, modified, spring, layout="mark_comparison_long")


def _comparison_groups(region: Region, work: Work, spring: int) -> list[tuple[str, list[Pupil]]]:
    groups = by_login(region, region.vpr[spring, work.key])
    named = [(region.facts.name, [pupil for members in groups.values() for pupil in members])]
    return named + [(bracketed(m[0].school, login, spring), m) for login, m in groups.items()]


# --- collection form ---


def collection_form(
    work: Work, members: list[Pupil], path: str, modified: date, spring: int, wrong_totals: int = 0
) -> Delivery:
    """The upload form of one school; who and what it is about stands in its path only."""
    header: list[Cell] = [
        "Код участника",
        "Вариант",
        *[task_header(label, top) for label, top in tasks_of(work)],
        "Порядковый номер класса",
        PRIOR_IN_PROTOCOL,
        "Итого баллов",
    ]
    rows = headings(header)
    for i, pupil in enumerate(members):
        code = work.grade * 10000 + pupil.number
        total = pupil.total + ((1 if pupil.total < work.maximum else -1) if i < wrong_totals else 0)
        cells: list[Cell] = [
            code,
            pupil.variant,
            *pupil.tasks(work.maxima),
            pupil.class_no,
            pupil.prior,
            total,
        ]
        row = data_row(pupil, cells)
        row.participants, row.below = 1, int(work.mark(total) == 2)
        rows.append(row)
    rows += [Row([*[None] * (len(header) - 1), 0], "blank") for _ in range(FORM_ROWS - len(members))]
    lists: list[list[Cell]] = [
        ["Вариант", "Баллы", "Отметка"],
        [1, 0, 5],
        [2, 1, 4],
        [ABSENT, 2, 3],
        [None, 3, 2],
        [None, "X", "нет отметки"],
    ]
    service = headings(*lists)
    classes = headings(["Порядковый номер класса", "Буква"], [1, "А"], [2, "Б"], [3, "В"], [4, "Г"])
    sheets = {"Протокол": rows, "Служебный": service, "Порядковый номер класса": classes}
    return Delivery(path, sheets, modified, spring, work.procedure_id, "collection_form")


# --- flat regional tables ---

FLAT_KEYS: list[Cell] = ["Год", "Класс", "Предмет", "Муниципалитет", "Логин", "ОО", "Кол-во участников"]
BIAS_WORKS = ("4_russian", "4_mathematics", "5_russian", "5_mathematics")


def flat_marks(region: Region, works: list[Work], spring: int, path: str, modified: date, encoding: str) -> Delivery:
    """`marks`: percent by mark, one row a school and work; the only source of these works."""
    rows = headings([*FLAT_KEYS, *[str(mark) for mark in MARKS]])
    for work in works:
        for login, members in by_login(region, region.vpr[spring, work.key]).items():
            counts = mark_counts(members)
            keys = _flat_keys(members[0].school, login, work, spring, len(members))
            rows.append(Row([*keys, *shares(counts)], "accepted", members[0].school.index, len(members), counts[0]))
    return Delivery(path, {"marks": rows}, modified, spring, layout="flat_marks", encoding=encoding)


def _flat_keys(school: School, login: str, work: Work, spring: int, count: int) -> list[Cell]:
    place = school.municipality
    name = f"{name_in(school, spring)}"
    return [spring, work.grade, work.subject.name, place.name, f"edu{login}", name, count]


def flat_scores(region: Region, works: list[Work], spring: int, path: str, modified: date, encoding: str) -> Delivery:
    """`scores`: percent of participants by primary score."""
    top = max(work.maximum for work in works)
    rows = headings([*FLAT_KEYS, *[str(score) for score in range(top + 1)]])
    for work in works:
        for login, members in by_login(region, region.vpr[spring, work.key]).items():
            counts = np.bincount([pupil.total for pupil in members], minlength=work.maximum + 1)
            percent: list[Cell] = [round(100 * int(c) / len(members), 2) for c in counts]
            keys = _flat_keys(members[0].school, login, work, spring, len(members))
            rows.append(Row([*keys, *percent, *[None] * (top - work.maximum)]))
    return Delivery(path, {"scores": rows}, modified, spring, layout="flat_scores", encoding=encoding)


def flat_bias(region: Region, springs: list[int], path: str, modified: date) -> Delivery:
    """`bias`: schools with published markers of objectivity, by year."""
    header: list[Cell] = [
        "Год",
        "Логин",
        "Муниципалитет",
        "ОО",
        "4 РУ",
        "4 МА",
        "5 РУ",
        "5 МА",
        "Количество маркеров",
    ]
    rows = headings(header)
    for spring in springs:
        planted = {(one.school.index, one.work) for one in region.planted if one.spring == spring}
        found = {index for index, _ in planted}
        listed = [
            s for s in region.schools if s.index in found or ((s.index * 7 + spring) % 11 == 0 and not s.role.excluded)
        ]
        for school in listed:
            marks: list[Cell] = [int((school.index + k + spring) % 3 == 0) for k in range(4)]
            if school.index in found:
                marks = [int((school.index, work) in planted) for work in BIAS_WORKS]
            if not any(marks):
                marks[1] = 1
            names: list[Cell] = [
                spring,
                f"edu{school.login}",
                school.municipality.name,
                name_in(school, spring),
            ]
            rows.append(Row([*names, *marks, sum(int(m or 0) for m in marks)]))
    return Delivery(path, {"Признаки необъективности": rows}, modified, springs[-1], layout="flat_bias")


# --- all of them ---


def deliveries(region: Region) -> list[Delivery]:
    """Every ВПР delivery, clean: each spring arrives in the manner `region.yaml` gives it."""
    manners: dict[str, Callable[[Region, int], list[Delivery]]] = {
        "autumn_participants": lambda r, y: [autumn_participants(r, w, y) for w in r.facts.works_of(y)],
        "spring_participants": _spring_files,
        "two_seasons": _two_seasons,
        "reports": _reports,
        "flat_tables": _flat_tables,
    }
    springs = [year.spring for year in region.facts.years]
    return [d for y in springs for d in manners[region.facts.vpr(y)["layout"]](region, y)]


def _received(region: Region, spring: int) -> date:
    return date.fromisoformat(region.facts.vpr(spring)["received"])


def _spring_files(region: Region, spring: int) -> list[Delivery]:
    made = [spring_participants(region, work, spring) for work in region.facts.works_of(spring)]
    for key in region.facts.vpr(spring)["compared"]:
        work = region.facts.works[key]
        path = f"{spring}/{spring} {work.subject.short}{work.grade} отметки и журнал.xlsx"
        made.append(mark_comparison_long(region, work, spring, path, _received(region, spring)))
    return made


def _two_seasons(region: Region, spring: int) -> list[Delivery]:
    """Some schools had written before the spring was stopped; the others wrote in the autumn."""
    plan = region.facts.vpr(spring)
    eligible = [school for school in region.schools if not school.second_login]
    early = [school.login for school in eligible[:: round(1 / plan["spring_school_share"])]]
    made = []
    for i, work in enumerate(region.facts.works_of(spring)):
        wrote: set[str] = set()
        if work.key in plan["spring_works"]:
            wrote = {login for j, login in enumerate(early) if (i + j) % 4}
            made.append(stopped_spring(region, work, spring, wrote))
        path = f"{spring} осень/Ф1 {work.subject.short} {work.grade} осень {spring}.xlsx"
        made.append(individual_results(region, work, spring, path, _received(region, spring), wrote))
    return made


def _reports(region: Region, spring: int) -> list[Delivery]:
    works, folder, day = region.facts.works, _year_folder(region, spring), _received(region, spring)
    plan, made = region.facts.vpr(spring), []
    for work in region.facts.works_of(spring):
        subject = f"{work.subject.short} {work.grade}"
        name = plan["names"].get(work.key, f"Ф1_Индивидуальные результаты {subject}")
        made.append(individual_results(region, work, spring, f"{folder}/{name}.xlsx", day))
        path = f"{folder}/Ф3_Статистика по отметкам {subject}.xlsx"
        made.append(mark_statistics(region, work, spring, path, day))
    for key in plan["compared"]:
        path = f"{folder}/Сравнение отметок {works[key].subject.short} {works[key].grade}.xlsx"
        made.append(mark_comparison_wide(region, works[key], spring, path, day))
    path = f"{folder}/Распределение первичных баллов.xlsx"
    made.append(flat_scores(region, [works[key] for key in plan["scores"]], spring, path, day, "utf-8"))
    return made


def _flat_tables(region: Region, spring: int) -> list[Delivery]:
    """Lower grades as xlsx, the others as CSV in CP1251; one work comes as one school's collection form."""
    folder, day, plan = _year_folder(region, spring), _received(region, spring), region.facts.vpr(spring)
    form = plan["form"]
    tabled = [work for work in region.facts.works_of(spring) if work.key != form["work"]]
    low = [work for work in tabled if work.grade <= 5]
    high = [work for work in tabled if work.grade > 5]
    made = [
        flat_marks(region, low, spring, f"{folder}/marks.xlsx", day, "utf-8"),
        flat_marks(region, high, spring, f"{folder}/marks_6-8.csv", day, "cp1251"),
        flat_scores(region, low, spring, f"{folder}/scores.xlsx", day, "utf-8"),
        flat_scores(region, high, spring, f"{folder}/scores_6-8.csv", day, "cp1251"),
        flat_bias(region, plan["markers_of"], f"{folder}/bias.xlsx", day),
    ]
    work = region.facts.works[form["work"]]
    school = next(one for one in region.schools if one.role_name == form["role"])
    members = by_login(region, region.vpr[spring, work.key])[school.login]
    name = f"Форма сбора результатов {work.subject.name} {work.grade} класс ВПР {spring}"
    path = f"{folder}/форма сбора/edu{school.login}/{name}"
    first = collection_form(work, members, f"{path}.xlsx", day, spring, form["wrong_totals"])
    first.status = "superseded"
    first.soil("later_corrected", "total_differs_from_tasks", "warning", form["wrong_totals"])
    later = date.fromisoformat(form["corrected"])
    return [*made, first, collection_form(work, members, f"{path} (исправлено).xlsx", later, spring)]


def _year_folder(region: Region, spring: int) -> str:
    return region.facts.years[region.year_index(spring)].name
