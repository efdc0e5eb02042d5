"""Figures that must agree: across grains, with the former release, with reviewed counts, with published totals.

What belongs here: one query a check, whose rows are the differences, with the words of what holds and where to look.
What does not: single columns (`suites.py`) and the decision what becomes of a candidate (`opora/gate.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from opora.quality.facts import ExpectedRows, GateFacts
from schemas.registry import tables


@dataclass(frozen=True)
class Difference:
    """A check of the candidate: what holds, what to do if it does not, and whether a reason given lets it pass."""

    check_id: str
    holds_ru: str
    look_ru: str
    can_be_accepted: bool = False


@dataclass(frozen=True)
class Found:
    """What a check found: no rows if all agrees. `note_ru` says why there was nothing to compare."""

    difference: Difference
    rows: pl.DataFrame
    note_ru: str = ""


_RECONCILIATIONS: tuple[tuple[Difference, str], ...] = (
    (
        Difference(
            "every_row_of_every_delivery_is_accounted_for",
            "У каждой поставки строк пришло столько, сколько принято, отложено и объявлено не данными.",
            "Строки поставки не сходятся: смотрите витрину delivery.",
        ),
        """
        select delivery_id, rows_in from delivery
        where rows_in <> rows_accepted + rows_quarantined + rows_absent + rows_group
                       + rows_footer + rows_blank + rows_total + rows_suppressed
        """,
    ),
    (
        Difference(
            "region_totals_equal_schools",
            "Участники и не преодолевшие порог в итоге региона равны сумме по школам без повторного счёта филиалов.",
            "Итог региона не равен сумме школ: смотрите region_summary и procedure_result.",
        ),
        """
        with schools as (
            select r.academic_year, s.region_code, r.procedure_id,
                   sum(r.own_participants) as participants, sum(r.own_below_minimum) as below_minimum
            from procedure_result as r join school as s using (school_id)
            where s.is_school and r.own_unknown_count = 0
            group by all
        )
        select academic_year, region_code, procedure_id, region.participants,
               schools.participants as participants_of_schools
        from region_summary as region
        left join schools using (academic_year, region_code, procedure_id)
        where procedure_id <> 'all'
          and (coalesce(region.participants, 0) <> coalesce(schools.participants, 0)
               or coalesce(region.below_minimum, 0) <> coalesce(schools.below_minimum, 0))
        """,
    ),
    (
        Difference(
            "municipalities_add_up_to_region",
            "Муниципалитеты в сумме дают регион.",
            "Сумма муниципалитетов не равна региону: смотрите municipality_summary.",
        ),
        """
        with parts as (
            select academic_year, region_code, procedure_id,
                   sum(schools_count) as schools_count, sum(shnor_count) as shnor_count,
                   sum(participants) as participants
            from municipality_summary group by all
        )
        select academic_year, region_code, procedure_id
        from region_summary as region
        join parts using (academic_year, region_code, procedure_id)
        where region.schools_count <> parts.schools_count
           or coalesce(region.shnor_count, 0) <> coalesce(parts.shnor_count, 0)
           or coalesce(region.participants, 0) <> coalesce(parts.participants, 0)
        """,
    ),
    (
        Difference(
            "flags_follow_from_counts",
            "Признак «низкие результаты» следует из целых чисел строки.",
            "Признак противоречит числам: смотрите procedure_result.",
        ),
        """
        select academic_year, school_id, procedure_id from procedure_result
        where is_low and (participants is null or participants = 0 or below_minimum = 0)
        """,
    ),
    (
        Difference(
            "listed_schools_have_grounds",
            "У каждой школы списка названо основание.",
            "Школа в списке без основания: смотрите school_status.",
        ),
        """
        select academic_year, school_id from school_status
        where is_shnor and (shnor_basis is null or reason_ru is null)
        """,
    ),
    (
        Difference(
            "list_size_equals_listed_schools",
            "Число школ в списке региона равно числу школ с признаком.",
            "Итог списка не равен числу школ: смотрите region_summary и school_status.",
        ),
        """
        with listed as (
            select t.academic_year, s.region_code, count(*) filter (where t.is_shnor) as shnor_count
            from school_status as t join school as s using (school_id)
            group by all
        )
        select academic_year, region_code, region.shnor_count, listed.shnor_count as listed_schools
        from region_summary as region
        join listed using (academic_year, region_code)
        where procedure_id = 'all' and region.shnor_count <> listed.shnor_count
        """,
    ),
)

_PUBLISHED = Difference(
    "published_totals_agree",
    "Итоги, опубликованные в отчётах (вся выборка, регион, муниципалитет), сходятся с суммой школ.",
    "Опубликованный итог расходится с суммой школ: смотрите витрину published_total, столбцы status и note_ru.",
    can_be_accepted=True,
)
_ROWS_KEPT = Difference(
    "rows_did_not_fall",
    "Строк витрин за прошлые годы не меньше, чем в прежнем выпуске.",
    "За год, который уже был опубликован, строк стало меньше: проверьте, не пропала ли поставка (витрина delivery). "
    "Если так и должно быть, запустите opora run --accept с причиной.",
    can_be_accepted=True,
)
_PARTICIPANTS_KEPT = Difference(
    "participants_did_not_fall",
    "Участников процедур за прошлые годы не меньше, чем в прежнем выпуске.",
    "За год, который уже был опубликован, участников стало меньше: проверьте поставки процедуры (витрина delivery). "
    "Если так и должно быть, запустите opora run --accept с причиной.",
    can_be_accepted=True,
)
_LIST_KEPT = Difference(
    "list_did_not_jump",
    "Списки прошлых лет не изменились против прежнего выпуска больше, чем допускают настройки шлюза.",
    "Список года, который уже был опубликован, изменился сильно: смотрите opora release diff. "
    "Если так и должно быть, запустите opora run --accept с причиной.",
    can_be_accepted=True,
)
_ROWS_EXPECTED = Difference(
    "rows_are_as_reviewed",
    "Строк витрин по годам столько, сколько записано в проверенном файле expected_rows.yaml.",
    "Строк не столько, сколько ожидали: проверьте поставки или обновите файл командой opora release expect.",
    can_be_accepted=True,
)
DIFFERENCES: tuple[Difference, ...] = (
    *(difference for difference, _ in _RECONCILIATIONS),
    _PUBLISHED,
    _ROWS_KEPT,
    _PARTICIPANTS_KEPT,
    _LIST_KEPT,
    _ROWS_EXPECTED,
)


def differences(
    candidate: Path, former: Path | None, expected: Sequence[ExpectedRows] | None, facts: GateFacts
) -> list[Found]:
    """All checks between figures. `candidate` and `former` are files `marts.duckdb`."""
    with duckdb.connect(str(candidate), read_only=True) as connection:
        found = [Found(check, connection.execute(query).pl()) for check, query in _RECONCILIATIONS]
        found.append(Found(_PUBLISHED, connection.execute(_PUBLISHED_QUERY).pl()))
        counts = _rows_by_year(connection)
        found.append(_expected(counts, expected))
        if former is None:
            none = pl.DataFrame()
            return found + [Found(check, none, _FIRST) for check in (_ROWS_KEPT, _PARTICIPANTS_KEPT, _LIST_KEPT)]
        with duckdb.connect(str(former), read_only=True) as before:
            earlier = _lasting(_rows_by_year(before))
            former_results = before.execute(_RESULTS_QUERY).pl()
            former_list = before.execute(_LIST_QUERY).pl()
        found.append(Found(_ROWS_KEPT, _fallen(counts, earlier, "rows", facts.rows_may_fall_pct.value)))
        results = connection.execute(_RESULTS_QUERY).pl()
        limit = facts.participants_may_fall_pct.value
        found.append(Found(_PARTICIPANTS_KEPT, _fallen(results, former_results, "participants", limit)))
        found.append(Found(_LIST_KEPT, _jumped(connection.execute(_LIST_QUERY).pl(), former_list, facts)))
    return found


_FIRST = "Прежнего выпуска нет, сравнивать не с чем."
_PUBLISHED_QUERY = """
select academic_year, territory_level, territory_name, assessment, test_grade, subject_id, status, note_ru
from published_total where status = 'differs' order by all
"""
_RESULTS_QUERY = """
select academic_year, procedure_id, cast(sum(own_participants) as bigint) as participants
from procedure_result where own_participants is not null group by all
"""
_LIST_QUERY = "select academic_year, school_id from school_status where is_shnor"


def _rows_by_year(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Rows of every mart that has academic years, by mart and year."""
    marts = connection.execute(
        "select table_name from duckdb_columns() where column_name = 'academic_year' order by 1"
    ).fetchall()
    parts = [
        f"select '{mart}' as mart, academic_year, count(*) as rows from {mart} "
        "where academic_year is not null group by all"
        for (mart,) in marts
    ]
    return connection.execute(" union all ".join(parts)).pl()


def rows_by_year(database: Path) -> list[ExpectedRows]:
    """The rows of a release's marts, as a person reviews them."""
    with duckdb.connect(str(database), read_only=True) as connection:
        counts = _rows_by_year(connection).sort("mart", "academic_year")
    return [ExpectedRows(mart=mart, academic_year=year, rows=rows) for mart, year, rows in counts.iter_rows()]


def _lasting(counts: pl.DataFrame) -> pl.DataFrame:
    """Rows of marts that keep every year: rows of the others leave in time."""
    return counts.filter(~pl.col("mart").is_in([mart.table for mart in tables("marts") if mart.moving_window]))


def _fallen(now: pl.DataFrame, before: pl.DataFrame, measure: str, limit_pct: int) -> pl.DataFrame:
    """Where a count of the former release fell by more than the limit; a mart that is gone is no matter of counts."""
    keys = [name for name in before.columns if name != measure]
    if "mart" in keys:
        before = before.join(now.select("mart").unique(), on="mart")
    joined = before.join(now, on=keys, how="left", suffix="_now").with_columns(pl.col(f"{measure}_now").fill_null(0))
    fell = (pl.col(measure) - pl.col(f"{measure}_now")) * 100 > limit_pct * pl.col(measure)
    return joined.filter(fell).sort(keys)


def _jumped(now: pl.DataFrame, before: pl.DataFrame, facts: GateFacts) -> pl.DataFrame:
    """Years of the former release whose list gained or lost more than the limits allow."""
    years = before.select("academic_year").unique()
    entered = now.join(years, on="academic_year").join(before, on=["academic_year", "school_id"], how="anti")
    left = before.join(now, on=["academic_year", "school_id"], how="anti")
    counts = (
        before.group_by("academic_year")
        .len("listed_before")
        .join(entered.group_by("academic_year").len("entered"), on="academic_year", how="left")
        .join(left.group_by("academic_year").len("left"), on="academic_year", how="left")
        .with_columns(pl.col("listed_before", "entered", "left").fill_null(0).cast(pl.Int64))
    )
    changed = pl.col("entered") + pl.col("left")
    return counts.filter(
        (changed > facts.listed_may_change_schools.value)
        & (changed * 100 > facts.listed_may_change_pct.value * pl.col("listed_before"))
    ).sort("academic_year")


def _expected(counts: pl.DataFrame, expected: Sequence[ExpectedRows] | None) -> Found:
    if expected is None:
        return Found(_ROWS_EXPECTED, pl.DataFrame(), "Файла expected_rows.yaml нет: opora release expect напишет его.")
    return Found(_ROWS_EXPECTED, pl.DataFrame(list(_unexpected(counts, expected))))


def _unexpected(counts: pl.DataFrame, expected: Iterable[ExpectedRows]) -> Iterator[dict[str, object]]:
    observed = {(mart, year): rows for mart, year, rows in counts.iter_rows()}
    for item in expected:
        rows = observed.get((item.mart, item.academic_year), 0)
        if abs(rows - item.rows) * 100 > item.tolerance_pct * item.rows:
            yield {"mart": item.mart, "academic_year": item.academic_year, "expected": item.rows, "rows": rows}
