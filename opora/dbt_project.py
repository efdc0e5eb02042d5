"""The dbt project as dbt knows it: parsed, compiled to plain SQL, and run by dbt itself where that is wanted.

What belongs here: invoking dbt inside this process, and keeping what it compiled for as long as no file of the
project changes. What does not: running the compiled models (`opora/models.py`), and SQL (`dbt/`).
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock

from opora.home import PROJECT

PROJECT_DIR = PROJECT / "dbt"
# dbt keeps its adapter, and the profile its environment variables, once a process: invocations take turns.
_ONE_AT_A_TIME = threading.Lock()

Command = Literal["build", "run", "test"]


class DbtError(Exception):
    """dbt could not read the project, or a model or test of it failed under dbt; the message says which."""


def ensure_manifest(project_dir: Path = PROJECT_DIR) -> Path:
    """The manifest of the project as it is now, with the compiled SQL of every model and test.

    Compiled anew if a file of the project has changed since. Raises DbtError for a project that dbt cannot compile.
    """
    target = project_dir / "target"
    manifest, stamp, fingerprint = target / "manifest.json", target / "fingerprint", _fingerprint(project_dir)

    def is_compiled() -> bool:
        return manifest.exists() and stamp.exists() and stamp.read_text() == fingerprint

    if not is_compiled():  # else nothing is written: the folder may be another user's
        target.mkdir(parents=True, exist_ok=True)
        with FileLock(target / ".lock"):
            if not is_compiled():  # by another process meanwhile
                stamp.unlink(missing_ok=True)
                _invoke(["compile"], project_dir, target, {})
                stamp.write_text(fingerprint)
    return manifest


def run_dbt(
    command: Command, settings: dict[str, str], target_path: Path, *, select: Sequence[str] = ()
) -> dict[str, str]:
    """Run dbt itself over a prepared file; the status of every node by its name.

    `settings` are the environment variables of `dbt/profiles.yml`. Raises DbtError naming what failed.
    """
    arguments = [command, "--no-write-json", *(["--select", *select] if select else [])]
    results = _invoke(arguments, PROJECT_DIR, target_path, settings).results
    failed = [f"{item.node.name}: {item.message}" for item in results if item.status in ("error", "fail")]
    if failed:
        raise DbtError("\n".join(failed))
    return {item.node.name: str(item.status) for item in results}


def _invoke(arguments: list[str], project_dir: Path, target_path: Path, settings: dict[str, str]) -> Any:
    """One in-process invocation of dbt: silent, offline, leaving no connection behind."""
    from dbt.adapters.factory import reset_adapters
    from dbt.cli.main import dbtRunner

    quiet = ["--quiet", "--no-use-colors", "--log-level", "none", "--log-level-file", "none"]
    offline = ["--no-version-check", "--no-send-anonymous-usage-stats"]
    folders = [
        *("--project-dir", str(project_dir)),
        *("--profiles-dir", str(project_dir)),
        *("--target-path", str(target_path.resolve())),
        *("--log-path", str(target_path.resolve())),
    ]
    with _ONE_AT_A_TIME, _environment(settings):
        try:
            outcome = dbtRunner().invoke([*arguments, *quiet, *offline, *folders])
        finally:
            reset_adapters()
            _close_connections()
    if outcome.exception is not None:
        raise DbtError(f"dbt {arguments[0]}: {outcome.exception}") from outcome.exception
    if not outcome.success and outcome.result is None:
        raise DbtError(f"dbt {arguments[0]} не выполнена")
    return outcome.result


def _close_connections() -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    with suppress(Exception):  # there is no environment where dbt never came to open one
        DuckDBConnectionManager.env().close()
    DuckDBConnectionManager.close_all_connections()


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    former = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in former.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _fingerprint(project_dir: Path) -> str:
    """Changes whenever a file of the project does, or the version of dbt or of its adapter."""
    from importlib.metadata import version

    found = hashlib.sha256(f"{version('dbt-core')} {version('dbt-duckdb')}".encode())
    for path in sorted(project_dir.rglob("*")):
        if path.suffix in (".sql", ".yml", ".md", ".csv") and "target" not in path.relative_to(project_dir).parts:
            found.update(f"{path.relative_to(project_dir)}\n".encode())
            found.update(path.read_bytes())
    return found.hexdigest()
