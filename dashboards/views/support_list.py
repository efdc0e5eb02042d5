"""Список поддержки: the schools of a year with reason, n, interval, reliability; filters live in the address.

What belongs here: this one view, and the rows its files hold. What does not: queries and how files are written.
"""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboards import queries
from dashboards.components import (
    GridColumn,
    alert,
    downloads,
    empty,
    filters,
    grid,
    heading,
    search_field,
    section,
    select,
)
from dashboards.files import FileColumn, Sheet
from dashboards.page import Page, school_address
from dashboards.views.shared import yes_no
from dashboards.words import BASIS, LISTING, RELIABILITY, SETTLEMENT, STATUS, SUPPORT
from opora import russian as fmt
from opora.list_years import years_before
from opora.methods import UNRELIABLE
from opora.sql import Row

_LEAD = (
    "Школы, которым нужна адресная поддержка, и почему. Порядок строк — по муниципалитету и названию. Формальный "
    "признак не смягчён: рядом стоят число участников, интервал и надёжность."
)
_PUBLIC_LEAD = (
    "Школы, которым нужна адресная поддержка. Порядок строк — по муниципалитету и названию. Положение школы показано, "
    "если оно следует из показанных результатов."
)


def layout(page: Page) -> Component:
    years = queries.status_years(page.data)
    if not years:
        return html.Div([heading("Список поддержки"), empty("В выпуске ещё нет ни одного списка")])
    asked = _asked(page)
    rows = rows_of(page)
    caption = f"{queries.SHOWN[asked['show']]}, {fmt.year(asked['year'])}"
    return html.Div(
        [
            heading("Список поддержки", _PUBLIC_LEAD if page.data.is_public else _LEAD),
            _filters(page, asked),
            _notice(page, asked),
            section(
                f"{caption}: {fmt.schools(len(rows))}",
                grid("list", caption, _columns(page, asked["show"]), _shown(page, rows, asked["year"])),
                downloads("list", asked) if rows else None,
                note=_note(page, rows),
            ),
        ]
    )


def _asked(page: Page) -> dict[str, str]:
    """What the address asks for; unknown words fall back to the default."""
    years = queries.status_years(page.data)
    places = [row["municipality_id"] for row in queries.municipalities(page.data)]
    asked = {
        "year": page.choice("year", years, queries.list_year(page.data)),
        "show": page.choice("show", _choices(page), "list"),
        "municipality": page.choice("municipality", places),
        "settlement": page.choice("settlement", SETTLEMENT),
        "q": page.asked("q"),
    }
    if not page.data.is_public:
        asked["listing"] = page.choice("listing", ("new", "continuing", "left"))
        asked["reliability"] = page.choice("reliability", RELIABILITY)
    return asked


def _choices(page: Page) -> list[str]:
    hidden = "left" if page.data.is_public else "hidden"
    return [name for name in queries.SHOWN if name != hidden]


def rows_of(page: Page) -> list[Row]:
    """The rows that the address asks for, as the marts hold them."""
    asked = _asked(page)
    wanted = {name: asked[name] for name in ("year", "municipality", "settlement")}
    wanted |= {"shown": asked["show"], "words": asked["q"]}
    if page.data.is_public:
        return queries.support_list_public(page.data, **wanted)
    return queries.support_list(page.data, listing=asked["listing"], reliability=asked["reliability"], **wanted)


def _filters(page: Page, asked: dict[str, str]) -> Component:
    places = [(row["municipality_id"], row["municipality_name"]) for row in queries.municipalities(page.data)]
    fields = [
        select("year", "Учебный год", [(y, fmt.year(y)) for y in queries.status_years(page.data)], asked["year"]),
        select("show", "Какие школы", [(name, queries.SHOWN[name]) for name in _choices(page)], asked["show"]),
        select("municipality", "Муниципалитет", places, asked["municipality"], empty_label="Все"),
        select("settlement", "Город или село", SETTLEMENT.items(), asked["settlement"], empty_label="Все"),
    ]
    if not page.data.is_public:
        movement = [(name, LISTING[name]) for name in ("new", "continuing", "left")]
        steps = [(name, words) for name, (_, _, words) in RELIABILITY.items()]
        fields += [
            select("listing", "Движение", movement, asked["listing"], empty_label="Любое"),
            select("reliability", "Надёжность", steps, asked["reliability"], empty_label="Любая"),
        ]
    return filters(*fields, search_field("q", "Название или код школы", asked["q"], "Например, Лицей"))


def _notice(page: Page, asked: dict[str, str]) -> Component | None:
    if page.data.manifest.get("maturity_by_year", {}).get(asked["year"]) == "provisional":
        return alert("warn", f"Список {fmt.year(asked['year'])} предварительный: данные ещё уточняются.")
    return None


def _note(page: Page, rows: Sequence[Row]) -> str:
    if page.data.is_public:
        return "Основание, участники и интервал по процедурам — на странице школы, насколько они показаны."
    weak = sum(row["is_shnor"] and row["reliability"] in UNRELIABLE for row in rows)
    if not weak:
        return "Участников — наибольшее n, при котором правило ещё выполнено."
    return (
        f"У {fmt.counted(weak, 'школы', 'школ', 'школ')} основание держится {page.names.unreliable_ru}. "
        "Участников — наибольшее n, при котором правило ещё выполнено."
    )


# --- the grid ----------------------------------------------------------------------------------------


def _columns(page: Page, show: str) -> list[GridColumn]:
    columns = [
        GridColumn("school", "Школа", "link", 230, grows=2),
        GridColumn("municipality", "Муниципалитет", "long", 150, grows=1),
    ]
    if page.data.is_public or show not in ("list", "risk"):
        columns.append(GridColumn("status", "Положение", "pill", 135))
    if page.data.is_public:
        return [*columns, GridColumn("evidence", "Низкие результаты, насколько показаны", "long", 300, grows=3)]
    return [
        *columns,
        GridColumn("listing", "Движение", width=100),
        GridColumn("years", "Лет подряд", "number", 80),
        GridColumn("evidence", "Низкие результаты: ниже минимума из n, доля, интервал 95\u00a0%", "long", 300, grows=3),
        GridColumn("participants", "Опора, n", "number", 85),
        GridColumn("reliability", "Надёжность", "pill", 165),
        GridColumn("holds", "Держится при 95\u00a0%", width=100),
    ]


def _shown(page: Page, rows: Sequence[Row], year: str) -> list[Row]:
    evidence: dict[str, list[str]] = {}
    for result in queries.low_results(page.data, [year, *years_before(year, 2)]):
        evidence.setdefault(result["school_id"], []).append(low_result_words(page, result))
    return [
        {
            "school": fmt.short_name(row["school_name"]),
            "school_full": row["school_name"],
            "school_href": school_address(row["school_id"], year),
            "municipality": row["municipality_name"],
            "status": STATUS[row["status"]],
            "listing": LISTING.get(row.get("listing", ""), ""),
            "years": row.get("years_listed_in_a_row"),
            "evidence": _counts(row) + "; ".join(evidence.get(row["school_id"], [])),
            "participants": row.get("evidence_participants"),
            "reliability": RELIABILITY.get(row.get("reliability") or ""),
            "holds": yes_no(row.get("holds_at_confidence")),
        }
        for row in rows
    ]


def _counts(row: Row) -> str:
    """How many procedures were low in the two years that decide."""
    previous, before = row.get("low_procedures_previous_year"), row.get("low_procedures_year_before")
    if not previous and not before:
        return ""
    return f"Низких процедур {fmt.number(previous)}, годом раньше {fmt.number(before)}. "


def low_result_words(page: Page, row: Row) -> str:
    """«ВПР-5 РУ 2023/24: 38 из 95, 40,0 % (30,7–50,1 %)», without what is not shown."""
    name = f"{page.names.short(row['procedure_id'])} {fmt.year(row['academic_year'])}"
    if row["below_minimum"] is None or row["participants"] is None:
        return name
    share, ends = fmt.share(row["below_share"]), fmt.interval(row["share_ci_low"], row["share_ci_high"])
    return f"{name}: {fmt.out_of(row['below_minimum'], row['participants'])}, {share} ({ends})"


# --- the file ----------------------------------------------------------------------------------------


def sheet(page: Page) -> Sheet:
    """The same rows as a file, with the mart's own sentence for the reason."""
    asked = _asked(page)
    columns = [
        FileColumn("Учебный год", lambda row: row["academic_year"]),
        FileColumn("Код школы", lambda row: row["school_id"]),
        FileColumn("Школа", lambda row: row["school_name"]),
        FileColumn("Муниципалитет", lambda row: row["municipality_name"]),
        FileColumn("Положение", lambda row: row["status_ru"]),
    ]
    if not page.data.is_public:
        columns += [
            FileColumn("Движение", lambda row: LISTING[row["listing"]]),
            FileColumn("Лет подряд", lambda row: row["years_listed_in_a_row"]),
            FileColumn("Формат поддержки", lambda row: SUPPORT[row["support_format"]]),
            FileColumn("Основание", lambda row: BASIS.get(row["shnor_basis"] or "")),
            FileColumn("Причина", lambda row: row["reason_ru"]),
            FileColumn("Опора: участников", lambda row: row["evidence_participants"]),
            FileColumn("Надёжность", lambda row: row["reliability_ru"]),
            FileColumn("Держится при доверительной вероятности", lambda row: yes_no(row["holds_at_confidence"])),
            FileColumn("В зоне риска", lambda row: yes_no(row["is_at_risk"])),
            FileColumn("Достоверность", lambda row: row["credibility_ru"]),
        ]
    columns.append(FileColumn("Методика", lambda row: row["method_id"]))
    title = f"Список поддержки {asked['year']}: {queries.SHOWN[asked['show']].lower()}"
    return Sheet("support-list", title, columns, rows_of(page))
