"""Disks that are really full and folders that really cannot be written to, where the tests may mount any."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from opora.delivery import read_records
from opora.failures import explain_fault
from opora.home import Home
from opora.intake import ingest
from opora.lake import require_whole
from opora.reference import load_reference
from opora.release import current_release, publish, releases, rollback, verify
from tests.releases import small_candidate
from tests.runs import finish_run, start_run, write_landing

REFERENCE = load_reference()


def mounted(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A disk of its own; called again it has another size."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def of_size(size: str) -> Path:
        again = ["-o", f"remount,size={size}"] if folder.is_mount() else ["-o", f"size={size}"]
        mounted("-t", "tmpfs", *again, "none", str(folder))
        return folder

    yield of_size
    subprocess.run(["umount", "--lazy", str(folder)], capture_output=True)


@pytest.fixture
def closed() -> Iterator[Callable[[Path], None]]:
    """Makes folders read-only, for root too."""
    folders: list[Path] = []

    def close(folder: Path) -> None:
        mounted("--bind", str(folder), str(folder))
        folders.append(folder)
        mounted("-o", "remount,ro,bind", str(folder))

    yield close
    for folder in folders:
        subprocess.run(["umount", "--lazy", str(folder)], capture_output=True)


def parts(home: Home) -> dict[str, bytes]:
    return {path.relative_to(home.lake).as_posix(): path.read_bytes() for path in home.lake.glob("*/*/*.parquet")}


def test_an_intake_on_a_full_disk_says_so_and_goes_on_when_there_is_room(
    small_disk: Callable[[str], Path], tmp_path: Path
) -> None:
    good = Home(tmp_path / "good").ensure()
    write_landing(good)
    ingest(good, REFERENCE)
    home = Home(small_disk("36k") / "home").ensure()
    write_landing(home)
    with pytest.raises(Exception) as refused:  # noqa: PT011 - whichever library came to the end of the disk
        ingest(home, REFERENCE)
    assert "Кончилось место" in str(explain_fault(refused.value, home.root))
    require_whole(home)
    small_disk("8m")
    ingest(home, REFERENCE)
    assert parts(home) == parts(good)
    assert len(read_records(home)) == 2
    assert not list(home.root.rglob(".*.part"))


def test_a_landing_that_cannot_be_written_to_is_read(tmp_path: Path, closed: Callable[[Path], None]) -> None:
    home = Home(tmp_path / "home").ensure()
    write_landing(home)
    closed(home.landing)
    ingest(home, REFERENCE)
    assert {record.status for record in read_records(home).values()} == {"accepted"}


def test_a_lake_that_cannot_be_written_to_is_told(tmp_path: Path, closed: Callable[[Path], None]) -> None:
    home = Home(tmp_path / "home").ensure()
    write_landing(home)
    closed(home.lake)
    with pytest.raises(OSError, match="lake") as refused:
        ingest(home, REFERENCE)
    assert f"Нет права записи: {home.lake}" in str(explain_fault(refused.value))


def test_releases_that_cannot_be_written_to_stay_as_they_are(tmp_path: Path, closed: Callable[[Path], None]) -> None:
    home = Home(tmp_path / "home").ensure()
    for name in ("r1", "r2"):
        publish(home, small_candidate(home, name))
    small_candidate(home, "r3")
    closed(home.releases)
    for work in (lambda: publish(home, home.releases / ".candidate-r3"), lambda: rollback(home, "r1")):
        with pytest.raises(OSError, match="releases") as refused:
            work()
        assert "Нет права записи" in str(explain_fault(refused.value))
    now = current_release(home)
    assert now is not None
    assert now.release_id == "r2"
    assert verify(now) == []


@pytest.mark.soak
def test_whole_runs_on_disks_that_are_too_small(
    small_disk: Callable[[str], Path], tell_count: Callable[[str], None]
) -> None:
    """Each run gets further than the one before it; the last has room."""
    home = Home(small_disk("512k") / "home").ensure()
    write_landing(home)
    sizes = ["512k", "1m", "2m", "4m", "8m", "12m", "16m", "20m", "24m"]
    for size in sizes:
        small_disk(size)
        process = start_run(home)
        said, _ = process.communicate(timeout=600)
        if process.returncode == 0:
            break
        assert process.returncode == 1, said
        assert "Кончилось место" in said, said
        assert all(verify(release) == [] for release in releases(home))
        assert current_release(home) is None
    small_disk("200m")
    finish_run(start_run(home, "--force"))
    now = current_release(home)
    assert now is not None
    assert verify(now) == []
    require_whole(home)
    tell_count(f"faults survived: {sizes.index(size)} whole runs on a disk that was full")
