"""Методика: что, если — two methods side by side: whom another method would bring into the list and whom it would not.

What belongs here: this one view. What does not: the comparison (`opora/what_if.py`, the mart `method_comparison`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dash import html
from dash.development.base_component import Component

from dashboards import queries, words
from dashboards.components import (
    Child,
    Column,
    GridColumn,
    downloads,
    empty,
    filters,
    grid,
    heading,
    no_public_data,
    section,
    select,
    table,
)
from dashboards.files import FileColumn, Sheet
from dashboards.page import Page, address, school_address
from opora import russian as fmt
from opora.sql import Row
from opora.what_if import low_counts_ru, movers, yearly

_LEAD = (
    "Что было бы со списком по другой методике. Официальный список от этого не меняется: сравнение показывает, "
    "насколько он зависит от решений, которых приказ не называет."
)


def layout(page: Page) -> Component:
    head = heading("Методика: что, если", _LEAD)
    if page.data.is_public:
        return html.Div([head, no_public_data("Списков по другим методикам")])
    titles = _titles(page)
    years = queries.list_years(page.data)
    others = [name for name in titles if name != _official(page)]
    if not others or not years:
        return html.Div(
            [head, empty("Сравнивать не с чем", html.P("Других методик в выпуске нет: opora methods list."))]
        )
    asked = _asked(page)
    fields = filters(
        select("former", "Вместо методики", titles.items(), asked["former"], width="wide"),
        select("latter", "Взять методику", titles.items(), asked["latter"], width="wide"),
        select("year", "Учебный год списка", [(year, fmt.year(year)) for year in years], asked["year"]),
    )
    if asked["former"] == asked["latter"]:
        return html.Div([head, fields, empty("Выбрана одна и та же методика", html.P("Назовите две разные."))])
    return html.Div([head, fields, _by_year(page, asked), _moved(page, asked), _all(page, asked["year"], titles)])


def _official(page: Page) -> str:
    return str(page.data.manifest["methods"][0]["method_id"])


def _titles(page: Page) -> Mapping[str, str]:
    """Methods of the release by id, the official one first."""
    manifest = page.data.manifest
    official = {item["method_id"]: f"{item['title_ru']} (официальная)" for item in manifest["methods"]}
    return official | {item["method_id"]: item["title_ru"] for item in manifest.get("compared_methods", [])}


def _asked(page: Page) -> dict[str, str]:
    titles, years = _titles(page), queries.list_years(page.data)
    former = page.choice("former", titles, _official(page))
    first = next((name for name in titles if name != former), former)
    return {
        "former": former,
        "latter": page.choice("latter", titles, first),
        "year": page.choice("year", years, queries.list_year(page.data)),
    }


def _by_year(page: Page, asked: Mapping[str, str]) -> Component:
    with page.data.connection.cursor() as cursor:
        rows = yearly(cursor, asked["former"], asked["latter"])
    columns = [
        Column("Учебный год", lambda row: fmt.year(row["academic_year"]), is_heading=True),
        Column("Было в списке", lambda row: fmt.number(row["former_count"]), True),
        Column("Стало бы", lambda row: fmt.number(row["latter_count"]), True),
        Column("Входят", lambda row: fmt.number(row["enters_count"]), True),
        Column("Выходят", lambda row: fmt.number(row["leaves_count"]), True),
        Column("Остаются", lambda row: fmt.number(row["stays_count"]), True),
        Column("Стало бы: ненадёжных", lambda row: fmt.number(row["unreliable_count"]), True),
        Column("Стало бы: держится при 95\u00a0%", lambda row: fmt.number(row["holds_count"]), True),
    ]
    title = "Два списка по годам"
    shown = table(title, columns, rows, shows_caption=False) if rows else empty("У одной из методик списка нет")
    return section(title, shown, note=f"Ненадёжные записи держатся {page.names.unreliable_ru}.")


def _moved(page: Page, asked: Mapping[str, str]) -> Component:
    rows = _movers(page, asked)
    title = f"Кто входит и кто выходит, {fmt.year(asked['year'])}"
    if not rows:
        return section(title, html.P("Списки этого года совпадают."))
    columns = [
        GridColumn("movement", "Перемена", "pill", 120),
        GridColumn("school", "Школа", "link", 230, grows=2),
        GridColumn("municipality", "Муниципалитет", "long", 160, grows=1),
        GridColumn("reason", "Почему", "long", 320, grows=3),
        GridColumn("reliability", "Надёжность", "pill", 165),
    ]
    shown = [
        {
            "movement": words.MOVEMENT["enters" if row["in_latter"] else "leaves"],
            "school": fmt.short_name(row["school_name"]),
            "school_full": row["school_name"],
            "school_href": school_address(row["school_id"], asked["year"]),
            "municipality": row["municipality_name"],
            "reason": row["reason_ru"] or low_counts_ru(row),
            "reliability": words.RELIABILITY.get(row["reliability"] or ""),
        }
        for row in rows
    ]
    return section(title, grid("moved", title, columns, shown), downloads("methods", dict(asked)))


def _movers(page: Page, asked: Mapping[str, str]) -> list[Row]:
    with page.data.connection.cursor() as cursor:
        return movers(cursor, asked["former"], asked["latter"], asked["year"])


def _all(page: Page, year: str, titles: Mapping[str, str]) -> Component:
    """Every method of the release against the official one."""
    rows = queries.methods_of_year(page.data, year)
    columns = [
        Column("Методика", lambda row: _method(row, year, titles), is_heading=True),
        Column(
            "В списке",
            lambda row: fmt.number(row["listed_count"]) if not row["no_list_reason_ru"] else row["no_list_reason_ru"],
            True,
        ),
        Column("Входят", lambda row: fmt.number(row["enters_count"]), True),
        Column("Выходят", lambda row: fmt.number(row["leaves_count"]), True),
        Column("Остаются", lambda row: fmt.number(row["stays_count"]), True),
        Column("Ненадёжных", lambda row: _sum(row["very_low_count"], row["low_count"]), True),
        Column("Держится при 95\u00a0%", lambda row: fmt.number(row["holds_count"]), True),
    ]
    title = f"Все методики рядом с официальной, {fmt.year(year)}"
    return (
        section(title, table(title, columns, rows, shows_caption=False))
        if rows
        else section(title, empty("Сравнения нет"))
    )


def _method(row: Row, year: str, titles: Mapping[str, str]) -> Child:
    name = titles.get(row["method_id"], row["method_id"])
    if row["is_official"]:
        return name
    return html.A(name, href=address("/methods", latter=row["method_id"], year=year))


def _sum(*counts: int | None) -> str:
    known = [count for count in counts if count is not None]
    return fmt.number(sum(known)) if known else fmt.DASH


def sheet(page: Page) -> Sheet | None:
    if page.data.is_public:
        return None
    asked = _asked(page)
    columns: Sequence[FileColumn] = (
        FileColumn("Учебный год", lambda row: asked["year"]),
        FileColumn("Вместо", lambda row: asked["former"]),
        FileColumn("Взять", lambda row: asked["latter"]),
        FileColumn("Перемена", lambda row: "входит" if row["in_latter"] else "выходит"),
        FileColumn("Код школы", lambda row: row["school_id"]),
        FileColumn("Школа", lambda row: row["school_name"]),
        FileColumn("Муниципалитет", lambda row: row["municipality_name"]),
        FileColumn("Почему", lambda row: row["reason_ru"] or low_counts_ru(row)),
    )
    return Sheet(f"methods-{asked['former']}-{asked['latter']}", "Что, если", columns, _movers(page, asked))
