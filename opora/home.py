"""Where things lie in a home folder, and how a file is put there whole or not at all.

What belongs here: paths below `<home>` and the small file operations everybody shares. What does not:
the meaning of what the files hold.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

PROJECT = Path(__file__).resolve().parent.parent
UNDATED = "undated"
# How the id of a delivery looks, as a pattern of file names.
_DELIVERY_ID = "d" + 12 * "[0-9a-f]"
# The owner and, to look, the group; a stricter umask leaves less.
PRIVATE = 0o750
# What is left of a disk when a write to it has failed for want of room.
_FULL_BYTES = 2**16


@dataclass(frozen=True)
class Home:
    """The folders of one authority. `root` need not exist; `ensure` makes it."""

    root: Path

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def digests(self) -> Path:
        """What the files of landing were found to be; removing it costs time and nothing else."""
        return self.root / ".digests.json"

    @property
    def layouts(self) -> Path:
        return self.root / "layouts"

    @property
    def methods(self) -> Path:
        """Methods of the user's own, to compare the official one with."""
        return self.root / "methods"

    @property
    def lake(self) -> Path:
        return self.root / "lake"

    @property
    def deliveries(self) -> Path:
        return self.lake / "delivery"

    @property
    def quarantine(self) -> Path:
        return self.root / "quarantine"

    @property
    def build(self) -> Path:
        return self.root / "build"

    @property
    def kept(self) -> Path:
        """Tables of former runs that still hold; removing them costs time and nothing else."""
        return self.root / "kept"

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def current(self) -> Path:
        return self.releases / "current"

    @property
    def run_lock(self) -> Path:
        """Held by `opora run` from beginning to end."""
        return self.root / ".run.lock"

    @property
    def intake_lock(self) -> Path:
        """Held by whoever writes to the lake, its records or the quarantine."""
        return self.lake / ".intake.lock"

    @property
    def kept_lock(self) -> Path:
        """Held while models that are kept are built."""
        return self.root / ".kept.lock"

    @property
    def publish_lock(self) -> Path:
        """Held while a release gets its name, `current` is switched or releases are removed."""
        return self.releases / ".publish.lock"

    @property
    def dagster(self) -> Path:
        return self.root / "dagster"

    def lake_part(self, table: str, academic_year: str, delivery_id: str) -> Path:
        """The one Parquet file that a delivery gives to a table and year."""
        return self.lake / table / f"academic_year={academic_year}" / f"{delivery_id}.parquet"

    def lake_files(self, table: str, academic_year: str = "*") -> list[Path]:
        """All parts of a table, in name order. What is named otherwise, as a copy made by hand, is nobody's part."""
        return sorted((self.lake / table).glob(f"academic_year={academic_year}/{_DELIVERY_ID}.parquet"))

    def ensure(self) -> Home:
        """Make the folders that are not there. Those with people in them are made closed to other users."""
        for folder in (self.layouts, self.methods, self.releases):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.landing, self.lake, self.quarantine, self.build, self.dagster):
            folder.mkdir(mode=PRIVATE, exist_ok=True)
        self.deliveries.mkdir(exist_ok=True)
        return self


def sha256_of(path: Path) -> str:
    """The sha256 of a file's bytes, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_all(paths: Iterable[Path]) -> str:
    """The sha256 of the bytes of files, one after another."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, then rename it there: a reader never sees half a file.

    Who may read it is for the umask of the process to say.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{uuid4().hex}.part")
    try:
        part.touch(exist_ok=False)
        write(part)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except Exception as error:
        if not isinstance(error, OSError) and is_full(path.parent):  # some writers lose the system's words
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        raise
    finally:
        part.unlink(missing_ok=True)


def is_full(folder: Path) -> bool:
    """Whether a disk has no room left for anything to be written."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize < _FULL_BYTES


def clear_parts(folder: Path) -> None:
    """Remove what processes that were killed while they wrote left below a folder that nobody writes to now."""
    for part in folder.rglob(".*.part"):
        part.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write JSON for people and programs: sorted keys, Cyrillic as it is."""
    text = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True, default=str) + "\n"
    write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))


def read_json(path: Path) -> dict[str, Any]:
    """What a file of JSON tells that can be done without; nothing if it cannot be read or is not whole."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
