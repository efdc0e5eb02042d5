"""What several integration tests stand on: a small home with a release that two runs at once made."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from opora.home import Home
from tests.runs import FirstRuns, finish_run, start_run, write_landing


@pytest.fixture(scope="session")
def first_runs(tmp_path_factory: pytest.TempPathFactory) -> FirstRuns:
    home = Home(tmp_path_factory.mktemp("runs") / "home").ensure()
    write_landing(home)
    started = time.monotonic()
    processes = start_run(home), start_run(home)
    return FirstRuns(home, (finish_run(processes[0]), finish_run(processes[1])), time.monotonic() - started)


@pytest.fixture
def finished(first_runs: FirstRuns, tmp_path: Path) -> Home:
    """A copy of that home, to do harm to."""
    shutil.copytree(first_runs.home.root, tmp_path / "home", symlinks=True)
    return Home(tmp_path / "home")
