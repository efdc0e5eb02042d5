"""What spoils the deliveries, in the exact counts of `region.yaml`, and the files that nobody can read.

What belongs here: each kind of dirt, the check it must raise, its effect on the row's fate. What does not:
clean layouts. A kind changes the row and its fate together, so that the truth follows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import islice
from zlib import crc32

import numpy as np

from opora.demo import vpr_files
from opora.demo.config import Work
from opora.demo.files import HEADING, Cell, Delivery, Row, content, headings
from opora.demo.population import Region

LEAST_PARTICIPANTS = 12  # only schools with so many are spoiled, so that no school loses all its rows
COLUMNS: dict[str, dict[str, str]] = {
    "autumn_participants": {
        "login": "user",
        "code": "code",
        "prior": "otc",
        "sex": "gender",
        "class": "klass",
        "variant": "var-1",
        "total": "sum",
    },
    "spring_participants": {
        "login": "логин школы",
        "code": "код обучающегося",
        "prior": vpr_files.PRIOR_IN_PARTICIPANTS,
        "sex": "пол",
        "class": "класс",
        "variant": "вариант",
        "total": "всего баллов",
    },
    "stopped_spring": {
        "login": "Пользователь",
        "code": "Код",
        "prior": vpr_files.PRIOR_IN_PROTOCOL,
        "sex": "Пол",
        "class": "Наименование класса",
        "variant": "Вариант",
        "total": "Итого баллов",
    },
    "individual_results": {
        "login": "ОО",
        "code": "Код участника",
        "prior": "Отметка по журналу",
        "total": "Первичный балл",
        "mark": "Отметка",
    },
}
TASK_HEADER = re.compile(r"^a-\d+-grade$|^балл за \d+$|\(\d+\s*б\)$")


@dataclass
class Place:
    """A delivery being spoiled: where its columns are and which work it is."""

    columns: dict[str, int]
    tasks: list[int]
    work: Work | None
    unknown_login: str
    spoiled: int = 0  # rows of the present kind so far

    def get(self, row: Row, name: str) -> Cell:
        return row.cells[self.columns[name]]

    def put(self, row: Row, name: str, value: Cell) -> None:
        """A value in the column, as text where the column is text."""
        old = row.cells[self.columns[name]]
        as_text = isinstance(old, str) and value is not None
        row.cells[self.columns[name]] = str(value) if as_text else value

    def zeros(self, row: Row) -> list[int]:
        return [i for i in self.tasks if row.cells[i] in (0, "0")]

    def the_work(self) -> Work:
        if self.work is None:
            raise ValueError("this kind of dirt needs a protocol of one work")
        return self.work


Action = Callable[[Row, Place], None]


@dataclass(frozen=True)
class Kind:
    """One kind of dirt: the check it raises, how grave it is, and what it does to a row."""

    check_id: str
    level: str
    spoil: Action
    suits: Callable[[Row, Place], bool] = lambda row, place: row.participants > 0


def _put(name: str, value: Cell) -> Action:
    return lambda row, place: place.put(row, name, value)


def _into_quarantine(action: Action) -> Action:
    def spoil(row: Row, place: Place) -> None:
        action(row, place)
        row.quarantine()

    return spoil


def _nbsp(row: Row, place: Place) -> None:
    mark = place.get(row, "prior")
    row.cells[place.columns["prior"]] = f"{mark}\u00a0" if place.spoiled % 2 else f"\u00a0{mark}"


def _spaced_sex(row: Row, place: Place) -> None:
    place.put(row, "sex", f" {str(place.get(row, 'sex')).upper()}")


def _zero_becomes(text: str) -> Action:
    def spoil(row: Row, place: Place) -> None:
        row.cells[place.zeros(row)[-1]] = text

    return spoil


def _has_zero(row: Row, place: Place) -> bool:
    return row.participants > 0 and bool(place.zeros(row))


def _total_not_sum(row: Row, place: Place) -> None:
    """The total is what counts, so the mark derived from it may change."""
    work, total = place.the_work(), int(str(place.get(row, "total")))
    total += 1 if total < work.maximum else -1
    place.put(row, "total", total)
    row.below = int(work.mark(total) == 2)


def _unknown_login(row: Row, place: Place) -> None:
    place.put(row, "login", f"sch{place.unknown_login}")
    place.put(row, "code", int(str(place.get(row, "code"))) // 10000 * 10000 + 900 + place.spoiled)
    row.school, row.participants, row.below = None, 0, 0


def _malformed_login(row: Row, place: Place) -> None:
    """The letter О in place of a zero or another digit."""
    login = str(place.get(row, "login"))
    place.put(row, "login", f"{login[:5]}О{login[6:]}")


def _above_maximum(row: Row, place: Place) -> None:
    place.put(row, "total", place.the_work().maximum + 41)


def _mark_off_scale(row: Row, place: Place) -> None:
    """The mark given is the truth, whatever the scale says."""
    place.put(row, "mark", 2)
    row.below = 1


# Kinds of rows of one participant.
KINDS: dict[str, Kind] = {
    "nbsp_mark": Kind("", "silent", _nbsp),
    "sex_spaced": Kind("", "silent", _spaced_sex),
    "class_is_header": Kind("", "silent", _put("class", "наименование класса")),
    "task_x_cyrillic": Kind("", "silent", _zero_becomes("Х"), _has_zero),
    "task_not_taught": Kind("", "silent", _zero_becomes("не пройд."), _has_zero),
    "task_dash": Kind("", "silent", _zero_becomes("—"), _has_zero),
    "mark_missing": Kind("", "silent", _put("mark", "нет отметки")),
    "task_question": Kind("attribute_unreadable", "warning", _zero_becomes("?"), _has_zero),
    "sex_is_digit": Kind("attribute_unreadable", "warning", _put("sex", "4")),
    "prior_is_letter": Kind("attribute_unreadable", "warning", _put("prior", "ж")),
    "total_not_sum": Kind("total_differs_from_tasks", "warning", _total_not_sum),
    "variant_missing": Kind("attendance_inferred", "warning", _put("variant", None)),
    "nothing_given": Kind(
        "attendance_inferred", "warning", _put("variant", None), lambda row, place: row.fate == "absent"
    ),
    "unknown_login": Kind("unknown_school", "warning", _unknown_login),
    "mark_off_scale": Kind(
        "mark_differs_from_scale",
        "warning",
        _mark_off_scale,
        lambda row, place: row.participants > 0 and place.get(row, "mark") == 3,
    ),
    "login_malformed": Kind("school_key_malformed", "quarantine", _into_quarantine(_malformed_login)),
    "login_missing": Kind("required_value_missing", "quarantine", _into_quarantine(_put("login", None))),
    "total_unreadable": Kind("value_unreadable", "quarantine", _into_quarantine(_put("total", "двадцать"))),
    "total_negative": Kind("value_out_of_range", "quarantine", _into_quarantine(_put("total", -3))),
    "total_above_maximum": Kind("total_above_maximum", "quarantine", _into_quarantine(_above_maximum)),
}
# A total that cannot be differs from the tasks too.
ALSO = {"total_negative": "total_differs_from_tasks", "total_above_maximum": "total_differs_from_tasks"}
ADDED = {"duplicate": "duplicate_participant", "stray_header": "stray_header_row"}
TABLES = {"shares_wrong": "shares_do_not_add_up", "counts_not_whole": "counts_not_whole", "padded_name": ""}


def spoil_all(region: Region, deliveries: list[Delivery], seed: int) -> None:
    """Spoil the deliveries as `region.yaml` says; a path that is not delivered is a mistake there."""
    by_path = {delivery.path: delivery for delivery in deliveries}
    for path, plan in region.facts.raw["dirt"].items():
        rng = np.random.default_rng([seed, crc32(path.encode())])
        spoil(region, by_path[path], plan, rng)


def spoil(region: Region, delivery: Delivery, plan: dict[str, int], rng: np.random.Generator) -> None:
    """Spoil one delivery; no row is spoiled twice."""
    sheet = _main_sheet(delivery)
    place = _place(region, delivery, sheet)
    taken: set[int] = set()
    for kind, count in plan.items():
        if kind in KINDS:
            _spoil_rows(sheet, KINDS[kind], count, place, rng, taken)
            delivery.soil(kind, KINDS[kind].check_id, KINDS[kind].level, count)
            if kind in ALSO:
                delivery.soil(kind, ALSO[kind], "warning", count)
        elif kind in TABLES:
            _spoil_table(sheet, kind, count, rng, taken)
            delivery.soil(kind, TABLES[kind], "quarantine" if TABLES[kind] else "silent", count)
        elif kind in ADDED:
            _add_rows(sheet, kind, count, rng, taken)
            delivery.soil(kind, ADDED[kind], "quarantine", count)
        elif kind == "misleading_name":
            delivery.soil(kind, "path_contradicts_content", "warning", count)
        elif kind != "declared_count":
            raise ValueError(f"unknown kind of dirt: {kind}")
    if delivery.layout == "individual_results":
        wrong = plan.get("declared_count", 0)
        _declare_counts(sheet, wrong)
        delivery.soil("declared_count", "declared_count_differs", "warning", wrong)


def _main_sheet(delivery: Delivery) -> list[Row]:
    return max(delivery.sheets.values(), key=len)


def _place(region: Region, delivery: Delivery, sheet: list[Row]) -> Place:
    header = [row for row in sheet if row.fate == HEADING][-1].cells
    names = {name: header.index(text) for name, text in COLUMNS.get(delivery.layout, {}).items()}
    tasks = [i for i, text in enumerate(header) if isinstance(text, str) and TASK_HEADER.search(text)]
    work = next((w for w in region.facts.works.values() if w.procedure_id == delivery.procedure_id), None)
    return Place(names, tasks, work, str(region.facts.raw["region"]["unknown_login"]))


def _spoil_rows(
    sheet: list[Row], kind: Kind, count: int, place: Place, rng: np.random.Generator, taken: set[int]
) -> None:
    sizes = Counter(row.school for row in sheet if row.participants)
    fit = [
        i
        for i, row in enumerate(sheet)
        if row.school is not None
        and i not in taken
        and sizes[row.school] >= LEAST_PARTICIPANTS
        and kind.suits(row, place)
    ]
    for place.spoiled, i in enumerate(sorted(rng.choice(fit, size=count, replace=False).tolist())):
        kind.spoil(sheet[i], place)
        taken.add(i)


def _add_rows(sheet: list[Row], kind: str, count: int, rng: np.random.Generator, taken: set[int]) -> None:
    """Rows that must not be there: a participant twice, the header once more."""
    header = [row for row in sheet if row.fate == HEADING][-1].cells
    fit = [i for i, row in enumerate(sheet) if row.fate == "accepted" and row.participants and i not in taken]
    chosen = sorted(rng.choice(fit, size=count, replace=False).tolist(), reverse=True)
    for i in chosen:
        cells = sheet[i].cells if kind == "duplicate" else header
        sheet.insert(i + 1, Row(list(cells), "quarantined", sheet[i].school))
    below = [i for i in taken if any(c < i for c in chosen)]
    taken.difference_update(below)
    taken.update(i + sum(c < i for c in chosen) for i in below)
    taken.update(i + sum(c < i for c in chosen) for i in chosen)


def _spoil_table(sheet: list[Row], kind: str, count: int, rng: np.random.Generator, taken: set[int]) -> None:
    """Rows with percentages; in flat tables only grades outside the rule, so that no procedure is lost."""
    header = [str(cell) for cell in [row for row in sheet if row.fate == HEADING][-1].cells]
    people, first = header.index("Кол-во участников"), header.index("2")
    grade = header.index("Класс") if "Класс" in header else None
    fit = [
        i
        for i, row in enumerate(sheet)
        if row.fate == "accepted"
        and row.school is not None
        and i not in taken
        and (grade is None or row.cells[grade] not in (5, 6))
        and 8 <= int(str(row.cells[people])) <= 60
        and float(str(row.cells[first + 1])) > 20
    ]
    for i in rng.choice(fit, size=count, replace=False).tolist():
        row = sheet[i]
        taken.add(i)
        two, three = float(str(row.cells[first])), float(str(row.cells[first + 1]))
        step = 40 / int(str(row.cells[people]))  # four tenths of a pupil
        match kind:
            case "shares_wrong":
                row.cells[first + 1] = round(three + 7.5, 2)
                row.quarantine()
            case "counts_not_whole":
                row.cells[first], row.cells[first + 1] = round(two + step, 2), round(three - step, 2)
                row.quarantine()
            case _:
                name = header.index("ОО")
                row.cells[name] = f" {str(row.cells[name]).replace(' ', '  ', 1)} "


def _declare_counts(sheet: list[Row], wrong: int) -> None:
    """Group rows declare the rows that follow, spoiled or not; the first `wrong` big ones one more."""
    groups = [i for i, row in enumerate(sheet) if row.fate == "group"]
    for i, end in zip(groups, [*groups[1:], len(sheet)], strict=True):
        count = end - i - 1
        if wrong and count >= LEAST_PARTICIPANTS:
            count, wrong = count + 1, wrong - 1
        sheet[i].cells[0] = re.sub(r"\d+$", str(count), str(sheet[i].cells[0]))


# --- a correction, and strange files ---


def correct(region: Region, deliveries: list[Delivery]) -> Delivery:
    """One school sends its protocol again: wrong totals in the region's file, right ones here."""
    told, folder = region.facts.raw["correction"], region.facts.raw["strange"]["folder"]
    work = region.facts.works[told["work"]]
    original = next(d for d in deliveries if d.spring == told["spring"] and d.procedure_id == work.procedure_id)
    sizes = Counter(row.school for row in original.rows if row.participants)
    school = min(s for s, n in sizes.items() if s is not None and told["least"] <= n <= told["most"])
    header = next(row.cells for row in original.rows if row.fate == HEADING)
    total, wrong = header.index("всего баллов"), 0
    rows = headings(list(header))
    for row in original.rows:
        if row.school != school:
            continue
        rows.append(Row(list(row.cells), row.fate, school, row.participants, row.below))
        if row.participants and not row.below and wrong < told["wrong_totals"]:
            row.cells[total], wrong = str(work.scale[0] - 2), wrong + 1
        row.participants, row.below = 0, 0  # superseded
    original.soil("later_corrected", "total_differs_from_tasks", "warning", wrong)
    path = f"{folder}/{vpr_files.spring_title(work, told['spring'])} (исправлено).xlsx"
    received = date.fromisoformat(told["received"])
    return Delivery(path, {"Sheet": rows}, received, told["spring"], work.procedure_id, original.layout)


def strange_files(region: Region, deliveries: list[Delivery]) -> list[Delivery]:
    """Files that must be refused whole with one clear message, and a copy under another name."""
    told = region.facts.raw["strange"]
    day, springs = date.fromisoformat(told["received"]), told["springs"]
    work = region.facts.works[told["work"]]
    header = vpr_files.spring_header(work)
    pupils = vpr_files.pupils(region, region.vpr[springs["protocol"], work.key])
    some = [vpr_files.spring_row(pupil, work).cells for pupil in islice(pupils, 12)]
    total = header.index("всего баллов")
    twice = [[*cells[:total], cells[total], *cells[total:]] for cells in [header, *some]]
    headless = [[*cells[:total], *cells[total + 1 :]] for cells in [header, *some]]
    autumn = vpr_files.autumn_participants(region, work, springs["no_context"]).rows[:30]
    menu: list[list[Cell]] = [
        ["Меню школьной столовой", None, None],
        ["День", "Блюдо", "Выход, г"],
        ["Понедельник", "Каша овсяная", 200],
        ["Вторник", "Суп с фрикадельками", 250],
    ]
    by_path = {delivery.path: delivery for delivery in deliveries}
    truncated = content(by_path[told["truncated_from"]])
    copied = by_path[told["duplicate_of"]]
    form = vpr_files.collection_form(work, [], "", day, springs["form"]).sheets
    about = f"{work.subject.name} {work.grade} класс"
    tables: list[tuple[str, str, dict[str, list[Row]]]] = [
        (f"edu{told['form_of']}/Форма сбора результатов {about} ВПР {springs['form']}", "empty_form", form),
        ("меню", "unknown_layout", _sheet(menu)),
        (f"ВПР {springs['protocol']} {about} два столбца", "duplicate_headers", _sheet(twice)),
        (f"ВПР {springs['protocol']} {about} без баллов", "missing_columns", _sheet(headless)),
        (f"ВПР {springs['protocol']} {about} пусто", "no_data_rows", _sheet([header])),
        ("выгрузка", "unknown_context", {"Sheet1": autumn}),
    ]
    made = [Delivery(f"{told['folder']}/{name}.xlsx", sheets, day) for name, _, sheets in tables]
    broken = Delivery(f"{told['folder']}/обрыв связи.xlsx", {}, day, raw=truncated[: len(truncated) * 3 // 5])
    for delivery, check_id in zip([*made, broken], [*(c for _, c, _ in tables), "unreadable_file"], strict=True):
        delivery.status = "refused"
        delivery.soil(check_id, check_id, "refusal")
    twin = Delivery(f"{told['folder']}/копия копии.xlsx", {}, day, status="duplicate", same_as=copied.path)
    twin.raw = content(copied)
    return [*made, broken, twin]


def _sheet(rows: list[list[Cell]]) -> dict[str, list[Row]]:
    return {"Sheet": [Row(list(cells)) for cells in rows]}
