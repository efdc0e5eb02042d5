"""Readers and writers at once, refused candidates, leftovers of killed runs: nothing half-made is ever seen."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import duckdb
import pytest

from opora.gate import judge_candidate
from opora.home import Home
from opora.quality.facts import load_gate_facts
from opora.reference import load_reference
from opora.release import (
    MANIFEST,
    ReleaseError,
    add_to_manifest,
    current_release,
    publish,
    read_log,
    read_release,
    releases,
    rollback,
    switch_current,
    write_candidate,
)
from tests.conftest import Region

READS, SWITCHES = 60, 200


@pytest.fixture
def published(demo_region: Region, tmp_path: Path) -> Home:
    """A home of its own with one release, for tests that publish."""
    home = Home(tmp_path / "home").ensure()
    release = current_release(demo_region.home)
    assert release is not None
    shutil.copytree(release.folder, home.releases / release.release_id)
    switch_current(home, home.releases / release.release_id)
    return home


def _second_release(home: Home) -> str:
    """A copy of the current release, published under another name with one school less."""
    first = current_release(home)
    assert first is not None
    candidate = home.releases / ".candidate-second"
    shutil.copytree(first.folder, candidate)
    add_to_manifest(candidate, release_id="second", former_release_id=first.release_id)
    database = candidate / "official" / "marts.duckdb"
    database.chmod(0o644)
    with duckdb.connect(str(database)) as connection:
        connection.execute("delete from school where school_id = (select min(school_id) from school)")
        connection.execute("delete from school_status where school_id not in (select school_id from school)")
    return publish(home, candidate).release_id


def test_a_reader_never_sees_two_releases_in_one_query(published: Home) -> None:
    first = current_release(published)
    assert first is not None
    second = _second_release(published)
    folders = [first.folder, published.releases / second]
    stop = threading.Event()
    seen: list[tuple[int, int]] = []
    query = "select (select count(*) from school), (select count(distinct school_id) from school_status)"

    def read() -> None:
        while not stop.is_set():
            with duckdb.connect() as connection:
                path = published.current.resolve() / "official" / "marts.duckdb"
                connection.execute(f"attach '{path}' as marts (read_only)")
                seen.append(connection.execute(query.replace("from ", "from marts.")).fetchone() or (0, 0))

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    switches = 0
    while len(seen) < READS or switches < SWITCHES:
        switch_current(published, folders[switches % 2])
        switches += 1
    stop.set()
    for reader in readers:
        reader.join()
    assert len(set(seen)) == 2, set(seen)


def test_rollback_returns_to_an_older_release(published: Home) -> None:
    first = current_release(published)
    assert first is not None
    _second_release(published)
    assert {release.release_id for release in releases(published)} == {first.release_id, "second"}
    rollback(published, first.release_id)
    now = current_release(published)
    assert now is not None
    assert now.release_id == first.release_id


@pytest.mark.parametrize("name", ["..", ".candidate-x", "нет-такого", "../../etc"])
def test_rollback_takes_only_releases(published: Home, name: str) -> None:
    with pytest.raises(ReleaseError, match="Нет выпуска"):
        rollback(published, name)


def test_a_damaged_release_does_not_become_current(published: Home) -> None:
    first = current_release(published)
    assert first is not None
    _second_release(published)
    (first.folder / "official" / "school.csv").write_text("", encoding="utf-8")
    with pytest.raises(ReleaseError, match="повреждён"):
        rollback(published, first.release_id)


def test_the_gate_names_what_to_look_at(published: Home) -> None:
    first = current_release(published)
    assert first is not None
    broken = published.releases / ".candidate-broken"
    shutil.copytree(first.folder, broken)
    database = broken / "official" / "marts.duckdb"
    database.chmod(0o644)
    with duckdb.connect(str(database)) as connection:
        connection.execute("update region_summary set participants = participants + 1 where participants > 0")
        connection.execute("update delivery set rows_in = rows_in + 1 where rows_in > 0")
        connection.execute("update school_status set reason_ru = null where is_shnor")
    failed = {
        check.check_id: check.message_ru for check in judge_candidate(broken, load_gate_facts()) if not check.passed
    }
    assert failed.keys() >= {
        "every_row_of_every_delivery_is_accounted_for",
        "region_totals_equal_schools",
        "listed_schools_have_grounds",
    }
    assert "смотрите region_summary" in failed["region_totals_equal_schools"]


def test_without_its_build_file_a_run_makes_no_candidate(published: Home) -> None:
    before = [release.release_id for release in releases(published)]
    with pytest.raises(ReleaseError, match="Запустите задание целиком"):
        write_candidate(published, load_reference(), published.root / "no.duckdb", "killed")
    assert [release.release_id for release in releases(published)] == before
    assert read_release(published.current.resolve()).release_id in before


def test_a_candidate_compared_with_another_release_is_not_published(published: Home) -> None:
    """Two runs at once would give two releases one version, and one of them a difference to the wrong release."""
    first = current_release(published)
    assert first is not None
    late = published.releases / ".candidate-late"
    shutil.copytree(first.folder, late)
    add_to_manifest(late, release_id="late", former_release_id=first.release_id)
    _second_release(published)
    with pytest.raises(ReleaseError, match="действующим стал другой"):
        publish(published, late)
    now = current_release(published)
    assert now is not None
    assert now.release_id == "second"


def test_a_release_that_never_came_into_force_is_in_no_log(published: Home) -> None:
    """A run that ended between naming a release and switching to it; a switch that the log does not know."""
    _second_release(published)
    shutil.copytree(published.releases / "second", published.releases / "orphan")
    manifest = json.loads((published.releases / "orphan" / MANIFEST).read_text(encoding="utf-8"))
    later = manifest | {"release_id": "orphan", "created_at": "2999-01-01T00:00:00+00:00"}
    (published.releases / "orphan" / MANIFEST).write_text(json.dumps(later), encoding="utf-8")
    assert "orphan" not in {entry["release_id"] for entry in read_log(published)}
    switch_current(published, published.releases / "orphan")
    assert read_log(published)[-1]["release_id"] == "orphan"
    rollback(published, "second")
    assert [entry["release_id"] for entry in read_log(published)][-2:] == ["orphan", "second"]
