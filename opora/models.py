"""Models and tests of the dbt project, compiled by dbt, run here over the private file of a run.

What belongs here: which nodes, in what order, and what became of each. What does not: SQL (`dbt/`), compiling
(`opora/dbt_project.py`), laying a file out (`opora/warehouse.py`).

dbt decides what SQL there is; a run only executes it. Starting dbt and its work for a node cost more than the
queries of a region do (ADR 14); `dbt build` on the same file gives the same tables, which a test holds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb

from opora.dbt_project import ensure_manifest
from opora.inputs import require_build
from opora.kept import KeptTables, Made, NotPortioned
from opora.means import duckdb_settings
from opora.sql import Row, fetch, quoted
from opora.warehouse import CATALOG, WarehouseError

FAILING_ROWS_SHOWN = 5
FAILED = ("error", "fail")
# A row that names a person by code or hash tells no more than where it is: messages go to the log and to the UI.
_OF_PERSONS = frozenset({"participant_code", "person_id", "person_key", "person_name_key"})
_WHERE = ("academic_year", "measured_year", "procedure_id", "school_id", "delivery_id", "sheet", "source_row")


@dataclass(frozen=True)
class Input:
    """A table that a model reads. Its rows change only when those of `told_by` do, most often itself.

    Where another table tells, `view` is the SQL that shows its rows, so that they change with it too.
    """

    relation: str
    told_by: str
    view: str = ""


@dataclass(frozen=True)
class Node:
    """A model or a test as dbt compiled it.

    `columns` are the contract of a model that has one: name, type, may it be null. `relation` is empty for a test.
    `kept` says whether a large home keeps the table from run to run, by `portion` or `whole`.
    """

    unique_id: str
    name: str
    resource_type: str
    path: str
    parents: tuple[str, ...]
    sql: str
    relation: str = ""
    materialized: str = ""
    columns: tuple[tuple[str, str, bool], ...] = ()
    inputs: tuple[Input, ...] = ()
    kept: str = ""
    severity: str = "error"

    @property
    def selected(self) -> str:
        """What its table has of its SQL: the columns of the contract, or all."""
        return ", ".join(f'"{name}"' for name, _, _ in self.columns) or "*"


@dataclass(frozen=True)
class NodeResult:
    """What became of one model or test: rows of a table, failing rows of a test, portions of a model that is kept."""

    unique_id: str
    name: str
    resource_type: str
    status: str
    seconds: float = 0.0
    rows: int | None = None
    failures: int = 0
    made: Made | None = None
    message: str = ""


# --- what there is -------------------------------------------------------------------------------


def all_nodes() -> Mapping[str, Node]:
    """Every model and test by its id, parents before children and a test right after the last of its models."""
    path = ensure_manifest()
    return _read_nodes(path, path.stat().st_mtime_ns)


def choose(select: Sequence[str] = (), exclude: Sequence[str] = ()) -> list[Node]:
    """Nodes in order of running. A choice is a name, `+name` with all it stands on, `name+` with all that stands on it.

    A name is that of a model, a test, or a source as `analysis.expectation`; `analysis.*` is all of one source.
    Raises KeyError for a name that the project does not have.
    """
    nodes = all_nodes()
    wanted = set().union(*(_matches(nodes, words) for words in select)) if select else set(nodes)
    unwanted = set().union(*(_matches(nodes, words) for words in exclude))
    return [node for unique_id, node in nodes.items() if unique_id in wanted - unwanted]


@cache
def _read_nodes(manifest: Path, _changed: int) -> Mapping[str, Node]:
    told = json.loads(manifest.read_bytes())
    inputs = _inputs(told)
    found = told["nodes"].values()
    # a test of one model's rows or key is of the same portions as the model
    kept = {raw["unique_id"]: _meta(raw).get("kept", "") for raw in found}
    nodes = {
        raw["unique_id"]: _node(raw, inputs, kept[raw["unique_id"]] or kept.get(raw.get("attached_node"), ""))
        for raw in found
        if raw["resource_type"] in ("model", "test")
    }
    models = {unique_id: node for unique_id, node in nodes.items() if node.resource_type == "model"}
    order = TopologicalSorter(
        {unique_id: sorted(set(models[unique_id].parents) & set(models)) for unique_id in sorted(models)}
    )
    tests: dict[str, list[str]] = {}
    place = {unique_id: number for number, unique_id in enumerate(order.static_order())}
    for unique_id, node in sorted(nodes.items()):
        if node.resource_type == "test":
            # a test of sources alone comes first
            last = max((parent for parent in node.parents if parent in place), key=place.__getitem__, default="")
            tests.setdefault(last, []).append(unique_id)
    ordered = [*tests.get("", ()), *(name for model in place for name in (model, *tests.get(model, ())))]
    return {name: nodes[name] for name in ordered}


def _inputs(manifest: Mapping[str, Any]) -> dict[str, Input]:
    """Every model and source as something to read, by its id."""
    read = {name: raw for part in ("nodes", "sources") for name, raw in manifest[part].items() if raw["relation_name"]}
    relations = {raw["name"]: raw["relation_name"] for raw in manifest["nodes"].values()}
    found = {}
    for unique_id, raw in read.items():
        relation, teller = raw["relation_name"], relations.get(_meta(raw).get("told_by"))
        found[unique_id] = Input(relation, teller, raw["compiled_code"]) if teller else Input(relation, relation)
    return found


def _meta(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    return raw["config"].get("meta") or {}


def _node(raw: Mapping[str, Any], inputs: Mapping[str, Input], kept: str) -> Node:
    contract = raw["config"].get("contract") or {}
    columns = raw["columns"].values() if contract.get("enforced") else ()
    return Node(
        unique_id=raw["unique_id"],
        name=raw["name"],
        resource_type=raw["resource_type"],
        path=raw["original_file_path"],
        parents=tuple(raw["depends_on"]["nodes"]),
        sql=raw["compiled_code"],
        relation=raw["relation_name"] or "",
        materialized=raw["config"]["materialized"],
        columns=tuple(
            (column["name"], column["data_type"].upper(), "not_null" not in [c["type"] for c in column["constraints"]])
            for column in columns
        ),
        inputs=tuple(inputs[parent] for parent in raw["depends_on"]["nodes"] if parent in inputs),
        kept=kept,
        severity=raw["config"].get("severity") or "error",
    )


def _matches(nodes: Mapping[str, Node], words: str) -> set[str]:
    name = words.strip("+")
    every = {parent for node in nodes.values() for parent in node.parents} | set(nodes)
    found = {unique_id for unique_id in every if _is_called(unique_id, nodes.get(unique_id), name)}
    if not found:
        raise KeyError(f"в проекте dbt нет «{name}»")
    if words.startswith("+"):
        found |= _closure(found, lambda unique_id: nodes[unique_id].parents if unique_id in nodes else ())
    if words.endswith("+"):
        children: dict[str, list[str]] = {}
        for node in nodes.values():
            for parent in node.parents:
                children.setdefault(parent, []).append(node.unique_id)
        found |= _closure(found, lambda unique_id: children.get(unique_id, ()))
    return found


def _is_called(unique_id: str, node: Node | None, name: str) -> bool:
    if node is not None:
        return node.name == name
    source = unique_id.split(".", 2)[-1]  # source.opora.analysis.expectation
    return source == name or (name.endswith(".*") and source.startswith(name[:-1]))


def _closure(start: set[str], following: Any) -> set[str]:
    found, left = set(start), list(start)
    while left:
        new = set(following(left.pop())) - found
        found |= new
        left += new
    return found


# --- running -------------------------------------------------------------------------------------


def run_models(
    database: Path, nodes: Iterable[Node], *, tests_may_fail: bool = False, kept: KeptTables | None = None
) -> list[NodeResult]:
    """Run nodes in the given order over a prepared file; what became of each. Raises as `running_models` does."""
    return list(running_models(database, nodes, tests_may_fail=tests_may_fail, kept=kept))


def running_models(
    database: Path, nodes: Iterable[Node], *, tests_may_fail: bool = False, kept: KeptTables | None = None
) -> Iterator[NodeResult]:
    """Run nodes in the given order over a prepared file; what became of each, told while those after it run.

    A model that stands on one that failed, or whose test failed, is skipped. With `kept` only what has changed since
    the former run is computed of models and tests that are kept.
    Raises NoBuild if there is no file, WarehouseError at the end, naming what failed, with its first failing rows. With
    `tests_may_fail` a failed test is a result like others, its rows in the message. Whoever stops asking stops the
    query that runs.
    """
    require_build(database)
    blocked: set[str] = set()
    failed: list[NodeResult] = []

    def run(node: Node) -> NodeResult:
        if blocked & set(node.parents):
            result = NodeResult(node.unique_id, node.name, node.resource_type, "skipped")
        else:
            start = time.perf_counter()
            result = replace(_run(connection, node, kept if node.kept else None), seconds=time.perf_counter() - start)
        if result.status in (*FAILED, "skipped"):
            blocked.update((node.unique_id, *(node.parents if result.status == "fail" else ())))
        return result

    with duckdb.connect(config=duckdb_settings(database)) as connection, ThreadPoolExecutor(1) as one_by_one:
        connection.execute(f"attach {quoted(database)} as {CATALOG}; use {CATALOG}")
        connection.execute("set enable_progress_bar = false; set preserve_insertion_order = false")
        for schema in ("staging", "intermediate", "marts"):
            connection.execute(f"create schema if not exists {CATALOG}.{schema}")
        futures = [one_by_one.submit(run, node) for node in nodes]
        try:
            for future in futures:
                result = future.result()
                failed += [result] if result.status in FAILED else []
                yield result
        finally:
            for future in futures:
                future.cancel()
            while wait(futures, timeout=0.1).not_done:
                connection.interrupt()  # a query that is only about to run does not hear it
    if kept:
        kept.forget_others({node.name for node in all_nodes().values() if node.kept})
    if any(result.status == "error" for result in failed) or (failed and not tests_may_fail):
        raise WarehouseError("\n".join(result.message for result in failed))


def _run(connection: duckdb.DuckDBPyConnection, node: Node, kept: KeptTables | None) -> NodeResult:
    try:
        if node.resource_type == "test":
            return _test(connection, node, kept)
        made, rows = _create(connection, node, kept)
    except (duckdb.Error, NotPortioned) as error:
        return _result(node, "error", f"модель {node.name} ({node.path}): {error}")
    return replace(_result(node, "success"), made=made, rows=rows)


def _create(
    connection: duckdb.DuckDBPyConnection, node: Node, kept: KeptTables | None
) -> tuple[Made | None, int | None]:
    """A view or a table of a model; its contract is held: columns, their types, no nulls where it says so.

    The portions of a table that is kept, and the rows of a table.
    """
    made = None
    if kept:
        made = kept.create(connection, node)
        told = connection.execute(f"select count(*) from {node.relation}").fetchone()
    else:
        kind = "view" if node.materialized == "view" else "table"
        query = f"create or replace {kind} {node.relation} as select {node.selected} from ({node.sql}\n)"
        told = connection.execute(query).fetchone()
    _hold_contract(connection, node)
    return made, told[0] if told else None


def _hold_contract(connection: duckdb.DuckDBPyConnection, node: Node) -> None:
    if not node.columns:
        return
    found = {row[0]: row[1] for row in connection.execute(f"describe {node.relation}").fetchall()}
    for name, data_type, _ in node.columns:
        if found[name] != data_type:
            raise duckdb.Error(f"столбец {name}: {found[name]}, по договору {data_type}")
    required = [name for name, _, may_be_null in node.columns if not may_be_null]
    counts = ", ".join(f'count(*) filter (where "{name}" is null)' for name in required)
    missing = connection.execute(f"select {counts} from {node.relation}").fetchone() if required else ()
    for name, count in zip(required, missing or (), strict=True):
        if count:
            raise duckdb.Error(f"столбец {name}: пусто в строках: {count}, по договору пустых нет")


def _test(connection: duckdb.DuckDBPyConnection, node: Node, kept: KeptTables | None) -> NodeResult:
    """The rows that a test finds; a test that is kept looks only at portions that have changed since it passed."""
    sql = kept.unproven(connection, node) if kept else node.sql
    rows = fetch(connection, f"select * from ({sql}\n) limit {FAILING_ROWS_SHOWN}") if sql else []
    if not rows:
        if kept and sql:
            kept.prove(connection, node)
        return _result(node, "pass")
    (count,) = connection.execute(f"select count(*) from ({sql}\n)").fetchone() or (0,)
    words = [
        f"проверка {node.name} ({node.path}): строк с нарушением: {count}",
        *(f"    {_shown(row)}" for row in rows),
    ]
    return replace(_result(node, "warn" if node.severity == "warn" else "fail", "\n".join(words)), failures=count)


def _shown(row: Row) -> Row:
    """A failing row as it may be told."""
    return {name: row[name] for name in _WHERE if name in row} if _OF_PERSONS & set(row) else row


def _result(node: Node, status: str, message: str = "") -> NodeResult:
    return NodeResult(node.unique_id, node.name, node.resource_type, status, message=message)
