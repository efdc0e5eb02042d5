"""What several integration tests stand on: a small home with a release that two runs at once made."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

from opora.home import Home
from tests.conftest import built_once
from tests.runs import FirstRuns, finish_run, start_run, write_landing


@pytest.fixture(scope="session")
def first_runs(tmp_path_factory: pytest.TempPathFactory) -> FirstRuns:
    def build(folder: Path) -> None:
        home = Home(folder / "home").ensure()
        write_landing(home)
        started = time.monotonic()
        processes = start_run(home), start_run(home)
        outputs = [finish_run(process) for process in processes]
        told = {"outputs": outputs, "seconds": time.monotonic() - started}
        (folder / "told.json").write_text(json.dumps(told), encoding="utf-8")

    folder = built_once(tmp_path_factory, "first-runs", build)
    told = json.loads((folder / "told.json").read_text(encoding="utf-8"))
    return FirstRuns(Home(folder / "home"), tuple(told["outputs"]), told["seconds"])


@pytest.fixture
def finished(first_runs: FirstRuns, tmp_path: Path) -> Home:
    """A copy of that home, to do harm to."""
    shutil.copytree(first_runs.home.root, tmp_path / "home", symlinks=True)
    return Home(tmp_path / "home")
