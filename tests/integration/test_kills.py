"""Processes that end, or are refused by the system, at every change they make to a home: nothing half-made is seen,
no delivery is lost, and the next run does the rest.

The faults of `tests/faulty.py` are put at each change in turn. Kills of whole runs at random moments: `test_runs.py`.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import polars as pl
import pytest

from opora.delivery import read_records
from opora.failures import explain_fault
from opora.home import Home
from opora.intake import ingest
from opora.lake import parts_of_lake
from opora.lock import OWNER, process_mark
from opora.reference import load_reference
from opora.release import clear_leftovers, current_release, publish, read_log, refuse, releases, rollback, verify
from opora.versions import prune
from tests.faulty import ERRNO, Fault, attempt
from tests.releases import small_candidate
from tests.sums import ROWS, opened, run

NOW = datetime(2025, 9, 1, tzinfo=UTC)
REGISTER = "логин,имя,регион\n" + "".join(f"sch9900{n:02d},МБОУ СОШ №{n},Первый район\n" for n in range(1, 6))
HEAD = "Год;Класс;Предмет;Муниципалитет;Логин;ОО;Кол-во участников;2;3;4;5\n"
WORDS = {"full": "Кончилось место", "denied": "Нет права записи"}
# The long form puts a fault at every change, the short one at every few.
FORMS = [pytest.param(4, id="short"), pytest.param(1, id="long", marks=pytest.mark.soak)]
REFERENCE = load_reference()


def marks(year: int, below: int) -> str:
    return HEAD + "".join(
        f"{year};{grade};Математика;Первый район;edu9900{n:02d};МБОУ СОШ №{n};20;{below};{80 - below};10;10\n"
        for grade in (5, 6)
        for n in range(1, 6)
    )


def at_every_change(
    given: Home, folder: Path, work: Callable[[Path], None], fault: Fault, step: int = 1
) -> Iterator[Home]:
    """Some work on copies of a home with a fault at each of its changes, until it comes to its end without one.

    Yields what each fault left behind. The work was killed, or it says why the system refused.
    """
    for at in count(1, step):
        home = copy_of(given, folder)
        ending = attempt(work, home.root, below=home.root, fault=fault, at=at)
        if ending.done:
            return
        if fault == "kill":
            assert ending.killed, ending.error
        else:
            assert WORDS[fault] in str(explain_fault(ending.error)), ending
        yield home


def copy_of(home: Home, folder: Path) -> Home:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(home.root, folder, symlinks=True)
    return Home(folder)


# --- intake ------------------------------------------------------------------------------------------


def take_in(root: Path) -> None:
    ingest(Home(root), REFERENCE, reread=True, now=NOW)


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with two deliveries taken in; since then one was corrected in place, a broken and a new one came."""
    home = Home(tmp_path_factory.mktemp("waiting")).ensure()
    (home.landing / "реестр.csv").write_text(REGISTER, encoding="utf-8")
    (home.landing / "отметки.csv").write_text(marks(2023, 10), encoding="utf-8")
    ingest(home, REFERENCE, now=NOW)
    (home.landing / "отметки.csv").write_text(marks(2023, 40), encoding="utf-8")
    (home.landing / "новые.csv").write_text(marks(2024, 10).replace(";80;", ";180;", 1), encoding="utf-8")
    (home.landing / "непонятное.csv").write_text("а;б\n1;2\n", encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def whole(waiting: Home, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What an intake that nothing befell makes of it."""
    home = copy_of(waiting, tmp_path_factory.mktemp("whole"))
    take_in(home.root)
    assert {record.status for record in read_records(home).values()} >= {"accepted", "refused"}
    assert sum(record.replaced_by is not None for record in read_records(home).values()) == 1
    return contents(home)


def contents(home: Home) -> dict[str, bytes]:
    """All that the lake and the quarantine hold, leftovers included; locks mean nothing."""
    paths = (path for folder in (home.lake, home.quarantine) for path in folder.rglob("*"))
    return {
        path.relative_to(home.root).as_posix(): path.read_bytes()
        for path in paths
        if path.is_file() and path.suffix != ".lock"
    }


def assert_nothing_half_taken_in(home: Home) -> None:
    """Every part opens, every record is whole and has its parts."""
    for path in home.lake.glob("*/academic_year=*/[!.]*.parquet"):
        pl.read_parquet(path)
    assert {part.state for part in parts_of_lake(home)} <= {"whole"}


@pytest.mark.parametrize("step", FORMS)
@pytest.mark.parametrize("fault", ["kill", *ERRNO])
def test_an_intake_that_ends_at_any_change_is_healed_by_the_next(
    waiting: Home,
    whole: dict[str, bytes],
    tmp_path: Path,
    fault: Fault,
    step: int,
    tell_count: Callable[[str], None],
) -> None:
    faults = 0
    for home in at_every_change(waiting, tmp_path / "home", take_in, fault, step):
        assert_nothing_half_taken_in(home)
        take_in(home.root)
        assert contents(home) == whole
        faults += 1
    assert faults > 20 / step
    tell_count(f"faults survived: {faults} times {fault} during an intake")


def take_in_little(root: Path) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))
    take_in(root)


def test_a_part_that_could_not_be_written_to_its_end_is_no_part(
    waiting: Home, whole: dict[str, bytes], tmp_path: Path
) -> None:
    """The writer of Parquet is not Python: a limit on the size of files stands for the full disk."""
    home = copy_of(waiting, tmp_path / "home")
    ending = attempt(take_in_little, home.root, below=home.root)
    assert "Кончилось место" in str(explain_fault(ending.error)), ending
    assert_nothing_half_taken_in(home)
    take_in(home.root)
    assert contents(home) == whole


# --- kept tables -------------------------------------------------------------------------------------

LATER = [("2021/vpr_4_rus", 5), *ROWS[2:], ("2023/vpr_4_rus", 1)]


def keep(root: Path) -> None:
    with opened(LATER) as database:
        run(database, root / "kept")


def test_a_run_that_is_killed_while_it_keeps_tables_leaves_nothing_wrong(
    tmp_path: Path, tell_count: Callable[[str], None]
) -> None:
    given = Home(tmp_path / "given")
    given.kept.mkdir(parents=True)
    with opened(ROWS) as database:
        run(database, given.kept)
    kills = 0
    for home in at_every_change(given, tmp_path / "home", keep, "kill"):
        with opened(LATER) as database:
            run(database, home.kept)  # says itself whether the sums are right
        for folder in (home.kept / "int_sum", home.kept / "int_total"):
            index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
            named = {name for part in index.values() for name in part["files"]}
            assert {path.name for path in folder.iterdir()} == named | {"index.json"}
        kills += 1
    assert kills > 10
    tell_count(f"faults survived: {kills} times kill while tables are kept")


# --- releases ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Three releases, the last one in force; a candidate; what a run left whose process is gone."""
    home = Home(tmp_path_factory.mktemp("published")).ensure()
    for name in ("r1", "r2", "r3"):
        publish(home, small_candidate(home, name))
    small_candidate(home, "r4")
    small_candidate(home, "gone")
    (home.build / "gone").mkdir(parents=True)
    (home.build / "gone" / OWNER).write_text(json.dumps(process_mark() | {"started": "1"}), encoding="utf-8")
    unmarked = home.build / "unmarked"  # its process ended before it left its mark
    unmarked.mkdir()
    os.utime(unmarked, (NOW.timestamp(), NOW.timestamp()))
    return home


def publish_r4(root: Path) -> None:
    publish(Home(root), Home(root).releases / ".candidate-r4")


def refuse_r4(root: Path) -> None:
    refuse(Home(root), Home(root).releases / ".candidate-r4", [{"check_id": "there_are_schools"}])


def roll_back(root: Path) -> None:
    rollback(Home(root), "r1", "ошибка")


def prune_r1(root: Path) -> None:
    prune(Home(root), [release for release in releases(Home(root)) if release.release_id == "r1"])


def clear(root: Path) -> None:
    clear_leftovers(Home(root), "r4")


def assert_all_releases_are_whole(home: Home) -> None:
    """What readers can come to is whole, and the log tells what is in force."""
    for release in releases(home):
        assert verify(release) == []
    now = current_release(home)
    assert now is not None
    assert verify(now) == []
    assert read_log(home)[-1]["release_id"] == now.release_id


def next_run(home: Home) -> None:
    """What a run does after its build."""
    clear_leftovers(home)
    shutil.rmtree(home.releases / ".candidate-next", ignore_errors=True)
    publish(home, small_candidate(home, "next"))


@pytest.mark.parametrize(
    ("work", "in_force"),
    [(publish_r4, {"r3", "r4"}), (refuse_r4, {"r3"}), (roll_back, {"r1", "r3"}), (prune_r1, {"r3"}), (clear, {"r3"})],
)
def test_releases_stay_whole_whenever_a_process_is_killed(
    published: Home,
    tmp_path: Path,
    work: Callable[[Path], None],
    in_force: set[str],
    tell_count: Callable[[str], None],
) -> None:
    kills, seen = 0, set()
    for home in at_every_change(published, tmp_path / "home", work, "kill"):
        assert_all_releases_are_whole(home)
        seen.add(current_release(home).release_id)  # type: ignore[union-attr]
        next_run(home)
        assert_all_releases_are_whole(home)
        assert [entry["release_id"] for entry in read_log(home)[-1:]] == ["next"]
        left = {path.name for path in home.releases.glob(".*")} - {".publish.lock", ".candidate-r4", ".refused-r4"}
        assert left == set(), left
        assert not list(home.build.glob("*"))
        kills += 1
    assert kills > 2
    assert seen == in_force
    tell_count(f"faults survived: {kills} kills while a process does {work.__name__}, one at each of its changes")


@pytest.mark.parametrize("step", FORMS)
@pytest.mark.parametrize("fault", ERRNO)
@pytest.mark.parametrize("work", [publish_r4, roll_back])
def test_releases_stay_whole_whenever_the_system_refuses(
    published: Home,
    tmp_path: Path,
    work: Callable[[Path], None],
    fault: Fault,
    step: int,
    tell_count: Callable[[str], None],
) -> None:
    faults = 0
    for home in at_every_change(published, tmp_path / "home", work, fault, step):
        assert_all_releases_are_whole(home)
        next_run(home)
        assert_all_releases_are_whole(home)
        faults += 1
    assert faults
    tell_count(f"faults survived: {faults} times {fault} while a process does {work.__name__}")
