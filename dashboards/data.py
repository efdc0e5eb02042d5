"""The release that the pages read: opened read-only, followed when `current` moves, closed when nobody reads it.

What belongs here: the life of a connection and running a bound query. What does not: the queries (`queries.py`) and
anything outside a release, but for what the gate refused after it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import duckdb

from opora.comparison import DIFF_JSON
from opora.home import Home
from opora.release import DATABASE, MANIFEST, PUBLIC, Release, ReleaseError, read_release, refusals
from opora.sql import Row, fetch

Profile = Literal["official", "public"]


class NoRelease(Exception):
    """There is nothing to show; the message says what to run."""


@dataclass(frozen=True)
class ReleaseData:
    """One open release in one profile. A page is made from one of these and so never mixes two releases."""

    home: Home
    profile: Profile
    release: Release
    connection: duckdb.DuckDBPyConnection = field(repr=False)

    @property
    def is_public(self) -> bool:
        return self.profile == PUBLIC

    @property
    def manifest(self) -> Mapping[str, Any]:
        return self.release.manifest

    def rows(self, query: str, **values: object) -> list[Row]:
        """The rows of a query; `$name` in it is bound, never pasted. Safe from any thread."""
        with self.connection.cursor() as cursor:
            return fetch(cursor, query, **values)

    def row(self, query: str, **values: object) -> Row | None:
        found = self.rows(query, **values)
        return found[0] if found else None

    @cached_property
    def marts(self) -> frozenset[str]:
        return frozenset(row["table_name"] for row in self.rows("select table_name from duckdb_tables()"))

    @cached_property
    def difference(self) -> Mapping[str, Any]:
        """What changed since the release before; empty for the first one."""
        return _json(self.release.folder / DIFF_JSON) or {}

    @cached_property
    def dictionary(self) -> list[Mapping[str, Any]]:
        """The words of every mart and column, as this release was published with."""
        return _json(self.release.folder / "dictionary.json") or []


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


@dataclass
class _Open:
    """An open release and how many pages are being made from it."""

    data: ReleaseData
    target: str
    readers: int = 0


class Releases:
    """Gives out the current release of a home. A release that was replaced is closed when its last reader leaves."""

    def __init__(self, home: Home, profile: Profile) -> None:
        self.home = home
        self.profile = profile
        self._lock = threading.Lock()
        self._open: _Open | None = None

    @contextmanager
    def reading(self) -> Iterator[ReleaseData]:
        """The current release for the making of one page. Raises NoRelease where there is none."""
        with self._lock:
            opened = self._followed()
            opened.readers += 1
        try:
            yield opened.data
        finally:
            with self._lock:
                opened.readers -= 1
                if opened is not self._open and opened.readers == 0:
                    opened.data.connection.close()

    def current_id(self) -> str | None:
        """The name of the current release, for the price of one look at a link."""
        try:
            return self.home.current.readlink().name
        except OSError:
            return None

    def refused_later(self, data: ReleaseData) -> list[Mapping[str, Any]] | None:
        """The checks of the gate that refused a candidate newer than the release; None where the last one passed."""
        newest = max(refusals(self.home), key=lambda path: path.stat().st_mtime, default=None)
        if newest is None or newest.stat().st_mtime < (data.release.folder / MANIFEST).stat().st_mtime:
            return None
        return [check for check in _json(newest) or [] if not check["passed"] and check["refuses"]]

    def close(self) -> None:
        with self._lock:
            if self._open:
                self._open.data.connection.close()
                self._open = None

    def _followed(self) -> _Open:
        target = self.current_id()
        if target is None:
            raise NoRelease(f"В {self.home.root} ещё нет выпуска.")
        if self._open is None or self._open.target != target:
            former, self._open = self._open, self._opened(target)
            if former and former.readers == 0:
                former.data.connection.close()
        return self._open

    def _opened(self, target: str) -> _Open:
        folder = (self.home.releases / target).resolve()
        database = folder / self.profile / DATABASE
        try:
            release = read_release(folder)
        except ReleaseError as error:
            raise NoRelease(str(error)) from error
        if not database.is_file():
            raise NoRelease(f"В выпуске {target} нет профиля {self.profile}.")
        connection = duckdb.connect(str(database), read_only=True)
        return _Open(ReleaseData(self.home, self.profile, release, connection), target)
