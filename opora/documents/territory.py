"""The analytical note of a municipality or the region: the list with reasons, results, risks, deficits, partners.

Belongs here: which rows of the marts the note shows and in what words. Does not belong here: figures and rendering.
Schools and municipalities stand in the order of their names: a place among others is computed nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from opora import labels
from opora import russian as fmt
from opora.documents.facts import Scope
from opora.documents.model import (
    Column,
    CountChart,
    Document,
    IntervalChart,
    Mark,
    Section,
    SectionShape,
    Shape,
)
from opora.documents.parts import (
    LIMITS,
    RECOMMENDATIONS,
    SHARE_COLUMNS,
    SOURCES,
    document,
    limits,
    recommendations,
    sources,
)
from opora.documents.reader import DocumentRefused, MartRow, Marts
from opora.documents.school import NOTE, deficit_rows, deficit_section
from opora.list_years import years_before

DASH = fmt.DASH
_COUNTS = (
    Column("schools", "Школ", 0.9, True),
    Column("assessed", "Оценивается", 1.3, True),
    Column("listed", "В списке", 1.0, True),
    Column("new", "Новых", 0.9, True),
    Column("continuing", "Остались", 1.1, True),
    Column("left", "Вышли", 0.9, True),
    Column("at_risk", "В зоне риска", 1.1, True),
)
_LISTED = SectionShape(
    "listed",
    "Школы списка и основания",
    (
        Column("school", "Школа", 2.8),
        Column("reason", "Основание", 4.4),
        Column("n", "Участников", 1.5, True),
        Column("reliability", "Надёжность", 1.5),
        Column("years", "Лет подряд", 1.0, True),
    ),
)
RISK_SECTION = SectionShape(
    "at_risk",
    "Школы зоны риска",
    (
        Column("school", "Школа", 3.4),
        Column("municipality", "Муниципалитет", 2.2),
        Column("low", "Низких процедур", 1.1, True),
        Column("assessed", "Оценено процедур", 1.1, True),
        Column("is_listed", "В списке", 0.9),
    ),
)
_MUNICIPALITIES = SectionShape(
    "municipalities", "Муниципалитеты", (Column("municipality", "Муниципалитет", 3.4), *_COUNTS)
)
_COMMON = (
    _LISTED,
    RISK_SECTION,
    SectionShape(
        "risks",
        "Факторы риска",
        (
            Column("factor", "Фактор риска", 3.6),
            Column("known", "Школ с профилем", 1.4, True),
            Column("high", "Высокая значимость", 1.6, True),
            Column("share", "Доля", 0.9, True),
            Column("interval", "Интервал 95\u00a0%", 1.4, True),
            Column("finding", "Вывод", 2.8),
        ),
    ),
    next(section for section in NOTE.sections if section.key == "deficits"),
    SectionShape(
        "objectivity",
        "Признаки необъективности ВПР",
        (
            Column("year", "Учебный год", 1.2),
            Column("checked", "Школ проверено", 1.2, True),
            Column("marked", "С признаком", 1.2, True),
            Column("markers", "Признаков", 1.1, True),
            Column("index", "Индекс объективности", 1.4, True),
            Column("published", "В опубликованном списке", 1.6, True),
        ),
    ),
    SectionShape(
        "partners",
        "Партнёры школ списка",
        (Column("school", "Школа", 3.0), Column("leader", "Школа-лидер", 3.0), Column("origin", "Откуда пара", 1.4)),
    ),
    SectionShape(
        "measures",
        "Просроченное по программам",
        (
            Column("programme", "Программа", 1.6),
            Column("item", "Показатель или мероприятие", 4.4),
            Column("due", "Срок", 1.2),
            Column("days", "Дней просрочки", 1.1, True),
            Column("status", "Состояние", 1.3),
            Column("who", "Кто отвечает", 2.4),
        ),
    ),
    RECOMMENDATIONS,
    LIMITS,
    SOURCES,
)
_SUMMARY = SectionShape("summary", "Список по годам", (Column("year", "Учебный год", 1.2), *_COUNTS), has_chart=True)
_RESULTS = SectionShape(
    "results",
    "Результаты по процедурам",
    (
        Column("year", "Учебный год", 1.0),
        Column("procedure", "Процедура", 1.2),
        Column("low_schools", "Школ с низким", 1.1, True),
        *SHARE_COLUMNS,
    ),
    has_chart=True,
)
MUNICIPALITY = Shape("municipality", "Аналитическая справка по муниципалитету", (_SUMMARY, _RESULTS, *_COMMON))
REGION = Shape("region", "Аналитическая справка по региону", (_SUMMARY, _RESULTS, _MUNICIPALITIES, *_COMMON))


@dataclass(frozen=True)
class _Territory:
    """Whose note it is, and where the marts keep its rows."""

    level: Scope
    territory_id: str
    name_ru: str
    region_code: str

    @property
    def mart(self) -> str:
        return f"{self.level}_summary"

    @property
    def key(self) -> str:
        return "municipality_id" if self.level == "municipality" else "region_code"


def municipality_note(marts: Marts, municipality_id: str, year: str | None = None) -> Document:
    """Raises DocumentRefused for a municipality that the release does not know."""
    found = marts.one("select * from municipality_summary where municipality_id = $1 limit 1", municipality_id)
    if found is None:
        raise DocumentRefused(f"Муниципалитета {municipality_id} в выпуске нет.")
    name = fmt.text(found["municipality_name"])
    return _note(marts, _Territory("municipality", municipality_id, name, found["region_code"]), MUNICIPALITY, year)


def region_note(marts: Marts, region_code: str, year: str | None = None) -> Document:
    """Raises DocumentRefused for a region that the release does not know."""
    if marts.one("select 1 as found from region_summary where region_code = $1 limit 1", region_code) is None:
        raise DocumentRefused(f"Региона {region_code} в выпуске нет.")
    name = f"Субъект Российской Федерации, код{fmt.NBSP}{region_code}"
    return _note(marts, _Territory("region", region_code, name, region_code), REGION, year)


def _note(marts: Marts, of: _Territory, shape: Shape, year: str | None) -> Document:
    list_year = marts.checked_year(year)
    summary = marts.rows(
        f"select * from {of.mart} where {of.key} = $1 and procedure_id = 'all' order by academic_year", of.territory_id
    )
    listed = listed_schools(marts, list_year, **{of.key: of.territory_id})
    risk_year, at_risk = at_risk_schools(marts, list_year, **{of.key: of.territory_id})
    risks = marts.rows(
        """
        select * from risk_summary where territory_level = $1 and territory_id = $2 and population_id = 'all'
            and academic_year = (select max(academic_year) from risk_summary
                where territory_level = $1 and territory_id = $2 and known_count > 0 and academic_year <= $3)
        order by sort_order
        """,
        of.level,
        of.territory_id,
        list_year,
    )
    deficits = deficit_rows(marts, of.level, of.territory_id, list_year)
    objectivity = marts.rows(
        """
        select * from objectivity_summary where territory_level = $1 and territory_id = $2 and procedure_id = 'all'
            and academic_year < $3 order by academic_year desc limit 3
        """,
        of.level,
        of.territory_id,
        list_year,
    )
    schools = [row["school_id"] for row in listed]
    partners = marts.rows(
        """
        select p.*, s.school_name, leader.school_name as leader_name, leader.municipality_name as leader_municipality
        from partnership as p join school as s on s.school_id = p.school_id
        left join school as leader on leader.school_id = p.leader_school_id
        where p.academic_year = $1 and p.school_id in (select unnest($2::varchar[]))
        order by s.school_name collate ru, p.school_id, p.leader_number
        """,
        list_year,
        schools,
    )
    current = [row for row in summary if row["academic_year"] == list_year]
    # of the year of the risk zone only the zone counts: its list is another one
    counts = ("shnor_count", "new_count", "continuing_count", "left_count")
    at_risk_now = [row | dict.fromkeys(counts) for row in summary if row["academic_year"] == risk_year]
    contexts = marts.rows("select * from school_context where academic_year = $1", years_before(list_year, 1)[0])
    rows = {
        of.mart: [*current, *at_risk_now],
        "risk_summary": risks,
        "task_deficit": deficits,
        "objectivity_summary": objectivity[:1],
        "partnership": partners,
        "school_context": contexts,
        "quality_issue": marts.rows("select * from quality_issue where is_active and severity <> 'warning' limit 1"),
    }
    sections = {
        "summary": _summary(summary),
        "results": _results(marts, of, list_year),
        "listed": listed_section(listed, list_year),
        "at_risk": at_risk_section(at_risk, risk_year),
        "risks": _risks(risks),
        "deficits": deficit_section(marts, deficits, "муниципалитет")
        if of.level == "municipality"
        else Section(
            ("По региону дефициты не выводятся: сравнить его не с чем. Они стоят в справках муниципалитетов и школ.",),
        ),
        "objectivity": _objectivity(objectivity),
        "partners": _partners(partners),
        "measures": _overdue(marts, of),
        "recommendations": recommendations(marts, of.level, rows, list_year),
        "limits": limits(marts, of.level),
        "sources": list_sources(marts, list_year),
    }
    if of.level == "region":
        sections["municipalities"] = _municipalities(marts, of, list_year)
    return document(
        marts,
        shape,
        stem=of.name_ru if of.level == "municipality" else f"Регион {of.region_code}",
        title_ru="Аналитическая справка",
        subtitle_ru=of.name_ru,
        facts=(
            ("Территория", of.name_ru),
            ("Учебный год списка", fmt.year(list_year)),
            ("Школ в списке", fmt.number(current[0]["shnor_count"]) if current else DASH),
            ("Методика", fmt.text(marts.method.title_ru)),
            ("Сведения", f"{marts.maturity_ru(list_year)}, {marts.release_ru} от {fmt.day(marts.release_day)}"),
        ),
        sections=sections,
        year=list_year,
    )


# --- the list ------------------------------------------------------------------------------------------


def listed_schools(
    marts: Marts, list_year: str, municipality_id: str | None = None, region_code: str | None = None
) -> list[MartRow]:
    """Schools of the list with their grounds, by municipality and name."""
    return _schools(marts, "t.is_shnor", list_year, municipality_id, region_code)


def left_schools(marts: Marts, list_year: str, region_code: str) -> list[MartRow]:
    """Schools of the list before that this one has no more, by municipality and name."""
    return _schools(marts, "t.listing = 'left'", list_year, region_code=region_code)


def _schools(
    marts: Marts, condition: str, year: str, municipality_id: str | None = None, region_code: str | None = None
) -> list[MartRow]:
    return marts.rows(
        f"""
        select t.*, s.school_name, s.municipality_name, s.vpr_login
        from school_status as t join school as s using (school_id)
        where {condition} and t.academic_year = $1
            and ($2::varchar is null or s.municipality_id = $2) and ($3::varchar is null or s.region_code = $3)
        order by s.municipality_name collate ru, s.school_name collate ru, t.school_id
        """,
        year,
        municipality_id,
        region_code,
    )


def at_risk_schools(
    marts: Marts, list_year: str, municipality_id: str | None = None, region_code: str | None = None
) -> tuple[str | None, list[MartRow]]:
    """The newest year up to the list's whose risk zone is decided, and the schools in it."""
    found = marts.one(
        "select max(academic_year) as year from school_status where is_at_risk is not null and academic_year <= $1",
        list_year,
    )
    year = found["year"] if found else None
    return year, _schools(marts, "t.is_at_risk", year, municipality_id, region_code) if year else []


def listed_section(listed: list[MartRow], list_year: str) -> Section:
    if not listed:
        return Section((f"На {fmt.year(list_year)} учебный год в списке школ нет.",))
    return Section(
        (f"Список на {fmt.year(list_year)} учебный год, по алфавиту муниципалитетов и школ.",),
        rows=tuple(
            {
                "school": f"{fmt.text(row['school_name'])}, {fmt.text(row['municipality_name'])}",
                "reason": fmt.text(row["reason_ru"]),
                "n": fmt.number(row["evidence_participants"]),
                "reliability": fmt.text(row["reliability_ru"]),
                "years": fmt.number(row["years_listed_in_a_row"]),
            }
            for row in listed
        ),
        note_ru="Участников — на скольких держится основание. Надёжность формального признака не меняет.",
    )


def at_risk_section(schools: list[MartRow], year: str | None) -> Section:
    if year is None:
        return Section(("Зона риска не решена: результатов текущего года нет.",))
    if not schools:
        return Section((f"По результатам {fmt.year(year)} учебного года школ в зоне риска нет.",))
    return Section(
        (f"По результатам {fmt.year(year)} учебного года: низкий результат хотя бы по одной процедуре.",),
        rows=tuple(
            {
                "school": fmt.text(row["school_name"]),
                "municipality": fmt.text(row["municipality_name"]),
                "low": fmt.number(row["low_procedures_current_year"]),
                "assessed": fmt.number(row["assessed_procedures_current_year"]),
                "is_listed": fmt.yes(row["is_shnor"]),
            }
            for row in schools
        ),
    )


# --- counts and results --------------------------------------------------------------------------------


def _count_row(row: MartRow) -> dict[str, str]:
    return {
        "schools": fmt.number(row["schools_count"]),
        "assessed": fmt.number(row["assessed_schools_count"]),
        "listed": fmt.number(row["shnor_count"]),
        "new": fmt.number(row["new_count"]),
        "continuing": fmt.number(row["continuing_count"]),
        "left": fmt.number(row["left_count"]),
        "at_risk": fmt.number(row["at_risk_count"]),
    }


def _summary(summary: list[MartRow]) -> Section:
    chart = CountChart(
        title_ru="Школ в списке по учебным годам: остались с прошлого года и новые",
        axis_ru="Школ в списке",
        labels=tuple(fmt.year(row["academic_year"]) for row in summary),
        lower=tuple(row["continuing_count"] for row in summary),
        upper=tuple(row["new_count"] for row in summary),
        lower_ru="остались",
        upper_ru="новые",
        alt_ru="Школ в списке по годам: "
        + "; ".join(f"{fmt.year(row['academic_year'])} — {fmt.number(row['shnor_count'])}" for row in summary)
        + ". Те же величины стоят в таблице.",
    )
    return Section(
        rows=tuple({"year": fmt.year(row["academic_year"])} | _count_row(row) for row in summary),
        note_ru="Прочерк — данных не хватило. Год — учебный год, когда список действует; в первом списке все новые.",
        chart=chart if any(row["shnor_count"] is not None for row in summary) else None,
    )


def _results(marts: Marts, of: _Territory, list_year: str) -> Section:
    year = years_before(list_year, 1)[0]
    found = marts.rows(
        f"select * from {of.mart} where {of.key} = $1 and academic_year = $2 and procedure_id <> 'all'",
        of.territory_id,
        year,
    )
    found = marts.in_order(row for row in found if row["participants"])
    if not found:
        return Section((f"Результатов {fmt.year(year)} учебного года нет.",))
    region = {
        row["procedure_id"]: row["below_share"]
        for row in marts.rows(
            "select * from region_summary where region_code = $1 and academic_year = $2", of.region_code, year
        )
    }
    beside = of.level == "municipality"
    known = [row for row in found if row["below_share"] is not None]
    told = "; ".join(f"{marts.short(row['procedure_id'])}: {fmt.share(row['below_share'])}" for row in known)
    chart = IntervalChart(
        title_ru=f"Доля участников ниже минимума, {fmt.year(year)} учебный год, %, с интервалом 95 %",
        axis_ru="Участников ниже минимума, %",
        marks=tuple(
            Mark(
                f"{marts.short(row['procedure_id'])}  (n = {fmt.number(row['participants'])})",
                row["below_share"],
                row["share_ci_low"],
                row["share_ci_high"],
                other=region.get(row["procedure_id"]) if beside else None,
            )
            for row in known
        ),
        alt_ru=f"Доля участников ниже минимума по процедурам: {told}. Те же величины стоят в таблице.",
        value_ru="муниципалитет" if beside else "регион",
        other_ru="регион",
    )
    return Section(
        rows=tuple(
            {
                "year": fmt.year(row["academic_year"]),
                "procedure": marts.short(row["procedure_id"]),
                "low_schools": fmt.number(row["low_schools_count"]),
                "participants": fmt.number(row["participants"]),
                "below_minimum": fmt.number(row["below_minimum"]),
                "below_share": fmt.share(row["below_share"]),
                "interval": fmt.interval(row["share_ci_low"], row["share_ci_high"]),
            }
            for row in found
        ),
        note_ru="Доли посчитаны по всем участникам вместе, а не как среднее процентов школ.",
        chart=chart if known else None,
    )


def _municipalities(marts: Marts, of: _Territory, list_year: str) -> Section:
    found = marts.rows(
        """
        select * from municipality_summary where region_code = $1 and academic_year = $2 and procedure_id = 'all'
            and schools_count > 0
        order by municipality_name collate ru, municipality_id
        """,
        of.region_code,
        list_year,
    )
    return Section(
        (f"Список на {fmt.year(list_year)} учебный год, муниципалитеты по алфавиту.",),
        rows=tuple({"municipality": fmt.text(row["municipality_name"])} | _count_row(row) for row in found),
    )


# --- the rest ------------------------------------------------------------------------------------------


def _risks(risks: list[MartRow]) -> Section:
    if not risks:
        return Section(("Рисковых профилей школ этой территории в данных нет.",))
    first = risks[0]
    return Section(
        (
            f"Анкетирование {fmt.year(first['academic_year'])} учебного года: "
            f"школ {fmt.number(first['schools_count'])}, прошли {fmt.number(first['took_part_count'])}.",
        ),
        rows=tuple(
            {
                "factor": fmt.text(row["factor_ru"]),
                "known": fmt.number(row["known_count"]),
                "high": fmt.number(row["high_count"]),
                "share": fmt.share(row["high_share"]),
                "interval": fmt.interval(row["high_ci_low"], row["high_ci_high"]),
                "finding": fmt.text(row["finding_ru"]),
            }
            for row in risks
        ),
    )


def _objectivity(found: list[MartRow]) -> Section:
    if not found:
        return Section(("Признаки не считались: результатов, по которым они выводятся, нет.",))
    return Section(
        ("Признак — повод перепроверить результат, а не вывод о нарушении; списка он не меняет.",),
        rows=tuple(
            {
                "year": fmt.year(row["academic_year"]),
                "checked": fmt.number(row["checked_schools_count"]),
                "marked": fmt.number(row["marked_schools_count"]),
                "markers": fmt.number(row["markers_count"]),
                "index": fmt.number(row["objectivity_index"], 1),
                "published": fmt.number(row["published_schools_count"]),
            }
            for row in found
        ),
        note_ru="Индекс — сто минус процент проверенных школ хотя бы с одним признаком.",
    )


def _partners(partners: list[MartRow]) -> Section:
    if not partners:
        return Section(("Школ списка нет, партнёры не подбирались.",))
    return Section(
        rows=tuple(
            {
                "school": fmt.text(row["school_name"]),
                "leader": f"{fmt.text(row['leader_name'])}, {fmt.text(row['leader_municipality'])}"
                if row["leader_school_id"]
                else fmt.text(row["reason_ru"]),
                "origin": labels.ORIGIN.get(row["origin"] or "", "не подобрана"),
            }
            for row in partners
        ),
        note_ru="Предложение подобрано по правилам и станет парой, когда школы заключат соглашение.",
    )


def _overdue(marts: Marts, of: _Territory) -> Section:
    found = marts.rows(
        """
        select r.* from monitoring_report as r
        where r.is_overdue and exists (
            select 1 from measure as m where m.programme_id = r.programme_id and m.territory_id in ($1, $2)
            union all
            select 1 from indicator as i where i.programme_id = r.programme_id and i.territory_id in ($1, $2))
        order by r.programme_id, r.due_on, r.item_kind, r.sort_order
        """,
        of.territory_id,
        of.region_code,
    )
    if not found:
        return Section(("По программам этой территории просроченного нет, или программа этой территории не описана.",))
    return Section(
        rows=tuple(
            {
                "programme": fmt.text(row["programme_id"]),
                "item": fmt.text(row["title_ru"]),
                "due": fmt.day(row["due_on"]),
                "days": fmt.number(row["days_overdue"]),
                "status": labels.MEASURE_STATUS[row["status"]],
                "who": fmt.text(row["responsible_ru"]),
            }
            for row in found
        ),
    )


def list_sources(marts: Marts, list_year: str) -> Section:
    counts = marts.one(
        """
            select count(*) as files, count(*) filter (status = 'refused') as refused from delivery
            where is_active or status = 'refused'
            """
    ) or {"files": 0, "refused": 0}
    return sources(
        marts,
        set(),
        list_year,
        f"Поставок, на которых стоит выпуск: {fmt.number(counts['files'] - counts['refused'])}; отклонено: "
        f"{fmt.number(counts['refused'])}. Все названы в витрине delivery, замечания к ним — в quality_issue.",
    )
