"""The private DuckDB file of a run: what lies in it before its models are built.

What belongs here: laying lake, reference and delivery log out as schemas for dbt. What does not: compiling the models
(`opora/dbt_project.py`), running them (`opora/models.py`), the facts themselves (`opora/reference.py` and its like).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import polars as pl

from opora.analysis.context_index import load_facts
from opora.analysis.partners import load_rules, rule_tables
from opora.context_facts import ContextCatalogue, answer_values, context_tables, load_context
from opora.deficits import DeficitFacts, deficit_tables, load_deficits
from opora.delivery import NON_DATA, DeliveryRecord, read_issues, read_records
from opora.facts import frame_of, frame_schema
from opora.groups import Groups, group_tables, load_groups
from opora.home import Home, write_json
from opora.inputs import note_inputs, told_inputs
from opora.lake import require_whole
from opora.lock import OWNER, process_mark
from opora.means import duckdb_settings
from opora.programmes import Programme, load_programmes, programme_tables
from opora.reference import Reference
from opora.risk import RiskFacts, load_risk, risk_tables
from opora.sql import quoted
from schemas.arrow import polars_schema, sql_type
from schemas.registry import Table, tables

CATALOG = "opora"


class WarehouseError(Exception):
    """A model or a test failed, or a part of the lake cannot be read; the message says which."""


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

    `as_of` is the day on which things are due or overdue, today if not given; `programmes`, `risk`,
    `groups` and `deficits` are those of the reference if not given.
    Raises DamagedLake where a part of the lake is gone or changed, WarehouseError where one does not fit the registry.
    """
    require_whole(home)
    day = as_of or date.today()
    records = list(read_records(home).values())  # what comes from now on is not in this build
    years = [year.academic_year for year in reference.academic_years]
    reach = load_facts()[0].year_limit.value
    catalogue = load_context()
    frames = {
        **reference.tables(),
        **deficit_tables(load_deficits() if deficits is None else deficits),
        **programme_tables(load_programmes() if programmes is None else programmes),
        "as_of": pl.DataFrame({"as_of": [day]}),
        **context_tables(catalogue),
        **rule_tables(load_rules(), years),
        **risk_tables(load_risk() if risk is None else risk),
        **group_tables(load_groups() if groups is None else groups, years, reach),
    }
    database.parent.mkdir(parents=True, exist_ok=True)
    write_json(database.parent / OWNER, process_mark())
    database.unlink(missing_ok=True)
    note_inputs(database, told_inputs(home, reference, records, day))
    with duckdb.connect(database, config=duckdb_settings(database)) as connection:
        for schema in ("lake", "reference", "delivery_log", "analysis"):
            connection.execute(f"create schema {schema}")
        for table in tables("lake"):
            _create_lake_view(connection, table, home.lake_files(table.table))
        for table in tables("analysis"):
            _create_table(connection, f"analysis.{table.table}", pl.DataFrame(schema=polars_schema(table.table)))
        for name, frame in frames.items():
            _create_table(connection, f"reference.{name}", frame)
        # what words of the lake mean is read here, not in SQL: lake and reference must lie there already
        _create_table(connection, "reference.context_answer", _context_answers(connection, catalogue))
        _create_table(connection, "reference.label_school_type", _label_types(connection, reference))
        _create_table(connection, "delivery_log.delivery", delivery_frame(records))
        _create_table(connection, "delivery_log.part", part_frame(records))
        _create_table(connection, "delivery_log.task_column", task_column_frame(records))
        _create_table(connection, "delivery_log.issue", read_issues(home, [record.delivery_id for record in records]))


def _create_lake_view(connection: duckdb.DuckDBPyConnection, table: Table, parts: Sequence[Path]) -> None:
    """All parts of a table as one. A column that need not be there is null in parts written before there was one."""
    files = ", ".join(quoted(part) for part in parts)
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


def _context_answers(connection: duckdb.DuckDBPyConnection, catalogue: ContextCatalogue) -> pl.DataFrame:
    """What the delivered answers about conditions mean, by the catalogue."""
    query = """
        select distinct indicator_id, value_text
        from lake.context_value
        where value_text is not null
            and indicator_id in (select question_id from reference.context_question where is_coded)
    """
    return answer_values(connection.execute(query).fetchall(), catalogue)


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


def part_frame(records: Iterable[DeliveryRecord]) -> pl.DataFrame:
    """The parts of the lake that deliveries gave, one row a delivery, table and year."""
    rows = [
        (record.delivery_id, path.parts[0], path.parts[1].removeprefix("academic_year="), checksum)
        for record in records
        for path, checksum in ((Path(name), checksum) for name, checksum in record.part_sha256.items())
    ]
    return frame_of("delivery_id table_name academic_year sha256", rows)


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
