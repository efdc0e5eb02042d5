"""Facts about deficits by task: level rules, which year's specification serves, settings; and their tables for dbt.

Belongs here: the shape of the files in `reference/deficits/` and the checks between them. Does not belong here: the
facts themselves (YAML) and the figures, which are SQL (`dbt/models/intermediate/int_task_*.sql`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import model_validator

from opora.facts import AcademicYearId, Cited, Dated, Fact, Setting, frame_schema, read_file, repeated


class DeficitSettings(Cited):
    """How columns are held against a specification, and what counts as a deficit."""

    used_column_per_mille: Setting[int]
    above_maximum_per_mille: Setting[int]
    above_maximum_pupils: Setting[int]
    reached_maximum_per_mille: Setting[int]
    answers_to_judge: Setting[int]
    mismatched_tasks_per_mille: Setting[int]
    minimum_pupils: Setting[int]
    minimum_schools: Setting[int]
    confidence: Setting[float]
    insufficient_first: Setting[bool]
    summary_tasks: Setting[int]
    pupil_share_numerator: Setting[int]
    pupil_share_denominator: Setting[int]
    school_years: Setting[int]
    class_years: Setting[int]
    pupil_years: Setting[int]
    full_year_per_mille: Setting[int]

    @model_validator(mode="after")
    def _consistent(self) -> DeficitSettings:
        if not 0 < self.confidence.value < 1:
            raise ValueError("confidence must lie between 0 and 1")
        if not 0 < self.pupil_share_numerator.value <= self.pupil_share_denominator.value:
            raise ValueError("pupil_share_numerator must lie between 1 and pupil_share_denominator")
        return self


class TaskLevel(Dated):
    """When the completion of a task of one level is sufficient, in thousandths of the greatest score."""

    level: Literal["Б", "П", "В"]
    title_ru: str
    sufficient_from: int
    insufficient_below: int

    @model_validator(mode="after")
    def _ordered_bounds(self) -> TaskLevel:
        if not 0 < self.insufficient_below <= self.sufficient_from <= 1000:
            raise ValueError("insufficient_below must not be above sufficient_from, both within 1000")
        return self


class TaskLevelsFile(Fact):
    levels: tuple[TaskLevel, ...]

    @model_validator(mode="after")
    def _one_rule_a_year(self) -> TaskLevelsFile:
        for one, other in combinations(self.levels, 2):
            if one.level == other.level and one.overlaps(other):
                raise ValueError(f"two rules for the level {one.level} in one year")
        return self


class SpecificationYear(Cited):
    """Works of one academic year read with the specification of another."""

    academic_year: AcademicYearId
    specification_year: AcademicYearId


class SpecificationYearsFile(Fact):
    specification_years: tuple[SpecificationYear, ...]

    @model_validator(mode="after")
    def _one_a_year(self) -> SpecificationYearsFile:
        if twice := repeated(item.academic_year for item in self.specification_years):
            raise ValueError(f"two specifications for {', '.join(twice)}")
        return self


@dataclass(frozen=True)
class DeficitFacts:
    """All facts that deficits by task rest on."""

    settings: DeficitSettings
    levels: tuple[TaskLevel, ...]
    specification_years: tuple[SpecificationYear, ...]


def load_deficits(root: Path | None = None) -> DeficitFacts:
    """Read and check `reference/deficits/`. Raises ReferenceFileError naming file and field."""
    return DeficitFacts(
        settings=read_file("deficits/settings.yaml", DeficitSettings, root),
        levels=read_file("deficits/levels.yaml", TaskLevelsFile, root).levels,
        specification_years=read_file(
            "deficits/specification_years.yaml", SpecificationYearsFile, root
        ).specification_years,
    )


def deficit_tables(facts: DeficitFacts) -> dict[str, pl.DataFrame]:
    """Flat tables for the schema `reference` of the warehouse."""
    chosen = {name: value.value for name, value in facts.settings if isinstance(value, Setting)}
    levels = "level title_ru sufficient_from:int insufficient_below:int valid_from valid_to"
    years = "academic_year specification_year"
    return {
        "deficit_setting": pl.DataFrame([chosen]),
        "deficit_level": _frame(levels, facts.levels),
        "deficit_specification_year": _frame(years, facts.specification_years),
    }


def _frame(columns: str, facts: Sequence[Fact]) -> pl.DataFrame:
    schema = frame_schema(columns)
    return pl.DataFrame([{name: getattr(fact, name) for name in schema} for fact in facts], schema=schema)
