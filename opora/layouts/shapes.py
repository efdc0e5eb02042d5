"""The few shapes of tables that a declaration cannot say; a layout names one of them in `shape`.

What belongs here: a function from the classified rows of a block (texts and kinds) to such rows with the
fields of the layout in place. What does not: anything that a declaration could say.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import polars as pl

from opora.layouts.context import Facts
from opora.layouts.convert import participant_category
from opora.layouts.recognise import Block
from opora.reference import Reference

Shape = Callable[[Block, pl.DataFrame, Facts, Reference], tuple[pl.DataFrame, Facts]]

OUTCOMES = {"понизили": "lowered", "подтвердили": "confirmed", "повысили": "raised"}
GROUP_FIELDS = ("territory_level", "school_key", "municipality_key", "school_label")
_TWO_SCORES = r"^(\d+)\D+(\d+)$"
_EXAM = r"^\s*(.+?)\s*\(\s*(\d{4}[.\-]\d{2}[.\-]\d{2})\s*\)"


def mark_comparison_long(
    block: Block, rows: pl.DataFrame, facts: Facts, reference: Reference
) -> tuple[pl.DataFrame, Facts]:
    """A group's name on a row of its own, then a row an outcome, then «Всего» with the participants."""
    word = pl.col("group").str.to_lowercase().str.extract(r"^(понизили|подтвердили|повысили|всего)")
    rows = rows.with_columns(word.alias("word"))
    named = (pl.col("kind") == "data") & pl.col("word").is_null()
    rows = rows.with_columns(
        pl.when(named).then(pl.col("group")).forward_fill().alias("label"),
        named.cum_sum().alias("of_group"),
        pl.when(named)
        .then(pl.lit("group"))
        .when(pl.col("word") == "всего")
        .then(pl.lit("total"))
        .otherwise(pl.col("kind"))
        .alias("kind"),
    )
    everyone = pl.col("outcome_count").filter(pl.col("word") == "всего").first().over("of_group")
    rows = rows.with_columns(
        everyone.alias("participants"),
        pl.col("word").replace(OUTCOMES).alias("outcome"),
        *(pl.col("label").alias(name) for name in GROUP_FIELDS),
    )
    return rows.drop("word", "label", "of_group", "group"), facts


def exam_protocol(block: Block, rows: pl.DataFrame, facts: Facts, reference: Reference) -> tuple[pl.DataFrame, Facts]:
    """One exam: which one follows from code, date and classes; its result is a mark or a test score.

    The name of the result column does not tell its scale: «Балл» of ОГЭ may be a mark, «Оценка» stands in
    base mathematics of ЕГЭ too. Where there are both, the exam says which of them is meant.
    """
    facts = _exam_facts(rows, facts, reference, _says_mark(block))
    is_mark = facts.assessment in ("oge", "gve") or facts.subject_id == "mathematics_base"
    target = "mark" if is_mark else "test_score"
    if {"result_mark", "result_score"} <= set(rows.columns):
        rows = rows.with_columns(result=pl.col("result_mark" if is_mark else "result_score"))
    rows = rows.drop("result_mark", "result_score", strict=False)
    rows = rows.rename({"result": target}).with_columns(pl.lit(facts.assessment).alias("assessment"))
    if "participant_category" not in rows.columns:
        # where there is no such column, «ВПЛ» and «СПО» stand in place of a class
        is_category = participant_category(pl.col("class_name")).is_not_null()
        rows = rows.with_columns(
            pl.when(is_category).then("class_name").alias("participant_category"),
            pl.when(~is_category).then("class_name").alias("class_name"),
        )
    return rows, facts


def exam_appeals(block: Block, rows: pl.DataFrame, facts: Facts, reference: Reference) -> tuple[pl.DataFrame, Facts]:
    """Appeals of one exam named in the title, or of many, each named in its row: «Математика(2026.06.02)»."""
    if "exam" in rows.columns:
        subject, day = (pl.col("exam").str.extract(_EXAM, group) for group in (1, 2))
        rows = rows.with_columns(subject.alias("subject"), day.alias("date"), day.str.slice(0, 4).alias("year"))
        years = rows["year"].drop_nulls()
        facts = replace(facts, held_on=None, year=facts.year or (int(years[0]) if len(years) else None))
    facts = _exam_facts(rows, facts, reference, _says_mark(block))
    if block.fields.get("total_score_after") == block.fields["result"]:
        rows = rows.with_columns(
            pl.col("result").str.extract(_TWO_SCORES, 1).alias("total_score_after"),
            pl.col("result").str.extract(_TWO_SCORES, 2).alias("result"),
        )
    is_mark = pl.lit(facts.assessment != "ege" or facts.subject_id == "mathematics_base")
    if facts.assessment == "ege" and "subject" in rows.columns:
        rows = rows.with_columns(pl.col("subject").replace("Математика", "Математика профильная"))
        is_mark |= pl.col("subject").str.contains("(?i)базов").fill_null(False)
    status = pl.col("status").str.to_lowercase()
    refused = status.str.contains(r"отклон|отказ|отозв|не удовлетвор")
    accepted = status.str.contains(r"удовлетвор|принят|выполнен|обработан")
    rows = rows.with_columns(
        pl.when(is_mark).then("result").alias("mark_after"),
        pl.when(~is_mark).then("result").alias("test_score_after"),
        pl.lit(facts.assessment).alias("assessment"),
        pl.when(refused).then(pl.lit("нет")).when(accepted).then(pl.lit("да")).alias("is_accepted"),
    )
    return rows.drop("result"), facts


def _says_mark(block: Block) -> bool:
    return re.search(r"оценка|mark5", block.header_of("result")) is not None


def _exam_facts(rows: pl.DataFrame, facts: Facts, reference: Reference, says_mark: bool) -> Facts:
    """Assessment by classes, else by the result's name; subject by exam code, else by the title's words."""
    year = f"{facts.year - 1}-{facts.year}" if facts.year else ""
    by_classes = _by_classes(rows)
    if facts.exam_code and reference.subject_for_exam_code("gve", facts.exam_code, year):
        assessment = "gve"
    else:
        assessment = by_classes or facts.assessment or ("oge" if says_mark else "ege")
    subject = None
    if facts.exam_code:
        subject = reference.subject_for_exam_code(assessment, facts.exam_code, year)
    subject = subject or facts.subject_id
    if assessment == "ege" and subject == "mathematics":
        subject = "mathematics_base" if says_mark else "mathematics_profile"
    return replace(
        facts,
        assessment=assessment,
        subject_id=subject,
        grade=9 if "oge" in (assessment, by_classes) else 11,
    )


def _by_classes(rows: pl.DataFrame) -> str | None:
    """ОГЭ if most classes start with 9, ЕГЭ if with 11 or 12; None if they say nothing."""
    if "class_name" not in rows.columns:
        return None
    grades = rows.filter(pl.col("kind") == "data")["class_name"].str.extract(r"^(9|10|11|12)").drop_nulls()
    if grades.is_empty():
        return None
    return "oge" if (grades == "9").sum() * 2 > grades.len() else "ege"


SHAPES: dict[str, Shape] = {
    function.__name__: function for function in (mark_comparison_long, exam_protocol, exam_appeals)
}
