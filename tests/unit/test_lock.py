"""Locks: one at a time, words for who waits, nothing left of a process that is gone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from opora.failures import explain_fault
from opora.lock import hold, holder_ru, is_dead, process_mark

HOLDER = """
import os, sys, time
from pathlib import Path
from opora.lock import hold
with hold(Path(sys.argv[1]), "проверка"):
    print(os.getpid(), flush=True)
    time.sleep(60)
"""


def start_holder(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert int(process.stdout.readline()) == process.pid
    return process


def test_a_waiter_is_told_who_and_a_killed_holder_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder, told = start_holder(path), []

    def waiting(words: str) -> None:
        told.append(words)
        os.kill(holder.pid, signal.SIGKILL)

    with hold(path, "работа", waiting):
        assert told[0].startswith(f"проверка, процесс {holder.pid} (")
        assert holder_ru(path).startswith(f"работа, процесс {os.getpid()} (")
    holder.wait()


def test_only_one_is_in_at_a_time(tmp_path: Path) -> None:
    inside, most = [0], [0]

    def work() -> None:
        for _ in range(20):
            with hold(tmp_path / "lock", "работа"):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


def test_a_lock_that_says_nothing_is_somebodys(tmp_path: Path) -> None:
    assert holder_ru(tmp_path / "none") == "другой процесс"
    (tmp_path / "lock").write_text("{", encoding="utf-8")
    assert holder_ru(tmp_path / "lock") == "другой процесс"


def test_a_process_is_known_to_be_dead_only_where_that_can_be_known() -> None:
    mark = json.loads(json.dumps(process_mark()))
    assert not is_dead(mark)
    assert is_dead(mark | {"started": "1"})
    assert is_dead(mark | {"pid": 2**22 + 1})
    assert is_dead(mark | {"boot": "another"})
    assert not is_dead(mark | {"host": "elsewhere", "started": "1"})
    assert not is_dead("nonsense")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("OSError: [Errno 28] No space left on device: 'x'", "Кончилось место"),
        ("sqlite3.OperationalError: database or disk is full", "Кончилось место"),
        ("duckdb.IOException: Could not write file: No space left on device", "Кончилось место"),
        ("polars.exceptions.ComputeError: File too large (os error 27)", "Кончилось место"),
        ("PermissionError: [Errno 13] Permission denied: 'x'", "Нет права записи"),
        ("OSError: [Errno 30] Read-only file system: 'x'", "Нет права записи"),
        ("sqlite3.OperationalError: attempt to write a readonly database", "Нет права записи"),
        ("duckdb.OutOfMemoryException: Out of Memory Error: failed to allocate", "Не хватило памяти"),
    ],
)
def test_faults_of_the_machine_have_words_whoever_tells_them(said: str, words: str) -> None:
    assert words in str(explain_fault(said))


def test_other_errors_have_none(tmp_path: Path) -> None:
    assert explain_fault("ValueError: нет такого года") is None
    assert explain_fault(KeyError("school")) is None


def test_the_file_and_the_cause_behind_an_error_are_found() -> None:
    failure = RuntimeError("the step failed")
    failure.__cause__ = PermissionError(13, "Permission denied", "/srv/opora/lake")
    assert "Нет права записи: /srv/opora/lake" in str(explain_fault(failure))
