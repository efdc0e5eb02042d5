"""Originals of deliveries are removed; what was read of them, and what is published, stays."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from opora import intake
from opora.cli import main
from opora.delivery import read_issues, read_records
from opora.home import Home
from opora.inputs import fingerprint
from opora.intake import files_with_work, ingest
from opora.purge import PurgeReport, purge
from opora.warehouse import prepare
from tests import builders as b
from tests import hostile as h

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ROW = [2023, 6, "Русский язык", b.PLACE, b.LOGIN, "СОШ № 5", 20, 25, 25, 25, 25]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home").ensure()
    b.csv(home.landing / "2023" / "отметки.csv", [b.MARKS, ROW, [*ROW[:4], "нет", *ROW[5:]]])
    b.csv(home.landing / "протокол.csv", b.protocol(b.examinee()))
    b.csv(home.landing / "меню.csv", [["Меню"], ["Суп"]])
    ingest(home, b.reference(), now=NOW)
    return home


def take_away(home: Home, **options: object) -> PurgeReport:
    given = {"by": "инженер", "reason_ru": "срок хранения", "now": NOW + timedelta(days=10)} | options
    return purge(home, b.reference(), **given)  # type: ignore[arg-type]


def kept(home: Home) -> dict[str, bytes]:
    folders = (home.lake.glob("*/*/*.parquet"), home.quarantine.glob("*.parquet"))
    return {str(path): path.read_bytes() for files in folders for path in files}


def landed(home: Home) -> list[str]:
    return sorted(path.relative_to(home.landing).as_posix() for path in home.landing.rglob("*") if path.is_file())


def test_the_original_goes_and_all_that_was_read_stays(home: Home) -> None:
    before, was, records = kept(home), fingerprint(home, b.reference()), read_records(home)
    report = take_away(home)
    assert landed(home) == ["меню.csv"]
    assert not (home.landing / "2023").exists()
    assert {paths for _, paths in report.removed} == {("2023/отметки.csv",), ("протокол.csv",)}
    assert [(item.path, item.reason_ru.split(",")[0]) for item in report.kept] == [("меню.csv", "отклонён")]
    for record in read_records(home).values():
        for note in record.purged:
            assert (note.by, note.reason_ru, note.sha256) == ("инженер", "срок хранения", record.sha256)
            assert (note.at, note.paths) == (NOW + timedelta(days=10), record.paths)
        assert record.model_copy(update={"purged": []}) == records[record.delivery_id]
    assert kept(home) == before
    assert fingerprint(home, b.reference()) == was
    assert files_with_work(home, b.reference()) == []
    assert read_issues(home).height == 2


def test_runs_after_a_purge_build_on_the_same_rows(home: Home, tmp_path: Path) -> None:
    import duckdb

    def rows(name: str) -> list[tuple[object, ...]]:
        database = tmp_path / name
        prepare(home, b.reference(), database)
        with duckdb.connect(str(database), read_only=True) as connection:
            return connection.execute("from lake.aggregate_result order by all").fetchall()

    before = rows("before.duckdb")
    assert before
    take_away(home)
    report = ingest(home, b.reference(), reread=True)
    assert [record.file_name for record in report.processed] == ["меню.csv"]
    assert rows("after.duckdb") == before


@pytest.mark.parametrize("reread", [True, False])
def test_what_would_need_the_original_says_which_is_gone(
    home: Home, reread: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_away(home)
    assert ingest(home, b.reference()).gone == ()
    if not reread:
        monkeypatch.setattr(intake, "_code_version", lambda: "another")
    gone = ingest(home, b.reference(), reread=reread).gone
    assert sorted(item.file_name for item in gone) == ["2023/отметки.csv", "протокол.csv"]
    assert all("12.01.2026" in item.message_ru and "прочитанное прежде остаётся" in item.message_ru for item in gone)
    assert read_records(home)[f"d{gone[0].sha256[:12]}"].status != "refused"


def test_a_lost_part_of_the_lake_is_told_by_its_name(home: Home) -> None:
    take_away(home)
    shutil.rmtree(home.lake / "aggregate_result")
    (gone,) = ingest(home, b.reference()).gone
    assert len(gone.missing) == 1
    assert gone.missing[0].startswith("aggregate_result/academic_year=2022-2023/d")
    assert "Верните этот файл" in gone.message_ru


def test_an_original_that_comes_back_is_read_again(home: Home, tmp_path: Path) -> None:
    path = home.landing / "2023" / "отметки.csv"
    shutil.copy(path, tmp_path / "копия.csv")
    take_away(home)
    shutil.rmtree(home.lake / "aggregate_result")
    path.parent.mkdir()
    shutil.copy(tmp_path / "копия.csv", path)
    report = ingest(home, b.reference())
    assert ([record.file_name for record in report.processed], report.gone) == (["2023/отметки.csv"], ())
    assert home.lake_files("aggregate_result")


def test_a_correction_stays_in_force_when_both_originals_are_gone(home: Home) -> None:
    path = home.landing / "2023" / "отметки.csv"
    former = next(r for r in read_records(home).values() if r.file_name == "2023/отметки.csv").delivery_id
    b.csv(path, [b.MARKS, [*ROW[:6], 24, *ROW[7:]]])
    ingest(home, b.reference())
    latter = read_records(home)[former].replaced_by
    assert latter
    take_away(home)
    ingest(home, b.reference())
    records = read_records(home)
    assert (records[former].replaced_by, records[latter].replaced_by) == (latter, None)


def test_a_file_put_where_a_purged_one_lay_replaces_it(home: Home) -> None:
    take_away(home)
    b.csv(home.landing / "2023" / "отметки.csv", [b.MARKS, [*ROW[:6], 24, *ROW[7:]]])
    (record,) = ingest(home, b.reference()).processed
    former = next(r for r in read_records(home).values() if r.purged and r.file_name == "2023/отметки.csv")
    assert former.replaced_by == record.delivery_id


def test_only_what_was_taken_in_and_is_asked_for_goes(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = landed(home)
    assert take_away(home, dry_run=True).removed
    assert not take_away(home, older_than=timedelta(days=30)).removed
    (home.landing / "новый.csv").write_text("x", encoding="utf-8")
    assert (
        "сначала opora run" in {item.path: item.reason_ru for item in take_away(home, dry_run=True).kept}["новый.csv"]
    )
    (home.landing / "новый.csv").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(intake, "_code_version", lambda: "another")
        assert not take_away(home).removed
    assert landed(home) == everything
    menu = next(r for r in read_records(home).values() if r.file_name == "меню.csv")
    assert [record.delivery_id for record, _ in take_away(home, deliveries=[menu.delivery_id]).removed] == [
        menu.delivery_id
    ]
    assert len(landed(home)) == 2


def test_notes_and_files_behind_links_stay(home: Home, tmp_path: Path) -> None:
    b.csv(home.landing / "опись.csv", [("файл", "предмет", "класс", "год"), ("1.csv", "Математика", 5, 2020)])
    outside = h.book(tmp_path / "рядом")
    (home.landing / "связь").symlink_to(outside.parent)
    (home.landing / "ссылка.xlsx").symlink_to(h.old_book(tmp_path / "ещё"))
    ingest(home, b.reference())
    why = {item.path: item.reason_ru for item in take_away(home, now=datetime.now(UTC) + timedelta(1)).kept}
    assert "опись" in why["опись.csv"]
    assert "лежит вне landing" in why["ссылка.xlsx"]
    assert "лежит вне landing" in why[f"связь/{outside.name}"]
    assert outside.exists()


def test_the_command_says_what_goes_and_what_stays(home: Home) -> None:
    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["purge", "--home", str(home.root), *words])
        return done.exit_code, done.output

    assert run("--all")[0] == 2, "a reason is asked for"
    assert run("--reason", "срок")[0] == 2, "which ones is asked for"
    code, output = run("--all", "--reason", "срок", "--dry-run")
    assert (code, len(landed(home))) == (0, 3)
    assert "Было бы удалено поставок: 2" in output
    code, output = run("--all", "--reason", "срок", "--by", "Отдел")
    assert (code, landed(home)) == (0, ["меню.csv"])
    assert "Остаётся «меню.csv»: отклонён" in output
    assert {note.by for record in read_records(home).values() for note in record.purged} == {"Отдел"}
    assert run("dнет", "--reason", "срок")[0] == 1
    assert os.listdir(home.landing) == ["меню.csv"]  # noqa: PTH208
