"""Обзор: the size of the list by year, entries and exits, the zone of risk, results of the region, municipalities.

What belongs here: this one view. What does not: queries and formats.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from dash import html
from dash.development.base_component import Component

from dashboards import charts, queries
from dashboards.components import (
    Child,
    Column,
    alert,
    bullets,
    chart,
    count,
    details,
    downloads,
    empty,
    figures,
    filters,
    heading,
    link,
    part,
    section,
    select,
    share_bar,
    table,
)
from dashboards.files import FileColumn, Sheet
from dashboards.page import Page, address, municipality_address
from dashboards.views.shared import LIST_COUNTS, LIST_MOVES, LIST_SIZE, participants_public, share_public
from dashboards.words import MATURITY, STATUS
from opora import russian as fmt
from opora.sql import Row

_LEAD = (
    "Список нужен, чтобы направить школам адресную поддержку. Он составлен по формальному правилу и не оценивает "
    "работу школ."
)


def _region(page: Page) -> str:
    """The region that is asked for, else the one with most schools; empty where no region is known."""
    regions = queries.regions(page.data)
    return page.choice("region", regions, next(iter(regions), ""))


def layout(page: Page) -> Component:
    region = _region(page)
    years = queries.list_years(page.data)
    if not years or not region:
        return html.Div([heading("Обзор", _LEAD), empty("В выпуске ещё нет ни одного списка")])
    year = page.choice("year", years, queries.list_year(page.data))
    parts = _public(page, region, year) if page.data.is_public else _official(page, region, year)
    return html.Div([heading("Обзор", _LEAD), _filters(page, years, year, region), *parts])


def _filters(page: Page, years: Sequence[str], year: str, region: str) -> Component:
    fields = [select("year", "Учебный год списка", [(item, fmt.year(item)) for item in years], year)]
    if len(queries.regions(page.data)) > 1:
        fields.append(select("region", "Регион", [(item, item) for item in queries.regions(page.data)], region))
    if page.data.is_public:
        procedures = _procedures(page, region)
        fields.append(
            select(
                "procedure",
                "Процедура для муниципалитетов",
                [(item, page.names.procedure(item)) for item in procedures],
                page.choice("procedure", procedures, procedures[0] if procedures else ""),
            )
        )
    return filters(*fields)


# --- official ----------------------------------------------------------------------------------------


def _official(page: Page, region: str, year: str) -> Iterator[Component | None]:
    rows = queries.lists_of_region(page.data, region)
    now = next((row for row in rows if row["academic_year"] == year), None)
    maturity = page.data.manifest.get("maturity_by_year", {}).get(year)
    if maturity == "provisional":
        yield alert("warn", f"Список {fmt.year(year)} учебного года предварительный: данные ещё уточняются.")
    if now:
        yield _now(now, year, maturity)
    yield _sizes([row for row in rows if row["assessed_schools_count"] or row["at_risk_count"] is not None])
    yield _trend(page, region)
    yield _municipalities(page, region, year)


def _now(row: Row, year: str, maturity: str | None) -> Component:
    assessed = row["assessed_schools_count"]
    cards: list[tuple[str, Child, Child]] = [
        (
            "В списке",
            link(fmt.number(row["shnor_count"]), address("/list", year=year)),
            f"{fmt.share(row['shnor_share'])} из {fmt.counted(row['schools_count'], 'школы', 'школ', 'школ')}",
        ),
        ("Новых", fmt.number(row["new_count"]), "не были в списке годом раньше"),
        ("Остались", fmt.number(row["continuing_count"]), "второй год и дольше"),
        (
            "Вышли",
            link(fmt.number(row["left_count"]), address("/list", year=year, show="left")),
            "оценены и правилу больше не отвечают",
        ),
        ("В зоне риска", _risk(row, year), "низкий результат в этом учебном году"),
        ("Оценивается школ", fmt.number(assessed), "остальным решить не по чему"),
    ]
    note = f"Учебный год {fmt.year(year)}, список {MATURITY.get(maturity or '', '')}. Методика: {row['method_id']}."
    return section("Список этого года", figures(cards), note=note)


def _risk(row: Row, year: str) -> Child:
    if row["at_risk_count"] is None:
        return html.Span("нет данных", className="unknown")
    return link(fmt.number(row["at_risk_count"]), address("/list", year=year, show="risk"))


def _sizes(rows: Sequence[Row]) -> Component:
    columns = [
        Column("Учебный год", lambda row: fmt.year(row["academic_year"]), is_heading=True),
        *(count(title, name) for title, name in LIST_COUNTS.items()),
        Column("Доля в списке", lambda row: fmt.share(row["shnor_share"]), True),
    ]
    title = "Сколько школ в списке, вошло и вышло, по учебным годам"
    return section(
        "Как менялся список",
        chart(
            charts.list_by_year(rows),
            title,
            "Школ. В первом году все попавшие в список показаны как новые. Зона риска решается по результатам самого "
            "года; где знака нет, их ещё нет.",
            table(title, columns, rows, shows_caption=False),
        ),
    )


# --- results of the region ---------------------------------------------------------------------------


def _procedures(page: Page, region: str) -> list[str]:
    found = {row["procedure_id"] for row in queries.results_of_region(page.data, region)}
    return [item for item in page.names.procedures if item in found]


def _trend(page: Page, region: str) -> Component:
    rows = queries.results_of_region(page.data, region)
    by_procedure = {key: list(items) for key, items in groupby(rows, key=lambda row: str(row["procedure_id"]))}
    order = [
        item for item in _procedures(page, region) if any(row["below_share"] is not None for row in by_procedure[item])
    ]
    panels = [(page.names.short(item), by_procedure[item]) for item in order]
    known = [] if page.data.is_public else queries.breaks(page.data)
    pairs = [(row["procedure_id"], row["earlier_year"], row["academic_year"]) for row in known]
    if page.data.is_public:
        note = "Точки не соединены: о сопоставимости лет публичный профиль не говорит. Скрытых долей на рисунке нет."
    else:
        note = "Линия соединяет только сопоставимые годы; где она прервана, доли сравнивать нельзя."
    title = "Доля участников ниже минимума в регионе, по процедурам и годам"
    return section(
        "Результаты региона",
        chart(
            charts.trends(panels, None if page.data.is_public else pairs),
            title,
            f"Доля, %, с интервалом 95\u00a0%. Сумма по школам, а не среднее школ; n — в таблице. {note}",
            table(title, _result_columns(page), rows, shows_caption=False),
            height=480 if len(panels) > 4 else 300,
        ),
        _break_notes(page, known, set(order)),
    )


def _result_columns(page: Page) -> list[Column]:
    columns = [
        Column("Процедура", lambda row: page.names.procedure(row["procedure_id"]), is_heading=True),
        Column("Учебный год", lambda row: fmt.year(row["academic_year"])),
    ]
    if page.data.is_public:
        return [
            *columns,
            Column("Участников, n", participants_public, True),
            Column("Доля ниже минимума", share_public, True),
            Column("Интервал 95\u00a0%", lambda row: fmt.interval(row["share_ci_low"], row["share_ci_high"]), True),
        ]
    return [
        *columns,
        Column("Участников, n", lambda row: fmt.number(row["participants"]), True),
        Column("Ниже минимума", lambda row: fmt.number(row["below_minimum"]), True),
        Column("Доля", lambda row: fmt.share(row["below_share"]), True),
        Column("Интервал 95\u00a0%", lambda row: fmt.interval(row["share_ci_low"], row["share_ci_high"]), True),
        Column("Школ с низким результатом", lambda row: fmt.number(row["low_schools_count"]), True),
    ]


def _break_notes(page: Page, rows: Sequence[Row], shown: set[str]) -> Component | None:
    """Every reason once, with the procedures and the neighbouring years it parts."""
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        if row["procedure_id"] in shown and row["years_between"] == 1:
            years = f"{fmt.year(row['earlier_year'])} → {fmt.year(row['academic_year'])}"
            found.setdefault(row["note_ru"] or "", {})[f"{page.names.short(row['procedure_id'])} {years}"] = None
    if not found:
        return None
    return details(
        "Где годы несопоставимы и почему",
        bullets([f"{note} Прервано: {', '.join(places)}." for note, places in found.items()]),
    )


# --- municipalities ----------------------------------------------------------------------------------


def _municipalities(page: Page, region: str, year: str) -> Component:
    rows = queries.municipalities_of_year(page.data, region, year)
    columns = [
        Column(
            "Муниципалитет",
            lambda row: link(
                row["municipality_name"] or row["municipality_id"], municipality_address(row["municipality_id"], year)
            ),
            is_heading=True,
        ),
        *(count(title, name) for title, name in LIST_SIZE.items()),
        Column("Доля школ в списке", lambda row: fmt.share(row["shnor_share"]), True),
        *(count(title, name) for title, name in LIST_MOVES.items()),
    ]
    return section(
        "Муниципалитеты рядом",
        table(f"Школы муниципалитетов в списке {fmt.year(year)} учебного года", columns, rows, shows_caption=False),
        downloads("municipalities", {"year": year, "region": region}),
        note="По алфавиту: порядок строк ничего не говорит о муниципалитетах. Доля посчитана от всех школ.",
    )


# --- public ------------------------------------------------------------------------------------------


def _public(page: Page, region: str, year: str) -> Iterator[Component | None]:
    rows = queries.statuses_public(page.data, region)
    now = {row["status"]: row["schools_count"] for row in rows if row["academic_year"] == year}
    yield section(
        "Список этого года",
        figures(
            [
                ("В списке", link(fmt.number(now.get("shnor", 0)), address("/list", year=year)), "показано"),
                (
                    "В зоне риска",
                    link(fmt.number(now.get("risk", 0)), address("/list", year=year, show="risk")),
                    "показано",
                ),
                (
                    "Положение скрыто",
                    link(fmt.number(now.get("hidden", 0)), address("/list", year=year, show="hidden")),
                    "решают результаты, которые не показаны",
                ),
            ]
        ),
        note=f"Учебный год {fmt.year(year)}. Школ в списке может быть больше, чем показано: у части положение скрыто.",
    )
    statuses = [name for name in STATUS if any(row["status"] == name for row in rows)]
    by_year = {
        key: {row["status"]: row["schools_count"] for row in items}
        for key, items in groupby(rows, key=lambda row: str(row["academic_year"]))
    }
    columns = [
        Column("Учебный год", lambda row: fmt.year(row["academic_year"]), is_heading=True),
        *(part(STATUS[name][2].capitalize(), name, lambda n: fmt.number(n or 0)) for name in statuses),
    ]
    yield section(
        "Как менялся список",
        table(
            "Школ в каждом положении по учебным годам",
            columns,
            [{"academic_year": key} | counts for key, counts in by_year.items()],
        ),
    )
    yield _trend(page, region)
    yield _municipalities_public(page, region, year)


def _municipalities_public(page: Page, region: str, year: str) -> Component:
    procedures = _procedures(page, region)
    procedure = page.choice("procedure", procedures, procedures[0] if procedures else "")
    columns = [
        Column(
            "Муниципалитет",
            lambda row: link(
                row["municipality_name"] or row["municipality_id"], municipality_address(row["municipality_id"], year)
            ),
            is_heading=True,
        ),
        Column("Участников, n", participants_public, True),
        Column("Доля ниже минимума", share_public, True),
        Column("Интервал 95\u00a0%", lambda row: fmt.interval(row["share_ci_low"], row["share_ci_high"]), True),
        Column("Доля на шкале", lambda row: share_bar(row["below_share"], row["share_ci_low"], row["share_ci_high"])),
    ]
    behind = {
        row["academic_year"] for row in queries.results_of_region(page.data, region) if row["academic_year"] < year
    }
    results_year = max(behind, default=year)
    rows = queries.municipalities_public(page.data, region, results_year, procedure)
    title = f"{page.names.procedure(procedure)}, {fmt.year(results_year)}"
    if not rows:
        return section("Муниципалитеты рядом", empty(f"{title}: показанных результатов нет"))
    return section(
        "Муниципалитеты рядом",
        table(title, columns, rows),
        note="По алфавиту: порядок строк ничего не говорит о муниципалитетах.",
    )


# --- the file ----------------------------------------------------------------------------------------


def sheet(page: Page) -> Sheet | None:
    """Municipalities of a year; the public profile has no counts of lists."""
    if page.data.is_public:
        return None
    years = queries.list_years(page.data)
    year = page.choice("year", years, queries.list_year(page.data))
    names = {"Муниципалитет": "municipality_name", **LIST_SIZE, "Доля школ в списке": "shnor_share", **LIST_MOVES}
    columns = [FileColumn("Учебный год", lambda row: year)]
    columns += [FileColumn(title, itemgetter(name)) for title, name in names.items()]
    rows = queries.municipalities_of_year(page.data, _region(page), year)
    return Sheet("municipalities", f"Муниципалитеты, {year}", columns, rows)
