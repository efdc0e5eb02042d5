"""Schools whose results are not to be trusted, planted into the simulated region, and the markers that must find them.

What belongs here: what is done to the results of a few schools, by a seed of its own. What does not: the rules of the
markers (`reference/objectivity/`) and layouts (`vpr_files.py`). Only works of grade 4 and marks in the journal are
touched, so the support list stays as it was simulated.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from opora.demo.population import Planted, Region, WorkResults
from opora.demo.truth import write_table


def plant(region: Region, seed: int) -> None:
    """Change results in place as `region.yaml` says, a story a school, and note what must be found."""
    plan = region.facts.raw["planted_markers"]
    rng = np.random.default_rng([seed, plan["seed"]])
    free = [
        school
        for school in region.schools
        if school.role_name in plan["roles"] and not school.trajectory and school.per_grade >= plan["least_per_grade"]
    ]
    schools = [free[i] for i in rng.permutation(len(free))[: len(plan["stories"])]]
    for school, story in zip(schools, plan["stories"], strict=True):
        results = region.vpr[story["spring"], story["work"]]
        _CHANGES[story["change"]](results, np.flatnonzero(results.school == school.index), rng)
        region.planted += [Planted(school=school, **marker) for marker in story["markers"]]


def _inflate(results: WorkResults, pupils: np.ndarray, rng: np.random.Generator) -> None:
    """Nearly everybody solves nearly everything."""
    results.points[pupils] = rng.binomial(results.work.maxima, 0.95, (len(pupils), len(results.work.maxima)))


def _deflate(results: WorkResults, pupils: np.ndarray, rng: np.random.Generator) -> None:
    results.points[pupils] = rng.binomial(results.work.maxima, 0.12, (len(pupils), len(results.work.maxima)))


def _turn_journal(results: WorkResults, pupils: np.ndarray, rng: np.random.Generator) -> None:
    """The best in the work have the worst marks in the journal; the marks themselves stay."""
    order = pupils[np.argsort(-results.totals[pupils], kind="stable")]
    results.prior[order] = np.sort(results.prior[pupils])


_CHANGES: dict[str, Callable[[WorkResults, np.ndarray, np.random.Generator], None]] = {
    "inflate": _inflate,
    "deflate": _deflate,
    "turn_journal": _turn_journal,
}


def write_truth(region: Region, folder: Path) -> None:
    """Markers that must be found; others may be found by chance."""
    years = {year.spring: year.name for year in region.facts.years}
    rows = [[years[one.spring], one.school.school_id, one.marker_id] for one in region.planted]
    write_table(folder / "objectivity.csv", "academic_year,school_id,marker_id", rows)
