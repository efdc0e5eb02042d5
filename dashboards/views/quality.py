"""Качество данных: deliveries, refusals, what was set aside and how to mend it, what the gate looked at.

What belongs here: this one view. What does not: queries and formats.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter

from dash import html
from dash.development.base_component import Component

from dashboards import queries, words
from dashboards.components import (
    Column,
    GridColumn,
    bullets,
    details,
    downloads,
    empty,
    facts,
    figures,
    filters,
    grid,
    heading,
    link,
    no_public_data,
    pill,
    search_field,
    section,
    select,
    table,
)
from dashboards.files import FileColumn, Sheet
from dashboards.page import Page, address
from dashboards.views.shared import yes_no
from opora import russian as fmt
from opora.sql import Row

_LEAD = "Что пришло, что не принято и почему, что исправить, и что проверил шлюз перед выпуском."
_MOST_ISSUES = 1000
_RECONCILED = {
    "agrees": "сошлось",
    "partial": "сошлось не всё",
    "differs": "разошлось",
    "not_comparable": "сверить не с чем",
}


def layout(page: Page) -> Component:
    head = heading("Качество данных", _LEAD)
    if page.data.is_public:
        return html.Div([head, _release(page), no_public_data("Поставок и замечаний к ним")])
    return html.Div([head, *_official(page)])


def _official(page: Page) -> Iterator[Component]:
    asked = _asked(page)
    yield _counts(page)
    yield _refused(page)
    yield _checks(page)
    yield filters(
        select(
            "severity",
            "Последствие",
            [(name, said) for name, (_, _, said) in words.ISSUE.items()],
            asked["severity"],
            empty_label="Любое",
        ),
        select(
            "check",
            "Проверка",
            [(row["check_id"], row["check_id"]) for row in _distinct_checks(page)],
            asked["check"],
            empty_label="Любая",
        ),
        select(
            "status",
            "Исход поставки",
            [(name, said) for name, (_, _, said) in words.DELIVERY.items()],
            asked["status"],
            empty_label="Любой",
        ),
        search_field("q", "Имя файла", asked["q"], "Часть имени"),
    )
    yield _issues(page, asked)
    yield _deliveries(page, asked)
    yield _reconciled(page)
    yield _gate(page)
    yield _release(page)


def _asked(page: Page) -> dict[str, str]:
    return {
        "severity": page.choice("severity", words.ISSUE),
        "check": page.choice("check", [row["check_id"] for row in _distinct_checks(page)]),
        "status": page.choice("status", words.DELIVERY),
        "q": page.asked("q"),
    }


def _distinct_checks(page: Page) -> list[Row]:
    found = {row["check_id"]: row for row in queries.checks_that_spoke(page.data)}
    return [found[name] for name in sorted(found)]


def _counts(page: Page) -> Component:
    rows = {row["status"]: row for row in queries.delivery_counts(page.data)}
    cards = [
        (
            f"Поставка {said}",
            link(fmt.number(rows[name]["deliveries_count"]), address("/quality", status=name)),
            f"строк {fmt.number(rows[name]['rows_in'])}, отложено {fmt.number(rows[name]['rows_quarantined'])}",
        )
        for name, (_, _, said) in words.DELIVERY.items()
        if name in rows
    ]
    return section(
        "Поставки этого выпуска",
        figures(cards) if cards else empty("Поставок нет"),
        note="Действующие и отклонённые; заменённые исправленными не считаются.",
    )


def _refused(page: Page) -> Component:
    rows = queries.deliveries(page.data, "refused", "")
    title = f"Отклонены целиком: {fmt.number(len(rows))}"
    columns = [
        Column("Файл", lambda row: row["file_name"], is_heading=True),
        Column("Получен", lambda row: fmt.moment(row["received_at"])),
        Column("Почему и что сделать", lambda row: row["message_ru"]),
    ]
    shown = table(title, columns, rows, shows_caption=False) if rows else html.P("Отклонённых файлов нет.")
    return section(title, shown)


def _checks(page: Page) -> Component:
    rows = queries.checks_that_spoke(page.data)
    columns = [
        Column("Последствие", lambda row: pill(words.ISSUE[row["severity"]])),
        Column(
            "Проверка", lambda row: link(row["check_id"], address("/quality", check=row["check_id"])), is_heading=True
        ),
        Column("Замечаний", lambda row: fmt.number(row["issues_count"]), True),
        Column("Файлов", lambda row: fmt.number(row["deliveries_count"]), True),
        Column("Например", lambda row: row["reason_ru"]),
        Column("Что сделать", lambda row: row["remedy_ru"]),
    ]
    title = "Что заметили проверки и как это исправить"
    return section(title, table(title, columns, rows, shows_caption=False) if rows else html.P("Замечаний нет."))


def _issues(page: Page, asked: dict[str, str]) -> Component:
    rows = queries.issues(page.data, asked["severity"], asked["check"], asked["q"])
    title = f"Замечания построчно: {fmt.number(len(rows))}"
    columns = [
        GridColumn("severity", "Последствие", "pill", 165),
        GridColumn("file", "Файл", "long", 230, grows=2),
        GridColumn("place", "Где", "long", 130),
        GridColumn("value", "Значение", "long", 120),
        GridColumn("reason", "Почему", "long", 240, grows=2),
        GridColumn("remedy", "Что сделать", "long", 240, grows=2),
    ]
    shown = [
        {
            "severity": words.ISSUE[row["severity"]],
            "file": row["file_name"],
            "place": _place(row),
            "value": row["value"],
            "reason": row["reason_ru"],
            "remedy": row["remedy_ru"],
        }
        for row in rows[:_MOST_ISSUES]
    ]
    note = f"Показаны первые {fmt.number(_MOST_ISSUES)}; все — в файле." if len(rows) > _MOST_ISSUES else None
    return section(
        title, grid("issues", title, columns, shown), downloads("issues", asked) if rows else None, note=note
    )


def _place(row: Row) -> str:
    parts = (("лист ", row["sheet"]), ("строка ", row["source_row"]), ("столбец ", row["column_name"]))
    return ", ".join(f"{name}{value}" for name, value in parts if value is not None)


def _deliveries(page: Page, asked: dict[str, str]) -> Component:
    rows = queries.deliveries(page.data, asked["status"], asked["q"])
    title = f"Все поставки: {fmt.number(len(rows))}"
    columns = [
        GridColumn("status", "Исход", "pill", 175),
        GridColumn("file", "Файл", "long", 260, grows=3),
        GridColumn("received", "Получен", width=140),
        GridColumn("years", "Учебные годы", "long", 130, grows=1),
        GridColumn("rows_in", "Строк", "number", 90),
        GridColumn("rows_accepted", "Принято", "number", 95),
        GridColumn("rows_quarantined", "Отложено", "number", 100),
        GridColumn("active", "Действует", width=100),
    ]
    shown = [
        {
            "status": words.DELIVERY[row["status"]],
            "file": row["file_name"],
            "received": fmt.moment(row["received_at"]),
            "years": row["academic_years"],
            "rows_in": row["rows_in"],
            "rows_accepted": row["rows_accepted"],
            "rows_quarantined": row["rows_quarantined"],
            "active": yes_no(row["is_active"]),
        }
        for row in rows
    ]
    return section(title, grid("deliveries", title, columns, shown), downloads("deliveries", asked) if rows else None)


def _reconciled(page: Page) -> Component:
    rows = queries.published_totals(page.data)
    columns = [
        Column("Сверка", lambda row: _RECONCILED.get(row["status"], row["status"]), is_heading=True),
        Column("Итогов", lambda row: fmt.number(row["totals_count"]), True),
    ]
    title = "Сверка с опубликованными итогами"
    shown = table(title, columns, rows, shows_caption=False) if rows else html.P("Отчётов с итогами не приходило.")
    return section(title, shown)


# --- the gate and the release ------------------------------------------------------------------------


def _gate(page: Page) -> Component:
    checks = page.data.manifest.get("gate", [])
    failed = [check for check in checks if not check["passed"]]
    columns = [
        Column(
            "Итог", lambda row: pill(("✓", "good", "выполнено") if row["passed"] else ("!", "warn", "не выполнено"))
        ),
        Column("Проверка", lambda row: row["check_id"], is_heading=True),
        Column("Что видно", lambda row: row["message_ru"]),
    ]
    title = f"Шлюз: проверок {fmt.number(len(checks))}, не выполнено {fmt.number(len(failed))}"
    accepted = page.data.manifest.get("accepted_ru")
    return section(
        title,
        html.P(f"Принято человеком: {accepted}") if accepted else None,
        table("Не выполнено", columns, failed) if failed else None,
        details("Все проверки", table("Проверки шлюза", columns, checks, shows_caption=False)),
        note="Страницы проверок лежат в выпуске: quality/index.html.",
    )


def _release(page: Page) -> Component:
    manifest = page.data.manifest
    checks = manifest.get("gate", [])
    return section(
        "О выпуске",
        facts(
            [
                ("Выпуск", page.data.release.release_id),
                ("Версия данных", str(manifest.get("version", "—"))),
                ("Сделан", f"{fmt.moment(manifest['created_at'])} UTC"),
                ("Состояние", words.MATURITY[str(manifest["maturity"])]),
                ("Прежний выпуск", manifest.get("former_release_id")),
                ("Версия кода", manifest["code_version"]),
                ("Версия справочников", manifest["reference_version"]),
                ("Проверок шлюза выполнено", fmt.out_of(sum(check["passed"] for check in checks), len(checks))),
            ]
        ),
        details(
            "Состояние лет",
            bullets(
                f"{fmt.year(year)}: {words.MATURITY[state]}" for year, state in manifest["maturity_by_year"].items()
            ),
        ),
        bullets(f"{item['method_id']}: {item['title_ru']}" for item in manifest["methods"]),
    )


# --- files -------------------------------------------------------------------------------------------


def issue_sheet(page: Page) -> Sheet | None:
    if page.data.is_public:
        return None
    asked = _asked(page)
    names = {
        "Файл": "file_name",
        "Лист": "sheet",
        "Строка": "source_row",
        "Столбец": "column_name",
        "Значение": "value",
        "Проверка": "check_id",
        "Почему": "reason_ru",
        "Что сделать": "remedy_ru",
        "Учебный год": "academic_year",
    }
    columns = [FileColumn("Последствие", lambda row: words.ISSUE[row["severity"]][2])]
    columns += [FileColumn(title, itemgetter(name)) for title, name in names.items()]
    return Sheet(
        "issues",
        "Замечания к данным",
        columns,
        queries.issues(page.data, asked["severity"], asked["check"], asked["q"]),
    )


def delivery_sheet(page: Page) -> Sheet | None:
    if page.data.is_public:
        return None
    asked = _asked(page)
    names = {
        "Файл": "file_name",
        "Получен": "received_at",
        "Учебные годы": "academic_years",
        "Строк": "rows_in",
        "Принято": "rows_accepted",
        "Отложено": "rows_quarantined",
        "Сообщение": "message_ru",
        "sha256": "sha256",
    }
    columns = [FileColumn("Исход", lambda row: words.DELIVERY[row["status"]][2])]
    columns += [FileColumn(title, itemgetter(name)) for title, name in names.items()]
    return Sheet("deliveries", "Поставки", columns, queries.deliveries(page.data, asked["status"], asked["q"]))
