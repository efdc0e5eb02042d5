"""Servers that a test starts: each with a port of its own on loopback, and none that outlives the test.

What belongs here: starting and stopping. What does not: which servers, and how one knows that they answer.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"
_PR_SET_PDEATHSIG = 1


def free_port() -> int:
    with socket.socket() as one:
        one.bind((LOOPBACK, 0))
        return int(one.getsockname()[1])


@contextmanager
def process(command: list[str], log: Path, **words: Any) -> Iterator[None]:
    """A process with all it starts, for as long as the `with` lasts; it must not end by itself before."""
    with log.open("wb") as said:
        started = subprocess.Popen(
            command, stdout=said, stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=_die_with_parent, **words
        )
    try:
        yield
        assert started.poll() is None, log.read_text(errors="replace")[-3000:]
    finally:
        for how in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(started.pid, how)
            with suppress(subprocess.TimeoutExpired):
                started.wait(timeout=20)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
