"""What a run may take of its machine: threads and memory of DuckDB, and where it spills.

What belongs here: these limits, for every connection that builds, fills or compares whole tables. What does not: small
questions of a reader, which take what they find.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

_GIB = 2**30


def threads() -> int:
    """Threads for DuckDB: `OPORA_THREADS`, else those this process may use."""
    return int(os.environ.get("OPORA_THREADS") or len(os.sched_getaffinity(0)))


def memory_limit() -> str:
    """Memory for DuckDB: `OPORA_MEMORY_LIMIT`, else half of the machine and at most 2.25 GiB.

    What DuckDB does not count and what Python holds come on top: up to 1.6 GiB in a country.
    """
    half = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    with suppress(OSError, ValueError):  # a container may have less than its machine
        half = min(half, int(Path("/sys/fs/cgroup/memory.max").read_text()) // 2)
    return os.environ.get("OPORA_MEMORY_LIMIT") or f"{min(half, 9 * _GIB // 4) // 2**20}MiB"


def duckdb_settings(database: Path) -> dict[str, Any]:
    """Means for a connection that builds or fills a file."""
    return {
        "threads": threads(),
        "memory_limit": memory_limit(),
        "temp_directory": str(_spill_folder(database)),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }


def profile_settings(database: Path) -> dict[str, str]:
    """The same means in the environment variables of `dbt/profiles.yml`, for dbt run over the file by itself."""
    return {
        "OPORA_WAREHOUSE": str(database.resolve()),
        "OPORA_WAREHOUSE_TEMP": str(_spill_folder(database).resolve()),
        "OPORA_MEMORY_LIMIT": memory_limit(),
        "OPORA_THREADS": str(threads()),
    }


def _spill_folder(database: Path) -> Path:
    return database.with_suffix(".tmp")
