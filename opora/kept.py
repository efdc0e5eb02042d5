"""Tables of models that outlive a run, portion by portion: what no new file touches is not computed again.

What belongs here: knowing whether a portion still holds, computing those that do not, keeping them. What does not:
which models are kept and what a portion is (`dbt/`: `meta.kept`, macro `portion`), the order of models (`models.py`).

A portion is one work of one measured year, or all exams of one. Its key is a hash of all that it is made of: the SQL of
the model, and of each input the same portion or, where the input knows no portions, the whole. What has the same key is
the same table, so that nothing need be told to forget: see docs/adr/0019.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import duckdb

from opora.delivery import read_records
from opora.home import PRIVATE, PROJECT, Home, clear_parts, read_json, sha256_of, sha256_of_all, write_json
from opora.lock import hold
from opora.sql import quoted

if TYPE_CHECKING:
    from opora.models import Input, Node

PORTION = "portion"
# Of a table that has them, these make its portion.
_YEAR_AND_PROCEDURE = ("academic_year", "procedure_id")
WHOLE = ""
_INDEX = "index.json"
_PROVEN = "proven.json"
# What disks say that know no links, or no more of them to one file.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.EXDEV)
# Below so many rows of participants computing everything is quicker than keeping books.
KEEP_FROM_ROWS = 200_000
# Rows of participants whose portions one query computes: memory grows with these and not with the country.
ROWS_AT_ONCE = 5_000_000

Prints = Mapping[str, str]


class NotPortioned(Exception):
    """A model that should make a portion from the same portion of its inputs made rows of another one."""


@dataclass(frozen=True)
class Part:
    """A portion as it lies in the folder: its key, and its files with their checksums."""

    key: str
    files: Mapping[str, str]


@dataclass(frozen=True)
class Made:
    """How many portions of a table were computed, and how many still held."""

    computed: int
    kept: int


@contextmanager
def kept_tables(home: Home, database: Path) -> Iterator[KeptTables | None]:
    """The kept tables of a home for a build file, if the home is large enough for them; else what was kept is removed.

    Nobody else has them meanwhile: a second run of the home waits.
    """
    least = int(os.environ.get("OPORA_KEEP_FROM_ROWS") or KEEP_FROM_ROWS)
    rows = sum(record.tables.get("assessment_result", 0) for record in read_records(home).values())
    if rows < least:
        if home.kept.exists():
            with hold(home.kept_lock, "расчёт витрин"):
                shutil.rmtree(home.kept, ignore_errors=True)
        yield None
        return
    with hold(home.kept_lock, "расчёт витрин"):
        home.kept.mkdir(mode=PRIVATE, exist_ok=True)
        yield KeptTables(home.kept, database.with_suffix(".kept"), queries=max(1, round(rows / ROWS_AT_ONCE)))


@dataclass
class KeptTables:
    """The kept tables of a home, for the time of one build.

    The build file reads them through links of its own in `beside`: what a later run removes stays for this one.
    All portions of a table are computed by so many `queries`, an equal share of them by each.
    """

    folder: Path
    beside: Path
    queries: int = 1
    _prints: dict[str, Prints] = field(default_factory=dict)
    _files: dict[str, Mapping[str, list[Path]]] = field(default_factory=dict)

    def create(self, connection: duckdb.DuckDBPyConnection, node: Node) -> Made:
        """Make the relation of a node: a view over its portions, those computed that do not hold any more."""
        keys = self._keys(connection, node)
        folder = self.folder / node.name
        index = _read_index(folder)
        parts = {portion: index[portion] for portion in keys if _holds(folder, index.get(portion), keys[portion])}
        kept = len(parts)
        missing = sorted(set(keys) - set(parts))
        at_once = max(1, ceil(len(keys) / self.queries))
        for start in range(0, len(missing), at_once):
            some = {portion: keys[portion] for portion in missing[start : start + at_once]}
            parts |= self._compute(connection, node, self._limited(connection, node, some, keys), some)
            _write_index(folder, parts)
        if not missing and parts != index:  # some are gone
            _write_index(folder, parts)
        _tidy(folder, parts)
        files = {
            portion: [_linked(folder / name, self.beside / node.name) for name in sorted(part.files)]
            for portion, part in parts.items()
        }
        _create_view(connection, node, [path for found in files.values() for path in found])
        # a portion without rows is the same whatever it was made of
        self._prints[node.relation] = {portion: part.key for portion, part in parts.items() if part.files}
        self._files[node.relation] = files
        return Made(len(missing), kept)

    def unproven(self, connection: duckdb.DuckDBPyConnection, test: Node) -> str | None:
        """The SQL of a test over the portions that have changed since it passed; None if none has."""
        keys, proven = self._keys(connection, test), self._proven().get(test.name, {})
        changed = [portion for portion, key in keys.items() if proven.get(portion) != key]
        if not changed:
            return None
        return self._limited(connection, test, changed, keys)

    def prove(self, connection: duckdb.DuckDBPyConnection, test: Node) -> None:
        """Remember that a test has passed over all there is now."""
        write_json(self.folder / _PROVEN, self._proven() | {test.name: self._keys(connection, test)})

    def _proven(self) -> dict[str, Prints]:
        return read_json(self.folder / _PROVEN)

    def forget_others(self, names: Collection[str]) -> None:
        """Remove what is kept of models that are not kept any more."""
        for folder in self.folder.iterdir():
            if folder.is_dir() and folder.name not in names:
                shutil.rmtree(folder, ignore_errors=True)

    def _keys(self, connection: duckdb.DuckDBPyConnection, node: Node) -> dict[str, str]:
        """The key of every portion that a node should have now."""
        prints = {item.relation: self._print(connection, item.told_by) for item in node.inputs}
        fixed = _hash(node.sql, node.columns, [item.view for item in node.inputs], duckdb.__version__, _code())
        if node.kept == "whole":
            return {WHOLE: _hash(fixed, prints)}
        portions = {portion for found in prints.values() for portion in found} - {WHOLE}
        return {
            portion: _hash(fixed, {name: found.get(portion, found.get(WHOLE)) for name, found in prints.items()})
            for portion in portions
        }

    def _print(self, connection: duckdb.DuckDBPyConnection, relation: str) -> Prints:
        """What tells one state of a table from another: by portion if it has them. Its keys, if it is kept itself."""
        if relation not in self._prints:
            portion = _portion_of(connection, relation) or quoted(WHOLE)
            # names and types of columns are no part of a row's hash
            shape = _hash(connection.execute(f"describe select * from {relation}").fetchall())
            self._prints[relation] = {
                str(name): f"{shape} {count} {total}"
                for name, count, total in connection.execute(
                    f"select {portion}, count(*), sum(cast(hash(t) as hugeint)) from {relation} as t group by 1"
                ).fetchall()
            } or {WHOLE: "empty"}
        return self._prints[relation]

    def _compute(
        self, connection: duckdb.DuckDBPyConnection, node: Node, sql: str, keys: Mapping[str, str]
    ) -> dict[str, Part]:
        """Run SQL that makes these portions and put them into the folder; a portion without rows has no files."""
        folder, work = self.folder / node.name, self.folder / f".{node.name}.part"
        shutil.rmtree(work, ignore_errors=True)
        folder.mkdir(exist_ok=True)
        query = f"select {node.selected} from ({sql}\n)"
        try:
            if node.kept == "whole":
                work.mkdir()
                path = work / "all.parquet"
                connection.execute(f"copy ({query}) to {quoted(path)} (format parquet)")
                found = {WHOLE: [path]}
            else:
                own = PORTION in _columns(connection, f"({query})")
                portioned = query if own else f"select *, {_joined_portion()} as {PORTION} from ({query})"
                connection.execute(
                    f"copy ({portioned}) to {quoted(work)}"
                    f" (format parquet, partition_by ({PORTION}), write_partition_columns {str(own).lower()})"
                )
                found = {_name(part): sorted(part.glob("*.parquet")) for part in work.glob(f"{PORTION}=*")}
            if strange := set(found) - set(keys):
                raise NotPortioned(f"строки порций, которых во входных таблицах нет: {sorted(strange)}")
            return {portion: _take(found.get(portion, []), folder, key) for portion, key in keys.items()}
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _limited(
        self, connection: duckdb.DuckDBPyConnection, node: Node, portions: Collection[str], every: Collection[str]
    ) -> str:
        """The SQL of a node; unless these are every portion, over them alone, and files of others are not opened."""
        sql, wanted = node.sql, ", ".join(map(quoted, portions))
        if len(portions) == len(every):
            return sql
        for item in node.inputs:
            files = self._files.get(item.relation, {})
            if found := [path for portion in portions for path in files.get(portion, ())]:
                sql = sql.replace(item.relation, f"(select * from {_of_files(found)})")
            elif portion := _portion_of(connection, item.relation):
                where = f"{portion} in ({wanted}){_and_deliveries(connection, item, wanted)}"
                sql = sql.replace(item.relation, f"(select * from {item.relation} where {where})")
        return sql


def _and_deliveries(connection: duckdb.DuckDBPyConnection, item: Input, wanted: str) -> str:
    """Of a view over the lake: which deliveries bring these portions, since each has files of its own."""
    if item.told_by == item.relation or "delivery_id" not in _columns(connection, item.told_by):
        return ""
    query = f"select distinct delivery_id from {item.told_by} where {PORTION} in ({wanted})"
    found = [quoted(row[0]) for row in connection.execute(query).fetchall()]
    return f" and delivery_id in ({', '.join(found)})" if found else ""


def _portion_of(connection: duckdb.DuckDBPyConnection, relation: str) -> str | None:
    """The expression of a row's portion, if the table has any."""
    columns = _columns(connection, relation)
    if PORTION in columns:
        return PORTION
    return _joined_portion() if set(_YEAR_AND_PROCEDURE) <= columns else None


def _joined_portion() -> str:
    return " || '/' || ".join(_YEAR_AND_PROCEDURE)


def _columns(connection: duckdb.DuckDBPyConnection, source: str) -> set[str]:
    return {str(row[0]) for row in connection.execute(f"describe select * from {source}").fetchall()}


def _create_view(connection: duckdb.DuckDBPyConnection, node: Node, files: list[Path]) -> None:
    """The relation over files; of no files an empty one of the same columns."""
    source = _of_files(files) if files else f"({node.sql}\n) limit 0"
    connection.execute(f"create or replace view {node.relation} as select {node.selected} from {source}")


def _of_files(files: Collection[Path]) -> str:
    return f"read_parquet([{', '.join(map(quoted, files))}], hive_partitioning = false)"


# --- files ---------------------------------------------------------------------------------------


def _take(found: list[Path], folder: Path, key: str) -> Part:
    """Put the files of a portion into the folder, under names that tell their key."""
    files = {}
    for number, path in enumerate(found):
        name = f"{key}-{number}.parquet"
        files[name] = sha256_of(path)
        path.replace(folder / name)
    return Part(key, files)


def _linked(path: Path, folder: Path) -> Path:
    """The same file in another folder; a copy where the disk knows no links."""
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / path.name
    link.unlink(missing_ok=True)
    try:
        link.hardlink_to(path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copyfile(path, link)
    return link


def _name(folder: Path) -> str:
    return unquote(folder.name.removeprefix(f"{PORTION}="))


def _holds(folder: Path, part: Part | None, key: str) -> bool:
    """Whether a portion was made of what there is now, and its files are as they were written."""
    if part is None or part.key != key:
        return False
    try:
        return all(sha256_of(folder / name) == checksum for name, checksum in part.files.items())
    except FileNotFoundError:
        return False


def _read_index(folder: Path) -> dict[str, Part]:
    return {portion: Part(part["key"], part["files"]) for portion, part in read_json(folder / _INDEX).items()}


def _write_index(folder: Path, parts: Mapping[str, Part]) -> None:
    folder.mkdir(exist_ok=True)
    write_json(folder / _INDEX, {name: {"key": part.key, "files": part.files} for name, part in parts.items()})


def _tidy(folder: Path, parts: Mapping[str, Part]) -> None:
    """Remove what the index does not name: former portions, and what killed runs left."""
    clear_parts(folder)
    named = {name for part in parts.values() for name in part.files}
    for path in folder.glob("*.parquet"):
        if path.name not in named:
            path.unlink(missing_ok=True)


@cache
def _code() -> str:
    """Changes when the code does that lays the lake out for models or makes portions of them."""
    return sha256_of_all(PROJECT / "opora" / name for name in ("kept.py", "models.py", "warehouse.py"))


def _hash(*things: Any) -> str:
    return hashlib.sha256(json.dumps(things, sort_keys=True, default=str).encode()).hexdigest()[:32]
