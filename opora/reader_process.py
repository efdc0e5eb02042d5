"""Books that may be heavy are read by a process of their own, with a ceiling of memory and of time.

What belongs here: that process and how its cells come back. What does not: what a book is (`opora/reading.py`).

Only xlsx can be looked through before it is read; a book of another kind, or a heavy one, may ask for any amount of
memory. Cells come back through a pipe and touch no disk; what the process complains of may quote cells and is not read.
"""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import polars as pl

from opora.home import PROJECT
from opora.limits import UnreadableFile, bound, unreadable_in_words

_NO_MEMORY, _REFUSED = 1, 3
_LENGTH = struct.Struct("<Q")


def read_apart(path: Path) -> list[tuple[str, bool, pl.DataFrame]]:
    """The worksheets of a book, read by another process. Raises UnreadableFile where it cannot within the bounds."""
    command = [sys.executable, "-m", "opora.reader_process", os.path.abspath(path)]  # noqa: PTH100 - links stay links
    environment = os.environ | {"POLARS_MAX_THREADS": "1", "PYTHONPATH": str(PROJECT)}
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=bound("reader_seconds"),
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _beyond(f"Книга не прочитана за {bound('reader_seconds')} секунд.") from None
    if done.returncode == _REFUSED:
        raise UnreadableFile(**json.loads(done.stdout))
    if done.returncode:
        raise _beyond("Чтение книги потребовало больше памяти, чем отведено.")
    return _received(io.BytesIO(done.stdout))


def _beyond(reason_ru: str) -> UnreadableFile:
    return UnreadableFile(
        "too_large",
        reason_ru,
        "Уберите лишние листы, строки и оформление за пределами данных или пришлите данные в CSV.",
    )


def _received(stream: BinaryIO) -> list[tuple[str, bool, pl.DataFrame]]:
    sheets = []
    for name, is_hidden in json.loads(_part(stream)):
        sheets.append((name, is_hidden, pl.read_ipc_stream(_part(stream)) if _part_follows(stream) else pl.DataFrame()))
    return sheets


def _part_follows(stream: BinaryIO) -> bool:
    return stream.read(1) == b"+"


def _part(stream: BinaryIO) -> bytes:
    (length,) = _LENGTH.unpack(stream.read(_LENGTH.size))
    return stream.read(length)


# --- the other process -----------------------------------------------------------------------------------------


def _serve(path: Path, out: BinaryIO) -> None:
    from opora.reading import read_book

    sheets = read_book(path)
    names = json.dumps([(name, is_hidden) for name, is_hidden, _ in sheets]).encode()
    out.write(_LENGTH.pack(len(names)) + names)
    for _, _, grid in sheets:
        if not grid.width:
            out.write(b"-")
            continue
        cells = io.BytesIO()
        grid.write_ipc_stream(cells)
        out.write(b"+" + _LENGTH.pack(cells.getbuffer().nbytes))
        out.write(cells.getbuffer())
    out.flush()


def _limit_memory() -> None:
    """A ceiling on what the process may ask for, where the system knows one."""
    try:
        import resource
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    ceiling = bound("reader_bytes")
    resource.setrlimit(resource.RLIMIT_AS, (ceiling if hard == resource.RLIM_INFINITY else min(ceiling, hard), hard))


def main() -> int:
    """Read the book named on the command line; the exit code says whether the answer is cells or a refusal."""
    _limit_memory()
    out = sys.stdout.buffer
    try:
        with unreadable_in_words():
            try:
                _serve(Path(sys.argv[1]), out)
            except MemoryError:
                return _NO_MEMORY
    except UnreadableFile as refusal:
        out.write(json.dumps(refusal.as_dict()).encode())
        return _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
