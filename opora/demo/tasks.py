"""Deficits by task planted into the simulated region, the specifications of its works, and what must be found.

What belongs here: whose points of which tasks are moved, by a seed of its own; specifications and codifiers as files.
What does not: the rules of a deficit (`reference/deficits/`) and layouts of protocols (`vpr_files.py`). Points move to
other tasks of the same pupil: only who solved nearly everything loses some, so the support list stays as simulated.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from opora.demo.config import Work
from opora.demo.files import Cell, Delivery, Row, headings
from opora.demo.population import PlantedTask, Region, School, WorkResults
from opora.demo.truth import write_table

FOLDER = "справочники"
SPECIFICATION: list[Cell] = [
    *("год", "класс", "предмет", "задание", "место", "умение", "блок", "уровень", "кэс", "кт", "наибольший балл"),
]
CODIFIER: list[Cell] = ["год", "класс", "предмет", "кодификатор", "код", "что проверяется"]


# --- what is planted ---


def plant(region: Region, seed: int) -> None:
    """Change points in place as `region.yaml` says, a story a school, and note what must be found."""
    plan = region.facts.raw["planted_tasks"]
    rng = np.random.default_rng([seed, plan["seed"]])
    free = [
        school
        for school in region.schools
        if school.role_name in plan["roles"] and not school.trajectory and school.per_grade >= plan["least_per_grade"]
    ]
    schools = [free[i] for i in rng.permutation(len(free))]
    for story in plan["stories"]:
        results = region.vpr[story["spring"], story["work"]]
        places = [results.work.labels.index(str(label)) for label in story["tasks"]]
        school = next(one for one in schools if len(_pupils(results, one, story)))
        schools.remove(school)
        pupils = _pupils(results, school, story)
        if story["kind"] == "deficit":
            pupils = pupils[rng.random(len(pupils)) < plan["share"]]
        else:
            results.not_taught[pupils[:, None], places] = True
        for pupil in pupils:
            _move(results, pupil, places)
        region.planted_tasks += [
            PlantedTask(school, story["spring"], story["work"], str(label), story["kind"]) for label in story["tasks"]
        ]


def _pupils(results: WorkResults, school: School, story: dict[str, Any]) -> np.ndarray:
    """The pupils of a story: those of the school, or of its first class."""
    here = results.school == school.index
    if story["kind"] == "not_taught_class":
        here &= (results.class_no == 1) & (results.classes > 1)
    return np.flatnonzero(here)


def _move(results: WorkResults, pupil: int, places: list[int]) -> None:
    """Points of these tasks go to the first others that have room."""
    row = results.points[pupil]
    left = int(row[places].sum())
    row[places] = 0
    for other, maximum in enumerate(results.work.maxima):
        if other not in places:
            moved = min(left, maximum - int(row[other]))
            row[other] += moved
            left -= moved


def write_truth(region: Region, folder: Path) -> None:
    """Planted deficits and topics not taught; others may be found beside them."""
    years = {year.spring: year.name for year in region.facts.years}
    works = region.facts.works
    rows = [
        [years[one.spring], one.school.school_id, works[one.work].procedure_id, one.label, one.kind]
        for one in region.planted_tasks
    ]
    write_table(folder / "task_deficit.csv", "academic_year,school_id,procedure_id,task,kind", rows)


# --- specifications ---


def deliveries(region: Region) -> list[Delivery]:
    """The specifications of some springs with their codifiers; one task is described twice, one maximum is wrong."""
    made = []
    for spring, plan in region.facts.raw["specifications"]["springs"].items():
        works = [work for work in region.facts.works_of(spring) if work.key not in plan.get("without", ())]
        rows = headings(SPECIFICATION)
        rows += [row for work in works for row in _described(region, work, spring, plan)]
        path = f"{FOLDER}/описание работ {spring}.csv"
        received = date.fromisoformat(plan["received"])
        made.append(Delivery(path, {"": rows}, received, spring, layout="task_specification", encoding="utf-8-sig"))
        codes = headings(CODIFIER) + [Row(cells) for work in works for cells in _codes(region, work, spring)]
        path = f"{FOLDER}/кодификаторы {spring}.csv"
        made.append(Delivery(path, {"": codes}, received, spring, layout="codifier", encoding="utf-8-sig"))
    return made


def _described(region: Region, work: Work, spring: int, plan: dict[str, Any]) -> Iterator[Row]:
    """A row a task; one task has a second row, which pushes the places of those below."""
    told = region.facts.raw["specifications"]["subjects"][work.subject.id]
    skills, contents = list(told["kt"].items()), list(told["kes"])
    place = 0
    for i, (label, maximum, level) in enumerate(zip(work.labels, work.maxima, work.levels, strict=True)):
        code, skill = skills[i % len(skills)]
        content = contents[i * len(contents) // len(work.labels)]
        wrong = plan.get("wrong_maximum", {}).get(work.key, {}).get(label)
        for _ in range(2 if plan.get("twice") == f"{work.key} {label}" else 1):
            place += 1
            about: list[Cell] = [
                spring,
                work.grade,
                work.subject.name,
                label,
                place,
                skill,
                f"{skill}: задание {label}",
            ]
            yield Row([*about, level, content, code, wrong or maximum])


def _codes(region: Region, work: Work, spring: int) -> Iterator[list[Cell]]:
    told = region.facts.raw["specifications"]["subjects"][work.subject.id]
    for codifier in ("kes", "kt"):
        for code, words in told[codifier].items():
            yield [spring, work.grade, work.subject.name, codifier, code, words]
