"""Муниципалитет: its list by year, its schools that need support, its results beside the region, deficits, risks.

What belongs here: this one view. What does not: queries and formats.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from dash import html
from dash.development.base_component import Component

from dashboards import charts, queries, words
from dashboards.components import (
    Child,
    Column,
    alert,
    chart,
    count,
    downloads,
    empty,
    figures,
    filters,
    heading,
    link,
    pill,
    section,
    select,
    share_bar,
    table,
)
from dashboards.page import Page, address, municipality_address, school_address
from dashboards.views.shared import LIST_COUNTS, deficits, participants_public, share_public
from opora import russian as fmt
from opora.sql import Row

_LEAD = "Что в списке поддержки, какие результаты и какие дефициты у школ муниципалитета."


def layout(page: Page) -> Component:
    places = {
        row["municipality_id"]: row["municipality_name"] or row["municipality_id"]
        for row in queries.municipalities(page.data)
    }
    asked = page.asked("id")
    chosen = page.choice("id", places)
    years = queries.list_years(page.data)
    if not chosen:
        return html.Div([heading("Муниципалитет", _LEAD), _unknown(asked), _index(places)])
    year = page.choice("year", years, queries.list_year(page.data))
    fields = filters(
        select("id", "Муниципалитет", places.items(), chosen),
        select("year", "Учебный год списка", [(item, fmt.year(item)) for item in years], year),
    )
    parts = _public(page, chosen, year) if page.data.is_public else _official(page, chosen, year)
    return html.Div([heading(places[chosen], _LEAD), fields, *parts])


def _unknown(asked: str) -> Component | None:
    if not asked:
        return None
    return alert("warn", f"Муниципалитета с кодом «{asked}» в этом выпуске нет", html.P("Выберите из списка ниже."))


def _index(places: dict[str, str]) -> Component:
    links = [html.Li(link(name, municipality_address(code))) for code, name in places.items()]
    return section("Муниципалитеты по алфавиту", html.Ul(links, className="bullets columns"))


def _official(page: Page, municipality: str, year: str) -> Iterator[Component | None]:
    rows = queries.municipality_years(page.data, municipality)
    now = next((row for row in rows if row["academic_year"] == year), None)
    if now:
        yield _now(now, municipality, year)
    yield _schools(page, municipality, year)
    yield _by_year(rows)
    yield _results(page, municipality)
    yield html.Div(deficits(page, "municipality", municipality), id="deficits")
    yield _risks(page, municipality)
    yield _objectivity(page, municipality)


def _now(row: Row, municipality: str, year: str) -> Component:
    def listed(show: str, count: int | None) -> Child:
        return (
            fmt.DASH
            if count is None
            else link(fmt.number(count), address("/list", year=year, show=show, municipality=municipality))
        )

    return section(
        f"Список {fmt.year(year)} учебного года",
        figures(
            [
                (
                    "В списке",
                    listed("list", row["shnor_count"]),
                    f"{fmt.share(row['shnor_share'])} из {fmt.counted(row['schools_count'], 'школы', 'школ', 'школ')}",
                ),
                ("Новых", fmt.number(row["new_count"]), "не были в списке годом раньше"),
                ("Остались", fmt.number(row["continuing_count"]), "второй год и дольше"),
                ("Вышли", listed("left", row["left_count"]), "оценены и правилу не отвечают"),
                ("В зоне риска", listed("risk", row["at_risk_count"]), "по результатам этого года"),
                ("Оценивается школ", fmt.number(row["assessed_schools_count"]), "остальным решить не по чему"),
            ]
        ),
    )


def _schools(page: Page, municipality: str, year: str) -> Component:
    wanted = {"year": year, "shown": "both", "municipality": municipality, "settlement": "", "words": ""}
    rows = queries.support_list(page.data, reliability="", listing="", **wanted)
    columns = [
        Column(
            "Школа",
            lambda row: link(fmt.short_name(row["school_name"]), school_address(row["school_id"], year)),
            is_heading=True,
        ),
        Column("Положение", lambda row: pill(words.STATUS[row["status"]])),
        Column("Движение", lambda row: words.LISTING[row["listing"]]),
        Column("Лет подряд", lambda row: fmt.number(row["years_listed_in_a_row"]), True),
        Column("Причина", lambda row: row["reason_ru"]),
        Column("Опора, n", lambda row: fmt.number(row["evidence_participants"]), True),
        Column("Надёжность", lambda row: pill(words.RELIABILITY.get(row["reliability"] or ""))),
    ]
    title = "Школы, которым нужна поддержка"
    if not rows:
        return section(title, html.P(f"В списке и в зоне риска {fmt.year(year)} школ муниципалитета нет."))
    params = {"year": year, "show": "both", "municipality": municipality}
    return section(title, table(title, columns, rows, shows_caption=False), downloads("list", params))


def _by_year(rows: Sequence[Row]) -> Component:
    columns = [
        Column("Учебный год", lambda row: fmt.year(row["academic_year"]), is_heading=True),
        *(count(title, name) for title, name in LIST_COUNTS.items()),
    ]
    return section("По годам", table("Список по годам", columns, rows, shows_caption=False))


def _results(page: Page, municipality: str) -> Component:
    """Panels by procedure, and the newest year with the region beside."""
    rows = queries.results_of_municipality(page.data, municipality)
    by_procedure = {key: list(items) for key, items in groupby(rows, key=lambda row: str(row["procedure_id"]))}
    order = [item for item in page.names.procedures if any(row["participants"] for row in by_procedure.get(item, []))]
    if not order:
        return section("Результаты", empty("Результатов у школ муниципалитета нет"))
    pairs = [(row["procedure_id"], row["earlier_year"], row["academic_year"]) for row in queries.breaks(page.data)]
    columns = [
        Column("Процедура", lambda row: page.names.procedure(row["procedure_id"]), is_heading=True),
        Column("Учебный год", lambda row: fmt.year(row["academic_year"])),
        Column("Ниже минимума", lambda row: fmt.out_of(row["below_minimum"], row["participants"]), True),
        Column("Доля", lambda row: fmt.share(row["below_share"]), True),
        Column("Интервал 95\u00a0%", lambda row: fmt.interval(row["share_ci_low"], row["share_ci_high"]), True),
        Column(
            "Доля на шкале",
            lambda row: share_bar(row["below_share"], row["share_ci_low"], row["share_ci_high"], row["region_share"]),
        ),
        Column("В регионе", lambda row: fmt.share(row["region_share"]), True),
        Column("Школ с низким результатом", lambda row: fmt.number(row["low_schools_count"]), True),
    ]
    newest = max(row["academic_year"] for row in rows if row["participants"])
    last = [
        row for item in order for row in by_procedure[item] if row["academic_year"] == newest and row["participants"]
    ]
    title = "Доля участников ниже минимума в муниципалитете, по процедурам и годам"
    return section(
        "Результаты",
        html.H3(f"Последний год с результатами, {fmt.year(newest)}, рядом с регионом"),
        html.P(
            "Сумма по школам, а не среднее школ. Точка — доля, полоса — интервал 95\u00a0%, пунктир — регион.",
            className="note",
        ),
        table(f"Результаты {fmt.year(newest)}", columns, last, shows_caption=False),
        chart(
            charts.trends([(page.names.short(item), by_procedure[item]) for item in order], pairs),
            title,
            "Доля, %, с интервалом 95\u00a0%; n — в таблице. Линия соединяет только сопоставимые годы.",
            table(title, columns, [row for item in order for row in by_procedure[item]], shows_caption=False),
            height=480 if len(order) > 4 else 300,
        ),
    )


def _risks(page: Page, municipality: str) -> Component:
    title = "Риски школ"
    rows = queries.risks_of_territory(page.data, municipality)
    if not rows:
        return section(title, empty("Рисковых профилей по муниципалитету нет"))
    columns = [
        Column("Фактор риска", lambda row: row["factor_ru"], is_heading=True),
        Column("Вывод", lambda row: row["finding_ru"]),
        Column("Высокая", lambda row: fmt.out_of(row["high_count"], row["known_count"]), True),
        Column("Интервал доли", lambda row: fmt.interval(row["high_ci_low"], row["high_ci_high"], 0), True),
        Column("Выбрали риск", lambda row: fmt.out_of(row["chosen_count"], row["choice_known_count"]), True),
        Column("С просрочкой", lambda row: fmt.number(row["overdue_count"]), True),
    ]
    took_part = fmt.out_of(rows[0]["took_part_count"], rows[0]["schools_count"])
    note = f"Учебный год {fmt.year(rows[0]['academic_year'])}. Прошли анкетирование {took_part} школ."
    return section(title, table(title, columns, rows, shows_caption=False), note=note)


def _objectivity(page: Page, municipality: str) -> Component | None:
    rows = [
        row
        for row in queries.objectivity_of_territories(page.data, "municipality", "")
        if row["territory_id"] == municipality
    ]
    if not rows:
        return None
    columns = [
        Column(
            "Учебный год",
            lambda row: link(
                fmt.year(row["academic_year"]),
                address("/objectivity", year=row["academic_year"], municipality=municipality),
            ),
            is_heading=True,
        ),
        Column("Школ проверено", lambda row: fmt.out_of(row["checked_schools_count"], row["schools_count"]), True),
        Column("С признаком", lambda row: fmt.number(row["marked_schools_count"]), True),
        Column("Признаков", lambda row: fmt.number(row["markers_count"]), True),
        Column("Индекс объективности", lambda row: fmt.number(row["objectivity_index"], 1), True),
    ]
    return section("Объективность", table("Объективность", columns, rows, shows_caption=False))


# --- public ------------------------------------------------------------------------------------------


def _public(page: Page, municipality: str, year: str) -> Iterator[Component | None]:
    wanted = {"year": year, "municipality": municipality, "settlement": "", "words": ""}
    rows = queries.support_list_public(page.data, shown="all", **wanted)
    columns = [
        Column(
            "Школа",
            lambda row: link(fmt.short_name(row["school_name"]), school_address(row["school_id"], year)),
            is_heading=True,
        ),
        Column("Положение", lambda row: pill(words.STATUS[row["status"]], row["status_ru"])),
    ]
    yield section(
        "Школы",
        table(f"Школы муниципалитета, {fmt.year(year)}", columns, rows, shows_caption=False)
        if rows
        else empty("Школ за этот год нет"),
    )
    results = queries.results_of_municipality(page.data, municipality)
    result_columns = [
        Column("Процедура", lambda row: page.names.procedure(row["procedure_id"]), is_heading=True),
        Column("Учебный год", lambda row: fmt.year(row["academic_year"])),
        Column("Участников, n", participants_public, True),
        Column("Доля ниже минимума", share_public, True),
        Column("Интервал 95\u00a0%", lambda row: fmt.interval(row["share_ci_low"], row["share_ci_high"]), True),
        Column("В регионе", lambda row: fmt.share(row["region_share"]), True),
    ]
    yield section("Результаты", table("Результаты муниципалитета", result_columns, results, shows_caption=False))
