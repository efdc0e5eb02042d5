"""Pieces that a few views share and that know marts: cells of the public profile, tables of tasks and measures.

What belongs here: what two or more views show alike. What does not: pieces that know no mart (`components.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from dash.development.base_component import Component

from dashboards import format as fmt
from dashboards import words
from dashboards.components import Child, Column, pill, symbol, table
from dashboards.data import Row


def yes_no(value: bool | None) -> str:
    return "" if value is None else "да" if value else "нет"


def participants_public(row: Row) -> Child:
    return fmt.number(row["participants"]) if row["participants"] is not None else symbol(row["participants_symbol"])


def share_public(row: Row) -> Child:
    if row["below_share"] is not None:
        return fmt.share(row["below_share"])
    return symbol(row["below_symbol"], row["below_ru"])


def task_table(caption: str, tasks: Sequence[Row]) -> Component:
    """Tasks in the order to teach."""
    columns = [
        Column("№", lambda row: fmt.number(row["teach_again_order"]), True),
        Column("Задание", lambda row: row["title_ru"] or row["item_id"], is_heading=True),
        Column("Выполнение", lambda row: fmt.share(row["completion_share"]), True),
        Column("Интервал 95 %", lambda row: fmt.interval(row["share_ci_low"], row["share_ci_high"]), True),
        Column("В регионе", lambda row: fmt.share(row["region_completion_share"]), True),
        Column("Разница, п. п.", lambda row: fmt.signed(row["gap"] * 100) if row["gap"] is not None else None, True),
        Column("n", lambda row: fmt.number(row["pupils_count"]), True),
        Column("Дефицит", lambda row: pill(words.SEVERITY.get(row["severity"] or ""))),
    ]
    return table(caption, columns, tasks, shows_caption=False)


def measure_table(caption: str, rows: Sequence[Row], *, shows_caption: bool = False) -> Component:
    """Measures of a roadmap with who answers."""
    columns = [
        Column("№", lambda row: row["number"]),
        Column("Мероприятие", lambda row: row["title_ru"], is_heading=True),
        Column("Период", lambda row: fmt.period(row["period"])),
        Column("Срок", lambda row: fmt.day(row["due_on"]), True),
        Column("План", lambda row: _amount(row, "planned"), True),
        Column("Факт", lambda row: _amount(row, "actual"), True),
        Column("Состояние", lambda row: pill(words.MEASURE[row["status"]])),
        Column("Кто отвечает", lambda row: row["responsible_ru"] or "не назван в документе"),
    ]
    return table(caption, columns, rows, shows_caption=shows_caption)


def _amount(row: Row, name: str) -> str:
    value = row[name]
    if value is None:
        return fmt.NO_VALUE
    if row["unit"] == "yes":
        return "да" if value else "нет"
    return fmt.short_number(value) + ("\u00a0%" if row["unit"] == "pct" else "")
