"""Risk profiles of «500+»: what schools of the list are told about their risks, what they choose, how far they get.

What belongs here: chance of its own seed, the files in the layouts of the form, their dirt, and the truth about them.
What does not: results and lists (`population.py`, `truth.py`). Factors, stages and indicators are those of the
reference, the rest is made up.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from opora.demo.files import Cell, Delivery, Row, headings
from opora.demo.population import Region, School
from opora.demo.truth import Status, write_table
from opora.risk import Factor, Indicator, RiskFacts, load_risk, stage_dates
from opora.templates import ANSWERS, PROFILES, STAGES

WORDS = {"high": "Высокая", "medium": "средняя", "low": "Низкая значимость"}
# How far a factor lies from a middling risk, in standard deviations of schools; others lie at zero.
SHIFTS = {"failure_risk": 1.1, "environment": 0.8, "training_system": 0.7, "motivation": 0.6, "language_barriers": -4.0}
HIGH_FROM, MEDIUM_FROM = 0.4, -0.5
HEADER_LEVEL = ("учебный год", "школа", "фактор риска", "значимость", "риск выбран")
HEADER_STAGE = ("учебный год", "школа", "фактор риска", "этап", "дата этапа", "документ", "кто подтвердил (должность)")
HEADER_ANSWER = ("учебный год", "школа", "показатель", "кто отвечал", "значение, %", "ответивших")
CHECKS = {
    "bad_level": ("value_out_of_vocabulary", "quarantine"),
    "duplicate_level": ("duplicate_row", "quarantine"),
    "former_factor": ("unknown_risk_factor", "warning"),
    "too_many_chosen": ("risk_choice_count", "warning"),
    "broken_login": ("school_key_malformed", "quarantine"),
    "late_by_years": ("stage_date_outside_cycle", "quarantine"),
    "surname": ("attribute_unreadable", "warning"),
    "impossible_share": ("value_out_of_range", "quarantine"),
    "nobody_answered": ("value_out_of_range", "quarantine"),
}
CONFIRMERS = ("куратор школы", "муниципальный координатор", "директор школы")


@dataclass
class Profile:
    """One school in one cycle. `levels` is empty where only questionnaires came."""

    academic_year: str
    school: School
    risks: dict[str, float]
    has_profile: bool
    levels: dict[str, str] = field(default_factory=dict)
    chosen: set[str] = field(default_factory=set)
    stages: dict[tuple[str, str], dt.date] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return f"{self.school.name} (edu{self.school.login})"


@dataclass(frozen=True)
class RiskTruth:
    """Deliveries of all cycles and what a correct reading must find in them."""

    deliveries: list[Delivery]
    profiles: list[Profile]


def make(region: Region, statuses: Sequence[Status], seed: int) -> RiskTruth:
    """Profiles, stages and questionnaires of every cycle, for the schools of the list and of the risk zone."""
    facts = load_risk()
    told = region.facts.raw["risk"]
    deliveries: list[Delivery] = []
    profiles: list[Profile] = []
    for calendar_year, plan in told["cycles"].items():
        rng = np.random.default_rng([seed, crc32(f"risk {calendar_year}".encode())])
        cycle = _CycleFiles(facts, f"{calendar_year - 1}-{calendar_year}", told, plan, rng)
        mine = cycle.simulate(statuses)
        profiles += mine
        deliveries += cycle.files(mine)
    return RiskTruth(deliveries, profiles)


class _CycleFiles:
    """One cycle: its schools, their risks, its files and what is wrong with them."""

    def __init__(
        self, facts: RiskFacts, academic_year: str, told: dict[str, Any], plan: dict[str, Any], rng: np.random.Generator
    ) -> None:
        factors, self.cycle = facts.in_force(academic_year)
        self.factors: tuple[Factor, ...] = factors.factors
        self.former = {
            f.title_ru for item in facts.lists for f in item.factors if f.factor_id not in factors.factor_ids
        }
        self.indicators: list[Indicator] = [i for i in facts.indicators if i.factor_id in factors.factor_ids]
        self.groups: dict[str, str] = {item.respondent_group: item.title_ru for item in facts.respondents}
        self.academic_year = academic_year
        self.year = int(academic_year[5:])
        self.told, self.plan, self.rng = told, plan, rng
        self.dirt: dict[str, int] = plan["dirt"]

    # --- chance ---

    def simulate(self, statuses: Sequence[Status]) -> list[Profile]:
        """Schools of the list less the silent ones, and every other school of the risk zone."""
        of_year = [status for status in statuses if status.academic_year == self.academic_year]
        listed = [status.school for status in of_year if status.is_shnor]
        zone = [status.school for status in of_year if status.is_at_risk and not status.is_shnor]
        schools = sorted([*listed[self.plan["silent"] :], *zone[::2]], key=lambda school: school.login)
        by_answers = (
            {school.login for school in listed[-self.plan["by_answers"] :]} if self.plan["by_answers"] else set()
        )
        profiles = [self._profile(school, school.login not in by_answers) for school in schools]
        if self.dirt.get("too_many_chosen"):
            greedy = next(profile for profile in profiles if profile.has_profile)
            greedy.chosen = set(sorted(greedy.levels)[: self.cycle.chosen_most.value + 1])
        for profile in profiles:
            self._work(profile)
        return profiles

    def _profile(self, school: School, has_profile: bool) -> Profile:
        drawn = self.rng.normal(0, 1, len(self.factors))
        risks = {
            factor.factor_id: float(draw) + SHIFTS.get(factor.factor_id, 0.0)
            for factor, draw in zip(self.factors, drawn, strict=True)
        }
        profile = Profile(self.academic_year, school, risks, has_profile)
        wanted = int(self.rng.integers(self.cycle.chosen_least.value, self.cycle.chosen_most.value + 1))
        if has_profile:
            profile.levels = {
                name: "high" if risk >= HIGH_FROM else "medium" if risk >= MEDIUM_FROM else "low"
                for name, risk in risks.items()
            }
            profile.chosen = set(sorted(risks, key=lambda name: -risks[name])[:wanted])
        return profile

    def _work(self, profile: Profile) -> None:
        """Stages that the school gets to, risk by risk; a late day now and then, a stage left out now and then."""
        for stage in self.cycle.stages:
            if stage.stage_id not in self.told["stages"]:
                continue
            first, last = stage_dates(stage, self.academic_year)
            names = sorted(profile.chosen) if stage.by_factor else [""] if profile.chosen else []
            for name in names:
                days = int(self.rng.integers(0, (last - first).days + 15))
                if self.rng.random() < 0.8:
                    profile.stages[stage.stage_id, name] = first + dt.timedelta(days=days)

    # --- files ---

    def files(self, profiles: list[Profile]) -> list[Delivery]:
        folder, received = self.told["folder"], dt.date.fromisoformat(self.plan["received"])
        after = dt.date(self.year + 1, 2, 1)
        levels = self._wide(profiles) if self.plan["form"] == "wide" else self._long(profiles)
        stages, answers = self._stages(profiles), self._answers(profiles)
        if self.plan["form"] == "book":
            sheets = {PROFILES: levels, STAGES: stages, ANSWERS: answers}
            made = [Delivery(f"{folder}/{self.year}/Рисковые профили {self.year}.xlsx", sheets, after)]
        else:
            made = [
                Delivery(f"{folder}/{self.year}/РПШ {self.year}.xlsx", {"РПШ": levels}, received),
                Delivery(f"{folder}/{self.year}/этапы {self.year}.csv", {"": stages}, after, encoding="utf-8-sig"),
            ]
            if len(answers) > 1:
                path = f"{folder}/{self.year}/анкеты {self.year}.csv"
                made.append(Delivery(path, {"": answers}, received, encoding="utf-8-sig"))
        for delivery in made:
            delivery.layout = "risk"
        for kind, count in self.dirt.items():
            check_id, level = CHECKS[kind]
            made[_file_of(kind, len(made))].soil(kind, check_id, level, count)
        return made

    def _long(self, profiles: list[Profile]) -> list[Row]:
        """A row a factor, titles as the list numbers them."""
        rows = headings([*HEADER_LEVEL])
        spoiled = [(p, f) for p in profiles if p.has_profile for f in self.factors]
        # a chosen risk keeps its row, so that only those schools choose too many or too few that are meant to
        usual = [i for i, (profile, factor) in enumerate(spoiled) if factor.factor_id not in profile.chosen]
        picks = self.rng.permutation(usual).tolist()
        bad = {picks.pop() for _ in range(self.dirt.get("bad_level", 0) + self.dirt.get("broken_login", 0))}
        broken = set(sorted(bad)[: self.dirt.get("broken_login", 0)])
        twice = {picks.pop() for _ in range(self.dirt.get("duplicate_level", 0))}
        for index, (profile, factor) in enumerate(spoiled):
            cells = self._level_cells(profile, factor)
            if index in broken:
                cells[1] = profile.school.name
            elif index in bad:
                cells[3] = "критическая"
            if index in bad:
                del profile.levels[factor.factor_id]
            rows.append(Row(cells, "quarantined" if index in bad else "accepted", profile.school.index))
            if index in twice:
                rows.append(Row(list(cells), "quarantined", profile.school.index))
        return rows

    def _level_cells(self, profile: Profile, factor: Factor) -> list[Cell]:
        chosen = "да" if factor.factor_id in profile.chosen else None
        title = f"{factor.number}. {factor.title_ru}"
        return [self.academic_year, profile.label, title, WORDS[profile.levels[factor.factor_id]], chosen]

    def _wide(self, profiles: list[Profile]) -> list[Row]:
        """A row a school; a column of a factor that this year's list no longer has is filled by habit."""
        stray = sorted(self.former)[: self.dirt.get("former_factor", 0)]
        titles = [factor.title_ru for factor in self.factors]
        header: list[Cell] = ["год цикла", "школа", *titles, *(f"{title}: выбран" for title in titles), *stray]
        rows = headings(header)
        for profile in profiles:
            levels = [WORDS[profile.levels[factor.factor_id]] for factor in self.factors]
            chosen = ["да" if factor.factor_id in profile.chosen else None for factor in self.factors]
            cells: list[Cell] = [self.year, profile.label, *levels, *chosen, *("высокая" for _ in stray)]
            rows.append(Row(cells, school=profile.school.index))
        return rows

    def _stages(self, profiles: list[Profile]) -> list[Row]:
        rows = headings([*HEADER_STAGE])
        titles = {factor.factor_id: factor.title_ru for factor in self.factors}
        late = self.dirt.get("late_by_years", 0)
        surnames = self.dirt.get("surname", 0)
        for profile in profiles:
            for number, ((stage, name), day) in enumerate(list(profile.stages.items())):
                step = next(s for s in self.cycle.stages if s.stage_id == stage)
                who = CONFIRMERS[number % len(CONFIRMERS)]
                cells: list[Cell] = [self.academic_year, profile.label, titles.get(name), step.title_ru]
                cells += [f"{day:%d.%m.%Y}", f"протокол № {number + 1}", who]
                fate = "accepted"
                if late:
                    cells[4], fate, late = f"{day.replace(year=day.year + 4):%d.%m.%Y}", "quarantined", late - 1
                    del profile.stages[stage, name]
                elif surnames:
                    cells[6], surnames = "Вымышленная Ф. И.", surnames - 1
                rows.append(Row(cells, fate, profile.school.index))
            if profile.chosen:  # a stage that waits for its day is a blank line of the form
                rows.append(
                    Row([self.academic_year, profile.label, None, "Итоги года подведены", None, None, None], "blank")
                )
        return rows

    def _answers(self, profiles: list[Profile]) -> list[Row]:
        """Questionnaires, since the cycle of the first school that sends them alone."""
        rows = headings([*HEADER_ANSWER])
        if not self.plan["by_answers"]:
            return rows
        for profile in profiles:
            for indicator in self.indicators:
                for group in indicator.respondents:
                    rows.append(Row(self._answer_cells(profile, indicator, group), school=profile.school.index))
        picks = iter(self.rng.permutation(np.arange(1, len(rows))).tolist())
        for _ in range(self.dirt.get("impossible_share", 0)):
            row = rows[next(picks)]
            row.cells[4], row.fate = 140, "quarantined"
        for _ in range(self.dirt.get("nobody_answered", 0)):
            row = rows[next(picks)]
            row.cells[5], row.fate = 0, "quarantined"
        return rows

    def _answer_cells(self, profile: Profile, indicator: Indicator, group: str) -> list[Cell]:
        share = float(np.clip(40 + 18 * profile.risks[indicator.factor_id] + self.rng.normal(0, 8), 0, 100))
        value = round(share if indicator.direction == "up" else 100 - share, 1)
        size = {"director": 1, "teachers": 12, "pupils": 40, "parents": 30}[group]
        people = size if size == 1 else max(3, int(self.rng.poisson(size)))
        named = f"{indicator.title_ru} | {indicator.indicator_id}"
        return [self.academic_year, profile.label, named, self.groups[group], value, people]


def _file_of(kind: str, files: int) -> int:
    """Which file of a cycle a kind of dirt spoils: profiles, stages, questionnaires; a book is one file."""
    order = {"late_by_years": 1, "surname": 1, "impossible_share": 2, "nobody_answered": 2}
    return order.get(kind, 0) if files > 1 else 0


# --- truth -------------------------------------------------------------------------------------------


def write_truth(truth: RiskTruth, folder: Path) -> None:
    """Levels and choices, and the stages reported, of every school that took part."""
    write_table(
        folder / "risk_profile.csv",
        "academic_year,school_id,factor_id,level,is_chosen",
        [row for profile in truth.profiles for row in _level_rows(profile)],
    )
    write_table(
        folder / "risk_stage.csv",
        "academic_year,school_id,factor_id,stage,done_on",
        [row for profile in truth.profiles for row in _stage_rows(profile)],
    )


def _level_rows(profile: Profile) -> Iterable[list[Any]]:
    for name in profile.risks:
        level = profile.levels.get(name, "")
        known = bool(level) and bool(profile.chosen)
        yield [profile.academic_year, profile.school.school_id, name, level, name in profile.chosen if known else ""]


def _stage_rows(profile: Profile) -> Iterable[list[Any]]:
    for name in sorted(profile.chosen):
        for (stage, of), day in sorted(profile.stages.items()):
            if of in ("", name):
                yield [profile.academic_year, profile.school.school_id, name, stage, day.isoformat()]
