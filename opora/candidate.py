"""From the marts of a build to a judged candidate: written, compared with the release in force, numbered, judged.

What belongs here: the order. What does not: how each is done (`release.py`, `comparison.py`, `versions.py`, `gate.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from opora.comparison import compare, write_comparison
from opora.gate import GateCheck, judge_candidate
from opora.home import Home
from opora.quality.facts import load_expected_rows, load_gate_facts
from opora.reference import Reference
from opora.release import add_to_manifest, current_release, read_release, refuse, releases, write_candidate
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
    """
    folder = write_candidate(home, reference, database, run_id)
    former = current_release(home)
    version, changed_lists = FIRST, None
    if former:
        comparison = compare(former, read_release(folder))
        version = next_version(releases(home), step_of(comparison))
        changed_lists = restated(comparison, load_version_facts())
        write_comparison(folder, comparison, version)
    add_to_manifest(
        folder, version=version, former_release_id=former.release_id if former else None, accepted_ru=accepted_ru
    )
    reviewed = load_expected_rows(home)
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
