"""A synthetic region: seeded deliveries in the real layouts, and the truth about them.

`config.py` reads the invented facts, `population.py` simulates schools, pupils and results, `vpr_files.py`,
`exam_files.py` and `registers.py` lay them out by family, `dirt.py` spoils them in known counts, `truth.py`
says what a correct reading must find. `context_files.py` does all of it for conditions of schools, `risk_files.py` for
risk profiles, `agreements.py` for partners; `objectivity.py` plants results not to be trusted, `tasks.py` deficits by
task. Everybody and everything in it is made up.

`country.py` is another world: a country of any size, streamed a file at a time, with facts of its own (`country.yaml`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from opora.demo import (
    agreements,
    context_files,
    dirt,
    exam_files,
    objectivity,
    registers,
    risk_files,
    tasks,
    vpr_files,
)
from opora.demo.config import load_facts
from opora.demo.files import Delivery, write
from opora.demo.population import Region, simulate
from opora.demo.truth import find_truth, write_truth

__all__ = ["DemoSummary", "write_region"]

DEFAULT_SEED = 20200819


@dataclass(frozen=True)
class DemoSummary:
    """What was written."""

    home: Path
    seed: int
    region_name: str
    academic_years: list[str]
    schools: int
    municipalities: int
    pupils: int
    deliveries: int
    rows: int
    quarantined: int
    refused: int
    shnor: dict[str, int]
    at_risk: dict[str, int]


def write_region(home: Path, seed: int = DEFAULT_SEED, schools: int = 60) -> DemoSummary:
    """Write `<home>/landing/**` and `<home>/truth/`. The same seed gives the same bytes."""
    facts = load_facts()
    region = simulate(facts, seed, schools)
    objectivity.plant(region, seed)
    tasks.plant(region, seed)
    deliveries = make_deliveries(region, seed)
    truth = find_truth(region, deliveries)
    risks = risk_files.make(region, truth.statuses, seed)
    deliveries += [*risks.deliveries, *agreements.deliveries(region, truth.statuses, seed)]
    for delivery in deliveries:
        write(delivery, home / "landing")
    totals = write_truth(replace(truth, deliveries=deliveries), region, home / "truth", seed)
    context_files.write_truth(region, seed, home / "truth")
    risk_files.write_truth(risks, home / "truth")
    objectivity.write_truth(region, home / "truth")
    agreements.write_truth(region, truth.statuses, seed, home / "truth")
    tasks.write_truth(region, home / "truth")
    fates = [delivery.fates() for delivery in deliveries if delivery.is_read]
    return DemoSummary(
        home=home,
        seed=seed,
        region_name=facts.name,
        academic_years=[year.name for year in facts.years],
        schools=len(region.schools),
        municipalities=len(facts.municipalities),
        pupils=len(region.pupils.school),
        deliveries=len(deliveries),
        rows=sum(sum(fate.values()) for fate in fates),
        quarantined=sum(fate["quarantined"] for fate in fates),
        refused=sum(delivery.status == "refused" for delivery in deliveries),
        shnor={year: one["shnor"] for year, one in totals["lists"].items()},
        at_risk={year: one["at_risk"] for year, one in totals["lists"].items()},
    )


def make_deliveries(region: Region, seed: int) -> list[Delivery]:
    """Every delivery as it will be written: clean layouts, one correction, dirt, strange files."""
    made = vpr_files.deliveries(region)
    correction = dirt.correct(region, made)
    made += [*exam_files.deliveries(region, seed), *registers.deliveries(region, seed), correction]
    dirt.spoil_all(region, made, seed)
    return [
        *made,
        *dirt.strange_files(region, made),
        *context_files.deliveries(region, seed),
        *tasks.deliveries(region),
    ]
