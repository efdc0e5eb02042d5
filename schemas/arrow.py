"""Physical schemas of a table: for Parquet (pyarrow), for frames (polars) and for SQL (DuckDB).

What belongs here: the translation of the registry's column types, and nothing else. What does not:
what a value may be (`pandera_schemas.py`) and what it means (`dictionary.py`).
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl
import pyarrow as pa

from schemas.registry import Column, ColumnType, table


class _Types(NamedTuple):
    arrow: pa.DataType
    polars: pl.DataType
    sql: str


_TYPES: dict[ColumnType, _Types] = {
    "string": _Types(pa.string(), pl.String(), "varchar"),
    "integer": _Types(pa.int64(), pl.Int64(), "bigint"),
    "number": _Types(pa.float64(), pl.Float64(), "double"),
    "boolean": _Types(pa.bool_(), pl.Boolean(), "boolean"),
    "date": _Types(pa.date32(), pl.Date(), "date"),
    "timestamp": _Types(pa.timestamp("us"), pl.Datetime("us"), "timestamp"),
    "strings": _Types(pa.list_(pa.string()), pl.List(pl.String()), "varchar[]"),
}


def sql_type(column: Column) -> str:
    """The DuckDB type of a column, as contracts name it."""
    return _TYPES[column.type].sql


def polars_type(column: Column) -> pl.DataType:
    return _TYPES[column.type].polars


def polars_schema(table_name: str) -> pl.Schema:
    """Columns and types of a table for `pl.DataFrame(..., schema=...)`."""
    return pl.Schema({column.name: polars_type(column) for column in table(table_name).columns})


def arrow_schema(table_name: str) -> pa.Schema:
    """Columns and types of a table for Parquet; a required column is not nullable, labels are metadata."""
    spec = table(table_name)
    fields = [
        pa.field(
            column.name,
            _TYPES[column.type].arrow,
            nullable=not column.required,
            metadata={"label_ru": column.label_ru, "unit": column.unit},
        )
        for column in spec.columns
    ]
    return pa.schema(fields, metadata={"table": spec.table, "title_ru": spec.title_ru})
