"""Work in a child process that fails at a chosen change of a folder: killed there, or refused by the system.

What belongs here: the child and the fault. What does not: what must hold afterwards.

Python tells its audit hooks of every file that is opened for writing, renamed, linked, made or removed, before it
happens. So the changes of some work can be counted, and the work repeated to fail at each of them. Children come of a
server process that has the modules loaded and no threads, and cost a tenth of a second.
"""

from __future__ import annotations

import errno
import multiprocessing
import multiprocessing.context
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

Fault = Literal["none", "kill", "full", "denied"]
ERRNO = {"full": errno.ENOSPC, "denied": errno.EACCES}
_PRELOADED = ("opora.intake", "opora.release", "opora.versions", "tests.integration.test_kills")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
# The events of changes, with the places of their paths and of the folders that these are relative to.
_CHANGES: dict[str, tuple[tuple[int, int], ...]] = {
    "open": ((0, -1),),
    "os.mkdir": ((0, 2),),
    "os.rmdir": ((0, 1),),
    "os.remove": ((0, 1),),
    "os.rename": ((0, 2), (1, 3)),
    "os.link": ((0, 2), (1, 3)),
    "os.symlink": ((1, 2),),
    "os.truncate": ((0, -1),),
}


@dataclass(frozen=True)
class Ending:
    """How a child ended: changes it came to, whether it was killed, and the error that it raised."""

    changes: int
    killed: bool
    error: str = ""

    @property
    def done(self) -> bool:
        return not self.killed and not self.error


def server() -> multiprocessing.context.ForkServerContext:
    """Where children come from."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_PRELOADED))
    return context


def attempt(work: Callable[..., Any], *arguments: Any, below: Path, fault: Fault = "none", at: int = 0) -> Ending:
    """Do `work(*arguments)` in a child; its change number `at` below a folder, or every one from it on, fails.

    A killed child dies before the change. `full` and `denied` are what the system answers to that change and all that
    follow: a disk does not grow.
    """
    context = server()
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(theirs, work, arguments, below.resolve(), fault, at))
    child.start()
    theirs.close()
    told: list[tuple[int, str]] = []
    while True:
        try:
            told.append(ours.recv())
        except EOFError:
            break
    child.join()
    changes, error = told[-1] if told else (0, "")
    killed = child.exitcode == -signal.SIGKILL
    if not killed and child.exitcode:
        error = error or f"exit code {child.exitcode}"
    return Ending(changes, killed, error)


def _child(tell: Connection, work: Callable[..., Any], arguments: Any, below: Path, fault: Fault, at: int) -> None:
    changes = 0

    def on_event(event: str, values: tuple[Any, ...]) -> None:
        nonlocal changes
        places = _CHANGES.get(event)
        if places is None or (event == "open" and not values[2] & _WRITING):
            return
        if not any(_lies_below(values[path], values[folder] if folder >= 0 else -1, below) for path, folder in places):
            return
        changes += 1
        if fault == "kill" and changes == at:
            os.kill(os.getpid(), signal.SIGKILL)
        if fault in ERRNO and changes >= at and event not in ("os.remove", "os.rmdir"):
            raise OSError(ERRNO[fault], os.strerror(ERRNO[fault]), str(values[0]))

    if at or fault == "none":
        sys.addaudithook(on_event)
    error = ""
    try:
        work(*arguments)
    except BaseException as failure:
        chain, link = [], failure
        while link is not None:
            chain.append(f"{type(link).__name__}: {link}")
            link = link.__cause__ or link.__context__
        error = "\n".join(chain)
    tell.send((changes, error))


def _lies_below(path: Any, folder: Any, below: Path) -> bool:
    if isinstance(path, int):
        return False
    base = Path(f"/proc/self/fd/{folder}").readlink() if isinstance(folder, int) and folder >= 0 else Path.cwd()
    return os.path.normpath(base / os.fsdecode(path)).startswith(f"{below}{os.sep}")
