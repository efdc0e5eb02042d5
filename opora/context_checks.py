"""Judging delivered answers about conditions of schools against each other.

Belongs here: what the registry cannot say of a row: words that are no answer to their question, parts above the
whole, a share beside another count, answers that exclude each other. Does not belong here: the rules themselves
(`reference/context/indicators.yaml`) and checks of the registry (`checks.py`).
"""

from __future__ import annotations

import polars as pl

from opora.context_facts import CODED, ContextCatalogue, Question, read_answers
from opora.layouts.convert import number
from opora.layouts.extract import RECORD, ROW, VALUE_REMEDY, as_written, issue_frame
from opora.masking import shown

_SCHOOL = ("school_key_kind", "school_key", "measured_year")
_COLUMN = "value_text"


def context_issues(records: pl.DataFrame, catalogue: ContextCatalogue) -> list[pl.DataFrame]:
    """Issues of `context_value` records; each is about one answer, and only that answer leaves.

    Where a part and its whole disagree the part leaves: one of the two is wrong, and shares rest on the whole.
    """
    told = _valued(records, catalogue)
    unread = told.filter(pl.col("value").is_null())
    answers = told.filter(pl.col("value").is_not_null())
    above = _parts(answers, catalogue)
    fitting = answers.join(above, on=RECORD, how="anti", maintain_order="left")
    return [
        *_unread(unread, catalogue),
        _part_issues(above),
        *_sums(fitting, catalogue),
        _shares(fitting, catalogue),
        *_contradictions(fitting, catalogue),
    ]


def _valued(records: pl.DataFrame, catalogue: ContextCatalogue) -> pl.DataFrame:
    """The answers to questions of the catalogue that are values, each with its number and its question's words."""
    kept = records.select(RECORD, ROW, *_SCHOOL, "indicator_id", _COLUMN).filter(pl.col(_COLUMN).is_not_null())
    rows = [
        (question_id, text, value, _title(question), question.kind)
        for (question_id,), group in kept.group_by("indicator_id", maintain_order=True)
        if (question := catalogue.by_id.get(str(question_id))) and question.kind != "text"
        for text, value in read_answers(question, group[_COLUMN]).items()
    ]
    read = pl.DataFrame(
        rows,
        schema={
            "indicator_id": pl.String,
            _COLUMN: pl.String,
            "value": pl.Float64,
            "title": pl.String,
            "kind": pl.String,
        },
        orient="row",
    )
    return kept.join(read, on=["indicator_id", _COLUMN], maintain_order="left")


def _title(question: Question) -> str:
    return f"{question.number}. {question.title_ru}"


# --- one answer ----------------------------------------------------------------------------------------


def _unread(rows: pl.DataFrame, catalogue: ContextCatalogue) -> list[pl.DataFrame]:
    """Words that are no answer: never taken for zero, nor for nothing said."""
    expected = {question.question_id: _expected(question) for question in catalogue.questions}
    reason = pl.format(
        "«{}»: ответ «{}» не принят, ожидается {}.",
        "title",
        shown(pl.col(_COLUMN)),
        pl.col("indicator_id").replace_strict(expected, default="", return_dtype=pl.String),
    )
    remedy = "Исправьте ответ. Если он неизвестен, оставьте ячейку пустой: пустая ячейка — не ноль."
    given = number(pl.col(_COLUMN))
    is_coded = pl.col("kind").is_in(CODED)
    is_outside = ~is_coded & ((given < 0) | (given > 100) & (pl.col("kind") == "percent")).fill_null(False)

    def told(check_id: str, which: pl.Expr) -> pl.DataFrame:
        return issue_frame(rows.filter(which), check_id, "quarantine", _COLUMN, shown(pl.col(_COLUMN)), reason, remedy)

    return [
        told("value_out_of_vocabulary", is_coded),
        told("value_out_of_range", is_outside),
        told("value_unreadable", ~is_coded & ~is_outside),
    ]


def _expected(question: Question) -> str:
    if question.kind == "choice":
        return "один из ответов: " + ", ".join(f"{n}) {label}" for n, label in question.answers.items())
    return {
        "count": "целое число не меньше нуля",
        "number": "число не меньше нуля",
        "percent": "число от 0 до 100",
        "flag": "да или нет",
    }.get(question.kind, "")


# --- answers beside each other -----------------------------------------------------------------------------


def _beside(answers: pl.DataFrame, of: dict[str, str], name: str) -> pl.DataFrame:
    """Answers to the questions of `of`, each with the school's answer to the question it points to."""
    others = answers.select(
        *_SCHOOL,
        pl.col("indicator_id").alias("other_id"),
        pl.col("value").alias(name),
        pl.col("title").alias(f"{name}_title"),
    ).unique([*_SCHOOL, "other_id"], keep="first", maintain_order=True)
    pointing = answers.filter(pl.col("indicator_id").is_in(list(of))).with_columns(
        pl.col("indicator_id").replace_strict(of, default=None, return_dtype=pl.String).alias("other_id")
    )
    return pointing.join(others, on=[*_SCHOOL, "other_id"], maintain_order="left").drop("other_id")


def _parts(answers: pl.DataFrame, catalogue: ContextCatalogue) -> pl.DataFrame:
    wholes = {question.question_id: question.part_of for question in catalogue.questions if question.part_of}
    return _beside(answers, wholes, "whole").filter(pl.col("value") > pl.col("whole"))


def _part_issues(rows: pl.DataFrame) -> pl.DataFrame:
    part, whole = as_written(pl.col("value")), as_written(pl.col("whole"))
    return issue_frame(
        rows,
        "part_exceeds_whole",
        "quarantine",
        _COLUMN,
        shown(pl.col(_COLUMN)),
        pl.format("«{}»: {}, а «{}»: {}.", "title", part, "whole_title", whole),
        "Сверьте оба числа. Принято целое, часть отложена.",
    )


def _sums(answers: pl.DataFrame, catalogue: ContextCatalogue) -> list[pl.DataFrame]:
    """Parts that do not overlap but together are more than the whole."""
    issues = []
    for total in catalogue.sums:
        rows = _beside(answers, dict.fromkeys(total.parts, total.whole), "whole")
        rows = rows.with_columns(pl.col("value").sum().over(_SCHOOL).alias("sum"))
        titles = " + ".join(_title(catalogue.by_id[part]).split(".")[0] for part in total.parts)
        issues.append(
            issue_frame(
                rows.filter(pl.col("sum") > pl.col("whole")),
                "parts_exceed_whole",
                "quarantine",
                _COLUMN,
                shown(pl.col(_COLUMN)),
                pl.format(
                    f"Вместе {titles}: {{}}, а «{{}}»: {{}}. Эти группы не пересекаются.",
                    as_written(pl.col("sum")),
                    "whole_title",
                    as_written(pl.col("whole")),
                ),
                "Сверьте числа. Принято целое, обе части отложены.",
            )
        )
    return issues


def _shares(answers: pl.DataFrame, catalogue: ContextCatalogue) -> pl.DataFrame:
    """A share that is not that of the count beside it: the count is what stays."""
    counts = {question.question_id: question.share_of for question in catalogue.questions if question.share_of}
    wholes = {share: catalogue.by_id[count].part_of for share, count in counts.items()}
    rows = _beside(answers, counts, "part").join(
        _beside(answers, {share: whole for share, whole in wholes.items() if whole}, "whole").select(
            RECORD, "whole", "whole_title"
        ),
        on=RECORD,
        maintain_order="left",
    )
    expected = 100 * pl.col("part") / pl.col("whole")
    differs = (pl.col("value") - expected).abs() > catalogue.share_tolerance_pct.value
    return issue_frame(
        rows.filter((pl.col("whole") > 0) & differs),
        "share_contradicts_count",
        "quarantine",
        _COLUMN,
        shown(pl.col(_COLUMN)),
        pl.format(
            "«{}»: {} %, а {} из {} — это {} %.",
            "title",
            as_written(pl.col("value")),
            as_written(pl.col("part")),
            as_written(pl.col("whole")),
            as_written(expected.round(1)),
        ),
        "Сверьте число и долю. Принято число, доля отложена; можно оставить одно из двух.",
    )


def _contradictions(answers: pl.DataFrame, catalogue: ContextCatalogue) -> list[pl.DataFrame]:
    issues = []
    for item in catalogue.contradictions:
        rows = _beside(answers, {item.question_id: item.beside}, "other").filter(
            pl.col("value").cast(pl.Int64).is_in(item.answers)
            & pl.col("other").cast(pl.Int64).is_in(item.beside_answers)
        )
        reason = pl.format(
            f"«{{}}»: «{{}}» рядом с «{{}}»: {item.reason_ru}.", "title", shown(pl.col(_COLUMN)), "other_title"
        )
        issues.append(
            issue_frame(rows, "answers_contradict", "quarantine", _COLUMN, shown(pl.col(_COLUMN)), reason, VALUE_REMEDY)
        )
    return issues
