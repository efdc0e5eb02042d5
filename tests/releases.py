"""Small releases for tests of how releases are published, kept and read, not of what they say."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from opora.home import Home
from opora.release import DATABASE, MANIFEST, OFFICIAL, current_release, releases

MARTS = ("school", "school_status", "procedure_result")


def small_candidate(home: Home, name: str, rows: int = 50) -> Path:
    """A candidate of three small marts; each row has the name of its release."""
    folder = home.releases / f".candidate-{name}"
    official = folder / OFFICIAL
    official.mkdir(parents=True)
    with duckdb.connect(str(official / DATABASE)) as connection:
        for mart in MARTS:
            connection.execute(f"create table {mart} as select '{name}' as release_id, range as n from range({rows})")
            connection.execute(f"copy {mart} to '{official / mart}.parquet' (format parquet)")
    known, former = releases(home), current_release(home)
    manifest = {
        "release_id": name,
        "created_at": f"2025-09-01T08:00:00.{len(known):06d}+00:00",
        "version": f"1.{len(known)}.0",
        "former_release_id": former.release_id if former else None,
        "row_counts": dict.fromkeys(MARTS, rows),
    }
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    return folder
