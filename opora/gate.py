"""The gate: what must hold of a candidate before readers may get it.

What belongs here: checks of the exported files as a reader would find them. What does not: checks of rows
while they are read (`opora/checks.py`) and of relations inside the build (dbt tests, which run before).
Each check answers with what holds, or with what to look at.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from opora.release import DATABASE, OFFICIAL, read_release
from schemas.pandera_schemas import failures
from schemas.registry import tables


@dataclass(frozen=True)
class GateCheck:
    """One verdict: the check, whether it passed, what was seen and what to look at."""

    check_id: str
    passed: bool
    message_ru: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def judge_candidate(candidate: Path) -> list[GateCheck]:
    """All checks of a candidate folder, failed ones included."""
    official = candidate / OFFICIAL
    checks = [_matches_registry(official, mart.table) for mart in tables("marts")]
    with duckdb.connect(str(official / DATABASE), read_only=True) as connection:
        checks += [_query(connection, *check) for check in _RECONCILIATIONS]
    return [*checks, _has_schools(candidate)]


def _matches_registry(official: Path, mart: str) -> GateCheck:
    found = failures(mart, pl.read_parquet(official / f"{mart}.parquet"))
    if found.is_empty():
        return GateCheck(f"{mart}_matches_registry", True, "Столбцы, типы, значения и ключ по реестру.")
    first = found.row(0, named=True)
    return GateCheck(
        f"{mart}_matches_registry",
        False,
        f"Нарушений {found.height}; первое: столбец {first['column']}, {first['check_id']}, {first['value']}. "
        f"Смотрите schemas/marts/{mart}.yaml и модель {mart} в dbt.",
    )


def _query(connection: duckdb.DuckDBPyConnection, check_id: str, holds_ru: str, look_ru: str, sql: str) -> GateCheck:
    rows = connection.execute(sql).fetchall()
    if not rows:
        return GateCheck(check_id, True, holds_ru)
    return GateCheck(check_id, False, f"{look_ru} Расхождений: {len(rows)}, первое: {rows[0]}.")


_RECONCILIATIONS: tuple[tuple[str, str, str, str], ...] = (
    (
        "every_row_of_every_delivery_is_accounted_for",
        "У каждой поставки строк пришло столько, сколько принято, отложено и объявлено не данными.",
        "Строки поставки не сходятся: смотрите витрину delivery.",
        """
        select delivery_id, rows_in from delivery
        where rows_in <> rows_accepted + rows_quarantined + rows_absent + rows_group
                       + rows_footer + rows_blank + rows_total + rows_suppressed
        """,
    ),
    (
        "region_totals_equal_schools",
        "Участники и не преодолевшие порог в итоге региона равны сумме по школам без повторного счёта филиалов.",
        "Итог региона не равен сумме школ: смотрите region_summary и procedure_result.",
        """
        with schools as (
            select r.academic_year, s.region_code, r.procedure_id,
                   sum(r.own_participants) as participants, sum(r.own_below_minimum) as below_minimum
            from procedure_result as r join school as s using (school_id)
            where s.is_school and r.own_unknown_count = 0
            group by all
        )
        select academic_year, region_code, procedure_id, region.participants, schools.participants
        from region_summary as region
        left join schools using (academic_year, region_code, procedure_id)
        where procedure_id <> 'all'
          and (coalesce(region.participants, 0) <> coalesce(schools.participants, 0)
               or coalesce(region.below_minimum, 0) <> coalesce(schools.below_minimum, 0))
        """,
    ),
    (
        "municipalities_add_up_to_region",
        "Муниципалитеты в сумме дают регион.",
        "Сумма муниципалитетов не равна региону: смотрите municipality_summary.",
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
        "flags_follow_from_counts",
        "Признак «низкие результаты» следует из целых чисел строки.",
        "Признак противоречит числам: смотрите procedure_result.",
        """
        select academic_year, school_id, procedure_id from procedure_result
        where is_low and (participants is null or participants = 0 or below_minimum = 0)
        """,
    ),
    (
        "listed_schools_have_grounds",
        "У каждой школы списка названо основание.",
        "Школа в списке без основания: смотрите school_status.",
        """
        select academic_year, school_id from school_status
        where is_shnor and (shnor_basis is null or reason_ru is null)
        """,
    ),
)


def _has_schools(candidate: Path) -> GateCheck:
    counts = read_release(candidate).manifest["row_counts"]
    passed = counts.get("school", 0) > 0
    words = f"Школ {counts.get('school', 0)}." if passed else "Нет ни одной школы: проверьте, что поставки приняты."
    return GateCheck("there_are_schools", passed, words)


CHECK_IDS: dict[str, str] = {
    **{
        f"{mart.table}_matches_registry": f"Витрина {mart.table} такова, как сказано в реестре."
        for mart in tables("marts")
    },
    **{check_id: holds_ru for check_id, holds_ru, _, _ in _RECONCILIATIONS},
    "there_are_schools": "В выпуске есть школы.",
}
