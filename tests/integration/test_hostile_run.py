"""A whole run over planted people and hostile names: nothing of them is in the release, Dagster's storage or logs."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from opora.home import Home
from opora.purge import purge
from opora.reference import load_reference
from opora.release import current_release, verify
from tests import builders as b
from tests import minimal as m
from tests.runs import finish_run, start_run, write_landing
from tests.traces import traces
from tests.unit.test_hostile import HOSTILE_NAMES
from tests.unit.test_personal_data import LAYOUTS, WANTED, block_of, planted

NAMES = tuple(name.replace("\u202e", "") for name in HOSTILE_NAMES)
REGISTER = [("логин", "имя", "регион"), *((f"sch9900{n}", name, name) for n, name in enumerate(NAMES, 41))]
RESULTS = [
    b.MARKS,
    *(
        [year, grade, subject, name, f"edu9900{n}", name, 20, 40, 20, 20, 20]
        for year in (2023, 2024)
        for grade in (5, 6)
        for subject in ("Русский язык", "Математика")
        for n, name in enumerate(NAMES, 41)
    ),
]


@pytest.mark.soak
def test_a_run_over_planted_people_and_hostile_names(tmp_path: Path, tell_count: Callable[[str], None]) -> None:
    home = Home(tmp_path / "home").ensure()
    write_landing(home)
    b.csv(home.landing / "враждебные.csv", REGISTER)
    b.csv(home.landing / "их отметки.csv", RESULTS)
    total = 0
    for layout in LAYOUTS:
        sheets, count = planted(layout, block_of(layout, tmp_path / layout.id))
        m.write(home.landing / layout.id, sheets)
        total += count
    output = finish_run(start_run(home))
    assert [word for word in WANTED if word in output.lower()] == []
    assert traces(home, WANTED) == []
    release = current_release(home)
    assert release is not None
    assert verify(release) == []
    marts = {path.name: path.read_bytes() for path in (release.folder / "official").glob("*.parquet")}
    named = pl.read_parquet(release.folder / "official" / "school.parquet")["school_name"].to_list()
    assert set(NAMES) <= set(named)
    for path in release.folder.glob("*/*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row if len(cell) > 1 and cell[0] in "=@"]
        assert cells == [], path.name
    pages = [path.read_text(encoding="utf-8") for path in release.folder.rglob("*.html")]
    assert pages
    assert not [page for page in pages if "<script>alert" in page]
    removed = purge(home, load_reference(), by="тест", reason_ru="срок", with_refused=True).removed
    assert len(removed) > len(LAYOUTS) - 3
    finish_run(start_run(home, "--force"))
    later = current_release(home)
    assert later is not None
    assert later.release_id != release.release_id
    assert "<script>alert" not in (later.folder / "diff.md").read_text(encoding="utf-8")
    after = {path.name: path.read_bytes() for path in (later.folder / "official").glob("*.parquet")}
    assert after == marts
    assert traces(home, WANTED) == []
    tell_count(f"canaries planted before a whole run: {total}; none in the release, Dagster's storage, logs or pages")
