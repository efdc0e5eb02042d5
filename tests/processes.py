"""Servers that a test starts: each with a port of its own on loopback, and none that outlives the test.

What belongs here: starting, waiting and stopping. What does not: which servers, and how one knows that they answer.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"
_PR_SET_PDEATHSIG = 1
_LOOK_SECONDS = 0.5
_SHOWN = 3000


@dataclass(frozen=True)
class Server:
    """A process that is to stay, and the file of what it says."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        return f"{self.log.name}:\n{self.log.read_text(errors='replace')[-_SHOWN:]}"


def free_port() -> int:
    with socket.socket() as one:
        one.bind((LOOPBACK, 0))
        return int(one.getsockname()[1])


def listens(port: int) -> bool:
    with socket.create_connection((LOOPBACK, port), timeout=1):
        return True


@contextmanager
def process(command: list[str], log: Path, **words: Any) -> Iterator[Server]:
    """A process with all it starts, for as long as the `with` lasts; it must not end by itself before."""
    with log.open("wb") as said:
        started = subprocess.Popen(
            command, stdout=said, stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=_die_with_parent, **words
        )
    server = Server(started, log)
    try:
        yield server
        assert started.poll() is None, server.said()
    finally:
        for how in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(started.pid, how)
            with suppress(subprocess.TimeoutExpired):
                started.wait(timeout=20)


def wait_until(is_so: Callable[[], bool], servers: Iterable[Server], *, seconds: float) -> None:
    """Until it is so; a server that does not answer yet is not. Raises AssertionError, with what the servers said,
    when one of them has ended or the time is over."""
    servers, deadline = list(servers), time.monotonic() + seconds
    while True:
        with suppress(OSError, ValueError):
            if is_so():
                return
        ended = [server for server in servers if server.process.poll() is not None]
        assert not ended, "\n".join(server.said() for server in ended)
        assert time.monotonic() < deadline, "\n".join([f"not in {seconds} s", *(server.said() for server in servers)])
        time.sleep(_LOOK_SECONDS)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
