"""Runs as processes: killed at any moment, two at once, with bad arguments. The next run heals what is left."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from opora.delivery import read_records
from opora.home import Home
from opora.release import current_release, releases, verify

OPORA = str(Path(sys.executable).with_name("opora"))
KILLS = int(os.environ.get("OPORA_KILLS", "4"))
REGISTER = "логин,имя,регион\n" + "".join(f"sch9900{n:02d},МБОУ СОШ №{n},Первый район\n" for n in range(1, 21))
MARKS = "Год;Класс;Предмет;Муниципалитет;Логин;ОО;Кол-во участников;2;3;4;5\n" + "".join(
    f"{year};{grade};{subject};Первый район;edu9900{n:02d};МБОУ СОШ №{n};20;{'30;30' if n == 1 else '10;50'};20;20\n"
    for year in (2023, 2024)
    for grade in (5, 6)
    for subject in ("Русский язык", "Математика")
    for n in range(1, 21)
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home").ensure()
    (home.landing / "реестр.csv").write_text(REGISTER, encoding="utf-8")
    (home.landing / "отметки.csv").write_text(MARKS, encoding="cp1251")
    return home


def _start(home: Home, *arguments: str) -> subprocess.Popen[str]:
    command = [OPORA, "run", "--home", str(home.root), *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def _finish(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    return output


def test_a_killed_run_leaves_nothing_half_made(home: Home) -> None:
    _finish(_start(home))
    first = current_release(home)
    assert first is not None
    chance = random.Random(20231205)
    for number in range(KILLS):
        (home.landing / f"отметки {number}.csv").write_text(
            MARKS.replace("СОШ", f"школа {number} СОШ"), encoding="cp1251"
        )
        process = _start(home, "--force")
        time.sleep(chance.uniform(0.5, 9))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        for release in releases(home):
            assert verify(release) == []
        now = current_release(home)
        assert now is not None
        assert now.database.exists()
    _finish(_start(home, "--force"))
    last = current_release(home)
    assert last is not None
    assert last.release_id != first.release_id
    assert verify(last) == []
    assert len(read_records(home)) == 2 + KILLS
    assert not list(home.lake.rglob("*.part"))


def test_two_runs_at_once_end_well(home: Home) -> None:
    outputs = [_finish(process) for process in [_start(home), _start(home)]]
    assert sum("Нового нет" in output for output in outputs) == 1
    release = current_release(home)
    assert release is not None
    assert verify(release) == []
    assert [found.release_id for found in releases(home)] == [release.release_id]


def test_the_list_of_a_small_district_is_the_worked_one(home: Home) -> None:
    """School 1: 30 % of 20 in four procedures of both years, so listed in 2023-2024 and again in 2024-2025."""
    output = _finish(_start(home))
    assert "ШНОР" in output
    release = current_release(home)
    assert release is not None
    import duckdb

    with duckdb.connect(str(release.database), read_only=True) as marts:
        rows = marts.execute(
            """
            select academic_year, school_id, shnor_basis, listing, years_listed_in_a_row, support_format
            from school_status where is_shnor order by all
            """
        ).fetchall()
    assert rows == [
        ("2023-2024", "s990001", "two_procedures", "new", 1, "first_year"),
        ("2024-2025", "s990001", "both", "continuing", 2, "repeated"),
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run", "--year", "1066-1067"], 2, "Такого учебного года нет"),
        (["status"], 1, "ещё нет выпуска"),
        (["explain", "sch990001"], 1, "Выпуска ещё нет"),
        (["release", "verify"], 1, "Выпусков ещё нет"),
        (["release", "rollback", "нет"], 1, "Нет выпуска"),
        (["nothing"], 2, "No such command"),
    ],
)
def test_refusals_say_what_to_do(home: Home, arguments: list[str], code: int, words: str) -> None:
    environment = os.environ | {"OPORA_HOME": str(home.root)}
    done = subprocess.run([OPORA, *arguments], capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == code, done.stdout + done.stderr
    assert words in done.stdout + done.stderr


def test_check_says_what_intake_would_and_loads_nothing(home: Home) -> None:
    broken = home.root / "broken.csv"
    broken.write_text(MARKS.replace(";20;20\n", ";20;21\n", 1), encoding="utf-8")
    done = subprocess.run([OPORA, "check", str(broken)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0
    assert "shares_do_not_add_up" in done.stdout
    assert "строка 2" in done.stdout
    assert not list(home.lake.rglob("*.parquet"))
    refused = subprocess.run(
        [OPORA, "check", str(home.root / "broken.csv"), __file__], capture_output=True, text=True, timeout=120
    )
    assert refused.returncode == 1
    assert "ОТКЛОНЁН" in refused.stdout
