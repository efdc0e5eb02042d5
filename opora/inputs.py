"""What the marts of a build are a function of: deliveries, code, reference, methods, the day. One hash tells it.

What belongs here: the fingerprint and what a manifest tells of it, noted beside a build file when that is laid out, so
that a release says what its marts were made of, whatever came meanwhile. What does not: when a run has anything to do
(`freshness.py`), and the release (`release.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

from opora.delivery import DeliveryRecord, read_records
from opora.home import PROJECT, Home, read_json, sha256_of_all, write_json
from opora.intake import intake_version
from opora.methods import Method
from opora.programmes import last_turn, load_programmes
from opora.reference import Reference
from opora.risk import last_turn_of_risk, load_risk

# Code and facts that figures may depend on. A release that was not needed is the lesser evil, so all of the domain is
# taken but what only shows marts or makes up deliveries.
_SOURCES = ("dbt/models", "dbt/macros", "schemas", "opora", "reference")
_APART = ("opora/cli", "opora/demo", "opora/documents")

NO_BUILD_RU = (
    "Промежуточного файла прогона нет: он убран, или выбрана только часть графа. Запустите задание целиком, а не "
    "отдельные таблицы и не с места сбоя."
)


class NoBuild(Exception):
    """There is no build file where one is needed; the message says what to do."""


def told_inputs(home: Home, reference: Reference, records: Sequence[DeliveryRecord], day: date) -> dict[str, Any]:
    """What a manifest tells of what marts are made of: versions, methods, deliveries and the fingerprint of it all."""
    return {
        **versions(home, reference),
        "fingerprint": fingerprint(home, reference, day, records),
        "methods": described_methods(reference, official=True),
        "compared_methods": described_methods(reference, official=False),
        "inputs": [_input(record) for record in records],
    }


def versions(home: Home, reference: Reference) -> dict[str, str]:
    """Of code and facts, as a manifest tells them."""
    return {
        "code_version": package_version("opora"),
        "calculation_version": calculation_version(home),
        "intake_version": intake_version(home, reference),
        "reference_version": reference.version,
    }


def note_inputs(database: Path, told: Mapping[str, Any]) -> None:
    """Keep what a build file is made of beside it. One that is laid out anew has nothing done in it yet."""
    _done(database).unlink(missing_ok=True)
    write_json(_note(database), told)


def noted_inputs(database: Path) -> dict[str, Any]:
    """What a build file was noted to be made of; nothing if it was not laid out whole."""
    return read_json(_note(database))


def require_build(database: Path) -> None:
    """Raises NoBuild if a build file is not there: what should have made it was not run, or it has been removed."""
    if not database.is_file():
        raise NoBuild(NO_BUILD_RU)


def note_done(database: Path, name: str) -> None:
    """Keep beside a build file that a calculation has been made in it."""
    write_json(_done(database), read_json(_done(database)) | {name: True})


def done(database: Path) -> list[str]:
    """The calculations that have been made in a build file."""
    return sorted(read_json(_done(database)))


def _done(database: Path) -> Path:
    return database.with_suffix(".done.json")


def _note(database: Path) -> Path:
    return database.with_suffix(".inputs.json")


def fingerprint(
    home: Home, reference: Reference, day: date | None = None, records: Iterable[DeliveryRecord] | None = None
) -> str:
    """A hash of accepted deliveries and what was read of them, code, reference, own methods, and plans due by a day."""
    digest = hashlib.sha256(intake_version(home, reference).encode())
    today = day or date.today()
    turns = (last_turn(load_programmes(), today), last_turn_of_risk(load_risk(), today))
    digest.update(max(turns).isoformat().encode())
    for record in read_records(home).values() if records is None else records:
        digest.update(repr(_told(record)).encode())
    digest.update(calculation_version(home).encode())
    return digest.hexdigest()[:16]


def _told(record: DeliveryRecord) -> tuple[object, ...]:
    if record.status == "refused":
        return record.delivery_id, record.message_ru
    read = (record.intake_version, sorted(record.part_sha256.items()))
    return record.delivery_id, record.replaced_by, record.received_at.isoformat(), *read


def calculation_version(home: Home) -> str:
    """Changes when SQL, registry, code of the domain, reference or own methods do: all that makes marts of the lake."""
    return sha256_of_all((*_source_files(), *sorted(home.methods.glob("*.yaml"))))[:12]


def _source_files() -> list[Path]:
    apart = [PROJECT / folder for folder in _APART]
    files = [path for folder in _SOURCES for path in (PROJECT / folder).rglob("*")]
    kept = (path for path in files if path.suffix in (".sql", ".yaml", ".yml", ".csv", ".py"))
    return sorted(path for path in kept if not any(path.is_relative_to(folder) for folder in apart))


def described_methods(reference: Reference, *, official: bool) -> list[dict[str, str]]:
    """The methods that decide the lists, or those that they are compared with, as a manifest tells of them."""
    return [_described(method) for method in reference.methods if method.is_official == official]


def _described(method: Method) -> dict[str, str]:
    settings = hashlib.sha256(method.settings.model_dump_json().encode()).hexdigest()[:12]
    return {"method_id": method.method_id, "title_ru": method.title_ru, "settings_hash": settings}


def _input(record: DeliveryRecord) -> dict[str, Any]:
    return {
        "delivery_id": record.delivery_id,
        "sha256": record.sha256,
        "paths": record.paths,
        "status": record.status,
        "layout_ids": record.layout_ids,
        "academic_years": record.academic_years,
        "rows_in": record.rows.rows_in,
        "parts": record.part_sha256,
        "received_at": record.received_at.isoformat(),
        "replaced_by": record.replaced_by,
    }
