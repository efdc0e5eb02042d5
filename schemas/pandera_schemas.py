"""Pandera schemas of the tables, derived from the registry.

What belongs here: what a value and a row may be, as pandera checks over polars frames. What does not:
what happens to a row that fails (`opora/intake.py`) and rules that only warn, which never block.

Pandera looks only at the shape of a LazyFrame unless told otherwise; `validate` and `failures` always
look at the data, so use them rather than `schema_for(...).validate`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData
from pandera.config import ValidationDepth, config_context
from pandera.errors import SchemaErrors

from schemas.arrow import polars_type
from schemas.conditions import bad_value
from schemas.registry import Column, Rule, Table, table

# What Opora calls pandera's own checks; every other check already bears the name of the vocabulary.
_BUILT_IN = {
    "not_nullable": "required_value_missing",
    "multiple_fields_uniqueness": "key_not_unique",
    "field_uniqueness": "key_not_unique",
}
FAILURE_SCHEMA = pl.Schema({"index": pl.Int64(), "column": pl.String(), "check_id": pl.String(), "value": pl.String()})


def _holds(expression: str) -> Callable[[PolarsData], pl.LazyFrame]:
    def check(data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.sql_expr(expression).fill_null(True))

    return check


def _rule_check(rule: Rule) -> pa.Check:
    return pa.Check(_holds(rule.holds), error=rule.id, ignore_na=False)


def _value_checks(column: Column) -> list[pa.Check]:
    checks: list[pa.Check] = []
    if column.vocabulary:
        checks.append(pa.Check.isin(list(column.vocabulary), error="value_out_of_vocabulary"))
    if column.at_least is not None:
        checks.append(pa.Check.ge(column.at_least, error="value_out_of_range"))
    if column.at_most is not None:
        checks.append(pa.Check.le(column.at_most, error="value_out_of_range"))
    if column.pattern is not None:
        checks.append(pa.Check.str_matches(column.pattern, error="value_unreadable"))
    return checks


@cache
def schema_for(table_name: str) -> pa.DataFrameSchema:
    """The schema of a table: exactly its columns and types, its values, its blocking rules, its key.

    A rule is hung on the column it names, so that a failure says where to look.
    """
    spec = table(table_name)
    columns = {
        column.name: pa.Column(
            polars_type(column),
            checks=_value_checks(column)
            + [
                _rule_check(rule) for rule in spec.rules if rule.column == column.name and rule.severity == "quarantine"
            ],
            nullable=not column.required,
            title=column.label_ru,
            description=column.description_ru or None,
        )
        for column in spec.columns
    }
    return pa.DataFrameSchema(columns, strict=True, unique=list(spec.primary_key), name=table_name)


def validate(table_name: str, frame: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """The frame, if every row is good. Raises pandera's SchemaErrors with all that is wrong."""
    with config_context(validation_depth=ValidationDepth.SCHEMA_AND_DATA):
        return schema_for(table_name).validate(frame.lazy().collect(), lazy=True)


def failures(table_name: str, frame: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """What is wrong with the frame: one row a failing value (`FAILURE_SCHEMA`), none if all is good.

    `index` is the position of the row, or null where the frame as a whole is wrong.
    """
    try:
        validate(table_name, frame)
    except SchemaErrors as error:
        cases = error.failure_cases
        return cases.select(
            pl.col("index").cast(pl.Int64),
            pl.col("column").cast(pl.String),
            pl.col("check").replace(_BUILT_IN).alias("check_id"),
            pl.col("failure_case").cast(pl.String).alias("value"),
        ).sort("index", "column", "check_id", nulls_last=True)
    return pl.DataFrame(schema=FAILURE_SCHEMA)


# --- the screen ----------------------------------------------------------------------------------------


def may_fail(spec: Table) -> pl.Expr:
    """Rows that break something. Pandera, which takes long over each column, has to look only at these."""
    tests = [pl.col(column.name).is_null() for column in spec.columns if column.required]
    tests += [test for column in spec.columns if (test := bad_values(column)) is not None]
    tests += [~pl.sql_expr(rule.holds).fill_null(True) for rule in spec.rules if rule.severity == "quarantine"]
    return pl.any_horizontal(tests)


def bad_values(column: Column) -> pl.Expr | None:
    """Values that a column may not hold; None where it may hold any."""
    tests = [pl.sql_expr(condition.sql) for condition in bad_value(column)]
    return pl.any_horizontal(tests).fill_null(False) if tests else None
