"""What all tests share: a secret for made-up people, homes that are built once a session, counts told at the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from opora.home import PROJECT, Home

REAL_DATA = Path(os.environ.get("OPORA_REAL_DATA") or PROJECT.parent / "shared" / "data" / "real")

_COUNTS = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def tell_count(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Say in the summary of the session what was done how often: `tell_count("faults survived: 6 kills")`."""
    return pytestconfig.stash.setdefault(_COUNTS, []).append


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


@pytest.fixture(scope="session")
def demo_region(tmp_path_factory: pytest.TempPathFactory) -> Region:
    """The synthetic region, run whole through Dagster once; tests must not change it."""
    from opora.demo import write_region
    from pipelines.run import run_now

    home = Home(tmp_path_factory.mktemp("demo"))
    write_region(home.root)
    outcome = run_now(home)
    assert outcome.succeeded, outcome.failures
    assert outcome.release_is_new
    return Region(home)
