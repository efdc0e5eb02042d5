"""What changed at supported schools beside what changed at similar schools outside, and what may be said of it.

What belongs here: groups and their events, sham support, sensitivity, refusals, words, tables. What does not: how a
comparison is reckoned (`effect_model.py`), how similar schools are found (`effect_matching.py`), who was supported
(dbt, `int_supported_group`) and settings (`reference/analysis/effect.yaml`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from opora.analysis.base import Analysis, Frames, registry_frame
from opora.analysis.effect_matching import MATCHED, Cohort, Search, balance, match
from opora.analysis.effect_model import Comparison, EffectFacts, Outcome, Region, compare, units
from opora.analysis.pooling import PoolingFacts
from opora.facts import read_file

ALL_YEARS = "all"
METHOD_LIST = "shnor"
RESULT_BASED_INDEX = "regression_weights"  # an index that has looked at results is no condition

EVENTS: Mapping[str, tuple[int, int]] = {"year_before": (-2, -1), "list_year": (-1, 0), "year_after": (-1, 1)}
"""Years before and after of each event, counted from the year of the list."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Group:
    """Schools that were in one list alike: all of it, by support format, by a measure taken."""

    programme_id: str
    programme_ru: str
    group_kind: str
    group_id: str
    group_ru: str
    is_by_rule: bool
    schools: Mapping[int, frozenset[str]]

    @property
    def key(self) -> Row:
        names = ("programme_id", "programme_ru", "group_kind", "group_id", "group_ru")
        return {name: getattr(self, name) for name in names}


def groups_of(supported: pl.DataFrame) -> list[Group]:
    """The groups of `int_supported_group`, each with its schools by year of the list."""
    keys = ["programme_id", "group_kind", "group_id"]
    found = []
    for _, rows in supported.sort(*keys, "start_year", "school_id").group_by(keys, maintain_order=True):
        by_year = rows.group_by("start_year").agg("school_id").iter_rows()
        first = rows.row(0, named=True)
        found.append(
            Group(
                **{name: first[name] for name in (*keys, "programme_ru", "group_ru")},
                is_by_rule=bool(rows["is_by_rule"].any()),
                schools={year: frozenset(schools) for year, schools in by_year},
            )
        )
    return found


# --- the study ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Estimate:
    """A comparison, or why there is none."""

    found: Comparison | None
    pairs: pl.DataFrame
    reason_ru: str | None = None


@dataclass(frozen=True)
class Study:
    """All that a row of the table is made of; what is looked for twice is kept."""

    region: Region
    groups: Sequence[Group]
    breaks: frozenset[tuple[str, int]]  # subject and year whose marks are not comparable with the year before
    year_names: Mapping[int, str]
    facts: EffectFacts
    _matches: dict[tuple[Cohort, Search], pl.DataFrame] = field(default_factory=dict)

    def listed(self, programme_id: str, year: int) -> frozenset[str]:
        lists = [g for g in self.groups if g.programme_id == programme_id and g.group_kind == "list"]
        return frozenset().union(*(group.schools.get(year, frozenset()) for group in lists))

    def pool(self, programme_id: str, year: int) -> frozenset[str]:
        """Schools outside: not in the own list of that year, not in the list of any programme, not excluded."""
        known = self.region.covariates(year).filter(~pl.col("is_excluded"))["school_id"].to_list()
        programmes = {group.programme_id for group in self.groups} - {METHOD_LIST} | {programme_id}
        return frozenset(known).difference(*(self.listed(name, year) for name in programmes))

    def cohorts(self, group: Group, years: Iterable[int]) -> list[Cohort]:
        return [Cohort(year, group.schools[year], self.pool(group.programme_id, year)) for year in years]

    def sham(self, cohorts: Sequence[Cohort]) -> list[Cohort]:
        """As if the schools outside that had a bad year themselves had been supported; nobody did."""
        low = pl.col("low_count") >= self.facts.sham_low_procedures.value
        found = []
        for cohort in cohorts:
            names = self.region.covariates(cohort.year).filter(low)["school_id"].to_list()
            bad = cohort.pool & frozenset(names)
            found.append(Cohort(cohort.year, bad, cohort.pool - bad))
        return found

    def earlier(self, group: Group, cohorts: Sequence[Cohort]) -> list[Cohort]:
        """As if the support had begun a year before it did."""
        found = []
        for cohort in cohorts:
            former = self.listed(group.programme_id, cohort.year - 1)
            found.append(Cohort(cohort.year - 1, cohort.treated - former, cohort.pool - former))
        return found

    def matched(self, cohorts: Iterable[Cohort], search: Search) -> pl.DataFrame:
        parts = [pl.DataFrame(schema=MATCHED)]
        for cohort in cohorts:
            if (cohort, search) not in self._matches:
                known = self.region.covariates(cohort.year)
                self._matches[cohort, search] = match(cohort, known, search)
            parts.append(self._matches[cohort, search])
        return pl.concat(parts)

    def estimate(self, cohorts: Sequence[Cohort], outcome: Outcome, event: str, search: Search) -> Estimate:
        """The comparison over the cohorts whose years before and after have results."""
        usable = self.usable(cohorts, event)
        pairs = self.matched(usable, search)
        if not usable:
            return Estimate(None, pairs, "Результатов года до или года после нет или их мало.")
        before, after = EVENTS[event]
        changes = {c.year: self.region.changes(outcome, c.year + before, c.year + after) for c in usable}
        rows = units(pairs, changes)
        for side, least, words in (
            (rows.filter("is_treated"), self.facts.minimum_treated.value, "Школ группы, которым нашлись сходные"),
            (rows.filter(~pl.col("is_treated")), self.facts.minimum_comparison.value, "Сходных школ"),
        ):
            if (schools := side["school_id"].n_unique()) < least:
                return Estimate(None, pairs, f"{words}, {schools}, а нужно не меньше {least}: сравнения нет.")
        return Estimate(compare(rows, self.facts.confidence.value), pairs)

    def usable(self, cohorts: Sequence[Cohort], event: str) -> list[Cohort]:
        before, after = EVENTS[event]
        return [c for c in cohorts if self.region.has(c.year - 1, c.year + before, c.year + after)]

    # --- rows ---

    def rows(self) -> list[Row]:
        """Every group × outcome × year of the list, and all years together, × event."""
        return [
            self.row(group, outcome, years, event)
            for group in self.groups
            for outcome in self.facts.outcomes
            for years in self.spans(group)
            for event in EVENTS
        ]

    def spans(self, group: Group) -> list[list[int]]:
        """Each year of the group by itself; all together where there is more than one."""
        years = sorted(year for year in group.schools if self.region.has(year - 1))
        return [[year] for year in years] + ([years] if len(years) > 1 else [])

    def row(self, group: Group, outcome: Outcome, years: list[int], event: str) -> Row:
        cohorts = self.cohorts(group, years)
        usable = self.usable(cohorts, event)
        before, after = EVENTS[event]
        row: Row = group.key | {
            "outcome_id": outcome.outcome_id,
            "outcome_ru": outcome.label_ru,
            "list_year": self.year_names[years[0]] if len(years) == 1 else ALL_YEARS,
            "event": event,
            "before_years": self.named(c.year + before for c in usable),
            "after_years": self.named(c.year + after for c in usable),
            "treated_count": sum(len(cohort.treated) for cohort in usable or cohorts),
        }
        estimate = self.estimate(cohorts, outcome, event, self.facts.search)
        if estimate.found is None:
            return row | {"is_estimated": False, "reason_ru": estimate.reason_ru}
        row |= {"is_estimated": True} | _figures(estimate.found)
        if event == "year_before":
            # what both sides did before the list: matching saw these years, so it is no test and has no net figure
            return row | dict.fromkeys(_NET)
        row |= self.sensitivity(cohorts, outcome, event)
        placebos = {"sham": self.estimate(self.sham(usable), outcome, event, self.facts.search).found}
        if not group.is_by_rule:  # a list made of the bad year would only show that the year was bad
            shifted = self.earlier(group, usable)
            placebos["earlier"] = self.estimate(shifted, outcome, "list_year", self.facts.search).found
        found = {name: placebo.net for name, placebo in placebos.items() if placebo is not None}
        for name, values in found.items():
            row |= _bounded(f"placebo_{name}", values)
        row["is_placebo_passed"] = _is_passed(found)
        row["is_balanced"] = self.is_balanced(cohorts, usable, estimate.pairs)
        row["later_listed_count"] = self.later_listed(group, usable, estimate.pairs, after)
        row["design_note_ru"] = self.note(group, outcome, usable, row, event)
        return row

    def named(self, years: Iterable[int]) -> str | None:
        return ";".join(self.year_names[year] for year in sorted(set(years))) or None

    def sensitivity(self, cohorts: Sequence[Cohort], outcome: Outcome, event: str) -> Row:
        """From what to what the net difference goes when the search for similar schools is set otherwise."""
        others = (self.estimate(cohorts, outcome, event, search).found for search in self.facts.other_searches)
        values = [other.net[0] for other in others if other is not None]
        return {
            "sensitivity_lower": min(values, default=None),
            "sensitivity_upper": max(values, default=None),
            "sensitivity_count": len(values),
        }

    def later_listed(self, group: Group, usable: Sequence[Cohort], pairs: pl.DataFrame, after: int) -> int:
        """Schools of the comparison that came into the list themselves before the outcome was measured."""
        found: set[tuple[int, str]] = set()
        for cohort in usable:
            similar = set(pairs.filter(start_year=cohort.year)["comparison_id"])
            for year in range(cohort.year + 1, cohort.year + after + 1):
                found |= {(cohort.year, school) for school in similar & self.listed(group.programme_id, year)}
        return len(found)

    # --- balance ---

    def balance(self, cohorts: Sequence[Cohort], pairs: pl.DataFrame) -> list[Row]:
        known = pl.concat([self.region.covariates(cohort.year) for cohort in cohorts])
        names = [covariate.covariate_id for covariate in self.facts.covariates]
        return balance(cohorts, pairs, known, names)

    def is_balanced(self, cohorts: Sequence[Cohort], usable: Sequence[Cohort], pairs: pl.DataFrame) -> bool:
        found = [row["difference_after"] for row in self.balance(usable or cohorts, pairs)]
        return all(value is not None and abs(value) <= self.facts.balance_limit.value for value in found)

    def balance_rows(self) -> list[Row]:
        """Every group × year of the list, and all years together, × covariate."""
        labels = {covariate.covariate_id: covariate.label_ru for covariate in self.facts.covariates}
        found = []
        for group in self.groups:
            for years in self.spans(group):
                cohorts = self.cohorts(group, years)
                pairs = self.matched(cohorts, self.facts.search)
                about = group.key | {
                    "list_year": self.year_names[years[0]] if len(years) == 1 else ALL_YEARS,
                    "treated_count": sum(len(cohort.treated) for cohort in cohorts),
                    "matched_count": pairs.select("start_year", "treated_id").n_unique(),
                    "comparison_count": pairs["comparison_id"].n_unique(),
                }
                for row in self.balance(cohorts, pairs):
                    after = row["difference_after"]
                    is_balanced = None if after is None else abs(after) <= self.facts.balance_limit.value
                    found.append(
                        about | row | {"covariate_ru": labels[row["covariate_id"]], "is_balanced": is_balanced}
                    )
        return found

    # --- words ---

    def note(self, group: Group, outcome: Outcome, usable: Sequence[Cohort], row: Row, event: str) -> str:
        """What may and may not be said of a row."""
        notes = self.facts.notes
        before, after = EVENTS[event]
        spans = [range(cohort.year + before + 1, cohort.year + after + 1) for cohort in usable]
        is_broken = any(
            (subject, year) in self.breaks for span in spans for year in span for subject in outcome.subjects
        )
        told = {
            notes.always: True,
            notes.by_rule: group.is_by_rule,
            notes.computed_list: group.programme_id == METHOD_LIST,
            notes.repeated: group.group_id == "repeated",
            notes.partly_matched: row["matched_count"] < row["treated_count"],
            notes.unbalanced: not row["is_balanced"],
            notes.later_listed: row["later_listed_count"] > 0,
            notes.placebo_failed: row["is_placebo_passed"] is False,
            notes.placebo_absent: row["is_placebo_passed"] is None,
            notes.break_between: is_broken,
        }
        return " ".join(words for words, is_so in told.items() if is_so)


def _is_passed(placebos: Mapping[str, tuple[float, float, float]]) -> bool | None:
    """No sham support shows a difference; nor did the schools get better before support began.

    That they got worse before it is no failure: it is the bad year for which schools are chosen.
    """
    if not placebos:
        return None
    return all(high >= 0 and (low <= 0 or name == "earlier") for name, (_, low, high) in placebos.items())


_NET = (
    "treated_expected_regression",
    "comparison_expected_regression",
    "difference_net_of_regression",
    "difference_net_of_regression_lower",
    "difference_net_of_regression_upper",
)


def _figures(found: Comparison) -> Row:
    treated_before, treated_after, comparison_before, comparison_after = found.shares
    return (
        {
            "matched_count": found.matched,
            "comparison_count": found.similar,
            "treated_participants": found.participants,
            "treated_before_share": treated_before,
            "treated_after_share": treated_after,
            "comparison_before_share": comparison_before,
            "comparison_after_share": comparison_after,
            "treated_change": treated_after - treated_before,
            "comparison_change": comparison_after - comparison_before,
            "treated_expected_regression": found.expected[0] - treated_before,
            "comparison_expected_regression": found.expected[1] - comparison_before,
        }
        | _bounded("difference_in_differences", found.difference)
        | _bounded("difference_net_of_regression", found.net)
    )


def _bounded(name: str, values: tuple[float, float, float]) -> Row:
    return {name: values[0], f"{name}_lower": values[1], f"{name}_upper": values[2]}


# --- tables ------------------------------------------------------------------------------------------


def lasting(traits: pl.DataFrame, context: pl.DataFrame) -> pl.DataFrame:
    """Conditions of a school as covariates: town or village, the latest official index that has not seen results."""
    index = context.filter(pl.col("is_official") & (pl.col("method") != RESULT_BASED_INDEX)).drop_nulls("rank_share")
    latest = index.sort("academic_year").group_by("school_id").agg(conditions=pl.col("rank_share").last())
    urban = pl.col("is_urban").cast(pl.Float64)
    return traits.select("school_id", urban=urban).join(latest, on="school_id", how="left")


def _breaks(breaks: pl.DataFrame, procedures: pl.DataFrame) -> frozenset[tuple[str, int]]:
    """Subjects and years whose shares of marks are not to be put beside the year before."""
    told = breaks.filter("affects_marks").join(procedures, on=["procedure_id", "academic_year"])
    return frozenset(told.select("subject", "start_year").unique().iter_rows())


def study_of(frames: Frames, facts: EffectFacts) -> Study:
    """The study over what an analysis reads; years with too few schools are left out."""
    history = frames["intermediate.int_result_history"]
    enough = pl.col("school_id").n_unique().over("start_year") >= facts.minimum_schools.value
    known = history.filter(enough)
    return Study(
        region=Region(
            history=known,
            traits=lasting(frames["intermediate.int_school_trait"], frames["analysis.context_index"]),
            largest_prior_weight=read_file("analysis/pooling.yaml", PoolingFacts).largest_prior_weight.value,
        ),
        groups=groups_of(frames["intermediate.int_supported_group"]),
        breaks=_breaks(
            frames["reference.comparability_break"],
            known.select("procedure_id", "academic_year", "subject", "start_year").unique(),
        ),
        year_names=dict(frames["reference.academic_year"].select("start_year", "academic_year").iter_rows()),
        facts=facts,
    )


def _compute(frames: Frames) -> Frames:
    facts = read_file("analysis/effect.yaml", EffectFacts)
    tables: dict[str, list[Row]] = {name: [] for name in EFFECT.writes}
    if facts.is_enabled.value:
        study = study_of(frames, facts)
        tables = {"effect_comparison": study.rows(), "effect_covariate": study.balance_rows()}
    parts = {name: [pl.DataFrame(rows, infer_schema_length=None)] if rows else [] for name, rows in tables.items()}
    return {name: registry_frame(name, part) for name, part in parts.items()}


EFFECT = Analysis(
    name="effect",
    title_ru="Изменение поддержанных школ рядом со сходными школами",
    reads=(
        "intermediate.int_result_history",
        "intermediate.int_school_trait",
        "intermediate.int_supported_group",
        "analysis.context_index",
        "reference.academic_year",
        "reference.comparability_break",
    ),
    writes=("effect_comparison", "effect_covariate"),
    compute=_compute,
)
