"""Judging canonical records: which stay, which go to quarantine, what is only reported, and in which words.

What belongs here: the registry's checks turned into messages for the supplier, and duplicates. What does
not: the checks themselves (`schemas/`) and how a record was made (`opora/layouts/`).
"""

from __future__ import annotations

import re

import polars as pl

from opora.context_checks import context_issues
from opora.context_facts import load_context
from opora.layouts.extract import (
    ATTRIBUTE_REMEDY,
    HIDDEN,
    RECORD,
    ROW,
    VALUE_REMEDY,
    as_written,
    issue_frame,
)
from opora.masking import shown
from schemas.pandera_schemas import bad_values, failures, may_fail
from schemas.registry import Column, Rule, Table

ISSUE_COLUMNS = (RECORD, ROW, "column_name", "value", "check_id", "severity", "reason_ru", "remedy_ru")
# Rows of several sheets and blocks are told apart while they are judged together: no sheet has so many.
BLOCK_STRIDE = 10**9
# What makes two records one and the same thing. A key counts only where all its columns are filled, but for those
# that may be empty: an open date, a region's report without a school.
_OF_SCHOOL = (
    *("assessment", "subject_id", "test_grade", "measured_year", "held_year"),
    *("territory_level", "school_key"),
)
NATURAL_KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "assessment_result": (
        ("assessment", "subject_id", "test_grade", "sitting", "school_key", "participant_code"),
        ("assessment", "subject_id", "sitting", "person_key"),
    ),
    "aggregate_result": (_OF_SCHOOL,),
    "score_distribution": (("primary_score", *_OF_SCHOOL),),
    "mark_comparison": (("outcome", *_OF_SCHOOL),),
    "objectivity_marker": (("assessment", "subject_id", "test_grade", "measured_year", "school_key"),),
    "school_register": (("valid_from", "vpr_login"),),
    "programme_return": (
        (
            *("programme_id", "return_kind", "item_id", "period", "territory_level", "school_key"),
            *("municipality_label", "document_ref", "reported_on"),
        ),
    ),
    "listed_school": (("programme_id", "period", "school_key"),),
    "partner_agreement": (("programme_id", "school_key", "document_ref", "signed_on", "leader_key"),),
    "certificate_count": (("graduate_grade", "measured_year", "school_key"),),
    "exam_sum": (("measured_year", "school_key"),),
    "context_value": (("indicator_id", "measured_year", "school_key"),),
    "contingent": (("grade_band", "measured_year", "school_key"),),
    "attendance": (("term", "measured_year", "school_key"),),
    "risk_factor_level": (("factor", "measured_year", "school_key"),),
    "risk_stage_report": (("stage", "factor", "measured_year", "school_key"),),
    "risk_answer": (("indicator", "respondent_group", "measured_year", "school_key"),),
}
_MAY_BE_EMPTY = {
    "school_register": {"valid_from"},
    "programme_return": {"item_id", "school_key", "municipality_label", "document_ref"},
    "partner_agreement": {"programme_id", "document_ref"},
    "risk_stage_report": {"factor"},
}
# In tables of people a value is shown only if it is too short to be a name or a document.
_LONGEST_SHOWN = 3
_KEYS = ("school_key", "leader_key", "vpr_login", "exam_code")
_KEY = r"^(ksh)?\d{1,7}$"


def judge(
    spec: Table, records: pl.DataFrame, found: list[pl.DataFrame], *, is_personal: bool = False
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The records that stay, and all issues. `found` are issues from reading the same records.

    A record leaves if it, or its source row, has an issue of severity `quarantine`.
    """
    records, dropped = _drop_attributes(spec, records, is_personal)
    issues = [
        *found,
        *dropped,
        *_blocking(spec, records, is_personal),
        *_warnings(spec, records, is_personal),
        *_duplicates(spec, records),
        *(context_issues(records, load_context()) if spec.table == "context_value" else ()),
    ]
    issues = [issue.select(ISSUE_COLUMNS) for issue in issues if not issue.is_empty()]
    if not issues:
        return records, pl.DataFrame()
    every = _first_reason(pl.concat(issues))
    bad = every.filter(pl.col("severity") == "quarantine")
    by_record = bad[RECORD].drop_nulls()
    by_row = bad.filter(pl.col(RECORD).is_null())[ROW]
    leaves = pl.col(RECORD).is_in(by_record.implode()) | pl.col(ROW).is_in(by_row.implode())
    return records.filter(~leaves), _said_once(every)


# What is wrong in them is wrong of the whole row, of however many records it is made.
_OF_ROW = ("school_key", "measured_year")


def _said_once(issues: pl.DataFrame) -> pl.DataFrame:
    """A wide row without a school's key lacks it in every record: that is one issue."""
    words = [ROW, "column_name", "check_id", "value", "reason_ru"]
    is_again = pl.col("column_name").is_in(_OF_ROW) & ~pl.struct(words).is_first_distinct()
    return issues.filter(~is_again)


def _first_reason(issues: pl.DataFrame) -> pl.DataFrame:
    """What follows from another issue of the same cell is not said: an unreadable cell is missing too."""
    cell = [RECORD, ROW, "column_name"]
    is_cause = pl.col("severity") == "quarantine"
    is_consequence = pl.col("check_id").is_in(_CONSEQUENCES)
    causes = issues.filter(is_cause & ~is_consequence).select(cell).unique()
    consequences = issues.filter(is_consequence)
    of_rows = causes.filter(pl.col(RECORD).is_null())  # found before a wide row was taken apart
    caused = pl.concat(
        [
            consequences.join(causes, on=cell, how="semi", nulls_equal=True),
            consequences.join(of_rows, on=[ROW, "column_name"], how="semi"),
        ]
    )
    return issues.join(caused, on=[*cell, "check_id"], how="anti", nulls_equal=True, maintain_order="left").sort(
        ROW, maintain_order=True
    )


_CONSEQUENCES = ("required_value_missing", "result_missing", "total_differs_from_tasks", "school_of_return_missing")


def _drop_attributes(spec: Table, records: pl.DataFrame, is_personal: bool) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Attributes outside their range or vocabulary become empty with a warning; the row stays."""
    tests = {c.name: test for c in spec.columns if c.attribute and (test := bad_values(c)) is not None}
    if not tests or records.is_empty():
        return records, []
    bad = records.select(test.alias(name) for name, test in tests.items())
    issues = []
    for name in (series.name for series in bad if series.any()):
        column, rows = spec.column(name), records.filter(bad[name])
        value = pl.lit(HIDDEN) if column.is_hidden else _shown(name, rows, is_personal)
        reason = pl.format(
            f"Столбец «{column.label_ru}»: значение «{{}}» вне допустимого, ожидается {_expected(column)}.",
            value,
        )
        issues.append(issue_frame(rows, "attribute_unreadable", "warning", name, value, reason, ATTRIBUTE_REMEDY))
        records = records.with_columns(pl.when(~bad[name]).then(pl.col(name)).alias(name))
    return records, issues


def _blocking(spec: Table, records: pl.DataFrame, is_personal: bool) -> list[pl.DataFrame]:
    suspects = records.filter(may_fail(spec))
    if suspects.is_empty():
        return []
    cases = failures(spec.table, suspects.drop(RECORD))
    rules = {(rule.column, rule.id): rule for rule in spec.rules}
    issues = []
    for (column_name, check_id), group in cases.group_by("column", "check_id", maintain_order=True):
        rows = suspects[group["index"].drop_nulls().to_list()]
        if rule := rules.get((str(column_name), str(check_id))):
            issues.append(_rule_issue(rule, rows, is_personal))
        elif str(column_name) in spec.names:
            issues.append(_value_issue(spec.column(str(column_name)), str(check_id), rows, is_personal))
    return issues


def _warnings(spec: Table, records: pl.DataFrame, is_personal: bool) -> list[pl.DataFrame]:
    rules = [rule for rule in spec.rules if rule.severity == "warning"]
    return [_rule_issue(rule, records.filter(~pl.sql_expr(rule.holds).fill_null(True)), is_personal) for rule in rules]


def _rule_issue(rule: Rule, rows: pl.DataFrame, is_personal: bool) -> pl.DataFrame:
    value = _shown(rule.column, rows, is_personal)
    reason = _filled(rule.reason_ru, rows, is_personal)
    return issue_frame(rows, rule.id, rule.severity, rule.column, value, reason, rule.remedy_ru)


def _value_issue(column: Column, check_id: str, rows: pl.DataFrame, is_personal: bool) -> pl.DataFrame:
    value = _shown(column.name, rows, is_personal)
    if check_id == "required_value_missing":
        reason = pl.lit(f"Столбец «{column.label_ru}» обязателен, а значения нет.")
    else:
        reason = pl.format(
            f"Столбец «{column.label_ru}»: значение «{{}}» недопустимо, ожидается {_expected(column)}.", value
        )
    remedy = column.remedy_ru or VALUE_REMEDY
    return issue_frame(rows, check_id, "quarantine", column.name, value, reason, remedy)


def _expected(column: Column) -> str:
    if column.vocabulary:
        return "одно из: " + ", ".join(column.vocabulary)
    bounds = [
        f"{word} {bound:g}" for word, bound in (("от", column.at_least), ("до", column.at_most)) if bound is not None
    ]
    return " ".join(bounds) or "значение по образцу"


def _filled(template: str, rows: pl.DataFrame, is_personal: bool) -> pl.Expr:
    """The sentence of a rule with the row's values in place of `{column}`."""
    names = re.findall(r"\{(\w+)\}", template)
    return pl.format(re.sub(r"\{\w+\}", "{}", template), *(_shown(n, rows, is_personal) for n in names))


def _shown(name: str, rows: pl.DataFrame, is_personal: bool) -> pl.Expr:
    """A value as people write it, a dash for nothing; in tables of people only what is too short to be a name."""
    value = pl.col(name)
    text = as_written(value) if rows.schema[name].is_float() else value.cast(pl.String)
    if is_personal:
        text = pl.when(text.str.len_chars() > _LONGEST_SHOWN).then(pl.lit(HIDDEN)).otherwise(text)
    return _quoted(name, text).fill_null("—")


def _quoted(name: str, text: pl.Expr) -> pl.Expr:
    """Keys of schools are quoted as they are, whatever else was in a cell only as far as it can be nobody's name."""
    return pl.when(text.str.contains(_KEY)).then(text).otherwise(shown(text)) if name in _KEYS else shown(text)


def _sitting() -> pl.Expr:
    """A work is written once a sitting, an exam once a day: a retake is another result."""
    exam = pl.coalesce(pl.col("held_on").cast(pl.String), "measured_year")
    work = pl.concat_str("measured_year", pl.col("held_year").fill_null(""), separator=" ")
    return pl.when(pl.col("assessment") == "vpr").then(work).otherwise(exam)


def _duplicates(spec: Table, records: pl.DataFrame) -> list[pl.DataFrame]:
    check = "duplicate_participant" if spec.table == "assessment_result" else "duplicate_row"
    issues: list[pl.DataFrame] = []
    if spec.table == "assessment_result":
        records = records.with_columns(_sitting().alias("sitting"))
    for key in NATURAL_KEYS.get(spec.table, ()):
        must = set(key) - _MAY_BE_EMPTY.get(spec.table, set())
        filled = records.select(RECORD, ROW, "sheet", *key).drop_nulls(must)
        for told in issues:
            filled = filled.join(told, on=RECORD, how="anti", maintain_order="left")
        if filled.is_empty() or filled.n_unique(key) == filled.height:
            continue
        again = filled.filter(~pl.struct(key).is_first_distinct())
        first = filled.unique(key, keep="first").select(
            *key, (pl.col(ROW) % BLOCK_STRIDE).alias("row"), pl.col("sheet").alias("on")
        )
        place = pl.format("Та же запись уже есть в строке {}", "row")
        place += pl.format(" листа «{}»", "on").fill_null("")
        issues.append(
            issue_frame(
                again.join(first, on=list(key), how="left", nulls_equal=True, maintain_order="left"),
                check,
                "quarantine",
                key[-1],
                pl.lit(None, pl.String)
                if key[-1] == "person_key"
                else _quoted(key[-1], pl.col(key[-1]).cast(pl.String)),
                place + ".",
                "Оставьте одну из строк; принята первая.",
            )
        )
    return issues
