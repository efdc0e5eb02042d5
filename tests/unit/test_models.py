"""Models run in order over the file of a run, and what became of each is told while those after it run."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from opora.inputs import NoBuild
from opora.models import Node, NodeResult, run_models, running_models
from opora.warehouse import WarehouseError

ENDLESS = "select sum(a.range * b.range) as total from range(10000000) as a, range(10000000) as b"


def node(name: str, sql: str, *parents: str, kind: str = "model") -> Node:
    relation = f'"opora"."marts"."{name}"' if kind == "model" else ""
    return Node(name, name, kind, f"models/{name}.sql", parents, sql, relation, "table")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "build.duckdb"
    duckdb.connect(str(path)).close()
    return path


def test_each_tells_its_rows(database: Path) -> None:
    results = run_models(database, [node("one", "select 1 as n"), node("none", "select n from marts.one where n > 1")])
    assert [(result.name, result.status, result.rows) for result in results] == [
        ("one", "success", 1),
        ("none", "success", 0),
    ]


def test_what_stands_on_a_failure_is_skipped_and_the_failure_told_at_the_end(database: Path) -> None:
    nodes = [
        node("broken", "select missing"),
        node("above", "select * from marts.broken", "broken"),
        node("beside", "select 1 as n"),
        node("beside_is_two", "select n from marts.beside where n <> 2", "beside", kind="test"),
        node("above_beside", "select * from marts.beside", "beside"),
    ]
    told: list[NodeResult] = []
    with pytest.raises(WarehouseError, match="модель broken") as raised:
        told.extend(running_models(database, nodes, tests_may_fail=True))
    assert [(result.name, result.status) for result in told] == [
        ("broken", "error"),
        ("above", "skipped"),
        ("beside", "success"),
        ("beside_is_two", "fail"),
        ("above_beside", "skipped"),
    ]
    assert "проверка beside_is_two" in str(raised.value)


def test_a_result_is_told_while_the_next_runs_and_whoever_leaves_stops_it(database: Path) -> None:
    started = time.monotonic()
    with closing(running_models(database, [node("one", "select 1 as n"), node("endless", ENDLESS)])) as results:
        assert next(results).name == "one"
    assert time.monotonic() - started < 60
    with duckdb.connect(str(database), read_only=True) as connection:  # nobody has it open any more
        assert connection.execute("select table_name from duckdb_tables()").fetchall() == [("one",)]


def test_a_failing_row_of_a_person_tells_only_where_it_is(database: Path) -> None:
    """Messages go to the event log, to the UI and to the terminal."""
    row = "'50017' as participant_code, 's1' as school_id, 'd1' as delivery_id, '5А' as class_name, 31 as points"
    nodes = [
        node("pupils", f"select {row}"),
        node("points_are_possible", "select * from marts.pupils", kind="test"),
        node("schools_are_known", "select school_id, points from marts.pupils", kind="test"),
    ]
    _, of_pupils, of_schools = run_models(database, nodes, tests_may_fail=True)
    assert of_pupils.message.splitlines()[1].strip() == "{'school_id': 's1', 'delivery_id': 'd1'}"
    assert of_pupils.failures == 1
    assert "31" in of_schools.message


def test_models_without_the_file_of_their_run_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoBuild, match="Запустите задание целиком"):
        run_models(tmp_path / "gone.duckdb", [node("one", "select 1 as n")])
    assert not (tmp_path / "gone.duckdb").exists()
