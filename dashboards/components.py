"""Pieces that all views are built of: tables, figures, pills, filters, empty states, grids.

What belongs here: markup with Russian words around what it is given. What does not: queries, and anything only one
view needs. Text from a release is always a text node: no Markdown, no raw HTML.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards.page import address
from dashboards.words import SYMBOL
from opora import russian as fmt
from opora.sql import Row

Child = Component | str | int | float | None
# A grid longer than this scrolls inside itself and is not printed: it is downloaded.
MOST_ROWS_PRINTED = 300
_TALL_GRID = 40
# What a filter showed when its page came: a value that differs was chosen by a person.
SHOWN_VALUE = "data-shown"
_TYPING_PAUSE = 700  # milliseconds without a key before a word counts as typed
_LONG = 70  # letters of a value that takes a line of its own
_PAGE = 100


def aria(**names: str | None) -> dict[str, Any]:
    """ARIA attributes by their short names; those without a value are left out."""
    return {f"aria-{name}": value for name, value in names.items() if value is not None}


# --- words -------------------------------------------------------------------------------------------


def heading(title: str, lead: Child = None) -> Component:
    """The one h1 of a view; focus moves to it when the address changes."""
    return html.Div(
        [html.H1(title, id="title", tabIndex=-1), html.P(lead, className="lead") if lead else None],
        className="heading",
    )


def section(title: str, *children: Child, note: Child = None) -> Component:
    return html.Section(
        [html.H2(title), html.P(note, className="note") if note else None, *children],
        className="section",
    )


def contents(links: Iterable[tuple[str, str]]) -> Component:
    """What a long page holds, as links to its sections."""
    return html.Nav(
        [html.A(title, href=f"#{anchor}") for anchor, title in links],
        className="contents",
        **aria(label="На этой странице"),
    )


def pill(words: tuple[str, str, str] | None, text: str | None = None) -> Component | str:
    """A status: sign, tone, words. `text` replaces the words."""
    if words is None:
        return text or fmt.DASH
    sign, tone, known = words
    return html.Span(
        [html.Span(sign, className="sign", **aria(hidden="true")), text or known], className=f"pill {tone}"
    )


def symbol(code: str | None, words: str | None = None) -> Component | str:
    """A cell that the public profile hides: the symbol with its explanation."""
    if code is None:
        return words or fmt.DASH
    mark, meaning = SYMBOL[code]
    explained = html.Span(f" ({meaning})", className="only-read")
    return html.Abbr([words or mark, explained], title=meaning, className="symbol")


def link(text: Child, path: str) -> Component:
    return html.A(text, href=path)


def empty(title: str, *children: Child) -> Component:
    """A designed «nothing here»: what is missing and what to do."""
    return html.Div([html.P(title, className="empty-title"), *children], className="empty")


def no_public_data(what: str) -> Component:
    return empty(
        f"{what} в публичном профиле нет",
        html.P(
            "Эти сведения — для органа управления образованием: по ним можно было бы вычислить числа малых групп. "
            "Откройте официальный профиль."
        ),
    )


def alert(tone: str, title: str, *children: Child) -> Component:
    return html.Div([html.P(title, className="alert-title"), *children], className=f"alert {tone}", role="status")


def bullets(lines: Iterable[Child]) -> Component:
    return html.Ul([html.Li(line) for line in lines], className="bullets")


def facts(pairs: Iterable[tuple[str, Child]]) -> Component:
    """Name and value, side by side; pairs without a value are left out."""
    found = [(name, value) for name, value in pairs if value not in (None, "", fmt.DASH)]
    return html.Dl(
        [html.Div([html.Dt(name), html.Dd(value)], className=_width(value)) for name, value in found], className="facts"
    )


def _width(value: Child) -> str:
    return "wide" if isinstance(value, str) and len(value) > _LONG else ""


def figures(cards: Iterable[tuple[str, Child, Child]]) -> Component:
    """Large figures: what, how many, what to know of it."""
    return html.Dl(
        [
            html.Div([html.Dt(name), html.Dd(value, className="big"), html.Dd(note, className="small")])
            for name, value, note in cards
        ],
        className="cards",
    )


def details(summary: str, *children: Child, is_open: bool = False) -> Component:
    return html.Details([html.Summary(summary), *children], open=is_open)


# --- tables ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, how a row becomes a cell."""

    title: Child
    cell: Callable[[Row], Child]
    is_number: bool = False
    is_heading: bool = False


def count(title: str, name: str) -> Column:
    """A column of whole numbers that stand in a field of the row."""
    return Column(title, lambda row: fmt.number(row.get(name)), True)


def part(title: str, name: str, cell: Callable[[Any], Child]) -> Column:
    """A column whose cells are made of one field of the row alone."""
    return Column(title, lambda row: cell(row.get(name)), True)


def table(caption: str, columns: Sequence[Column], rows: Sequence[Row], *, shows_caption: bool = True) -> Component:
    """A real table that scrolls inside itself when it is wider than the page."""
    head = html.Tr([html.Th(column.title, scope="col", className=_kind(column)) for column in columns])
    body = [html.Tr([_cell(column, row) for column in columns]) for row in rows]
    shown = html.Table(
        [
            html.Caption(caption, className="" if shows_caption else "only-read"),
            html.Thead(head),
            html.Tbody(body),
        ]
    )
    return html.Div(shown, className="scroll", tabIndex=0, role="region", **aria(label=caption))


def _kind(column: Column) -> str:
    return "number" if column.is_number else ""


def _cell(column: Column, row: Row) -> Component:
    value = column.cell(row)
    shown = fmt.DASH if value is None or value == "" else value
    if column.is_heading:
        return html.Th(shown, scope="row")
    return html.Td(shown, className=_kind(column))


def share_bar(value: float | None, low: float | None, high: float | None, threshold: float | None = None) -> Component:
    """A share with its interval and the threshold, drawn; the numbers stand beside it."""
    if value is None:
        return html.Span()
    parts = []
    if low is not None and high is not None:
        parts.append(html.Span(className="bar-interval", style={"left": _pct(low), "width": _pct(high - low)}))
    if threshold is not None:
        parts.append(html.Span(className="bar-threshold", style={"left": _pct(threshold)}))
    parts.append(html.Span(className="bar-point", style={"left": _pct(value)}))
    return html.Span(parts, className="bar", **aria(hidden="true"))


def bar_scale(threshold: float | None) -> Component:
    """The heading over a column of bars: where 0, the threshold and 100 % are."""
    marks = [("0", 0.0), ("100 %", 1.0)] + ([(fmt.share(threshold, 0), threshold)] if threshold is not None else [])
    return html.Span(
        [html.Span(words, style={"left": _pct(place)}) for words, place in marks],
        className="bar-scale",
        **aria(label="Рисунок: доля и интервал от 0 до 100 %"),
        role="img",
    )


def _pct(value: float) -> str:
    return f"{100 * min(max(value, 0.0), 1.0):.2f}%"


# --- charts ------------------------------------------------------------------------------------------


def chart(
    figure: Mapping[str, Any], title: str, note: Child, values: Component, *, height: int = 320, opened: bool = False
) -> Component:
    """A figure with a title that says what is shown, a note with units and n, and the same numbers as a table."""
    return html.Figure(
        [
            html.Figcaption([html.H3(title), html.P(note, className="note")]),
            html.Div(
                dcc.Graph(
                    figure=figure,
                    config={"displayModeBar": False, "responsive": True},
                    style={"height": f"{height}px"},
                    responsive=True,
                ),
                role="img",
                className="plot",
                **aria(label=f"{title}. Те же числа — в таблице ниже."),
            ),
            details("Числа таблицей", values, is_open=opened),
        ],
        className="chart",
    )


# --- filters -----------------------------------------------------------------------------------------


def filters(*fields: Component, label: str = "Отбор") -> Component:
    return html.Div(fields, className="filters", role="search", **aria(label=label))


def select(
    name: str,
    label: str,
    options: Iterable[tuple[str, str]],
    value: str,
    *,
    empty_label: str | None = None,
    width: str = "",
) -> Component:
    """A list to choose from; the choice goes into the address."""
    data = [{"value": code, "label": words} for code, words in options]
    return dmc.Select(
        id={"filter": name},
        label=label,
        data=data,
        value=value or None,
        placeholder=empty_label,
        clearable=empty_label is not None,
        allowDeselect=empty_label is not None,
        searchable=len(data) > 12,
        nothingFoundMessage="Ничего не найдено",
        clearButtonProps={"aria-label": f"Снять отбор: {label}", "tabIndex": 0, "aria-hidden": False},
        comboboxProps={"withinPortal": False},
        checkIconPosition="right",
        className=f"field {width}".strip(),
        **{SHOWN_VALUE: value},
    )


def search_field(name: str, label: str, value: str, placeholder: str) -> Component:
    return dmc.TextInput(
        id={"filter": name},
        label=label,
        value=value,
        placeholder=placeholder,
        debounce=_TYPING_PAUSE,
        className="field wide",
        **{SHOWN_VALUE: value},
    )


def downloads(name: str, params: Mapping[str, str | None]) -> Component:
    """Links to the same rows as files."""
    links = [
        html.A(kind.upper(), href=address(f"/download/{name}.{kind}", **params), download="", className="button")
        for kind in ("xlsx", "csv")
    ]
    return html.P(["Скачать: ", *links], className="downloads")


# --- grids -------------------------------------------------------------------------------------------

_GRID_RU = {
    "noRowsToShow": "Ничего не найдено",
    "noMatchingRows": "Ничего не найдено",
    "loadingOoo": "Загружаю…",
    "page": "Страница",
    "to": "–",
    "of": "из",
    "more": "ещё",
    "nextPage": "Следующая страница",
    "lastPage": "Последняя страница",
    "firstPage": "Первая страница",
    "previousPage": "Предыдущая страница",
    "pageSizeSelectorLabel": "Строк на странице:",
    "ariaPageSizeSelectorLabel": "Строк на странице",
    "ariaSortableColumn": "Enter — упорядочить",
    "ariaColumn": "Столбец",
}


@dataclass(frozen=True)
class GridColumn:
    """A column of a grid. `kind` is how a value is drawn: text, link, pill, number, share, long."""

    field: str
    title: str
    kind: str = "text"
    width: int = 140
    decimals: int = 0
    is_pinned: bool = False
    grows: int = 0


def grid(name: str, caption: str, columns: Sequence[GridColumn], rows: Sequence[Row]) -> Component:
    """Rows to sort in place; on paper they are a plain table.

    A link column reads its address from `<field>_href` and longer words from `<field>_full`; a pill column takes
    (sign, tone, words).
    """
    if not rows:
        return empty("Ничего не найдено", html.P("Снимите часть отбора."))
    shown = dag.AgGrid(
        id=f"grid-{name}",
        columnDefs=[_definition(column) for column in columns],
        rowData=[_plain(row, columns) for row in rows],
        defaultColDef={
            "sortable": True,
            "resizable": True,
            "wrapHeaderText": True,
            "autoHeaderHeight": True,
            "suppressHeaderMenuButton": True,
        },
        columnSize="responsiveSizeToFit",
        dashGridOptions={
            "localeText": _GRID_RU,
            "domLayout": "autoHeight" if len(rows) <= _TALL_GRID else "normal",
            "ensureDomOrder": True,
            "enableCellTextSelection": True,
            "animateRows": False,
            "suppressDragLeaveHidesColumns": True,
            "pagination": len(rows) > _PAGE,
            "paginationPageSize": _PAGE,
            "paginationPageSizeSelector": False,
            "paginationNumberFormatter": {"function": "oporaNumber(params.value, 0)"},
            "rowHeight": 64 if any(column.kind == "long" for column in columns) else 40,
        },
        className="grid" if len(rows) <= _TALL_GRID else "grid tall",
        style={"height": None if len(rows) <= _TALL_GRID else "70vh"},
    )
    return html.Div(
        [
            html.Div(shown, className="no-print", role="region", **aria(label=caption)),
            html.Div(_printed(caption, columns, rows), className="only-print"),
        ]
    )


def _definition(column: GridColumn) -> dict[str, Any]:
    made: dict[str, Any] = {
        "field": column.field,
        "headerName": column.title,
        "width": column.width,
        "minWidth": column.width,
    }
    if column.grows:
        made["flex"] = column.grows
    if column.is_pinned:
        made["cellClass"] = "row-name"
    if column.kind == "link":
        made["cellRenderer"] = "OporaLink"
    elif column.kind == "pill":
        made["cellRenderer"] = "OporaPill"
    elif column.kind == "long":
        made["cellRenderer"] = "OporaLong"
        made["sortable"] = False
    elif column.kind in ("number", "share"):
        made["type"] = "rightAligned"
        made["valueFormatter"] = {"function": f"opora{column.kind.title()}(params.value, {column.decimals})"}
    return made


def _plain(row: Row, columns: Sequence[GridColumn]) -> Row:
    """What the browser gets of a row: only what a column shows."""
    made: Row = {}
    for column in columns:
        value = row.get(column.field)
        if column.kind == "pill" and value is not None:
            made[f"{column.field}_sign"], made[f"{column.field}_tone"], made[column.field] = value
        else:
            made[column.field] = value
        if column.kind == "link":
            made[f"{column.field}_href"] = row.get(f"{column.field}_href")
            made[f"{column.field}_full"] = row.get(f"{column.field}_full")
    return made


def _printed(caption: str, columns: Sequence[GridColumn], rows: Sequence[Row]) -> Component:
    if len(rows) > MOST_ROWS_PRINTED:
        return html.P(f"{caption}: строк {fmt.number(len(rows))}, на бумагу они не выводятся. Скачайте файл.")
    made = [Column(column.title, _paper_cell(column), column.kind in ("number", "share")) for column in columns]
    return table(caption, made, rows)


def _paper_cell(column: GridColumn) -> Callable[[Row], Child]:
    def cell(row: Row) -> Child:
        value = row.get(column.field)
        if value is None:
            return None
        if column.kind == "pill":
            return f"{value[0]} {value[2]}"
        if column.kind == "number":
            return fmt.number(value, column.decimals)
        return fmt.share(value, column.decimals) if column.kind == "share" else str(value)

    return cell
