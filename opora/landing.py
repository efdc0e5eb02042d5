"""What lies in `landing/`: files with their digests, and what is no file that can be read.

What belongs here: walking the folder and knowing a file by its bytes. What does not: which of the files have work to do
and what they hold (`opora/intake.py`).
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from opora.home import read_json, sha256_of, write_json
from opora.limits import bound
from opora.safe_text import safe_path

# Larger files are read one after another: each takes many times its size of memory, Parquet more than text.
_HEAVY_BYTES, _HEAVY_PARQUET_BYTES = 32_000_000, 4_000_000
# A file changed so lately may be changed again within the same tick of its disk's clock.
_SETTLED_NS = 3_000_000_000


@dataclass(frozen=True)
class Landed:
    """A file in landing: where it lies and what its bytes are."""

    path: Path
    relative: str
    sha256: str
    size_bytes: int
    modified_at: datetime

    @property
    def delivery_id(self) -> str:
        return f"d{self.sha256[:12]}"

    @property
    def is_heavy(self) -> bool:
        return self.size_bytes > (_HEAVY_PARQUET_BYTES if self.path.suffix.lower() == ".parquet" else _HEAVY_BYTES)


@dataclass(frozen=True)
class Unread:
    """What lies in landing and cannot be read as a file: nothing is known of it but its path and why."""

    path: str
    reason_ru: str

    @property
    def message_ru(self) -> str:
        return f"«{self.path}»: {self.reason_ru}. Остальное принято; исправьте права или уберите из папки приёма."


def landing_entries(landing: Path) -> list[Path]:
    """Every file below landing but hidden ones. Folders may be links: data may be read in place."""
    return _walked(landing)[0]


def _walked(landing: Path) -> tuple[list[Path], list[Unread]]:
    """Files below landing, and what lies there and is none."""
    files: list[Path] = []
    unread: list[Unread] = []
    seen: set[str] = set()
    todo = [(landing, 0)]
    while todo:
        folder, depth = todo.pop()
        real = os.path.realpath(folder)
        if real in seen:
            continue  # a link back up
        seen.add(real)
        try:
            entries = sorted(folder.iterdir())
        except OSError as error:
            unread.append(Unread(_shown(folder, landing), f"папка не открывается: {_kind(error)}"))
            continue
        for path in entries:
            if path.name.startswith((".", "~$")):
                continue
            try:
                mode = path.stat().st_mode
            except OSError as error:
                unread.append(Unread(_shown(path, landing), f"недоступно: {_kind(error)}"))
                continue
            if stat.S_ISREG(mode):
                files.append(path)
            elif not stat.S_ISDIR(mode):
                unread.append(Unread(_shown(path, landing), "не файл и не папка"))
            elif depth >= bound("folder_depth"):
                unread.append(Unread(_shown(path, landing), f"глубже {bound('folder_depth')} вложенных папок"))
            else:
                todo.append((path, depth + 1))
    return sorted(files), unread


def _shown(path: Path, landing: Path) -> str:
    return safe_path(path.relative_to(landing))


def _kind(error: OSError) -> str:
    return {errno.EACCES: "нет прав", errno.ENOENT: "ссылка никуда не ведёт", errno.ELOOP: "ссылка на саму себя"}.get(
        error.errno or 0, type(error).__name__
    )


def landed_files(landing: Path, digests: Path | None = None) -> list[Landed]:
    """The files of landing with their digests, in path order."""
    return survey(landing, digests)[0]


def survey(landing: Path, digests: Path | None = None) -> tuple[list[Landed], list[Unread]]:
    """The files of landing with their digests, in path order, and what cannot be read there.

    `digests` is a file that remembers those of files that have not been touched since; without it, as where originals
    are vouched for or removed, all bytes are read.
    """
    paths, unread = _walked(landing)
    known = read_json(digests) if digests else {}
    settled, seen = time.time_ns() - _SETTLED_NS, {}

    def look(path: Path) -> Landed | Unread:
        try:
            status = path.stat()
            stamp = _stamp(status)
            file = _landed(path, path.relative_to(landing), status, known.get(stamp))
        except OSError as error:
            return Unread(_shown(path, landing), f"не читается: {_kind(error)}")
        if max(status.st_mtime_ns, status.st_ctime_ns) < settled:
            seen[stamp] = file.sha256
        return file

    with ThreadPoolExecutor() as pool:
        found = list(pool.map(look, paths))
    if digests and seen != known:
        with suppress(OSError):  # it saves time and nothing else
            write_json(digests, seen)
    files = sorted((file for file in found if isinstance(file, Landed)), key=lambda file: file.relative)
    return files, [*unread, *(entry for entry in found if isinstance(entry, Unread))]


def landed_file(path: Path, relative: Path) -> Landed:
    """A file by its bytes. Raises OSError where it cannot be read."""
    return _landed(path, relative, path.stat())


def _landed(path: Path, relative: Path, status: os.stat_result, sha256: str | None = None) -> Landed:
    return Landed(
        path=path,
        relative=safe_path(relative),
        sha256=sha256 or sha256_of(path),
        size_bytes=status.st_size,
        modified_at=datetime.fromtimestamp(status.st_mtime, UTC),
    )


def _stamp(status: os.stat_result) -> str:
    """What no program leaves as it was when it writes to a file: who it is, its size, when it was changed."""
    told = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:32]
