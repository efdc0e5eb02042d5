"""What stands behind a release: whether it is as it was sealed, and whether all that its figures were made of is there.

What belongs here: looking and counting, and making the marts again to compare. What does not: how a release is made
(`opora/release.py`) and words for a terminal (`opora/cli/`).
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow.parquet as pq

from opora.delivery import DeliveryRecord, read_records
from opora.home import UNDATED, Home, sha256_of
from opora.inputs import described_methods, fingerprint, versions
from opora.lake import part_state
from opora.landing import survey
from opora.reference import Reference
from opora.release import (
    DATABASE,
    OFFICIAL,
    PUBLIC,
    Release,
    ReleaseError,
    export_marts,
    verify,
)

Original = Literal["present", "purged", "missing"]
# `reread`: not the part of the release any more, but what a later intake wrote and recorded in its place.
Part = Literal["whole", "reread", "changed", "missing", "not_recorded"]


@dataclass(frozen=True)
class Input:
    """A delivery that a release was made of, and what is left of it."""

    delivery_id: str
    file_name: str
    status: str
    academic_years: tuple[str, ...]
    is_replaced: bool
    original: Original
    parts: Mapping[str, Part]

    @property
    def is_available(self) -> bool:
        """Whether its figures can be made again: its parts are in the lake, or the file can be read again."""
        states = set(self.parts.values())
        if self.status == "refused" or self.is_replaced:
            return True
        return "changed" not in states and (states <= {"whole", "reread"} or self.original == "present")


@dataclass(frozen=True)
class Basis:
    """One of the things that the figures depend on besides deliveries: as it was, and as it is now."""

    what: str
    then: str
    now: str

    @property
    def is_same(self) -> bool:
        return self.then == self.now


@dataclass(frozen=True)
class Verification:
    """All that was found."""

    release_id: str
    version: str
    files: int
    marts: int
    wrong_files: tuple[str, ...]
    wrong_rows: tuple[str, ...]
    inputs: tuple[Input, ...]
    basis: tuple[Basis, ...]

    @property
    def is_whole(self) -> bool:
        return not self.wrong_files and not self.wrong_rows

    @property
    def unavailable(self) -> list[Input]:
        return [item for item in self.inputs if not item.is_available]

    @property
    def is_good(self) -> bool:
        return self.is_whole and not self.unavailable

    @property
    def can_be_made_again(self) -> bool:
        """Whether the marts made now would have to be the same: nothing they depend on has changed."""
        parts = {state for item in self.inputs for state in item.parts.values()}
        return parts <= {"whole"} and all(item.is_same for item in self.basis)

    def by_year(self) -> dict[str, Counter[str]]:
        """Deliveries, originals and parts behind the figures of each measured year."""
        found: dict[str, Counter[str]] = {}
        for item in self.inputs:
            if item.status == "refused":
                continue
            for year in item.academic_years or (UNDATED,):
                counts = found.setdefault(year, Counter())
                counts["deliveries"] += 1
                counts[f"original_{item.original}"] += 1
                counts["unavailable"] += not item.is_available
                counts.update(f"part_{state}" for path, state in item.parts.items() if f"academic_year={year}/" in path)
        return dict(sorted(found.items()))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {
            "is_whole": self.is_whole,
            "is_good": self.is_good,
            "can_be_made_again": self.can_be_made_again,
            "unavailable": [item.delivery_id for item in self.unavailable],
            "by_year": {year: dict(counts) for year, counts in self.by_year().items()},
        }


def verify_release(home: Home, release: Release, reference: Reference) -> Verification:
    """Derive every checksum of a release again, count its rows, and look for all it was made of."""
    manifest = release.manifest
    return Verification(
        release_id=release.release_id,
        version=str(manifest.get("version", "")),
        files=len(manifest.get("files", {})),
        marts=len(manifest.get("row_counts", {})),
        wrong_files=tuple(verify(release)),
        wrong_rows=tuple(_wrong_rows(release)),
        inputs=tuple(_inputs(home, manifest.get("inputs", ()))),
        basis=tuple(_basis(home, manifest, reference)),
    )


def _wrong_rows(release: Release) -> list[str]:
    """Marts whose files hold another number of rows than the manifest tells; profiles whose two forms differ."""
    told: Mapping[str, int] = release.manifest.get("row_counts", {})
    wrong = []
    for profile, wanted in ((OFFICIAL, told), (PUBLIC, None)):
        folder = release.folder / profile
        if not folder.is_dir():
            continue
        in_files = {path.stem: pq.read_metadata(path).num_rows for path in sorted(folder.glob("*.parquet"))}
        for form, counts in (("parquet", in_files), (DATABASE, _rows_of_database(folder / DATABASE))):
            expected = in_files if wanted is None else wanted
            wrong += [
                f"{profile}/{mart} ({form}): строк {counts.get(mart, 'нет')}, а должно быть {expected.get(mart, 'нет')}"
                for mart in sorted({*counts, *expected})
                if counts.get(mart) != expected.get(mart)
            ]
    return wrong


def _rows_of_database(path: Path) -> dict[str, int]:
    with duckdb.connect(str(path), read_only=True) as marts:
        names = [name for (name,) in marts.execute("select table_name from duckdb_tables()").fetchall()]
        return {name: (marts.execute(f'select count(*) from "{name}"').fetchone() or (0,))[0] for name in names}


def _inputs(home: Home, told: Iterable[Mapping[str, Any]]) -> list[Input]:
    landed = {file.sha256 for file in survey(home.landing)[0]}
    records = read_records(home)
    return [
        Input(
            delivery_id=item["delivery_id"],
            file_name=item["paths"][0],
            status=item["status"],
            academic_years=tuple(item.get("academic_years", ())),
            is_replaced=item.get("replaced_by") is not None,
            original=_original(item["sha256"], landed, records.get(item["delivery_id"])),
            parts=_parts(home, item, records.get(item["delivery_id"])),
        )
        for item in told
    ]


def _original(sha256: str, landed: set[str], record: DeliveryRecord | None) -> Original:
    if sha256 in landed:
        return "present"
    return "purged" if record is not None and record.purged else "missing"


def _parts(home: Home, told: Mapping[str, Any], record: DeliveryRecord | None) -> dict[str, Part]:
    if "parts" not in told:
        return {"": "not_recorded"} if told["status"] != "refused" else {}
    return {path: _part(home, path, sha256, record) for path, sha256 in told["parts"].items()}


def _part(home: Home, path: str, sha256: str, record: DeliveryRecord | None) -> Part:
    state = part_state(home, path, sha256)
    recorded = record.part_sha256.get(path) if record else sha256
    if state == "whole" or recorded == sha256:
        return state
    # a later intake wrote another part, or took it away
    now = part_state(home, path, recorded) if recorded else "missing"
    return "reread" if (now == "whole" if recorded else state == "missing") else now


def _basis(home: Home, manifest: Mapping[str, Any], reference: Reference) -> list[Basis]:
    then = [*manifest.get("methods", ()), *manifest.get("compared_methods", ())]
    now = [*described_methods(reference, official=True), *described_methods(reference, official=False)]
    return [
        *(
            Basis(what, str(manifest.get(what, "не записано")), version)
            for what, version in versions(home, reference).items()
        ),
        Basis("methods", _told(then), _told(now)),
    ]


def _told(methods: Sequence[Mapping[str, str]]) -> str:
    told = ", ".join(sorted(f"{item['method_id']} {item['settings_hash']}" for item in methods))
    return f"{len(methods)}: {hashlib.sha256(told.encode()).hexdigest()[:12]}"


# --- made again --------------------------------------------------------------------------------------


def differences_when_made_again(
    home: Home, release: Release, reference: Reference, build: Callable[[Path], object]
) -> Sequence[str]:
    """Make the marts from the lake again, in a folder of their own, and say which files are not the same bytes.

    Raises ReleaseError where what they depend on has changed, so that they could not be the same.
    """
    from opora.warehouse import prepare

    day = date.fromisoformat(str(release.manifest.get("as_of") or release.manifest["created_at"])[:10])
    if fingerprint(home, reference, day) != release.manifest["fingerprint"]:
        raise ReleaseError(
            "Пересобрать и сравнить нельзя: с тех пор изменились поставки, код, справочники или методики."
        )
    with tempfile.TemporaryDirectory(prefix="opora-verify-") as folder:
        database, again = Path(folder) / "build" / "opora.duckdb", Path(folder) / OFFICIAL
        prepare(home, reference, database, as_of=day)
        build(database)
        again.mkdir()
        export_marts(database, again)
        sealed: Mapping[str, str] = release.manifest["files"]
        return [
            path.name for path in sorted(again.iterdir()) if sealed.get(f"{OFFICIAL}/{path.name}") != sha256_of(path)
        ]
