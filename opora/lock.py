"""Locks of a home folder: one worker at a time, and words for those who wait for it.

What belongs here: taking a lock, and who holds it since when. What does not: what is done under it.

The system gives a lock back when its process ends, however it ends: the lock of a dead process holds nobody up. The
file stays and means nothing.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO

_LOOKS, _LOOK_SECONDS = 5, 0.1


@contextmanager
def hold(path: Path, what_ru: str, waiting: Callable[[str], object] = lambda words: None) -> Iterator[None]:
    """Do something while nobody else holds the same lock; `waiting` is told who does, if one must wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting(holder_ru(path))
            fcntl.flock(file, fcntl.LOCK_EX)
        _sign(file, what_ru)
        try:
            yield
        finally:
            file.truncate(0)


def holder_ru(path: Path) -> str:
    """Who holds a lock, since when and for what; who has just taken it is given a moment to say so."""
    for _ in range(_LOOKS):
        with suppress(OSError, ValueError, KeyError):
            told = json.loads(path.read_text(encoding="utf-8"))
            who, since = f"{told['user']}@{told['host']}", datetime.fromisoformat(told["since"])
            return f"{told['what_ru']}, процесс {told['pid']} ({who}), с {since:%d.%m.%Y %H:%M:%S}"
        time.sleep(_LOOK_SECONDS)
    return "другой процесс"


def _sign(file: IO[str], what_ru: str) -> None:
    """Leave word of oneself in the lock file; a full disk is no reason not to have the lock."""
    with suppress(OSError):
        file.truncate(0)
        since = datetime.now().astimezone().isoformat(timespec="seconds")
        word = {"pid": os.getpid(), "user": _user(), "host": socket.gethostname(), "since": since, "what_ru": what_ru}
        file.write(json.dumps(word, ensure_ascii=False))
        file.flush()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a process whose number has no name here
        return str(os.getuid())


# In a folder that belongs to one process: its mark.
OWNER = "owner.json"


def process_mark() -> dict[str, object]:
    """What tells this process from all others, before and after it: host, boot and moment of its start."""
    return {"host": socket.gethostname(), "boot": _boot(), "pid": os.getpid(), "started": _started(os.getpid())}


def is_dead(mark: object) -> bool:
    """Whether the marked process is known to have ended; of another machine's process nothing is known."""
    if not isinstance(mark, dict) or mark.get("host") != socket.gethostname():
        return False
    return mark.get("boot") != _boot() or mark.get("started") != _started(int(mark.get("pid") or 0))


def _boot() -> str:
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return ""


def _started(pid: int) -> str:
    """When a process started, in ticks since boot; empty where there is none."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
    return ""
