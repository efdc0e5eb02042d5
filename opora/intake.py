"""Intake: from files in `landing/` to the lake, the quarantine and a record of every delivery.

What belongs here: what happens to one file, and which files have work to do. What does not: how a layout is
recognised or mapped (`opora/layouts/`), how a record is judged (`opora/checks.py`).

A delivery is a file's bytes. The same bytes again change nothing, under any name. Parts of the lake are
written beside their place and renamed, one file a delivery, table and year: deliveries share no writer.
"""

from __future__ import annotations

import hashlib
import os
import re
import traceback
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path, PurePosixPath
from threading import Lock

import polars as pl

from opora.checks import BLOCK_STRIDE, ISSUE_COLUMNS, judge
from opora.delivery import (
    ISSUE_SCHEMA,
    DeliveryRecord,
    RowCounts,
    TaskColumn,
    read_records,
    write_issues,
    write_record,
)
from opora.home import PROJECT, UNDATED, Home, clear_parts, sha256_of, sha256_of_all, write_whole
from opora.landing import Landed, Unread, landed_file, landed_files, survey
from opora.layouts.context import ASSESSMENT_WORDS, Facts, calendar_year, facts_of_path, subject_reader
from opora.layouts.convert import date, integer, vpr_login
from opora.layouts.extract import KIND, RECORD, ROW, Extracted, UnknownContext, extract, issue_frame
from opora.layouts.model import BUILT_IN, Layout, read_layouts
from opora.layouts.recognise import Block, Recognition, recognise
from opora.lock import hold
from opora.masking import masked
from opora.persons import SECRET, SecretMissing, secret_from_environment, secret_is_set
from opora.reading import SUFFIXES, TEXTS, Sheet, UnreadableFile, clean, head_of_text, read_sheets
from opora.reference import Reference
from schemas.registry import table

NOTE_LAYOUT = "delivery_note"
# Files read at once: a thread that waits for the disk or for polars leaves room for another.
MOST_WORKERS = 8
# Why bytes that were read before cannot be read now: it is no fault of theirs.
_FAULTS = {"secret_missing", "not_processed", "too_large", "unreadable_file"}
# A larger text file is data, and is not looked into for a delivery note.
_LARGEST_NOTE = 5_000_000
_SOURCES = (
    *("opora/intake.py", "opora/reading.py", "opora/checks.py", "opora/persons.py"),
    *("opora/context_facts.py", "opora/context_checks.py", "opora/masking.py", "opora/safe_text.py"),
    *("opora/containers.py", "opora/limits.py", "opora/reader_process.py"),
)
_SOURCE_FOLDERS = ("opora/layouts", "schemas/lake", "reference/layouts", "reference/context", "reference/intake")
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Gone:
    """A delivery that would have been read again and whose original has been purged: what was read stays as it is."""

    file_name: str
    sha256: str
    purged_at: datetime
    missing: tuple[str, ...] = ()

    @property
    def message_ru(self) -> str:
        what = f"«{self.file_name}»: оригинал удалён {self.purged_at:%d.%m.%Y} (sha256 {self.sha256[:12]}…)"
        if self.missing:
            return f"{what}, а части озера нет: {', '.join(self.missing)}. Верните этот файл в папку приёма."
        return f"{what}, перечитать нечего; прочитанное прежде остаётся. Чтобы перечитать, верните этот файл."


@dataclass
class Processed:
    """What one file gave: its record, its issues, its parts of the lake by table and year."""

    record: DeliveryRecord
    issues: pl.DataFrame
    parts: dict[tuple[str, str], pl.DataFrame] = field(default_factory=dict)
    notes: dict[str, Facts] = field(default_factory=dict)


@dataclass(frozen=True)
class IntakeReport:
    """What an intake did: the records of the files it read, and how many it had no work with."""

    processed: tuple[DeliveryRecord, ...]
    unchanged: int
    unread: tuple[Unread, ...] = ()
    gone: tuple[Gone, ...] = ()

    @property
    def refused(self) -> list[DeliveryRecord]:
        return [record for record in self.processed if record.status == "refused"]


class Refusal(Exception):
    """The whole file is refused; words for the supplier."""

    def __init__(self, check_id: str, reason_ru: str, remedy_ru: str, sheet: str = "") -> None:
        super().__init__(reason_ru)
        self.check_id = check_id
        self.reason_ru = reason_ru
        self.remedy_ru = remedy_ru
        self.sheet = sheet


# --- versions ----------------------------------------------------------------------------------------


@cache
def _code_version() -> str:
    files = [PROJECT / name for name in _SOURCES]
    for folder in _SOURCE_FOLDERS:
        files += sorted(path for path in (PROJECT / folder).iterdir() if path.suffix in (".py", ".yaml"))
    return sha256_of_all(files)


def intake_version(home: Home, reference: Reference) -> str:
    """Changes when code, layouts or facts that decide an intake change: then files are read anew."""
    digest = hashlib.sha256(f"{_code_version()}{reference.version}".encode())
    for path in sorted(home.layouts.glob("*.yaml")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


# --- intake ------------------------------------------------------------------------------------------


def ingest(
    home: Home,
    reference: Reference,
    years: Collection[str] | None = None,
    *,
    reread: bool = False,
    progress: Progress | None = None,
    now: datetime | None = None,
) -> IntakeReport:
    """Take in what is new in landing, or, with `reread`, everything again.

    `years` limits what is written to parts of these measured years and to undated tables (registers,
    crosswalks, scales); None means all years. A file that has been read by this version is not read again
    unless one of its parts is missing. Two intakes of one home take turns.
    """
    home.ensure()
    with hold(home.intake_lock, "приём поставок"):
        clear_parts(home.lake)
        clear_parts(home.quarantine)
        return _ingest(home, reference, years, reread, progress, now)


def _ingest(
    home: Home,
    reference: Reference,
    years: Collection[str] | None,
    reread: bool,
    progress: Progress | None,
    now: datetime | None,
) -> IntakeReport:
    layouts = read_layouts(BUILT_IN, home.layouts)
    version = intake_version(home, reference)
    files, unread = survey(home.landing, home.digests)
    records = read_records(home)
    received_at = now or datetime.now(UTC)
    _remember_paths(home, files, records)
    notes = _delivery_notes(files, layouts, reference)
    distinct = _one_of_each(files, notes)
    todo = [
        file
        for file in distinct.values()
        if reread or _has_work(home, records.get(file.delivery_id), version, years, notes.get(file.relative))
    ]
    paths: dict[str, list[str]] = {}
    for file in files:
        paths.setdefault(file.delivery_id, []).append(file.relative)
    done: list[DeliveryRecord] = []
    one_heavy = Lock()

    def work(file: Landed) -> DeliveryRecord:
        with one_heavy if file.is_heavy else nullcontext():
            return taken_in(file)

    def taken_in(file: Landed) -> DeliveryRecord:
        result = process(file, layouts, reference, version, notes.get(file.relative, Facts()))
        known = records.get(file.delivery_id)
        if known and known.status != "refused" and _FAULTS & set(result.record.issues):
            return known  # what was read stays, and is tried again by every run
        first_seen = known.received_at if known else received_at
        older = [path for path in (known.paths if known else []) if path not in paths[file.delivery_id]]
        result.record.received_at = first_seen
        result.record.paths = [*paths[file.delivery_id], *older]
        if known and not _covers(years, result.record):
            # parts of other years stay as the former version made them, so the file has work for their years
            result.record.intake_version = known.intake_version
        result.record.part_sha256 = dict(known.part_sha256) if known else {}
        result.record.purged = list(known.purged) if known else []
        store(home, result, years)
        return result.record

    with ThreadPoolExecutor(max_workers=min(MOST_WORKERS, 2 * (os.cpu_count() or 1))) as pool:
        for number, record in enumerate(pool.map(work, todo), start=1):
            done.append(record)
            if progress:
                progress(number, len(todo), record.file_name)
    _retire_replaced(home, files)
    gone = originals_gone(home, version, records.values(), distinct, reread=reread)
    return IntakeReport(tuple(done), len(distinct) - len(todo), tuple(unread), tuple(gone))


def originals_gone(
    home: Home, version: str, records: Iterable[DeliveryRecord], present: Collection[str], *, reread: bool = False
) -> list[Gone]:
    """Deliveries that would be read now if their originals had not been purged."""
    return [
        Gone(record.file_name, record.sha256, record.purged[-1].at, missing)
        for record in records
        if record.purged and record.delivery_id not in present
        if (missing := _missing_parts(home, record)) or reread or record.intake_version != version
    ]


def _missing_parts(home: Home, record: DeliveryRecord) -> tuple[str, ...]:
    parts = (home.lake_part(name, year, record.delivery_id) for name, year in record.parts)
    return tuple(part.relative_to(home.lake).as_posix() for part in parts if not part.exists())


def _covers(years: Collection[str] | None, record: DeliveryRecord) -> bool:
    """Whether all parts of a delivery are written, not only those of some years."""
    return all(_is_asked(year, years) for year in record.academic_years)


def _is_asked(year: str, years: Collection[str] | None) -> bool:
    """Whether parts of a year are written when these years are asked for; undated ones always are."""
    return years is None or year in years or year == UNDATED


def files_with_work(
    home: Home,
    reference: Reference,
    landed: Sequence[Landed] | None = None,
    known: Mapping[str, DeliveryRecord] | None = None,
) -> list[str]:
    """The files that an intake has work with, by their path below landing.

    `landed` are those of a survey and `known` the records, if somebody has read them already.
    """
    files = landed_files(home.landing, home.digests) if landed is None else landed
    records = read_records(home) if known is None else known
    version = intake_version(home, reference)
    notes = _delivery_notes(files, read_layouts(BUILT_IN, home.layouts), reference)
    to_read = {
        file.relative
        for file in _one_of_each(files, notes).values()
        if _has_work(home, records.get(file.delivery_id), version, None, notes.get(file.relative))
    }
    renamed = {
        file.relative
        for file in files
        if (record := records.get(file.delivery_id)) and file.relative not in record.paths
    }
    heirs = _heirs(records, files)
    moved = {record.file_name for key, record in records.items() if record.replaced_by != heirs[key]}
    return sorted(to_read | renamed | moved)


def _one_of_each(files: Iterable[Landed], notes: Mapping[str, Facts]) -> dict[str, Landed]:
    """Of every delivery the file that is read, in path order: the first that a note tells of, else the first."""
    chosen: dict[str, Landed] = {}
    for file in sorted(files, key=lambda file: (file.relative not in notes, file.relative)):
        chosen.setdefault(file.delivery_id, file)
    return dict(sorted(chosen.items(), key=lambda item: item[1].relative))


def check(path: Path, layouts: Sequence[Layout], reference: Reference) -> list[Processed]:
    """What an intake would say of a file or of every file in a folder; loads nothing.

    The folders that the path names may say what a file is about, as they do below landing.
    """
    files = landed_files(path) if path.is_dir() else [landed_file(path, path)]
    notes = _delivery_notes(files, layouts, reference)
    return [process(file, layouts, reference, "check", notes.get(file.relative, Facts())) for file in files]


def _has_work(
    home: Home, record: DeliveryRecord | None, version: str, years: Collection[str] | None, note: Facts | None
) -> bool:
    if record is None or record.intake_version != version:
        return True
    if "secret_missing" in record.issues and secret_is_set():
        return True
    if record.noted != _noted(note):
        return True
    return any(
        not home.lake_part(name, year, record.delivery_id).exists()
        for name, year in record.parts
        if _is_asked(year, years)
    )


def _noted(note: Facts | None) -> str:
    """What a record keeps of a note; a note that says nothing is as none."""
    return "" if note in (None, Facts()) else str(note)


def _remember_paths(home: Home, files: Iterable[Landed], records: dict[str, DeliveryRecord]) -> None:
    """The same bytes under another name are the same delivery: only the name is noted.

    A refused file is read again under its new name, which may say what was missing.
    """
    for file in files:
        record = records.get(file.delivery_id)
        if record and file.relative not in record.paths:
            record.paths.append(file.relative)
            if record.status == "refused":
                record.intake_version = ""
            write_record(home, record)


def _retire_replaced(home: Home, files: Sequence[Landed]) -> None:
    """Note of every delivery which other one has taken its place in landing, or that none has any more."""
    records = read_records(home)
    for delivery_id, heir in _heirs(records, files).items():
        record = records[delivery_id]
        if record.replaced_by != heir:
            record.replaced_by = heir
            write_record(home, record)


def _heirs(records: Mapping[str, DeliveryRecord], files: Iterable[Landed]) -> dict[str, str | None]:
    """By delivery the one that replaces it: which lies where it was, if it is found nowhere else itself.

    A refused file replaces nothing: what was accepted before it stays.
    """
    now_at = _last_at(records.values()) | {file.relative: file.delivery_id for file in files}
    accepted, placed = {key for key, record in records.items() if record.status != "refused"}, set(now_at.values())
    found: dict[str, str | None] = dict.fromkeys(records)
    for key in records.keys() - placed:
        heirs = (now_at[path] for path in records[key].paths if now_at.get(path) in accepted)
        found[key] = next(heirs, None)
    return found


def _last_at(records: Iterable[DeliveryRecord]) -> dict[str, str]:
    """What lay at a path when it was purged: removing an original is no withdrawal of its delivery."""
    purges = sorted(
        (purge.at, path, record.delivery_id) for record in records for purge in record.purged for path in purge.paths
    )
    return {path: delivery_id for _, path, delivery_id in purges}


def store(home: Home, result: Processed, years: Collection[str] | None = None) -> None:
    """Write parts, then issues, then the record: a delivery without a record is read again.

    With `years`, parts of other years stay as they are; a delivery that concerns none of them leaves no
    trace.
    """
    record = result.record
    wanted = {(name, year): frame for (name, year), frame in result.parts.items() if _is_asked(year, years)}
    if result.parts and not wanted:
        return
    paths = {key: home.lake_part(*key, record.delivery_id) for key in result.parts}
    for key, frame in wanted.items():
        write_whole(paths[key], frame.write_parquet)
        record.part_sha256[_below(home.lake, paths[key])] = sha256_of(paths[key])
    for path in home.lake.glob(f"*/academic_year=*/{record.delivery_id}.parquet"):
        if path not in paths.values():
            path.unlink()
    kept = {_below(home.lake, path) for path in paths.values()}
    record.part_sha256 = {path: sha256 for path, sha256 in record.part_sha256.items() if path in kept}
    write_issues(home, record.delivery_id, result.issues)
    write_record(home, record)


def _below(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


# --- one file ------------------------------------------------------------------------------------------


def process(file: Landed, layouts: Sequence[Layout], reference: Reference, version: str, noted: Facts) -> Processed:
    """Read, recognise, map and judge one file. Never raises for what a supplier may send."""
    record = DeliveryRecord(
        delivery_id=file.delivery_id,
        sha256=file.sha256,
        size_bytes=file.size_bytes,
        paths=[file.relative],
        received_at=file.modified_at,
        modified_at=file.modified_at,
        status="accepted",
        intake_version=version,
        noted=_noted(noted),
    )
    try:
        if file.path.suffix.lower() not in SUFFIXES:
            raise _not_a_table(file)
        sheets = [sheet for sheet in read_sheets(file.path) if sheet.grid.height]
        if not sheets:
            raise Refusal("no_data_rows", "Файл пуст.", "Проверьте, что выгрузка сохранилась, и пришлите снова.")
        return _process_sheets(file, sheets, layouts, reference, noted, record)
    except (Refusal, UnreadableFile) as refusal:
        return _refused(record, file, refusal)
    except BaseException as error:
        # a panic of Rust is no Exception; what an error says may quote cells, so only its kind and place are told
        if not (isinstance(error, Exception) or type(error).__name__ == "PanicException"):
            raise
        if isinstance(error, (MemoryError, OSError)):
            record.intake_version = ""  # another time it may do
        return _refused(record, file, _not_processed(error))


def _not_processed(error: BaseException) -> Refusal:
    """A fault of the program or a lack of memory: one file must not stop the others."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(PROJECT)
    ]
    place = f"{Path(frames[-1].filename).stem}:{frames[-1].lineno}" if frames else "?"
    return Refusal(
        "not_processed",
        f"Файл не удалось разобрать: {type(error).__name__} ({place}).",
        "Остальные файлы приняты. Покажите файл и это сообщение тем, кто ведёт систему.",
    )


def _not_a_table(file: Landed) -> Refusal:
    return Refusal(
        "unknown_layout",
        f"Файл {file.path.suffix or 'без расширения'} не таблица.",
        f"Если в нём есть данные, пришлите их в одном из видов: {', '.join(SUFFIXES)}; иначе уберите файл.",
    )


def _refused(record: DeliveryRecord, file: Landed, refusal: Refusal | UnreadableFile) -> Processed:
    record.status = "refused"
    record.message_ru = f"{refusal.reason_ru} {refusal.remedy_ru}"
    record.issues = {refusal.check_id: 1}
    record.layout_ids, record.tables, record.rows = [], {}, RowCounts()
    row = dict.fromkeys(ISSUE_SCHEMA) | {
        "delivery_id": record.delivery_id,
        "file_name": file.relative,
        "sheet": getattr(refusal, "sheet", ""),
        "check_id": refusal.check_id,
        "severity": "refusal",
        "reason_ru": refusal.reason_ru,
        "remedy_ru": refusal.remedy_ru,
    }
    return Processed(record, pl.DataFrame([row], schema=ISSUE_SCHEMA))


def _process_sheets(
    file: Landed,
    sheets: Sequence[Sheet],
    layouts: Sequence[Layout],
    reference: Reference,
    noted: Facts,
    record: DeliveryRecord,
) -> Processed:
    found = [(sheet, recognise(sheet, layouts)) for sheet in sheets]
    blocks = [block for _, recognition in found for block in recognition.blocks]
    if not blocks:
        raise _unrecognised(found)
    record.layout_ids = sorted({block.layout.id for block in blocks})
    notes = _notes(blocks, file, reference)
    path_says = facts_of_path(file.relative, reference)
    hints = noted.filled_from(path_says)
    extracted = [(block, _extracted(block, hints, reference)) for block in blocks if block.layout.table is not None]
    issues = [_unread_sheets(found, blocks), _hidden_sheets(blocks)]
    parts: dict[tuple[str, str], list[pl.DataFrame]] = {}
    counts = RowCounts()
    for block in (block for block in blocks if block.layout.table is None):
        blank = block.rows.select(pl.all_horizontal(pl.all().is_null()).sum()).item()
        counts.add("blank", blank)
        counts.add("accepted", block.rows.height - blank)
    for name in dict.fromkeys(e.table for _, e in extracted):
        members = [(block, e) for block, e in extracted if e.table == name]
        judged = _judged(name, members, record.delivery_id)
        issues += [judged.issues, *(_path_contradicts(e.facts, path_says, block) for block, e in members)]
        for number, (_, e) in enumerate(members):
            for fate, rows in _fates(e, judged.kept_rows(number)).items():
                counts.add(fate, rows)
        for year, frame in _by_year(name, judged.accepted):
            parts.setdefault((name, year), []).append(frame)
    if not notes:
        _refuse_empty(counts, blocks)
    years = sorted({year for _, year in parts} - {UNDATED})
    all_issues = _issue_table(issues, file, record.delivery_id, years[0] if len(years) == 1 else None)
    whole = {key: pl.concat(frames) for key, frames in sorted(parts.items())}
    record.rows = counts
    record.task_columns = list(dict.fromkeys(column for _, e in extracted for column in _task_columns(e)))
    _note_outcome(record, whole, all_issues)
    return Processed(record, all_issues, whole, notes)


def _note_outcome(record: DeliveryRecord, parts: Mapping[tuple[str, str], pl.DataFrame], issues: pl.DataFrame) -> None:
    """What the record says of the parts and issues of a file."""
    record.parts = list(parts)
    for (name, _), frame in parts.items():
        record.tables[name] = record.tables.get(name, 0) + frame.height
    record.academic_years = sorted({year for _, year in parts})
    record.issues = dict(sorted(issues["check_id"].value_counts().rows()))
    # of a wide table one answer may be set aside and its row stay
    is_whole = (issues["severity"] == "quarantine").sum() == 0
    record.status = "accepted" if is_whole else "accepted_with_quarantine"


def _extracted(block: Block, hints: Facts, reference: Reference) -> Extracted:
    sheet = block.sheet.shown
    try:
        return extract(block, hints, reference, secret_from_environment)
    except UnknownContext as error:
        raise Refusal(
            "unknown_context",
            f"Таблица опознана как «{block.layout.title_ru}», но не сказано: {error.what_ru}.",
            "Назовите это в имени файла (например, «Математика, 6 класс, 2021.xlsx») или приложите опись: "
            "CSV со столбцами «файл», «предмет», «класс», «год».",
            sheet,
        ) from error
    except SecretMissing as error:
        raise Refusal(
            "secret_missing",
            "В файле есть имена или документы участников, а секрет для их хеширования не задан.",
            f"Задайте переменную окружения {SECRET} и повторите; имена никуда не записаны.",
            sheet,
        ) from error


def _unrecognised(found: Sequence[tuple[Sheet, Recognition]]) -> Refusal:
    """The most helpful thing that can be said of a file in which no table was recognised."""
    for sheet, recognition in found:
        place = f" на листе «{sheet.shown}»" if sheet.name else ""
        if recognition.duplicate:
            return Refusal(
                "duplicate_headers",
                f"Заголовки стоят дважды{place}: {', '.join(map(masked, recognition.duplicate))}.",
                "Оставьте по одному столбцу с каждым заголовком.",
                sheet.shown,
            )
        if recognition.ambiguous:
            return Refusal(
                "unknown_layout",
                f"Таблица{place} подходит под несколько раскладок: {', '.join(recognition.ambiguous)}.",
                "Уточните одну из раскладок: назовите в `without` столбец, которого в ней не бывает.",
                sheet.shown,
            )
    for sheet, recognition in found:
        if recognition.nearest:
            place = f" на листе «{sheet.shown}»" if sheet.name else ""
            return Refusal(
                "missing_columns",
                f"Похоже на «{recognition.nearest.title_ru}»{place}, но нет столбцов: "
                f"{', '.join(recognition.missing)}.",
                "Пришлите исходную выгрузку без правки шапки.",
                sheet.shown,
            )
    return Refusal(
        "unknown_layout",
        "Ни одна из известных раскладок не подходит: шапка не опознана в первых строках.",
        "Пришлите исходную выгрузку, а новую раскладку опишите в <home>/layouts (docs/layouts.md).",
    )


def _refuse_empty(counts: RowCounts, blocks: Sequence[Block]) -> None:
    if counts.accepted or counts.quarantined or counts.absent:
        return
    layout = blocks[0].layout
    if layout.blank_without:
        raise Refusal(
            "empty_form",
            f"«{layout.title_ru}»: форма пуста, ни у одной строки нет кода участника.",
            "Заполните форму и пришлите её снова.",
            blocks[0].sheet.shown,
        )
    raise Refusal(
        "no_data_rows",
        f"«{layout.title_ru}»: под шапкой нет ни одной строки с данными.",
        "Проверьте, что выгружены сами данные, а не только шапка.",
        blocks[0].sheet.shown,
    )


def _unread_sheets(found: Sequence[tuple[Sheet, Recognition]], blocks: Sequence[Block]) -> pl.DataFrame:
    """Sheets beside recognised ones that nobody reads, unless the layout says that they hold no data."""
    companions = {pattern for block in blocks for pattern in block.layout.companions}
    names = [
        sheet.shown
        for sheet, recognition in found
        if not recognition.blocks and not any(re.search(pattern, sheet.name) for pattern in companions)
    ]
    return _of_sheets(
        names,
        "sheet_not_recognised",
        "Лист «{}» не опознан и не прочитан.",
        "Если на листе данные, опишите его раскладку; иначе уберите лист.",
    )


def _of_sheets(names: Sequence[str], check_id: str, reason_ru: str, remedy_ru: str) -> pl.DataFrame:
    """Warnings about whole sheets, by their names as they are shown."""
    return pl.DataFrame(
        {
            RECORD: [None] * len(names),
            ROW: [None] * len(names),
            "column_name": "",
            "value": names,
            "check_id": check_id,
            "severity": "warning",
            "reason_ru": [reason_ru.format(name) for name in names],
            "remedy_ru": remedy_ru,
            "sheet": names,
        },
        schema_overrides={RECORD: pl.Int64(), ROW: pl.Int64(), "value": pl.String(), "sheet": pl.String()},
    )


def _hidden_sheets(blocks: Sequence[Block]) -> pl.DataFrame:
    """Hidden sheets that were read: nobody who opens the book sees what was taken from them."""
    names = list(dict.fromkeys(block.sheet.shown for block in blocks if block.sheet.is_hidden))
    return _of_sheets(
        names,
        "hidden_sheet_read",
        "Лист «{}» скрыт, но на нём таблица, и она прочитана.",
        "Если таблица лишняя, удалите лист и пришлите книгу снова; если нужна, покажите его.",
    )


@dataclass(frozen=True)
class _Judged:
    """Accepted records and issues of one table of a file, over all its sheets and blocks."""

    accepted: pl.DataFrame
    issues: pl.DataFrame
    blocks_of_rows: pl.Series

    def kept_rows(self, number: int) -> pl.Series:
        """Source rows of one block of which at least one record stays."""
        return self.accepted[ROW].filter(self.blocks_of_rows == number)


def _judged(name: str, members: Sequence[tuple[Block, Extracted]], delivery_id: str) -> _Judged:
    frames, found = [], []
    offset = 0
    for number, (block, e) in enumerate(members):
        shifted = (pl.col(ROW) + number * BLOCK_STRIDE).alias(ROW)
        frames.append(
            e.records.with_columns(
                pl.lit(delivery_id).alias("delivery_id"),
                pl.lit(block.sheet.shown or None, pl.String).alias("sheet"),
                pl.col(RECORD) + offset,
                shifted,
            )
        )
        stray = _stray_issue(e.kinds.filter(pl.col(KIND) == "stray"))
        found += [issue.with_columns(pl.col(RECORD) + offset, shifted) for issue in (*e.issues, stray)]
        offset += e.records.height
    is_personal = any(block.layout.is_personal for block, _ in members)
    records = pl.concat(frames)
    accepted, issues = judge(table(name), records, found, is_personal=is_personal)
    if not issues.is_empty():
        issues = _with_year(issues, records).with_columns(
            (pl.col(ROW) // BLOCK_STRIDE)
            .replace_strict(list(range(len(members))), [block.sheet.shown for block, _ in members])
            .alias("sheet"),
            pl.col(ROW) % BLOCK_STRIDE,
        )
    blocks_of_rows = accepted[ROW] // BLOCK_STRIDE
    return _Judged(accepted.with_columns(pl.col(ROW) % BLOCK_STRIDE), issues, blocks_of_rows)


def _with_year(issues: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """The academic year of the row that an issue is about."""
    if "measured_year" not in records.columns:
        return issues.with_columns(pl.lit(None, pl.String).alias("academic_year"))
    years = records.select(ROW, pl.col("measured_year").alias("academic_year")).unique(ROW, keep="first")
    return issues.join(years, on=ROW, how="left", maintain_order="left")


def _stray_issue(rows: pl.DataFrame) -> pl.DataFrame:
    return issue_frame(
        rows,
        "stray_header_row",
        "quarantine",
        "",
        pl.lit(None),
        pl.lit("Среди данных стоит повторная строка заголовков."),
        "Удалите строку; данных в ней нет.",
    )


def _task_columns(e: Extracted) -> Iterable[TaskColumn]:
    """The task columns of every work of a protocol."""
    if not e.tasks:
        return
    works = e.records.select("assessment", "subject_id", "test_grade", "measured_year").drop_nulls().unique()
    for work in works.sort(pl.all()).iter_rows(named=True):
        for position, (label, max_score) in enumerate(e.tasks, start=1):
            yield TaskColumn(**work, position=position, label=label, max_score=max_score)


def _fates(e: Extracted, kept: pl.Series) -> dict[str, int]:
    """Where the source rows of one block went. A row is accepted if at least one record of it is."""
    is_kept = pl.col(ROW).is_in(kept.implode())
    has_record = pl.col(ROW).is_in(e.records[ROW].unique().implode())
    fate = (
        pl.when(pl.col(KIND) == "stray")
        .then(pl.lit("quarantined"))
        .when(~pl.col(KIND).is_in(["data", "absent"]))
        .then(KIND)
        .when(is_kept)
        .then(pl.col(KIND).replace("data", "accepted"))
        .when(has_record)
        .then(pl.lit("quarantined"))
        .otherwise(pl.lit("blank"))  # a row of a wide table in which nobody sat anything
    )
    return dict(e.kinds.select(fate.alias("fate")).to_series().value_counts().rows())


def _by_year(name: str, accepted: pl.DataFrame) -> Iterable[tuple[str, pl.DataFrame]]:
    spec = table(name)
    frame = accepted.drop(RECORD)
    if not spec.partitioned:
        if frame.height:
            yield UNDATED, frame
        return
    for (year,), part in frame.group_by("measured_year", maintain_order=True):
        yield str(year), part


def _path_contradicts(facts: Facts, path_says: Facts, block: Block) -> pl.DataFrame:
    """A file whose name says another subject or grade than its content does: the content counts."""
    words = {"subject_id": "предмет", "grade": "класс", "assessment": "вид процедуры"}
    rows = [
        {
            "value": str(getattr(path_says, name)),
            "reason_ru": f"Имя файла говорит: {word} {getattr(path_says, name)}; содержание: {getattr(facts, name)}.",
        }
        for name, word in words.items()
        if None not in (getattr(facts, name), getattr(path_says, name))
        and not _same(getattr(facts, name), getattr(path_says, name))
    ]
    if not rows or "subject" in block.layout.columns:
        return pl.DataFrame()
    return pl.DataFrame(rows).select(
        pl.lit(None, pl.Int64).alias(RECORD),
        pl.lit(None, pl.Int64).alias(ROW),
        pl.lit("").alias("column_name"),
        "value",
        pl.lit("path_contradicts_content").alias("check_id"),
        pl.lit("warning").alias("severity"),
        "reason_ru",
        pl.lit("Принято по содержанию; переименуйте файл, чтобы не путать людей.").alias("remedy_ru"),
        pl.lit(block.sheet.shown).alias("sheet"),
    )


def _same(content: object, path: object) -> bool:
    """`mathematics_base` is the mathematics that a path speaks of; ГВЭ comes among ОГЭ and ЕГЭ."""
    return content in (path, "gve") or str(content).startswith(f"{path}_")


def _issue_table(issues: Sequence[pl.DataFrame], file: Landed, delivery_id: str, only_year: str | None) -> pl.DataFrame:
    """All issues of a file; one that is about no row belongs to the year of the file, if it has only one."""
    wanted = [*ISSUE_COLUMNS, "sheet", "academic_year"]
    no_year = pl.lit(None, pl.String).alias("academic_year")
    every = [
        (issue if "academic_year" in issue.columns else issue.with_columns(no_year)).select(wanted)
        for issue in issues
        if not issue.is_empty()
    ]
    if not every:
        return pl.DataFrame(schema=ISSUE_SCHEMA)
    return (
        pl.concat(every)
        .with_columns(
            pl.lit(delivery_id).alias("delivery_id"),
            pl.lit(file.relative).alias("file_name"),
            pl.col("academic_year").fill_null(pl.lit(only_year, pl.String)),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in ISSUE_SCHEMA.items())
    )


# --- delivery notes ------------------------------------------------------------------------------------


def _notes(blocks: Sequence[Block], file: Landed, reference: Reference) -> dict[str, Facts]:
    """What a delivery note says of files, by their path below landing."""
    folder = PurePosixPath(file.relative).parent
    facts: dict[str, Facts] = {}
    for block in blocks:
        if block.layout.id != NOTE_LAYOUT:
            continue
        cells = block.rows.select(clean(pl.col(column)).alias(name) for name, column in block.fields.items())
        for row in cells.iter_rows(named=True):
            if name := (row["file"] or "").replace("\\", "/"):
                facts[(folder / name).as_posix()] = _noted_facts(row, reference)
    return facts


def _noted_facts(row: dict[str, str | None], reference: Reference) -> Facts:
    """The facts of one line of a note; a cell that cannot be read says nothing."""
    assessment = ASSESSMENT_WORDS.get((row.get("assessment") or "").lower())
    texts = pl.DataFrame(
        {name: [row.get(name)] for name in ("grade", "year", "date", "school_key")},
        schema_overrides={name: pl.String() for name in ("grade", "year", "date", "school_key")},
    )
    said = texts.select(
        integer(pl.col("grade")),
        calendar_year(pl.col("year")),
        date(pl.col("date")),
        vpr_login(pl.col("school_key")),
    ).row(0, named=True)
    return Facts(
        assessment=assessment,
        subject_id=subject_reader(reference, assessment)(row.get("subject") or ""),
        grade=said["grade"],
        year=said["year"],
        held_on=said["date"],
        school_key=said["school_key"],
    )


def _delivery_notes(files: Sequence[Landed], layouts: Sequence[Layout], reference: Reference) -> dict[str, Facts]:
    """All delivery notes of landing: small text files whose header says that they are one."""
    note_layouts = [layout for layout in layouts if layout.id == NOTE_LAYOUT]
    notes: dict[str, Facts] = {}
    for file in files:
        if file.path.suffix.lower() not in TEXTS or file.size_bytes > _LARGEST_NOTE:
            continue
        head = head_of_text(file.path)
        if head is not None and not recognise(head, note_layouts).blocks:
            continue
        try:
            blocks = [b for sheet in read_sheets(file.path) for b in recognise(sheet, note_layouts).blocks]
            notes |= _notes(blocks, file, reference)
        except UnreadableFile:
            continue  # it is refused with its own message when its turn comes
    return notes
