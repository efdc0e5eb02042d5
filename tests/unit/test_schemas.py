"""The registry and what is derived from it."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import polars as pl
import pytest
from pandera.errors import SchemaErrors

from schemas.arrow import arrow_schema, polars_schema
from schemas.conditions import bad_value, missing_value
from schemas.contracts import derived_files
from schemas.dictionary import dictionary_json, dictionary_markdown
from schemas.pandera_schemas import failures, schema_for, validate
from schemas.registry import Table, registry, table, tables


def frame_of(table_name: str, *rows: dict[str, object]) -> pl.DataFrame:
    """Rows with the named values; every other column is null."""
    schema = polars_schema(table_name)
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def result(**values: object) -> dict[str, object]:
    """A good row of `assessment_result`, changed by `values`."""
    good: dict[str, object] = {
        "delivery_id": "d0123456789ab",
        "sheet": "РУ 6",
        "source_row": 2,
        "assessment": "vpr",
        "subject_id": "russian",
        "test_grade": 6,
        "measured_year": "2022-2023",
        "school_key_kind": "vpr_login",
        "school_key": "221234",
        "attendance": "participated",
        "total_score": 30.0,
    }
    return good | values


@pytest.mark.parametrize("table_name", registry())
def test_every_table_accepts_an_empty_frame_of_its_own_schema(table_name: str) -> None:
    assert failures(table_name, pl.DataFrame(schema=polars_schema(table_name))).is_empty()


@pytest.mark.parametrize("table_name", registry())
def test_arrow_and_polars_agree_on_columns(table_name: str) -> None:
    assert arrow_schema(table_name).names == polars_schema(table_name).names() == table(table_name).names


@pytest.mark.parametrize("table_name", registry())
def test_rules_are_expressions_that_polars_understands(table_name: str) -> None:
    frame = pl.DataFrame(schema=polars_schema(table_name))
    for rule in table(table_name).rules:
        assert frame.select(pl.sql_expr(rule.holds)).dtypes == [pl.Boolean()], rule.id


@pytest.mark.parametrize(
    ("change", "column", "check_id"),
    [
        ({"delivery_id": None}, "delivery_id", "required_value_missing"),
        ({"delivery_id": "d12"}, "delivery_id", "value_unreadable"),
        ({"test_grade": 13}, "test_grade", "value_out_of_range"),
        ({"attendance": "late"}, "attendance", "value_out_of_vocabulary"),
        ({"max_score": 20.0}, "total_score", "total_above_maximum"),
        ({"total_score": None}, "total_score", "result_missing"),
    ],
)
def test_a_bad_value_is_named_with_its_row_column_and_check(
    change: dict[str, object], column: str, check_id: str
) -> None:
    frame = frame_of("assessment_result", result(source_row=1), result(**change))
    found = failures("assessment_result", frame).select("index", "column", "check_id").rows()
    assert found == [(1, column, check_id)]


def test_patterns_are_about_the_whole_value() -> None:
    """Python and Polars find a pattern anywhere in a text, DuckDB only in the whole: so every pattern says which."""
    patterns = [column.pattern for spec in registry().values() for column in spec.columns if column.pattern]
    assert patterns
    assert [pattern for pattern in patterns if not (pattern.startswith("^") and pattern.endswith("$"))] == []


@pytest.mark.parametrize("spec", registry().values(), ids=lambda spec: spec.table)
def test_both_engines_read_the_conditions_of_columns(spec: Table) -> None:
    frame = pl.DataFrame(schema=polars_schema(spec.table))
    with duckdb.connect() as connection:
        for column in spec.columns:
            for condition in (*missing_value(column), *bad_value(column)):
                assert frame.select(bad=pl.sql_expr(condition.sql)).schema == {"bad": pl.Boolean}
                assert connection.sql(f"select {condition.sql} from frame").types == ["BOOLEAN"]


def test_the_same_key_twice_is_a_failure() -> None:
    found = failures("assessment_result", frame_of("assessment_result", result(), result()))
    assert set(found["check_id"]) == {"key_not_unique"}


def test_a_rule_that_knows_nothing_holds() -> None:
    """A null in a rule's operands is not a contradiction."""
    row = {
        "delivery_id": "d0123456789ab",
        "source_row": 9,
        "assessment": "vpr",
        "subject_id": "russian",
        "test_grade": 4,
        "measured_year": "2022-2023",
        "territory_level": "school",
        "school_key_kind": "vpr_login",
        "school_key": "221234",
        "participants": 89,
        "share_2_pct": 12.36,
    }
    assert failures("aggregate_result", frame_of("aggregate_result", row)).is_empty()


def test_a_warning_rule_does_not_block() -> None:
    assert any(rule.severity == "warning" for rule in table("aggregate_result").rules)
    names = {check.error for column in schema_for("aggregate_result").columns.values() for check in column.checks}
    assert "participants_exceed_graduates" not in names


def test_a_bad_lazy_frame_fails_too() -> None:
    """By default pandera checks only the shape of a LazyFrame and lets such a row pass."""
    bad = frame_of("assessment_result", result(test_grade=13)).lazy()
    with pytest.raises(SchemaErrors):
        validate("assessment_result", bad)
    assert failures("assessment_result", bad)["check_id"].to_list() == ["value_out_of_range"]


def test_wrong_type_and_foreign_columns_fail() -> None:
    frame = frame_of("assessment_result", result())
    with pytest.raises(SchemaErrors):
        validate("assessment_result", frame.with_columns(pl.col("test_grade").cast(pl.String)))
    with pytest.raises(SchemaErrors):
        validate("assessment_result", frame.with_columns(surname=pl.lit("x")))


@pytest.mark.parametrize(("path", "text"), derived_files().items(), ids=lambda value: Path(value).name[:20])
def test_committed_dbt_files_are_those_of_the_registry(path: Path, text: str) -> None:
    assert path.read_text(encoding="utf-8") == text, "run `python -m schemas.contracts`"


def test_dictionary_explains_every_column_of_the_marts() -> None:
    text = dictionary_markdown()
    entries = {entry["table"]: entry for entry in json.loads(dictionary_json())}
    for mart in tables("marts"):
        assert f"## {mart.table} — {mart.title_ru}" in text
        assert [column["name"] for column in entries[mart.table]["columns"]] == mart.names
        for column in mart.columns:
            assert f"| `{column.name}` | {column.label_ru} |" in text


def test_words_for_people_never_speak_of_ratings() -> None:
    """The list is for support: no label or definition calls it a rating."""
    assert "рейтинг" not in (dictionary_markdown() + dictionary_markdown(tables("lake"))).lower()


def test_registry_declares_shares_between_0_and_1() -> None:
    for mart in tables("marts"):
        for column in mart.columns:
            if column.name.endswith(("_share", "_ci_low", "_ci_high")) or column.name.startswith("probability_"):
                assert (column.type, column.at_least, column.at_most) == ("number", 0, 1), column.name
