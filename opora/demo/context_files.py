"""Social passports, staff and resources of the invented schools: conditions that explain a part of the results.

What belongs here: drawing conditions that go with the latent quality of schools, the yearly workbooks with their
blanks and broken cells, and what a correct reading must find in them. What does not: results, other registers.

Chance comes from a seed of its own, so that the rest of the region is the same with or without this module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from opora.context_facts import load_context
from opora.demo.files import Cell, Delivery, Row, headings
from opora.demo.population import Region, School
from opora.demo.registers import excluded_reason
from opora.demo.truth import write_table

FOLDER = "анкеты"
PASSPORT, STAFF = "Социальный паспорт", "Кадры и ресурсы"
FORMS = {PASSPORT: "social_passport", STAFF: "staff_resources"}
HEAD = ["учебный год", "логин ФИС ОКО", "школа", "муниципалитет"]
UNKNOWN = "нет данных"
SETTLEMENTS = {
    "city": "1) Административный центр субъекта РФ",
    "town": "2) Город",
    "district": "4) Населённый пункт сельского типа",
}
# component: the count, what it is a part of; counts of a passport have a share beside them under «П…%»
SHARES = {
    "both_parents_higher_share": ("П2", "П1"),
    "one_parent_higher_share": ("П3", "П1"),
    "single_parent_share": ("П4", "П1"),
    "large_family_share": ("П5", "П1"),
    "low_income_share": ("П6", "П1"),
    "unemployed_parents_share": ("П7", "П1"),
    "registered_share": ("П8", "П1"),
    "non_native_russian_share": ("П9", "П1"),
    "poor_housing_share": ("П10", "П1"),
    "guardianship_share": ("П11", "П1"),
    "teacher_shortage_share": ("К4", "К3"),
}
VALUES = {
    "vacancies": "К4",
    "has_psychologist": "К5",
    "has_speech_therapist": "К6",
    "has_social_pedagogue": "К7",
    "materials_shortage": "К8",
    "equipment_shortage": "К9",
    "internet_quality": "К10",
}


@dataclass
class Answers:
    """One school in one sheet of one year, and which of its cells were spoiled."""

    spring: int
    sheet: str
    school: School
    cells: dict[str, Cell]
    spoiled: set[str] = field(default_factory=set)
    login: str = ""
    is_lost: bool = False

    def number(self, question: str) -> float | None:
        """What a correct reading takes the answer for; None for what is blank, unknown or set aside."""
        cell = self.cells.get(question)
        if self.is_lost or cell in (None, UNKNOWN) or question in self.spoiled:
            return None
        if isinstance(cell, str):
            return {"да": 1.0, "нет": 0.0}.get(cell) if cell in ("да", "нет") else float(cell.split(")")[0])
        return float(cell)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Conditions:
    """All that was drawn: the story and the wellbeing of each school by spring, its answers, one later correction."""

    stories: dict[int, str]
    wellbeing: dict[tuple[int, int], float]
    answers: list[Answers]
    corrected: Answers


def draw(region: Region, seed: int) -> Conditions:
    told = region.facts.raw["conditions"]
    rng = np.random.default_rng([seed, crc32(b"conditions")])
    stories = _stories(region, rng)
    wellbeing = _wellbeing(region, stories, rng)
    answers: list[Answers] = []
    for spring in told["springs"]:
        for sheet, make in ((PASSPORT, _passport), (STAFF, _staff)):
            for school in region.schools:
                if school.merged_into is not None and spring > region.facts.raw["merger"]["year"]:
                    continue
                cells = make(school, wellbeing[school.index, spring], rng)
                is_sent = rng.random() >= told["not_sent"]
                cells = _with_blanks(cells, sheet, told, rng)
                if is_sent:
                    answers.append(Answers(spring, sheet, school, cells, login=f"edu{school.login}"))
        _spoil(answers, spring, told["broken"][spring])
    return Conditions(stories, wellbeing, answers, _correction(region, answers, told["correction"]))


# --- conditions --------------------------------------------------------------------------------------


def _stories(region: Region, rng: np.random.Generator) -> dict[int, str]:
    """Schools whose results their conditions do not explain: good ones in hard conditions and the other way round."""
    told = region.facts.raw["conditions"]
    quality = region.quality.mean(axis=1)
    ordinary = [
        school.index
        for school in region.schools
        if school.role.last >= 9
        and school.per_grade >= told["story_min_per_grade"]
        and school.merged_into is None
        and not excluded_reason(region, school)
    ]
    by_quality = sorted(ordinary, key=lambda index: float(quality[index]))
    third = len(by_quality) // 3
    worst, best = by_quality[:third], by_quality[-third:]
    stories = dict.fromkeys((int(i) for i in rng.choice(best, told["resilient"], replace=False)), "resilient")
    favourable = rng.choice(worst, told["favourable_low"], replace=False)
    return stories | dict.fromkeys((int(i) for i in favourable), "favourable_low")


def _wellbeing(region: Region, stories: dict[int, str], rng: np.random.Generator) -> dict[tuple[int, int], float]:
    """Well-being of families: `agreement` is its correlation with the quality of schools that have no story."""
    told = region.facts.raw["conditions"]
    quality = region.quality.mean(axis=1)
    standard = (quality - quality.mean()) / quality.std()
    found = {}
    for school in region.schools:
        own, rho = rng.normal(), told["agreement"]
        level = rho * float(standard[school.index]) + (1 - rho**2) ** 0.5 * own
        level = told["story_wellbeing"].get(stories.get(school.index, ""), level)
        for spring in told["springs"]:
            found[school.index, spring] = level + rng.normal(0, told["drift"])
    return found


def _passport(school: School, wellbeing: float, rng: np.random.Generator) -> dict[str, Cell]:
    is_village = school.municipality.kind == "district"
    pupils = max(1, round(school.enrolment * rng.normal(1, 0.03)))

    def part(level: float, slope: float, of: int = pupils) -> int:
        return int(rng.binomial(of, _logistic(level + slope * wellbeing + rng.normal(0, 0.2))))

    both = part(-0.9 - 0.5 * is_village, 0.8)
    cells: dict[str, Cell] = {
        "П1": pupils,
        "П2": both,
        "П3": part(-0.8, 0.2, pupils - both),
        "П4": part(-1.2, -0.35),
        "П5": part(-1.6 + 0.3 * is_village, -0.2),
        "П6": part(-1.0, -0.7),
        "П7": part(-3.0, -0.5),
        "П8": part(-3.6, -0.6),
        "П9": part(-3.2, -0.3),
        "П10": part(-2.4 + 0.8 * is_village, -0.6),
        "П11": part(-3.2, -0.4),
        "П12": pupils if school.role_name == "correctional" else part(-2.6, -0.4),
    }
    return cells | {"П13": SETTLEMENTS[school.municipality.kind], "П14": _access(school)}


def _access(school: School) -> str:
    """Villages without a full school lie farther off."""
    if school.municipality.kind == "district":
        return "3) Поездка в крупный город — не менее двух дней" if school.per_grade < 5 else "2"
    return "1) До крупного города ездят каждый день"


def _staff(school: School, wellbeing: float, rng: np.random.Generator) -> dict[str, Cell]:
    teachers = max(5, round(school.enrolment / (16 if school.enrolment > 300 else 8)))
    positions = round(teachers * rng.uniform(1.0, 1.25) * 2) / 2
    vacant = int(rng.binomial(round(positions), _logistic(-2.6 - 0.7 * wellbeing))) / 2
    is_big = school.enrolment > 250

    def yes(share: float) -> str:
        return "да" if rng.random() < share else "нет"

    def step(level: float) -> int:
        """One of four steps: the greater the level, the later."""
        return 1 + int(np.searchsorted([-0.7, 0.3, 1.3], level + rng.normal(0, 0.6)))

    shortage = {1: "1) Не мешает", 2: "2) Мешает немного", 3: "3) Мешает заметно", 4: "4) Мешает сильно"}
    return {
        "К1": teachers,
        "К2": int(rng.binomial(teachers, _logistic(0.5 + 0.5 * wellbeing))),
        "К3": positions,
        "К4": vacant,
        "К5": yes(0.9 if is_big else 0.35),
        "К6": yes(0.6 if is_big else 0.15),
        "К7": yes(0.8 if is_big else 0.4),
        "К8": shortage[step(-0.6 * wellbeing)],
        "К9": shortage[step(-0.6 * wellbeing)],
        "К10": str(5 - step(-0.4 * wellbeing - 0.5)),
    }


def _logistic(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


# --- what is missing and what is broken ------------------------------------------------------------------


def _with_blanks(cells: dict[str, Cell], sheet: str, told: dict[str, Any], rng: np.random.Generator) -> dict[str, Cell]:
    """Cells left out or said to be unknown; some schools give shares where others give counts."""
    chance = dict(zip(cells, rng.random(len(cells)).tolist(), strict=True))
    only_shares = rng.random() < told["only_shares"]
    pupils = cells.get("П1")
    found: dict[str, Cell] = {}
    for question, cell in cells.items():
        if chance[question] < told["unknown"]:
            found[question] = UNKNOWN
        elif chance[question] < told["unknown"] + told["blank"]:
            continue
        elif only_shares and sheet == PASSPORT and isinstance(cell, int) and question != "П1":
            found[f"{question}%"] = round(100 * cell / int(pupils), 1)  # type: ignore[arg-type]
        else:
            found[question] = cell
    return found


def _part_above(answers: Answers) -> set[str]:
    answers.cells["П6"] = int(answers.cells["П1"]) + 5  # type: ignore[arg-type]
    return {"П6"}


def _parents_above(answers: Answers) -> set[str]:
    answers.cells["П3"] = int(answers.cells["П1"]) - int(answers.cells["П2"]) + 2  # type: ignore[arg-type]
    return {"П2", "П3"}


def _share_differs(answers: Answers) -> set[str]:
    answers.cells["П5%"] = 93.5
    return {"П5%"}


def _put(question: str, cell: Cell) -> Callable[[Answers], set[str]]:
    def spoil(answers: Answers) -> set[str]:
        answers.cells[question] = cell
        return {question}

    return spoil


# kind: the check, the sheet, what it does, the answers that must be there, and how many issues it makes
BROKEN: dict[str, tuple[str, str, Callable[[Answers], set[str]], tuple[str, ...]]] = {
    "part_above": ("part_exceeds_whole", PASSPORT, _part_above, ("П1", "П6")),
    "parents_above": ("parts_exceed_whole", PASSPORT, _parents_above, ("П1", "П2", "П3")),
    "share_differs": ("share_contradicts_count", PASSPORT, _share_differs, ("П1", "П5")),
    "word": ("value_unreadable", PASSPORT, _put("П4", "много"), ("П4",)),
    "negative": ("value_out_of_range", PASSPORT, _put("П11", -2), ("П11",)),
    "strange_answer": ("value_out_of_vocabulary", STAFF, _put("К10", "летает"), ("К10",)),
    "vacancies_above": ("part_exceeds_whole", STAFF, _put("К4", 900), ("К3", "К4")),
}


def _spoil(answers: list[Answers], spring: int, wanted: dict[str, int]) -> None:
    """Spoil so many answers of each kind, each in a school of its own; «login» loses the row."""
    left = [one for one in answers if one.spring == spring]
    for kind, count in wanted.items():
        _, sheet, spoil, needed = BROKEN.get(kind, ("", PASSPORT, None, ("П1", "П2")))
        fitting = [one for one in left if one.sheet == sheet and all(_is_sizeable(one, q) for q in needed)]
        for one in fitting[3 :: max(1, len(fitting) // (count + 1))][:count]:
            left.remove(one)
            if spoil is None:
                one.login, one.is_lost = f"edu{one.school.login[:4]}", True
            else:
                one.spoiled |= spoil(one)


def _is_sizeable(answers: Answers, question: str) -> bool:
    cell = answers.cells.get(question)
    return cell is not None and cell != UNKNOWN and (not isinstance(cell, int) or cell >= 3)


def _correction(region: Region, answers: list[Answers], told: dict[str, Any]) -> Answers:
    """A school sends its passport again, and leaves out what it had no ground for: the new one counts as a whole."""
    former = next(
        one
        for one in answers
        if (one.spring, one.sheet) == (told["spring"], PASSPORT)
        and not one.spoiled
        and not one.is_lost
        and all(_is_sizeable(one, question) for question in ("П1", "П2", "П5", "П6"))
    )
    cells = {q: cell for q, cell in former.cells.items() if q != "П5"} | {"П6": int(former.cells["П6"]) - 1}  # type: ignore[arg-type]
    return Answers(former.spring, PASSPORT, former.school, cells, login=former.login)


# --- files -----------------------------------------------------------------------------------------------


def deliveries(region: Region, seed: int) -> list[Delivery]:
    """One workbook a year for all schools, and the correction."""
    told = region.facts.raw["conditions"]
    conditions = draw(region, seed)
    made = []
    for spring in told["springs"]:
        sheets = {
            sheet: _sheet(sheet, [one for one in conditions.answers if (one.spring, one.sheet) == (spring, sheet)])
            for sheet in FORMS
        }
        path = f"{FOLDER}/{spring - 1}-{spring}/Условия работы школ {spring}.xlsx"
        delivery = Delivery(path, sheets, date.fromisoformat(told["received"][spring]), spring, layout="conditions")
        for kind, count in told["broken"][spring].items():
            if kind in BROKEN:
                issues = count * (2 if kind == "parents_above" else 1)
                delivery.soil(kind, BROKEN[kind][0], "answer", issues)
            else:
                delivery.soil(kind, "school_key_malformed", "quarantine", count)
        made.append(delivery)
    again = conditions.corrected
    path = f"{FOLDER}/{again.spring - 1}-{again.spring}/Паспорт {again.school.login} (исправлен).xlsx"
    received = date.fromisoformat(told["correction"]["received"])
    made.append(Delivery(path, {PASSPORT: _sheet(PASSPORT, [again])}, received, again.spring, layout="conditions"))
    return made


def _sheet(sheet: str, answers: list[Answers]) -> list[Row]:
    questions = load_context().questions_of(FORMS[sheet])
    rows = headings([*HEAD, *(f"{question.number}. {question.title_ru}" for question in questions)])
    for one in answers:
        told = [one.cells.get(question.number) for question in questions]
        is_blank = all(cell in (None, UNKNOWN) for cell in told)
        fate = "quarantined" if one.is_lost else "blank" if is_blank else "accepted"
        year = f"{one.spring - 1}-{one.spring}"
        rows.append(Row([year, one.login, one.school.name, one.school.municipality.name, *told], fate))
    return rows


# --- truth -------------------------------------------------------------------------------------------------


def write_truth(region: Region, seed: int, folder: Path) -> None:
    """The conditions that only these forms tell, known or not, and the story of every school."""
    conditions = draw(region, seed)
    write_table(
        folder / "context_component.csv",
        "academic_year,school_id,component_id,value",
        [list(row) for row in _values(region, conditions)],
    )
    write_table(
        folder / "context_story.csv",
        "academic_year,school_id,story,wellbeing",
        [
            [_year(spring), region.schools[index].school_id, conditions.stories.get(index, "ordinary"), round(level, 6)]
            for (index, spring), level in conditions.wellbeing.items()
        ],
    )


def _year(spring: int) -> str:
    return f"{spring - 1}-{spring}"


def _values(region: Region, conditions: Conditions) -> Iterator[tuple[str, str, str, float | str]]:
    latest = {(one.spring, one.school.index, one.sheet): one for one in conditions.answers}
    again = conditions.corrected
    latest[again.spring, again.school.index, again.sheet] = again
    for (index, spring), _ in conditions.wellbeing.items():
        school = region.schools[index]
        if school.merged_into is not None and spring > region.facts.raw["merger"]["year"]:
            continue
        known = {
            question: number
            for sheet in FORMS
            if (one := latest.get((spring, index, sheet)))
            for question in one.cells
            if (number := one.number(question)) is not None
        }
        for component, (part, whole) in SHARES.items():
            value = known[part] / known[whole] if part in known and known.get(whole) else None
            if value is None and f"{part}%" in known:
                value = known[f"{part}%"] / 100
            yield _year(spring), school.school_id, component, "" if value is None else value
        for component, question in VALUES.items():
            yield _year(spring), school.school_id, component, known.get(question, "")
