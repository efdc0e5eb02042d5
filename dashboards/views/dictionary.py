"""Словарь и методика: what every mart and column means, and the pages of the methodology.

What belongs here: this one view. The words come from the release (official) or the registry (public), the pages from
`docs/methodology`. What does not: words of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components import Column, alert, empty, filters, heading, link, search_field, section, select, table
from dashboards.page import Page, address
from opora import russian as fmt
from opora.home import PROJECT
from schemas.dictionary import TYPES_RU
from schemas.registry import tables

_LEAD = "Что значит каждая витрина и каждый столбец, и как решается то, что в них стоит."
_METHODOLOGY = PROJECT / "docs" / "methodology"
Described = Mapping[str, Any]


def layout(page: Page) -> Component:
    known = {item["table"].removeprefix("public_"): item for item in _described(page)}
    chapter = page.choice("page", pages())
    if chapter:
        return _chapter(chapter)
    asked, words = page.choice("table", known), page.asked("q")
    fields = filters(
        select(
            "table",
            "Витрина",
            [(name, f"{name}: {item['title_ru']}") for name, item in known.items()],
            asked,
            empty_label="Все",
            width="wide",
        ),
        search_field("q", "Искать в названиях и описаниях", words, "Например, надёжность"),
    )
    return html.Div(
        [
            heading("Словарь и методика", _LEAD),
            _unknown(page, asked),
            fields,
            *([_mart(asked, known[asked])] if asked else [_found(known, words)] if words else [_marts(known)]),
            _methodology(),
        ]
    )


def _described(page: Page) -> Sequence[Described]:
    """The words this release was published with; the public profile is described by the registry."""
    if page.data.is_public:
        return [item.model_dump(mode="json") for item in tables("public")]
    return page.data.dictionary


def _unknown(page: Page, asked: str) -> Component | None:
    wanted = page.asked("table")
    return alert("warn", f"Витрины «{wanted}» в этом профиле нет") if wanted and not asked else None


def _marts(known: Mapping[str, Described]) -> Component:
    columns = [
        Column("Витрина", lambda item: link(item["name"], address("/dictionary", table=item["name"])), is_heading=True),
        Column("Что в ней", lambda item: item["title_ru"]),
        Column("Строка", lambda item: item["grain_ru"]),
        Column("Столбцов", lambda item: fmt.number(len(item["columns"])), True),
    ]
    rows = [dict(item) | {"name": name} for name, item in known.items()]
    return section("Витрины", table("Витрины", columns, rows, shows_caption=False))


def _mart(name: str, item: Described) -> Component:
    return section(
        f"{name}: {item['title_ru']}",
        html.P(item["description_ru"], className="reason"),
        html.P(f"Строка: {item['grain_ru']}. Ключ: {', '.join(item['primary_key'])}.", className="note"),
        _columns([dict(column) | {"table": name} for column in item["columns"]]),
    )


def _found(known: Mapping[str, Described], words: str) -> Component:
    rows = [
        dict(column) | {"table": name}
        for name, item in known.items()
        for column in item["columns"]
        if words.lower() in f"{column['name']} {column['label_ru']} {column.get('description_ru', '')}".lower()
    ]
    title = f"По словам «{words}»: {fmt.counted(len(rows), 'столбец', 'столбца', 'столбцов')}"
    return section(title, _columns(rows, shows_table=True) if rows else empty("Ничего не нашлось"))


def _columns(rows: Sequence[Described], *, shows_table: bool = False) -> Component:
    of_table = Column("Витрина", lambda row: link(row["table"], address("/dictionary", table=row["table"])))
    columns = [
        *([of_table] if shows_table else []),
        Column("Столбец", lambda row: html.Code(row["name"]), is_heading=True),
        Column("Название", lambda row: row["label_ru"]),
        Column("Тип", lambda row: TYPES_RU[row["type"]]),
        Column("Единица", lambda row: row.get("unit")),
        Column("Что значит", _meaning),
    ]
    return table("Столбцы", columns, [dict(row) for row in rows], shows_caption=False)


def _meaning(row: Described) -> str:
    vocabulary = row.get("vocabulary")
    values = f"Значения: {', '.join(vocabulary)}." if vocabulary else ""
    return " ".join(part for part in (row.get("description_ru"), values) if part)


# --- the methodology ---------------------------------------------------------------------------------


@cache
def pages() -> Mapping[str, str]:
    """Pages of the methodology by name, with their titles; none where only the package is installed."""
    found = {
        path.stem: path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ").strip()
        for path in sorted(_METHODOLOGY.glob("*.md"))
    }
    return {"index": found.pop("index"), **found} if "index" in found else found


def _methodology() -> Component:
    title = "Как решает Опора"
    if not pages():
        return section(title, empty("Страниц методики рядом нет", html.P("Они лежат в docs/methodology.")))
    links = [html.Li(link(words, address("/dictionary", page=name))) for name, words in pages().items()]
    return section(
        title, html.Ul(links, className="bullets columns"), note="Одна страница на правило: формула, пример, источник."
    )


def _chapter(name: str) -> Component:
    text = (_METHODOLOGY / f"{name}.md").read_text(encoding="utf-8")
    return html.Div(
        [
            heading(pages()[name]),
            html.P(link("← Словарь и методика", "/dictionary")),
            html.Div(dcc.Markdown(_shown(text)), className="section chapter"),
        ]
    )


def _shown(text: str) -> str:
    """The page without its title; links lead to pages of ours, the rest become plain words."""

    def led(found: re.Match[str]) -> str:
        words, target = found[1], found[2].partition("#")[0]
        if Path(target).suffix == ".md" and Path(target).stem in pages() and "/" not in target:
            return f"[{words}]({address('/dictionary', page=Path(target).stem)})"
        return words if not target.startswith("http") else f"{words} ({found[2]})"

    return re.sub(r"\[([^\]]+)\]\(([^)\s]+)\)", led, text.partition("\n")[2])
