"""Объективность: markers computed and published, the index of territories, marks beside the journal.

What belongs here: this one view. What does not: queries and formats.
"""

from __future__ import annotations

from operator import itemgetter

from dash import html
from dash.development.base_component import Component

from dashboards import queries, words
from dashboards.components import (
    Column,
    GridColumn,
    downloads,
    empty,
    filters,
    grid,
    heading,
    link,
    no_public_data,
    section,
    select,
    table,
)
from dashboards.files import FileColumn, Sheet
from dashboards.page import Page, municipality_address, school_address
from opora import russian as fmt
from opora.sql import Row

_LEAD = (
    "Признаки говорят, насколько верить результатам, а не о намерениях людей. Ни признаков низкого результата, ни "
    "списка поддержки они не меняют."
)


def layout(page: Page) -> Component:
    head = heading("Объективность", _LEAD)
    if page.data.is_public:
        return html.Div([head, no_public_data("Признаков необъективности")])
    years = queries.objectivity_years(page.data)
    if not years:
        return html.Div([head, empty("Признаков посчитать не по чему", html.P("Нужны баллы участников ВПР."))])
    asked = _asked(page)
    places = [(row["municipality_id"], row["municipality_name"]) for row in queries.municipalities(page.data)]
    fields = filters(
        select("year", "Учебный год", [(year, fmt.year(year)) for year in years], asked["year"]),
        select("municipality", "Муниципалитет", places, asked["municipality"], empty_label="Все"),
        select("source", "Откуда признак", words.SOURCE.items(), asked["source"], empty_label="Любой"),
    )
    return html.Div(
        [
            head,
            fields,
            _region(page),
            _territories(page, asked["year"]),
            _schools(page, asked),
            _journal(page, asked["year"]),
        ]
    )


def _asked(page: Page) -> dict[str, str]:
    years = queries.objectivity_years(page.data)
    return {
        "year": page.choice("year", years, next(iter(years), "")),
        "municipality": page.choice(
            "municipality", [row["municipality_id"] for row in queries.municipalities(page.data)]
        ),
        "source": page.choice("source", words.SOURCE),
    }


def _counts() -> list[Column]:
    return [
        Column("Школ проверено", lambda row: fmt.out_of(row["checked_schools_count"], row["schools_count"]), True),
        Column("С признаком", lambda row: fmt.number(row["marked_schools_count"]), True),
        Column("Признаков", lambda row: fmt.number(row["markers_count"]), True),
        Column("Индекс объективности", lambda row: fmt.number(row["objectivity_index"], 1), True),
        Column(
            "В опубликованном списке",
            lambda row: fmt.number(row["published_schools_count"]) if row["has_published_list"] else "списка нет",
            True,
        ),
        Column(
            "И рассчитан, и опубликован",
            lambda row: fmt.number(row["both_count"]) if row["has_published_list"] else None,
            True,
        ),
    ]


def _region(page: Page) -> Component:
    rows = queries.objectivity_of_territories(page.data, "region", "")
    columns = [Column("Учебный год", lambda row: fmt.year(row["academic_year"]), is_heading=True), *_counts()]
    return section(
        "Регион по годам",
        table("Регион по годам", columns, rows, shows_caption=False),
        note="Индекс — доля проверенных школ без рассчитанного признака, %.",
    )


def _territories(page: Page, year: str) -> Component:
    rows = queries.objectivity_of_territories(page.data, "municipality", year)
    columns = [
        Column(
            "Муниципалитет",
            lambda row: link(row["territory_name"] or row["territory_id"], municipality_address(row["territory_id"])),
            is_heading=True,
        ),
        *_counts(),
    ]
    return section(
        f"Муниципалитеты, {fmt.year(year)}",
        table("Муниципалитеты", columns, rows, shows_caption=False),
        note="По алфавиту: порядок строк ничего не говорит о муниципалитетах.",
    )


def _schools(page: Page, asked: dict[str, str]) -> Component:
    rows = queries.marked_schools(page.data, **asked)
    count = len({row["school_id"] for row in rows})
    title = f"Школы с признаком, {fmt.year(asked['year'])}: {fmt.schools(count)}, признаков {fmt.number(len(rows))}"
    columns = [
        GridColumn("school", "Школа", "link", 230, grows=2),
        GridColumn("municipality", "Муниципалитет", "long", 150, grows=1),
        GridColumn("source", "Откуда", width=120),
        GridColumn("title", "Признак", "long", 210, grows=2),
        GridColumn("participants", "n", "number", 75),
        GridColumn("explanation", "Пояснение", "long", 300, grows=3),
    ]
    shown = [
        {
            "school": fmt.short_name(row["school_name"]),
            "school_full": row["school_name"],
            "school_href": school_address(row["school_id"]),
            "municipality": row["municipality_name"],
            "source": words.SOURCE[row["source"]],
            "title": row["title_ru"],
            "participants": row["participants"],
            "explanation": " ".join(part for part in (row["explanation_ru"], row["note_ru"]) if part),
        }
        for row in rows
    ]
    return section(title, grid("markers", title, columns, shown), downloads("objectivity", asked) if rows else None)


def _journal(page: Page, year: str) -> Component:
    """How marks for the work agree with marks in the journal."""
    rows = queries.agreement_of_region(page.data, year)
    title = f"Отметки за ВПР и отметки в журнале, регион, {fmt.year(year)}"
    if not rows:
        return section(title, empty("Отметок по журналу за этот год нет"))
    columns = [
        Column("Процедура", lambda row: page.names.procedure(row["procedure_id"]), is_heading=True),
        Column("n", lambda row: fmt.number(row["compared_count"]), True),
        Column("Понизили", lambda row: _share(row, "lowered"), True),
        Column("Подтвердили", lambda row: _share(row, "confirmed"), True),
        Column("Повысили", lambda row: _share(row, "raised"), True),
        Column("Разошлись сильно", lambda row: _share(row, "far_apart"), True),
        Column("Насколько информативно", lambda row: row["informativeness_ru"]),
    ]
    return section(
        title,
        table(title, columns, rows, shows_caption=False),
        note="Доля участников, чья отметка за работу ниже, та же или выше, чем в журнале; рядом интервал 95\u00a0%.",
    )


def _share(row: Row, name: str) -> Component:
    ends = fmt.interval(row[f"{name}_ci_low"], row[f"{name}_ci_high"])
    return html.Div([html.Div(fmt.share(row[f"{name}_share"])), html.Div(ends, className="small")])


def sheet(page: Page) -> Sheet | None:
    if page.data.is_public:
        return None
    asked = _asked(page)
    names = {
        "Учебный год": "academic_year",
        "Код школы": "school_id",
        "Школа": "school_name",
        "Муниципалитет": "municipality_name",
        "Признак": "title_ru",
        "Участников": "participants",
        "Величина": "statistic",
        "Граница": "critical_value",
        "Пояснение": "explanation_ru",
        "Оговорка": "note_ru",
        "Методика": "method_id",
    }
    columns = [FileColumn(title, itemgetter(name)) for title, name in names.items()]
    columns.insert(5, FileColumn("Откуда", lambda row: words.SOURCE[row["source"]]))
    return Sheet(
        "objectivity", f"Признаки необъективности, {asked['year']}", columns, queries.marked_schools(page.data, **asked)
    )
