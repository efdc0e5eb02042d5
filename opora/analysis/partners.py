"""Leaders for schools that need support: agreements are kept, the other schools get the best leaders there are.

What belongs here: who may lead whom by the dated rules, the score of a pair, the optimal assignment. What does not:
results, lists and agreements themselves (dbt, `int_partner_…`), words about a pair (the mart `partnership`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import model_validator

from opora.analysis.base import Analysis, Frames
from opora.facts import Dated, ReferenceFileError, Setting, default_root, frame_of, read_file
from opora.groups import ContextClass
from schemas.arrow import polars_schema

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Criterion = Literal["published_list", "against_journal", "fall", "rise", "high_mean"]
# Scores are compared as whole thousandths, so that equal ones are equal on every machine.
_STEPS = 1000


class PartnerRules(Dated):
    """Who gets a leader, who may be one, and what makes a pair good; in force for the named academic years."""

    rules_id: str
    title_ru: str
    supported: Setting[tuple[Literal["shnor", "risk", "programme"], ...]]
    capacity: Setting[int]
    open_agreement_years: Setting[int]
    propose_beside_agreements: Setting[bool]
    leader_classes: Setting[tuple[ContextClass, ...]]
    leader_minimum_participants: Setting[int]
    leader_evidence: Setting[Literal["interval", "point"]]
    leader_without_low_results: Setting[bool]
    marker_years: Setting[int]
    marker_criteria: Setting[tuple[Criterion, ...]]
    other_municipality: Setting[Literal["allowed", "forbidden"]]
    municipality_weight: Setting[float]
    conditions_weight: Setting[float]
    strength_weight: Setting[float]
    settlement_weight: Setting[float]
    next_school_penalty: Setting[float]
    full_advantage: Setting[float]

    @model_validator(mode="after")
    def _possible(self) -> PartnerRules:
        weights = (self.municipality_weight, self.conditions_weight, self.strength_weight, self.settlement_weight)
        if min(weight.value for weight in (*weights, self.next_school_penalty)) < 0:
            raise ValueError("weights and the penalty are not negative")
        if self.capacity.value < 1 or self.open_agreement_years.value < 1:
            raise ValueError("capacity and open_agreement_years are at least 1")
        if self.full_advantage.value <= 0:
            raise ValueError("full_advantage is above 0")
        return self


def load_rules(root: Path | None = None) -> tuple[PartnerRules, ...]:
    """The files of `reference/partners/`. Raises ReferenceFileError, also where two hold in one year."""
    folder = root or default_root()
    names = sorted(path.relative_to(folder).as_posix() for path in (folder / "partners").glob("*.yaml"))
    rules = tuple(read_file(name, PartnerRules, folder) for name in names)
    for one, other in combinations(rules, 2):
        if one.overlaps(other):
            raise ReferenceFileError(f"reference/partners: {one.rules_id} and {other.rules_id} hold in one year")
    return rules


def rules_of(rules: Iterable[PartnerRules], academic_year: str) -> PartnerRules | None:
    return next((one for one in rules if one.covers(academic_year)), None)


def rule_tables(rules: Sequence[PartnerRules], academic_years: Iterable[str]) -> Mapping[str, pl.DataFrame]:
    """What SQL must know of the rules, by academic year: the plain settings, and the markers that keep from leading."""
    dated = [(year, found) for year in academic_years if (found := rules_of(rules, year))]
    return {
        "partner_rule": frame_of(
            "academic_year rules_id capacity:int open_agreement_years:int marker_years:int",
            (
                (year, r.rules_id, r.capacity.value, r.open_agreement_years.value, r.marker_years.value)
                for year, r in dated
            ),
        ),
        "partner_marker": frame_of(
            "academic_year criterion",
            ((year, criterion) for year, r in dated for criterion in r.marker_criteria.value),
        ),
    }


# --- a region in a year ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pairs:
    """Every school that wants a leader (rows) beside every other school (columns): may they be a pair, and is it good?

    `weak` and `strong` say by subject of which rows and columns it is so.
    """

    schools: tuple[str, ...]
    is_supported: tuple[bool, ...]
    leaders: tuple[str, ...]
    admissible: Flags
    score: Numbers
    parts: Mapping[str, Numbers]
    weak: Mapping[str, Flags]
    strong: Mapping[str, Flags]
    by_class: Flags


def weigh(wanting: pl.DataFrame, others: pl.DataFrame, subjects: pl.DataFrame, rules: PartnerRules) -> Pairs:
    """The pairs of one region and year.

    `wanting`, `others`: school_id, is_supported, municipality_id, settlement_type, conditions_share, context_class,
    class_participants, and of the others `may_lead`. `subjects`: school_id, subject_id, participants, below_minimum,
    expected_below, share_ci_high, is_weak.
    """
    judged = _judged(subjects, rules)
    names = sorted(set(subjects["subject_id"]))
    weak = {name: _of(wanting, judged, name, "is_weak") > 0 for name in names}
    strong = {name: _of(others, judged, name, "is_strong") > 0 for name in names}
    ahead = {name: np.where(strong[name], _of(others, judged, name, "ahead"), 0.0) for name in names}
    nothing = np.zeros((wanting.height, others.height))
    weak_count = np.maximum(sum(weak.values(), np.zeros(wanting.height)), 1)[:, None]
    parts = {
        "municipality": _same(wanting["municipality_id"], others["municipality_id"]),
        "conditions": _alike(wanting["conditions_share"], others["conditions_share"]),
        "strength": sum((np.outer(weak[name], ahead[name]) for name in names), nothing) / weak_count,
        "settlement": _same(wanting["settlement_type"], others["settlement_type"]),
    }
    weights = {
        "municipality": rules.municipality_weight.value,
        "conditions": rules.conditions_weight.value,
        "strength": rules.strength_weight.value,
        "settlement": rules.settlement_weight.value,
    }
    is_certain = (others["class_participants"] >= rules.leader_minimum_participants.value).fill_null(False)
    by_class = (
        others["context_class"].is_in(list(rules.leader_classes.value)).fill_null(False) & is_certain
    ).to_numpy()
    by_results = sum((np.outer(weak[name], strong[name]) for name in names), nothing) > 0
    is_another = wanting["school_id"].to_numpy()[:, None] != others["school_id"].to_numpy()[None, :]
    admissible = is_another & others["may_lead"].to_numpy() & (by_class | by_results)
    if rules.other_municipality.value == "forbidden":
        admissible &= parts["municipality"] == 1
    return Pairs(
        schools=tuple(wanting["school_id"]),
        is_supported=tuple(wanting["is_supported"]),
        leaders=tuple(others["school_id"]),
        admissible=admissible,
        score=sum((weights[name] * np.nan_to_num(part) for name, part in parts.items()), nothing),
        parts=parts,
        weak=weak,
        strong=strong,
        by_class=by_class,
    )


def _judged(subjects: pl.DataFrame, rules: PartnerRules) -> pl.DataFrame:
    """How far a school is ahead of the region in a subject, 0 to 1, and whether so many participants bear it out."""
    expected = pl.col("expected_below") / pl.col("participants")
    share = pl.col("below_minimum") / pl.col("participants")
    seen = pl.col("share_ci_high") if rules.leader_evidence.value == "interval" else share
    return subjects.with_columns(
        ahead=((expected - share) / rules.full_advantage.value).clip(0, 1),
        is_strong=(pl.col("participants") >= rules.leader_minimum_participants.value) & (seen < expected),
    )


def _of(schools: pl.DataFrame, judged: pl.DataFrame, subject: str, name: str) -> Numbers:
    """A value of each of the schools in their order; where nothing is known, 0."""
    values = judged.filter(pl.col("subject_id") == subject).select("school_id", name)
    joined = schools.select("school_id").join(values, on="school_id", how="left", maintain_order="left")
    return joined[name].cast(pl.Float64).fill_null(0).to_numpy()


def _same(ours: pl.Series, theirs: pl.Series) -> Numbers:
    """1 where both are known and equal, nan where one is unknown."""
    unknown = ours.is_null().to_numpy()[:, None] | theirs.is_null().to_numpy()[None, :]
    equal = ours.to_numpy()[:, None] == theirs.to_numpy()[None, :]
    return np.where(unknown, np.nan, equal.astype(float))


def _alike(ours: pl.Series, theirs: pl.Series) -> Numbers:
    """1 for the same conditions, 0 for the opposite ends of the region, nan where one is unknown."""
    left, right = (series.cast(pl.Float64).to_numpy() for series in (ours, theirs))
    return np.asarray(1 - np.abs(left[:, None] - right[None, :]))


# --- the assignment ----------------------------------------------------------------------------------


def assign(admissible: Flags, score: Numbers, taken: Sequence[int], capacity: int, penalty: float) -> list[int | None]:
    """For every row a column or None: as many rows as can be are served, and of all such ways the sum is greatest.

    A column serves `capacity` rows less those it has `taken`; each costs `penalty` more than the one before. Among
    equal sums the answer depends on the order of rows and columns alone.
    """
    from scipy.optimize import linear_sum_assignment

    places = [(column, turn) for column, first in enumerate(taken) for turn in range(first, capacity)]
    if not places or not len(score):
        return [None] * len(score)
    columns = [column for column, _ in places]
    worth = np.rint((score[:, columns] - penalty * np.array([turn for _, turn in places])) * _STEPS)
    # one more row served outweighs all that the scores of the others can differ by
    served = (np.ptp(worth) + 1) * (len(score) + 1)
    allowed = admissible[:, columns]
    rows, found = linear_sum_assignment(np.where(allowed, worth - worth.min() + served, 0.0), maximize=True)
    answer: list[int | None] = [None] * len(score)
    for row, place in zip(rows.tolist(), found.tolist(), strict=True):
        if allowed[row, place]:
            answer[row] = columns[place]
    return answer


def match(
    schools: pl.DataFrame, subjects: pl.DataFrame, agreements: pl.DataFrame, rules: PartnerRules
) -> Iterator[dict[str, Any]]:
    """Rows of `partner_match` for one region and year, without the year: agreements as they are, then proposals.

    `schools` as dbt's `int_partner_school` with what `placed` adds; `agreements`: school_id,
    leader_school_id.
    """
    schools = schools.sort("school_id").with_columns(is_supported=_is_supported(rules))
    fixed = agreements.select("school_id", "leader_school_id").unique().sort(pl.all()).rows()
    has_agreement = pl.col("school_id").is_in([school for school, _ in fixed])
    wanting = schools.filter(pl.col("is_supported") | has_agreement)
    pairs = weigh(wanting, schools.with_columns(may_lead=_may_lead(rules)), subjects, rules)
    column_of = {leader: column for column, leader in enumerate(pairs.leaders)}
    agreed = [[leader for one, leader in fixed if one == school] for school in pairs.schools]
    taken = [sum(leader == name for of_school in agreed for leader in of_school) for name in pairs.leaders]
    free = pairs.admissible.copy()
    for row, leaders in enumerate(agreed):
        for number, leader in enumerate(leaders, start=1):
            yield _told(pairs, row, column_of.get(leader), rules) | {
                "leader_school_id": leader,
                "leader_number": number,
                "outcome": "agreement",
            }
        free[row, [column_of[leader] for leader in leaders if leader in column_of]] = False
    is_open = [not leaders or rules.propose_beside_agreements.value for leaders in agreed]
    rows = [row for row, is_supported in enumerate(pairs.is_supported) if is_supported and is_open[row]]
    found = assign(free[rows], pairs.score[rows], taken, rules.capacity.value, rules.next_school_penalty.value)
    for row, column in zip(rows, found, strict=True):
        if column is not None:
            outcome, leader = "proposal", pairs.leaders[column]
        else:
            outcome, leader = "no_place" if free[row].any() else "no_leader", None
        if leader or not agreed[row]:
            yield _told(pairs, row, column, rules) | {
                "leader_school_id": leader,
                "leader_number": len(agreed[row]) + 1,
                "outcome": outcome,
            }


def _is_supported(rules: PartnerRules) -> pl.Expr:
    lists = {"shnor": "is_shnor", "risk": "was_at_risk", "programme": "is_in_programme"}
    return pl.any_horizontal(pl.col(lists[name]) for name in rules.supported.value)


def _may_lead(rules: PartnerRules) -> pl.Expr:
    """Whether a school may lead at all; whom it may lead depends on the pair."""
    may = pl.col("is_ordinary") & pl.col("is_assessed") & ~pl.col("is_supported") & ~pl.col("is_marked")
    return may & (pl.col("low_previous") == 0) if rules.leader_without_low_results.value else may


def _told(pairs: Pairs, row: int, column: int | None, rules: PartnerRules) -> dict[str, Any]:
    """What is known of a school and, if there is one, of its leader."""
    weak = [name for name, is_weak in pairs.weak.items() if is_weak[row]]
    told: dict[str, Any] = {
        "school_id": pairs.schools[row],
        "is_supported": pairs.is_supported[row],
        "leaders_possible": int(pairs.admissible[row].sum()),
        "weak_subjects": ";".join(weak) or None,
        "rules_id": rules.rules_id,
    }
    if column is None:
        return told
    strong = [name for name in weak if pairs.strong[name][column]]
    grounds = [word for word, holds in (("class", pairs.by_class[column]), ("results", strong)) if holds]
    parts = {f"{name}_part": _known(part[row, column]) for name, part in pairs.parts.items()}
    return (
        told
        | parts
        | {
            "is_admissible": bool(pairs.admissible[row, column]),
            "leader_grounds": "+".join(grounds) or None,
            "score": float(pairs.score[row, column]),
            "strong_subjects": ";".join(strong) or None,
        }
    )


def _known(number: float) -> float | None:
    return None if np.isnan(number) else float(number)


# --- the analysis ------------------------------------------------------------------------------------


def partner_matches(
    schools: pl.DataFrame, subjects: pl.DataFrame, agreements: pl.DataFrame, rules: Sequence[PartnerRules]
) -> pl.DataFrame:
    """`partner_match` of all regions and years that have rules. `schools` bear what `placed` adds."""
    rows: list[dict[str, Any]] = []
    for (year, _), of_region in schools.sort("school_id").group_by("academic_year", "region_code", maintain_order=True):
        rule = rules_of(rules, str(year))
        if rule is None:
            continue
        here = (pl.col("academic_year") == year) & pl.col("school_id").is_in(of_region["school_id"].implode())
        found = match(of_region, subjects.filter(here), agreements.filter(here), rule)
        rows += [{"academic_year": year} | row for row in found]
    schema = polars_schema("partner_match")
    named = ("conditions_share", "context_class")
    leader = schools.select("academic_year", "school_id", *named).rename(
        {
            "school_id": "leader_school_id",
            "conditions_share": "leader_conditions_share",
            "context_class": "leader_class",
        }
    )
    return (
        pl.DataFrame(rows, schema={name: kind for name, kind in schema.items() if name not in _JOINED})
        .join(schools.select("academic_year", "school_id", "conditions_share"), on=["academic_year", "school_id"])
        .join(leader, on=["academic_year", "leader_school_id"], how="left")
        .select(schema.names())
        .sort(schema.names()[:3])
    )


_JOINED = ("conditions_share", "leader_conditions_share", "leader_class")


def placed(schools: pl.DataFrame, index: pl.DataFrame, expectation: pl.DataFrame, reach: pl.DataFrame) -> pl.DataFrame:
    """Schools with their conditions: the share of the region's schools with an index no higher, in the nearest year in
    which it is known, and the class of the results that the list rests on."""
    known = index.filter("is_official", pl.col("rank_share").is_not_null()).select(
        "school_id", context_year="academic_year", conditions_share="rank_share"
    )
    nearest = (
        reach.join(known, on="context_year")
        .sort("preference")
        .unique(["academic_year", "school_id"], keep="first", maintain_order=True)
        .select("academic_year", "school_id", "conditions_share")
    )
    classes = expectation.filter("is_official").select(
        "school_id", "context_class", results_year="academic_year", class_participants="participants"
    )
    return schools.join(nearest, on=["academic_year", "school_id"], how="left").join(
        classes, on=["results_year", "school_id"], how="left"
    )


def _compute(frames: Frames) -> Frames:
    schools = placed(
        frames["intermediate.int_partner_school"],
        frames["analysis.context_index"],
        frames["analysis.expectation"],
        frames["reference.context_reach"],
    )
    subjects, agreements = frames["intermediate.int_partner_subject"], frames["intermediate.int_partner_year"]
    return {"partner_match": partner_matches(schools, subjects, agreements, load_rules())}


PARTNERS = Analysis(
    name="partners",
    title_ru="Школы-лидеры: соглашения и предложения",
    reads=(
        "intermediate.int_partner_school",
        "intermediate.int_partner_subject",
        "intermediate.int_partner_year",
        "analysis.context_index",
        "analysis.expectation",
        "reference.context_reach",
    ),
    writes=("partner_match",),
    compute=_compute,
)
