"""ОГЭ and ЕГЭ deliveries: protocols in the variants of the regional databases, appeals, a regional table.

What belongs here: which columns a variant has and which exams share a file. What does not: attempts
(`population.py`). Names and documents are made up; they are here only to be dropped on the way in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from opora.demo.files import HEADING, Cell, Delivery, Row, headings
from opora.demo.population import Attempt, Region
from opora.demo.vpr_files import name_in


class Fields:
    """What stands under each header text, whatever the variant."""

    def __init__(self, region: Region) -> None:
        self.people, self.papers = region.pupils.names, region.pupils.documents
        self.by_header: dict[str, Callable[[int, Attempt], Cell]] = {
            "№": lambda n, a: n,
            "Код МСУ": lambda n, a: int(a.municipality.code),
            "Класс": lambda n, a: a.class_name,
            "Код ППЭ": lambda n, a: int(a.municipality.code) * 10 + 1,
            "Аудитория": lambda n, a: a.room,
            "Фамилия": lambda n, a: self.people[a.person][0],
            "Имя": lambda n, a: self.people[a.person][1],
            "Отчество": lambda n, a: self.people[a.person][2],
            "Фамилия Имя Отчество": lambda n, a: " ".join(self.people[a.person]),
            "Серия": lambda n, a: self.papers[a.person][0],
            "Номер": lambda n, a: self.papers[a.person][1],
            "Документ": lambda n, a: " ".join(self.papers[a.person]),
            "Код участника": lambda n, a: f"{a.spring % 100}{a.person:08d}",
            "№ бланка": lambda n, a: f"20{a.person:06d}{a.exam.code}",
            "Вариант": lambda n, a: 301 + a.person % 12,
            "Профиль": lambda n, a: None,
            "Первичный балл": lambda n, a: a.primary,
        }
        self.by_header |= {name: (lambda n, a: _code(a)) for name in ("Код ОО", "Код ООП", "SchoolCode")}
        self.by_header |= {name: (lambda n, a: a.result) for name in RESULTS}
        short = ("Задания с кратким ответом", "Ответы в краткой форме", "TestResultBCell")
        self.by_header |= {name: (lambda n, a: short_mask(a)) for name in short}
        long = ("Задания с развёрнутым ответом", "Ответы в развернутой форме", "TestResultCCell")
        self.by_header |= {name: (lambda n, a: long_mask(a)) for name in long}
        for machine, russian in MACHINE.items():
            self.by_header[machine] = self.by_header[russian]

    def row(self, header: list[str], number: int, attempt: Attempt) -> list[Cell]:
        return [self.by_header[name](number, attempt) if name else None for name in header]


MINIMUM = "Минимальная граница"
RESULTS = ("Балл", "Тестовый балл", "Итоговый балл", "Оценка", "Mark5")
MACHINE = {
    "ClassCode": "Класс",
    "StationCode": "Код ППЭ",
    "AuditoriumCode": "Аудитория",
    "GovernmentCell": "Код МСУ",
    "SurnameCell": "Фамилия",
    "NameCell": "Имя",
    "SecondNameCell": "Отчество",
    "DocumentSeriesCode": "Серия",
    "DocumentNumberCode": "Номер",
    "PrimaryMark": "Первичный балл",
}


def _code(attempt: Attempt) -> Cell:
    return int(attempt.exam_code) if attempt.exam_code.isdigit() else attempt.exam_code


def short_mask(attempt: Attempt) -> str:
    """`++-`, digits for partial credit."""
    if attempt.is_gve:
        return ""
    points, maxima = attempt.points.tolist(), attempt.exam.short
    return "".join("+-"[p == 0] if m == 1 else str(p) for p, m in zip(points, maxima, strict=False))


def long_mask(attempt: Attempt) -> str:
    """`1(2)0(3)`: got (maximum)."""
    if attempt.is_gve:
        return ""
    points = attempt.points.tolist()[len(attempt.exam.short) :]
    return "".join(f"{p}({m})" for p, m in zip(points, attempt.exam.long, strict=True))


@dataclass(frozen=True)
class Variant:
    """A table of a protocol: its header, the rows above it, and whether a footer follows."""

    id: str
    header: tuple[str, ...]
    above: tuple[str, ...] = ()
    footer: bool = True


def _gaps(header: str) -> tuple[str, ...]:
    return tuple(header.split(";"))


EGE_GAPS = Variant(
    "ege_region",
    _gaps(
        "№;;Код МСУ;;Код ОО;;Класс;;Код ППЭ;;Аудитория;;Фамилия;Имя;Отчество;;Серия;;Номер;;"
        "Задания с кратким ответом;;Задания с развёрнутым ответом;;Первичный балл;;Балл;"
    ),
)
EGE_BASE = Variant(
    "ege_base",
    _gaps(
        "№;Код ОО;Класс;Код ППЭ;Аудитория;Фамилия;Имя;Отчество;Серия;Номер;Задания с кратким ответом;"
        "Первичный балл;Оценка"
    ),
)
EGE_REGION_2026 = Variant(
    "ege_region_2026",
    _gaps(
        "№;;Код МСУ;;Код ОО;;Класс;;Код ППЭ;;Аудитория;;Фамилия Имя Отчество;;Задания с кратким ответом;;"
        "Задания с развёрнутым ответом;;Первичный балл;;Тестовый балл"
    ),
    above=("Протокол проверки", "{region}"),
)
EGE_COMPACT = Variant(
    "ege_compact",
    _gaps(
        "№;Код ППЭ;Код ОО;Класс;Код ООП;Профиль;Фамилия;Имя;Отчество;Вариант;Код участника;№ бланка;"
        "Ответы в краткой форме;Ответы в развернутой форме;Первичный балл;Итоговый балл"
    ),
    footer=False,
)
OGE_GAPS = Variant(
    "oge_region",
    _gaps(
        "№;;Код ОО;;Класс;;Код ППЭ;;Аудитория;;Фамилия;Имя;Отчество;;Серия;;Номер;;"
        "Задания с кратким ответом;;Задания с развёрнутым ответом;;Первичный балл;;Оценка;"
    ),
)
OGE_REGION_2026 = Variant(
    "oge_region_2026",
    _gaps(
        "№;Код ОО;Класс;;Код ППЭ;;Код МСУ;Фамилия;;Имя;Отчество;Задания с кратким ответом;;"
        "Задания с развёрнутым ответом;;Первичный балл;Оценка"
    ),
    above=("Протокол проверки результатов", "{region}"),
)
OGE_DENSE = Variant(
    "oge_dense",
    _gaps(
        "№;Код ОО;Класс;Код ППЭ;Аудитория;Код участника;Фамилия;Имя;Отчество;Серия;Номер;"
        "Ответы в краткой форме;Ответы в развернутой форме;Первичный балл;Оценка"
    ),
)
OGE_MACHINE = Variant(
    "oge_machine",
    _gaps(
        "SchoolCode;ClassCode;StationCode;AuditoriumCode;GovernmentCell;SurnameCell;NameCell;SecondNameCell;"
        "DocumentSeriesCode;DocumentNumberCode;TestResultBCell;TestResultCCell;PrimaryMark;Mark5"
    ),
    footer=False,
)


def title(attempt: Attempt) -> str:
    code = attempt.extra_cells.get("code", attempt.exam.code)
    name = attempt.extra_cells.get("title", attempt.exam.title)
    return f"{code} - {name} {attempt.held_on:%Y.%m.%d}"


def in_blocks(attempts: Iterable[Attempt]) -> list[list[Attempt]]:
    """One block an exam and day, ГВЭ apart, in the order of the days."""
    blocks: dict[tuple[date, str], list[Attempt]] = {}
    for attempt in attempts:
        blocks.setdefault((attempt.held_on, title(attempt)), []).append(attempt)
    return [sorted(blocks[key], key=lambda a: (a.municipality.code, a.exam_code, a.person)) for key in sorted(blocks)]


def block_rows(region: Region, variant: Variant, block: list[Attempt], *, titled: bool = True) -> list[Row]:
    """Title, header, participants, footer."""
    fields, header = Fields(region), list(variant.header)
    place = f"{region.facts.code} - {region.facts.name}"
    rows = headings(*[[line.format(region=place)] for line in variant.above])
    if titled:
        rows += headings([title(block[0])])
    rows += headings([name or None for name in header])
    for number, attempt in enumerate(block, start=1):
        row = Row(fields.row(header, number, attempt), school=attempt.school)
        rows.append(row)
    if variant.footer:
        rows += _footer(header, block)
    return rows


def _footer(header: list[str], block: list[Attempt]) -> list[Row]:
    primary = header.index("Первичный балл")
    result = next(i for i, name in enumerate(header) if name in RESULTS)

    def line(label: str, at: dict[int, Cell]) -> Row:
        return Row([label, *[at.get(i) for i in range(1, len(header))]], "footer")

    exam, n = block[0].exam, len(block)
    means: dict[int, Cell] = {
        primary: round(sum(a.primary for a in block) / n, 2),
        result: round(sum(a.result for a in block) / n, 2),
    }
    rows = [line("Средние", means)]
    if not block[0].is_gve:
        rows.append(line(MINIMUM, {result if exam.assessment == "ege" else primary: exam.threshold}))
    return [*rows, line("Всего участников", {result: n})]


def _sheet_name(attempt: Attempt) -> str:
    """Code and date of an exam: whole titles, cut to 31 characters, would be one name for two dates."""
    words = title(attempt)
    return f"{words[:2]} {words[-10:]}"


def one_sheet(
    region: Region,
    path: str,
    modified: date,
    parts: list[tuple[Variant, list[Attempt]]],
    encoding: str = "utf-8",
) -> Delivery:
    """Several exams following one another, in one sheet or one CSV."""
    rows: list[Row] = []
    for variant, block in parts:
        following = bool(rows)
        if following:
            rows.append(Row([], "blank"))
        added = block_rows(region, variant, block)
        if following:
            _title_row(added, block).fate = "group"
        rows += added
    return _delivery(path, {"Page 1": rows}, modified, parts, encoding)


def _title_row(rows: list[Row], block: list[Attempt]) -> Row:
    """The title of a block; of the first block it is the table's head, of the others a row among rows."""
    return next(row for row in rows if row.cells == [title(block[0])])


def _delivery(
    path: str,
    sheets: dict[str, list[Row]],
    modified: date,
    parts: list[tuple[Variant, list[Attempt]]],
    encoding: str = "utf-8",
) -> Delivery:
    layout = "+".join(dict.fromkeys(variant.id for variant, _ in parts))
    delivery = Delivery(path, sheets, modified, parts[0][1][0].spring, layout=layout, encoding=encoding)
    marks_off = sum(_mark_differs(attempt) for _, block in parts for attempt in block)
    delivery.soil("two_rules_of_oge", "mark_differs_from_scale", "warning", marks_off)
    outside = sum(attempt.category == "spo" for _, block in parts for attempt in block)
    delivery.soil("college_code", "unknown_school", "warning", outside)
    return delivery


def _mark_differs(attempt: Attempt) -> bool:
    """Geometry and literacy make marks that the total alone does not explain."""
    exam = attempt.exam
    if exam.has_test_score or attempt.is_gve:
        return False
    return bool(exam.scale_marks(np.array([attempt.primary]))[0] != attempt.result)


# --- appeals ---

SATISFIED, REJECTED = "Удовлетворена", "Отклонена"
EGE_APPEAL = _gaps(
    "№;Код ОО;Класс;Код ППЭ;Аудитория;Фамилия;Имя;Отчество;Документ;Тип апелляции / перепроверки;Состояние;"
    "Дата отправки на обработку;Дата изменений;Балл до изменения;Текущие: Первичный балл;Текущие: Балл;"
    "Разница"
)
OGE_APPEAL = _gaps(
    "№;Код ОО;Класс;Код ППЭ;Аудитория;Фамилия;Имя;Отчество;Документ;Экзамен;Состояние апелляции;"
    "Текущие: Первичный балл;Текущие: Оценка"
)


def decide_appeals(region: Region, spring: int, rng: np.random.Generator) -> None:
    """Some first attempts are changed later; people lifted over the threshold do not retake."""
    counts = region.facts.raw["exam_files"]["appeals"]
    attempts = region.attempts[spring]
    for exam in region.facts.exams_of(spring):
        first = [a for a in attempts if a.exam is exam and _may_appeal(a)]
        by_primary = sorted((a for a in first if a.below), key=lambda a: (-a.primary, a.person))
        others = [a for a in first if not a.below and a.primary + 2 < sum(exam.maxima)]
        lifted = by_primary[: counts["lifted"]]
        rest = [others[i] for i in rng.choice(len(others), counts["changed"] + counts["rejected"], False)]
        for attempt in lifted:
            attempt.appeal = (True, attempt.primary + 2, exam.threshold if exam.assessment == "ege" else 3)
        for attempt in rest[: counts["changed"]]:
            better = attempt.result + (3 if exam.has_test_score else 0)
            attempt.appeal = (True, attempt.primary + 1, min(better, 100))
        for attempt in rest[counts["changed"] :]:
            attempt.appeal = (False, attempt.primary, attempt.result)
        people = {a.person for a in lifted}
        attempts[:] = [a for a in attempts if not (a.exam is exam and a.person in people and a.kind != "main")]


def _may_appeal(attempt: Attempt) -> bool:
    return attempt.kind == "main" and attempt.category == "current_year" and not attempt.is_gve


def ege_appeals(region: Region, spring: int, path: str) -> Delivery:
    """A block an exam, as in the protocols."""
    rows: list[Row] = []
    for block in in_blocks(a for a in region.attempts[spring] if a.appeal and a.exam.assessment == "ege"):
        rows += [Row([title(block[0])], "group" if rows else HEADING), *headings(list(EGE_APPEAL))]
        for number, attempt in enumerate(block, start=1):
            satisfied, primary, result = attempt.appeal or (False, 0, 0)
            sent = attempt.held_on + timedelta(days=16)
            end: list[Cell] = [
                "О несогласии с выставленными баллами",
                SATISFIED if satisfied else REJECTED,
                f"{sent:%d.%m.%Y}",
                f"{sent + timedelta(days=4):%d.%m.%Y}",
                attempt.result,
                primary,
                result,
                result - attempt.result,
            ]
            rows.append(Row([*Fields(region).row(list(EGE_APPEAL[:9]), number, attempt), *end], school=attempt.school))
    modified = date(spring, 8, 25)
    return Delivery(path, {"Апелляции": rows}, modified, spring, layout="ege_appeals", encoding="cp1251")


def oge_appeals(region: Region, spring: int, path: str) -> Delivery:
    """One table; the exam stands in a column: `Математика(год.месяц.день)`."""
    rows = headings(list(OGE_APPEAL))
    chosen = [a for a in region.attempts[spring] if a.appeal and a.exam.assessment == "oge"]
    for number, attempt in enumerate(chosen, start=1):
        satisfied, primary, result = attempt.appeal or (False, 0, 0)
        end: list[Cell] = [
            f"{attempt.exam.title}({attempt.held_on:%Y.%m.%d})",
            SATISFIED if satisfied else REJECTED,
            primary,
            result,
        ]
        rows.append(Row([*Fields(region).row(list(OGE_APPEAL[:9]), number, attempt), *end], school=attempt.school))
    return Delivery(path, {"Апелляции": rows}, date(spring, 8, 25), spring, layout="oge_appeals")


# --- the regional ЕГЭ table ---

METRICS = (
    "приняло участие",
    "не преодолен min порог",
    "высокобалльники (80-99 баллов)",
    "получили 100 баллов",
    "средний балл",
)


def regional_table(region: Region, rng: np.random.Generator) -> Delivery:
    """Two header rows, school names without codes, a total; only subjects that no protocol brings."""
    plan, taken = (
        region.facts.raw["exam_files"]["regional_table"],
        region.facts.raw["exam_files"]["table_subjects"],
    )
    spring = plan["spring"]
    subjects: list[Cell] = [cell for name in taken for cell in (name, *[None] * (len(METRICS) - 1))]
    rows = headings(
        [],
        [f"Информация о результатах ЕГЭ выпускников школ в {spring} году"],
        [],
        [region.facts.name],
        [],
        [
            "Муниципальное образование",
            "Образовательная организация (школа)",
            "Профиль (при наличии)",
            f"Всего выпускников в {spring} году по программам среднего общего образования, "
            "принявших участие в ЕГЭ, чел.",
            *subjects,
        ],
        [None, None, None, None, *METRICS * len(taken)],
    )
    leavers = _leavers(region, spring)
    for index, graduates in leavers.items():
        school = region.schools[index]
        cells: list[Cell] = [school.municipality.name, name_in(school, spring, full=True), "X", graduates]
        for share, fail in taken.values():
            n = int(rng.binomial(graduates, share))
            below, high = int(rng.binomial(n, fail)), int(rng.binomial(n, 0.1))
            mean = round(float(rng.normal(56, 6)), 2) if n else 0
            cells += [n or None, below or None, min(high, n - below) or None, None, mean]
        took_part = any(cells[4 :: len(METRICS)])
        rows.append(Row(cells, "accepted" if took_part else "blank", index))
    received = date.fromisoformat(plan["received"])
    delivery = Delivery(plan["path"], {str(spring): rows}, received, spring, layout="regional_ege")
    big = [row for row in rows if row.fate == "accepted" and isinstance(row.cells[3], int) and row.cells[3] > 10]
    for row in big[:2]:  # below the minimum more than took part
        row.cells[9], row.cells[10] = 1, 3  # the row's other subjects are accepted
    for row in big[2:5]:  # took part more than left school
        row.cells[14], row.cells[15] = int(str(row.cells[3])) + 1, 0
    delivery.soil("below_above_participants", "below_exceeds_participants", "quarantine", 2)
    delivery.soil("more_than_graduates", "participants_exceed_graduates", "warning", 3)
    totals: list[Cell] = []
    for i in range(3, 4 + len(METRICS) * len(taken)):
        is_mean = i > 3 and (i - 4) % len(METRICS) == len(METRICS) - 1
        column = [row.cells[i] for row in rows if row.school is not None]
        totals.append(55.3 if is_mean else sum(c for c in column if isinstance(c, int)))
    rows.append(Row([f"итого по {region.facts.raw['region']['genitive']}", None, None, *totals], "total"))
    return delivery


def _leavers(region: Region, spring: int) -> dict[int, int]:
    people: dict[int, set[int]] = {}
    for attempt in region.attempts[spring]:
        if attempt.exam.assessment == "ege" and attempt.category == "current_year" and attempt.school is not None:
            people.setdefault(attempt.school, set()).add(attempt.person)
    return {school: len(people[school]) for school in sorted(people)}


# --- all of them ---

VARIANTS = {
    variant.id: variant
    for variant in (
        EGE_GAPS,
        EGE_BASE,
        EGE_REGION_2026,
        EGE_COMPACT,
        OGE_GAPS,
        OGE_REGION_2026,
        OGE_DENSE,
        OGE_MACHINE,
    )
}
NAMES = {"oge": "ОГЭ", "ege": "ЕГЭ"}
SUMMER, AUTUMN = ("main", "reserve"), ("extra",)


def deliveries(region: Region, seed: int) -> list[Delivery]:
    """Every ОГЭ and ЕГЭ delivery. Appeals are decided here, before anything is written."""
    rng = np.random.default_rng([seed, 847])
    plans = region.facts.raw["exam_files"]
    springs = plans["appeals"]["springs"]
    for spring in springs:
        decide_appeals(region, spring, rng)
    made = []
    for assessment in NAMES:
        for spring, plan in plans[assessment].items():
            made += _protocols(region, assessment, spring, plan)
    for spring in springs:
        made.append(oge_appeals(region, spring, f"ОГЭ/{spring}/апелляции ОГЭ {spring}.xlsx"))
        made.append(ege_appeals(region, spring, f"ЕГЭ/{spring}/апелляции ЕГЭ {spring}.csv"))
    made.append(regional_table(region, rng))
    by_path = {delivery.path: delivery for delivery in made}
    for spoiled in region.facts.raw["exam_dirt"]:
        _spoil(region, by_path[spoiled["path"]], spoiled)
    return made


def _blocks(region: Region, spring: int, assessment: str, kinds: Iterable[str]) -> list[list[Attempt]]:
    wanted = set(kinds)
    chosen = (a for a in region.attempts[spring] if a.exam.assessment == assessment and a.kind in wanted)
    return in_blocks(chosen)


def _protocols(region: Region, assessment: str, spring: int, plan: dict[str, Any]) -> list[Delivery]:
    """The protocols of one spring, in the manner `region.yaml` gives them."""
    usual, name = VARIANTS[plan["variant"]], NAMES[assessment]
    encoding, suffix = plan.get("encoding", "utf-8"), plan["suffix"]
    folder = f"{name}/{spring}"

    def parts(kinds: Iterable[str]) -> list[tuple[Variant, list[Attempt]]]:
        blocks = _blocks(region, spring, assessment, kinds)
        return [(EGE_BASE if b[0].exam.subject == "mathematics_base" else usual, b) for b in blocks]

    if plan["files"] == "each":
        made = []
        for variant, block in parts((*SUMMER, *AUTUMN)):
            path = f"{folder}/{plan.get('prefix', '')}{title(block[0])}{suffix}"
            rows = block_rows(region, variant, block, titled=variant is not OGE_MACHINE)
            received = block[0].held_on + timedelta(days=12)
            made.append(_delivery(path, {"Page 1": rows}, received, [(variant, block)], encoding))
        return made
    summer = parts(SUMMER)
    received = max(block[0].held_on for _, block in summer) + timedelta(days=14)
    if plan["files"] == "sheets":
        sheets = {_sheet_name(block[0]): block_rows(region, variant, block) for variant, block in summer}
        return [_delivery(f"{folder}/{name} {spring}{suffix}", sheets, received, summer)]
    apart = [part for part in summer if part[1][0].exam.subject == plan.get("apart")]
    together = [part for part in summer if part not in apart]
    path = f"{folder}/{name} {spring} протоколы{suffix}"
    made = [one_sheet(region, path, received, together, encoding)]
    if apart:
        path = f"{folder}/{name} {spring} {apart[0][1][0].exam.title.lower()}{suffix}"
        made.append(one_sheet(region, path, received, apart, encoding))
    autumn = parts(AUTUMN)
    if autumn:
        received = max(block[0].held_on for _, block in autumn) + timedelta(days=14)
        path = f"{folder}/{name} {spring} сентябрь{suffix}"
        made.append(one_sheet(region, path, received, autumn, encoding))
    return made


def _spoil(region: Region, delivery: Delivery, told: dict[str, Any]) -> None:
    """A participant twice, an impossible result, a missing code, a footer with another minimum."""
    match told["kind"]:
        case "duplicate":
            _duplicate(delivery, told["count"])
            delivery.soil("duplicate", "duplicate_participant", "quarantine", told["count"])
        case "result_out_of_range":
            _lose(region, delivery, told)
            delivery.soil("result_out_of_range", "value_out_of_range", "quarantine")
        case "code_missing":
            _lose(region, delivery, told)
            delivery.soil("code_missing", "required_value_missing", "quarantine")
        case "other_minimum":
            footers = (row for row in delivery.rows if row.fate == "footer" and told["value"] in row.cells)
            row = next(row for row in footers if row.cells[0] == MINIMUM)
            row.cells[row.cells.index(told["value"])] = told["becomes"]
            delivery.soil("other_minimum", "minimum_differs", "warning")
        case kind:
            raise ValueError(f"unknown kind of exam dirt: {kind}")


def _duplicate(delivery: Delivery, count: int) -> None:
    rows = next(iter(delivery.sheets.values()))
    fit = [i for i, row in enumerate(rows) if row.fate == "accepted"][5::37][:count]
    for i in reversed(fit):
        rows.insert(i + 1, Row(list(rows[i].cells), "quarantined", rows[i].school))


def _lose(region: Region, delivery: Delivery, told: dict[str, Any]) -> None:
    """Spoil the row of somebody who passed at the first attempt; the person is lost to the procedure."""
    rows = next(iter(delivery.sheets.values()))
    assessment, spring = told["procedure"].split("_")[0], delivery.spring or 0
    block = next(
        b
        for b in _blocks(region, spring, assessment, ("main",))
        if b[0].exam.procedure_id == told["procedure"] and not b[0].is_gve
    )
    start = next(i for i, row in enumerate(rows) if row.cells == [title(block[0])])
    column = rows[start + 1].cells.index(told["column"])
    sizes = Counter(attempt.school for attempt in block)
    for row, attempt in zip(rows[start + 2 :], block, strict=False):
        in_big_school = sizes[attempt.school] > 20 and attempt.category == "current_year"
        if in_big_school and not attempt.below and not attempt.appeal:
            row.cells[column] = told["value"]
            row.quarantine()
            attempt.is_lost = True
            return
