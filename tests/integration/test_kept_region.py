"""A home that keeps tables: the same tables as one that computes all, and little to do for one late file."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import date
from pathlib import Path

import duckdb
import pytest

from opora.build import AFTER_ANALYSIS
from opora.demo.country import write_country
from opora.home import Home
from opora.intake import ingest
from opora.kept import kept_tables
from opora.models import Node, NodeResult, all_nodes, choose, run_models
from opora.reference import load_reference
from opora.sql import quoted
from opora.warehouse import CATALOG, prepare
from tests.conftest import Region

AS_OF = date(2024, 9, 1)
KEPT = {node.name: node for node in all_nodes().values() if node.kept and node.relation}


@pytest.fixture(autouse=True)
def _as_if_it_were_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are kept from the first row on, and some portions are computed at a time."""
    monkeypatch.setenv("OPORA_KEEP_FROM_ROWS", "1")
    monkeypatch.setattr("opora.kept.ROWS_AT_ONCE", 1_000)


def built(home: Home, database: Path, *, keep: bool) -> dict[str, NodeResult]:
    prepare(home, load_reference(), database, as_of=AS_OF)
    with kept_tables(home, database) if keep else nullcontext() as kept:
        results = run_models(database, choose(exclude=[AFTER_ANALYSIS]), kept=kept)
    return {result.name: result for result in results}


def differing(one: Path, other: Path) -> list[str]:
    """Tables of intermediate and marts that are not the same in two files: columns, types or rows."""
    with duckdb.connect() as first, duckdb.connect() as second:
        for connection, path in ((first, one), (second, other)):
            connection.execute(f"attach {quoted(path)} as {CATALOG} (read_only)")
        tables = [node for node in choose(exclude=[AFTER_ANALYSIS]) if node.relation and "staging" not in node.relation]
        return [node.name for node in tables if _content(first, node) != _content(second, node)]


def _content(connection: duckdb.DuckDBPyConnection, node: Node) -> object:
    columns = connection.execute(f"describe {node.relation}").fetchall()
    # the last bits of a sum of fractions depend on the order of rows; so does the order within a list
    shown = {"DOUBLE": 'round("{}", 9)', "VARCHAR[]": 'array_sort("{}")'}
    names = [shown.get(str(kind), '"{}"').format(name) for name, kind, *_ in columns]
    query = f"select count(*), sum(cast(hash(row({', '.join(names)})) as hugeint)) from {node.relation}"
    return sorted((str(name), str(kind)) for name, kind, *_ in columns), connection.execute(query).fetchall()


def computed(results: Mapping[str, NodeResult]) -> dict[str, int]:
    """How many portions of each kept model were computed, those left out that only held."""
    return {name: result.made.computed for name, result in results.items() if result.made and result.made.computed}


def test_kept_tables_of_a_region_are_those_it_would_compute(demo_region: Region, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    shutil.copytree(demo_region.home.lake, home.lake)
    shutil.copytree(demo_region.home.quarantine, home.quarantine)
    built(home, tmp_path / "plain.duckdb", keep=False)
    first = built(home, tmp_path / "first.duckdb", keep=True)
    second = built(home, tmp_path / "second.duckdb", keep=True)
    assert computed(first).keys() == KEPT.keys()
    assert computed(second) == {}
    assert differing(tmp_path / "plain.duckdb", tmp_path / "first.duckdb") == []
    assert differing(tmp_path / "plain.duckdb", tmp_path / "second.duckdb") == []


def test_a_late_file_computes_its_own_work_only(tmp_path: Path) -> None:
    home = Home(tmp_path / "country")
    write_country(home.root, 40, 4_000)
    ingest(home, load_reference())
    built(home, tmp_path / "before.duckdb", keep=True)

    late = home.landing / "регион-01" / "2022" / "05_matematika.csv"
    late.write_bytes(late.read_bytes().rsplit(b"\r\n", 2)[0] + b"\r\n")
    ingest(home, load_reference())
    again = built(home, tmp_path / "again.duckdb", keep=True)
    built(home, tmp_path / "anew.duckdb", keep=False)

    assert differing(tmp_path / "anew.duckdb", tmp_path / "again.duckdb") == []
    assert set(computed(again).values()) == {1}, computed(again)
    untouched = KEPT.keys() - computed(again).keys()
    assert untouched == {"int_counted_exam", "int_programme_exam"}
    portions = {path.name for path in (home.kept / "int_task_answer").glob("*.parquet")}
    assert len(portions) >= 8  # the works of two years, each once
