"""Pieces that a few views share and that know marts: cells of the public profile, tables of tasks and measures.

What belongs here: what two or more views show alike. What does not: pieces that know no mart (`components.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from dash import html
from dash.development.base_component import Component

from dashboards import queries, words
from dashboards.components import Child, Column, details, empty, link, pill, section, symbol, table
from dashboards.page import Page, address
from opora import russian as fmt
from opora.sql import Row

# How the counts of a list are called, by the columns of the summaries that hold them.
LIST_SIZE = {"Школ": "schools_count", "Оценивается": "assessed_schools_count", "В списке": "shnor_count"}
LIST_MOVES = {
    "Новых": "new_count",
    "Остались": "continuing_count",
    "Вышли": "left_count",
    "В зоне риска": "at_risk_count",
}
LIST_COUNTS = LIST_SIZE | LIST_MOVES


def yes_no(value: bool | None) -> str:
    return "" if value is None else "да" if value else "нет"


def participants_public(row: Row) -> Child:
    return fmt.number(row["participants"]) if row["participants"] is not None else symbol(row["participants_symbol"])


def share_public(row: Row) -> Child:
    if row["below_share"] is not None:
        return fmt.share(row["below_share"])
    return symbol(row["below_symbol"], row["below_ru"])


# --- deficits ----------------------------------------------------------------------------------------


def deficits(page: Page, level: Literal["school", "municipality"], territory: str) -> Component:
    """Works of the newest year with what to begin with; the work that the address asks for shows all its tasks."""
    title = "Дефициты по заданиям"
    works = queries.deficit_summaries_of(page.data, level, territory)
    if not works:
        return section(
            title, empty("Выполнения заданий нет", html.P("Оно считается по протоколам ВПР с баллами за задания."))
        )
    year = works[0]["academic_year"]
    asked = page.choice("work", [work["procedure_id"] for work in works])
    tasks = queries.tasks_to_teach(page.data, level, territory, year) if asked else []
    mine = [task for task in tasks if task["procedure_id"] == asked]
    return section(
        title,
        *(_work(page, f"/{level}", work, mine if work["procedure_id"] == asked else []) for work in works),
        note=f"Учебный год {fmt.year(year)}. Задания — в том порядке, в каком их стоит повторить; рядом регион и n.",
    )


def _work(page: Page, path: str, work: Row, tasks: Sequence[Row]) -> Component:
    name = page.names.procedure(work["procedure_id"])
    count = fmt.counted(work["teach_again_count"], "задание", "задания", "заданий")
    head = f"{name}: к повторению {count}, n = {fmt.number(work['participants'])}"
    note = html.P(work["reason_ru"], className="note") if work["reason_ru"] else None
    if tasks:
        return details(head, _tasks(name, tasks), note, is_open=True)
    if not work["teach_again_ru"]:
        return details(head, note or html.P("Повторять нечего: ни одно задание не хуже региона заметно."))
    whole = address(path, **{**page.params, "work": work["procedure_id"]}) + "#deficits"
    return details(
        head, html.P(work["teach_again_ru"], className="lines"), html.P(link("Все задания таблицей", whole)), note
    )


def _tasks(caption: str, tasks: Sequence[Row]) -> Component:
    """Tasks in the order to teach."""
    columns = [
        Column("№", lambda row: fmt.number(row["teach_again_order"]), True),
        Column("Задание", lambda row: row["title_ru"] or row["item_id"], is_heading=True),
        Column("Выполнение", lambda row: fmt.share(row["completion_share"]), True),
        Column("Интервал 95\u00a0%", lambda row: fmt.interval(row["share_ci_low"], row["share_ci_high"]), True),
        Column("В регионе", lambda row: fmt.share(row["region_completion_share"]), True),
        Column("Разница, п. п.", lambda row: fmt.signed(row["gap"] * 100) if row["gap"] is not None else None, True),
        Column("n", lambda row: fmt.number(row["pupils_count"]), True),
        Column("Дефицит", lambda row: pill(words.SEVERITY.get(row["severity"] or ""))),
    ]
    return table(caption, columns, tasks, shows_caption=False)


# --- measures ----------------------------------------------------------------------------------------


def measure_table(caption: str, rows: Sequence[Row], *, shows_caption: bool = False) -> Component:
    """Measures of a roadmap with who answers."""
    columns = [
        Column("№", lambda row: row["number"]),
        Column("Мероприятие", lambda row: row["title_ru"], is_heading=True),
        Column("Период", lambda row: fmt.year(row["period"])),
        Column("Срок", lambda row: fmt.day(row["due_on"]), True),
        Column("План", lambda row: fmt.amount(row["planned"], row["unit"]), True),
        Column("Факт", lambda row: fmt.amount(row["actual"], row["unit"]), True),
        Column("Состояние", lambda row: pill(words.MEASURE[row["status"]])),
        Column("Кто отвечает", lambda row: row["responsible_ru"] or "не назван в документе"),
    ]
    return table(caption, columns, rows, shows_caption=shows_caption)
