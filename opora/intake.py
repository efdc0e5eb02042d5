"""Intake: from files in `landing/` to the lake, the quarantine and a record of every delivery.

What belongs here: what happens to one file, and which files have work to do. What does not: how a layout is
recognised or mapped (`opora/layouts/`), how a record is judged (`opora/checks.py`).

A delivery is a file's bytes. The same bytes again change nothing, under any name. Parts of the lake are
written beside their place and renamed, one file a delivery, table and year: deliveries share no writer.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path, PurePosixPath

import polars as pl

from opora.checks import ISSUE_COLUMNS, judge
from opora.delivery import (
    ISSUE_SCHEMA,
    NON_DATA,
    DeliveryRecord,
    RowCounts,
    read_records,
    write_issues,
    write_record,
)
from opora.home import PROJECT, UNDATED, Home, sha256_of, write_whole
from opora.layouts.context import Facts, facts_of_path
from opora.layouts.extract import KIND, RECORD, ROW, Extracted, UnknownContext, extract
from opora.layouts.model import BUILT_IN, Layout, read_layouts
from opora.layouts.recognise import Block, Recognition, recognise
from opora.persons import SECRET, SecretMissing, secret_from_environment
from opora.reading import SUFFIXES, Sheet, UnreadableFile, read_sheets
from opora.reference import Reference
from schemas.registry import table

NOTE_LAYOUT = "delivery_note"
_SOURCES = ("opora/intake.py", "opora/reading.py", "opora/checks.py", "opora/persons.py")
_SOURCE_FOLDERS = ("opora/layouts", "schemas/lake", "reference/layouts")
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Landed:
    """A file in landing: where it lies and what its bytes are."""

    path: Path
    relative: str
    sha256: str
    size_bytes: int
    modified_at: datetime

    @property
    def delivery_id(self) -> str:
        return f"d{self.sha256[:12]}"


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


# --- landing -----------------------------------------------------------------------------------------


def landed_files(landing: Path) -> list[Landed]:
    """Every file below landing but hidden ones, in path order. Folders may be links: data may be read in place."""
    found = []
    for folder, folders, names in os.walk(landing, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder) / name
            if not name.startswith((".", "~$")) and path.is_file():
                found.append(_landed(path, path.relative_to(landing)))
    return sorted(found, key=lambda file: file.relative)


def _landed(path: Path, relative: Path) -> Landed:
    status = path.stat()
    return Landed(
        path=path,
        relative=PurePosixPath(relative).as_posix(),
        sha256=sha256_of(path),
        size_bytes=status.st_size,
        modified_at=datetime.fromtimestamp(status.st_mtime, UTC),
    )


@cache
def _code_version() -> str:
    digest = hashlib.sha256()
    files = [PROJECT / name for name in _SOURCES]
    for folder in _SOURCE_FOLDERS:
        files += sorted(path for path in (PROJECT / folder).iterdir() if path.suffix in (".py", ".yaml"))
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def intake_version(home: Home, reference: Reference) -> str:
    """Changes when code, layouts or reference facts that decide an intake change: then files are read anew."""
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
    unless one of its parts is missing.
    """
    home.ensure()
    layouts = read_layouts(BUILT_IN, home.layouts)
    version = intake_version(home, reference)
    files = landed_files(home.landing)
    records = read_records(home)
    received_at = now or datetime.now(UTC)
    _remember_paths(home, files, records)
    notes = _delivery_notes(files, layouts, reference)
    distinct = {file.delivery_id: file for file in reversed(files)}
    todo = [
        file
        for file in distinct.values()
        if reread or _has_work(home, records.get(file.delivery_id), version, years, notes.get(file.relative))
    ]
    todo.sort(key=lambda file: file.relative)
    paths = {key: [f.relative for f in files if f.delivery_id == key] for key in distinct}
    done: list[DeliveryRecord] = []

    def work(file: Landed) -> DeliveryRecord:
        result = process(file, layouts, reference, version, notes.get(file.relative, Facts()))
        known = records.get(file.delivery_id)
        first_seen = known.received_at if known else received_at
        older = [path for path in (known.paths if known else []) if path not in paths[file.delivery_id]]
        result.record.received_at = first_seen
        result.record.paths = [*paths[file.delivery_id], *older]
        store(home, result, years)
        return result.record

    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        for number, record in enumerate(pool.map(work, todo), start=1):
            done.append(record)
            if progress:
                progress(number, len(todo), record.file_name)
    _retire_replaced(home, files)
    return IntakeReport(tuple(done), len(distinct) - len(todo))


def check(path: Path, layouts: Sequence[Layout], reference: Reference) -> list[Processed]:
    """What an intake would say of a file or of every file in a folder; loads nothing."""
    root = path if path.is_dir() else path.parent
    files = landed_files(root) if path.is_dir() else [_landed(path, path.relative_to(root))]
    notes = _delivery_notes(files, layouts, reference)
    return [process(file, layouts, reference, "check", notes.get(file.relative, Facts())) for file in files]


def _has_work(
    home: Home, record: DeliveryRecord | None, version: str, years: Collection[str] | None, note: Facts | None
) -> bool:
    if record is None or record.status == "refused" or record.intake_version != version:
        return True
    if record.noted != _noted(note):
        return True
    return any(
        not home.lake_part(name, year, record.delivery_id).exists()
        for name, year in record.parts
        if years is None or year in years or year == UNDATED
    )


def _noted(note: Facts | None) -> str:
    return "" if note is None else str(note)


def _remember_paths(home: Home, files: Iterable[Landed], records: dict[str, DeliveryRecord]) -> None:
    """The same bytes under another name are the same delivery: only the name is noted."""
    for file in files:
        record = records.get(file.delivery_id)
        if record and file.relative not in record.paths:
            record.paths.append(file.relative)
            write_record(home, record)


def _retire_replaced(home: Home, files: Sequence[Landed]) -> None:
    """A file overwritten in place replaces the delivery that was there, if that is found nowhere else."""
    now_at = {file.relative: file.delivery_id for file in files}
    present = set(now_at.values())
    for record in read_records(home).values():
        heirs = [
            now_at[path]
            for path in record.paths
            if now_at.get(path, record.delivery_id) != record.delivery_id
        ]
        heir = heirs[0] if heirs and record.delivery_id not in present else None
        if record.replaced_by != heir:
            record.replaced_by = heir
            write_record(home, record)


def store(home: Home, result: Processed, years: Collection[str] | None = None) -> None:
    """Write parts, then issues, then the record: a delivery without a record is read again.

    With `years`, parts of other years stay as they are; a delivery that concerns none of them leaves no trace.
    """
    record = result.record
    wanted = {
        key: frame
        for key, frame in result.parts.items()
        if years is None or key[1] in years or key[1] == UNDATED
    }
    if result.parts and not wanted:
        return
    for (name, year), frame in wanted.items():
        write_whole(home.lake_part(name, year, record.delivery_id), frame.write_parquet)
    stale = [
        path
        for path in home.lake.glob(f"*/academic_year=*/{record.delivery_id}.parquet")
        if (path.parent.parent.name, path.parent.name.removeprefix("academic_year=")) not in result.parts
    ]
    for path in stale:
        path.unlink()
    write_issues(home, record.delivery_id, result.issues)
    write_record(home, record)


# --- one file ------------------------------------------------------------------------------------------


def process(
    file: Landed, layouts: Sequence[Layout], reference: Reference, version: str, noted: Facts
) -> Processed:
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
        noted=_noted(noted if noted != Facts() else None),
    )
    try:
        if file.path.suffix.lower() not in SUFFIXES:
            raise _not_a_table(file)
        sheets = [sheet for sheet in read_sheets(file.path) if sheet.grid.height]
        return _process_sheets(file, sheets, layouts, reference, noted, record)
    except (Refusal, UnreadableFile) as refusal:
        return _refused(record, file, refusal)


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
    extracted: list[tuple[Block, Extracted]] = []
    for block in blocks:
        if block.layout.table is not None:
            extracted.append((block, _extracted(block, hints, reference)))
    issues = [_unread_sheets(found, blocks)]
    parts: dict[tuple[str, str], list[pl.DataFrame]] = {}
    counts = RowCounts()
    for block in (block for block in blocks if block.layout.table is None):
        rows = block.last_row - block.first_row
        counts.rows_in += rows
        counts.accepted += rows
    for name in dict.fromkeys(e.table for _, e in extracted):
        members = [(block, e) for block, e in extracted if e.table == name]
        accepted, judged = _judged(name, members, record.delivery_id)
        issues += [judged, *(_path_contradicts(e.facts, path_says, block) for block, e in members)]
        for block, e in members:
            _count(counts, block, e, accepted, judged)
        for year, frame in _by_year(name, accepted):
            parts.setdefault((name, year), []).append(frame)
    if not notes:
        _refuse_empty(counts, blocks)
    assert counts.adds_up, f"{file.relative}: rows do not add up: {counts}"
    all_issues = _issue_table([i for i in issues if not i.is_empty()], file, record.delivery_id)
    record.rows = counts
    record.issues = dict(sorted(all_issues["check_id"].value_counts().rows()))
    record.parts = sorted(parts)
    record.tables = {}
    for (name, _), frames in parts.items():
        record.tables[name] = record.tables.get(name, 0) + sum(frame.height for frame in frames)
    record.academic_years = sorted({year for _, year in parts})
    record.status = "accepted_with_quarantine" if counts.quarantined else "accepted"
    whole = {key: pl.concat(frames) for key, frames in parts.items()}
    return Processed(record, all_issues, whole, notes)


def _extracted(block: Block, hints: Facts, reference: Reference) -> Extracted:
    sheet = block.sheet.name
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
        place = f" на листе «{sheet.name}»" if sheet.name else ""
        if recognition.duplicate:
            return Refusal(
                "duplicate_headers",
                f"Заголовки стоят дважды{place}: {', '.join(recognition.duplicate)}.",
                "Оставьте по одному столбцу с каждым заголовком.",
                sheet.name,
            )
        if recognition.ambiguous:
            return Refusal(
                "unknown_layout",
                f"Таблица{place} подходит под несколько раскладок: {', '.join(recognition.ambiguous)}.",
                "Уточните одну из раскладок: назовите в `without` столбец, которого в ней не бывает.",
                sheet.name,
            )
    for sheet, recognition in found:
        if recognition.nearest:
            place = f" на листе «{sheet.name}»" if sheet.name else ""
            return Refusal(
                "missing_columns",
                f"Похоже на «{recognition.nearest.title_ru}»{place}, но нет столбцов: {', '.join(recognition.missing)}.",
                "Пришлите исходную выгрузку без правки шапки.",
                sheet.name,
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
            blocks[0].sheet.name,
        )
    raise Refusal(
        "no_data_rows",
        f"«{layout.title_ru}»: под шапкой нет ни одной строки с данными.",
        "Проверьте, что выгружены сами данные, а не только шапка.",
        blocks[0].sheet.name,
    )


def _unread_sheets(found: Sequence[tuple[Sheet, Recognition]], blocks: Sequence[Block]) -> pl.DataFrame:
    """Sheets beside recognised ones that nobody reads, unless the layout says that they hold no data."""
    companions = [pattern for block in blocks for pattern in block.layout.companions]
    names = [
        sheet.name
        for sheet, recognition in found
        if not recognition.blocks and not any(_matches(pattern, sheet.name) for pattern in companions)
    ]
    return pl.DataFrame(
        {
            RECORD: [None] * len(names),
            ROW: [None] * len(names),
            "column_name": "",
            "value": names,
            "check_id": "sheet_not_recognised",
            "severity": "warning",
            "reason_ru": [f"Лист «{name}» не опознан и не прочитан." for name in names],
            "remedy_ru": "Если на листе данные, опишите его раскладку; иначе уберите лист.",
            "sheet": names,
        },
        schema_overrides={RECORD: pl.Int64(), ROW: pl.Int64(), "value": pl.String(), "sheet": pl.String()},
    )


def _matches(pattern: str, text: str) -> bool:
    return pl.select(pl.lit(text).str.contains(pattern)).item()


def _judged(
    name: str, members: Sequence[tuple[Block, Extracted]], delivery_id: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Accepted records and issues of one table of the file, over all its sheets and blocks."""
    spec = table(name)
    frames, found = [], []
    offset = 0
    for number, (block, e) in enumerate(members):
        frames.append(
            e.records.with_columns(
                pl.lit(delivery_id).alias("delivery_id"),
                pl.lit(block.sheet.name or None, pl.String).alias("sheet"),
                (pl.col(RECORD) + offset).alias(RECORD),
                (pl.col(ROW) + number * _BLOCK_STRIDE).alias(ROW),
            )
        )
        found += [issue.with_columns(pl.col(ROW) + number * _BLOCK_STRIDE) for issue in e.issues]
        stray = e.kinds.filter(pl.col(KIND) == "stray").with_columns(pl.col(ROW) + number * _BLOCK_STRIDE)
        found.append(_stray_issue(stray))
        offset += e.records.height
    accepted, issues = judge(spec, pl.concat(frames), [i for i in found if not i.is_empty()])
    names = [block.sheet.name for block, _ in members]
    if not issues.is_empty():
        block_number = pl.col(ROW) // _BLOCK_STRIDE
        sheets = pl.Series(names, dtype=pl.String)
        issues = issues.with_columns(
            block_number.alias("block"),
            block_number.map_batches(lambda numbers: sheets.gather(numbers), return_dtype=pl.String).alias(
                "sheet"
            ),
            (pl.col(ROW) % _BLOCK_STRIDE).alias(ROW),
        )
    return accepted.with_columns(pl.col(ROW) % _BLOCK_STRIDE), issues


# Rows of several blocks are told apart while they are judged together; no sheet has so many rows.
_BLOCK_STRIDE = 10**9


def _stray_issue(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        pl.lit(None, pl.Int64).alias(RECORD),
        pl.col(ROW),
        pl.lit("").alias("column_name"),
        pl.lit(None, pl.String).alias("value"),
        pl.lit("stray_header_row").alias("check_id"),
        pl.lit("quarantine").alias("severity"),
        pl.lit("Среди данных стоит повторная строка заголовков.").alias("reason_ru"),
        pl.lit("Удалите строку; данных в ней нет.").alias("remedy_ru"),
    )


def _count(
    counts: RowCounts, block: Block, e: Extracted, accepted: pl.DataFrame, issues: pl.DataFrame
) -> None:
    """Where the source rows of one block went. A row is accepted if at least one record of it is."""
    kinds = e.kinds
    counts.rows_in += kinds.height
    for kind in NON_DATA:
        if kind not in ("absent", "blank"):
            setattr(counts, kind, getattr(counts, kind) + int((kinds[KIND] == kind).sum()))
    sheet = block.sheet.name or None
    here = accepted.filter(pl.col("sheet").eq_missing(pl.lit(sheet, pl.String)))
    kept = set(here[ROW].to_list()) if kinds.height < 1 else here[ROW]
    of_record = e.records[ROW].unique()
    data = kinds.filter(pl.col(KIND).is_in(["data", "absent", "stray"]))
    is_kept = data[ROW].is_in(kept.implode()) if isinstance(kept, pl.Series) else data[ROW].is_in(list(kept))
    is_absent = data[KIND] == "absent"
    has_record = data[ROW].is_in(of_record.implode()) | (data[KIND] == "stray")
    counts.absent += int((is_kept & is_absent).sum())
    counts.accepted += int((is_kept & ~is_absent).sum())
    counts.quarantined += int((~is_kept & has_record).sum())
    # a row of a wide table in which nobody sat anything
    counts.blank += int((~is_kept & ~has_record).sum()) + int((kinds[KIND] == "blank").sum())


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
        pl.lit(block.sheet.name).alias("sheet"),
    )


def _same(content: object, path: object) -> bool:
    """`mathematics_base` is the mathematics that a path speaks of."""
    return str(content) == str(path) or str(content).startswith(f"{path}_")


def _issue_table(issues: Sequence[pl.DataFrame], file: Landed, delivery_id: str) -> pl.DataFrame:
    if not issues:
        return pl.DataFrame(schema=ISSUE_SCHEMA)
    wanted = [*ISSUE_COLUMNS, "sheet"]
    every = pl.concat([issue.select(wanted) for issue in issues]).drop(RECORD)
    return every.with_columns(
        pl.lit(delivery_id).alias("delivery_id"),
        pl.lit(file.relative).alias("file_name"),
        pl.lit(None, pl.String).alias("academic_year"),
        pl.lit(None, pl.String).alias("record"),
    ).select(pl.col(name).cast(dtype) for name, dtype in ISSUE_SCHEMA.items())


# --- delivery notes ------------------------------------------------------------------------------------


def _notes(blocks: Sequence[Block], file: Landed, reference: Reference) -> dict[str, Facts]:
    """What a delivery note says of files, by their path below landing."""
    folder = PurePosixPath(file.relative).parent
    facts: dict[str, Facts] = {}
    for block in blocks:
        if block.layout.id != NOTE_LAYOUT:
            continue
        grid = block.sheet.grid.slice(block.first_row)
        for row in grid.select(pl.col(column).alias(name) for name, column in block.fields.items()).iter_rows(
            named=True
        ):
            name = (row.get("file") or "").replace("\\", "/").strip()
            if name:
                facts[(folder / name).as_posix()] = _noted_facts(row, reference)
    return facts


def _noted_facts(row: dict[str, str | None], reference: Reference) -> Facts:
    assessment = (row.get("assessment") or "").lower()
    words = {"впр": "vpr", "огэ": "oge", "егэ": "ege", "vpr": "vpr", "oge": "oge", "ege": "ege"}
    said = facts_of_path(f"{row.get('school_key') or ''}", reference)
    return replace(
        said,
        assessment=words.get(assessment),
        subject_id=reference.subject_for(row.get("subject") or ""),
        grade=int(float(row["grade"])) if row.get("grade") else None,  # type: ignore[arg-type]
        year=int(float(row["year"])) if row.get("year") else None,  # type: ignore[arg-type]
    )


def _delivery_notes(
    files: Sequence[Landed], layouts: Sequence[Layout], reference: Reference
) -> dict[str, Facts]:
    """All delivery notes of landing: small CSV files whose header says that they are one."""
    note_layouts = [layout for layout in layouts if layout.id == NOTE_LAYOUT]
    notes: dict[str, Facts] = {}
    for file in files:
        if file.path.suffix.lower() not in (".csv", ".txt") or file.size_bytes > _LARGEST_NOTE:
            continue
        try:
            blocks = [b for sheet in read_sheets(file.path) for b in recognise(sheet, note_layouts).blocks]
            notes |= _notes(blocks, file, reference)
        except (UnreadableFile, ValueError):
            continue  # it is refused with its own message when its turn comes
    return notes


_LARGEST_NOTE = 5_000_000
