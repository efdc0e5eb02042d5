"""Removing the originals of deliveries that have been taken in: what is published needs them no more.

What belongs here: which originals may go, their removal and what is remembered of it. What does not: the deliveries
themselves, whose parts of the lake, issues and record stay as they are (`opora/delivery.py`, `opora/intake.py`).

The record of a delivery says first that its original goes and why; then the file goes. A process killed in between
leaves a file that the next purge removes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from opora.delivery import DeliveryRecord, Purge, read_records, write_record
from opora.home import Home
from opora.intake import NOTE_LAYOUT, files_with_work
from opora.landing import Landed, survey
from opora.reference import Reference


@dataclass(frozen=True)
class Kept:
    """An original that stays, and why."""

    path: str
    reason_ru: str


@dataclass(frozen=True)
class PurgeReport:
    """What was removed, or would be: deliveries with the paths of their originals; and what stays."""

    removed: tuple[tuple[DeliveryRecord, tuple[str, ...]], ...]
    kept: tuple[Kept, ...]


def purge(
    home: Home,
    reference: Reference,
    *,
    by: str,
    reason_ru: str,
    deliveries: Collection[str] = (),
    older_than: timedelta = timedelta(0),
    with_refused: bool = False,
    dry_run: bool = False,
    now: datetime | None = None,
) -> PurgeReport:
    """Remove originals of deliveries received longer ago than `older_than`, or only of the named ones.

    An original stays that is still to be read, that is a delivery note by which others are read, that lies outside
    landing behind a link, or that was refused, unless refused ones are asked for or it is named.
    """
    moment = now or datetime.now(UTC)
    files, _ = survey(home.landing)
    records = read_records(home)
    waiting = set(files_with_work(home, reference, files, records))
    removed, kept = [], []
    for delivery_id in dict.fromkeys(file.delivery_id for file in files):
        originals = [file for file in files if file.delivery_id == delivery_id]
        record = records.get(delivery_id)
        if deliveries and delivery_id not in deliveries:
            continue
        if record and not deliveries and moment - record.received_at < older_than:
            continue
        why = _why_it_stays(home, record, originals, waiting, with_refused or delivery_id in deliveries)
        if record is None or why:
            kept += [Kept(file.relative, why) for file in originals]
            continue
        paths = tuple(file.relative for file in originals)
        removed.append((record, paths))
        if not dry_run:
            record.purged.append(Purge(at=moment, by=by, reason_ru=reason_ru, sha256=record.sha256, paths=list(paths)))
            write_record(home, record)
            for file in originals:
                _remove(home, file.path)
    return PurgeReport(tuple(removed), tuple(kept))


def _why_it_stays(
    home: Home, record: DeliveryRecord | None, originals: Sequence[Landed], waiting: Collection[str], refused_too: bool
) -> str:
    if record is None or any(file.relative in waiting for file in originals):
        return "ещё не принят этой версией: сначала opora run"
    if NOTE_LAYOUT in record.layout_ids:
        return "это опись: по ней читаются другие файлы"
    if record.status == "refused" and not refused_too:
        return "отклонён, и данных из него нигде больше нет: назовите поставку или добавьте --refused"
    inside = home.landing.resolve()
    if any(file.path.is_symlink() or not file.path.resolve().is_relative_to(inside) for file in originals):
        return "лежит вне landing, здесь только ссылка: удалите его там"
    return ""


def _remove(home: Home, path: Path) -> None:
    """The file, and folders that are empty without it."""
    path.unlink(missing_ok=True)
    for folder in path.parents:
        if folder == home.landing or any(folder.iterdir()):
            return
        folder.rmdir()
