"""From the marts of a build to a judged candidate: written, compared with the release in force, numbered, judged.

What belongs here: the order. What does not: how each is done (`release.py`, `comparison.py`, `versions.py`, `gate.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Thread

import polars as pl

from opora.analysis import ANALYSES
from opora.comparison import compare, write_comparison
from opora.gate import GateCheck, judge_candidate
from opora.home import Home
from opora.inputs import done
from opora.means import duckdb_settings
from opora.public.facts import load_public_facts
from opora.public.profile import Former, public_tables
from opora.quality.facts import load_expected_rows, load_gate_facts
from opora.reference import Reference
from opora.release import (
    OFFICIAL,
    PUBLIC,
    Release,
    ReleaseError,
    add_to_manifest,
    current_release,
    published_releases,
    read_release,
    refuse,
    releases,
    write_candidate,
    write_public,
)
from opora.versions import FIRST, load_version_facts, next_version, restated, step_of


@dataclass(frozen=True)
class Candidate:
    """A judged candidate: where it lies now, and every verdict."""

    folder: Path
    verdicts: tuple[GateCheck, ...]

    @property
    def is_refused(self) -> bool:
        return not all(verdict.lets_pass for verdict in self.verdicts)


def make_candidate(home: Home, reference: Reference, database: Path, run_id: str, accepted_ru: str = "") -> Candidate:
    """Export, compare, number and judge the marts of a build file; a refused candidate is kept under another name.

    `accepted_ru` is the reason a person gives for falls and jumps against the release in force.
    Raises ReleaseError for a build in which not all calculations have been made.
    """
    if missing := sorted({analysis.name for analysis in ANALYSES} - set(done(database))):
        raise ReleaseError(
            f"Не сделаны расчёты: {', '.join(missing)}. Выбрана только часть графа; запустите задание целиком."
        )
    loading = Thread(target=import_module, args=("great_expectations",), daemon=True)
    loading.start()  # takes seconds of Python while DuckDB writes
    folder = write_candidate(home, reference, database, run_id)
    former = current_release(home)
    version, changed_lists = FIRST, None
    if former:
        comparison = compare(former, read_release(folder), duckdb_settings(database))
        version = next_version(releases(home), step_of(comparison))
        changed_lists = restated(comparison, load_version_facts())
        write_comparison(folder, comparison, version)
    add_to_manifest(
        folder, version=version, former_release_id=former.release_id if former else None, accepted_ru=accepted_ru
    )
    # what was shown stays known to those who saw it, whatever a rollback put in its place
    write_public(folder, _public(folder, reference, published_releases(home)))
    reviewed = load_expected_rows(home)
    loading.join()
    verdicts = judge_candidate(
        folder,
        load_gate_facts(),
        former=former,
        expected=reviewed.expected if reviewed else None,
        restated=changed_lists,
        accepted_ru=accepted_ru,
    )
    gate = [verdict.as_dict() for verdict in verdicts]
    add_to_manifest(folder, gate=gate)
    candidate = Candidate(folder, tuple(verdicts))
    return Candidate(refuse(home, folder, gate), tuple(verdicts)) if candidate.is_refused else candidate


def _public(folder: Path, reference: Reference, published: Sequence[Release]) -> dict[str, pl.DataFrame]:
    """The public tables; what former releases showed is remembered, so that all of them tell no more than one."""
    facts, manifest = load_public_facts(), read_release(folder).manifest
    years = [
        year
        for year, maturity in manifest["maturity_by_year"].items()
        if maturity == "final" or not facts.final_years_only.value
    ]
    methods = {method.method_id: method.settings for method in reference.methods if method.is_official}
    former = [Former(item.folder / OFFICIAL, item.folder / PUBLIC) for item in published]
    shown = [item for item in former if item.public.is_dir()]
    return public_tables(folder / OFFICIAL, years, facts, methods, shown)
