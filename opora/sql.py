"""What every SQL statement from Python needs: a text as a literal, rows as dictionaries.

What belongs here: helpers that know neither marts nor files. What does not: queries (`dbt/`, and the modules that ask),
where a database is and with what means it is opened (`opora/warehouse.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]


def quoted(text: object) -> str:
    """A text or path as a literal, where nothing can be bound."""
    return "'" + str(text).replace("'", "''") + "'"


def fetch(connection: duckdb.DuckDBPyConnection, query: str, /, *values: object, **named: object) -> list[Row]:
    """The rows of a query by column name; `values` are bound to `$1`, `$2` … or `named` to `$name`."""
    return rows_of(connection.execute(query, named or list(values)))


def rows_of(cursor: duckdb.DuckDBPyConnection) -> list[Row]:
    """What was executed, as rows by column name."""
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
