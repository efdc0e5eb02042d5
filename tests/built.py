"""Rows of a built file, for tests that look many of them up: a table is read once."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl


def rows_of(database: Path, relation: str, **key: Any) -> list[dict[str, Any]]:
    """The rows of `schema.table` where every named column has its value, in the order of all columns."""
    frame = _table(database, relation, database.stat().st_mtime_ns)
    return frame.filter(*(pl.col(name) == value for name, value in key.items())).to_dicts()


@lru_cache(maxsize=64)
def _table(database: Path, relation: str, _changed: int) -> pl.DataFrame:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(f"select * from {relation} order by all").pl()
