"""Intake as a whole: what is read, what is written, what is remembered, and that people leave no trace."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from opora import intake
from opora.delivery import ISSUE_SCHEMA, RowCounts, read_issues, read_records
from opora.home import Home
from opora.intake import IntakeReport, files_with_work, ingest
from opora.landing import landed_files
from opora.reading import read_sheets
from tests import builders as b
from tests.traces import traces
from tests.unit import test_layouts as variants

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").ensure()


def take(home: Home, **options: object) -> IntakeReport:
    return ingest(home, b.reference(), now=NOW, **options)  # type: ignore[arg-type]


def work(home: Home) -> list[str]:
    return files_with_work(home, b.reference())


def lake(home: Home) -> dict[str, bytes]:
    return {path.relative_to(home.lake).as_posix(): path.read_bytes() for path in home.lake.glob("*/*/*.parquet")}


def parts(home: Home) -> list[str]:
    return sorted(name.rsplit("/", 1)[0] for name in lake(home))


MARKS = (6, "Русский язык", b.PLACE, b.LOGIN, "СОШ № 5", 10, 10, 40, 30, 20)
TWO_YEARS = [b.MARKS, (2022, *MARKS), (2023, *MARKS)]


# --- deliveries ----------------------------------------------------------------------------------------


def test_a_delivery_is_written_whole_and_remembered(home: Home) -> None:
    path = b.xlsx(home.landing / "2023" / "ф.xlsx", b.individual(b.pupil(), b.pupil(60002, login="нет")))
    report = take(home)
    record = report.processed[0]
    assert parts(home) == ["assessment_result/academic_year=2022-2023"]
    assert read_records(home) == {record.delivery_id: record}
    assert (record.status, record.file_name, record.received_at) == ("accepted_with_quarantine", "2023/ф.xlsx", NOW)
    assert record.size_bytes == path.stat().st_size
    assert record.rows == RowCounts(rows_in=2, accepted=1, quarantined=1)
    assert record.issues == {"school_key_malformed": 1}
    assert dict(read_issues(home).schema) == ISSUE_SCHEMA
    assert read_issues(home, [record.delivery_id]).height == 1
    assert read_issues(home, []).is_empty()


def test_what_has_been_read_is_not_read_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    b.xlsx(home.landing / "ф.xlsx", b.individual(b.pupil()))
    b.csv(home.landing / "меню.csv", [["Меню"], ["Суп"]])
    take(home)
    monkeypatch.setattr(intake, "process", lambda *_: pytest.fail("read again"))
    again = take(home)
    assert (again.processed, again.unchanged) == ((), 2)


def test_a_new_version_or_a_missing_part_is_read_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    b.xlsx(home.landing / "ф.xlsx", b.individual(b.pupil()))
    take(home)
    shutil.rmtree(home.lake / "assessment_result")
    assert len(take(home).processed) == 1
    monkeypatch.setattr(intake, "_code_version", lambda: "another")
    assert len(take(home).processed) == 1
    assert len(take(home, reread=True).processed) == 1


def test_the_same_bytes_twice_are_one_delivery(home: Home) -> None:
    path = b.xlsx(home.landing / "ф.xlsx", b.individual(b.pupil()))
    shutil.copy(path, home.landing / "копия.xlsx")
    take(home)
    shutil.copy(path, home.landing / "ещё копия.xlsx")
    report = take(home)
    assert report.processed == ()
    (record,) = read_records(home).values()
    assert sorted(record.paths) == ["ещё копия.xlsx", "копия.xlsx", "ф.xlsx"]
    assert len(lake(home)) == 1


def test_a_corrected_file_at_the_same_path_replaces_the_former(home: Home) -> None:
    path = home.landing / "ф.xlsx"
    b.xlsx(path, b.individual(b.pupil()))
    (former,) = take(home).processed
    b.xlsx(path, b.individual(b.pupil(total=4, tasks=(2, 1, 1))))
    (latter,) = take(home).processed
    records = read_records(home)
    assert records[former.delivery_id].replaced_by == latter.delivery_id
    assert records[latter.delivery_id].replaced_by is None


def test_a_former_file_that_comes_back_is_in_force_again(home: Home) -> None:
    path, kept = home.landing / "ф.xlsx", home.root / "прежняя.xlsx"
    b.xlsx(path, b.individual(b.pupil()))
    shutil.copy(path, kept)
    (former,) = take(home).processed
    b.xlsx(path, b.individual(b.pupil(60002)))
    (latter,) = take(home).processed
    assert work(home) == []
    shutil.copy(kept, path)
    assert work(home), "the command line must not think that nothing is new"
    take(home)
    assert work(home) == []
    records = read_records(home)
    assert records[former.delivery_id].replaced_by is None
    assert records[latter.delivery_id].replaced_by == former.delivery_id


def test_a_broken_file_replaces_nothing(home: Home) -> None:
    path = home.landing / "ф.xlsx"
    b.xlsx(path, b.individual(b.pupil()))
    (former,) = take(home).processed
    path.write_bytes(path.read_bytes()[:900])
    (broken,) = take(home).processed
    assert broken.status == "refused"
    assert read_records(home)[former.delivery_id].replaced_by is None


def test_a_refused_file_is_read_again_under_a_name_that_says_more(home: Home) -> None:
    path = b.xlsx(home.landing / "выгрузка.xlsx", [b.AUTUMN_2020, b.autumn_pupil()])
    assert take(home).processed[0].issues == {"unknown_context": 1}
    path.rename(home.landing / "Математика.xlsx")
    assert work(home) == ["Математика.xlsx"]
    (record,) = take(home).processed
    assert (record.status, record.paths) == ("accepted", ["Математика.xlsx", "выгрузка.xlsx"])


def test_a_note_that_comes_later_is_heeded(home: Home) -> None:
    b.xlsx(home.landing / "1.xlsx", [b.AUTUMN_2020, b.autumn_pupil()])
    take(home)
    note = [("файл", "предмет", "класс", "год"), ("1.xlsx", "Математика", 5, 2020)]
    b.csv(home.landing / "опись.csv", note)
    statuses = {record.file_name: record.status for record in take(home).processed}
    assert statuses == {"1.xlsx": "accepted", "опись.csv": "accepted"}


@pytest.mark.parametrize("noted", ["1.xlsx", "2.xlsx"])
def test_a_note_on_any_of_two_copies_is_heeded_and_leaves_no_work(home: Home, noted: str) -> None:
    path = b.xlsx(home.landing / "1.xlsx", [b.AUTUMN_2020, b.autumn_pupil()])
    shutil.copy(path, home.landing / "2.xlsx")
    b.csv(home.landing / "опись.csv", [("файл", "предмет", "класс", "год"), (noted, "Математика", 5, 2020)])
    assert [record.status for record in take(home).processed] == ["accepted", "accepted"]
    assert work(home) == []
    assert take(home).processed == ()


def test_a_note_that_says_nothing_is_as_none(home: Home) -> None:
    b.xlsx(home.landing / "ф.xlsx", b.individual(b.pupil()))
    b.csv(home.landing / "опись.csv", [("файл", "предмет", "класс", "год"), ("ф.xlsx", "", "", "")])
    take(home)
    assert work(home) == []


@pytest.mark.parametrize("error", [MemoryError(), OSError(5, "Input/output error"), ValueError("a fault of ours")])
def test_what_was_read_stays_where_it_cannot_be_read_now(
    home: Home, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    b.xlsx(home.landing / "ф.xlsx", b.individual(b.pupil()))
    (first,) = take(home).processed
    before = lake(home)

    def failing(_: Path) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(intake, "_code_version", lambda: "another")
        patch.setattr(intake, "read_sheets", failing)
        assert take(home).processed == (first,)
        assert lake(home) == before
        assert work(home) == ["ф.xlsx"], "every run tries it again"
        patch.setattr(intake, "read_sheets", read_sheets)
        assert take(home).processed[0].status == "accepted"
        assert work(home) == []


@pytest.mark.parametrize(("error", "again"), [(MemoryError(), ["ф.xlsx"]), (ValueError("a fault of ours"), [])])
def test_what_may_do_another_time_is_tried_again(
    home: Home, monkeypatch: pytest.MonkeyPatch, error: Exception, again: list[str]
) -> None:
    b.xlsx(home.landing / "ф.xlsx", b.individual(b.pupil()))

    def failing(_: Path) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(intake, "read_sheets", failing)
        assert take(home).processed[0].issues == {"not_processed": 1}
    assert work(home) == again


def test_the_secret_opens_what_was_refused_without_it(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    b.csv(home.landing / "п.csv", b.protocol(b.examinee()))
    with monkeypatch.context() as without:
        without.delenv("OPORA_PERSON_SECRET")
        assert take(home).processed[0].issues == {"secret_missing": 1}
        assert take(home).processed == ()
    assert take(home).processed[0].status == "accepted"


def test_what_was_read_with_the_secret_stays_where_it_is_gone(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rereading without the secret must not take exams out of the list that were in it."""
    b.csv(home.landing / "п.csv", b.protocol(b.examinee()))
    first = take(home).processed[0]
    parts = {path: path.read_bytes() for path in home.lake.rglob("*.parquet")}
    assert first.status == "accepted"
    assert parts
    with monkeypatch.context() as patch:
        patch.delenv("OPORA_PERSON_SECRET")
        assert take(home, reread=True).processed[0] == first
    assert {path: path.read_bytes() for path in home.lake.rglob("*.parquet")} == parts
    assert read_records(home)[first.delivery_id] == first


def test_links_are_followed_once_and_hidden_files_are_not_seen(home: Home, tmp_path: Path) -> None:
    outside = tmp_path / "лежит рядом"
    b.xlsx(outside / "ф.xlsx", b.individual(b.pupil()))
    (outside / "назад").symlink_to(outside)
    (home.landing / "связь").symlink_to(outside)
    (home.landing / ".скрыт.csv").touch()
    (home.landing / "~$ф.xlsx").touch()
    (home.landing / "оборвана").symlink_to(tmp_path / "нет")
    assert [file.relative for file in landed_files(home.landing)] == ["связь/ф.xlsx"]


def test_progress_is_told(home: Home) -> None:
    b.xlsx(home.landing / "ф.xlsx", b.individual(b.pupil()))
    told: list[tuple[int, int, str]] = []
    take(home, progress=lambda *step: told.append(step))
    assert told == [(1, 1, "ф.xlsx")]


# --- years ---------------------------------------------------------------------------------------------


def test_only_the_years_asked_for_are_written(home: Home) -> None:
    b.csv(home.landing / "marks.csv", TWO_YEARS)
    b.csv(home.landing / "логины.csv", [("логин", "имя", "регион"), ("sch990012", "СОШ № 5", b.PLACE)])
    take(home, years=["2022-2023"])
    assert parts(home) == ["aggregate_result/academic_year=2022-2023", "school_register/academic_year=undated"]
    take(home)
    assert "aggregate_result/academic_year=2021-2022" in parts(home)


def test_a_delivery_of_other_years_leaves_no_trace(home: Home) -> None:
    b.csv(home.landing / "marks.csv", TWO_YEARS)
    take(home, years=["2018-2019"])
    assert (lake(home), read_records(home), read_issues(home).height) == ({}, {}, 0)


def test_one_year_read_by_a_new_version_leaves_the_other_to_be_read(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    b.csv(home.landing / "marks.csv", TWO_YEARS)
    take(home)
    before = lake(home)
    monkeypatch.setattr(intake, "_code_version", lambda: "another")
    assert len(take(home, years=["2022-2023"]).processed) == 1
    assert lake(home) == before
    assert len(take(home).processed) == 1, "the year that was left is still of the former version"
    assert take(home).processed == ()


def test_a_rerun_writes_the_same_bytes(home: Home) -> None:
    b.csv(home.landing / "marks.csv", TWO_YEARS)
    b.xlsx(home.landing / "ф.xlsx", b.individual(b.pupil(), b.pupil(60002, total=92)))
    b.csv(home.landing / "п.csv", b.protocol(b.examinee()))
    take(home)
    before = lake(home)
    take(home, reread=True)
    assert lake(home) == before


def test_parts_that_a_delivery_no_longer_gives_are_removed(home: Home) -> None:
    b.csv(home.landing / "marks.csv", TWO_YEARS)
    (record,) = take(home).processed
    stale = home.lake_part("score_distribution", "2022-2023", record.delivery_id)
    stale.parent.mkdir(parents=True)
    stale.touch()
    take(home, reread=True)
    assert not stale.exists()


# --- own layouts -----------------------------------------------------------------------------------------


def test_a_layout_of_the_home_is_used_and_its_change_is_noticed(home: Home) -> None:
    b.csv(home.landing / "схема.csv", [("login", "title"), ("edu990012", "СОШ № 5")])
    assert take(home).processed[0].status == "refused"
    own = {"id": "own", "title_ru": "Своя", "table": "school_register", "source": "Поставщик", "evidence": "USER"}
    own |= {"columns": {"vpr_login": {"header": "login", "convert": "vpr_login"}, "school_name": {"header": "title"}}}
    (home.layouts / "own.yaml").write_text(yaml.safe_dump(own, allow_unicode=True), encoding="utf-8")
    (record,) = take(home).processed
    assert (record.status, record.layout_ids) == ("accepted", ["own"])


# --- people ----------------------------------------------------------------------------------------------


def test_people_leave_no_trace(home: Home) -> None:
    for number, (write, _) in enumerate(variants.PROTOCOLS.values()):
        folder = home.landing / str(number)
        folder.mkdir()
        write(folder)
    report = take(home)
    assert {record.status for record in report.processed} == {"accepted"}
    assert traces(home, b.CANARIES) == []


SHIFTED = {
    "ОГЭ": ("01 - Русский язык 2023.06.06", b.OGE, b.examinee()),
    "dense": (
        "02 - Математика 2023.06.09",
        variants.DENSE,
        (1, 9306, "9А", 101, 5, "2300000001", *variants.PEOPLE, *variants.PAPER, *variants.MASKS, 15, 4),
    ),
    "compact": (
        "01 - Русский язык 2020.07.06",
        variants.COMPACT,
        (1, 101, 9306, 11, 9306, None, *variants.PEOPLE, 304, 2000001, 20001, *variants.MASKS, 40, 72),
    ),
    "appeal": (
        "01 - Русский язык 2023.05.29",
        variants.EGE_APPEAL,
        (1, 9306, 11, 101, 5, *variants.PEOPLE, "4512 678901", "О", "Удовлетворена", "", "", 60, 42, 74, 14),
    ),
}


@pytest.mark.parametrize("shift", range(-8, 9))
@pytest.mark.parametrize("variant", SHIFTED)
def test_people_of_shifted_rows_leave_no_trace(variant: str, shift: int, home: Home) -> None:
    title, header, row = SHIFTED[variant]
    cells = [None] * max(shift, 0) + list(row)[max(-shift, 0) :]
    good = b.examinee(2, paper="111111")
    b.xlsx(home.landing / "п.xlsx", [[title], header, cells[: len(header)], *([good] if header is b.OGE else [])])
    take(home)
    assert traces(home, (*variants.PEOPLE, b.SERIES, b.NUMBER)) == []


# --- whatever comes ----------------------------------------------------------------------------------------

SEEDS: dict[str, Callable[[], list[list[b.Cell]]]] = {
    "individual": lambda: [list(r) for r in next(iter(b.individual(b.pupil(), b.pupil(60002), declared=2).values()))],
    "statistics": lambda: [list(r) for r in next(iter(b.statistics([b.SCHOOL, None, 8, 12.5, 37.5, 25, 25]).values()))],
    "spring": lambda: [list(b.SPRING_2021), list(b.spring_pupil()), list(b.spring_pupil(50002))],
    "protocol 2022": lambda: [list(b.PROTOCOL_2022), list(b.protocol_pupil()), list(b.protocol_pupil(50002))],
    "marks": lambda: [list(b.MARKS), [2022, *MARKS], [2023, *MARKS]],
    "bias": lambda: [list(b.BIAS), [2024, b.LOGIN, b.PLACE, "СОШ № 5", 1, 0, None, 1, 2]],
    "exams": lambda: [
        list(r)
        for r in [*b.protocol(b.examinee()), *b.protocol(b.examinee(paper="1"), title="02 - Математика 2023.06.09")]
    ],
    "appeals": lambda: [
        list(variants.OGE_APPEAL),
        [1, 9306, "9а", 1, 5, *variants.PEOPLE, "4", "Математика(2026.06.02)", "Удовлетворена", 12, 3],
    ],
    "regional": lambda: [list(r) for r in b.ege_table([b.PLACE, "СОШ № 5", 20, 3, 1, 1, 0, 61.5])["2023"]],
    "form": lambda: [list(r) for r in b.form((60001, 1, 5, 3, 1, 4, 8), size=4)["Протокол"]],
    "note": lambda: [["файл", "предмет", "класс", "год"], ["Математика 6 класс 2023.csv", "Математика", 6, 2023]],
}
GARBAGE = [
    *("", " ", "\u00a0", "0", "-1", "1e999", "NaN", "2.5", "9" * 21, "X", "?", "«", "31.02.2020", "\x00", "ё" * 300),
    *("отсутствовал", "итого", "edu990012", "Средние", "20 - x", "2022-2023", "б", "'", '"'),
]


def mutated(rows: list[list[b.Cell]], dice: random.Random) -> list[list[b.Cell]]:
    """Some cells dropped, doubled, blanked or spoiled, some rows too."""
    for _ in range(dice.randint(1, 6)):
        y = dice.randrange(len(rows))
        row = rows[y]
        match dice.choice(
            ["blank", "garbage", "garbage", "drop", "double", "swap", "drop row", "double row", "blank row"]
        ):
            case "drop row" if len(rows) > 1:
                del rows[y]
            case "double row":
                rows.insert(y, list(row))
            case "blank row":
                rows.insert(y, [])
            case _ if not row:
                row.append(dice.choice(GARBAGE))
            case "blank":
                row[dice.randrange(len(row))] = None
            case "garbage":
                row[dice.randrange(len(row))] = dice.choice(GARBAGE)
            case "drop":
                del row[dice.randrange(len(row))]
            case "double":
                x = dice.randrange(len(row))
                row.insert(x, row[x])
            case _:
                rows[y], rows[-1] = rows[-1], rows[y]
    return rows


@pytest.mark.parametrize("seed", SEEDS)
@given(dice=st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_whatever_comes_every_row_is_accounted_for(
    seed: str, dice: random.Random, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("порча")
    path = b.csv(folder / "sch990012 Математика 6 класс 2023.csv", mutated(SEEDS[seed](), dice))
    result = b.read(path)  # checks that the rows add up
    record = result.record
    assert record.status == "refused" or record.rows.rows_in >= 0
    quarantined = result.issues.filter(pl.col("severity") == "quarantine")
    assert (record.rows.quarantined == 0) or not quarantined.is_empty()
    assert record.issues == dict(sorted(result.issues["check_id"].value_counts().rows()))
    for (name, year), frame in result.parts.items():
        assert frame.height > 0
        assert frame["source_row"].min() >= 1  # type: ignore[operator]
        if "measured_year" in frame.columns:
            assert frame["measured_year"].unique().to_list() == [year], name
    shutil.rmtree(folder)
