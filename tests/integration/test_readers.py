"""Eight processes that read while another one publishes: every answer is of one release, and of a whole one."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from opora.home import Home
from opora.release import current_release, publish, read_log, releases, rollback, verify
from tests.faulty import server
from tests.releases import MARTS, small_candidate

READERS = 8
ROWS = 50
# All marts in one query: how many rows each has, and which releases they are of.
QUERY = "select list(distinct release_id order by release_id), list(distinct rows) from ({})".format(
    " union all ".join(f"select release_id, count(*) over () as rows from {mart}" for mart in MARTS)
)


def read_on(root: Path, stop: Event, tell: Connection) -> None:
    """Read by turns the database through `current` and the files of the release it leads to; tell what was odd."""
    home, reads, odd, seen = Home(root), 0, [], set()
    while not stop.is_set():
        found = _of_database(home) if reads % 2 else _of_files(home)
        reads += 1
        if len(found[0]) != 1 or found[1] != [ROWS]:
            odd.append(str(found))
        seen |= set(found[0])
    tell.send((reads, odd, sorted(seen)))


def _of_database(home: Home) -> tuple[list[str], list[int]]:
    with duckdb.connect(str(home.current / "official" / "marts.duckdb"), read_only=True) as marts:
        names, rows = marts.execute(QUERY).fetchone() or ([], [])
        return names, rows


def _of_files(home: Home) -> tuple[list[str], list[int]]:
    release = home.current.resolve()
    frames = [pl.read_parquet(release / "official" / f"{mart}.parquet") for mart in MARTS]
    names = sorted({name for frame in frames for name in frame["release_id"]})
    return names, sorted({frame.height for frame in frames})


@pytest.mark.parametrize(
    "publishes", [pytest.param(6, id="short"), pytest.param(50, id="long", marks=pytest.mark.soak)]
)
def test_readers_see_whole_releases_while_others_come(
    tmp_path: Path, publishes: int, tell_count: Callable[[str], None]
) -> None:
    home = Home(tmp_path).ensure()
    publish(home, small_candidate(home, "r000"))
    context = server()
    stop = context.Event()
    readers: list[tuple[Any, Connection]] = []
    for _ in range(READERS):
        ours, theirs = context.Pipe(duplex=False)
        reader = context.Process(target=read_on, args=(home.root, stop, theirs))
        reader.start()
        theirs.close()
        readers.append((reader, ours))
    for number in range(1, publishes + 1):
        publish(home, small_candidate(home, f"r{number:03d}"))
        if number % 5 == 0:
            rollback(home, f"r{number - 3:03d}")
    stop.set()
    answers = [ours.recv() for _, ours in readers]
    for reader, _ in readers:
        reader.join()
    reads = sum(answer[0] for answer in answers)
    assert [odd for answer in answers for odd in answer[1]] == []
    assert all(answer[0] > 0 for answer in answers)
    assert len({name for answer in answers for name in answer[2]}) > 2
    assert all(verify(release) == [] for release in releases(home))
    assert len(releases(home)) == publishes + 1
    assert read_log(home)[-1]["release_id"] == current_release(home).release_id  # type: ignore[union-attr]
    switches = publishes + publishes // 5
    tell_count(f"faults survived: {reads} reads by {READERS} processes during {switches} switches, none mixed or half")
