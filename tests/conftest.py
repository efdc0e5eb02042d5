"""What all tests share: a secret for made-up people, homes that are built once, counts told at the end.

`make test` spreads files over processes, each with a session of its own; what is built once is built by the first that
asks for it, and the others wait.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from filelock import FileLock
from hypothesis import settings

from opora.home import PROJECT, Home

REAL_DATA = Path(os.environ.get("OPORA_REAL_DATA") or PROJECT.parent / "shared" / "data" / "real")

_COUNTS = pytest.StashKey[list[str]]()

# The suite says the same of the same code; `make soak` looks for examples that nobody has seen yet.
# A slow machine is no failure.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("new", derandomize=False, deadline=None, print_blob=True)
settings.load_profile("same")


@pytest.fixture(scope="session")
def tell_count(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Say in the summary of the session what was done how often: `tell_count("faults survived: 6 kills")`."""
    return pytestconfig.stash.setdefault(_COUNTS, []).append


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process of several hands its counts over."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["counts"] = session.config.stash.get(_COUNTS, [])


def pytest_testnodedown(node: Any) -> None:
    node.config.stash.setdefault(_COUNTS, []).extend(getattr(node, "workeroutput", {}).get("counts", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if lines := config.stash.get(_COUNTS, []):
        terminalreporter.section("counts")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(autouse=True, scope="session")
def _quiet_and_secret() -> Iterator[None]:
    """Nothing reports home, and the made-up people of fixtures can be hashed."""
    settings = {
        "OPORA_PERSON_SECRET": "tests-only",
        "DAGSTER_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "1",
        "GX_ANALYTICS_ENABLED": "false",
    }
    former = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    yield
    for name, value in former.items():
        os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)


@dataclass(frozen=True)
class Region:
    """A home folder with a release, and what its makers know to be true."""

    home: Home

    @property
    def truth(self) -> Path:
        return self.home.root / "truth"

    def marts(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(self.home.current / "official" / "marts.duckdb"), read_only=True)


def built_once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], None]) -> Path:
    """A folder that one process of the test run fills and all may read; tests must not change it."""
    base = factory.getbasetemp()
    common = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done, failed = (common / f"{name}{end}" for end in ("", ".done", ".failed"))
    with FileLock(common / f"{name}.lock"):
        if failed.exists():
            pytest.fail(failed.read_text(encoding="utf-8"))
        if not done.exists():
            folder.mkdir()
            try:
                build(folder)
            except BaseException as error:
                failed.write_text(f"{name} was not built: {error!r}", encoding="utf-8")
                raise
            done.touch()
    return folder


@pytest.fixture(scope="session")
def demo_region(tmp_path_factory: pytest.TempPathFactory) -> Region:
    """The synthetic region, run whole through Dagster once."""
    from opora.demo import write_region
    from pipelines.run import run_now

    def build(folder: Path) -> None:
        write_region(folder)
        outcome = run_now(Home(folder))
        assert outcome.succeeded, outcome.failures
        assert outcome.release_is_new

    return Region(Home(built_once(tmp_path_factory, "demo-region", build)))
