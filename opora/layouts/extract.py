"""From a recognised table to canonical records: kinds of rows, typed values, and what could not be read.

What belongs here: everything that is the same for all layouts. What does not: the declarations (YAML), the
few odd shapes (`shapes.py`), and the registry's checks of the finished records (`opora/checks.py`).

Every source row ends up in exactly one of: record, quarantine, declared non-data.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from opora.layouts.context import GRADES, Facts, facts_of_block
from opora.layouts.convert import (
    ABSENT,
    BY_TYPE,
    CONVERTERS,
    FINDERS,
    NOT_A_VALUE,
    date,
    name_key,
    number,
    task_score,
)
from opora.layouts.recognise import Block
from opora.layouts.shapes import SHAPES
from opora.persons import keyed_hash
from opora.reading import clean
from opora.reference import Reference
from schemas.arrow import polars_type
from schemas.registry import Column, Table, table

ROW = "source_row"
KIND = "kind"
RECORD = "record_number"
PERSONAL = (
    "surname",
    "first_name",
    "patronymic",
    "full_name",
    "document_series",
    "document_number",
    "document",
)
# Fields that a layout may name although no table has them; they feed other columns.
AUXILIARY = (
    "subject",
    "grade",
    "year",
    "date",
    "group",
    "textbook",
    "variant_2",
    "result",
    "exam",
    *PERSONAL,
)


class UnknownContext(Exception):
    """Nothing says which subject, grade or year the table is about; `what_ru` names what is missing."""

    def __init__(self, what_ru: str) -> None:
        super().__init__(what_ru)
        self.what_ru = what_ru


@dataclass
class Extracted:
    """Records of one table of a sheet, with the issues found on the way and the kind of every row."""

    table: str
    records: pl.DataFrame
    kinds: pl.DataFrame
    issues: list[pl.DataFrame] = field(default_factory=list)
    facts: Facts = Facts()


def extract(block: Block, hints: Facts, reference: Reference, secret: Callable[[], str]) -> Extracted:
    """The records of one recognised table.

    Raises UnknownContext if subject, grade or year cannot be told, SecretMissing if personal identity must
    be hashed and no secret is set.
    """
    spec = table(block.layout.table or "")
    rows = _classified(block)
    facts = facts_of_block(block, rows.filter(pl.col(KIND) == "data"), reference).filled_from(hints)
    if block.layout.shape:
        rows, facts = SHAPES[block.layout.shape](block, rows, facts, reference)
    data = rows.filter(pl.col(KIND) == "data")
    frame, issues = _typed(block, data, spec)
    frame, facts = _about(frame, block, facts, spec, reference)
    frame = _persons(frame, spec, secret)
    if spec.table == "assessment_result":
        frame, found = _attendance(frame)
        issues.append(found)
        frame, found = _tasks(frame, block, reference)
        issues.append(found)
        absent = frame.filter(pl.col("attendance") == "absent")[ROW]
        rows = rows.with_columns(
            pl.when(pl.col(ROW).is_in(absent.implode()))
            .then(pl.lit("absent"))
            .otherwise(pl.col(KIND))
            .alias(KIND)
        )
    if block.layout.unpivot:
        frame = _unpivoted(frame, block, reference)
    if spec.table == "aggregate_result":
        frame = _recovered_counts(frame, block)
    if spec.table == "context_value":
        frame = frame.with_columns(number(pl.col("value_text")).alias("value_number"))
    issues.append(_declared_minimum(block, facts, reference))
    issues.append(_declared_counts(block, rows))
    records = _complete(frame, spec)
    return Extracted(
        spec.table, records, rows.select(ROW, KIND), [i for i in issues if not i.is_empty()], facts
    )


# --- rows ----------------------------------------------------------------------------------------


def _classified(block: Block) -> pl.DataFrame:
    """All rows below the header: number in the file, kind, and the cleaned text of every mapped cell."""
    layout = block.layout
    grid = block.sheet.grid.slice(block.first_row, block.last_row - block.first_row)
    picked = {**block.fields}
    picked.update({f"pivot:{i}": column for i, (column, _) in enumerate(block.pivots)})
    cells = [by_value(grid[column], clean).alias(name) for name, column in picked.items()]
    tasks = [grid[column].alias(f"task:{i}") for i, (column, _) in enumerate(_used_tasks(block, grid))]
    if any(kind.column is None for kind in layout.rows):
        cells.append(
            grid.select(pl.coalesce(clean(pl.col(c)) for c in grid.columns).alias("first_cell")).to_series()
        )
    rows = pl.int_range(block.first_row + 1, block.first_row + 1 + grid.height, dtype=pl.Int64, eager=True)
    frame = pl.DataFrame([rows.alias(ROW), *cells])
    frame = frame.with_columns(
        pl.col(name).forward_fill() for name in layout.fill_down if name in frame.columns
    )
    kind = pl.when(pl.all_horizontal(pl.exclude(ROW).is_null())).then(pl.lit("blank"))
    for declared in layout.rows:
        cell = pl.col(declared.column or "first_cell")
        condition = cell.str.contains(declared.pattern)
        if declared.also_blank:
            condition &= pl.col(declared.also_blank).is_null()
        kind = kind.when(condition).then(pl.lit(declared.kind))
    if layout.blank_without:
        kind = kind.when(pl.col(layout.blank_without).is_null()).then(pl.lit("blank"))
    headers = {
        name: block.headers[block.sheet.grid.columns.index(column)] for name, column in block.fields.items()
    }
    stray = pl.all_horizontal(
        [pl.col(name).str.to_lowercase() == headers[name] for name in list(block.fields)[:3]]
    )
    kind = kind.when(stray).then(pl.lit("stray"))
    return frame.with_columns(kind.otherwise(pl.lit("data")).alias(KIND), *tasks)


def _used_tasks(block: Block, grid: pl.DataFrame) -> list[tuple[str, str]]:
    """Task columns without the empty ones at the end; one in between keeps its place."""
    used = [i for i, (column, _) in enumerate(block.tasks) if grid[column].null_count() < grid.height]
    return list(block.tasks[: used[-1] + 1]) if used else []


def by_value(texts: pl.Series, convert: Callable[[pl.Expr], pl.Expr]) -> pl.Series:
    """A conversion made once for each distinct text: columns of exports hold few of them."""
    distinct = texts.unique().drop_nulls()
    if distinct.len() * 2 > texts.len():
        return texts.to_frame("text").select(convert(pl.col("text"))).to_series().alias(texts.name)
    values = distinct.to_frame("text").select(convert(pl.col("text"))).to_series()
    if values.dtype == texts.dtype and values.equals(distinct, null_equal=False):
        return texts
    return texts.replace_strict(distinct, values, default=None, return_dtype=values.dtype)


# --- values --------------------------------------------------------------------------------------


def _typed(block: Block, data: pl.DataFrame, spec: Table) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Every mapped field as its type; a text that cannot be read becomes an issue and a null."""
    known = {column.name: column for column in spec.columns}
    typed: list[pl.Series] = []
    converted: list[tuple[str, Column]] = []
    given = [c for c in data.columns if c != ROW and (c in known or c == "date")]
    for name in given:
        source = block.layout.columns.get(name)
        if name == "date":
            convert = date
        elif source and source.convert:
            convert = CONVERTERS[source.convert]
        else:
            convert = BY_TYPE[known[name].type]
        typed.append(by_value(data[name].cast(pl.String), convert).alias(name))
        if name in known and not (source and source.convert in FINDERS):
            converted.append((name, known[name]))
    frame = data.with_columns(typed)
    issues = []
    for name, column in converted:
        raw = data[name]
        lost = frame[name].is_null() & raw.is_not_null() & ~raw.str.to_lowercase().is_in(list(NOT_A_VALUE))
        if name in ("prior_mark", "sex", "class_name", "participant_category"):
            lost &= ~raw.str.contains(ABSENT)
        if lost.any():
            issues.append(_unreadable(data.filter(lost), name, column, block))
    return frame, issues


def _unreadable(rows: pl.DataFrame, name: str, column: Column, block: Block) -> pl.DataFrame:
    """Issues for cells that could not be read as the column's type."""
    if name == "school_key":
        check, severity = "school_key_malformed", "quarantine"
    elif column.attribute:
        check, severity = "attribute_unreadable", "warning"
    else:
        check, severity = "value_unreadable", "quarantine"
    expected = {"integer": "целое число", "number": "число", "date": "дата", "boolean": "да или нет"}.get(
        column.type, "значение из справочника"
    )
    reason = (
        "Логин школы не опознан: «{}». Ожидается edu или sch и шесть цифр."
        if check == "school_key_malformed"
        else f"Столбец «{column.label_ru}»: значение «{{}}» не читается, ожидается {expected}."
    )
    remedy = column.remedy_ru or (
        "Значение отброшено, строка принята; исправьте при случае."
        if severity == "warning"
        else "Исправьте значение и пришлите файл ещё раз."
    )
    return issue_frame(
        rows, check, severity, column.name, pl.col(name), pl.format(reason, pl.col(name)), remedy
    )


def issue_frame(
    rows: pl.DataFrame,
    check_id: str,
    severity: str,
    column_name: str,
    value: pl.Expr,
    reason: pl.Expr,
    remedy_ru: str,
) -> pl.DataFrame:
    """Issues, one for each of the rows: number of the record where there is one, row of the file, words."""
    number_of_record = pl.col(RECORD) if RECORD in rows.columns else pl.lit(None, pl.Int64)
    return rows.select(
        number_of_record.cast(pl.Int64).alias(RECORD),
        pl.col(ROW).cast(pl.Int64),
        pl.lit(column_name).alias("column_name"),
        value.cast(pl.String).alias("value"),
        pl.lit(check_id).alias("check_id"),
        pl.lit(severity).alias("severity"),
        reason.alias("reason_ru"),
        pl.lit(remedy_ru).alias("remedy_ru"),
    )


# --- what the table is about -----------------------------------------------------------------------


def _about(
    frame: pl.DataFrame, block: Block, facts: Facts, spec: Table, reference: Reference
) -> tuple[pl.DataFrame, Facts]:
    """Constants and context as columns: subject, grade, years, school key kind."""
    names = set(spec.names)
    layout = block.layout
    frame = frame.with_columns(
        pl.lit(value).alias(name) for name, value in layout.constants.items() if name not in frame.columns
    )
    if layout.school_key_kind and "school_key_kind" in names:
        frame = frame.with_columns(pl.lit(layout.school_key_kind).alias("school_key_kind"))
    if layout.school_key_kind == "name" and "school_label" in frame.columns:
        frame = frame.with_columns(
            pl.concat_str(
                name_key(pl.col("municipality_label").fill_null("")),
                pl.lit("|"),
                name_key(pl.col("school_label")),
            ).alias("school_key")
        )
    if layout.school_key_kind == "vpr_login" and "school_key" in names and "school_key" not in frame.columns:
        frame = _filled(frame, "school_key", facts.school_key, pl.String(), "логин школы")
    if "assessment" in names and "assessment" not in frame.columns:
        if facts.assessment is None:
            raise UnknownContext("вид процедуры (ВПР, ОГЭ или ЕГЭ)")
        frame = frame.with_columns(pl.lit(facts.assessment).alias("assessment"))
    if "subject_id" in names and not _pivot_has(block, "subject"):
        frame = _mapped(frame, "subject", "subject_id", reference.subject_for, pl.String())
        frame = _filled(frame, "subject_id", facts.subject_id, pl.String(), "предмет")
    if "test_grade" in names and not _pivot_has(block, "grade"):
        frame = _mapped(frame, "grade", "test_grade", _grade_of, pl.Int64())
        frame = _filled(frame, "test_grade", facts.grade, pl.Int64(), "класс")
    year_column = next((c for c in ("measured_year", "scale_year") if c in names), None)
    if year_column:
        frame = _years(frame, facts, spec, year_column, reference)
    return frame, facts


def _pivot_has(block: Block, group: str) -> bool:
    return any(group in groups for _, groups in block.pivots)


def _grade_of(text: str) -> int | None:
    found = re.search(r"\d{1,2}", text)
    return int(found[0]) if found and int(found[0]) in GRADES else None


def _mapped(
    frame: pl.DataFrame, source: str, target: str, look_up: Callable[[str], object], dtype: pl.DataType
) -> pl.DataFrame:
    """A column through a look-up made once for each of its few texts."""
    if source not in frame.columns or target in frame.columns:
        return frame
    texts = frame[source].cast(pl.String).drop_nulls().unique().to_list()
    found = {text: look_up(text) for text in texts}
    return frame.with_columns(
        pl.col(source)
        .cast(pl.String)
        .replace_strict(list(found), list(found.values()), default=None, return_dtype=dtype)
        .alias(target)
        if found
        else pl.lit(None, dtype).alias(target)
    )


def _filled(frame: pl.DataFrame, name: str, value: object, dtype: pl.DataType, what_ru: str) -> pl.DataFrame:
    if name in frame.columns:
        return frame
    if value is None:
        raise UnknownContext(what_ru)
    return frame.with_columns(pl.lit(value, dtype).alias(name))


def _years(frame: pl.DataFrame, facts: Facts, spec: Table, target: str, reference: Reference) -> pl.DataFrame:
    """Measured and held academic year, and the pupil's grade, from the sitting that a row belongs to."""
    if "date" in frame.columns:
        frame = frame.rename({"date": "held_on"})
    frame = frame.with_columns(
        (
            pl.col("year").cast(pl.String).str.extract(r"(20\d{2})").cast(pl.Int64)
            if "year" in frame.columns
            else pl.lit(facts.year, pl.Int64)
        ).alias("calendar_year")
    )
    if "held_on" not in frame.columns:
        frame = frame.with_columns(pl.lit(facts.held_on, pl.Date).alias("held_on"))
    if frame.height and frame["calendar_year"].null_count() == frame.height:
        raise UnknownContext("год")
    keys = [c for c in ("assessment", "calendar_year", "held_on", "test_grade") if c in frame.columns]
    sittings = frame.select(keys).unique(maintain_order=True).drop_nulls("calendar_year")
    held = [_sitting(row, reference) for row in sittings.iter_rows(named=True)]
    known = sittings.with_columns(
        pl.Series(target, [h[0] for h in held], pl.String),
        pl.Series("held_year", [h[1] for h in held], pl.String),
        pl.Series("grade_shift", [h[2] for h in held], pl.Int64),
    )
    frame = frame.join(known, on=keys, how="left", nulls_equal=True, maintain_order="left")
    if "pupil_grade" in spec.names and "test_grade" in frame.columns:
        frame = frame.with_columns((pl.col("test_grade") + pl.col("grade_shift")).alias("pupil_grade"))
    return frame


def _sitting(row: dict[str, object], reference: Reference) -> tuple[str, str, int]:
    """Measured year, held year, grade shift. A year without a sitting in the calendar counts as spring's."""
    year = int(str(row["calendar_year"]))
    assessment = str(row.get("assessment") or "vpr")
    grade, held_on = row.get("test_grade"), row.get("held_on")
    try:
        session = reference.session_for(assessment, year, held_on, grade)  # type: ignore[arg-type]
    except LookupError:
        spring = f"{year - 1}-{year}"
        return spring, spring, 0
    return session.measured_year, session.held_year, session.grade_shift


# --- people ----------------------------------------------------------------------------------------


def _persons(frame: pl.DataFrame, spec: Table, secret: Callable[[], str]) -> pl.DataFrame:
    """Personal fields become keyed hashes where the table wants them, and are dropped in any case."""
    personal = [name for name in PERSONAL if name in frame.columns]
    if not personal:
        return frame
    if "person_key" in spec.names:
        key = secret()
        document = [c for c in ("document_series", "document_number", "document") if c in personal]
        words = [c for c in ("surname", "first_name", "patronymic", "full_name") if c in personal]
        if document:
            digits = pl.concat_str([pl.col(c).fill_null("") for c in document]).str.replace_all(r"\W", "")
            frame = frame.with_columns(
                keyed_hash(frame.select(pl.when(digits != "").then(digits)).to_series(), key).alias(
                    "person_key"
                )
            )
        if words:
            named = name_key(pl.concat_str([pl.col(c).fill_null("") for c in words], separator=" "))
            whose = pl.concat_str(named, pl.lit("|"), pl.col("school_key").fill_null(""))
            frame = frame.with_columns(
                keyed_hash(frame.select(pl.when(named != "").then(whose)).to_series(), key).alias(
                    "person_name_key"
                )
            )
    return frame.drop(personal)


# --- participants ------------------------------------------------------------------------------------


def _attendance(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Who took part. «Отсутствовал» without a result is absent, whatever total a form pre-filled with 0."""
    words = [c for c in ("variant", "variant_2") if c in frame.columns]
    says_absent = pl.any_horizontal(
        [pl.col(c).str.contains(ABSENT).fill_null(False) for c in words] or [pl.lit(False)]
    )
    total = pl.col("total_score") if "total_score" in frame.columns else pl.lit(None, pl.Float64)
    has_result = pl.any_horizontal(
        [(total > 0).fill_null(False)]
        + [pl.col(c).is_not_null() for c in ("mark", "test_score") if c in frame.columns]
    )
    nothing = pl.all_horizontal(
        [pl.col(c).is_null() for c in ("total_score", "mark", "test_score", "variant") if c in frame.columns]
    )
    elsewhere = pl.any_horizontal(
        [
            pl.col(c).cast(pl.String).str.contains(ABSENT).fill_null(False)
            for c in ("class_name", "participant_category")
            if c in frame.columns
        ]
        or [pl.lit(False)]
    )
    absent = (says_absent & ~has_result) | (nothing & elsewhere)
    frame = frame.with_columns(
        pl.when(absent).then(pl.lit("absent")).otherwise(pl.lit("participated")).alias("attendance"),
        (says_absent & has_result).alias("inferred"),
    )
    if "total_score" in frame.columns:
        frame = frame.with_columns(
            pl.when(pl.col("attendance") == "participated").then(pl.col("total_score")).alias("total_score")
        )
    found = issue_frame(
        frame.filter("inferred"),
        "attendance_inferred",
        "warning",
        "attendance",
        pl.lit("отсутствовал"),
        pl.lit("Вариант «отсутствовал», но есть баллы: участник засчитан как писавший работу."),
        "Проверьте строку; если ученик не писал работу, уберите баллы.",
    )
    return frame.drop("inferred"), found


def _tasks(frame: pl.DataFrame, block: Block, reference: Reference) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Task columns as one list, the greatest possible score, and totals that contradict the tasks."""
    columns = [name for name in frame.columns if name.startswith("task:")]
    nothing = frame.clear().select(pl.lit(None, pl.Int64).alias(RECORD), pl.lit(None, pl.Int64).alias(ROW))
    if "max_score" not in frame.columns:
        frame = frame.with_columns(pl.lit(_greatest(block), pl.Float64).alias("max_score"))
    frame = _greatest_by_scale(frame, reference)
    if not columns:
        return frame, nothing
    scores = [by_value(frame[column], task_score) for column in columns]
    points = [by_value(score, _points) for score in scores]
    frame = frame.drop(columns).with_columns(
        pl.DataFrame(points).sum_horizontal().alias("task_sum"),
        pl.DataFrame([score == "?" for score in scores])
        .select(pl.any_horizontal(pl.all()))
        .to_series()
        .fill_null(False)
        .alias("unread"),
        pl.DataFrame(scores).select(pl.concat_list(pl.all())).to_series().alias("task_scores"),
    )
    differs = frame.filter(
        (pl.col("attendance") == "participated")
        & pl.col("total_score").is_not_null()
        & ~pl.col("unread")
        & (pl.col("total_score") != pl.col("task_sum"))
        & (pl.col("task_sum") > 0)
    )
    total = pl.col("total_score").cast(pl.Int64).cast(pl.String)
    found = issue_frame(
        differs,
        "total_differs_from_tasks",
        "warning",
        "total_score",
        total,
        pl.format("Итоговый балл {} не равен сумме баллов за задания {}.", total, pl.col("task_sum")),
        "Сверьте строку с протоколом; принят итоговый балл.",
    )
    return frame, found


def _points(score: pl.Expr) -> pl.Expr:
    return score.cast(pl.Int64, strict=False)


def _greatest(block: Block) -> float | None:
    """The greatest score that the file names: in its head, else as the sum of `(Nб)` in the task headers."""
    for before, text in zip(("", *block.title), block.title, strict=False):
        if before.lower().startswith("максимальный первичный балл"):
            return pl.select(number(pl.lit(text))).item()
    if not block.tasks or block.layout.tasks is None:
        return None
    groups = [found.groupdict() for _, h in block.tasks if (found := re.search(block.layout.tasks, h))]
    points = [int(g["max"]) for g in groups if g.get("max")]
    return float(sum(points)) if points else None


def _greatest_by_scale(frame: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """Where the file names no greatest score, the scale of the year does."""
    if frame["max_score"].null_count() == 0 or "measured_year" not in frame.columns:
        return frame
    keys = ["assessment", "subject_id", "test_grade"]
    scale = (
        reference.tables()["score_scale"]
        .select(
            *keys,
            pl.col("academic_year").alias("measured_year"),
            pl.col("max_score").cast(pl.Float64).alias("of_scale"),
        )
        .unique([*keys, "measured_year"])
    )
    frame = frame.join(scale, on=[*keys, "measured_year"], how="left", maintain_order="left")
    return frame.with_columns(pl.coalesce("max_score", "of_scale").alias("max_score")).drop("of_scale")


# --- wide tables -----------------------------------------------------------------------------------


def _unpivoted(frame: pl.DataFrame, block: Block, reference: Reference) -> pl.DataFrame:
    """One record for each group of value columns, in the order of the file."""
    wide = block.layout.unpivot
    assert wide is not None
    groups: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
    for i, (_, found) in enumerate(block.pivots):
        key = tuple((name, text) for name, text in found.items() if name != "metric")
        target = wide.metrics.get(found["metric"]) if "metric" in found else wide.value
        if target:
            groups.setdefault(key, {})[target] = f"pivot:{i}"
    spec = table(block.layout.table or "")
    values = sorted({target for columns in groups.values() for target in columns})
    base = [c for c in frame.columns if not c.startswith("pivot:") and c not in values]
    parts = []
    for key, columns in groups.items():
        constants = _pivot_constants(dict(key), wide.fields, reference)
        if constants is None:
            continue
        parts.append(
            frame.select(
                *(c for c in base if c not in constants),
                *(pl.lit(value).alias(name) for name, value in constants.items()),
                *(
                    (
                        BY_TYPE[spec.column(t).type](pl.col(columns[t])) if t in columns else pl.lit(None)
                    ).alias(t)
                    for t in values
                ),
            )
        )
    long = pl.concat(parts, how="diagonal_relaxed") if parts else frame.select(base)
    wanted = [c for c in (wide.drop_if_null or values) if c in long.columns]
    return long.filter(~pl.all_horizontal(pl.col(c).is_null() for c in wanted)).sort(ROW, maintain_order=True)


def _pivot_constants(
    found: dict[str, str], vocabularies: dict[str, dict[str, str]], reference: Reference
) -> dict[str, object] | None:
    """The fields that a value column's header says; None where it says something unknown."""
    constants: dict[str, object] = {}
    for name, text in found.items():
        if name in vocabularies:
            if text not in vocabularies[name]:
                return None
            constants[name] = vocabularies[name][text]
        elif name == "subject":
            constants["subject_id"] = reference.subject_for(text)
            if constants["subject_id"] is None:
                return None
        elif name == "grade":
            constants["test_grade"] = int(text)
        elif text.isdigit():
            constants[name] = int(text)
        else:
            constants[name] = text
    return constants


def _recovered_counts(frame: pl.DataFrame, block: Block) -> pl.DataFrame:
    """Counts of marks from shares (89 × 12,36 % = 11), and zeros that the layout says blanks stand for."""
    frame = frame.with_columns(
        pl.when(pl.col("participants") > 0)
        .then(pl.col(name).fill_null(0))
        .otherwise(pl.col(name))
        .alias(name)
        for name in block.layout.blank_is_zero
        if name in frame.columns
    )
    shares = [mark for mark in (2, 3, 4, 5) if f"share_{mark}_pct" in frame.columns]
    frame = frame.with_columns(
        (pl.col("participants") * pl.col(f"share_{mark}_pct") / 100)
        .round(0)
        .cast(pl.Int64)
        .alias(f"count_{mark}")
        for mark in shares
        if f"count_{mark}" not in frame.columns
    )
    if "below_minimum" not in frame.columns and "count_2" in frame.columns:
        frame = frame.with_columns(pl.col("count_2").alias("below_minimum"))
    return frame


# --- the finished frame ------------------------------------------------------------------------------


def _declared_counts(block: Block, rows: pl.DataFrame) -> pl.DataFrame:
    """Group rows that name another number of participants than there are rows below them."""
    pattern = block.layout.declared_count
    empty = pl.DataFrame()
    if not pattern:
        return empty
    cell = next((k.column or "first_cell" for k in block.layout.rows if k.kind == "group"), None)
    if cell is None:
        return empty
    grouped = rows.with_columns((pl.col(KIND) == "group").cum_sum().alias("of_group"))
    counted = grouped.group_by("of_group", maintain_order=True).agg(
        pl.col(ROW).first(),
        pl.col(cell).first().str.extract(pattern).cast(pl.Int64, strict=False).alias("declared"),
        pl.col(KIND).is_in(["data", "stray"]).sum().alias("present"),
    )
    differs = counted.filter((pl.col("of_group") > 0) & (pl.col("declared") != pl.col("present")))
    return issue_frame(
        differs,
        "declared_count_differs",
        "warning",
        "participants",
        pl.col("declared"),
        pl.format("В строке группы заявлено участников: {}, а строк: {}.", "declared", "present"),
        "Проверьте, вся ли группа выгружена.",
    )


def _declared_minimum(block: Block, facts: Facts, reference: Reference) -> pl.DataFrame:
    """Footers «Минимальная граница» that name another threshold than the reference does for that year."""
    pattern = block.layout.declared_minimum
    if not pattern or facts.year is None or facts.subject_id is None:
        return pl.DataFrame()
    expected = _threshold(facts, reference)
    grid = block.sheet.grid.slice(block.first_row, block.last_row - block.first_row)
    cells = [clean(pl.col(column)) for column in grid.columns]
    rows = (
        grid.select(
            pl.int_range(block.first_row + 1, block.first_row + 1 + grid.height, dtype=pl.Int64).alias(ROW),
            pl.coalesce(cells).alias("words"),
            pl.coalesce([number(cell) for cell in reversed(cells)]).alias("declared"),
        )
        .filter(pl.col("words").str.contains(pattern).fill_null(False))
        .with_columns(pl.lit(expected, pl.Float64).alias("expected"))
        .filter(pl.col("declared") != pl.col("expected"))
    )
    return issue_frame(
        rows,
        "minimum_differs",
        "warning",
        "test_score",
        pl.col("declared"),
        pl.format("Минимальная граница в файле {}, в справочнике {}.", "declared", "expected"),
        "Проверьте порог этого года в reference/thresholds или reference/scales.",
    )


def _threshold(facts: Facts, reference: Reference) -> float | None:
    """The least passing result: of ЕГЭ by the certificate line, of ОГЭ the first score of a «3»."""
    year = f"{(facts.year or 0) - 1}-{facts.year}"
    tables = reference.tables()
    least = tables["minimum_score"].filter(
        (pl.col("assessment") == facts.assessment)
        & (pl.col("subject_id") == facts.subject_id)
        & (pl.col("academic_year") == year)
        & (pl.col("purpose") == "certificate")
    )
    if least.height:
        return float(least["minimum"][0])
    scale = tables["score_scale"].filter(
        (pl.col("assessment") == facts.assessment)
        & (pl.col("subject_id") == facts.subject_id)
        & (pl.col("academic_year") == year)
        & (pl.col("mark") == 3)
    )
    return float(scale["score_min"][0]) if scale.height else None


def _complete(frame: pl.DataFrame, spec: Table) -> pl.DataFrame:
    """All columns of the registry in its order, and the number of each record."""
    given = set(frame.columns)
    return (
        frame.select(
            (pl.col(c.name) if c.name in given else pl.lit(None))
            .cast(polars_type(c), strict=False)
            .alias(c.name)
            for c in spec.columns
        )
        .with_row_index(RECORD)
        .with_columns(pl.col(RECORD).cast(pl.Int64))
    )
