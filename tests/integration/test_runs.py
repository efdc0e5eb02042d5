"""Runs as processes: killed at any moment, two at once, over a damaged lake, with bad arguments. The next run heals."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import dagster as dg
import duckdb
import pytest

from opora.delivery import read_records
from opora.freshness import nothing_new
from opora.home import Home, sha256_of
from opora.intake import ingest
from opora.lake import DamagedLake, require_whole
from opora.lock import hold
from opora.reference import load_reference
from opora.release import current_release, releases, verify
from pipelines.run import run_now
from tests.runs import MARKS, OPORA, FirstRuns, finish_run, start_run, write_landing


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home").ensure()
    write_landing(home)
    return home


def test_of_two_runs_at_once_one_works_and_the_other_waits(first_runs: FirstRuns) -> None:
    assert sum("Нового нет" in output for output in first_runs.outputs) == 1
    (waited,) = (output for output in first_runs.outputs if "Нового нет" in output)
    assert "Жду, пока закончит opora run, процесс " in waited
    release = current_release(first_runs.home)
    assert release is not None
    assert verify(release) == []
    assert [found.release_id for found in releases(first_runs.home)] == [release.release_id]


def test_a_rerun_of_one_year_touches_that_year_only(finished: Home) -> None:
    year = "2023-2024"
    before = {path: (path.stat().st_mtime_ns, sha256_of(path)) for path in finished.lake.rglob("*.parquet")}
    outcome = run_now(finished, years=[year], reread=True)
    assert outcome.succeeded
    assert not outcome.release_is_new, "nothing in the files is new"
    after = {path: (path.stat().st_mtime_ns, sha256_of(path)) for path in finished.lake.rglob("*.parquet")}
    assert before.keys() == after.keys()
    touched = {path.parent.name for path in after if after[path][0] != before[path][0]}
    assert f"academic_year={year}" in touched
    assert touched <= {f"academic_year={year}", "academic_year=undated"}
    assert {path: digest for path, (_, digest) in before.items()} == {p: d for p, (_, d) in after.items()}


@pytest.mark.parametrize(
    ("kills", "longest"),
    [pytest.param(2, 15, id="short"), pytest.param(200, None, id="long", marks=pytest.mark.soak)],
)
def test_a_killed_run_leaves_nothing_half_made(
    first_runs: FirstRuns, finished: Home, kills: int, longest: float | None, tell_count: Callable[[str], None]
) -> None:
    """Runs that would publish, killed with their children at random moments of their time; then one that is not."""
    chance = random.Random(20231205)
    known = {release.release_id for release in releases(finished)}
    came = 0
    for number in range(kills):
        (finished.landing / f"отметки {number % 20}.csv").write_text(
            MARKS.replace("СОШ", f"школа {number} СОШ"), encoding="cp1251"
        )
        process = start_run(finished, "--force")
        time.sleep(chance.uniform(0.5, longest or first_runs.seconds))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert all(verify(release) == [] for release in releases(finished) if release.release_id not in known)
        came += len(releases(finished)) - len(known)
        known = {release.release_id for release in releases(finished)}
        now = current_release(finished)
        assert now is not None
        assert now.database.exists()
    finish_run(start_run(finished, "--force"))
    last = current_release(finished)
    assert last is not None
    assert last.release_id not in known
    assert verify(last) == []
    assert sorted(
        path for record in read_records(finished).values() for path in record.paths if not record.replaced_by
    ) == sorted(path.name for path in finished.landing.iterdir())
    require_whole(finished)
    assert not list(finished.lake.rglob("*.part"))
    assert not list(finished.build.iterdir())
    assert not list(finished.releases.glob(".c*"))
    assert _unfinished_runs(finished) == []
    tell_count(f"faults survived: {kills} kills of whole runs at random moments, {came} of them after their switch")


def _unfinished_runs(home: Home) -> list[str]:
    """Runs that Dagster takes for going on; they would keep their pools from all others."""
    with (
        patch.dict(os.environ, DAGSTER_HOME=str(home.dagster)),
        dg.DagsterInstance.from_config(str(home.dagster)) as instance,
    ):
        return [run.run_id for run in instance.get_runs() if not run.is_finished]


@pytest.mark.parametrize("damage", ["changed", "truncated", "missing"])
def test_a_run_over_a_damaged_lake_names_the_file_and_is_refused(finished: Home, damage: str) -> None:
    before = current_release(finished)
    (part,) = finished.lake.glob("aggregate_result/academic_year=2022-2023/*.parquet")
    good = part.read_bytes()
    if damage == "missing":
        (finished.landing / "отметки.csv").rename(finished.root / "away.csv")
        part.unlink()
    else:
        part.write_bytes(good[:-40] if damage == "truncated" else good[:60] + bytes([good[60] ^ 255]) + good[61:])
    assert not nothing_new(finished, load_reference(own_methods=finished.methods))
    with pytest.raises(DamagedLake, match=part.name):
        require_whole(finished)
    if damage == "changed":
        output = finish_run(start_run(finished), code=1)
        assert part.name in output
        assert "opora run --reread" in output
        assert current_release(finished) == before
    if damage == "missing":
        (finished.root / "away.csv").rename(finished.landing / "отметки.csv")
    ingest(finished, load_reference(own_methods=finished.methods), reread=damage != "missing")
    assert part.read_bytes() == good
    assert nothing_new(finished, load_reference(own_methods=finished.methods))


def test_a_run_says_whom_it_waits_for(finished: Home) -> None:
    with hold(finished.run_lock, "проверка"):
        process = start_run(finished)
        assert process.stdout is not None
        said = process.stdout.readline()
        time.sleep(0.2)
        assert process.poll() is None
    assert said.startswith(f"Жду, пока закончит проверка, процесс {os.getpid()} (")
    assert "Нового нет" in finish_run(process)


def test_the_list_of_a_small_district_is_the_worked_one(first_runs: FirstRuns) -> None:
    """School 1: 30 % of 20 in four procedures of both years, so listed in 2023-2024 and again in 2024-2025."""
    release = current_release(first_runs.home)
    assert release is not None
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
