"""Judging canonical records: which stay, which go to quarantine, what is only reported, and in which words.

What belongs here: the registry's checks turned into messages for the supplier, and duplicates. What does
not: the checks themselves (`schemas/`) and how a record was made (`opora/layouts/`).
"""

from __future__ import annotations

import re

import polars as pl

from opora.layouts.extract import RECORD, ROW, issue_frame
from schemas.pandera_schemas import failures
from schemas.registry import Column, Rule, Table

ISSUE_COLUMNS = (RECORD, ROW, "column_name", "value", "check_id", "severity", "reason_ru", "remedy_ru")
# What makes two records one and the same thing. A key counts only where all its columns are filled.
NATURAL_KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "assessment_result": (
        ("assessment", "subject_id", "test_grade", "held_year", "school_key", "participant_code"),
        ("assessment", "subject_id", "held_on", "person_key"),
    ),
    "aggregate_result": (
        (
            "assessment",
            "subject_id",
            "test_grade",
            "measured_year",
            "held_on",
            "territory_level",
            "school_key",
        ),
    ),
    "objectivity_marker": (("assessment", "subject_id", "test_grade", "measured_year", "school_key"),),
    "school_register": (("vpr_login", "valid_from"),),
}


def judge(spec: Table, records: pl.DataFrame, found: list[pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The records that stay, and all issues. `found` are issues from reading the same records.

    A record leaves if it, or its source row, has an issue of severity `quarantine`.
    """
    records, dropped = _drop_attributes(spec, records)
    issues = [
        *found,
        *dropped,
        *_blocking(spec, records),
        *_warnings(spec, records),
        *_duplicates(spec, records),
    ]
    issues = [issue.select(ISSUE_COLUMNS) for issue in issues if not issue.is_empty()]
    if not issues:
        return records, pl.DataFrame()
    every = _first_reason(pl.concat(issues))
    bad = every.filter(pl.col("severity") == "quarantine")
    by_record = bad[RECORD].drop_nulls()
    by_row = bad.filter(pl.col(RECORD).is_null())[ROW]
    leaves = pl.col(RECORD).is_in(by_record.implode()) | pl.col(ROW).is_in(by_row.implode())
    return records.filter(~leaves), every


def _first_reason(issues: pl.DataFrame) -> pl.DataFrame:
    """A cell that could not be read is also missing: only the first of the two is said."""
    unread = issues.filter(pl.col("check_id").is_in(["value_unreadable", "school_key_malformed"])).select(
        ROW, "column_name", said=pl.lit(True)
    )
    joined = issues.join(unread.unique(), on=[ROW, "column_name"], how="left", maintain_order="left")
    consequence = (pl.col("check_id") == "required_value_missing") & pl.col("said").fill_null(False)
    return joined.filter(~consequence).drop("said").sort(ROW, maintain_order=True)


def _drop_attributes(spec: Table, records: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Attributes outside their range or vocabulary become empty with a warning; the row stays."""
    issues = []
    for column in spec.columns:
        bad = _bad_values(column) if column.attribute else None
        if bad is None:
            continue
        rows = records.filter(bad)
        if rows.is_empty():
            continue
        value = _shown(column.name, rows)
        reason = pl.format(
            f"Столбец «{column.label_ru}»: значение «{{}}» вне допустимого, ожидается {_expected(column)}.",
            value,
        )
        remedy = "Значение отброшено, строка принята; исправьте при случае."
        issues.append(
            issue_frame(rows, "attribute_unreadable", "warning", column.name, value, reason, remedy)
        )
        records = records.with_columns(pl.when(~bad).then(pl.col(column.name)).alias(column.name))
    return records, issues


def _bad_values(column: Column) -> pl.Expr | None:
    value = pl.col(column.name)
    tests = []
    if column.vocabulary:
        tests.append(~value.is_in(list(column.vocabulary)))
    if column.at_least is not None:
        tests.append(value < column.at_least)
    if column.at_most is not None:
        tests.append(value > column.at_most)
    return pl.any_horizontal(tests).fill_null(False) if tests else None


def _blocking(spec: Table, records: pl.DataFrame) -> list[pl.DataFrame]:
    cases = failures(spec.table, records.drop(RECORD))
    issues = []
    for (column_name, check_id), group in cases.group_by("column", "check_id", maintain_order=True):
        rows = records[group["index"].drop_nulls().to_list()]
        rule = next((rule for rule in spec.rules if rule.id == check_id), None)
        if rule:
            issues.append(_rule_issue(rule, rows))
        elif str(column_name) in spec.names:
            issues.append(_value_issue(spec.column(str(column_name)), str(check_id), rows))
    return issues


def _warnings(spec: Table, records: pl.DataFrame) -> list[pl.DataFrame]:
    rules = [rule for rule in spec.rules if rule.severity == "warning"]
    return [_rule_issue(rule, records.filter(~pl.sql_expr(rule.holds).fill_null(True))) for rule in rules]


def _rule_issue(rule: Rule, rows: pl.DataFrame) -> pl.DataFrame:
    value = _shown(rule.column, rows)
    return issue_frame(
        rows, rule.id, rule.severity, rule.column, value, _filled(rule.reason_ru, rows), rule.remedy_ru
    )


def _value_issue(column: Column, check_id: str, rows: pl.DataFrame) -> pl.DataFrame:
    value = _shown(column.name, rows)
    if check_id == "required_value_missing":
        reason = pl.lit(f"Столбец «{column.label_ru}» обязателен, а значения нет.")
    else:
        reason = pl.format(
            f"Столбец «{column.label_ru}»: значение «{{}}» недопустимо, ожидается {_expected(column)}.", value
        )
    severity = "quarantine"
    remedy = column.remedy_ru or "Исправьте значение и пришлите файл ещё раз."
    return issue_frame(rows, check_id, severity, column.name, value, reason, remedy)


def _expected(column: Column) -> str:
    if column.vocabulary:
        return "одно из: " + ", ".join(column.vocabulary)
    bounds = [
        f"{word} {bound:g}"
        for word, bound in (("от", column.at_least), ("до", column.at_most))
        if bound is not None
    ]
    return " ".join(bounds) or "значение по образцу"


def _filled(template: str, rows: pl.DataFrame) -> pl.Expr:
    """The sentence of a rule with the row's values in place of `{column}`."""
    names = re.findall(r"\{(\w+)\}", template)
    return pl.format(re.sub(r"\{\w+\}", "{}", template), *(_shown(name, rows) for name in names))


def _shown(name: str, rows: pl.DataFrame) -> pl.Expr:
    """A value as people write it: whole numbers without .0, a decimal comma, a dash for nothing."""
    text = pl.col(name).cast(pl.String)
    if rows.schema[name].is_float():
        text = text.str.replace(r"\.0$", "").str.replace(".", ",", literal=True)
    return text.fill_null("—")


def _duplicates(spec: Table, records: pl.DataFrame) -> list[pl.DataFrame]:
    check = "duplicate_participant" if spec.table == "assessment_result" else "duplicate_row"
    issues = []
    for key in NATURAL_KEYS.get(spec.table, ()):
        filled = records.filter(pl.all_horizontal(pl.col(name).is_not_null() for name in key))
        again = filled.filter(~pl.struct(key).is_first_distinct())
        first = filled.filter(pl.struct(key).is_first_distinct()).select(*key, pl.col(ROW).alias("first_row"))
        rows = again.join(first, on=list(key), how="left", maintain_order="left")
        issues.append(
            issue_frame(
                rows,
                check,
                "quarantine",
                key[-1],
                pl.col(key[-1]).cast(pl.String) if key[-1] != "person_key" else pl.lit(None, pl.String),
                pl.format("Та же запись уже есть в строке {}.", "first_row"),
                "Оставьте одну из строк; принята первая.",
            )
        )
    return issues
