"""What a correct reading of the deliveries must find: counted from the simulated rows, by no pipeline.

What belongs here: results by procedure after all rules, the support list, the fate of every delivery and of
the dirt in it. What does not: how anything is written or read.

Rules, in short: absent and quarantined rows do not count; a corrected file replaces the rows it corrects;
exams count the first attempt of the main period (reserve days included, September not), with satisfied
appeals; ГВЭ, college students and leavers of former years do not count; ЕГЭ mathematics is failed by who
passed no level.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opora.demo.files import FATES, HEADING, Delivery
from opora.demo.population import Attempt, Region, School
from opora.demo.registers import excluded_reason

LOW_NUMERATOR, LOW_DENOMINATOR = 30, 100  # inclusive: at least thirty of a hundred
Counts = dict[tuple[str, int, str], tuple[int, int]]  # academic year, school, procedure -> participants, below


@dataclass(frozen=True)
class Result:
    academic_year: str
    school: School
    procedure_id: str
    state: str
    own: tuple[int, int]
    rolled: tuple[int, int]

    @property
    def is_low(self) -> bool:
        participants, below = self.rolled
        return participants > 0 and below * LOW_DENOMINATOR >= LOW_NUMERATOR * participants


@dataclass(frozen=True)
class Status:
    academic_year: str
    school: School
    current: int
    previous: int
    before: int
    excluded: str

    @property
    def basis(self) -> str:
        two_procedures = self.previous >= 2
        two_years = self.previous >= 1 and self.before >= 1
        if two_procedures and two_years:
            return "both"
        return "two_procedures" if two_procedures else "two_years" if two_years else ""

    @property
    def is_shnor(self) -> bool:
        return bool(self.basis) and not self.excluded

    @property
    def is_at_risk(self) -> bool:
        return self.current >= 1 and not self.excluded


@dataclass(frozen=True)
class Truth:
    results: list[Result]
    statuses: list[Status]
    deliveries: list[Delivery]


def find_truth(region: Region, deliveries: list[Delivery]) -> Truth:
    results = _results(region, deliveries)
    return Truth(results, _statuses(region, results), deliveries)


# --- results ---


def _results(region: Region, deliveries: list[Delivery]) -> list[Result]:
    own = _vpr_counts(region, deliveries) | _exam_counts(region)
    seen = _seen_schools(region, deliveries)
    found = []
    for year in region.facts.years:
        for school in region.schools:
            if is_closed(region, school, year.spring):
                continue
            family = [school.index, *(s.index for s in region.schools if s.parent == school.index)]
            for procedure in region.facts.procedures:
                mine = own.get((year.name, school.index, procedure), (0, 0))
                parts = [own.get((year.name, index, procedure), (0, 0)) for index in family]
                rolled = (sum(n for n, _ in parts), sum(b for _, b in parts))
                came = any((year.name, index, procedure) in seen for index in family)
                state = _state(region, school, procedure, year.spring, rolled[0], came)
                found.append(Result(year.name, school, procedure, state, mine, rolled))
    return found


def is_closed(region: Region, school: School, spring: int) -> bool:
    return school.merged_into is not None and spring > region.facts.raw["merger"]["year"]


def _state(region: Region, school: School, procedure: str, spring: int, participants: int, came: bool) -> str:
    if participants:
        return "held"
    if not school.has_grade(int(procedure.split("_")[1])):
        return "no_such_grade"
    works = {work.procedure_id for work in region.facts.works_of(spring)}
    if procedure not in works | {exam.procedure_id for exam in region.facts.exams_of(spring)}:
        return "not_held_federally"
    return "no_participants" if came else "not_delivered"


def _academic_year(region: Region, spring: int) -> str:
    return region.facts.years[region.year_index(spring)].name


def _rule_deliveries(region: Region, deliveries: list[Delivery]) -> Iterable[tuple[Delivery, str]]:
    """Accepted deliveries with results of one work, and the work's procedure."""
    for delivery in deliveries:
        if delivery.status == "accepted" and delivery.procedure_id in region.facts.procedures:
            yield delivery, delivery.procedure_id


def _vpr_counts(region: Region, deliveries: list[Delivery]) -> Counts:
    counts: Counts = {}

    def add(spring: int, school: int | None, procedure: str, participants: int, below: int) -> None:
        if school is None or not participants:
            return
        key = (_academic_year(region, spring), school, procedure)
        n, b = counts.get(key, (0, 0))
        counts[key] = (n + participants, b + below)

    for delivery, procedure in _rule_deliveries(region, deliveries):
        for row in delivery.rows:
            add(delivery.spring or 0, row.school, procedure, row.participants, row.below)
    for delivery in deliveries:
        if delivery.layout == "flat_marks":
            for row in delivery.rows:
                procedure = _flat_procedure(region, delivery, row.cells)
                if procedure in region.facts.procedures:
                    add(delivery.spring or 0, row.school, procedure, row.participants, row.below)
    return counts


def _flat_procedure(region: Region, delivery: Delivery, cells: list[Any]) -> str:
    subjects = {subject.name: subject.id for subject in region.facts.subjects.values()}
    return f"vpr_{cells[1]}_{subjects.get(cells[2], '')}"


def _seen_schools(region: Region, deliveries: list[Delivery]) -> set[tuple[str, int, str]]:
    """Schools with at least one accepted or absent row."""
    seen = set()
    for delivery, procedure in _rule_deliveries(region, deliveries):
        for row in delivery.rows:
            if row.school is not None and row.fate in ("accepted", "absent"):
                seen.add((_academic_year(region, delivery.spring or 0), row.school, procedure))
    return seen


def _exam_counts(region: Region) -> Counts:
    """First attempts of the main period, one result a person and procedure."""
    counts: Counts = {}
    for year in region.facts.years:
        passed: dict[tuple[str, int], tuple[int, bool]] = {}
        for attempt in _first_attempts(region.attempts[year.spring]):
            if attempt.school is None:
                continue
            key = (attempt.exam.procedure_id, attempt.person)
            _, before = passed.get(key, (attempt.school, False))
            passed[key] = (attempt.school, before or not attempt.final_below)
        for (procedure, _), (school, has_passed) in passed.items():
            n, b = counts.get((year.name, school, procedure), (0, 0))
            counts[year.name, school, procedure] = (n + 1, b + (not has_passed))
    return counts


def _first_attempts(attempts: list[Attempt]) -> list[Attempt]:
    """By person and exam paper (a level of mathematics is a paper), the earliest day of the main period."""
    first: dict[tuple[str, str, int], Attempt] = {}
    for attempt in attempts:
        outside = attempt.is_gve or attempt.category != "current_year" or attempt.kind == "extra"
        if outside or attempt.is_lost:
            continue
        key = (attempt.exam.assessment, attempt.exam.subject, attempt.person)
        if key not in first or attempt.held_on < first[key].held_on:
            first[key] = attempt
    return list(first.values())


# --- the list ---


def _statuses(region: Region, results: list[Result]) -> list[Status]:
    """One year beyond the last measured one: the list that the last results make."""
    low: dict[tuple[str, int], int] = {}
    for result in results:
        if result.is_low:
            key = (result.academic_year, result.school.index)
            low[key] = low.get(key, 0) + 1
    names = [year.name for year in region.facts.years]
    springs = [year.spring for year in region.facts.years]
    names.append(f"{springs[-1]}-{springs[-1] + 1}")
    springs.append(springs[-1] + 1)
    found = []
    for i, (name, spring) in enumerate(zip(names, springs, strict=True)):
        for school in region.schools:
            if is_closed(region, school, spring):
                continue
            current, previous, before = (
                low.get((names[j], school.index), 0) if j >= 0 else 0 for j in (i, i - 1, i - 2)
            )
            found.append(Status(name, school, current, previous, before, excluded_reason(region, school)))
    return found


# --- files ---


def write_truth(truth: Truth, region: Region, folder: Path, seed: int) -> dict[str, Any]:
    """Write the truth and give back its totals."""
    folder.mkdir(parents=True, exist_ok=True)
    write_table(
        folder / "procedure_result.csv",
        "academic_year,school_id,procedure_id,state,own_participants,own_below_minimum,participants,below_minimum",
        [[r.academic_year, r.school.school_id, r.procedure_id, r.state, *r.own, *r.rolled] for r in truth.results],
    )
    write_table(
        folder / "school_status.csv",
        "academic_year,school_id,is_shnor,shnor_basis,is_at_risk,low_procedures_previous_year,"
        "low_procedures_year_before,low_procedures_current_year,excluded_reason,is_rule_met,rule_basis,is_risk_rule_met",
        [_status_cells(status) for status in truth.statuses],
    )
    write_table(
        folder / "deliveries.csv",
        "path,layout,status,rows_in,accepted,absent,group,footer,blank,total,quarantined,headings,refusal,same_as",
        [_delivery_cells(delivery) for delivery in truth.deliveries],
    )
    write_table(
        folder / "dirt.csv",
        "path,check_id,count,kind,level",
        [[d.path, x.check_id, x.count, x.kind, x.level] for d in truth.deliveries for x in d.dirt],
    )
    totals = region_totals(truth, region, seed)
    text = json.dumps(totals, ensure_ascii=False, indent=1, sort_keys=True)
    (folder / "truth.json").write_text(text + "\n", encoding="utf-8")
    return totals


def _status_cells(status: Status) -> list[Any]:
    return [
        status.academic_year,
        status.school.school_id,
        status.is_shnor,
        status.basis if status.is_shnor else "",
        status.is_at_risk,
        status.previous,
        status.before,
        status.current,
        status.excluded,
        bool(status.basis),
        status.basis,
        status.current >= 1,
    ]


def _delivery_cells(delivery: Delivery) -> list[Any]:
    refusal = next((dirt.check_id for dirt in delivery.dirt if dirt.level == "refusal"), "")
    fates = delivery.fates() if delivery.is_read else {}
    by_fate = {fate: fates.get(fate, 0) for fate in FATES}
    order = ("accepted", "absent", "group", "footer", "blank", "total", "quarantined")
    heading_rows = sum(row.fate == HEADING for row in delivery.rows)
    return [
        delivery.path,
        delivery.layout,
        delivery.status,
        sum(by_fate.values()),
        *[by_fate[fate] for fate in order],
        heading_rows,
        refusal,
        delivery.same_as,
    ]


def region_totals(truth: Truth, region: Region, seed: int) -> dict[str, Any]:
    """Of the whole region: pooled sums, never means of school percentages."""
    years: dict[str, Any] = {}
    for result in truth.results:
        year = years.setdefault(result.academic_year, {})
        one = year.setdefault(result.procedure_id, {"participants": 0, "below_minimum": 0, "schools_low": 0})
        one["participants"] += result.own[0]
        one["below_minimum"] += result.own[1]
        one["schools_low"] += int(result.is_low and not result.school.is_branch)
    lists: dict[str, Any] = {}
    for status in truth.statuses:
        one = lists.setdefault(status.academic_year, {"shnor": 0, "at_risk": 0, "schools": 0, "school_ids": []})
        one["schools"] += 1
        one["shnor"] += status.is_shnor
        one["at_risk"] += status.is_at_risk
        if status.is_shnor:
            one["school_ids"].append(status.school.school_id)
    checks: dict[str, int] = {}
    for delivery in truth.deliveries:
        for dirt in delivery.dirt:
            if dirt.check_id:
                checks[dirt.check_id] = checks.get(dirt.check_id, 0) + dirt.count
    return {
        "seed": seed,
        "region_code": region.facts.code,
        "schools": len(region.schools),
        "deliveries": len(truth.deliveries),
        "procedures": years,
        "lists": lists,
        "checks": checks,
    }


def write_table(path: Path, header: str, rows: list[list[Any]]) -> None:
    """One table of the truth as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header.split(","))
    writer.writerows([[str(c).lower() if isinstance(c, bool) else c for c in row] for row in rows])
    path.write_text(text.getvalue(), encoding="utf-8")
