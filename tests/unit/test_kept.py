"""Kept tables: what is kept is what would be computed, and only what has changed is computed again."""

from __future__ import annotations

import fcntl
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.home import Home
from opora.kept import PORTION, KeptTables, Made, NotPortioned, kept_tables
from opora.models import Input, Node, all_nodes, choose
from tests.sums import RESULT, ROWS, SETTING, SUM, SUM_NODE, TEST_NODE, TOTAL, node, opened, run


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with opened(ROWS) as connection:
        yield connection


def test_what_has_not_changed_is_not_computed_again(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    assert run(database, tmp_path / "kept")[:2] == (Made(3, 0), Made(1, 0))
    assert run(database, tmp_path / "kept")[:2] == (Made(0, 3), Made(0, 1))


@pytest.mark.parametrize(
    ("change", "sums", "total"),
    [
        ("update result set score = 9 where portion = '2022/vpr_4_rus'", Made(1, 2), Made(1, 0)),
        ("insert into result values ('2022/vpr_8_phy', 1)", Made(1, 3), Made(1, 0)),
        ("delete from result where portion = '2021/vpr_5_rus'", Made(0, 2), Made(1, 0)),
        ("update setting set factor = 11", Made(3, 0), Made(1, 0)),
        ("delete from result", Made(0, 0), Made(1, 0)),
    ],
)
def test_a_change_computes_what_stands_on_it(
    database: duckdb.DuckDBPyConnection, tmp_path: Path, change: str, sums: Made, total: Made
) -> None:
    run(database, tmp_path / "kept")
    database.execute(change)
    assert run(database, tmp_path / "kept")[:2] == (sums, total)


def test_rows_in_another_order_are_the_same(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    run(database, tmp_path / "kept")
    database.execute("create or replace table result as select * from result order by score desc")
    assert run(database, tmp_path / "kept")[0] == Made(0, 3)


def test_a_view_may_be_told_of_by_another_table(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    database.execute("create table told as select portion, count(*) as rows_count from result group by all")
    told = Node(**{**SUM_NODE.__dict__, "inputs": (Input(RESULT, '"opora"."main"."told"'), Input(SETTING, SETTING))})
    folder = tmp_path / "kept"
    folder.mkdir()
    assert KeptTables(folder, folder.with_suffix(".beside")).create(database, told) == Made(3, 0)
    database.execute("update told set rows_count = 7 where portion = '2021/vpr_5_rus'")
    assert KeptTables(folder, folder.with_suffix(".beside")).create(database, told) == Made(1, 2)
    shown_otherwise = replace(told, inputs=(replace(told.inputs[0], view="select score + 1 …"), *told.inputs[1:]))
    assert KeptTables(folder, folder.with_suffix(".beside")).create(database, shown_otherwise) == Made(3, 0)


def test_a_column_of_another_type_is_another_table(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    run(database, tmp_path / "kept")
    database.execute("alter table setting alter factor type smallint")  # a row hashes as it did
    assert run(database, tmp_path / "kept")[0] == Made(3, 0)


def test_code_that_makes_portions_otherwise_makes_them_again(
    database: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(database, tmp_path / "kept")
    monkeypatch.setattr("opora.kept._code", lambda: "of tomorrow")
    assert run(database, tmp_path / "kept")[:2] == (Made(3, 0), Made(1, 0))


@pytest.mark.parametrize("harm", ["gone", "changed", "index"])
def test_what_is_damaged_is_computed_again(database: duckdb.DuckDBPyConnection, tmp_path: Path, harm: str) -> None:
    before = run(database, tmp_path / "kept")[2]
    folder = tmp_path / "kept" / "int_sum"
    part = min(folder.glob("*.parquet"))
    match harm:
        case "gone":
            part.unlink()
        case "changed":
            part.write_bytes(part.read_bytes()[:-1] + b"x")
        case "index":
            (folder / "index.json").write_text('{"2021')
    made, _, found = run(database, tmp_path / "kept")
    assert found == before
    assert made == (Made(3, 0) if harm == "index" else Made(1, 2))


def test_nothing_is_left_that_no_index_names(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    run(database, folder)
    (folder / ".int_sum.part").mkdir()  # of a process that was killed
    (folder / "int_former").mkdir()
    database.execute("delete from result where portion like '2021%'")
    run(database, folder)
    KeptTables(folder, folder.with_suffix(".beside")).forget_others({"int_sum", "int_total"})
    assert {path.name for path in folder.iterdir()} == {"int_sum", "int_total"}
    assert len(list((folder / "int_sum").glob("*.parquet"))) == 1


def test_what_a_later_run_removes_stays_for_a_build_that_reads_it(
    database: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    _, _, found = run(database, tmp_path / "kept")
    shutil.rmtree(tmp_path / "kept")
    assert database.execute(f"select * from {SUM} order by portion").fetchall() == found


def test_a_model_that_mixes_portions_is_refused(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    mixing = node("int_mixed", f"select '2030/other' as portion, score from {RESULT}", RESULT)
    with pytest.raises(NotPortioned, match="2030/other"):
        KeptTables(tmp_path, tmp_path / "beside").create(database, mixing)


def test_what_was_computed_before_a_fault_is_kept(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    database.execute("update result set score = 2147483647 where portion = '2022/vpr_4_rus'")
    narrow = node(
        "int_narrow", f"select portion, cast(sum(score) * 2 as integer) as total from {RESULT} group by 1", RESULT
    )
    with pytest.raises(duckdb.ConversionException):
        KeptTables(tmp_path, tmp_path / "beside", queries=3).create(database, narrow)
    database.execute("update result set score = 2 where portion = '2022/vpr_4_rus'")
    assert KeptTables(tmp_path, tmp_path / "beside").create(database, narrow) == Made(1, 2)


def test_a_test_looks_at_what_has_changed_since_it_passed(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    run(database, folder)
    kept = KeptTables(folder, folder.with_suffix(".beside"))
    assert kept.unproven(database, TEST_NODE) == TEST_NODE.sql
    kept.prove(database, TEST_NODE)
    assert KeptTables(folder, folder.with_suffix(".beside")).unproven(database, TEST_NODE) is None
    database.execute("insert into result values ('2022/vpr_4_rus', 100)")
    run(database, folder)
    sql = KeptTables(folder, folder.with_suffix(".beside")).unproven(database, TEST_NODE)
    assert sql is not None
    assert database.execute(sql).fetchall() == [("2022/vpr_4_rus", 1020)]


PORTIONS = st.sampled_from(["2021/a", "2021/b", "2022/a", "2022/exam"])
STATES = st.lists(st.lists(st.tuples(PORTIONS, st.integers(0, 5)), max_size=8), min_size=2, max_size=4)


@given(states=STATES, queries=st.sampled_from([1, 2, 100]))
def test_after_any_changes_what_is_kept_is_what_would_be_computed(
    states: list[list[tuple[str, int]]], queries: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("kept")
    for rows in states:
        with opened(rows) as database:
            run(database, folder, queries)  # compares with what would be computed
            total = database.execute(f"select * from {TOTAL}").fetchall()
            assert total == [(len({portion for portion, _ in rows}),)]
    shutil.rmtree(folder)


# --- what the project keeps ----------------------------------------------------------------------


def test_a_small_home_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path).ensure()
    (home.kept / "int_task_answer").mkdir(parents=True)
    with kept_tables(home, home.build / "opora.duckdb") as kept:
        assert kept is None
    assert not home.kept.exists()
    monkeypatch.setenv("OPORA_KEEP_FROM_ROWS", "0")
    with kept_tables(home, home.build / "opora.duckdb") as kept:
        assert kept is not None
    assert home.kept.stat().st_mode & 0o007 == 0


def test_one_run_at_a_time_has_the_kept_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPORA_KEEP_FROM_ROWS", "0")
    home = Home(tmp_path).ensure()

    def is_free() -> bool:
        with home.kept_lock.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    with kept_tables(home, home.build / "opora.duckdb"):
        assert not is_free()
    assert is_free()


def test_the_key_of_a_kept_mart_names_its_portion() -> None:
    for test in all_nodes().values():
        if test.kept and test.name.endswith("_key"):
            assert {"academic_year", "procedure_id"} <= set(re.findall(r"\w+", test.sql)), test.name


def test_participants_are_told_of_by_their_deliveries() -> None:
    (task_answer,) = choose(["int_task_answer"])
    told = {item.relation.split('"')[-2]: item.told_by.split('"')[-2] for item in task_answer.inputs}
    assert told["stg_assessment_result"] == "int_delivered_work"
    assert told["int_chosen_work"] == "int_chosen_work"
    assert PORTION in choose(["int_delivered_work"])[0].sql
