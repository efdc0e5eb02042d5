"""Who may come to what: where the web server listens, how files are made, whether documented settings hold."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from dagster._config import validate_config
from dagster._core.instance.config import dagster_instance_config_schema
from dagster_webserver.cli import dagster_webserver

from opora.cli import main, pages
from opora.home import PROJECT, Home, write_json
from pipelines.run import SETTINGS, dagster_home

ACCESS = (PROJECT / "docs" / "runbooks" / "access.md").read_text(encoding="utf-8")


@pytest.fixture
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    former = os.umask(request.param)
    yield request.param
    os.umask(former)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize(("read_only", "program"), [(False, "dagster"), (True, "dagster-webserver")])
def test_the_ui_listens_on_loopback_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_only: bool, program: str
) -> None:
    called: list[list[str]] = []
    monkeypatch.setattr(pages.subprocess, "call", lambda command, **_: called.append(command) or 0)
    arguments = ["ui", "--home", str(tmp_path), *(["--read-only"] if read_only else [])]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    ((first, *rest),) = called
    assert Path(first).name == program
    assert Path(first).exists()
    assert rest[rest.index("-h") + 1] == "127.0.0.1"
    assert ("--read-only" in rest) == read_only
    outside = CliRunner().invoke(main, [*arguments, "--host", "0.0.0.0"])
    assert "access.md" in outside.output
    assert "access.md" not in done.output


def test_the_web_server_of_dagster_listens_on_loopback_and_can_be_read_only() -> None:
    found = {parameter.name: parameter for parameter in dagster_webserver.params}
    assert found["host"].default == "127.0.0.1"
    assert "--read-only" in found["read_only"].opts


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077], indirect=True)
def test_folders_with_people_are_closed_to_others_and_files_follow_the_umask(umask: int, tmp_path: Path) -> None:
    home = Home(tmp_path / "home").ensure()
    for folder in (home.landing, home.lake, home.quarantine, home.build, home.dagster):
        assert mode(folder) == 0o750 & ~umask, folder
    write_json(home.deliveries / "d1.json", {})
    assert mode(home.deliveries / "d1.json") == 0o666 & ~umask


def test_modes_that_are_there_stay(tmp_path: Path) -> None:
    home = Home(tmp_path).ensure()
    home.landing.chmod(0o1730)
    home.ensure()
    assert home.landing.stat().st_mode & 0o7777 == 0o1730


def documented_settings() -> dict[str, object]:
    (block,) = re.findall(r"^```yaml\n(.*?)^```", ACCESS, re.DOTALL | re.MULTILINE)
    return dict(yaml.safe_load(block))


def test_the_settings_for_postgres_are_such_as_dagster_takes() -> None:
    outcome = validate_config(dagster_instance_config_schema(), documented_settings())
    assert outcome.success, outcome.errors


def test_the_settings_for_postgres_are_ours_with_another_storage() -> None:
    ours = {name: value for name, value in SETTINGS.items() if name != "event_log_storage"}
    assert documented_settings() == {**ours, "storage": documented_settings()["storage"]}


def test_settings_that_are_there_stay(tmp_path: Path) -> None:
    home = Home(tmp_path).ensure()
    (home.dagster / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    dagster_home(home)
    assert (home.dagster / "dagster.yaml").read_text(encoding="utf-8") == "telemetry: {enabled: false}\n"


def test_the_plugin_for_postgres_is_that_of_the_locked_dagster() -> None:
    locked = (PROJECT / "requirements.lock").read_text(encoding="utf-8")
    (dagster,) = re.findall(r"^dagster==1\.(\d+\.\d+)", locked, re.MULTILINE)
    (plugin,) = re.findall(r"^dagster-dbt==(\S+)", locked, re.MULTILINE)
    assert f"dagster-postgres=={plugin}" in ACCESS
    assert f"(1.{dagster} goes with {plugin})" in ACCESS
