"""The risk profile of the project «500+» as data: factor lists, indicators, the yearly cycle, the optional scoring.

Belongs here: models of `reference/risk/*.yaml`, the checks between them, flat tables for dbt.
Does not belong here: the facts (YAML), what schools delivered and every figure made of it (dbt).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import polars as pl
from pydantic import AfterValidator, model_validator

from opora.facts import (
    Cited,
    Dated,
    Fact,
    ReferenceFileError,
    Rows,
    Setting,
    default_root,
    frames_of,
    read_file,
    repeated,
)
from opora.reference import AcademicYear, AcademicYearsFile

FOLDER = "risk"
Level = Literal["high", "medium", "low"]
RespondentGroup = Literal["director", "teachers", "pupils", "parents"]
# What in the deliveries shows by itself that a stage is behind the school.
ShownBy = Literal["participation", "level", "choice"]


def _check_day(value: str) -> str:
    try:
        dt.date.fromisoformat(f"2023-{value}")  # a day that every year has
    except ValueError as error:
        raise ValueError(f"'{value}' is not a day of the year such as 06-30") from error
    return value


Day = Annotated[str, AfterValidator(_check_day)]


# --- facts -------------------------------------------------------------------------------------------


class Factor(Cited):
    """A factor as one list words it. The same `factor_id` in two lists is the same factor."""

    factor_id: str
    number: int
    title_ru: str
    short_ru: str
    aliases: tuple[str, ...] = ()


class FactorList(Dated):
    list_id: str
    title_ru: str
    factors: tuple[Factor, ...]

    @model_validator(mode="after")
    def _numbered(self) -> FactorList:
        if [factor.number for factor in self.factors] != list(range(1, len(self.factors) + 1)):
            raise ValueError("factors must be numbered 1, 2, 3 …")
        return self

    @property
    def factor_ids(self) -> set[str]:
        return {factor.factor_id for factor in self.factors}


class Succession(Cited):
    """What a factor that the next list does not have went into."""

    from_list: str
    factor_id: str
    to_list: str
    becomes: str
    relation: Literal["replaced", "merged"]


class Indicator(Cited):
    """A figure of the questionnaires behind a factor, in per cent."""

    indicator_id: str
    factor_id: str
    title_ru: str
    direction: Literal["up", "down"]
    respondents: tuple[RespondentGroup, ...]


class LevelFact(Cited):
    level: Level
    title_ru: str


class Respondents(Cited):
    respondent_group: RespondentGroup
    title_ru: str


class Stage(Cited):
    """A stage of a cycle: days inside its calendar year. `by_factor`: reported for each chosen risk."""

    stage_id: str
    title_ru: str
    by_factor: bool
    shown_by: ShownBy | None = None
    starts: Day
    due: Setting[Day]

    @model_validator(mode="after")
    def _ordered(self) -> Stage:
        if self.starts > self.due.value:
            raise ValueError(f"starts {self.starts} is later than due {self.due.value}")
        return self


class Cycle(Dated):
    """How the years of a span work: how many risks are chosen, which stages are due when, what a majority is."""

    cycle_id: str
    title_ru: str
    chosen_least: Setting[int]
    chosen_most: Setting[int]
    majority_numerator: Setting[int]
    majority_denominator: Setting[int]
    stages: tuple[Stage, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Cycle:
        if not 0 < self.chosen_least.value <= self.chosen_most.value:
            raise ValueError("chosen_least must lie between 1 and chosen_most")
        numerator, denominator = self.majority_numerator.value, self.majority_denominator.value
        if not 0 < denominator <= 2 * numerator < 2 * denominator:
            raise ValueError("a majority must be at least one half and less than all")
        dues = [stage.due.value for stage in self.stages]
        if dues != sorted(dues):
            raise ValueError("stages must stand in the order of their dates")
        return self


class Scoring(Dated):
    """Levels from questionnaires where no profile was delivered: off unless `is_on`."""

    method_id: str
    title_ru: str
    is_on: Setting[bool]
    minimum_known_pct: Setting[int]
    minimum_respondents: Setting[int]
    high_from_pct: Setting[int]
    medium_from_pct: Setting[int]

    @model_validator(mode="after")
    def _ordered(self) -> Scoring:
        if not 0 < self.medium_from_pct.value < self.high_from_pct.value <= 100:
            raise ValueError("medium_from_pct must lie below high_from_pct, both within 0 and 100")
        if not 0 < self.minimum_known_pct.value <= 100 or self.minimum_respondents.value < 1:
            raise ValueError("minimum_known_pct must lie within 1 and 100, minimum_respondents be at least 1")
        return self


# --- files -------------------------------------------------------------------------------------------


class _ListsFile(Fact):
    lists: tuple[FactorList, ...]
    successions: tuple[Succession, ...]


class _IndicatorsFile(Fact):
    indicators: tuple[Indicator, ...]


class _CycleFile(Fact):
    levels: tuple[LevelFact, ...]
    respondents: tuple[Respondents, ...]
    cycles: tuple[Cycle, ...]


@dataclass(frozen=True)
class RiskFacts:
    """All facts of the risk profile, with the academic years that they are dated by."""

    academic_years: tuple[AcademicYear, ...]
    lists: tuple[FactorList, ...]
    successions: tuple[Succession, ...]
    indicators: tuple[Indicator, ...]
    levels: tuple[LevelFact, ...]
    respondents: tuple[Respondents, ...]
    cycles: tuple[Cycle, ...]
    scoring: Scoring

    def list_of(self, academic_year: str) -> FactorList | None:
        return next((item for item in self.lists if item.covers(academic_year)), None)

    def cycle_of(self, academic_year: str) -> Cycle | None:
        return next((item for item in self.cycles if item.covers(academic_year)), None)

    @property
    def latest_list(self) -> FactorList:
        return max(self.lists, key=lambda item: item.valid_from or "")

    def in_force(self, academic_year: str) -> tuple[FactorList, Cycle]:
        """The list and the cycle of a year. Raises LookupError if the year or its list is not known."""
        known = academic_year in {year.academic_year for year in self.academic_years}
        factors, cycle = self.list_of(academic_year), self.cycle_of(academic_year)
        if not known or factors is None or cycle is None:
            raise LookupError(f"Для «{academic_year}» в reference/risk нет списка факторов риска; год пишут 2021-2022.")
        return factors, cycle


def cycle_year(academic_year: str) -> int:
    """The calendar year of the cycle whose questionnaires fall into an academic year: of 2021-2022 it is 2022."""
    return int(academic_year[5:])


def stage_dates(stage: Stage, academic_year: str) -> tuple[dt.date, dt.date]:
    """The first and the last day of a stage in the cycle of an academic year."""
    year = cycle_year(academic_year)
    first, last = (dt.date.fromisoformat(f"{year}-{day}") for day in (stage.starts, stage.due.value))
    return first, last


def load_risk(root: Path | None = None) -> RiskFacts:
    """Read and check `reference/risk/`. Raises ReferenceFileError naming the file."""
    folder = root or default_root()
    lists = read_file(f"{FOLDER}/lists.yaml", _ListsFile, folder)
    cycle = read_file(f"{FOLDER}/cycle.yaml", _CycleFile, folder)
    facts = RiskFacts(
        academic_years=read_file("academic_years.yaml", AcademicYearsFile, folder).academic_years,
        lists=lists.lists,
        successions=lists.successions,
        indicators=read_file(f"{FOLDER}/indicators.yaml", _IndicatorsFile, folder).indicators,
        levels=cycle.levels,
        respondents=cycle.respondents,
        cycles=cycle.cycles,
        scoring=read_file(f"{FOLDER}/scoring.yaml", Scoring, folder),
    )
    if problems := list(_contradictions(facts)):
        raise ReferenceFileError("; ".join(problems))
    return facts


def last_turn_of_risk(facts: RiskFacts, day: dt.date) -> dt.date:
    """The last day, up to `day`, on which a stage began or became overdue by itself."""
    turns = [dt.date.min]
    for row in _stage_rows(facts):
        turns += [row[-2], row[-1] + dt.timedelta(days=1)]
    return max(turn for turn in turns if turn <= day)


# --- checks between facts ----------------------------------------------------------------------------


def _contradictions(facts: RiskFacts) -> Iterator[str]:
    """What no part shows alone: overlapping years, unknown names, one title for two factors, lost factors."""
    years = [year.academic_year for year in facts.academic_years]
    known = {factor.factor_id for item in facts.lists for factor in item.factors}
    newest = facts.latest_list.factor_ids
    titles = {(name.lower(), code) for kind, code, name in _name_rows(facts) if kind == "factor"}
    behind = {indicator.factor_id for indicator in facts.indicators}
    stages = [(cycle.cycle_id, stage.stage_id) for cycle in facts.cycles for stage in cycle.stages]
    checks = (
        ("lists.yaml", "list_id: repeated", repeated(item.list_id for item in facts.lists)),
        ("lists.yaml", "two lists in one year", repeated(y for item in facts.lists for y in years if item.covers(y))),
        (
            "lists.yaml",
            "factor_id: repeated in a list",
            repeated((item.list_id, f.factor_id) for item in facts.lists for f in item.factors),
        ),
        ("lists.yaml", "title_ru: two factors claim", repeated(title for title, _ in titles)),
        ("lists.yaml", "successions: wrong", list(_wrong_successions(facts))),
        ("indicators.yaml", "indicator_id: repeated", repeated(i.indicator_id for i in facts.indicators)),
        ("indicators.yaml", "title_ru: repeated", repeated(i.title_ru for i in facts.indicators)),
        ("indicators.yaml", "factor_id: unknown", sorted(behind - known)),
        ("indicators.yaml", "no indicator behind", sorted(newest - behind)),
        ("cycle.yaml", "two cycles in one year", repeated(y for c in facts.cycles for y in years if c.covers(y))),
        ("cycle.yaml", "a list without a cycle", [y for y in years if facts.list_of(y) and not facts.cycle_of(y)]),
        ("cycle.yaml", "stage_id: repeated", repeated(stages)),
        (
            "cycle.yaml",
            "shown_by: two stages",
            repeated((c.cycle_id, s.shown_by) for c in facts.cycles for s in c.stages if s.shown_by),
        ),
        ("cycle.yaml", "levels: repeated", repeated(level.level for level in facts.levels)),
        (
            "cycle.yaml",
            "respondents: repeated",
            repeated(respondents.respondent_group for respondents in facts.respondents),
        ),
    )
    for file, problem, values in checks:
        if values:
            yield f"reference/{FOLDER}/{file}: {problem}: {', '.join(values)}"


def _wrong_successions(facts: RiskFacts) -> Iterator[str]:
    """A factor that the next list drops must say what it becomes, and nothing else may."""
    ordered = sorted(facts.lists, key=lambda item: item.valid_from or "")
    told = {(s.from_list, s.factor_id, s.to_list): s for s in facts.successions}
    wanted = {
        (former.list_id, factor_id, later.list_id)
        for former, later in pairwise(ordered)
        for factor_id in former.factor_ids - later.factor_ids
    }
    lists = {item.list_id: item.factor_ids for item in facts.lists}
    yield from (f"{factor_id} of {former} goes nowhere" for former, factor_id, _ in sorted(wanted - set(told)))
    yield from (f"{factor_id} of {former} is still there" for former, factor_id, _ in sorted(set(told) - wanted))
    yield from (f"{s.becomes} is not in {s.to_list}" for s in facts.successions if s.becomes not in lists[s.to_list])
    yield from repeated((s.from_list, s.factor_id) for s in facts.successions)


# --- tables ------------------------------------------------------------------------------------------


def _list_rows(facts: RiskFacts) -> Rows:
    for year in (y.academic_year for y in facts.academic_years):
        if item := facts.list_of(year):
            yield year, item.list_id, item.title_ru, item.evidence


def _factor_rows(facts: RiskFacts) -> Rows:
    for item in facts.lists:
        for f in item.factors:
            yield item.list_id, f.factor_id, f.number, f.title_ru, f.short_ru, f.evidence


def _name_rows(facts: RiskFacts) -> Rows:
    """Every way in which a file may name a factor, an indicator or a stage."""
    named = [("factor", f.factor_id, (f.title_ru, *f.aliases)) for item in facts.lists for f in item.factors]
    named += [("indicator", i.indicator_id, (i.title_ru,)) for i in facts.indicators]
    named += [("stage", s.stage_id, (s.title_ru,)) for c in facts.cycles for s in c.stages]
    yield from sorted({(kind, code, name) for kind, code, names in named for name in (code, *names)})


def _succession_rows(facts: RiskFacts) -> Rows:
    for s in facts.successions:
        yield s.from_list, s.factor_id, s.to_list, s.becomes, s.relation


def _indicator_rows(facts: RiskFacts) -> Rows:
    for i in facts.indicators:
        yield i.indicator_id, i.factor_id, i.title_ru, i.direction


def _respondent_rows(facts: RiskFacts) -> Rows:
    for i in facts.indicators:
        for group in i.respondents:
            yield i.indicator_id, group


def _level_rows(facts: RiskFacts) -> Rows:
    for order, item in enumerate(facts.levels, start=1):
        yield item.level, item.title_ru, order


def _cycle_rows(facts: RiskFacts) -> Rows:
    for year in (y.academic_year for y in facts.academic_years):
        if c := facts.cycle_of(year):
            settings = (c.chosen_least, c.chosen_most, c.majority_numerator, c.majority_denominator)
            yield year, cycle_year(year), *(setting.value for setting in settings)


def _stage_rows(facts: RiskFacts) -> Rows:
    for year in (y.academic_year for y in facts.academic_years):
        if cycle := facts.cycle_of(year):
            for order, s in enumerate(cycle.stages, start=1):
                described = (s.title_ru, s.by_factor, s.shown_by, s.due.status)
                yield year, s.stage_id, order, *described, *stage_dates(s, year)


def _scoring_rows(facts: RiskFacts) -> Rows:
    """The years in which levels are computed; none while the scoring is off."""
    s = facts.scoring
    for year in (y.academic_year for y in facts.academic_years):
        if s.is_on.value and s.covers(year):
            settings = (s.minimum_known_pct, s.minimum_respondents, s.high_from_pct, s.medium_from_pct)
            yield year, s.method_id, *(setting.value for setting in settings)


_TABLES = {
    "risk_list": ("academic_year list_id title_ru evidence", _list_rows),
    "risk_factor": ("list_id factor_id sort_order:int title_ru short_ru evidence", _factor_rows),
    "risk_name": ("kind code name", _name_rows),
    "risk_succession": ("from_list_id factor_id to_list_id becomes relation", _succession_rows),
    "risk_indicator": ("indicator_id factor_id title_ru direction", _indicator_rows),
    "risk_respondent": ("indicator_id respondent_group", _respondent_rows),
    "risk_level": ("level title_ru sort_order:int", _level_rows),
    "risk_cycle": (
        "academic_year cycle_year:int chosen_least:int chosen_most:int majority_numerator:int majority_denominator:int",
        _cycle_rows,
    ),
    "risk_stage_due": (
        "academic_year stage_id sort_order:int title_ru by_factor:bool shown_by evidence due_from:date due_on:date",
        _stage_rows,
    ),
    "risk_scoring": (
        "academic_year method_id minimum_known_pct:int minimum_respondents:int high_from_pct:int medium_from_pct:int",
        _scoring_rows,
    ),
}


def risk_tables(facts: RiskFacts) -> dict[str, pl.DataFrame]:
    """Flat tables for the schema `reference` of the warehouse, dated facts spread over their academic years."""
    return frames_of(_TABLES, facts)
