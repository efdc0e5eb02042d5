"""Dagster's own event log with its connections kept open.

What belongs here: how the log of a home is reached. What does not: what is stored and how, which stays Dagster's; a log
written by either can be read by both.

A run tells some 1,700 events: every table and check of the lineage has one of its own. Dagster opens a new engine for
each statement, which compiles the statement anew, and waits for the disk after each; that was a third of a small run.
An event is in the file as soon as it is told, whatever becomes of the process. Only a power cut may take the last ones
with it, and the log stays whole then too: what a run has published lies in the releases, which wait for the disk.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, StaticPool, create_engine, text

# The log of a run, the index over all, and some runs that a page looks into.
_MOST_OPEN = 8


class OpenEventLog(SqliteEventLogStorage):
    """`SqliteEventLogStorage`, one connection a file for as long as the process works with it."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, Engine] = {}
        self._present: set[tuple[str, str]] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> Any:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Any:
        """The log lies where Dagster puts it by default, so a home can be moved and its settings need no path."""
        return cls(str(Path(os.environ["DAGSTER_HOME"]) / "history" / "runs"), inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engines.get(shard) or self._open(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _open(self, shard: str) -> Engine:
        if len(self._engines) >= _MOST_OPEN:
            self._close()
        # one connection for all threads: the lock lets one in at a time
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=StaticPool,
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        )
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        with engine.connect() as connection:
            connection.execute(text("PRAGMA synchronous = NORMAL"))  # of a write-ahead log: the disk at checkpoints
        self._engines[shard] = engine
        return engine

    # What of a log has been migrated is asked with every event and every record; what is there stays.

    def has_table(self, table_name: str) -> bool:
        return self._stays("table", table_name, lambda: super(OpenEventLog, self).has_table(table_name))

    def has_secondary_index(self, name: str) -> bool:
        return self._stays("index", name, lambda: super(OpenEventLog, self).has_secondary_index(name))

    def has_asset_key_col(self, column_name: str) -> bool:
        return self._stays("column", column_name, lambda: super(OpenEventLog, self).has_asset_key_col(column_name))

    def _stays(self, kind: str, name: str, look: Callable[[], bool]) -> bool:
        if (kind, name) not in self._present and look():
            self._present.add((kind, name))
        return (kind, name) in self._present

    def _close(self) -> None:
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()

    def dispose(self) -> None:
        with self._db_lock:
            self._close()
        super().dispose()
