"""Commands that run nothing: what they say, write and refuse, by exit code."""

from __future__ import annotations

import gc
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from opora.cli import main
from opora.cli.garbage import lasting
from opora.dbt_project import DbtError
from opora.home import PROJECT, Home
from opora.programmes import load_programmes, parse_programme


def call(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_help_names_every_command() -> None:
    code, words = call("--help")
    assert code == 0
    for name in ("demo", "receive", "check", "run", "status", "explain", "release", "template", "programme", "ui"):
        assert name in words


def test_two_made_up_worlds_do_not_mix(tmp_path: Path) -> None:
    size = ("--schools", 20, "--participants-per-year", 100)
    assert call("demo", *size, "--home", tmp_path)[0] == 0
    assert call("demo", *size, "--home", tmp_path)[0] == 0, "the same again is the same"
    written = set((tmp_path / "landing").rglob("*"))
    for other in (("--schools", 30, *size[2:]), (*size[:3], 200), (*size, "--seed", 1), ("--schools", 60)):
        code, words = call("demo", *other, "--home", tmp_path)
        assert code == 1
        assert "школ 20, строк участников в год 100" in words
    assert set((tmp_path / "landing").rglob("*")) == written
    assert call("demo", *size, "--seed", -1, "--home", tmp_path)[0] == 2


def test_a_region_too_small_for_its_stories_is_refused_in_words(tmp_path: Path) -> None:
    code, words = call("demo", "--schools", 30, "--home", tmp_path)
    assert code == 2
    assert "не меньше 52 школ" in words


def test_received_files_are_copied_or_linked(tmp_path: Path) -> None:
    source = tmp_path / "выгрузка.csv"
    source.write_text("а;б", encoding="utf-8")
    copied, linked = Home(tmp_path / "copied"), Home(tmp_path / "linked")
    assert call("receive", source, "--home", copied.root)[0] == 0
    assert (copied.landing / source.name).read_bytes() == source.read_bytes()
    assert call("receive", source, "--home", copied.root)[0] == 1, "nothing received is overwritten"
    assert call("receive", source, "--link", "--home", linked.root)[0] == 0
    assert (linked.landing / source.name).is_symlink()
    assert call("receive", source, "--link", "--home", linked.root)[0] == 0, "the same link again is no change"
    assert call("receive", tmp_path / "нет", "--home", copied.root)[0] == 2


def test_of_several_all_are_received_or_none(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").ensure()
    first, folder = tmp_path / "первый.csv", tmp_path / "папка"
    first.write_text("а;б", encoding="utf-8")
    folder.mkdir()
    (folder / "второй.csv").write_text("в;г", encoding="utf-8")
    (home.landing / "папка").mkdir()
    assert call("receive", first, folder, "--home", home.root)[0] == 1
    assert not (home.landing / first.name).exists()
    (home.landing / "папка").rmdir()
    assert call("receive", first, folder, "--home", home.root)[0] == 0
    assert sorted(path.name for path in home.landing.rglob("*")) == ["второй.csv", "папка", "первый.csv"]


def test_a_copy_that_breaks_off_leaves_nothing_to_take_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path / "home").ensure()
    source = tmp_path / "первый.csv"
    source.write_text("а;б", encoding="utf-8")

    def breaking(_: Path, target: Path) -> None:
        target.write_text("а", encoding="utf-8")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copy2", breaking)
        code, words = call("receive", source, "--home", home.root)
    assert (code, list(home.landing.iterdir())) == (1, [])
    assert "No space left" in words
    assert call("receive", source, "--home", home.root)[0] == 0


def test_every_programme_is_listed() -> None:
    code, words = call("programme", "list")
    assert code == 0
    assert [line.split(":")[0] for line in words.splitlines()] == [p.programme_id for p in load_programmes()]


def test_a_draft_loads_and_is_not_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "draft.yaml"
    new = ("programme", "new", "n-2026", "--like", "kargasok-2023", "--territory", "Н-ский район")
    assert call(*new, "--period", "2026", "--to", target)[0] == 0
    assert parse_programme("draft.yaml", target.read_bytes()).programme_id == "n-2026"
    assert call(*new, "--period", "2026", "--to", target)[0] == 1
    assert call(*new, "--period", "когда-нибудь", "--to", tmp_path / "b.yaml")[0] == 2
    code, words = call("programme", "new", "n", "--like", "нет", "--territory", "Н", "--period", "2026")
    assert code == 1
    assert "kargasok-2023" in words


def test_the_form_of_returns_is_written_once(tmp_path: Path) -> None:
    path = tmp_path / "форма.xlsx"
    assert call("template", "returns", path, "--home", tmp_path)[0] == 0
    assert path.stat().st_size > 5000
    code, words = call("template", "returns", path, "--home", tmp_path)
    assert code == 1
    assert "уже есть" in words


def test_the_form_of_passports_is_written_once_for_a_known_year(tmp_path: Path) -> None:
    path = tmp_path / "паспорта.xlsx"
    assert call("template", "passport", path, "--home", tmp_path, "--year", "1999-2000")[0] == 2
    code, words = call("template", "passport", path, "--home", tmp_path, "--municipality", "Н-ский район")
    assert (code, "Н-ский район" in words) == (2, True)
    assert call("template", "passport", path, "--home", tmp_path, "--year", "2022-2023")[0] == 0
    code, words = call("template", "passport", path, "--home", tmp_path)
    assert (code, "уже есть" in words) == (1, True)


def test_the_form_of_risk_profiles_is_written_once_and_for_a_known_year(tmp_path: Path) -> None:
    path = tmp_path / "форма.xlsx"
    assert call("template", "risk-profile", path, "--home", tmp_path, "--year", "2021-2022")[0] == 0
    assert path.stat().st_size > 5000
    assert call("template", "risk-profile", path, "--home", tmp_path)[0] == 1
    code, words = call("template", "risk-profile", tmp_path / "ещё.xlsx", "--home", tmp_path, "--year", "2019-2020")
    assert code == 1
    assert "2019-2020" in words


@pytest.mark.parametrize("command", [["status"], ["explain", "s1"], ["release", "verify"]])
def test_without_a_release_people_are_told_what_to_do(tmp_path: Path, command: list[str]) -> None:
    code, words = call(*command, "--home", tmp_path)
    assert code == 1
    assert "выпуск" in words.lower()


def test_a_wrong_layout_of_the_user_is_refused_by_name(tmp_path: Path) -> None:
    home = Home(tmp_path).ensure()
    (home.layouts / "моя.yaml").write_text("id: my_table\ntitle_ru: Моя", encoding="utf-8")
    file = tmp_path / "а.csv"
    file.write_text("а;б\n1;2\n", encoding="utf-8")
    code, words = call("check", file, "--home", tmp_path)
    assert code == 1
    assert "моя.yaml" in words
    assert "columns" in words


def test_a_calculation_that_does_not_compile_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Path:
        raise DbtError("dbt compile: Compilation Error in model int_school: 'schol' is undefined")

    monkeypatch.setattr("pipelines.build.ensure_manifest", broken)
    code, words = call("run", "--home", tmp_path)
    assert code == 1
    assert "прежний выпуск остался на месте" in words
    assert "int_school" in words
    assert "Traceback" not in words


def test_the_command_line_starts_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "opora.cli", "release", "--help"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "rollback" in done.stdout


def test_garbage_is_collected_again_whatever_became_of_an_import() -> None:
    before = gc.get_freeze_count()
    with lasting():
        assert not gc.isenabled()
    with pytest.raises(ModuleNotFoundError), lasting():
        import_module("no_such_module")
    assert gc.isenabled()
    assert gc.get_freeze_count() > before
    gc.unfreeze()
