"""From a recognised table to canonical records: kinds of rows, typed values, and what could not be read.

What belongs here: everything that is the same for all layouts. What does not: the declarations (YAML), the
few odd shapes (`shapes.py`), and the registry's checks of the finished records (`opora/checks.py`).

Every source row ends up in exactly one of: record, quarantine, declared non-data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import polars as pl

from opora.layouts.context import GRADES, Facts, calendar_year, facts_of_block, subject_reader
from opora.layouts.convert import (
    ABSENT,
    BY_TYPE,
    CONVERTERS,
    FINDERS,
    NOT_A_VALUE,
    OF_DIGITS,
    Converter,
    code,
    date,
    name_key,
    number,
    task_score,
)
from opora.layouts.model import PERSONAL
from opora.layouts.recognise import Block
from opora.layouts.shapes import SHAPES
from opora.limits import refuse_beyond
from opora.masking import is_nobody, masked, names_somebody, shown
from opora.persons import keyed_hash
from opora.reading import by_value, clean, tidy
from opora.reference import Reference
from schemas.arrow import polars_type
from schemas.registry import Column, Table, table

ROW = "source_row"
KIND = "kind"
RECORD = "record_number"
HIDDEN = "скрыто"


class UnknownContext(Exception):
    """Nothing says which subject, grade or year the table is about; `what_ru` names what is missing."""

    def __init__(self, what_ru: str) -> None:
        super().__init__(what_ru)
        self.what_ru = what_ru


@dataclass(frozen=True)
class Extracted:
    """Records of one table of a sheet, with the issues found on the way and the kind of every row.

    `tasks` are label and greatest score of each item of `task_scores`, as the headers name them.
    """

    table: str
    records: pl.DataFrame
    kinds: pl.DataFrame
    issues: list[pl.DataFrame]
    facts: Facts
    tasks: tuple[tuple[str | None, int | None], ...] = ()


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
    if not block.layout.unpivot:
        data = data.with_row_index(RECORD)
    frame, issues = _typed(block, data, spec)
    frame, found = _about(frame, block, facts, spec, reference)
    issues += found
    frame = _persons(frame, spec, secret)
    if spec.table == "assessment_result":
        frame, found = _scored(frame, block, reference)
        issues += found
        rows = _absent(rows, frame)
    if block.layout.unpivot:
        frame, found = _unpivoted(frame, block, facts, reference)
        issues += found
    if spec.table == "aggregate_result":
        frame = _recovered_counts(frame, block)
    if spec.table == "context_value":
        frame = frame.with_columns(number(pl.col("value_text")).alias("value_number"))
    issues += [_declared_minimum(block, facts, reference), _declared_counts(block, rows)]
    return Extracted(
        table=spec.table,
        records=_complete(frame, spec),
        kinds=rows.select(ROW, KIND),
        issues=[issue for issue in issues if not issue.is_empty()],
        facts=facts,
        tasks=_named_tasks(block),
    )


# --- rows ----------------------------------------------------------------------------------------


def _classified(block: Block) -> pl.DataFrame:
    """All rows below the header: number in the file, kind, and the cleaned text of every mapped cell."""
    layout, grid = block.layout, block.rows
    picked = {**block.fields}
    picked.update({f"pivot:{i}": column for i, (column, _) in enumerate(block.pivots)})
    cells = by_value([grid[column].alias(name) for name, column in picked.items()], tidy)
    tasks = [grid[column].alias(f"task:{i}") for i, (column, _) in enumerate(_used_tasks(block, grid))]
    if any(kind.column is None for kind in layout.rows):
        cells.append(grid.select(pl.coalesce(clean(pl.col(c)) for c in grid.columns).alias("first_cell")).to_series())
    rows = pl.int_range(block.first_row + 1, block.first_row + 1 + grid.height, dtype=pl.Int64, eager=True)
    frame = pl.DataFrame([rows.alias(ROW), *cells])
    return frame.with_columns(
        _kind(block).alias(KIND),
        *(pl.col(name).forward_fill() for name in layout.fill_down if name in frame.columns),
        *tasks,
    )


def _kind(block: Block) -> pl.Expr:
    """The kind of a row: blank, what the layout declares, a header once more, or data."""
    layout = block.layout
    kinds = [("blank", pl.all_horizontal(pl.exclude(ROW).is_null()))]
    for declared in layout.rows:
        if declared.column and declared.column not in block.fields:
            continue
        condition = pl.col(declared.column or "first_cell").str.contains(declared.pattern)
        if declared.also_blank and declared.also_blank in block.fields:
            condition &= pl.col(declared.also_blank).is_null()
        kinds.append((declared.kind, condition))
    if layout.blank_without and layout.blank_without in block.fields:
        kinds.append(("blank", pl.col(layout.blank_without).is_null()))
    header_again = [pl.col(name).str.to_lowercase() == block.header_of(name) for name in list(block.fields)[:3]]
    kinds.append(("stray", pl.all_horizontal(header_again)))
    return pl.coalesce(*(pl.when(condition).then(pl.lit(name)) for name, condition in kinds), pl.lit("data"))


def _used_tasks(block: Block, grid: pl.DataFrame) -> list[tuple[str, str]]:
    """Task columns without the empty ones at the end; one in between keeps its place."""
    used = [i for i, (column, _) in enumerate(block.tasks) if grid[column].null_count() < grid.height]
    return list(block.tasks[: used[-1] + 1]) if used else []


def _named_tasks(block: Block) -> tuple[tuple[str | None, int | None], ...]:
    """Label and greatest score of every used task column, where its header says them: «10К1 (2б)»."""
    headers = [header for _, header in _used_tasks(block, block.rows)]
    groups = [found.groupdict() if (found := re.search(block.layout.tasks or "", h)) else {} for h in headers]
    return tuple((_task_label(g.get("label")), int(g["max"]) if g.get("max") else None) for g in groups)


def _task_label(text: str | None) -> str | None:
    """What a header calls a task: «10К1», «2 (1)». Words of a header are no label."""
    return text if text and re.fullmatch(r"\d{1,3}(?:[.,]\d{1,2})?(?:[кk]\d{1,2})?(?:\s*\(\d{1,2}\))?", text) else None


# --- values --------------------------------------------------------------------------------------


def _typed(block: Block, data: pl.DataFrame, spec: Table) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Every mapped field as its type; a text that cannot be read becomes an issue and a null."""
    known = {column.name: column for column in spec.columns}
    names = [name for name in data.columns if name != ROW and (name in known or name == "date")]
    given = {name: source.convert if (source := block.layout.columns.get(name)) else None for name in names}
    raw = {name: data[name].cast(pl.String) for name in names}
    typed = _converted(raw, {name: _converter(name, given[name], known) for name in names})
    issues: dict[str, list[pl.DataFrame]] = {name: [] for name in names}
    for name, values in typed.items():
        if name in known and given[name] not in FINDERS and values.null_count() > raw[name].null_count():
            lost = data.filter(values.is_null() & _says_something(raw[name], known[name]))
            issues[name].append(_unreadable(lost, name, known[name], block))
    words = {name: typed[name] for name in names if typed[name].dtype == pl.String and given[name] not in OF_DIGITS}
    without, of_people = _without_people(words, data, known)
    for name, issue in of_people.items():
        issues[name].append(issue)
    found = [issue for name in names for issue in issues[name] if not issue.is_empty()]
    return data.with_columns((typed | without).values()), found


def _converter(name: str, given: str | None, known: Mapping[str, Column]) -> Converter:
    return date if name == "date" else CONVERTERS[given] if given else BY_TYPE[known[name].type]


def _converted(columns: Mapping[str, pl.Series], converters: Mapping[str, Converter]) -> dict[str, pl.Series]:
    """Columns of text through their converters, those of one converter together."""
    found: dict[str, pl.Series] = {}
    for convert in dict.fromkeys(converters[name] for name in columns):
        of_one = [column.alias(name) for name, column in columns.items() if converters[name] is convert]
        found |= {column.name: column for column in by_value(of_one, convert)}
    return found


_NAMES_SOMEBODY: dict[bool, Converter] = {
    anywhere: partial(names_somebody, anywhere=anywhere) for anywhere in (True, False)
}


def _without_people(
    columns: Mapping[str, pl.Series], data: pl.DataFrame, known: Mapping[str, Column]
) -> tuple[dict[str, pl.Series], dict[str, pl.DataFrame]]:
    """Columns of text without cells that name a person or a document: they are dropped, and told without a quote."""
    free = {name: column for name, column in columns.items() if not known[name].vocabulary}
    people = _converted(free, {name: _NAMES_SOMEBODY[known[name].free_text] for name in free})
    left: dict[str, pl.Series] = {}
    issues: dict[str, pl.DataFrame] = {}
    for name, is_person in people.items():
        if is_person.any():
            rows = data.filter(is_person.fill_null(False))
            words = f"Столбец «{known[name].label_ru}»: в ячейке имя человека, номер документа или контакт;"
            reason = pl.lit(f"{words} значение отброшено.")
            issues[name] = issue_frame(
                rows, "personal_data_dropped", "warning", name, pl.lit(HIDDEN), reason, PERSONAL_REMEDY
            )
            left[name] = free[name].to_frame().select(pl.when(~is_person).then(pl.first())).to_series().alias(name)
    return left, issues


def _says_something(raw: pl.Series, column: Column) -> pl.Series:
    """Texts that ought to be a value: not a dash, nor «отсутствовал» in an attribute of an absentee."""
    words = raw.str.to_lowercase()
    says = raw.is_not_null() & ~words.is_in(list(NOT_A_VALUE))
    return says & ~raw.str.contains(ABSENT) if column.attribute else says


def _unreadable(rows: pl.DataFrame, name: str, column: Column, block: Block) -> pl.DataFrame:
    """Issues for cells that could not be read as the column's type. They may hold anything, so they are masked."""
    expected = _EXPECTED.get(column.type, "значение по образцу")
    reason = f"Столбец «{column.label_ru}»: значение «{{}}» не читается, ожидается {expected}."
    if name == "school_key":
        check, severity = "school_key_malformed", "quarantine"
        reason = "Ключ школы не опознан: «{}». Ожидается " + (
            "логин: edu или sch и шесть цифр."
            if block.layout.school_key_kind == "vpr_login"
            else "код ОО: до семи цифр."
        )
    elif column.attribute:
        check, severity = "attribute_unreadable", "warning"
    else:
        check, severity = "value_unreadable", "quarantine"
    remedy = column.remedy_ru or (ATTRIBUTE_REMEDY if severity == "warning" else VALUE_REMEDY)
    value = pl.lit(HIDDEN) if block.layout.is_personal else shown(pl.col(name))
    return issue_frame(rows, check, severity, column.name, value, pl.format(reason, value), remedy)


_EXPECTED = {"integer": "целое число", "number": "число", "date": "дата", "boolean": "да или нет"}
ATTRIBUTE_REMEDY = "Значение отброшено, строка принята; исправьте при случае."
PERSONAL_REMEDY = "Уберите персональные данные из файла: этот столбец не для них."
VALUE_REMEDY = "Исправьте значение и пришлите файл ещё раз."


def as_written(number: pl.Expr) -> pl.Expr:
    """A number as people write it: whole ones without .0, others with a comma."""
    return number.cast(pl.String).str.replace(r"\.0$", "").str.replace(".", ",", literal=True)


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
    # polars 2.1 panics in `format` over a frame whose first chunk a filter has emptied
    rows = rows.rechunk()
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
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Constants and context as columns: subject, grade, years, school key kind."""
    names, layout = set(spec.names), block.layout
    issues: list[pl.DataFrame] = []
    frame = frame.with_columns(
        pl.lit(value).alias(name) for name, value in layout.constants.items() if name not in frame.columns
    )
    if layout.school_key_kind and "school_key_kind" in names:
        frame = frame.with_columns(pl.lit(layout.school_key_kind).alias("school_key_kind"))
    if layout.school_key_kind == "name" and "school_label" in frame.columns:
        frame = frame.with_columns(_key_of_name(frame).alias("school_key"))
    if layout.school_key_kind == "vpr_login" and "school_key" in names and "school_key" not in frame.columns:
        frame = _filled(frame, "school_key", facts.school_key, pl.String(), "логин школы")
    if "assessment" in names and "assessment" not in frame.columns:
        frame = _filled(frame, "assessment", facts.assessment, pl.String(), "вид процедуры")
    if "subject_id" in names and not _pivot_has(block, "subject"):
        frame, unknown = _mapped(
            frame, "subject", spec.column("subject_id"), subject_reader(reference, facts.assessment)
        )
        issues.append(unknown)
        frame = _filled(frame, "subject_id", facts.subject_id, pl.String(), "предмет")
    if "test_grade" in names and not _pivot_has(block, "grade"):
        frame, unknown = _mapped(frame, "grade", spec.column("test_grade"), _grade_of)
        issues.append(unknown)
        frame = _filled(frame, "test_grade", facts.grade, pl.Int64(), "класс")
    year_column = next((c for c in ("measured_year", "scale_year", "specification_year") if c in names), None)
    if year_column:
        frame = _years(frame, facts, spec, year_column, reference)
    return frame, issues


def _key_of_name(frame: pl.DataFrame) -> pl.Expr:
    """A school that has no code is known by municipality and name."""
    place = pl.col("municipality_label") if "municipality_label" in frame.columns else pl.lit(None, pl.String)
    return pl.concat_str(name_key(place.fill_null("")), pl.lit("|"), name_key(pl.col("school_label")))


def _pivot_has(block: Block, group: str) -> bool:
    return any(group in groups for _, groups in block.pivots)


def _grade_of(text: str) -> int | None:
    found = re.search(r"\d{1,2}", text)
    return int(found[0]) if found and int(found[0]) in GRADES else None


def _mapped(
    frame: pl.DataFrame, source: str, target: Column, look_up: Callable[[str], object]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A column through a look-up made once for each of its few texts; texts that it does not know."""
    if source not in frame.columns or target.name in frame.columns:
        return frame, pl.DataFrame()
    texts = frame[source].cast(pl.String)
    found = {text: look_up(text) for text in texts.drop_nulls().unique()}
    values = texts.replace_strict(list(found), list(found.values()), default=None, return_dtype=polars_type(target))
    unknown = frame.filter(values.is_null() & texts.is_not_null())
    value = shown(pl.col(source))
    reason = pl.format(f"Столбец «{target.label_ru}»: «{{}}» нет в справочнике.", value)
    issues = issue_frame(
        unknown,
        "value_out_of_vocabulary",
        "quarantine",
        target.name,
        value,
        reason,
        VALUE_REMEDY,
    )
    return frame.with_columns(values.alias(target.name)), issues


def _filled(frame: pl.DataFrame, name: str, value: object, dtype: pl.DataType, what_ru: str) -> pl.DataFrame:
    if name in frame.columns:
        return frame
    if value is None and not frame.is_empty():
        raise UnknownContext(what_ru)
    return frame.with_columns(pl.lit(value, dtype).alias(name))


def _years(frame: pl.DataFrame, facts: Facts, spec: Table, target: str, reference: Reference) -> pl.DataFrame:
    """Measured and held academic year, and the pupil's grade, from the sitting that a row belongs to."""
    if "date" in frame.columns:
        frame = frame.rename({"date": "held_on"})
    year = calendar_year(pl.col("year")) if "year" in frame.columns else pl.lit(facts.year, pl.Int64)
    frame = frame.with_columns(year.alias("calendar_year"))
    if "held_on" not in frame.columns:
        frame = frame.with_columns(pl.lit(facts.held_on, pl.Date).alias("held_on"))
    if spec.column(target).required and frame.height and frame["calendar_year"].null_count() == frame.height:
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
            papers = frame.select(_paper(document).alias("person_key")).to_series()
            frame = frame.with_columns(keyed_hash(papers, key))
        if words:
            named = name_key(pl.concat_str([pl.col(c).fill_null("") for c in words], separator=" "))
            whose = pl.concat_str(named, pl.lit("|"), pl.col("school_key").fill_null(""))
            names = frame.select(pl.when(named != "").then(whose).alias("person_name_key")).to_series()
            frame = frame.with_columns(keyed_hash(names, key))
    return frame.drop(personal)


def _paper(columns: list[str]) -> pl.Expr:
    """Series and number as one text. A spreadsheet drops zeros in front: «0112» and 112 are one series."""
    padded = {"document_series": 4, "document_number": 6}
    parts = []
    for name in columns:
        bare = code(pl.col(name)).str.to_lowercase().str.replace_all(r"\W", "")
        short = bare.str.contains(r"^\d+$") & (bare.str.len_chars() < padded.get(name, 0))
        parts.append(pl.when(short).then(bare.str.zfill(padded.get(name, 0))).otherwise(bare).fill_null(""))
    paper = pl.concat_str(parts)
    return pl.when(paper != "").then(paper)


# --- participants ------------------------------------------------------------------------------------


def _scored(frame: pl.DataFrame, block: Block, reference: Reference) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Tasks as one list, the greatest possible score, who took part, and totals that contradict the tasks."""
    if "max_score" not in frame.columns:
        frame = frame.with_columns(pl.lit(_greatest(block), pl.Float64).alias("max_score"))
    frame = _greatest_by_scale(frame, reference)
    columns = [name for name in frame.columns if name.startswith("task:")]
    frame, unread = _tasks(frame, columns)
    frame, inferred = _attendance(frame, block)
    return frame, [unread, inferred, _contradictions(frame) if columns else pl.DataFrame()]


def _tasks(frame: pl.DataFrame, columns: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Task columns as one list, with its sum; a cell that cannot be read is `?` and is reported.

    There are hundreds of thousands of cells and few distinct ones: each of those is converted once, the cells
    become numbers of them, and are turned from column order to row order as numbers.
    """
    if not columns or frame.is_empty():
        nothing = frame.drop(columns).with_columns(
            pl.lit(None, pl.List(pl.String)).alias("task_scores"),
            pl.lit(None, pl.Int64).alias("task_sum"),
            pl.lit(False).alias("task_unread"),
        )
        return nothing, pl.DataFrame()
    height, width = frame.height, len(columns)
    cells = pl.concat([frame[name].alias("cell") for name in columns])
    distinct = cells.unique().drop_nulls()
    place = pl.int_range(height * width, eager=True)
    codes = cells.cast(pl.Enum(distinct)).to_physical().gather(place % width * height + place // width)
    scores = distinct.to_frame().select(task_score(pl.col("cell"))).to_series()
    points = scores.cast(pl.Int64, strict=False)

    def by_row(values: pl.Series) -> pl.Series:
        return values.gather(codes).reshape((height, width))

    is_given = by_row(scores.is_not_null()).arr.any()
    frame = frame.with_columns(
        by_row(scores).arr.to_list().alias("task_scores"),
        pl.when(is_given).then(by_row(points).arr.sum()).alias("task_sum"),
        by_row(scores == "?").arr.any().fill_null(False).alias("task_unread"),
    )
    return frame.drop(columns), _unread_tasks(frame, columns)


def _unread_tasks(frame: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """Rows with a task that cannot be read, with the texts of those cells."""
    rows = frame.filter("task_unread")
    if rows.is_empty():
        return rows
    cells = [pl.when(task_score(pl.col(name)) == "?").then(clean(pl.col(name))) for name in columns]
    value = shown(pl.concat_str(cells, separator=", ", ignore_nulls=True))
    return issue_frame(
        rows,
        "attribute_unreadable",
        "warning",
        "task_scores",
        value,
        pl.format("Балл за задание не читается: «{}».", value),
        ATTRIBUTE_REMEDY,
    )


def _attendance(frame: pl.DataFrame, block: Block) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Who took part. «Отсутствовал» without a result is absent, whatever total a form pre-filled with 0.

    Where a work has variants and the row names none, the result decides.
    """
    total = pl.col("total_score") if "total_score" in frame.columns else pl.lit(None, pl.Float64)
    given = [pl.col(c).is_not_null() for c in ("mark", "test_score") if c in frame.columns]
    has_result = pl.any_horizontal([(total > 0).fill_null(False), *given])
    has_trace = pl.any_horizontal([total.is_not_null(), *given])
    says_absent = _says_absent(frame, "variant", "variant_2")
    unsaid = pl.lit(False)
    if "variant" in block.layout.required:
        unsaid = pl.col("variant").is_null() & ~_says_absent(frame, "class_name", "participant_category")
    wrote = has_result | (has_trace & pl.col("task_sum").is_not_null())
    absent = (
        pl.when(says_absent)
        .then(~has_result)
        .when(unsaid)
        .then(~wrote)
        .otherwise(~has_trace & _says_absent(frame, "class_name", "participant_category"))
    )
    frame = frame.with_columns(
        pl.when(absent).then(pl.lit("absent")).otherwise(pl.lit("participated")).alias("attendance"),
        ((says_absent & has_result) | unsaid).alias("inferred"),
    )
    took_part = pl.col("attendance") == "participated"
    frame = frame.with_columns(pl.when(took_part).then(total).alias("total_score"))
    reason = (
        pl.when(says_absent)
        .then(pl.lit("Вариант «отсутствовал», но есть баллы: участник засчитан как писавший работу."))
        .when(absent)
        .then(pl.lit("Вариант не указан, баллов нет: участник засчитан как отсутствовавший."))
        .otherwise(pl.lit("Вариант не указан, но есть баллы: участник засчитан как писавший работу."))
    )
    found = issue_frame(
        frame.filter("inferred"),
        "attendance_inferred",
        "warning",
        "attendance",
        shown(pl.col("variant")) if "variant" in frame.columns else pl.lit(None, pl.String),
        reason,
        "Проверьте строку: укажите вариант или «отсутствовал».",
    )
    return frame.drop("inferred"), found


def _says_absent(frame: pl.DataFrame, *names: str) -> pl.Expr:
    """Whether one of the columns says «отсутствовал»."""
    given = [pl.col(c).cast(pl.String) for c in names if c in frame.columns]
    return pl.any_horizontal([pl.lit(False), *(text.str.contains(ABSENT).fill_null(False) for text in given)])


def _absent(rows: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    """Rows of absentees as a kind of their own."""
    absent = frame.filter(pl.col("attendance") == "absent")[ROW]
    is_absent = pl.col(ROW).is_in(absent.implode())
    return rows.with_columns(pl.when(is_absent).then(pl.lit("absent")).otherwise(KIND).alias(KIND))


def _contradictions(frame: pl.DataFrame) -> pl.DataFrame:
    """Totals that are not the sum of the tasks, where all tasks could be read."""
    took_part = (pl.col("attendance") == "participated") & ~pl.col("task_unread")
    total = as_written(pl.col("total_score"))
    return issue_frame(
        frame.filter(took_part & (pl.col("total_score") != pl.col("task_sum"))),
        "total_differs_from_tasks",
        "warning",
        "total_score",
        total,
        pl.format("Итоговый балл {} не равен сумме баллов за задания {}.", total, pl.col("task_sum")),
        "Сверьте строку с протоколом; принят итоговый балл.",
    )


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


def _unpivoted(
    frame: pl.DataFrame, block: Block, facts: Facts, reference: Reference
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """One record for each group of value columns, in the order of the file."""
    wide, spec = block.layout.unpivot, table(block.layout.table or "")
    assert wide is not None
    groups, unknown = _pivot_groups(block, subject_reader(reference, facts.assessment))
    values = sorted(wide.targets)
    base = [c for c in frame.columns if not c.startswith("pivot:") and c not in values]
    if not groups:
        none = frame.select(base).clear().with_row_index(RECORD)
        typed_none = (pl.lit(None, polars_type(spec.column(name))).alias(name) for name in values)
        return none.with_columns(typed_none), [unknown]
    refuse_beyond("records", frame.height * len(groups), "Записей в широкой таблице", "Разделите таблицу на части.")
    parts = [
        frame.select(
            *(c for c in base if c not in constants),
            *(pl.lit(value).alias(name) for name, value in constants.items()),
            *((pl.col(columns[t]) if t in columns else pl.lit(None, pl.String)).alias(t) for t in values),
        )
        for constants, columns in groups
    ]
    long = pl.concat(parts, how="diagonal_relaxed")
    said = {t: _says_something(long[t], spec.column(t)) for t in values}
    wanted = pl.DataFrame([said[t].alias(t) for t in values if t in (wide.drop_if_null or values)])
    says_any = wanted.select(pl.any_horizontal(pl.all())).to_series()
    long = long.filter(says_any).sort(ROW, maintain_order=True).with_row_index(RECORD)
    issues = [unknown]
    typed = []
    for target in values:
        column, raw = spec.column(target), long[target]
        given = wide.convert.get(target)
        (value,) = by_value([raw], CONVERTERS[given] if given else BY_TYPE[column.type])
        lost = value.is_null() & _says_something(raw, column)
        if lost.any():
            issues.append(_unreadable(long.filter(lost), target, column, block))
        if value.dtype == pl.String:
            without, of_people = _without_people({target: value}, long, {target: column})
            value = without.get(target, value)
            issues += of_people.values()
        typed.append(value.alias(target))
    return long.with_columns(typed), issues


PivotGroup = tuple[dict[str, object], dict[str, str]]


def _pivot_groups(block: Block, subject_of: Callable[[str], str | None]) -> tuple[list[PivotGroup], pl.DataFrame]:
    """Value columns that make up one record: what their headers say, and which column fills which field."""
    wide = block.layout.unpivot
    assert wide is not None
    groups: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
    for i, (_, found) in enumerate(block.pivots):
        key = tuple((name, text) for name, text in found.items() if name != "metric")
        target = wide.metrics.get(found["metric"]) if "metric" in found else wide.value
        if target:
            groups.setdefault(key, {})[target] = f"pivot:{i}"
    known: list[PivotGroup] = []
    unknown: list[str] = []
    for key, columns in groups.items():
        constants = _pivot_constants(dict(key), wide.fields, subject_of)
        if constants is not None:
            known.append((constants, columns))
        else:
            unknown += [masked(text) for name, text in key if name not in wide.fields and not text.isdigit()]
    header = pl.DataFrame({"value": unknown}, schema={"value": pl.String()})
    issues = issue_frame(
        header.with_columns(pl.lit(block.header_row).alias(ROW)),
        "column_not_recognised",
        "warning",
        "subject_id",
        pl.col("value"),
        pl.format("Столбцы «{}» не прочитаны: таких слов нет в справочнике.", "value"),
        "Проверьте название предмета или фактора в шапке или дополните справочник (reference/).",
    )
    return known, issues


def _pivot_constants(
    found: dict[str, str], vocabularies: dict[str, dict[str, str]], subject_of: Callable[[str], str | None]
) -> dict[str, object] | None:
    """The fields that a value column's header says; None where it says something unknown."""
    constants: dict[str, object] = {}
    for name, text in found.items():
        if name in vocabularies:
            constants[name] = vocabularies[name].get(text)
        elif name == "subject":
            # headers are compared in lower case, codes such as «РУ» are capitals
            constants["subject_id"] = subject_of(text.upper())
        elif name == "grade":
            constants["test_grade"] = int(text)
        elif text.isdigit():
            constants[name] = int(text)
        else:
            constants[name] = text if is_nobody(text) else None
    return None if None in constants.values() else constants


def _recovered_counts(frame: pl.DataFrame, block: Block) -> pl.DataFrame:
    """Counts of marks from shares (89 × 12,36 % = 11), and zeros that the layout says blanks stand for."""
    frame = frame.with_columns(
        pl.when(pl.col("participants") > 0).then(pl.col(name).fill_null(0)).otherwise(pl.col(name)).alias(name)
        for name in block.layout.blank_is_zero
        if name in frame.columns
    )
    shares = [mark for mark in (2, 3, 4, 5) if f"share_{mark}_pct" in frame.columns]
    frame = frame.with_columns(
        (pl.col("participants") * pl.col(f"share_{mark}_pct") / 100)
        .round(0)
        .cast(pl.Int64, strict=False)
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
        (pl.col(KIND) == "absent").sum().alias("absent"),
    )
    # some exports count absentees as participants
    as_declared = pl.col("declared").is_between("present", pl.col("present") + pl.col("absent"))
    differs = counted.filter((pl.col("of_group") > 0) & ~as_declared)
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
    grid = block.rows
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
    declared, known = as_written(pl.col("declared")), as_written(pl.col("expected"))
    return issue_frame(
        rows,
        "minimum_differs",
        "warning",
        "test_score" if facts.assessment == "ege" else "total_score",
        declared,
        pl.format("Минимальная граница в файле {}, в справочнике {}.", declared, known),
        "Проверьте порог этого года в reference/thresholds или reference/scales.",
    )


def _threshold(facts: Facts, reference: Reference) -> float | None:
    """The least passing score: of ЕГЭ the test score of the certificate, of ОГЭ the first score of a «3»."""
    year = f"{(facts.year or 0) - 1}-{facts.year}"
    tables = reference.tables()
    least = tables["minimum_score"].filter(
        (pl.col("assessment") == facts.assessment)
        & (pl.col("subject_id") == facts.subject_id)
        & (pl.col("academic_year") == year)
        & (pl.col("purpose") == "certificate")
        & (pl.col("scale") == "test_score")
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
    return frame.select(
        pl.col(RECORD).cast(pl.Int64),
        *(
            (pl.col(c.name) if c.name in given else pl.lit(None)).cast(polars_type(c), strict=False).alias(c.name)
            for c in spec.columns
        ),
    )
