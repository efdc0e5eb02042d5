"""Releases: a candidate folder with manifest and checksums, the atomic switch of `current`, verification.

What belongs here: how marts leave the build file and how readers get them. What does not: how marts are
computed (dbt) and whether they may be published (`opora/gate.py`).

A release folder is written under a hidden name and renamed when it is whole; `current` is a link that is
replaced in one step. A reader who opened a release stays in it, whatever is published meanwhile.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from opora.home import Home, clear_parts, sha256_of, write_json
from opora.inputs import NO_BUILD_RU, noted_inputs
from opora.lock import OWNER, hold, is_dead
from opora.means import duckdb_settings
from opora.reference import Reference
from opora.safe_text import safe_cell_sql, safe_cells
from opora.sql import quoted
from schemas.dictionary import dictionary_json, dictionary_markdown
from schemas.registry import Column, Table, tables

MANIFEST = "manifest.json"
OFFICIAL = "official"
PUBLIC = "public"
DATABASE = "marts.duckdb"
LOG = "log.jsonl"
_SWITCHES = ("publish", "rollback")
_CANDIDATE = ".candidate-"
_REFUSED = ".refused-"
_PRUNED = ".pruned-"
_VERDICTS = "gate.json"
_LINK = ".current-"
LEFTOVER_SECONDS = 24 * 3600
_MARKED_SECONDS = 60


class ReleaseError(Exception):
    """A release cannot be made, found or trusted; the message says what to do."""


@dataclass(frozen=True)
class Release:
    """A published release: its folder and its manifest."""

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def release_id(self) -> str:
        return str(self.manifest["release_id"])

    @property
    def database(self) -> Path:
        return self.folder / OFFICIAL / DATABASE


# --- reading -------------------------------------------------------------------------------------------


def read_release(folder: Path) -> Release:
    """The release in a folder. Raises ReleaseError if there is no manifest."""
    try:
        return Release(folder, json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise ReleaseError(f"В папке {folder} нет {MANIFEST}: это не выпуск.") from error


def releases(home: Home) -> list[Release]:
    """All published releases, newest first."""
    folders = [p.parent for p in home.releases.glob(f"[!.]*/{MANIFEST}") if not p.parent.is_symlink()]
    found = [read_release(folder) for folder in folders]
    return sorted(found, key=lambda release: str(release.manifest["created_at"]), reverse=True)


def current_release(home: Home) -> Release | None:
    """The release that readers get now; None before the first one."""
    return read_release(home.current.resolve()) if home.current.is_symlink() else None


def require_release(home: Home) -> Release:
    """The release that readers get now. Raises ReleaseError before the first one."""
    release = current_release(home)
    if release is None:
        raise ReleaseError("Выпуска ещё нет: сначала opora run.")
    return release


def read_log(home: Home) -> list[Mapping[str, Any]]:
    """What became current and when, oldest first.

    Releases older than the first line were published when they were made. One that is younger and that no line tells
    of never came into force: its run ended before the switch. A switch that the log does not know is told by the link.
    """
    log = _told(home)
    return [*log, *_unlogged_switch(home, log)]


def published_releases(home: Home) -> list[Release]:
    """The releases that have been in force and are still there, latest first, also those that were rolled back."""
    told = (str(entry["release_id"]) for entry in reversed(read_log(home)) if entry["action"] == "publish")
    folders = [home.releases / name for name in dict.fromkeys(told)]
    return [read_release(folder) for folder in folders if folder.is_dir()]


def _told(home: Home) -> list[Mapping[str, Any]]:
    entries = _entries(home)
    began = min((str(entry["at"]) for entry in entries), default=None)
    told = {entry["release_id"] for entry in entries}
    silent = [
        {"at": item.manifest["created_at"], "action": "publish", "release_id": item.release_id, "reason_ru": ""}
        for item in releases(home)
        if item.release_id not in told and (began is None or str(item.manifest["created_at"]) < began)
    ]
    return sorted([*entries, *silent], key=lambda entry: str(entry["at"]))


def _entries(home: Home) -> list[Mapping[str, Any]]:
    path = home.releases / LOG
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    return [entry for line in lines if (entry := _entry(line))]


def _unlogged_switch(home: Home, log: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The switch of a process that ended before it could write its line: the link knows whereto and when."""
    switches = [entry["release_id"] for entry in log if entry["action"] in _SWITCHES]
    if not home.current.is_symlink() or home.current.readlink().name in switches[-1:]:
        return []
    at = datetime.fromtimestamp(home.current.lstat().st_mtime, UTC)
    reason = "записано по ссылке current: процесс прервался, не дописав журнал"
    name = home.current.readlink().name
    return [{"at": at.isoformat(), "action": "publish", "release_id": name, "reason_ru": reason}]


def _entry(line: str) -> Mapping[str, Any] | None:
    """A line of the log; a line that a killed process left half written says nothing."""
    try:
        return dict(json.loads(line))
    except ValueError:
        return None


def _log(home: Home, action: str, release_id: str, reason_ru: str = "") -> None:
    entry = {"at": datetime.now(UTC).isoformat(), "action": action, "release_id": release_id, "reason_ru": reason_ru}
    _append(home, entry)


def _append(home: Home, entry: Mapping[str, Any]) -> None:
    """One line more, on a line of its own whatever was left before it."""
    with (home.releases / LOG).open("a+b") as file:
        ends_well = file.seek(0, os.SEEK_END) == 0 or (file.seek(-1, os.SEEK_END), file.read(1))[1] == b"\n"
        file.write((("" if ends_well else "\n") + json.dumps(entry, ensure_ascii=False) + "\n").encode())
        file.flush()
        os.fsync(file.fileno())


# --- making --------------------------------------------------------------------------------------------


def candidate_folder(home: Home, run_id: str) -> Path:
    """Where a run puts its candidate, under a name that no reader takes for a release."""
    return home.releases / f"{_CANDIDATE}{run_id}"


def write_candidate(home: Home, reference: Reference, database: Path, run_id: str) -> Path:
    """Export the marts of a build file into a hidden candidate folder, with dictionary and manifest."""
    home.ensure()
    told = noted_inputs(database)
    if not database.is_file() or not told:
        raise ReleaseError(NO_BUILD_RU)
    folder = candidate_folder(home, run_id)
    shutil.rmtree(folder, ignore_errors=True)
    official = folder / OFFICIAL
    official.mkdir(parents=True)
    marts = tables("marts")
    counts = export_marts(database, official)
    with duckdb.connect(str(database), read_only=True) as connection:
        years = _academic_years(connection)
        as_of = _as_of(connection)
    _write_database(marts, official)
    (folder / "dictionary.md").write_text(dictionary_markdown(marts), encoding="utf-8")
    (folder / "dictionary.json").write_text(dictionary_json(marts), encoding="utf-8")
    created = datetime.now(UTC)
    maturity = {y.academic_year: y.maturity for y in reference.academic_years}
    manifest = {
        "release_id": f"{created:%Y%m%dT%H%M%S%fZ}"[:-4] + f"Z-{told['fingerprint'][:8]}",
        "created_at": created.isoformat(),
        "maturity_by_year": {year: maturity.get(year, "final") for year in years},
        "maturity": "provisional" if any(maturity.get(y) == "provisional" for y in years) else "final",
        "academic_years": years,
        "as_of": as_of,
        **told,
        "row_counts": counts,
        "run_id": run_id,
    }
    write_json(folder / MANIFEST, manifest)
    return folder


def _academic_years(connection: duckdb.DuckDBPyConnection) -> list[str]:
    rows = connection.execute("select distinct academic_year from marts.school_status order by 1").fetchall()
    return [str(year) for (year,) in rows]


def _as_of(connection: duckdb.DuckDBPyConnection) -> str:
    """The day on which things were due or overdue."""
    row = connection.execute("select as_of from reference.as_of").fetchone()
    return str(row[0]) if row else ""


def export_marts(database: Path, folder: Path) -> dict[str, int]:
    """The files of all marts of a build file, put into a folder; rows by mart."""
    with duckdb.connect(str(database), read_only=True, config=duckdb_settings(database)) as connection:
        return {mart.table: _export(connection, mart, folder) for mart in tables("marts")}


def _export(connection: duckdb.DuckDBPyConnection, mart: Table, folder: Path) -> int:
    """One mart as Parquet, with its column sheet, and as CSV unless it is too long for one; the number of rows."""
    columns = ", ".join(f'"{name}"' for name in mart.names)
    query = f"select {columns} from marts.{mart.table} order by {_sorted_by(mart)}"
    parquet, text = folder / f"{mart.table}.parquet", folder / f"{mart.table}.csv"
    written = connection.execute(f"copy ({query}) to {quoted(parquet)} (format parquet, compression zstd)").fetchone()
    if mart.text_copy:
        cells = ", ".join(_cell(column) for column in mart.columns)
        query = f"select {cells} from read_parquet({quoted(parquet)})"  # in its order
        connection.execute(f"copy ({query}) to {quoted(text)} (format csv, header)")
    (folder / f"{mart.table}.meta.csv").write_text(_meta(mart), encoding="utf-8")
    return int(written[0]) if written else 0


def _sorted_by(mart: Table) -> str:
    return ", ".join(f'{mart.table}."{name}"' for name in mart.primary_key)


def _cell(column: Column) -> str:
    """A column as its CSV has it: text of suppliers is kept from being taken for a formula."""
    is_free_text = column.type == "string" and not column.vocabulary
    return f'{safe_cell_sql(column.name)} as "{column.name}"' if is_free_text else f'"{column.name}"'


def write_public(candidate: Path, frames: Mapping[str, pl.DataFrame]) -> None:
    """The public profile of a candidate: the tables of the registry's layer `public`, by the names of their marts."""
    folder = candidate / PUBLIC
    folder.mkdir()
    described = tables("public")
    for table in described:
        name = _file_name(table)
        frames[table.table].write_parquet(folder / f"{name}.parquet", compression="zstd")
        safe_cells(frames[table.table]).write_csv(folder / f"{name}.csv")
        (folder / f"{name}.meta.csv").write_text(_meta(table), encoding="utf-8")
    _write_database(described, folder)
    (folder / "dictionary.md").write_text(dictionary_markdown(described), encoding="utf-8")


def _file_name(table: Table) -> str:
    """A public table goes by the name of the mart it is made of."""
    return table.table.removeprefix("public_")


def _meta(mart: Table) -> str:
    """The sidecar of a CSV: what each column is, in the words of the registry."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("col_name", "col_type", "label_ru", "description_ru", "unit", "decimals"))
    writer.writerows((c.name, c.type, c.label_ru, c.description_ru, c.unit, c.decimals) for c in mart.columns)
    return text.getvalue()


def _write_database(marts: Sequence[Table], folder: Path) -> None:
    """One file with all marts as tables, not views: it needs nothing beside it and mixes no releases."""
    path = folder / DATABASE
    with duckdb.connect(str(path), config=duckdb_settings(path)) as connection:
        connection.execute("begin")
        for mart in marts:
            name = _file_name(mart)
            source = quoted(folder / f"{name}.parquet")
            connection.execute(f"create table {name} as select * from read_parquet({source})")
            connection.execute(f"comment on table {name} is {quoted(mart.title_ru + '. ' + mart.description_ru)}")
            for column in mart.columns:
                connection.execute(f'comment on column {name}."{column.name}" is {quoted(column.label_ru)}')
        connection.execute("commit")
    path.chmod(path.stat().st_mode & 0o444)


def add_to_manifest(candidate: Path, **facts: Any) -> None:
    """Write what became known of a candidate after it was made: its version, what the gate said."""
    write_json(candidate / MANIFEST, dict(read_release(candidate).manifest) | facts)


def publish(home: Home, candidate: Path) -> Release:
    """Seal a candidate with checksums, rename it to its release and switch `current` to it in one step.

    Raises ReleaseError if another release came into force since the candidate was compared with the one before it.
    """
    clear_parts(candidate)
    manifest = dict(read_release(candidate).manifest)
    manifest["files"] = {
        path.relative_to(candidate).as_posix(): sha256_of(path)
        for path in sorted(candidate.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    write_json(candidate / MANIFEST, manifest)
    _to_disk(candidate)
    folder = home.releases / str(manifest["release_id"])
    with _switching(home, "публикация выпуска"):
        _refuse_stale(home, manifest)
        candidate.rename(folder)
        _sync(home.releases)
        switch_current(home, folder)
        _log(home, "publish", folder.name, str(manifest.get("accepted_ru") or ""))
    return read_release(folder)


def publish_unless_same(home: Home, run_id: str, *, force: bool = False) -> tuple[Release, bool]:
    """The release that a run led to, and whether it is a new one.

    A candidate made of what the release in force is made of is removed, unless `force`. A run that was stopped right
    after it had published finds its release in force.
    """
    candidate, current = candidate_folder(home, run_id), current_release(home)
    if not candidate.exists():
        if current and current.manifest["run_id"] == run_id:
            return current, True
        raise ReleaseError("Кандидата этого прогона нет: он убран. Запустите прогон целиком, а не с места сбоя.")
    if current and not force and current.manifest["fingerprint"] == read_release(candidate).manifest["fingerprint"]:
        shutil.rmtree(candidate)
        return current, False
    return publish(home, candidate), True


def _refuse_stale(home: Home, manifest: Mapping[str, Any]) -> None:
    now = home.current.readlink().name if home.current.is_symlink() else None
    if "former_release_id" in manifest and manifest["former_release_id"] != now:
        raise ReleaseError(
            f"Пока считался этот выпуск, действующим стал другой ({now or 'никакой'}): версия и разница посчитаны "
            "не с ним. Запустите прогон ещё раз."
        )


def _to_disk(folder: Path) -> None:
    """Make sure that all of a folder outlives a power cut before anything points to it."""
    for path in (*folder.rglob("*"), folder):
        _sync(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _switching(home: Home, what_ru: str) -> Iterator[None]:
    """Nobody else publishes, switches or removes meanwhile; what a process that was killed here left is settled."""
    with hold(home.publish_lock, what_ru):
        for link in home.releases.glob(f"{_LINK}*"):
            link.unlink()
        for entry in _unlogged_switch(home, _told(home)):
            _append(home, entry)
        yield


def switch_current(home: Home, folder: Path) -> None:
    """Point `current` at a release: a new link replaces the old one in one rename."""
    link = home.releases / f"{_LINK}{os.getpid()}-{folder.name}"
    link.unlink(missing_ok=True)
    link.symlink_to(folder.name)
    link.replace(home.current)


def refuse(home: Home, candidate: Path, gate: Sequence[Mapping[str, Any]]) -> Path:
    """Keep a refused candidate for inspection, under a name that no reader takes for a release."""
    write_json(candidate / _VERDICTS, list(gate))
    folder = candidate.with_name(candidate.name.replace(_CANDIDATE, _REFUSED))
    shutil.rmtree(folder, ignore_errors=True)
    candidate.rename(folder)
    return folder


def refusals(home: Home) -> list[Path]:
    """The verdicts of refused candidates that are still kept, a file each."""
    return list(home.releases.glob(f"{_REFUSED}*/{_VERDICTS}"))


# --- trusting ------------------------------------------------------------------------------------------


def verify(release: Release) -> list[str]:
    """What is wrong with a release: files missing, added or changed since it was sealed; empty if nothing."""
    sealed: Mapping[str, str] = release.manifest.get("files", {})
    present = {
        path.relative_to(release.folder).as_posix(): path
        for path in release.folder.rglob("*")
        if path.is_file() and path.name != MANIFEST
    }
    wrong = [f"нет файла {name}" for name in sorted(set(sealed) - set(present))]
    wrong += [f"лишний файл {name}" for name in sorted(set(present) - set(sealed))]
    wrong += [
        f"изменён файл {name}"
        for name in sorted(set(sealed) & set(present))
        if sha256_of(present[name]) != sealed[name]
    ]
    return wrong


def rollback(home: Home, release_id: str, reason_ru: str = "") -> Release:
    """Make an older release current again and log why. Raises ReleaseError if it is not there or not whole."""
    folder = home.releases / release_id
    if release_id.startswith(".") or Path(release_id).name != release_id or not folder.is_dir():
        raise ReleaseError(f"Нет выпуска {release_id}; список: opora release list.")
    with _switching(home, "возврат выпуска"):
        release = read_release(folder)
        wrong = verify(release)
        if wrong:
            raise ReleaseError(f"Выпуск {release_id} повреждён: {'; '.join(wrong[:5])}.")
        switch_current(home, folder)
        _log(home, "rollback", release.release_id, reason_ru)
    return release


def remove_releases(home: Home, names: Iterable[str]) -> list[str]:
    """Remove releases that are not in force, hidden under another name first: nobody opens half of one. The removed."""
    removed = []
    with _switching(home, "удаление выпусков"):
        for name in names:
            folder = home.releases / name
            if folder.is_dir() and folder.resolve() != home.current.resolve():
                _remove(folder)
                removed.append(name)
    return removed


def _remove(folder: Path) -> None:
    """Remove a folder whole or, if the process ends meanwhile, under a name by which the next one knows it."""
    hidden = folder.with_name(f"{_PRUNED}{folder.name}")
    folder.rename(hidden)
    shutil.rmtree(hidden)


def clear_leftovers(home: Home, own_run_id: str = "") -> None:
    """Remove what ended processes left: their build folders and candidates, and releases that were being removed.

    What belongs to one's own run stays: a retry goes on where an ended process stopped. A folder whose process is not
    known may belong to one that goes on, so it is kept for a day.
    """
    with hold(home.publish_lock, "уборка"):
        for folder in (*home.releases.glob(f"{_PRUNED}*"), *home.build.glob(f"{_PRUNED}*")):
            shutil.rmtree(folder, ignore_errors=True)
        candidates = {folder.name.removeprefix(_CANDIDATE): folder for folder in home.releases.glob(f"{_CANDIDATE}*")}
        builds = {folder.name: folder for folder in home.build.glob("*") if folder.is_dir()}
        for run_id in {*candidates, *builds} - {own_run_id}:
            # the build goes last: it says whose the candidate is
            folders = [folder for folder in (candidates.get(run_id), builds.get(run_id)) if folder]
            if _is_dead(home.build / run_id) or all(map(is_old, folders)):
                for folder in folders:
                    _remove(folder)


def _is_dead(build: Path) -> bool:
    """Whether the process of a build folder is gone; one that has just made the folder has still to leave its mark."""
    try:
        return is_dead(json.loads((build / OWNER).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return build.is_dir() and build.stat().st_mtime < time.time() - _MARKED_SECONDS
    except (OSError, ValueError):
        return False


def is_old(folder: Path) -> bool:
    """Whether a folder has lain so long that the process that made it must have ended."""
    return folder.stat().st_mtime < time.time() - LEFTOVER_SECONDS
