"""Versions of releases: the number that a change leads to, the log of switches, what was in force on a day, retention.

What belongs here: rules about releases in time. What does not: how a release is made (`opora/release.py`) and what
differs between two of them (`opora/comparison.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from opora.comparison import Comparison
from opora.facts import Cited, Setting, read_file
from opora.home import Home
from opora.release import Release, ReleaseError, current_release, read_log, releases, remove_releases

Step = Literal["major", "minor", "patch", "none"]
FIRST = "1.0.0"


class VersionFacts(Cited):
    """How long lists may be restated, and how many releases are kept."""

    restatement_years: Setting[int]
    keep_newest: Setting[int]
    keep_last_of_year: Setting[bool]


class Version(NamedTuple):
    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return ".".join(map(str, self))


def load_version_facts() -> VersionFacts:
    return read_file("release/versions.yaml", VersionFacts)


def parse_version(text: str) -> Version:
    """`1.4.2`. Raises ValueError if it is none."""
    return Version(*map(int, text.split(".")))


def step_of(comparison: Comparison) -> Step:
    """What a change does to the version.

    `major`: something that a reader may rely on is gone — a mart, a column, a type, a year, a school. `minor`:
    something came, or figures changed by a method, code or reference. `patch`: deliveries were corrected, nothing else.
    """
    marts = comparison.marts
    if (
        comparison.marts_removed
        or comparison.years_removed
        or comparison.schools_removed
        or any(mart.columns_removed or mart.columns_retyped for mart in marts)
    ):
        return "major"
    if all(mart.is_same for mart in marts) and not comparison.marts_added:
        return "none"
    came = comparison.marts_added or comparison.years_added or any(mart.columns_added for mart in marts)
    corrected = bool(comparison.inputs_replaced or comparison.inputs_removed)
    new_inputs = len(comparison.inputs_added) > len(comparison.inputs_replaced)
    if came or comparison.methods_changed or new_inputs or not corrected:
        return "minor"
    return "patch"


def next_version(known: Iterable[Release], step: Step) -> str:
    """The version after all known ones: a rollback does not bring a number back."""
    found = [parse_version(str(item.manifest["version"])) for item in known if item.manifest.get("version")]
    if not found:
        return FIRST
    last = max(found)
    if step == "major":
        return str(Version(last.major + 1, 0, 0))
    if step == "minor":
        return str(Version(last.major, last.minor + 1, 0))
    return str(Version(last.major, last.minor, last.patch + 1))


def restated(comparison: Comparison, facts: VersionFacts) -> list[str]:
    """Lists that changed although they are older than the restatement window, by year."""
    free = set(comparison.list_years[-facts.restatement_years.value :]) | set(comparison.years_added)
    return sorted({school.academic_year for school in comparison.schools} - free)


# --- in time -------------------------------------------------------------------------------------------


def release_on(home: Home, day: date) -> Release:
    """The release that was in force at the end of a day. Raises ReleaseError if there was none or it is gone."""
    found: Mapping[str, Any] | None = None
    for entry in read_log(home):
        if datetime.fromisoformat(str(entry["at"])).date() <= day and entry["action"] != "prune":
            found = entry
    if found is None:
        raise ReleaseError(f"На {day:%d.%m.%Y} выпусков ещё не было.")
    return find_release(home, str(found["release_id"]))


def find_release(home: Home, words: str) -> Release:
    """A release by its id, its version, a date (`2025-10-01`: in force that day) or `current`. Raises ReleaseError."""
    if words == "current":
        item = current_release(home)
        if item is None:
            raise ReleaseError("Выпусков ещё нет.")
        return item
    try:
        return release_on(home, date.fromisoformat(words))
    except ValueError:
        pass
    known = releases(home)
    for item in known:
        if words in (item.release_id, item.manifest.get("version")):
            return item
    raise ReleaseError(f"Нет выпуска {words}; список: opora release list.")


# --- retention -----------------------------------------------------------------------------------------


def superfluous(home: Home, facts: VersionFacts) -> list[Release]:
    """Releases that retention lets go, oldest first: never the current one."""
    known = releases(home)
    current = current_release(home)
    kept = {item.release_id for item in known[: facts.keep_newest.value]}
    if current:
        kept.add(current.release_id)
    if facts.keep_last_of_year.value:
        last: dict[str, str] = {}
        for item in reversed(known):
            last[str(item.manifest["created_at"])[:4]] = item.release_id
        kept |= set(last.values())
    return [item for item in reversed(known) if item.release_id not in kept]


def prune(home: Home, items: Iterable[Release]) -> list[str]:
    """Remove releases; never the one in force, whatever came into force since the list was made. The removed ones."""
    return remove_releases(home, [item.release_id for item in items])
