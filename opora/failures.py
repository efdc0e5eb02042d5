"""Faults of the machine in words: what happened and what to do, for the command line.

What belongs here: recognising that a disk is full, a folder is read-only, memory is short, whichever library said it.
What does not: faults of deliveries (`opora/checks.py`) and of figures (`opora/gate.py`).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from opora.home import is_full

# Libraries pass the system's words on, each in its own error; sqlite and DuckDB have some of their own.
_NO_SPACE = re.compile(r"no space left|disk is full|disk quota|file too large|errno (28|122|27)\b", re.IGNORECASE)
_NO_SPACE_RU = (
    "Кончилось место на диске{free}. Удалите лишнее (opora release prune, папки releases/.refused-*, build/) "
    "и запустите снова. Наполовину записанное читателям не видно, принятое не потеряно."
)
_OTHERS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"read-only file system|permission denied|operation not permitted|readonly database|errno (30|13|1)\b",
            re.IGNORECASE,
        ),
        "Нет права записи{where}. Проверьте, кому принадлежит папка и не смонтирована ли она только для чтения: "
        "docs/runbooks/access.md.",
    ),
    (
        re.compile(r"out of memory|cannot allocate memory|errno 12\b", re.IGNORECASE),
        "Не хватило памяти. Задайте OPORA_MEMORY_LIMIT и OPORA_THREADS меньше: docs/runbooks/recovery.md.",
    ),
    (
        re.compile(r"disk i/o error|input/output error|errno 5\b", re.IGNORECASE),
        "Диск не пишется или не читается{where}. Проверьте его (журнал системы, smartctl) и место на нём, "
        "затем opora release verify.",
    ),
)


def explain_fault(fault: BaseException | str, root: Path | None = None) -> str | None:
    """What a fault of the machine means and what to do; None for any other error.

    On a full disk some libraries fail without saying why: then the disk of the home folder at `root` is asked.
    """
    said = [fault] if isinstance(fault, str) else [f"{type(e).__name__}: {e}" for e in _chain(fault)]
    if any(_NO_SPACE.search(text) for text in said) or (root and root.exists() and is_full(root)):
        return _NO_SPACE_RU.format(free=_free(root))
    for pattern, words in _OTHERS:
        if any(pattern.search(text) for text in said):
            where = None if isinstance(fault, str) else next((n for e in _chain(fault) if (n := _file(e))), None)
            return words.format(where=f": {where}" if where else "")
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _file(error: BaseException) -> str | None:
    return str(error.filename) if isinstance(error, OSError) and error.filename else None


def _free(root: Path | None) -> str:
    """How much is left, where that can be asked."""
    try:
        return f" (в {root} свободно {shutil.disk_usage(root).free // 2**20} МБ)" if root else ""
    except OSError:
        return ""
