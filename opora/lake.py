"""The parts of the lake against their records: which are gone, which are not what was written.

What belongs here: knowing whether the lake is whole, and whether its rows are what the registry says. What does not:
writing it (`opora/intake.py`) and what its tables must look like (`schemas/lake/`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import pandera
import polars as pl
import pyarrow.parquet as pq

from opora.delivery import DeliveryRecord, read_records
from opora.home import PROJECT, Home, read_json, sha256_of, sha256_of_all, write_json
from schemas.arrow import polars_schema
from schemas.pandera_schemas import FAILURE_SCHEMA, failures, may_fail
from schemas.registry import Table

_SHOWN = 10
# Rows looked at together: enough for a batch of parts to be worth its fixed cost, little enough for memory.
_ROWS_AT_ONCE = 500_000
# Beside the parts of a table: which of them were found good, and by what.
_GOOD = "good.json"


class DamagedLake(Exception):
    """Parts of the lake are gone or changed; the message names them and says what to do."""


@dataclass(frozen=True)
class PartState:
    """A part of a delivery: its path below the lake, what its record says, and how it is now."""

    path: str
    delivery_id: str
    file_name: str
    sha256: str
    state: Literal["whole", "missing", "changed"]


def parts_of_lake(home: Home, records: Iterable[DeliveryRecord] | None = None) -> list[PartState]:
    """Every part that records tell of, with its state. A replaced delivery's part may be gone: nobody reads it."""
    known = list(read_records(home).values()) if records is None else list(records)
    told = [
        (record, path, sha256)
        for record in known
        for path, sha256 in sorted(record.part_sha256.items())
        if record.replaced_by is None or (home.lake / path).exists()
    ]
    with ThreadPoolExecutor() as pool:
        states = pool.map(lambda item: part_state(home, item[1], item[2]), told)
        return [
            PartState(path, record.delivery_id, record.file_name, sha256, state)
            for (record, path, sha256), state in zip(told, states, strict=True)
        ]


def part_state(home: Home, path: str, sha256: str) -> Literal["whole", "missing", "changed"]:
    """How a part of the lake is, against the checksum that it was written with."""
    try:
        return "whole" if sha256_of(home.lake / path) == sha256 else "changed"
    except FileNotFoundError:
        return "missing"


def _if_purged(record: DeliveryRecord) -> str:
    if not record.purged:
        return ""
    return f", оригинал удалён {record.purged[-1].at:%d.%m.%Y}: верните файл с sha256 {record.sha256}"


def require_whole(home: Home) -> None:
    """Raises DamagedLake if a part is gone or changed: figures over the rest would be silently wrong."""
    damaged = [part for part in parts_of_lake(home) if part.state != "whole"]
    if not damaged:
        return
    words = {"missing": "нет файла", "changed": "файл изменён после записи"}
    records = read_records(home)
    gone = {part.delivery_id: _if_purged(records[part.delivery_id]) for part in damaged}
    lines = [
        f"  {home.lake / part.path}: {words[part.state]}; поставка «{part.file_name}»{gone[part.delivery_id]}"
        for part in damaged
    ]
    more = [f"  … и ещё {len(lines) - _SHOWN}"] if len(lines) > _SHOWN else []
    raise DamagedLake(
        f"Озеро повреждено, выпуск по нему не делается. Частей: {len(damaged)}.\n"
        + "\n".join([*lines[:_SHOWN], *more])
        + "\nПеречитайте поставки: удалите эти файлы и запустите opora run, или всё сразу: opora run --reread. "
        "Файлы поставок должны лежать в landing."
    )


# --- rows ----------------------------------------------------------------------------------------


def failing_in_lake(home: Home, spec: Table, parts: Sequence[Path]) -> tuple[int, pl.DataFrame]:
    """`failing_values` of parts of the lake, those not looked at that were found good before.

    A part is known by its bytes and by the schemas it was held against. What is forgotten is looked at again.
    """
    folder = home.lake / spec.table
    with ThreadPoolExecutor() as pool:
        now = dict(zip(parts, pool.map(sha256_of, parts), strict=True))
    told = read_json(folder / _GOOD)
    good = dict(told["parts"]) if told.get("schemas") == _schemas() else {}
    new = [part for part, sha256 in now.items() if good.get(str(part.relative_to(folder))) != sha256]
    _, found = failing_values(spec, new)
    if new and found.is_empty():
        good |= {str(part.relative_to(folder)): now[part] for part in new}
        there = {name: sha256 for name, sha256 in good.items() if (folder / name).exists()}
        with suppress(OSError):  # it saves time and nothing else
            write_json(folder / _GOOD, {"schemas": _schemas(), "parts": there})
    return sum(pq.read_metadata(part).num_rows for part in parts), found


@cache
def _schemas() -> str:
    """Changes when what is asked of a row does, or what asks."""
    files = sorted(path for path in (PROJECT / "schemas").rglob("*") if path.suffix in (".py", ".yaml"))
    return f"{sha256_of_all(files)} polars {pl.__version__} pandera {pandera.__version__}"


def failing_values(spec: Table, parts: Sequence[Path]) -> tuple[int, pl.DataFrame]:
    """How many rows parts of a table have, and what is wrong with them (`FAILURE_SCHEMA`).

    Some parts at a time; pandera sees the rows that a screen over the columns has not cleared, and one more, so that
    it holds columns and types of good parts too. `index` counts among these rows. A key names its delivery, so that
    it cannot be met again in another part.
    """
    rows, found = 0, [pl.DataFrame(schema=FAILURE_SCHEMA)]
    for batch, rows_of_batch in _batches(parts):
        rows += rows_of_batch
        found.append(failures(spec.table, _suspects(spec, _scanned(spec, batch))))
    return rows, pl.concat(found)


def _scanned(spec: Table, batch: list[Path]) -> pl.LazyFrame:
    """Parts of the same columns; one that need not be there is null in parts written before there was one."""
    frame = pl.scan_parquet(batch, hive_partitioning=False)
    present = frame.collect_schema()
    types = polars_schema(spec.table)
    optional = [column.name for column in spec.columns if not column.required and column.name not in present]
    return frame.with_columns(pl.lit(None, dtype=types[name]).alias(name) for name in optional)


def _suspects(spec: Table, frame: pl.LazyFrame) -> pl.LazyFrame:
    """Rows that something may be wrong with and the first one; all of a frame whose columns are other ones."""
    if set(frame.collect_schema()) != set(spec.names):
        return frame
    may_be_wrong = may_fail(spec).fill_null(False) | pl.struct(spec.primary_key).is_duplicated()
    marks = frame.select(may_be_wrong.alias("mark")).collect()["mark"]
    return frame.filter(marks | (pl.int_range(len(marks), eager=True) == 0))


def _batches(parts: Sequence[Path]) -> Iterator[tuple[list[Path], int]]:
    """Parts of the same columns to be looked at together, and how many rows they have."""
    batches: dict[tuple[str, ...], tuple[list[Path], int]] = {}
    for part in parts:
        footer = pq.read_metadata(part)
        columns = tuple(footer.schema.to_arrow_schema().names)
        batch, rows = batches.pop(columns, ([], 0))
        batch.append(part)
        rows += footer.num_rows
        if rows >= _ROWS_AT_ONCE:
            yield batch, rows
        else:
            batches[columns] = batch, rows
    yield from batches.values()
