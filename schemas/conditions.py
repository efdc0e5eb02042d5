"""What a value may not be, as SQL that DuckDB and Polars both read, derived from the registry.

What belongs here: the conditions of single columns, with their words. What does not: what happens to a row that breaks
one, and the rules of whole rows, which the registry has in SQL already (`Rule.holds`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.registry import Column


@dataclass(frozen=True)
class Condition:
    """One thing that is wrong with a value: as SQL, null for a value that is not there, and in words."""

    column: str
    sql: str
    words_ru: str


def bad_value(column: Column) -> Iterator[Condition]:
    """Under which conditions a value that is there may not stand in its column."""
    name = f'"{column.name}"'
    if column.vocabulary:
        values = ", ".join(map(_literal, column.vocabulary))
        yield Condition(column.name, f"{name} not in ({values})", f"ни одно из: {', '.join(column.vocabulary)}")
    if column.at_least is not None:
        yield Condition(column.name, f"{name} < {column.at_least}", f"меньше {column.at_least:g}")
    if column.at_most is not None:
        yield Condition(column.name, f"{name} > {column.at_most}", f"больше {column.at_most:g}")
    if column.pattern is not None:  # Polars finds it anywhere, DuckDB in the whole: patterns are about the whole
        yield Condition(column.name, f"not ({name} ~ {_literal(column.pattern)})", f"не по образцу {column.pattern}")


def missing_value(column: Column) -> Iterator[Condition]:
    """Under which condition a column lacks a value that it must have."""
    if column.required:
        yield Condition(column.name, f'"{column.name}" is null', "пусто")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
