"""The invented region's facts, read from `region.yaml`: places, school roles, works, exams, years, dirt.

What belongs here: typed access to that file. What does not: chance (`population.py`), files (`*_files.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml

FACTS = Path(__file__).with_name("region.yaml")
MARKS = (2, 3, 4, 5)
LEAST_MARK = 3


@dataclass(frozen=True)
class Municipality:
    key: str
    code: str
    name: str
    short: str
    kind: str
    weight: int
    centre: str

    @property
    def is_urban(self) -> bool:
        return self.kind in {"city", "town"}


@dataclass(frozen=True)
class Role:
    type: str
    per_grade: float
    first: int
    last: int
    quality: float
    excluded: str = ""


@dataclass(frozen=True)
class Year:
    name: str
    spring: int


@dataclass(frozen=True)
class Subject:
    id: str
    name: str
    dative: str
    short: str
    code: str
    file: str


@dataclass(frozen=True)
class Work:
    """One ВПР: what its tasks give and which totals make which mark."""

    grade: int
    subject: Subject
    labels: tuple[str, ...]
    maxima: tuple[int, ...]
    scale: tuple[int, int, int]
    below: dict[int, float]

    @property
    def key(self) -> str:
        return f"{self.grade}_{self.subject.id}"

    @property
    def procedure_id(self) -> str:
        return f"vpr_{self.key}"

    @property
    def maximum(self) -> int:
        return sum(self.maxima)

    def marks(self, totals: np.ndarray) -> np.ndarray:
        return 2 + np.searchsorted(self.scale, totals, side="right")

    def mark(self, total: int) -> int:
        return int(self.marks(np.array([total]))[0])

    @property
    def levels(self) -> list[str]:
        """Letter of difficulty of each task: base, advanced, high."""
        n = len(self.maxima)
        letters = "БПП" if self.subject.id == "russian" else "БПВ"
        return [letters[0 if i < 0.7 * n else 1 if i < 0.93 * n else 2] for i in range(n)]


@dataclass(frozen=True)
class Sitting:
    """The days of one exam in one year, and the share below the minimum aimed at."""

    main: date
    reserve: date
    extra: date | None
    below: float


@dataclass(frozen=True)
class Exam:
    assessment: str
    subject: str
    code: str
    title: str
    short: tuple[int, ...]
    long: tuple[int, ...]
    sittings: dict[int, Sitting]
    scale: tuple[int, ...] = ()
    anchors: tuple[tuple[float, float], ...] = ()
    minimum: int = 0
    geometry: tuple[tuple[int, ...], int] | None = None
    literacy: tuple[tuple[int, ...], int, int] | None = None

    @property
    def grade(self) -> int:
        return 9 if self.assessment == "oge" else 11

    @property
    def procedure_id(self) -> str:
        subject = "mathematics" if self.subject.startswith("mathematics") else self.subject
        return f"{self.assessment}_{self.grade}_{subject}"

    @property
    def has_test_score(self) -> bool:
        return bool(self.anchors)

    @property
    def threshold(self) -> int:
        """The footer's «Минимальная граница»: in ЕГЭ of the result, in ОГЭ of the primary score."""
        return self.minimum if self.assessment == "ege" else self.scale[0]

    @property
    def maxima(self) -> tuple[int, ...]:
        return (*self.short, *self.long)

    def scale_marks(self, totals: np.ndarray) -> np.ndarray:
        """Marks by the total alone."""
        return 2 + np.searchsorted(self.scale, totals, side="right")

    def results(self, points: np.ndarray) -> np.ndarray:
        """Test scores or marks of points by task. Two rules make an ОГЭ mark differ from its scale."""
        totals = points.sum(axis=1)
        if self.has_test_score:
            shares, scores = zip(*self.anchors, strict=True)
            return np.floor(np.interp(totals / sum(self.maxima), shares, scores)).astype(int)
        marks = self.scale_marks(totals)
        if self.geometry:
            tasks, least = self.geometry
            marks = np.where(points[:, tasks].sum(axis=1) < least, 2, marks)
        if self.literacy:
            tasks, for_4, for_5 = self.literacy
            literacy = points[:, tasks].sum(axis=1)
            marks = np.where((marks == 5) & (literacy < for_5), 4, marks)
            marks = np.where((marks == 4) & (literacy < for_4), 3, marks)
        return marks

    def is_below(self, results: np.ndarray) -> np.ndarray:
        return results < (self.minimum or LEAST_MARK)


@dataclass(frozen=True)
class Facts:
    """`region.yaml`, typed where code leans on it and raw where a module reads its own corner."""

    raw: dict[str, Any]

    @cached_property
    def code(self) -> str:
        return str(self.raw["region"]["code"])

    @cached_property
    def name(self) -> str:
        return str(self.raw["region"]["name"])

    @cached_property
    def municipalities(self) -> list[Municipality]:
        return [Municipality(**item) for item in self.raw["municipalities"]]

    @cached_property
    def roles(self) -> dict[str, Role]:
        return {name: Role(**facts) for name, facts in self.raw["role_facts"].items()}

    @cached_property
    def years(self) -> list[Year]:
        return [Year(**item) for item in self.raw["years"]]

    @cached_property
    def subjects(self) -> dict[str, Subject]:
        return {name: Subject(id=name, **facts) for name, facts in self.raw["subjects"].items()}

    @cached_property
    def works(self) -> dict[str, Work]:
        works = [self._work(item) for item in self.raw["works"]]
        return {work.key: work for work in works}

    def _work(self, item: dict[str, Any]) -> Work:
        tasks = [task.split(":") for task in item["tasks"].split()]
        return Work(
            grade=item["grade"],
            subject=self.subjects[item["subject"]],
            labels=tuple(label for label, _ in tasks),
            maxima=tuple(int(maximum) for _, maximum in tasks),
            scale=tuple(item["scale"]),
            below=item["below"],
        )

    @cached_property
    def exams(self) -> list[Exam]:
        return [_exam(item) for item in self.raw["exams"]]

    @cached_property
    def villages(self) -> list[tuple[str, str]]:
        pairs = [word.replace("_", " ").split(":") for word in self.raw["villages"].split()]
        return [(village, school) for village, school in pairs]

    def words(self, kind: str) -> list[str]:
        """The surnames, given names or patronymics."""
        return list(self.raw["people"][kind].split())

    def vpr(self, spring: int) -> dict[str, Any]:
        """How the ВПР of a spring arrive."""
        plan: dict[str, Any] = self.raw["vpr"][spring]
        return plan

    def works_of(self, spring: int) -> list[Work]:
        return [work for work in self.works.values() if spring in work.below]

    def exams_of(self, spring: int, assessment: str | None = None) -> list[Exam]:
        return [exam for exam in self.exams if spring in exam.sittings and assessment in (None, exam.assessment)]

    @cached_property
    def procedures(self) -> list[str]:
        """The eight procedures that make the support list."""
        vpr = [f"vpr_{grade}_{subject}" for grade in (5, 6) for subject in ("russian", "mathematics")]
        return [*vpr, *dict.fromkeys(exam.procedure_id for exam in self.exams)]


def _exam(item: dict[str, Any]) -> Exam:
    geometry, literacy = item.get("geometry"), item.get("literacy")
    return Exam(
        assessment=item["assessment"],
        subject=item["subject"],
        code=item["code"],
        title=item["title"],
        short=tuple(item["short"]),
        long=tuple(item["long"]),
        sittings={year: _sitting(days) for year, days in item["sittings"].items()},
        scale=tuple(item.get("scale", ())),
        anchors=tuple((share, score) for share, score in item.get("anchors", ())),
        minimum=item.get("minimum", 0),
        geometry=(tuple(geometry["tasks"]), geometry["least"]) if geometry else None,
        literacy=(tuple(literacy["tasks"]), literacy["for_4"], literacy["for_5"]) if literacy else None,
    )


def _sitting(days: dict[str, Any]) -> Sitting:
    def day(kind: str) -> date | None:
        return date.fromisoformat(days[kind].replace(".", "-")) if kind in days else None

    main, reserve = day("main"), day("reserve")
    if main is None or reserve is None:
        raise ValueError("a sitting needs a main and a reserve day")
    return Sitting(main=main, reserve=reserve, extra=day("extra"), below=days["below"])


def load_facts(path: Path = FACTS) -> Facts:
    """Read the region's facts."""
    return Facts(yaml.safe_load(path.read_text(encoding="utf-8")))
