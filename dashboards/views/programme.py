"""Программа: indicators of a programme against its targets by period, the roadmap, what is overdue and who answers.

What belongs here: this one view. What does not: queries and formats.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from dash import html
from dash.development.base_component import Component

from dashboards import charts, queries, words
from dashboards.components import (
    Child,
    Column,
    chart,
    details,
    downloads,
    empty,
    facts,
    figures,
    filters,
    heading,
    link,
    no_public_data,
    part,
    pill,
    section,
    select,
    table,
)
from dashboards.files import FileColumn, Sheet
from dashboards.page import Page, address, school_address
from dashboards.views.shared import measure_table, yes_no
from opora import russian as fmt
from opora.sql import Row

_LEAD = "Показатели программы рядом с планом, дорожная карта, просроченное и кто за него отвечает."


def layout(page: Page) -> Component:
    if page.data.is_public:
        return html.Div([heading("Программа", _LEAD), no_public_data("Хода программ")])
    known = queries.programmes(page.data)
    if not known:
        return html.Div([heading("Программа", _LEAD), empty("В выпуске нет ни одной программы")])
    programme = page.choice("id", known, known[0])
    indicators = queries.indicators_of(page.data, programme)
    measures = queries.roadmap_of(page.data, programme)
    periods = sorted({row["period"] for row in (*indicators, *measures)})
    period = page.choice("period", periods, _latest(indicators, measures))
    fields = filters(
        select("id", "Программа", [(item, page.names.territories.get(item, item)) for item in known], programme),
        select("period", "Период", [(item, fmt.year(item)) for item in periods], period),
    )
    return html.Div(
        [
            heading("Программа", _LEAD),
            fields,
            _about(page, programme, indicators, measures),
            _state(indicators, measures, period),
            _indicators(programme, indicators),
            _one_indicator(page, programme, indicators),
            _roadmap(programme, measures, period),
            _overdue(page, programme),
            _schools(page, programme, period),
            _effects(page, programme),
        ]
    )


def _latest(indicators: Sequence[Row], measures: Sequence[Row]) -> str:
    """The last period that has begun by the day of the release."""
    begun = [row["period"] for row in (*indicators, *measures) if row["due_from"] and row["due_from"] <= row["as_of"]]
    return max(begun, default="")


def _about(page: Page, programme: str, indicators: Sequence[Row], measures: Sequence[Row]) -> Component:
    rows = (*indicators, *measures)
    return section(
        page.names.territories.get(programme, programme),
        html.P(page.names.programme(programme)),
        facts(
            [
                ("Документ", page.names.documents.get(programme)),
                ("На день", fmt.long_day(rows[0]["as_of"]) if rows else None),
                ("Показателей", fmt.number(len({row["indicator_id"] for row in indicators}))),
                ("Мероприятий", fmt.number(len({row["measure_id"] for row in measures}))),
            ]
        ),
    )


def _state(indicators: Sequence[Row], measures: Sequence[Row], period: str) -> Component:
    """How many of a period's items are in each state."""
    now = Counter(row["status"] for row in indicators if row["period"] == period and not row["is_baseline"])
    done = Counter(row["status"] for row in measures if row["period"] == period)
    cards: list[tuple[str, Child, Child]] = [
        ("Показатели", fmt.number(now[name]), pill(words.INDICATOR[name]))
        for name in ("met", "not_met", "no_data", "not_due")
        if now[name]
    ]
    cards += [
        ("Мероприятия", fmt.number(done[name]), pill(words.MEASURE[name]))
        for name in ("done", "in_progress", "overdue", "no_data", "not_due")
        if done[name]
    ]
    title = f"Состояние, {fmt.year(period)}"
    return section(title, figures(cards)) if cards else section(title, empty("За этот период в плане ничего нет"))


# --- indicators --------------------------------------------------------------------------------------


def _indicators(programme: str, rows: Sequence[Row]) -> Component:
    """A line an indicator, a column a period: measured, planned, state."""
    periods = sorted({row["period"] for row in rows})
    lines = []
    for key, items in groupby(rows, key=lambda row: (row["indicator_id"], row["territory_id"])):
        of_period = {row["period"]: row for row in items}
        lines.append({"first": next(iter(of_period.values())), "id": key[0]} | of_period)
    columns = [
        Column(
            "Показатель",
            lambda line: link(
                html.Span(line["first"]["title_ru"], className="long-name"),
                address("/programme", id=programme, indicator=line["id"]) + "#indicator",
            ),
            is_heading=True,
        ),
        Column("Лучше", lambda line: {"up": "больше", "down": "меньше"}.get(line["first"]["direction"])),
        *(part(fmt.year(period), period, _cell) for period in periods),
        Column("Кто отвечает", lambda line: line["first"]["responsible_ru"]),
    ]
    return section(
        "Показатели и план по периодам",
        table("Показатели и план по периодам", columns, lines, shows_caption=False)
        if lines
        else empty("Показателей нет"),
        downloads("indicators", {"id": programme}) if lines else None,
        note="Крупно — измерено, ниже — план. Период до программы плана не имеет.",
    )


def _cell(row: Row | None) -> Child:
    if row is None:
        return None
    state = None if row["is_baseline"] else pill(words.INDICATOR[row["status"]])
    return html.Div(
        [html.Strong(fmt.amount(row["value"], row["unit"])), html.Div(_plan(row), className="small"), html.Div(state)],
        className="result",
        title=row["no_data_reason_ru"] or row["counted_from_ru"] or "",
    )


def _plan(row: Row) -> str:
    """The plan as the document states it: a value, or how often less or more than before."""
    if row["is_baseline"]:
        return "до программы"
    if row["stated_target"] is None or row["comparator"] is None:
        return "плана нет"
    is_relative = row["comparator"] in ("divide_by", "multiply_by")
    stated = fmt.short_number(row["stated_target"]) if is_relative else fmt.amount(row["stated_target"], row["unit"])
    return words.COMPARATOR[row["comparator"]].format(stated)


def _one_indicator(page: Page, programme: str, rows: Sequence[Row]) -> Component | None:
    """The chosen indicator, or the first that was measured: figure and how it was counted."""
    known = list(dict.fromkeys(row["indicator_id"] for row in rows))
    measured = [row["indicator_id"] for row in rows if row["value"] is not None]
    chosen = page.choice("indicator", known, next(iter(measured or known), ""))
    mine = [row for row in rows if row["indicator_id"] == chosen]
    if not mine:
        return None
    titles = {row["indicator_id"]: row["title_ru"] for row in rows}
    columns = [
        Column("Период", lambda row: fmt.year(row["period"]), is_heading=True),
        Column("Числитель", lambda row: fmt.short_number(row["numerator"]), True),
        Column("Знаменатель", lambda row: fmt.short_number(row["denominator"]), True),
        Column("Измерено", lambda row: fmt.amount(row["value"], row["unit"]), True),
        Column("План", lambda row: fmt.amount(row["target"], row["unit"]), True),
        Column("Выполнение", lambda row: fmt.percent(row["attainment_pct"]), True),
        Column("Состояние", lambda row: pill(words.INDICATOR[row["status"]])),
        Column("Из чего посчитано", lambda row: row["counted_from_ru"]),
        Column("Почему нет данных", lambda row: row["no_data_reason_ru"]),
    ]
    values = table(titles[chosen], columns, mine, shows_caption=False)
    drawn = [row for row in mine if row["value"] is not None or row["target"] is not None]
    options = [(item, titles[item]) for item in known]
    unit = "%" if mine[0]["unit"] == "pct" else "в единицах документа"
    note = f"По периодам, {unit}. Квадрат с пунктиром — план, круг — измерено; из скольких посчитано — в таблице."
    return html.Div(
        section(
            "Один показатель подробно",
            filters(select("indicator", "Показатель", options, chosen, width="full"), label="Какой показатель"),
            chart(charts.targets(drawn, mine[0]["unit"]), titles[chosen], note, values, height=280, opened=True)
            if drawn
            else values,
        ),
        id="indicator",
    )


# --- the roadmap -------------------------------------------------------------------------------------


def _roadmap(programme: str, rows: Sequence[Row], period: str) -> Component:
    mine = [row for row in rows if row["period"] == period]
    title = f"Дорожная карта, {fmt.year(period)}"
    if not mine:
        return section(title, empty("Мероприятий на этот период нет"))
    drawn = [
        {
            "label": row["number"] or str(place),
            "title": row["title_ru"],
            **{name: row[name] for name in ("status", "due_from", "due_on")},
        }
        for place, row in enumerate(mine, start=1)
        if row["due_from"] and row["due_on"]
    ]
    drawn = _unique_labels(drawn)
    as_of = mine[0]["as_of"]
    inside = as_of and any(row["due_from"] <= as_of <= row["due_on"] for row in drawn)
    figure = charts.plan_of_measures(drawn, words.MEASURE, as_of.isoformat() if inside else None)
    line = " Пунктир — день отчёта." if inside else f" День отчёта, {fmt.day(as_of)}, за пределами рисунка."
    overdue = [row for row in mine if row["status"] == "overdue"]
    return section(
        title,
        measure_table(f"Просрочено: {len(overdue)}", overdue, shows_caption=True) if overdue else None,
        chart(
            figure,
            "Сроки мероприятий и их состояние",
            f"Строка — мероприятие под номером документа, полоса — его срок.{line}",
            measure_table("Мероприятия", mine),
            height=110 + 24 * len(drawn),
            opened=True,
        ),
        downloads("measures", {"id": programme, "period": period}),
    )


def _unique_labels(rows: Sequence[Row]) -> list[Row]:
    """Two measures under one number are two lines of a figure."""
    seen: Counter[str] = Counter()
    made = []
    for row in rows:
        seen[row["label"]] += 1
        suffix = f" ({seen[row['label']]})" if seen[row["label"]] > 1 else ""
        made.append(row | {"label": f"{row['label']}{suffix}"})
    return made


def _overdue(page: Page, programme: str) -> Component:
    """By who answers: what is past its term."""
    title = "Просрочено и кто отвечает"
    rows = queries.overdue_of(page.data, programme)
    if not rows:
        return section(
            title, html.P("Просроченного нет: у того, чему срок прошёл, есть факт или сказано, почему данных нет.")
        )
    columns = [
        Column("Кто отвечает", lambda row: row["responsible_ru"] or "не назван в документе", is_heading=True),
        Column("Что", lambda row: row["title_ru"]),
        Column("Вид", lambda row: "показатель" if row["item_kind"] == "indicator" else "мероприятие"),
        Column("Период", lambda row: fmt.year(row["period"])),
        Column("Срок", lambda row: fmt.day(row["due_on"]), True),
        Column("Просрочено, дней", lambda row: fmt.number(row["days_overdue"]), True),
        Column("План", lambda row: fmt.short_number(row["planned"]), True),
        Column("Факт", lambda row: fmt.short_number(row["actual"]), True),
    ]
    return section(title, table(title, columns, rows, shows_caption=False), note=f"Просрочено всего: {len(rows)}.")


def _schools(page: Page, programme: str, period: str) -> Component | None:
    rows = [row for row in queries.listed_by_programme(page.data, programme) if row["period"] == period]
    if not rows:
        return None
    columns = [
        Column(
            "Школа",
            lambda row: link(fmt.short_name(row["school_name"]), school_address(row["school_id"])),
            is_heading=True,
        ),
        Column("Муниципалитет", lambda row: row["municipality_name"]),
        Column("Движение", lambda row: words.LISTING.get(row["listing"] or "")),
        Column("Периодов подряд", lambda row: fmt.number(row["years_listed_in_a_row"]), True),
        Column("Формат поддержки", lambda row: words.SUPPORT.get(row["support_format"] or "")),
    ]
    title = f"Школы программы, {fmt.year(period)}: {fmt.number(len(rows))}"
    return section(title, details("Показать школы", table(title, columns, rows, shows_caption=False)))


def _effects(page: Page, programme: str) -> Component | None:
    rows = queries.effects_of(page.data, programme)
    if not rows:
        return None
    estimated = [row for row in rows if row["is_estimated"]]
    title = "Поддержанные школы рядом со сходными"
    if not estimated:
        reasons = dict.fromkeys(row["reason_ru"] for row in rows if row["reason_ru"])
        return section(title, empty("Сравнения нет", *(html.P(reason) for reason in list(reasons)[:2])))
    columns = [
        Column("Группа", lambda row: f"{row['programme_ru']}: {row['group_ru']}", is_heading=True),
        Column("Что сравнивается", lambda row: row["outcome_ru"]),
        Column("Год списка", lambda row: fmt.year(row["list_year"])),
        Column("Школ", lambda row: fmt.out_of(row["matched_count"], row["treated_count"]), True),
        Column("Разность изменений, п. п.", lambda row: _points(row["difference_in_differences"]), True),
        Column(
            "Интервал",
            lambda row: (
                f"{_points(row['difference_in_differences_lower'])} … {_points(row['difference_in_differences_upper'])}"
            ),
            True,
        ),
        Column("Уравновешены", lambda row: yes_no(row["is_balanced"])),
        Column("Проверка ложной поддержкой", lambda row: yes_no(row["is_placebo_passed"])),
    ]
    notes: Iterator[str] = (row["design_note_ru"] for row in estimated if row["design_note_ru"])
    return section(
        title,
        details("Показать сравнение", table(title, columns, estimated, shows_caption=False)),
        note=next(notes, "Сравнение не называет причин."),
    )


def _points(share: float | None) -> str:
    return fmt.signed(None if share is None else 100 * share)


# --- files -------------------------------------------------------------------------------------------


def indicator_sheet(page: Page) -> Sheet | None:
    if page.data.is_public:
        return None
    known = queries.programmes(page.data)
    programme = page.choice("id", known, next(iter(known), ""))
    names = (
        "programme_id",
        "indicator_id",
        "title_ru",
        "period",
        "territory_name",
        "numerator",
        "denominator",
        "value",
        "unit",
        "comparator",
        "target",
        "attainment_pct",
        "status",
        "due_on",
        "responsible_ru",
        "no_data_reason_ru",
    )
    columns = [FileColumn(name, itemgetter(name)) for name in names]
    return Sheet(
        f"indicators-{programme}", "Показатели программы", columns, queries.indicators_of(page.data, programme)
    )


def measure_sheet(page: Page) -> Sheet | None:
    if page.data.is_public:
        return None
    known = queries.programmes(page.data)
    programme = page.choice("id", known, next(iter(known), ""))
    rows = queries.roadmap_of(page.data, programme)
    period = page.choice("period", {row["period"] for row in rows})
    names = (
        "programme_id",
        "measure_id",
        "number",
        "section_ru",
        "title_ru",
        "period",
        "territory_name",
        "due_from",
        "due_on",
        "unit",
        "planned",
        "actual",
        "status",
        "days_overdue",
        "responsible_ru",
        "no_data_reason_ru",
    )
    columns = [FileColumn(name, itemgetter(name)) for name in names]
    return Sheet(
        f"measures-{programme}",
        "Мероприятия программы",
        columns,
        [row for row in rows if not period or row["period"] == period],
    )
