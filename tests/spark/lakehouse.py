"""The same lake for Spark, the marts built from it there, and the analyses over Spark's own tables.

What belongs here: the order of a build on Spark, and how tables come to Spark and from it. What does not: SQL (`dbt/`),
the cluster (`cluster.py`), and what equal means (`compare.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from opora.analysis import ANALYSES
from opora.analysis.base import run_analysis
from opora.dbt_project import PROJECT_DIR
from opora.home import Home
from schemas.arrow import sql_type
from schemas.registry import tables

LAYERS = ("lake", "reference", "delivery_log", "analysis", "staging", "intermediate", "marts")
_SPARK_TYPES = {"varchar": "string", "varchar[]": "array<string>", "timestamp": "timestamp_ntz"}


def build_on_spark(spark: Any, home: Home, prepared: Path, folder: Path) -> None:
    """All models on the session, from the Parquet files of the lake and a prepared file (`opora.warehouse.prepare`).

    `prepared` is written to: the analyses read Spark's intermediate tables through it and write their tables there.
    """
    for layer in LAYERS:
        spark.sql(f"create database {layer}")
    _show_lake(spark, home, folder / "lake")
    _copy(spark, prepared, ("reference", "delivery_log"), folder)
    run_dbt_on_spark(folder, exclude="source:analysis+")
    _show_intermediate(prepared, folder / "warehouse")
    for analysis in ANALYSES:
        run_analysis(prepared, analysis)
    _copy(spark, prepared, ("analysis",), folder)
    run_dbt_on_spark(folder, select="source:analysis+")


def run_dbt_on_spark(folder: Path, *, select: str = "", exclude: str = "") -> None:
    """`dbt run --target spark` in this process, on its session. Raises AssertionError naming the models that failed."""
    from dbt.adapters.factory import reset_adapters
    from dbt.cli.main import dbtRunner

    arguments = ["run", "--target", "spark", "--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR)]
    arguments += [
        "--target-path",
        str(folder / "dbt"),
        "--log-path",
        str(folder / "dbt"),
        "--quiet",
        "--log-level",
        "none",
    ]
    arguments += ["--select", select] if select else []
    arguments += ["--exclude", exclude] if exclude else []
    try:
        outcome = dbtRunner().invoke(arguments)
    finally:
        reset_adapters()
    assert outcome.exception is None, outcome.exception
    failed = [f"{item.node.name}: {item.message}" for item in outcome.result if item.status != "success"]
    assert not failed, "\n".join(failed)


def parquet_of(folder: Path, layer: str, table: str) -> str:
    """Where Spark put the rows of a table."""
    return str(folder / "warehouse" / f"{layer}.db" / table / "*.parquet")


def _show_lake(spark: Any, home: Home, folder: Path) -> None:
    """The files of the lake as they lie; a column that a part was written without is null."""
    for table in tables("lake"):
        parts = folder / table.table
        parts.mkdir(parents=True)
        for number, part in enumerate(home.lake_files(table.table)):
            (parts / f"{number:06}.parquet").symlink_to(part.resolve())
        types = {column.name: sql_type(column) for column in table.columns}
        columns = ", ".join(f"{name} {_SPARK_TYPES.get(kind, kind)}" for name, kind in types.items())
        spark.sql(f"create table lake.{table.table} ({columns}) using parquet location '{parts}'")


def _copy(spark: Any, prepared: Path, layers: Iterable[str], folder: Path) -> None:
    """Tables of the prepared file as Parquet for Spark."""
    with duckdb.connect(str(prepared), read_only=True) as connection:
        for layer in layers:
            for (table,) in connection.execute(
                "select table_name from duckdb_tables() where schema_name = ? order by 1", [layer]
            ).fetchall():
                parts = folder / layer / table
                parts.mkdir(parents=True)
                connection.execute(f"copy {layer}.{table} to '{parts / 'all.parquet'}'")
                spark.sql(f"create table {layer}.{table} using parquet location '{parts}'")


def _show_intermediate(prepared: Path, warehouse: Path) -> None:
    """Spark's tables for the analyses, whose numbers are 64 bits wide as those of DuckDB are."""
    with duckdb.connect(str(prepared)) as connection:
        connection.execute("create schema intermediate")
        wanted = {name for analysis in ANALYSES for name in analysis.reads if name.startswith("intermediate.")}
        for table in sorted(name.removeprefix("intermediate.") for name in wanted):
            source = f"read_parquet('{warehouse}/intermediate.db/{table}/*.parquet')"
            kinds = connection.execute(f"describe select * from {source}").fetchall()
            columns = [
                f'cast("{name}" as bigint) as "{name}"' if kind == "INTEGER" else f'"{name}"'
                for name, kind, *_ in kinds
            ]
            connection.execute(f"create view intermediate.{table} as select {', '.join(columns)} from {source}")
