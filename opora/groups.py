"""Target groups as data: the model of `reference/groups/*.yaml`, its loader and its flat tables.

Belongs here: the closed list of conditions a definition may be made of, checks between definitions, which of them are
official. Does not belong here: the definitions themselves (YAML) and who is a member (dbt, `int_group_…`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import polars as pl
from pydantic import Field, model_validator

from opora.facts import Dated, Fact, ReferenceFileError, Setting, default_root, frame_of, read_file, repeated

GroupFact = Literal["has_low_results", "is_adverse_conditions", "has_resource_deficit"]
ContextClass = Literal["adverse_low", "resilient", "favourable_low", "leader", "typical"]
Percent = Annotated[int, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=1)]


# --- conditions --------------------------------------------------------------------------------------


class _Condition(Fact):
    """One condition. One that is not required is shown beside the others and decides nothing."""

    title_ru: str
    is_required: bool = True


class ShnorRule(_Condition):
    """The school is in the list of the official method."""

    kind: Literal["shnor_rule"]


class LowResults(_Condition):
    """At least so many low procedures in at least so many of the last years before the list."""

    kind: Literal["low_results"]
    procedures: Setting[Count]
    years: Setting[Count]
    of_years: Setting[Count]

    @model_validator(mode="after")
    def _possible(self) -> LowResults:
        if self.years.value > self.of_years.value:
            raise ValueError(f"{self.years.value} of the last {self.of_years.value} years")
        return self


class ResultLevel(_Condition):
    """The comparable result of the year before the list is among the lowest of the region."""

    kind: Literal["result_level"]
    lowest_pct: Setting[Percent]
    minimum_participants: Setting[Count]


class IndexLevel(_Condition):
    """The index of conditions is among the lowest of the region: `official` or a method by name."""

    kind: Literal["index_level"]
    method: Setting[Literal["official", "z_mean", "min_max", "first_component", "regression_weights"]]
    lowest_pct: Setting[Percent]


class ClassIn(_Condition):
    """Result and conditions put the school into one of these classes."""

    kind: Literal["class_in"]
    classes: Setting[tuple[ContextClass, ...]]


class HardComponent(Fact):
    """A component of conditions, and when it counts as hard: a bound, or the worst part of the region's schools."""

    component_id: str
    hard_if: Literal["at_least", "at_most", "highest_pct", "lowest_pct"]
    threshold: float


class HardShare(_Condition):
    """Of the components that are known, and they are enough, at least such a part is hard."""

    kind: Literal["hard_share"]
    components: Annotated[tuple[HardComponent, ...], Field(min_length=1)]
    at_least_pct: Setting[Percent]
    minimum_known: Setting[Count]
    minimum_schools: Setting[Count]

    @model_validator(mode="after")
    def _possible(self) -> HardShare:
        names = [component.component_id for component in self.components]
        if len(set(names)) < len(names):
            raise ValueError("a component stands twice")
        if self.minimum_known.value > len(names):
            raise ValueError(f"minimum_known {self.minimum_known.value} of {len(names)} components")
        return self


Condition = Annotated[
    ShnorRule | LowResults | ResultLevel | IndexLevel | ClassIn | HardShare, Field(discriminator="kind")
]


# --- definitions -------------------------------------------------------------------------------------


class Definition(Dated):
    """What one document calls a group of schools. `fact` is what the programme's indicators take from it.

    `combine`: all of the required conditions, any of them, or the first of which something is known.
    """

    definition_id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    title_ru: str
    words_ru: str
    item_ru: str
    fact: GroupFact | None = None
    combine: Literal["all", "any", "first_known"]
    conditions: Annotated[tuple[Condition, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _decides(self) -> Definition:
        if not any(condition.is_required for condition in self.conditions):
            raise ValueError("no condition is required")
        return self


class DefinitionsFile(Fact):
    """The definitions of one document; without `programme_id` they are of no programme."""

    programme_id: str | None = None
    definitions: tuple[Definition, ...]


class Official(Dated):
    """The definition by which a fact is decided in `school_status` and in programmes that have none of their own."""

    fact: GroupFact
    definition_id: str


class OfficialFile(Fact):
    official: tuple[Official, ...]


@dataclass(frozen=True)
class Groups:
    """All definitions, with the programme of each, and which are official."""

    files: tuple[DefinitionsFile, ...]
    official: tuple[Official, ...]

    @property
    def definitions(self) -> Iterator[tuple[str | None, Definition]]:
        return ((file.programme_id, definition) for file in self.files for definition in file.definitions)

    def official_of(self, fact: str, academic_year: str) -> str | None:
        found = (one for one in self.official if one.fact == fact and one.covers(academic_year))
        return next((one.definition_id for one in found), None)


# --- loading -----------------------------------------------------------------------------------------


def load_groups(root: Path | None = None) -> Groups:
    """`reference/groups/*.yaml` and `reference/official_groups.yaml`. Raises ReferenceFileError."""
    folder = root or default_root()
    names = sorted(path.relative_to(folder).as_posix() for path in (folder / "groups").glob("*.yaml"))
    groups = Groups(
        tuple(read_file(name, DefinitionsFile, folder) for name in names),
        read_file("official_groups.yaml", OfficialFile, folder).official,
    )
    if problems := list(_problems(groups)):
        raise ReferenceFileError(f"reference/groups: {'; '.join(problems)}")
    return groups


def _problems(groups: Groups) -> Iterator[str]:
    ids = [definition.definition_id for _, definition in groups.definitions]
    facts = [(programme_id, d.fact) for programme_id, d in groups.definitions if programme_id and d.fact]
    if twice := repeated(ids):
        yield f"definition_id: repeated: {twice}"
    if twice := repeated(f"{programme_id} {fact}" for programme_id, fact in facts):
        yield f"fact: two definitions of one programme: {twice}"
    if unknown := sorted({one.definition_id for one in groups.official} - set(ids)):
        yield f"official_groups.yaml: unknown definitions {unknown}"
    pairs = combinations(groups.official, 2)
    for fact in sorted({one.fact for one, other in pairs if one.fact == other.fact and one.overlaps(other)}):
        yield f"official_groups.yaml: two definitions of {fact} in one year"


# --- tables ------------------------------------------------------------------------------------------

_CONDITION = (
    "procedures:int years:int of_years:int method lowest_pct:int minimum_participants:int"
    " at_least_pct:int minimum_known:int minimum_schools:int"
)


_WORDS = ("title_ru", "words_ru", "item_ru", "fact", "combine", "valid_from", "valid_to")


def _condition_row(condition: Any) -> tuple[Any, ...]:
    """The plain settings of a condition in the order of the table; those of other kinds are empty."""
    names = [column.partition(":")[0] for column in _CONDITION.split()]
    return tuple(setting.value if (setting := getattr(condition, name, None)) else None for name in names)


def group_tables(groups: Groups, academic_years: Sequence[str], year_limit: int) -> Mapping[str, pl.DataFrame]:
    """Flat tables for dbt. `context_reach` says which years of conditions may stand for a year, the best first."""
    ordered = list(groups.definitions)
    numbered = [(d.definition_id, number, c) for _, d in ordered for number, c in enumerate(d.conditions, start=1)]
    rows: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
        "group_definition": (
            "definition_id programme_id sort_order:int title_ru words_ru item_ru fact combine valid_from valid_to"
            " evidence source",
            [
                (d.definition_id, programme_id, order, *(getattr(d, name) for name in _WORDS), d.evidence, d.source)
                for order, (programme_id, d) in enumerate(ordered, start=1)
            ],
        ),
        "group_condition": (
            f"definition_id condition_number:int kind title_ru is_required:bool {_CONDITION}",
            [(id_, number, c.kind, c.title_ru, c.is_required, *_condition_row(c)) for id_, number, c in numbered],
        ),
        "group_component": (
            "definition_id condition_number:int component_id hard_if threshold:float",
            [
                (id_, number, component.component_id, component.hard_if, component.threshold)
                for id_, number, c in numbered
                for component in getattr(c, "components", ())
            ],
        ),
        "group_class": (
            "definition_id condition_number:int context_class",
            [(id_, number, one) for id_, number, c in numbered if isinstance(c, ClassIn) for one in c.classes.value],
        ),
        "official_group": (
            "fact academic_year definition_id",
            [
                (fact, year, found)
                for fact in get_args(GroupFact)
                for year in academic_years
                if (found := groups.official_of(fact, year))
            ],
        ),
        "context_reach": (
            "academic_year context_year preference:int",
            [
                (year, other, 2 * abs(distance) + (distance > 0))
                for year in academic_years
                for other in academic_years
                if abs(distance := int(other[:4]) - int(year[:4])) <= year_limit
            ],
        ),
    }
    return {name: frame_of(columns, found) for name, (columns, found) in rows.items()}
