"""What a release says that it was made of is what its marts were made of."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from opora.cli import main
from opora.freshness import nothing_new
from opora.home import Home
from opora.inputs import _source_files, fingerprint, noted_inputs
from opora.intake import ingest
from opora.release import (
    ReleaseError,
    add_to_manifest,
    candidate_folder,
    current_release,
    publish_unless_same,
    read_release,
    write_candidate,
)
from opora.warehouse import prepare
from schemas.arrow import sql_type
from schemas.registry import tables
from tests import builders as b

MARKS = (6, "Русский язык", b.PLACE, b.LOGIN, "СОШ № 5", 10, 10, 40, 30, 20)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").ensure()


def take(home: Home, **options: object) -> None:
    ingest(home, b.reference(), now=dt.datetime(2026, 1, 2, tzinfo=dt.UTC), **options)  # type: ignore[arg-type]


def laid_out(home: Home, run_id: str) -> Path:
    """The build file of a run, with marts that are empty."""
    database = home.build / run_id / "opora.duckdb"
    prepare(home, b.reference(), database)
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema marts")
        for mart in tables("marts"):
            columns = ", ".join(f'"{column.name}" {sql_type(column)}' for column in mart.columns)
            connection.execute(f"create table marts.{mart.table} ({columns})")
    return database


def now(home: Home) -> str:
    return fingerprint(home, b.reference())


def test_years_that_are_read_later_change_the_fingerprint(home: Home) -> None:
    b.csv(home.landing / "ф.csv", [b.MARKS, (2022, *MARKS), (2023, *MARKS)])
    take(home, years=["2022-2023"])
    before = now(home)
    take(home)
    assert now(home) != before


def test_another_reading_of_the_same_bytes_changes_the_fingerprint(home: Home) -> None:
    path = b.xlsx(home.landing / "Русский язык.xlsx", [b.AUTUMN_2020, b.autumn_pupil()])
    note = b.csv(home.landing / "опись.csv", [("файл", "предмет", "класс", "год"), (path.name, "Математика", 5, 2020)])
    take(home)
    before = now(home)
    note.unlink()
    take(home)
    assert now(home) != before
    was = now(home)
    take(home, reread=True)
    assert now(home) == was, "the same reading once more is no other one"


def test_code_of_the_domain_counts_and_what_only_shows_does_not() -> None:
    names = {path.name for path in _source_files()}
    assert {"suppression.py", "programmes.py", "kept.py", "school_status.sql", "region.yaml"} - names == {"region.yaml"}
    assert not {"docx.py", "runs.py", "country.py"} & names


def test_a_candidate_tells_of_what_its_build_was_laid_out_with(home: Home) -> None:
    b.xlsx(home.landing / "ф.xlsx", b.individual(b.pupil()))
    take(home)
    database = laid_out(home, "first")
    made_of = now(home)
    b.xlsx(home.landing / "позже.xlsx", b.individual(b.pupil(60002)))
    take(home)
    manifest = read_release(write_candidate(home, b.reference(), database, "first")).manifest
    assert [item["paths"] for item in manifest["inputs"]] == [["ф.xlsx"]]
    assert manifest["fingerprint"] == made_of == noted_inputs(database)["fingerprint"] != now(home)
    publish_unless_same(home, "first")
    assert not nothing_new(home, b.reference()), "what came meanwhile is still to be published"


def test_a_build_file_without_its_note_gives_no_candidate(home: Home) -> None:
    database = laid_out(home, "first")
    database.with_suffix(".inputs.json").unlink()
    with pytest.raises(ReleaseError, match="Запустите задание целиком"):
        write_candidate(home, b.reference(), database, "first")


def test_an_entry_that_cannot_be_read_is_told_although_nothing_is_new(home: Home) -> None:
    b.xlsx(home.landing / "ф.xlsx", b.individual(b.pupil()))
    take(home)
    write_candidate(home, b.reference(), laid_out(home, "first"), "first")
    publish_unless_same(home, "first")
    (home.landing / "новый.xlsx").symlink_to(home.root / "нет.xlsx")
    assert nothing_new(home, b.reference())
    done = CliRunner().invoke(main, ["run", "--home", str(home.root)])
    assert "Нового нет" in done.output
    assert "«новый.xlsx»: недоступно: ссылка никуда не ведёт" in " ".join(done.output.split())


def test_a_run_that_was_stopped_after_publishing_finds_its_release(home: Home) -> None:
    write_candidate(home, b.reference(), laid_out(home, "first"), "first")
    published, is_new = publish_unless_same(home, "first")
    assert is_new
    assert publish_unless_same(home, "first") == (published, True)
    write_candidate(home, b.reference(), laid_out(home, "second"), "second")
    assert publish_unless_same(home, "second") == (published, False)
    assert not candidate_folder(home, "second").exists()
    with pytest.raises(ReleaseError, match="Запустите прогон целиком"):
        publish_unless_same(home, "second")
    folder = write_candidate(home, b.reference(), laid_out(home, "third"), "third")
    add_to_manifest(folder, release_id="r3")
    forced, is_new = publish_unless_same(home, "third", force=True)
    assert (forced, is_new) == (current_release(home), True)
