"""Methods: the rule of the list as data, and methods that differ from another one in named settings.

Belongs here: the settings of a method with their checks, how a variant is made of its base, which settings a count of
participants depends on. Does not belong here: the rule itself (dbt), other facts (`reference.py`), values (YAML).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError, field_validator, model_validator

from opora.facts import Cited, Fact, ReferenceFileError, Setting, check_data, load_data, problems_of
from opora.russian import plural

# Written down with their evidence, but nothing is computed by them: two methods cannot differ in these.
NOT_COMPUTED = frozenset({"gve", "territory_aggregation", "list_formed_in"})
# The steps of reliability on which a result is called unreliable.
UNRELIABLE = frozenset({"very_low", "low"})


class ReliabilityBand(Fact):
    participants_from: int
    participants_to: int | None = None
    reliability: Literal["very_low", "low", "limited", "ok"]
    label_ru: str


class MethodSettings(Fact):
    low_share_numerator: Setting[int]
    low_share_denominator: Setting[int]
    low_result_decided_by: Setting[Literal["share", "interval", "probability"]]
    minimum_participants: Setting[int]
    previous_year_low_procedures: Setting[int]
    both_years_low_procedures: Setting[int]
    at_risk_low_procedures: Setting[int]
    procedures: Setting[tuple[str, ...]]
    year_basis: Setting[Literal["measured", "held"]]
    grade_basis: Setting[Literal["test", "pupil"]]
    same_procedure_required: Setting[bool]
    ege_mathematics: Setting[Literal["one", "two"]]
    ege_russian_minimum: Setting[Literal["certificate", "university"]]
    attempt: Setting[Literal["first", "final"]]
    participant_categories: Setting[tuple[Literal["current_year", "previous_years", "spo", "extern"], ...]]
    gve: Setting[Literal["excluded", "included"]]
    excluded_school_reasons: Setting[tuple[str, ...]]
    roll_up_branches: Setting[bool]
    merged_history: Setting[Literal["own", "inherit"]]
    at_risk_excludes_shnor: Setting[bool]
    territory_aggregation: Setting[Literal["pooled", "mean_of_schools"]]
    list_formed_in: Setting[Literal["august", "september", "october", "november", "december"]]
    confidence: Setting[float]
    share_interval: Setting[Literal["wilson", "exact"]]
    pooled_windows: Setting[tuple[int, ...]]
    reliability_bands: Setting[tuple[ReliabilityBand, ...]]

    @property
    def low_share(self) -> float:
        """The share of participants below the minimum from which a result is low, for charts and words."""
        return self.low_share_numerator.value / self.low_share_denominator.value

    @property
    def reliable_from(self) -> int:
        """The fewest participants on whom a result is not called unreliable."""
        bands = self.reliability_bands.value
        return min(band.participants_from for band in bands if band.reliability not in UNRELIABLE)

    @model_validator(mode="after")
    def _consistent(self) -> MethodSettings:
        if not 0 < self.low_share_numerator.value < self.low_share_denominator.value:
            raise ValueError("low_share_numerator must be positive and less than low_share_denominator")
        if self.minimum_participants.value < 0:
            raise ValueError("minimum_participants must not be negative")
        if not 0 < self.confidence.value < 1:
            raise ValueError("confidence must lie between 0 and 1")
        if not self.procedures.value or not self.participant_categories.value:
            raise ValueError("procedures and participant_categories must name something")
        one, two = "ege_11_mathematics", {"ege_11_mathematics_base", "ege_11_mathematics_profile"}
        chosen = set(self.procedures.value)
        if (chosen & two) if self.ege_mathematics.value == "one" else (one in chosen):
            raise ValueError(f"procedures contradict ege_mathematics = {self.ege_mathematics.value}")
        windows = self.pooled_windows.value
        if any(years < 2 for years in windows) or len(set(windows)) < len(windows):
            raise ValueError("pooled_windows must be different numbers of years, each at least 2")
        bands = self.reliability_bands.value
        ends = [band.participants_to for band in bands]
        starts = [band.participants_from for band in bands]
        if not bands or starts[0] != 1 or ends[-1] is not None:
            raise ValueError("reliability_bands must start at 1 participant and end without a limit")
        if any(end is None or end + 1 != start for end, start in zip(ends[:-1], starts[1:], strict=True)):
            raise ValueError("reliability_bands must follow one another without gap or overlap")
        if bands[-1].reliability in UNRELIABLE:
            raise ValueError("reliability_bands must end with a result that is reliable")
        return self


def unreliable_ru(settings: MethodSettings) -> str:
    """What an unreliable entry rests on: «меньше чем на 10 участниках»."""
    fewest = settings.reliable_from
    return f"меньше чем на {fewest} {plural(fewest, 'участнике', 'участниках', 'участниках')}"


class Method(Cited):
    method_id: str
    title_ru: str
    valid_from: dt.date
    valid_to: dt.date | None = None
    is_official: bool
    settings: MethodSettings


class Change(Fact):
    """One setting decided otherwise, and why it is worth a look."""

    value: Any
    note_ru: str


class Variant(Cited):
    """A method that differs from its base in the named settings alone. It is never official."""

    method_id: str
    title_ru: str
    based_on: str
    changes: dict[str, Change]

    @field_validator("changes")
    @classmethod
    def _of_settings_that_count(cls, changes: dict[str, Change]) -> dict[str, Change]:
        if not changes:
            raise ValueError("a method based on another must change something")
        if unknown := sorted(set(changes) - set(MethodSettings.model_fields)):
            raise ValueError(f"unknown settings: {', '.join(unknown)}")
        if idle := sorted(set(changes) & NOT_COMPUTED):
            raise ValueError(f"nothing is computed by: {', '.join(idle)}")
        return changes


def apply_changes(base: Method, variant: Variant) -> Method:
    """The whole method that a variant stands for.

    Raises ValueError where a value does not fit its setting, contradicts another one or is that of the base.
    """
    settings = base.settings.model_dump(mode="json")
    for name, change in variant.changes.items():
        former = settings[name]["value"]
        settings[name] = {
            "value": change.value,
            "alternatives": [former],
            "status": "OPEN",
            "note_ru": change.note_ru,
        }
    try:
        changed = MethodSettings.model_validate_json(json.dumps(settings, default=str))
    except ValidationError as error:
        raise ValueError(problems_of(error, below="changes")) from error
    for name in variant.changes:
        if getattr(changed, name).value == getattr(base.settings, name).value:
            raise ValueError(f"changes.{name}.value: equals that of {base.method_id}")
    return Method(
        method_id=variant.method_id,
        title_ru=variant.title_ru,
        valid_from=base.valid_from,
        valid_to=base.valid_to,
        is_official=False,
        settings=changed,
        source=variant.source,
        evidence=variant.evidence,
        note_ru=variant.note_ru,
    )


# --- files ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MethodFile:
    """The bytes of a method file and how it is called in messages; `is_own` is a user's, who makes none official."""

    name: str
    content: bytes
    is_own: bool = False


def read_methods(files: Iterable[MethodFile]) -> tuple[tuple[Method, ...], tuple[Variant, ...]]:
    """All methods, variants made whole among them, in the order of the files; and the variants as they are written.

    Raises ReferenceFileError naming the file that is wrong.
    """
    parsed = [(file, _parse(file)) for file in files]
    _refuse_repeated(parsed)
    whole = {item.method_id: item for _, item in parsed if isinstance(item, Method)}
    methods = tuple(item if isinstance(item, Method) else _made_whole(file, item, whole) for file, item in parsed)
    return methods, tuple(item for _, item in parsed if isinstance(item, Variant))


def _parse(file: MethodFile) -> Method | Variant:
    data = load_data(file.name, file.content)
    if isinstance(data, dict) and "based_on" in data:
        return check_data(file.name, data, Variant)
    method = check_data(file.name, data, Method)
    if file.is_own and method.is_official:
        raise ReferenceFileError(f"{file.name}: is_official: the official method lies in reference/methods")
    return method


def _refuse_repeated(parsed: Sequence[tuple[MethodFile, Method | Variant]]) -> None:
    seen: dict[str, str] = {}
    for file, item in parsed:
        if item.method_id in seen:
            raise ReferenceFileError(
                f"{file.name}: method_id: repeated: {item.method_id} is that of {seen[item.method_id]}"
            )
        seen[item.method_id] = file.name


def _made_whole(file: MethodFile, variant: Variant, whole: dict[str, Method]) -> Method:
    if variant.based_on not in whole:
        known = ", ".join(sorted(whole))
        raise ReferenceFileError(f"{file.name}: based_on: no whole method {variant.based_on}; known: {known}")
    try:
        return apply_changes(whole[variant.based_on], variant)
    except ValueError as error:
        raise ReferenceFileError(f"{file.name}: {error}") from error


# --- counting ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Counting:
    """The settings that a count of participants depends on; methods that share them share the count."""

    year_basis: str
    grade_basis: str
    categories: tuple[str, ...]
    roll_up_branches: bool
    attempt: str | None
    minimum_purpose: str | None

    @property
    def counting_id(self) -> str:
        parts = (
            self.year_basis,
            self.grade_basis,
            "+".join(self.categories),
            "branches" if self.roll_up_branches else "own",
            self.attempt,
            self.minimum_purpose,
        )
        return "-".join(part for part in parts if part)


def counting_of(settings: MethodSettings, assessment: str) -> Counting:
    """How a method counts the procedures of an assessment: a ВПР has no attempts, only ЕГЭ has minimums."""
    return Counting(
        year_basis=settings.year_basis.value,
        grade_basis=settings.grade_basis.value,
        categories=tuple(sorted(settings.participant_categories.value)),
        roll_up_branches=settings.roll_up_branches.value,
        attempt=None if assessment == "vpr" else settings.attempt.value,
        minimum_purpose=settings.ege_russian_minimum.value if assessment == "ege" else None,
    )
