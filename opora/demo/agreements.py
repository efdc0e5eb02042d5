"""Agreements between listed schools and leaders of the invented region, with a few broken rows and one correction.

What belongs here: who signs with whom, the yearly files, and which agreements a correct reading must keep. What does
not: the list itself (`truth.py`) and who would be proposed.

Chance comes from a seed of its own, so that the rest of the region is the same with or without this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zlib import crc32

import numpy as np

from opora.demo.files import Cell, Delivery, Row, headings
from opora.demo.population import Region, School
from opora.demo.registers import excluded_reason
from opora.demo.truth import Status, write_table

FOLDER = "соглашения"
HEADER = [
    "школа",
    "муниципалитет",
    "школа-лидер",
    "номер соглашения",
    "дата подписания",
    "действует по",
    "есть совместная программа",
]


@dataclass(frozen=True)
class Agreement:
    academic_year: str
    school: School
    leader: School
    number: str
    signed_on: str
    valid_to: str | None
    has_programme: bool
    is_leader_listed: bool = False


def draw(region: Region, statuses: Sequence[Status], seed: int) -> list[Agreement]:
    """For some schools of each year's list a leader, of their own municipality if there is one."""
    found = []
    for year, plan in region.facts.raw["agreements"].items():
        rng = np.random.default_rng([seed, crc32(f"agreements {year}".encode())])
        listed = [one.school for one in statuses if one.academic_year == year and one.is_shnor]
        for number, place in enumerate(sorted(rng.permutation(len(listed))[: plan["schools"]].tolist()), start=1):
            school = listed[place]
            is_crossed = number <= plan.get("listed_leaders", 0)
            leader = next(one for one in listed if one is not school) if is_crossed else _leader(region, school, listed)
            terms = (f"{number}-{year[2:4]}", plan["signed"], plan.get("valid_to"), bool(rng.random() < 0.5))
            found.append(Agreement(year, school, leader, *terms, is_leader_listed=is_crossed))
    return found


def _leader(region: Region, school: School, listed: Sequence[School]) -> School:
    """The school of the highest latent quality among those that are large and not in the list, near before far."""
    least = region.facts.raw["leader_per_grade"]
    free = [
        one
        for one in region.schools
        if one not in listed and one.merged_into is None and one.per_grade >= least and not excluded_reason(region, one)
    ]
    return min(
        free, key=lambda one: (one.municipality != school.municipality, -float(region.quality[one.index].mean()))
    )


def deliveries(region: Region, statuses: Sequence[Status], seed: int) -> list[Delivery]:
    """A file a year; in the last one some rows are broken, and a later file names the leader of one agreement anew."""
    made = []
    agreements = draw(region, statuses, seed)
    for year, plan in region.facts.raw["agreements"].items():
        of_year = [one for one in agreements if one.academic_year == year]
        rows = headings(HEADER)
        rows += [Row(_cells(one)) for one in of_year]
        delivery = Delivery(
            f"{FOLDER}/Соглашения {year}.xlsx",
            {"Соглашения": rows},
            date.fromisoformat(plan["received"]),
            layout="partner_agreement",
        )
        for kind, (check_id, cells) in _broken(of_year[1]).items():
            for _ in range(plan.get("broken", {}).get(kind, 0)):
                rows.append(Row(cells, "quarantined"))
                delivery.soil(kind, check_id, "quarantine")
        delivery.soil("listed_leader", "leader_is_listed", "warning", sum(one.is_leader_listed for one in of_year))
        made.append(delivery)
        if "corrected" in plan:
            # the first file named another leader by mistake: that one must not count
            right = of_year[-1]
            wrong = next(
                one for one in region.schools if one.role_name == "centre" and one not in (right.school, right.leader)
            )
            place = rows.index(next(row for row in rows if row.cells == _cells(right)))
            rows[place] = Row([*_cells(right)[:2], _named(wrong), *_cells(right)[3:]])
            again = {"Соглашения": [*headings(HEADER), Row(_cells(right))]}
            path = f"{FOLDER}/Соглашения {year} (исправлено).xlsx"
            made.append(Delivery(path, again, date.fromisoformat(plan["corrected"]), layout="partner_agreement"))
    return made


def _named(school: School) -> str:
    return f"{school.name} (edu{school.login})"


def _cells(one: Agreement) -> list[Cell]:
    signed, last = (_day(day) if day else None for day in (one.signed_on, one.valid_to))
    has_programme = "да" if one.has_programme else "нет"
    return [
        _named(one.school),
        one.school.municipality.name,
        _named(one.leader),
        one.number,
        signed,
        last,
        has_programme,
    ]


def _day(day: str) -> str:
    return date.fromisoformat(day).strftime("%d.%m.%Y")


def _broken(one: Agreement) -> dict[str, tuple[str, list[Cell]]]:
    """Rows that no reading may take, made of a good one."""
    cells = _cells(one)
    return {
        "own_leader": ("partner_is_the_school", [cells[0], cells[1], cells[0], "б/н-1", *cells[4:]]),
        "early_end": ("agreement_ends_too_early", [*cells[:3], "б/н-2", cells[4], "01.09.2019", cells[6]]),
        "no_day": ("required_value_missing", [*cells[:3], "б/н-3", None, *cells[5:]]),
        "no_login": ("value_unreadable", [*cells[:2], one.leader.name, "б/н-4", *cells[4:]]),
        "twice": ("duplicate_row", cells),
    }


def write_truth(region: Region, statuses: Sequence[Status], seed: int, folder: Path) -> None:
    rows = [
        [
            one.academic_year,
            one.school.school_id,
            one.leader.school_id,
            one.number,
            one.signed_on,
            one.valid_to or "",
            one.has_programme,
            one.is_leader_listed,
        ]
        for one in draw(region, statuses, seed)
    ]
    header = (
        "academic_year,school_id,leader_school_id,agreement_number,signed_on,valid_to,has_programme,is_leader_listed"
    )
    write_table(folder / "partner_agreement.csv", header, rows)
