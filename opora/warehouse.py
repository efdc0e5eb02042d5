"""The private DuckDB file of a run: what goes into it and how dbt is run over it, inside this process.

What belongs here: laying lake, reference and delivery log out as schemas for dbt, invoking dbt, saying
what failed. What does not: SQL of models (`dbt/`), publishing (`opora/release.py`), orchestration.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

import duckdb
import polars as pl
from filelock import FileLock

from opora.analysis.context_index import load_facts
from opora.analysis.partners import load_rules, rule_tables
from opora.context_facts import ContextCatalogue, answer_values, context_tables, load_context
from opora.deficits import DeficitFacts, deficit_tables, load_deficits
from opora.delivery import NON_DATA, DeliveryRecord, read_issues, read_records
from opora.facts import frame_schema
from opora.groups import Groups, group_tables, load_groups
from opora.home import PROJECT, Home
from opora.programmes import Programme, load_programmes, programme_tables
from opora.reference import Reference
from opora.risk import RiskFacts, load_risk, risk_tables
from schemas.arrow import polars_schema, sql_type
from schemas.registry import Table, tables

PROJECT_DIR = PROJECT / "dbt"
CATALOG = "opora"
FAILING_ROWS_SHOWN = 5
FAILED = ("error", "fail")
_GIB = 2**30
# dbt keeps its adapter, and the profile its environment variables, once a process: runs take turns.
_ONE_AT_A_TIME = threading.Lock()

Command = Literal["build", "run", "test"]


class WarehouseError(Exception):
    """A model or a test failed, or a part of the lake cannot be read; the message says which."""


@dataclass(frozen=True)
class NodeResult:
    """What became of one model or test. `failures` counts the failing rows of a test."""

    unique_id: str
    name: str
    resource_type: str
    status: str
    seconds: float
    failures: int = 0
    message: str = ""


# --- laying out ----------------------------------------------------------------------------------


def prepare(
    home: Home,
    reference: Reference,
    database: Path,
    *,
    as_of: date | None = None,
    programmes: Sequence[Programme] | None = None,
    risk: RiskFacts | None = None,
    groups: Groups | None = None,
    deficits: DeficitFacts | None = None,
) -> None:
    """Make a new file at `database` with the schemas `lake`, `reference`, `delivery_log` and empty `analysis`.

    `as_of` is the day on which things are due or overdue, today if not given; `programmes`, `risk` and
    `groups` and `deficits` are those of the reference if not given.
    Raises WarehouseError where a part of the lake does not fit the registry.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    database.unlink(missing_ok=True)
    with duckdb.connect(database, config=_settings(database)) as connection:
        for schema in ("lake", "reference", "delivery_log", "analysis"):
            connection.execute(f"create schema {schema}")
        for table in tables("lake"):
            _create_lake_view(connection, table, home.lake_files(table.table))
        for table in tables("analysis"):
            _create_table(connection, f"analysis.{table.table}", pl.DataFrame(schema=polars_schema(table.table)))
        for name, frame in reference.tables().items():
            _create_table(connection, f"reference.{name}", frame)
        for name, frame in deficit_tables(load_deficits() if deficits is None else deficits).items():
            _create_table(connection, f"reference.{name}", frame)
        _create_programmes(connection, load_programmes() if programmes is None else programmes, as_of or date.today())
        _create_context(connection, load_context())
        years = [year.academic_year for year in reference.academic_years]
        for name, frame in rule_tables(load_rules(), years).items():
            _create_table(connection, f"reference.{name}", frame)
        for name, frame in risk_tables(load_risk() if risk is None else risk).items():
            _create_table(connection, f"reference.{name}", frame)
        reach = load_facts()[0].year_limit.value
        for name, frame in group_tables(load_groups() if groups is None else groups, years, reach).items():
            _create_table(connection, f"reference.{name}", frame)
        _create_table(connection, "reference.label_school_type", _label_types(connection, reference))
        records = list(read_records(home).values())
        _create_table(connection, "delivery_log.delivery", delivery_frame(records))
        _create_table(connection, "delivery_log.task_column", task_column_frame(records))
        _create_table(connection, "delivery_log.issue", read_issues(home))


def _create_programmes(connection: duckdb.DuckDBPyConnection, programmes: Sequence[Programme], as_of: date) -> None:
    for name, frame in programme_tables(programmes).items():
        _create_table(connection, f"reference.{name}", frame)
    _create_table(connection, "reference.as_of", pl.DataFrame({"as_of": [as_of]}))


def _create_context(connection: duckdb.DuckDBPyConnection, catalogue: ContextCatalogue) -> None:
    """The catalogue of conditions, and what the delivered answers mean: words are read here, not in SQL."""
    for name, frame in context_tables(catalogue).items():
        _create_table(connection, f"reference.{name}", frame)
    query = """
        select distinct indicator_id, value_text
        from lake.context_value
        where value_text is not null
            and indicator_id in (select question_id from reference.context_question where is_coded)
    """
    told = answer_values(connection.execute(query).fetchall(), catalogue)
    _create_table(connection, "reference.context_answer", told)


def _create_lake_view(connection: duckdb.DuckDBPyConnection, table: Table, parts: Sequence[Path]) -> None:
    """All parts of a table as one. A column that need not be there is null in parts written before there was one."""
    files = ", ".join(_quoted(str(part)) for part in parts)
    source = f"read_parquet([{files}], union_by_name = true, hive_partitioning = false)"
    nulls = {column.name: f"cast(null as {sql_type(column)}) as {column.name}" for column in table.columns}
    try:
        if parts:
            present = {str(name) for name, *_ in connection.execute(f"describe select * from {source}").fetchall()}
            columns = [c.name if c.required or c.name in present else nulls[c.name] for c in table.columns]
            query = f"select {', '.join(columns)} from {source}"
        else:
            query = f"select {', '.join(nulls.values())} where false"
        connection.execute(f"create view lake.{table.table} as {query}")
    except duckdb.Error as error:
        raise WarehouseError(
            f"Таблица озера {table.table} не читается: {error}. Примите файлы заново: opora run."
        ) from error


def _create_table(connection: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    connection.register("frame", frame.to_arrow())
    connection.execute(f"create table {name} as select * from frame")
    connection.unregister("frame")


def _label_types(connection: duckdb.DuckDBPyConnection, reference: Reference) -> pl.DataFrame:
    """The school type that each label of the lake shows; the patterns live in the reference, not in SQL."""
    columns = [
        (table.table, name)
        for table in tables("lake")
        for name in table.names
        if name in ("school_label", "municipality_label")
        or (table.table == "school_register" and name in ("school_name", "school_full_name", "school_type"))
        or name == "excluded_reason"
    ]
    query = " union ".join(f"select {column} as label from lake.{table}" for table, column in columns)
    labels = [label for (label,) in connection.execute(query).fetchall() if label is not None]
    found = [(label, reference.school_type_for(label)) for label in sorted(labels)]
    return pl.DataFrame(
        [(label, kind.school_type) for label, kind in found if kind is not None],
        schema={"label": pl.String, "school_type": pl.String},
        orient="row",
    )


def delivery_frame(records: Iterable[DeliveryRecord]) -> pl.DataFrame:
    """The records of intake as one flat table; what the mart `delivery` shows, less what dbt derives."""
    schema = {name: kind for name, kind in polars_schema("delivery").items() if name != "is_active"}
    return pl.DataFrame([_delivery_row(record) for record in records], schema=schema)


def task_column_frame(records: Iterable[DeliveryRecord]) -> pl.DataFrame:
    """What the headers of protocols say of their task columns, one row a delivery, work and place."""
    columns = "delivery_id assessment subject_id test_grade:int measured_year position:int label max_score:int"
    rows = [{"delivery_id": record.delivery_id, **c.model_dump()} for record in records for c in record.task_columns]
    return pl.DataFrame(rows, schema=frame_schema(columns))


def _delivery_row(record: DeliveryRecord) -> dict[str, object]:
    counts = ("rows_in", "accepted", "quarantined", *NON_DATA)
    return {
        "delivery_id": record.delivery_id,
        "file_name": record.file_name,
        "paths": ";".join(record.paths),
        "sha256": record.sha256,
        "size_bytes": record.size_bytes,
        "received_at": _utc(record.received_at),
        "modified_at": _utc(record.modified_at),
        "status": record.status,
        "message_ru": record.message_ru or None,
        "layout_ids": ";".join(record.layout_ids) or None,
        "tables": ";".join(f"{name}: {rows}" for name, rows in sorted(record.tables.items())) or None,
        "academic_years": ";".join(record.academic_years) or None,
        **{f"rows_{name.removeprefix('rows_')}": getattr(record.rows, name) for name in counts},
        "issues_count": sum(record.issues.values()),
        "replaced_by": record.replaced_by,
        "intake_version": record.intake_version,
    }


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


# --- means ---------------------------------------------------------------------------------------


def threads() -> int:
    """Threads for DuckDB: `OPORA_THREADS`, else those this process may use."""
    return int(os.environ.get("OPORA_THREADS") or len(os.sched_getaffinity(0)))


def memory_limit() -> str:
    """Memory for DuckDB: `OPORA_MEMORY_LIMIT`, else half of the machine and at most 3 GiB."""
    half = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    with suppress(OSError, ValueError):  # a container may have less than its machine
        half = min(half, int(Path("/sys/fs/cgroup/memory.max").read_text()) // 2)
    return os.environ.get("OPORA_MEMORY_LIMIT") or f"{min(half, 3 * _GIB) // 2**20}MiB"


def _settings(database: Path) -> dict[str, Any]:
    return {
        "threads": threads(),
        "memory_limit": memory_limit(),
        "temp_directory": str(_spill_folder(database)),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }


def _spill_folder(database: Path) -> Path:
    return database.with_suffix(".tmp")


# --- dbt -----------------------------------------------------------------------------------------


def manifest_path(project_dir: Path = PROJECT_DIR) -> Path:
    """Where the parsed project lies. It may be missing or stale; see `ensure_manifest`."""
    return project_dir / "target" / "manifest.json"


def ensure_manifest(project_dir: Path = PROJECT_DIR) -> Path:
    """The manifest of the project as it is now: parsed anew if a file of it has changed since."""
    target = project_dir / "target"
    target.mkdir(parents=True, exist_ok=True)
    stamp, fingerprint = target / "fingerprint", _fingerprint(project_dir)
    with FileLock(target / ".lock"):
        wanted = (manifest_path(project_dir), _parsed(project_dir))
        if all(path.exists() for path in wanted) and stamp.exists() and stamp.read_text() == fingerprint:
            return manifest_path(project_dir)
        stamp.unlink(missing_ok=True)
        with _ONE_AT_A_TIME, _environment({}):
            _invoke(["parse"], project_dir, target)
        stamp.write_text(fingerprint)
    return manifest_path(project_dir)


def run_dbt(
    command: Command,
    database: Path,
    *,
    project_dir: Path = PROJECT_DIR,
    target_path: Path | None = None,
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    unit_tests: bool = False,
    tests_may_fail: bool = False,
) -> list[NodeResult]:
    """Run dbt over a prepared file and say what became of every model and test.

    Raises WarehouseError naming what failed, with its first failing rows. With `tests_may_fail` a failed test
    is a result like others, its rows in the message; what it blocks is for the caller to say. Unit tests of
    models do not look at data, so a run leaves them out. The file is closed when this returns.
    """
    from dbt.contracts.graph.manifest import Manifest

    ensure_manifest(project_dir)
    manifest = Manifest.from_msgpack(_parsed(project_dir).read_bytes())
    arguments = [command, "--no-write-json"]
    if command == "build" and not unit_tests:
        arguments += ["--exclude-resource-type", "unit_test"]
    if select:
        arguments += ["--select", *select]
    if exclude:
        arguments += ["--exclude", *exclude]
    environment = {
        "OPORA_WAREHOUSE": str(database.resolve()),
        "OPORA_WAREHOUSE_TEMP": str(_spill_folder(database).resolve()),
        "OPORA_MEMORY_LIMIT": memory_limit(),
        "OPORA_THREADS": str(threads()),
    }
    with _ONE_AT_A_TIME, _environment(environment):
        done = _invoke(arguments, project_dir, target_path or database.with_suffix(".dbt"), manifest)
    results = done.results
    failed = {item.node.unique_id: _failure(item, database) for item in results if item.status in FAILED}
    broken = [item.node.unique_id for item in results if item.status == "error"]
    if broken or (failed and not tests_may_fail):
        raise WarehouseError("\n".join(failed.values()))
    return [_node_result(item, failed.get(item.node.unique_id)) for item in done.results]


def _invoke(arguments: list[str], project_dir: Path, target_path: Path, manifest: Any = None) -> Any:
    """One in-process invocation of dbt: silent, offline, leaving no connection behind."""
    from dbt.adapters.factory import reset_adapters
    from dbt.cli.main import dbtRunner

    quiet = ["--quiet", "--no-use-colors", "--log-level", "none", "--log-level-file", "none"]
    offline = ["--no-version-check", "--no-send-anonymous-usage-stats"]
    folders = [
        *("--project-dir", str(project_dir)),
        *("--profiles-dir", str(project_dir)),
        *("--target-path", str(target_path.resolve())),
        *("--log-path", str(target_path.resolve())),
    ]
    try:
        outcome = dbtRunner(manifest=manifest).invoke([*arguments, *quiet, *offline, *folders])
    finally:
        reset_adapters()
        _close_dbt_database()
    if outcome.exception is not None:
        raise WarehouseError(f"dbt {arguments[0]}: {outcome.exception}") from outcome.exception
    return outcome.result


def _close_dbt_database() -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    with suppress(Exception):  # there is no environment where dbt never came to open one
        DuckDBConnectionManager.env().close()
    DuckDBConnectionManager.close_all_connections()


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    former = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in former.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _parsed(project_dir: Path) -> Path:
    return project_dir / "target" / "partial_parse.msgpack"


def _fingerprint(project_dir: Path) -> str:
    """Changes whenever a file of the project does, or the version of dbt."""
    from dbt.version import __version__

    found = hashlib.sha256(__version__.encode())
    for path in sorted(project_dir.rglob("*")):
        if path.suffix in (".sql", ".yml", ".md", ".csv") and "target" not in path.relative_to(project_dir).parts:
            found.update(f"{path.relative_to(project_dir)}\n".encode())
            found.update(path.read_bytes())
    return found.hexdigest()


def _node_result(item: Any, failure: str | None) -> NodeResult:
    return NodeResult(
        unique_id=item.node.unique_id,
        name=item.node.name,
        resource_type=str(item.node.resource_type),
        status=str(item.status),
        seconds=float(item.execution_time or 0.0),
        failures=int(item.failures or 0),
        message=failure or item.message or "",
    )


def _failure(item: Any, database: Path) -> str:
    what = {"model": "модель", "test": "проверка", "unit_test": "проверка модели"}
    kind = str(item.node.resource_type)
    lines = [f"{what.get(kind, kind)} {item.node.name} ({item.node.original_file_path}): {item.message}"]
    if kind == "test" and item.status == "fail" and item.node.compiled_code:
        lines += [f"    {row}" for row in _first_rows(database, item.node.compiled_code)]
    return "\n".join(lines)


def _first_rows(database: Path, query: str) -> list[dict[str, object]]:
    with duckdb.connect() as connection:
        connection.execute(f"attach {_quoted(str(database))} as {CATALOG} (read_only)")
        found = connection.execute(f"select * from ({query}) limit {FAILING_ROWS_SHOWN}")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
