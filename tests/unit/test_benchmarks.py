"""What the benchmarks measure is what they say: homes hold the files, the late file has one participant less."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from opora.home import PROJECT


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of the benchmarks, which are scripts beside one another."""
    monkeypatch.syspath_prepend(str(PROJECT / "benchmarks"))
    return import_module


def test_a_home_finds_its_files_from_anywhere(benchmark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "register.csv").write_text("логин\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    home = benchmark("homes").new_home(tmp_path / "home", [Path("data")])
    assert (home / "landing" / "data" / "register.csv").read_text(encoding="utf-8") == "логин\n"


def test_the_late_file_has_one_participant_less(benchmark: Any, tmp_path: Path) -> None:
    country = benchmark("country")
    path = tmp_path / country.LATE
    path.parent.mkdir(parents=True)
    rows = ["Школа;Вариант;Итого баллов", "а;отсутствовал;0", "б;1;12", "в;2;9", ";;"]
    path.write_bytes("".join(f"{row}\r\n" for row in rows).encode())
    country.correct_one_file(tmp_path)
    assert path.read_bytes().decode().splitlines() == [*rows[:2], *rows[3:]]
