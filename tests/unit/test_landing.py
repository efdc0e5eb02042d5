"""What lies in landing is known by its bytes, and bytes that nobody has touched are not read twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from opora import landing
from opora.home import sha256_of
from opora.landing import survey


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "landing"
    place.mkdir()
    for name in ("а.csv", "б.csv"):
        (place / name).write_text(f"файл {name}", encoding="utf-8")
    return place


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of files whose bytes are read; a file is settled as soon as it is written."""
    names: list[str] = []

    def reading(path: Path) -> str:
        names.append(path.name)
        return sha256_of(path)

    monkeypatch.setattr(landing, "sha256_of", reading)
    monkeypatch.setattr(landing, "_SETTLED_NS", 0)
    return names


def test_what_nobody_has_touched_is_not_read_again(folder: Path, tmp_path: Path, read: list[str]) -> None:
    first = survey(folder, tmp_path / "digests.json")
    assert sorted(read) == ["а.csv", "б.csv"]
    read.clear()
    assert survey(folder, tmp_path / "digests.json") == first
    assert read == []
    assert survey(folder) == first  # whoever vouches for originals reads them
    assert sorted(read) == ["а.csv", "б.csv"]


def test_a_change_that_hides_its_size_and_date_is_seen(folder: Path, tmp_path: Path, read: list[str]) -> None:
    survey(folder, tmp_path / "digests.json")
    read.clear()
    path = folder / "а.csv"
    before = path.stat()
    path.write_text("файл в.csv", encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    files, _ = survey(folder, tmp_path / "digests.json")
    assert read == ["а.csv"]
    assert files[0].sha256 == sha256_of(path)


def test_a_file_that_took_the_place_of_another_is_read(folder: Path, tmp_path: Path, read: list[str]) -> None:
    survey(folder, tmp_path / "digests.json")
    read.clear()
    (folder / "б.csv").replace(folder / "а.csv")
    files, _ = survey(folder, tmp_path / "digests.json")
    assert [(file.relative, file.sha256) for file in files] == [("а.csv", sha256_of(folder / "а.csv"))]


def test_a_file_that_has_just_been_written_is_not_remembered(folder: Path, tmp_path: Path) -> None:
    survey(folder, tmp_path / "digests.json")
    assert not (tmp_path / "digests.json").exists()


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"1 2 3": 4}'])
def test_a_memory_that_is_damaged_is_as_none(folder: Path, tmp_path: Path, read: list[str], text: str) -> None:
    memory = tmp_path / "digests.json"
    memory.write_text(text, encoding="utf-8")
    assert survey(folder, memory) == survey(folder)
    read.clear()
    survey(folder, memory)
    assert read == []


def test_a_memory_that_cannot_be_written_stops_nothing(folder: Path, tmp_path: Path, read: list[str]) -> None:
    (tmp_path / "file").touch()
    assert survey(folder, tmp_path / "file" / "digests.json") == survey(folder)
