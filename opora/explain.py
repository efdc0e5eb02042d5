"""Why a school is or is not in the list: from the mart's sentence down to file and row.

What belongs here: walking a published figure back through its deliveries. What does not: rules. Everything
said here stands in the current release and in the parts of the lake that it names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import duckdb
import polars as pl

from opora import labels
from opora.delivery import DeliveryRecord, record_path
from opora.home import Home
from opora.list_years import years_before
from opora.reference import load_reference
from opora.release import require_release
from opora.russian import interval, share
from opora.sql import Row, fetch

_CANDIDATES_SHOWN = 10
_ROWS_SHOWN = 30


class UnknownSchool(LookupError):
    """No school, or more than one, fits what was asked; or nothing is published for that year."""


def explain_school(home: Home, asked: str, year: str | None = None) -> list[str]:
    """Lines for people. Raises UnknownSchool with what to ask instead, ReleaseError before the first release."""
    release = require_release(home)
    with duckdb.connect(str(release.database), read_only=True) as marts:
        return [f"Выпуск {release.release_id}", *explain_from(marts, home, asked, year)]


def explain_from(marts: duckdb.DuckDBPyConnection, home: Home, asked: str, year: str | None = None) -> list[str]:
    """The same from marts that are open already."""
    school = find_school(marts, asked)
    status = _status(marts, school, year)
    return list(_said(marts, home, school, status))


def find_school(marts: duckdb.DuckDBPyConnection, asked: str) -> Row:
    """The school by id, login (with or without prefix), exam code or part of the name."""
    login = re.fullmatch(r"(?i)(?:edu|sch|(ksh))?(\d{6})", asked.strip())
    exact = fetch(
        marts,
        """
        select * from school where school_id = $1 or school_id in (
            select school_id from school_key
            where (key_kind = 'vpr_login' and key_value = $2) or (key_kind = 'exam_code' and key_value = $1))
        """,
        asked.strip(),
        "".join(login.groups("")).lower() if login else "",
    )
    found = exact or fetch(
        marts,
        "select * from school where contains(lower(school_name), lower($1)) order by school_id",
        asked.strip(),
    )
    if not found:
        raise UnknownSchool(f"Школы «{asked}» в выпуске нет. Назовите код школы, логин ФИС ОКО или часть названия.")
    if len(found) > 1:
        names = "\n".join(
            f"  {s['school_id']}  {s['school_name']}, {s['municipality_name'] or '—'}"
            for s in found[:_CANDIDATES_SHOWN]
        )
        raise UnknownSchool(f"Под «{asked}» подходят {len(found)}; назовите код:\n{names}")
    return found[0]


def _status(marts: duckdb.DuckDBPyConnection, school: Row, year: str | None) -> Row:
    """The standing of the asked year; without one the latest in which there was something to judge by."""
    rows = fetch(
        marts,
        "select * from school_status where school_id = $1 order by is_assessed desc, academic_year desc",
        school["school_id"],
    )
    if year is not None:
        rows = [row for row in rows if row["academic_year"] == year]
    if not rows:
        raise UnknownSchool(f"Для школы {school['school_id']} нет списка за {year or 'какой-либо год'}.")
    return rows[0]


def _said(marts: duckdb.DuckDBPyConnection, home: Home, school: Row, status: Row) -> Iterator[str]:
    municipality = school["municipality_name"] or "муниципалитет неизвестен"
    yield f"{school['school_name']} ({school['school_id']}), {municipality}"
    yield f"Список {status['academic_year']} учебного года: {status['status_ru']}."
    yield f"Основание: {status['reason_ru']}."
    if status["undecided_reason_ru"]:
        yield f"Чего не хватило для решения: {status['undecided_reason_ru']}."
    if status["decided_from_years"]:
        yield f"Решено по: {status['decided_from_years']}."
    if status["evidence_participants"] is not None:
        yield f"Основание держится на {status['evidence_participants']} участниках: {status['reliability_ru']}."
    yield f"Методика: {status['method_id']}."
    yield from _beside(marts, status)
    reference = load_reference()
    names = {procedure.procedure_id: procedure.short_ru for procedure in reference.procedures}
    subjects = reference.tables()["procedure_subject"]
    for year in (*years_before(status["academic_year"], 2), status["academic_year"]):
        results = fetch(
            marts,
            "select * from procedure_result where school_id = $1 and academic_year = $2 order by procedure_id",
            school["school_id"],
            year,
        )
        if not results:
            continue
        yield ""
        yield f"Результаты {year} учебного года:"
        for result in results:
            yield f"  {names[result['procedure_id']]}: {_sentence(result)}"
            if result["delivery_ids"]:
                yield from _sources(marts, home, school, result, subjects)


def _beside(marts: duckdb.DuckDBPyConnection, status: Row) -> Iterator[str]:
    """Conditions, resources and partners; a release made before they were known says nothing of them."""
    if "context_class_ru" not in status:
        return
    yield f"Условия: {status['adverse_conditions_ru']}."
    yield f"Ресурсы: {status['resource_deficit_ru']}."
    yield f"Условия и результат: {status['context_class_ru']}."
    partners = fetch(
        marts,
        """
        select leader.school_name, pair.reason_ru
        from partnership as pair left join school as leader on pair.leader_school_id = leader.school_id
        where pair.school_id = $1 and pair.academic_year = $2 order by pair.leader_number
        """,
        status["school_id"],
        status["academic_year"],
    )
    for partner in partners:
        yield f"Школа-лидер: {partner['school_name'] or 'нет'}. {partner['reason_ru']}"


def _sentence(result: Row) -> str:
    if result["state"] != "held":
        return labels.RESULT_STATE[result["state"]]
    if result["below_minimum"] is None:
        return f"участников {result['participants']}, отметок нет и шкалы этого года нет"
    verdict = "НИЗКИЙ РЕЗУЛЬТАТ" if result["is_low"] else "не низкий"
    by_scale = {"scale": ", отметки выведены по шкале", "mixed": ", часть отметок выведена по шкале"}
    origin = by_scale.get(result["mark_origin"], "") if result["scale_id"] else ""
    return (
        f"{result['below_minimum']} из {result['participants']} ({share(result['below_share'])}, "
        f"интервал {interval(result['share_ci_low'], result['share_ci_high'])}), {verdict}, "
        f"{result['reliability_ru']}{origin}"
    )


def _if_purged(home: Home, delivery_id: str) -> str:
    """That the original is gone, if it is: rows are named all the same, from the lake."""
    path = record_path(home, delivery_id)
    if not path.is_file():
        return ""
    record = DeliveryRecord.model_validate_json(path.read_text(encoding="utf-8"))
    if not record.purged or any((home.landing / name).is_file() for name in record.paths):
        return ""
    return f" (оригинал удалён {record.purged[-1].at:%d.%m.%Y}: {record.purged[-1].reason_ru})"


def _sources(
    marts: duckdb.DuckDBPyConnection, home: Home, school: Row, result: Row, subjects: pl.DataFrame
) -> Iterator[str]:
    """Files, sheets and rows that a figure was counted from; `subjects` are those of each procedure."""
    keys = fetch(
        marts,
        "select distinct key_kind, key_value from school_key where school_id = $1 and academic_year = $2",
        school["school_id"],
        result["academic_year"],
    )
    assessment, grade, _ = str(result["procedure_id"]).split("_", 2)
    of_procedure = subjects.filter(pl.col("procedure_id") == result["procedure_id"])["subject_id"].to_list()
    tables = ("assessment_result", "appeal") if result["result_source"] == "participants" else ("aggregate_result",)
    wanted = (
        pl.col("school_key").is_in([key["key_value"] for key in keys])
        & (pl.col("assessment") == assessment)
        & (pl.col("test_grade") == int(grade))
        & pl.col("subject_id").is_in(of_procedure)
    )
    for delivery_id in str(result["delivery_ids"]).split(";"):
        named = fetch(marts, "select file_name from delivery where delivery_id = $1", delivery_id)
        file_name = (named[0]["file_name"] if named else delivery_id) + _if_purged(home, delivery_id)
        parts = [home.lake_part(table, str(result["academic_year"]), delivery_id) for table in tables]
        present = [part for part in parts if part.exists()]
        if not present:
            yield f"      {file_name} ({delivery_id}): части озера нет, строки назвать нельзя"
        for part in present:
            rows = pl.scan_parquet(part, hive_partitioning=False).filter(wanted).collect()
            if "attendance" in rows.columns:
                rows = rows.filter(pl.col("attendance") == "participated")
            for (sheet,), group in rows.group_by("sheet", maintain_order=True):
                place = f", лист «{sheet}»" if sheet else ""
                yield f"      {file_name}{place}, строки {_spans(group['source_row'].to_list())}"


def _spans(rows: Iterable[int]) -> str:
    """Row numbers as spans: 3, 5–9."""
    spans: list[list[int]] = []
    for row in sorted(rows):
        if spans and row == spans[-1][1] + 1:
            spans[-1][1] = row
        else:
            spans.append([row, row])
    shown: Sequence[str] = [str(a) if a == b else f"{a}–{b}" for a, b in spans[:_ROWS_SHOWN]]
    return ", ".join(shown) + (" …" if len(spans) > _ROWS_SHOWN else "") or "—"
