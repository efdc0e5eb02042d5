"""Reports of programmes: the quarterly monitoring report and the annual report on the roadmap.

Belongs here: what is due, done, overdue, unknown, and who answers, in words. Does not belong here: how an indicator
is counted. «Нет данных» is never told as «не сделано».
"""

from __future__ import annotations

from opora import labels
from opora import russian as fmt
from opora.documents.model import Column, Document, Row, Section, SectionShape, Shape
from opora.documents.parts import LIMITS, SOURCES, document, limits
from opora.documents.reader import DocumentRefused, MartRow, Marts
from opora.programmes import Programme, load_programmes

DASH = fmt.DASH
STATES = {**labels.INDICATOR_STATUS, **labels.MEASURE_STATUS}
DYNAMICS = {"improved": "в лучшую сторону", "unchanged": "без изменений", "worsened": "в худшую сторону"}
_UPCOMING_SHOWN = 20
_ITEM = (
    Column("item", "Показатель или мероприятие", 4.6),
    Column("period", "Период", 1.0),
)
_PLAN = (Column("planned", "План", 0.9, True), Column("actual", "Факт", 0.9, True))
_WHO = Column("who", "Кто отвечает", 2.4)
_DUE = Column("due", "Срок", 1.1)

QUARTERLY = Shape(
    "quarterly",
    "Отчёт о мониторинге программы за квартал",
    (
        SectionShape("state", "Коротко"),
        SectionShape(
            "overdue", "Просрочено", (*_ITEM, _DUE, Column("days", "Дней просрочки", 1.1, True), *_PLAN, _WHO)
        ),
        SectionShape(
            "changed",
            "Изменилось за квартал",
            (
                *_ITEM,
                Column("before", "На начало квартала", 1.2, True),
                *_PLAN,
                Column("status", "Состояние", 1.3),
                _WHO,
            ),
        ),
        SectionShape("current", "В работе", (*_ITEM, _DUE, *_PLAN, _WHO)),
        SectionShape("upcoming", "Ближайшие сроки", (*_ITEM, _DUE, Column("planned", "План", 0.9, True), _WHO)),
        SectionShape("no_data", "Нет данных", (*_ITEM, _DUE, Column("why", "Почему нет данных", 3.4), _WHO)),
        LIMITS,
        SOURCES,
    ),
    is_wide=True,
)
ANNUAL = Shape(
    "annual",
    "Аналитический отчёт об исполнении дорожной карты",
    (
        SectionShape("state", "Коротко"),
        SectionShape(
            "indicators",
            "Показатели и планы",
            (
                Column("indicator", "Показатель", 4.4),
                Column("territory", "Территория", 1.6),
                Column("baseline", "От чего", 0.9, True),
                *_PLAN,
                Column("attainment", "Выполнение", 1.1, True),
                Column("base", "Из скольких", 1.1, True),
                Column("status", "Состояние", 1.3),
                Column("dynamics", "Динамика", 1.4),
            ),
        ),
        SectionShape(
            "measures",
            "Исполнение дорожной карты",
            (
                Column("number", "№", 0.7),
                Column("measure", "Мероприятие", 4.6),
                *_PLAN,
                Column("completion", "Выполнение", 1.1, True),
                _DUE,
                Column("status", "Состояние", 1.3),
                _WHO,
            ),
        ),
        SectionShape("overdue", "Просрочено", (*_ITEM, _DUE, Column("days", "Дней просрочки", 1.1, True), _WHO)),
        SectionShape(
            "responsible",
            "Кто отвечает",
            (
                Column("who", "Кто отвечает", 4.0),
                Column("measures", "Мероприятий", 1.1, True),
                Column("done", "Сделано", 1.0, True),
                Column("overdue", "Просрочено", 1.1, True),
                Column("no_data", "Нет данных", 1.1, True),
            ),
        ),
        SectionShape(
            "schools",
            "Школы программы",
            (
                Column("school", "Школа", 4.0),
                Column("municipality", "Муниципалитет", 2.0),
                Column("listing", "Движение", 1.1),
                Column("years", "Периодов подряд", 1.1, True),
                Column("support", "Что говорит документ о поддержке", 3.4),
            ),
        ),
        SectionShape("no_data", "Нет данных", (*_ITEM, Column("why", "Почему нет данных", 3.6), _WHO)),
        LIMITS,
        SOURCES,
    ),
    is_wide=True,
)


def programmes_of(marts: Marts) -> list[str]:
    """Programmes of territories that have schools in the release; all where there are none such."""
    rows = marts.rows(
        """
        with territory as (
            select region_code as territory_id from region_summary
            union select municipality_id from municipality_summary)
        select programme_id, bool_or(territory_id in (select territory_id from territory)) as is_here
        from (select programme_id, territory_id from measure union select programme_id, territory_id from indicator)
        group by 1 order by 1
        """
    )
    here = [row["programme_id"] for row in rows if row["is_here"]]
    return here or [row["programme_id"] for row in rows]


def quarterly_report(marts: Marts, programme_id: str) -> Document:
    """What is due, overdue and changed on the day of the release. Raises DocumentRefused."""
    programme = _programme(marts, programme_id)
    rows = marts.rows(
        "select * from monitoring_report where programme_id = $1 order by item_kind, sort_order, period",
        programme_id,
    )
    if not rows:
        raise DocumentRefused(f"О программе {programme_id} в выпуске ничего нет.")
    as_of, quarter = rows[0]["as_of"], rows[0]["quarter"]
    number, year = quarter[-1], quarter[:4]
    overdue = sorted((row for row in rows if row["is_overdue"]), key=lambda row: -(row["days_overdue"] or 0))
    changed = [row for row in rows if row["change_since_quarter_start"]]
    current = [row for row in rows if row["status"] == "in_progress" and not row["is_overdue"]]
    upcoming = sorted(
        (row for row in rows if (row["next_due_on"] or row["due_on"] or as_of) > as_of),
        key=lambda row: row["next_due_on"] or row["due_on"],
    )
    unknown = [row for row in rows if row["status"] == "no_data" and row["is_due"] and not row["is_overdue"]]
    done = sum(row["status"] in ("done", "met") for row in rows)
    state = (
        f"На {fmt.day(as_of)}: показателей и мероприятий по периодам {fmt.number(len(rows))}; сделано и достигнуто "
        f"{fmt.number(done)}, просрочено {fmt.number(len(overdue))}, нет данных {fmt.number(len(unknown))}, "
        f"изменилось за квартал {fmt.number(len(changed))}."
    )
    return document(
        marts,
        QUARTERLY,
        stem=f"Мониторинг {programme_id} {quarter}",
        title_ru=f"Отчёт о мониторинге за {number}{fmt.NBSP}квартал {year} года",
        subtitle_ru=fmt.text(programme.title_ru),
        facts=_facts(marts, programme, (("На день", fmt.day(as_of)),)),
        sections={
            "state": Section(lines=(fmt.text(state),)),
            "overdue": _table([_monitored(row) for row in overdue], "Просроченного нет."),
            "changed": _table([_monitored(row) for row in changed], "За квартал новых фактов не сообщили."),
            "current": _table([_monitored(row) for row in current], "Начатых и не законченных в срок нет."),
            "upcoming": _table(
                [_monitored(row) for row in upcoming[:_UPCOMING_SHOWN]],
                "Сроков впереди нет.",
                f"Показаны ближайшие {_UPCOMING_SHOWN} из {len(upcoming)}." if len(upcoming) > _UPCOMING_SHOWN else "",
            ),
            "no_data": _table([_monitored(row) for row in unknown], "Данные есть по всему, чей срок прошёл."),
            "limits": limits(marts, "quarterly"),
            "sources": _sources(marts, programme),
        },
        year=marts.list_year,
    )


def annual_report(marts: Marts, programme_id: str, period: str | None = None) -> Document:
    """Indicators against plans and the roadmap of a period, the last ended without one. Raises DocumentRefused."""
    programme = _programme(marts, programme_id)
    asked = period or _last_period(marts, programme_id)
    indicators = marts.rows(
        """
        select * from indicator where programme_id = $1 and period = $2 and is_judged
        order by sort_order, territory_name
        """,
        programme_id,
        asked,
    )
    measures = marts.rows(
        """
        select * from measure where programme_id = $1 and period = $2 and is_judged
        order by sort_order, territory_name
        """,
        programme_id,
        asked,
    )
    if not indicators and not measures:
        raise DocumentRefused(f"За период {asked} о программе {programme_id} в выпуске ничего нет.")
    overdue = [row for row in measures if row["status"] == "overdue"]
    unknown = [row for row in (*indicators, *measures) if row["status"] == "no_data"]
    met = sum(row["status"] == "met" for row in indicators)
    done = sum(row["status"] == "done" for row in measures)
    state = (
        f"Показателей {fmt.number(len(indicators))}, из них достигнуто {fmt.number(met)}; мероприятий "
        f"{fmt.number(len(measures))}, из них сделано {fmt.number(done)}, просрочено {fmt.number(len(overdue))}; "
        f"нет данных: {fmt.number(len(unknown))}."
    )
    as_of = (indicators or measures)[0]["as_of"]
    return document(
        marts,
        ANNUAL,
        stem=f"Отчёт {programme_id} {asked}",
        title_ru="Аналитический отчёт об исполнении дорожной карты",
        subtitle_ru=fmt.text(programme.title_ru),
        facts=_facts(marts, programme, (("Период", asked), ("На день", fmt.day(as_of)))),
        sections={
            "state": Section(lines=(fmt.text(state),)),
            "indicators": _table([_indicator(row) for row in indicators], "Показателей у этого периода нет."),
            "measures": _table([_measure(row) for row in measures], "Мероприятий у этого периода нет."),
            "overdue": _table([_measure(row) for row in overdue], "Просроченного нет."),
            "responsible": _responsible(marts, programme_id, asked),
            "schools": _schools(marts, programme_id, asked),
            "no_data": _table([_measure(row) for row in unknown], "Данные есть по всему."),
            "limits": limits(marts, "annual"),
            "sources": _sources(marts, programme),
        },
        year=marts.list_year,
    )


def _programme(marts: Marts, programme_id: str) -> Programme:
    known = {programme.programme_id: programme for programme in load_programmes()}
    if programme_id not in known:
        raise DocumentRefused(f"Программы {programme_id} нет; есть: {', '.join(known)}.")
    return known[programme_id]


def _last_period(marts: Marts, programme_id: str) -> str:
    """The last period that has ended by the day of the release, else the first."""
    found = marts.one(
        """
        with period as (
            select period, max(due_on) as ends_on, any_value(as_of) as as_of
            from indicator where programme_id = $1 and not is_baseline group by 1
            union all
            select period, max(due_on), any_value(as_of) from measure where programme_id = $1 group by 1)
        select coalesce(max(period) filter (ends_on <= as_of), min(period)) as period from period
        """,
        programme_id,
    )
    if found is None or found["period"] is None:
        raise DocumentRefused(f"О программе {programme_id} в выпуске ничего нет.")
    return str(found["period"])


def _facts(marts: Marts, programme: Programme, own: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return (
        ("Программа", programme.programme_id),
        ("Документ", fmt.text(programme.document.title_ru)),
        ("Территория", fmt.text(programme.territory.title_ru)),
        *own,
        ("Данные", f"{marts.release_ru} от {fmt.day(marts.release_day)}"),
    )


def _sources(marts: Marts, programme: Programme) -> Section:
    return Section(
        (
            fmt.text(f"Планы, сроки и ответственные — как в документе: {programme.document.title_ru}."),
            f"Факты: {marts.release_ru} от {fmt.day(marts.release_day)}; отчёты исполнителей — в витрине delivery.",
        ),
    )


def _table(rows: list[Row], none_ru: str, note_ru: str = "") -> Section:
    return Section(lines=() if rows else (none_ru,), rows=tuple(rows), note_ru=note_ru)


def _monitored(row: MartRow) -> Row:
    return {
        "item": fmt.text(row["title_ru"]),
        "period": fmt.text(row["period"]),
        "due": fmt.day(row["next_due_on"] or row["due_on"]),
        "days": fmt.number(row["days_overdue"]),
        "planned": fmt.amount(row["planned"], row["unit"]),
        "actual": fmt.amount(row["actual"], row["unit"]),
        "before": fmt.amount(row["actual_at_quarter_start"], row["unit"]),
        "status": STATES.get(row["status"] or "", DASH),
        "why": fmt.text(row["no_data_reason_ru"]),
        "who": fmt.text(row["responsible_ru"]),
    }


def _indicator(row: MartRow) -> Row:
    return {
        "indicator": fmt.text(row["title_ru"]),
        "territory": fmt.text(row["territory_name"]),
        "baseline": fmt.amount(row["baseline"], row["unit"]),
        "planned": fmt.amount(row["target"], row["unit"]),
        "actual": fmt.amount(row["value"], row["unit"]),
        "attainment": fmt.percent(row["attainment_pct"]),
        "base": fmt.short_number(row["denominator"]),
        "status": STATES.get(row["status"] or "", DASH),
        "dynamics": DYNAMICS.get(row["dynamics"] or "", DASH),
    }


def _measure(row: MartRow) -> Row:
    return {
        "number": fmt.text(row.get("number")),
        "measure": fmt.text(row["title_ru"]),
        "item": fmt.text(row["title_ru"]),
        "period": fmt.text(row["period"]),
        "planned": fmt.amount(row.get("planned"), row["unit"]),
        "actual": fmt.amount(row.get("actual"), row["unit"]),
        "completion": fmt.percent(row.get("completion_pct")),
        "due": fmt.day(row["due_on"]) if row["due_on"] else fmt.text(row.get("due_ru")),
        "days": fmt.number(row.get("days_overdue")),
        "status": STATES.get(row["status"] or "", DASH),
        "why": fmt.text(row["no_data_reason_ru"]),
        "who": fmt.text(row["responsible_ru"]),
    }


def _responsible(marts: Marts, programme_id: str, period: str) -> Section:
    rows = marts.rows(
        """
        select responsible_ru, count(*) as measures, count(*) filter (status = 'done') as done,
            count(*) filter (status = 'overdue') as overdue, count(*) filter (status = 'no_data') as no_data
        from measure where programme_id = $1 and period = $2 and is_judged
        group by 1 order by 1 nulls last
        """,
        programme_id,
        period,
    )
    return _table(
        [
            {
                "who": fmt.text(row["responsible_ru"] or "В документе не назван"),
                "measures": fmt.number(row["measures"]),
                "done": fmt.number(row["done"]),
                "overdue": fmt.number(row["overdue"]),
                "no_data": fmt.number(row["no_data"]),
            }
            for row in rows
        ],
        "Мероприятий у этого периода нет.",
    )


def _schools(marts: Marts, programme_id: str, period: str) -> Section:
    rows = marts.rows(
        """
        select l.*, s.school_name, s.municipality_name from programme_list as l join school as s using (school_id)
        where l.programme_id = $1 and l.period = $2
        order by s.municipality_name collate ru, s.school_name collate ru, l.school_id
        """,
        programme_id,
        period,
    )
    return _table(
        [
            {
                "school": fmt.text(row["school_name"]),
                "municipality": fmt.text(row["municipality_name"]),
                "listing": labels.LISTING[row["listing"]],
                "years": fmt.number(row["years_listed_in_a_row"]),
                "support": fmt.text(row["support_ru"]),
            }
            for row in rows
        ],
        "Список школ программы за этот период неизвестен.",
    )
