"""What a command costs: wall time, processor time, and the peak memory of its whole process tree.

What belongs here: measuring. What does not: what is measured, and the words of a report.

Memory is sampled: the proportional set size of the command and of all its descendants, added up, so that pages which
processes share count once. Processor time is that of the command and of every child it waited for. A machine with other
work on it stretches wall time; processor time hardly.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

EVERY = 0.1  # seconds between two samples
_REST = 30  # times what a sample took: of a large process it takes long, and holds the process up
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Cost:
    """What a command took."""

    wall: float
    cpu: float
    megabytes: float


class Failed(Exception):
    """A measured command failed; what it said."""


def measure(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end. Raises Failed with its last words if it fails."""
    with tempfile.TemporaryFile() as words:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=words, stderr=subprocess.STDOUT, cwd=ROOT, env={**os.environ, **(environment or {})}
        )
        peak = _Peak(process.pid)
        peak.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        peak.stop()
        code = os.waitstatus_to_exitcode(status)
        process.returncode = code
        if code != 0:
            words.seek(0)
            raise Failed(f"{' '.join(command)}: {code}\n{words.read().decode(errors='replace')[-4000:]}")
    # ru_maxrss would do for one process, were it not that of the parent before the command took its place
    return Cost(wall, usage.ru_utime + usage.ru_stime, peak.megabytes)


def median(costs: Sequence[Cost]) -> Cost:
    """The middle of times, the largest of memory."""
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        max(cost.megabytes for cost in costs),
    )


class _Peak(threading.Thread):
    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.megabytes, self._ended = pid, 0.0, threading.Event()

    def run(self) -> None:
        pause = EVERY
        while not self._ended.wait(pause):
            began = time.perf_counter()
            tree = _tree(self.pid)
            # the highest that one process has been at is known between samples too
            highest = max((_told(pid, "status", "VmHWM:") for pid in tree), default=0.0)
            self.megabytes = max(self.megabytes, highest, sum(_told(pid, "smaps_rollup", "Pss:") for pid in tree))
            pause = max(EVERY, _REST * (time.perf_counter() - began))

    def stop(self) -> None:
        self._ended.set()
        self.join()


def _tree(pid: int) -> list[int]:
    found, left = [], [pid]
    while left:
        found.append(left.pop())
        for path in Path(f"/proc/{found[-1]}/task").glob("*/children"):
            try:
                left += [int(child) for child in path.read_text().split()]
            except OSError:
                continue
    return found


def _told(pid: int, file: str, name: str) -> float:
    """Megabytes that the kernel tells of a process; none of one that is gone."""
    try:
        text = Path(f"/proc/{pid}/{file}").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith(name)), 0.0)
