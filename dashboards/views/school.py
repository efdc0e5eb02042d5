"""Школа: why it is or is not in the list, its results, conditions, risks, deficits, partner, measures, changes.

What belongs here: this one view. What does not: queries and formats, and the lines down to file and row, which
`opora/explain.py` makes; the page asks for them after it is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import queries, words
from dashboards.components import (
    Child,
    Column,
    alert,
    aria,
    bar_scale,
    bullets,
    contents,
    details,
    empty,
    facts,
    filters,
    heading,
    link,
    part,
    pill,
    search_field,
    section,
    share_bar,
    table,
)
from dashboards.page import Page, address, municipality_address, school_address
from dashboards.views.shared import deficits, measure_table, participants_public, share_public, yes_no
from opora import russian as fmt
from opora.comparison import CAUSES_RU
from opora.list_years import years_before
from opora.reference import shown_order
from opora.sql import Row

LATE_EXPLANATION = "explain"
_CONTENTS = (
    ("why", "Почему"),
    ("changes", "Что изменилось"),
    ("results", "Результаты"),
    ("conditions", "Условия"),
    ("risks", "Риски"),
    ("deficits", "Дефициты"),
    ("partner", "Партнёр"),
    ("measures", "Меры"),
    ("markers", "Объективность"),
    ("outlook", "Прогноз"),
)


def layout(page: Page) -> Component:
    asked = page.asked("id")
    found = queries.school(page.data, asked) if asked else None
    if found is None:
        return _choice(page, asked)
    statuses = queries.statuses_of(page.data, asked)
    years = [row["academic_year"] for row in statuses]
    lists = [row["academic_year"] for row in statuses if row["status"] != "not_assessed"]
    year = page.choice("year", years, next(iter(lists), next(iter(years), "")))
    status = next((row for row in statuses if row["academic_year"] == year), None)
    parts = _public(page, found, status) if page.data.is_public else _official(page, found, status)
    return html.Div([_head(page, found, statuses, year), *parts])


# --- no school or an unknown one ---------------------------------------------------------------------


def _choice(page: Page, asked: str) -> Component:
    """A search; an unknown id is looked for in names too."""
    words_asked = page.asked("q") or asked
    rows = queries.schools_like(page.data, words_asked)
    columns = [
        Column("Школа", lambda row: link(row["school_name"], school_address(row["school_id"])), is_heading=True),
        Column("Муниципалитет", lambda row: row["municipality_name"]),
        Column("Код", lambda row: row["school_id"]),
    ]
    missing = (
        alert(
            "warn",
            f"Школы с кодом «{asked}» в этом выпуске нет",
            html.P(
                "Проверьте код или найдите школу по названию. Присоединённая школа живёт под кодом той, к которой "
                "её присоединили."
            ),
        )
        if asked
        else None
    )
    if rows:
        shown: Component = table(f"Найденные школы, не больше {len(rows)}", columns, rows, shows_caption=False)
    else:
        shown = empty(
            f"По словам «{words_asked}» школ не нашлось", html.P("Введите часть названия, код или муниципалитет.")
        )
    return html.Div(
        [
            heading("Школа", "Найдите школу по названию, коду или муниципалитету."),
            missing,
            filters(search_field("q", "Школа", page.asked("q"), "Название, код или муниципалитет")),
            section("Школы" if not words_asked else f"Найдено: {fmt.schools(len(rows))}", shown),
        ]
    )


# --- head --------------------------------------------------------------------------------------------


def _head(page: Page, school: Row, statuses: Sequence[Row], year: str) -> Component:
    place = school["municipality_name"] or "муниципалитет неизвестен"
    pairs: list[tuple[str, Child]] = [
        ("Муниципалитет", link(place, municipality_address(school["municipality_id"]))),
        ("Код школы", school["school_id"]),
        ("Вид", page.names.school_types.get(school["school_type"] or "", school["school_type"])),
        ("Город или село", words.SETTLEMENT.get(school["settlement_type"] or "")),
    ]
    if not page.data.is_public:
        grades = f"{school['first_grade']}–{school['last_grade']}" if school["first_grade"] else None
        pairs += [
            ("Классы", grades),
            ("Обучающихся", fmt.number(school["enrolment"])),
            ("Логин ФИС ОКО", school["vpr_login"]),
            ("Код ОО в ГИА", school["exam_code"]),
        ]
    strip = html.Ol(
        [
            html.Li(
                html.A(
                    [
                        html.Span(fmt.year(row["academic_year"]), className="strip-year"),
                        pill(words.STATUS[row["status"]]),
                    ],
                    href=school_address(school["school_id"], row["academic_year"]),
                    **aria(current="true" if row["academic_year"] == year else None),
                )
            )
            for row in reversed(statuses)
        ],
        className="strip",
        **aria(label="Положение школы по учебным годам"),
    )
    return html.Div(
        [
            heading(school["school_name"]),
            facts(pairs),
            _merged(school),
            strip,
            None if page.data.is_public else contents(_CONTENTS),
        ]
    )


def _merged(school: Row) -> Component | None:
    target = school.get("merged_into_school_id")
    if not target:
        return None
    return alert(
        "calm",
        "Школа присоединена к другой",
        html.P([fmt.day(school["merged_on"]), ": ", link(target, school_address(target))]),
    )


# --- official ----------------------------------------------------------------------------------------


def _official(page: Page, school: Row, status: Row | None) -> Iterator[Component]:
    """The parts in the order of `_CONTENTS`, each under its anchor."""
    results = queries.results_of(page.data, school["school_id"])
    year = status["academic_year"] if status else ""
    parts = {
        "why": _reason(page, status, results) if status else empty("Списка за этот год нет"),
        "changes": _changes(page, school),
        "results": _results(page, results),
        "conditions": _conditions(page, school, years_before(year, 1)[0]) if year else None,
        "risks": _risks(page, school),
        "deficits": deficits(page, "school", school["school_id"]),
        "partner": _partners(page, school, year) if year else None,
        "measures": _measures(page, school),
        "markers": _markers(page, school),
        "outlook": _outlook(page, school),
    }
    for anchor, shown in parts.items():
        yield html.Div(shown, id=anchor)


def _reason(page: Page, status: Row, results: Sequence[Row]) -> Component:
    """«Почему школа в списке»: the words of the mart, what they rest on, the results with intervals."""
    titles = {
        "shnor": "Почему школа в списке",
        "risk": "Почему школа в зоне риска",
        "none": "Почему школы нет в списке",
        "not_assessed": "Почему школа не оценивается",
        "excluded": "Почему школа вне списка",
    }
    lead, _, rest = str(status["reason_ru"]).partition(": ")
    reasons = [item for item in rest.split("; ") if item]
    said = [html.P(f"{_sentence(lead)}:"), bullets(reasons)] if reasons else [html.P(_sentence(status["reason_ru"]))]
    place = shown_order(page.names.procedures)
    list_year = status["academic_year"]
    behind = [  # of the years that decide the list, then of its own
        row
        for year in (*years_before(list_year, 2), list_year)
        for row in sorted(results, key=lambda row: place(row["procedure_id"]))
        if row["academic_year"] == year and row["below_share"] is not None
    ]
    return section(
        titles[status["status"]],
        html.P(
            [pill(words.STATUS[status["status"]]), f" {fmt.year(status['academic_year'])} учебный год"],
            className="verdict",
        ),
        html.Div(said, className="reason"),
        facts(
            [
                ("Основание", words.BASIS.get(status["shnor_basis"] or "")),
                ("Движение списка", None if status["listing"] == "none" else words.LISTING[status["listing"]]),
                ("Лет в списке подряд", fmt.number(status["years_listed_in_a_row"]) if status["is_shnor"] else None),
                (
                    "Формат поддержки",
                    None if status["support_format"] == "none" else words.SUPPORT[status["support_format"]],
                ),
                ("Держится на", fmt.counted(status["evidence_participants"], "участнике", "участниках", "участниках")),
                ("Надёжность", pill(words.RELIABILITY.get(status["reliability"] or ""), status["reliability_ru"])),
                ("Держится при 95\u00a0%", yes_no(status["holds_at_confidence"])),
                ("В зоне риска", "нет данных года" if status["is_at_risk"] is None else yes_no(status["is_at_risk"])),
                ("По чему решено", status["decided_from_years"]),
                ("Что осталось нерешённым", status["undecided_reason_ru"]),
                ("Достоверность", status["credibility_ru"]),
                ("Методика", status["method_id"]),
            ]
        ),
        _evidence(page, behind, status),
        _late_lines(page, status),
    )


def _sentence(words_ru: str) -> str:
    return words_ru[:1].upper() + words_ru[1:]


def _evidence(page: Page, rows: Sequence[Row], status: Row) -> Component | None:
    """A drawn interval in each row of the table itself: figure and numbers cannot part."""
    if not rows:
        return None
    threshold = page.names.thresholds.get(status["method_id"])
    line = f"; пунктир — порог {fmt.share(threshold, 0)}" if threshold is not None else ""
    columns = [
        Column("Год", lambda row: fmt.year(row["academic_year"])),
        Column("Процедура", lambda row: page.names.procedure(row["procedure_id"]), is_heading=True),
        Column("Ниже минимума", lambda row: fmt.out_of(row["below_minimum"], row["participants"]), True),
        Column("Доля", lambda row: fmt.share(row["below_share"]), True),
        Column("Интервал 95\u00a0%", lambda row: fmt.interval(row["share_ci_low"], row["share_ci_high"]), True),
        Column(
            bar_scale(threshold),
            lambda row: share_bar(row["below_share"], row["share_ci_low"], row["share_ci_high"], threshold),
        ),
        Column("Признак", lambda row: low_pill(row["is_low"])),
        Column("Вероятность, что доля не ниже порога", lambda row: fmt.share(row["probability_low"], 0), True),
        Column("Надёжность", lambda row: row["reliability_ru"]),
    ]
    title = "Доля участников ниже минимума по процедурам, которые решают"
    return html.Div(
        [
            html.H3(title),
            html.P(f"Доля, %, n и интервал 95\u00a0%. Точка — доля, полоса — интервал{line}.", className="note"),
            table(title, columns, rows, shows_caption=False),
        ]
    )


def low_pill(is_low: bool | None) -> Child:
    if is_low is None:
        return pill(("?", "mute", "не решено"))
    return pill(("◆", "alert", "низкий")) if is_low else pill(("○", "calm", "не низкий"))


def _late_lines(page: Page, status: Row) -> Component:
    """Filled in after the page is shown: it reads the lake."""
    asked = {"school": status["school_id"], "year": status["academic_year"]}
    return details(
        "До файла и строки: полный ответ opora explain",
        dcc.Store(id={"late-of": LATE_EXPLANATION}, data=asked),
        html.Div(html.P("Загружаю строки поставок…", className="loading"), id={"late": LATE_EXPLANATION}),
    )


def _changes(page: Page, school: Row) -> Component:
    """What the diff of the release says of this school."""
    title = "Что изменилось с прошлого выпуска"
    difference = page.data.difference
    if not difference:
        return section(title, html.P("Это первый выпуск: сравнивать не с чем."))
    mine = [item for item in difference.get("schools", []) if item["school_id"] == school["school_id"]]
    if not mine:
        return section(
            title, html.P(f"Положение школы не изменилось по сравнению с выпуском {difference['former_id']}.")
        )
    columns = [
        Column("Учебный год", lambda row: fmt.year(row["academic_year"]), is_heading=True),
        Column("Было", lambda row: row["before_ru"]),
        Column("Стало", lambda row: row["after_ru"]),
        Column("Почему", lambda row: ", ".join(CAUSES_RU.get(cause, cause) for cause in row["causes"])),
        Column("Какие результаты", lambda row: _changed_results(page, row["results"])),
    ]
    return section(
        title,
        table(title, columns, mine, shows_caption=False),
        note=f"По сравнению с выпуском {difference['former_id']}.",
    )


def _changed_results(page: Page, results: Sequence[Row]) -> Child:
    lines = [
        f"{page.names.short(item['procedure_id'])} {fmt.year(item['academic_year'])}: было {item['before_ru']}, "
        f"стало {item['after_ru']}"
        for item in results
    ]
    return bullets(lines) if lines else None


# --- results -----------------------------------------------------------------------------------------


def _results(page: Page, results: Sequence[Row]) -> Component:
    """Procedures by years: each cell is n, share, interval, sign, or why there is none."""
    years = sorted({row["academic_year"] for row in results})
    by_procedure = {
        key: {row["academic_year"]: row for row in items}
        for key, items in groupby(results, key=lambda row: str(row["procedure_id"]))
    }
    rows = [
        {"procedure_id": key, **by_procedure[key]}
        for key in sorted(by_procedure, key=shown_order(page.names.procedures))
    ]
    cell = _cell_public if page.data.is_public else _cell_official
    columns = [
        Column("Процедура", lambda row: page.names.procedure(row["procedure_id"]), is_heading=True),
        *(part(fmt.year(year), year, cell) for year in years),
    ]
    title = "Результаты по процедурам и годам"
    return section(
        title,
        table(title, columns, rows, shows_caption=False) if rows else empty("Результатов в выпуске нет"),
        None if page.data.is_public else _dynamics(page, results),
        note="Ниже минимума из n, доля и интервал 95\u00a0%. Годы сопоставимы не всегда: см. обзор.",
    )


def _cell_official(row: Row | None) -> Child:
    if row is None:
        return None
    if row["state"] != "held":
        return html.Span(words.STATE[row["state"]], className="unknown")
    if row["below_minimum"] is None:
        return html.Span(f"n = {fmt.number(row['participants'])}, отметок нет", className="unknown")
    return _result_cell(
        row, fmt.out_of(row["below_minimum"], row["participants"]), fmt.share(row["below_share"]), row["is_low"]
    )


def _cell_public(row: Row | None) -> Child:
    if row is None:
        return None
    if row["state"] != "held":
        return html.Span(words.STATE[row["state"]], className="unknown")
    n, share = participants_public(row), share_public(row)
    return _result_cell(row, html.Span(["n = ", n]), share, row["is_low"])


def _result_cell(row: Row, counted: Child, share: Child, is_low: bool | None) -> Component:
    ends = fmt.interval(row["share_ci_low"], row["share_ci_high"])
    mark = low_pill(True) if is_low else None
    return html.Div(
        [
            html.Div([html.Strong(share), mark]),
            html.Div(counted, className="small"),
            html.Div(ends if ends != fmt.DASH else None, className="small"),
        ],
        className="result low" if is_low else "result",
    )


def _dynamics(page: Page, results: Sequence[Row]) -> Component | None:
    if not results:
        return None
    rows = queries.dynamics_of(page.data, "school", results[0]["school_id"])
    pooled = queries.pooled_of(page.data, results[0]["school_id"])
    change_columns = [
        Column("Процедура", lambda row: page.names.procedure(row["procedure_id"]), is_heading=True),
        Column("Годы", lambda row: f"{fmt.year(row['earlier_year'])} → {fmt.year(row['academic_year'])}"),
        Column("Было", lambda row: fmt.share(row["earlier_below_share"]), True),
        Column("Стало", lambda row: fmt.share(row["below_share"]), True),
        Column("n", lambda row: f"{fmt.number(row['earlier_participants'])} → {fmt.number(row['participants'])}", True),
        Column("Изменение, п. п.", lambda row: fmt.signed(row["change_pp"]), True),
        Column(
            "Интервал", lambda row: f"{fmt.signed(row['change_low_pp'])} … {fmt.signed(row['change_high_pp'])}", True
        ),
        Column("Отличимо от случайного", lambda row: yes_no(row["is_change_clear"])),
        Column("Оговорка", lambda row: row["note_ru"]),
    ]
    pooled_columns = [
        Column("Процедура", lambda row: page.names.procedure(row["procedure_id"]), is_heading=True),
        Column("Годы", lambda row: f"{fmt.year(row['first_year'])}–{fmt.year(row['academic_year'])}"),
        Column("Ниже минимума", lambda row: fmt.out_of(row["below_minimum"], row["participants"]), True),
        Column("Доля", lambda row: fmt.share(row["below_share"]), True),
        Column("Интервал 95\u00a0%", lambda row: fmt.interval(row["share_ci_low"], row["share_ci_high"]), True),
        Column("Оговорка", lambda row: row["comparability_ru"]),
    ]
    return html.Div(
        [
            details(
                "Динамика за самый длинный промежуток", table("Динамика", change_columns, rows, shows_caption=False)
            )
            if rows
            else None,
            details("Несколько лет вместе", table("Несколько лет вместе", pooled_columns, pooled, shows_caption=False))
            if pooled
            else None,
        ]
    )


# --- conditions --------------------------------------------------------------------------------------


def _conditions(page: Page, school: Row, results_year: str) -> Component:
    title = "Условия и ожидаемый результат"
    row = queries.context_of(page.data, school["school_id"], results_year)
    if row is None:
        return section(
            title,
            empty(
                f"За {fmt.year(results_year)} условий нет",
                html.P("Пришлите социальные паспорта: opora template passport."),
            ),
        )
    components = (
        queries.components_of(page.data, school["school_id"], row["context_year"]) if row["context_year"] else []
    )
    ends = (
        f"от {fmt.signed(row['residual_low'])} до {fmt.signed(row['residual_high'])} п. п."
        if row["residual_low"] is not None
        else None
    )
    columns = [
        Column("Показатель", lambda item: item["title_ru"], is_heading=True),
        Column("Группа", lambda item: words.COMPONENT_GROUP[item["component_group"]]),
        Column("Значение", _component_value, True),
        Column("Источник", lambda item: item["source_ru"]),
    ]
    return section(
        title,
        facts(
            [
                (
                    "Класс",
                    pill(words.CONTEXT_CLASS.get(row["context_class"] or ""), row["context_class_ru"])
                    if row["context_class"]
                    else None,
                ),
                ("Результат", fmt.percent(row["observed_result"])),
                ("Ожидаемый при таких условиях", fmt.percent(row["expected_result"])),
                ("Разница", ends),
                ("Работ", fmt.number(row["participants"])),
                (
                    "Индекс условий не выше у",
                    fmt.share(row["index_rank_share"], 0) + " школ" if row["index_rank_share"] is not None else None,
                ),
                ("Известно показателей индекса", fmt.out_of(row["components_known"], row["components_total"])),
                ("Кластер", row["cluster_ru"] or row["cluster_reason_ru"]),
                ("Устойчивость класса", fmt.share(row["class_stability"], 0)),
            ]
        ),
        html.P(row["reason_ru"], className="note") if row["reason_ru"] else None,
        html.P(_sentence(row["note_ru"]), className="note") if row["note_ru"] else None,
        details(
            f"Показатели условий за {fmt.year(row['context_year'])}",
            table("Показатели условий", columns, components, shows_caption=False),
        )
        if components
        else None,
        note=f"Результаты {fmt.year(results_year)}. Условия ничего не меняют в списке и причин не называют.",
    )


def _component_value(row: Row) -> Child:
    if not row["is_known"]:
        return html.Span(row["reason_ru"] or "неизвестно", className="unknown")
    return row["value_ru"] or fmt.short_number(row["value"])


# --- risks, deficits ---------------------------------------------------------------------------------


def _risks(page: Page, school: Row) -> Component:
    title = "Рисковый профиль"
    rows = queries.risks_of(page.data, school["school_id"])
    if not rows:
        return section(
            title, empty("Рискового профиля школы нет", html.P("Форма для него: opora template risk-profile."))
        )
    year = rows[0]["academic_year"]
    columns = [
        Column("Фактор риска", lambda row: row["factor_ru"], is_heading=True),
        Column("Значимость", lambda row: pill(words.LEVEL.get(row["level"] or ""), row["level_ru"])),
        Column("Год назад", lambda row: words.LEVEL[row["previous_level"]][2] if row["previous_level"] else None),
        Column("Выбран школой", lambda row: yes_no(row["is_chosen"])),
        Column("Этап плана", lambda row: row["stage_ru"]),
        Column("Срок", lambda row: fmt.day(row["stage_due_on"]), True),
        Column("Состояние", lambda row: pill(words.STAGE.get(row["stage_status"] or ""))),
        Column("Пройдено этапов", lambda row: fmt.out_of(row["stages_done"], row["stages_count"]), True),
    ]
    return section(title, table(title, columns, rows, shows_caption=False), note=f"Учебный год {fmt.year(year)}.")


# --- partner, measures -------------------------------------------------------------------------------


def _partners(page: Page, school: Row, year: str) -> Component:
    title = "Школа-партнёр"
    rows = queries.partners_of(page.data, school["school_id"], year)
    led = queries.led_by(page.data, school["school_id"], year)
    columns = [
        Column(
            "Школа-лидер",
            lambda row: (
                link(row["leader_name"], school_address(row["leader_school_id"])) if row["leader_school_id"] else "нет"
            ),
            is_heading=True,
        ),
        Column("Муниципалитет", lambda row: row["leader_municipality"]),
        Column(
            "Откуда пара",
            lambda row: (
                pill(("■", "good", "соглашение") if row["origin"] == "agreement" else ("□", "calm", "предложение"))
                if row["origin"]
                else "—"
            ),
        ),
        Column("Соглашение", _agreement),
        Column("Почему", lambda row: row["reason_ru"]),
    ]
    if not rows and not led:
        return section(
            title, empty(f"Пары на {fmt.year(year)} нет", html.P("Пары подбираются школам списка и зоны риска."))
        )
    return section(
        title,
        table(title, columns, rows, shows_caption=False) if rows else None,
        html.P(
            ["Ведёт школы: ", *_separated(link(row["school_name"], school_address(row["school_id"])) for row in led)]
        )
        if led
        else None,
        note=f"Учебный год {fmt.year(year)}. Предложение становится парой после соглашения.",
    )


def _separated(items: Iterator[Component]) -> list[Child]:
    shown: list[Child] = []
    for item in items:
        shown += [", ", item] if shown else [item]
    return shown


def _agreement(row: Row) -> Child:
    if row["origin"] != "agreement":
        return None
    number = f"№ {row['agreement_number']}" if row["agreement_number"] else "без номера"
    return f"{number} от {fmt.day(row['signed_on'])}, действует по {fmt.day(row['in_force_to'])}"


def _measures(page: Page, school: Row) -> Component:
    title = "Меры и дорожная карта"
    risks = queries.risks_of(page.data, school["school_id"])
    stages = queries.stages_of(page.data, school["school_id"], risks[0]["academic_year"]) if risks else []
    programmes = queries.programmes_of(page.data, school["school_id"])
    measures = queries.measures_of(page.data, school["school_id"])
    parts: list[Component] = []
    if programmes:
        found = {row["programme_id"]: row["period"] for row in programmes}
        parts.append(
            html.P(
                [
                    "В списках программ: ",
                    *_separated(
                        link(
                            f"{page.names.territories.get(key, key)} ({fmt.year(period)})",
                            address("/programme", id=key),
                        )
                        for key, period in found.items()
                    ),
                ]
            )
        )
    if stages:
        overdue = [row for row in stages if row["stage_status"] == "overdue"]
        caption = f"Этапов антирискового плана {len(stages)}, просрочено {len(overdue)}"
        parts.append(_stages(caption, overdue) if overdue else html.P(f"{caption}."))
        parts.append(details("Все этапы плана", _stages("Все этапы плана", stages, shows_caption=False)))
    if measures:
        parts.append(details("Мероприятия программ", measure_table("Мероприятия", measures)))
    return section(
        title, *(parts or [empty("Мер у школы в выпуске нет", html.P("Отчёты исполнителей: opora template returns."))])
    )


def _stages(caption: str, rows: Sequence[Row], *, shows_caption: bool = True) -> Component:
    columns = [
        Column("Риск", lambda row: row["factor_ru"], is_heading=True),
        Column("Этап", lambda row: row["stage_ru"]),
        Column("Срок", lambda row: fmt.day(row["stage_due_on"]), True),
        Column("Пройден", lambda row: fmt.day(row["stage_done_on"]), True),
        Column("Состояние", lambda row: pill(words.STAGE.get(row["stage_status"] or ""))),
        Column("Документ", lambda row: row["document_ref"]),
        Column("Кто подтвердил", lambda row: row["confirmed_by"]),
    ]
    return table(caption, columns, rows, shows_caption=shows_caption)


# --- markers, outlook --------------------------------------------------------------------------------


def _markers(page: Page, school: Row) -> Component:
    title = "Признаки необъективности"
    rows = queries.markers_of(page.data, school["school_id"])
    columns = [
        Column("Учебный год", lambda row: fmt.year(row["academic_year"]), is_heading=True),
        Column("Признак", lambda row: row["title_ru"]),
        Column("Откуда", lambda row: words.SOURCE[row["source"]]),
        Column("n", lambda row: fmt.number(row["participants"]), True),
        Column("Пояснение", lambda row: row["explanation_ru"]),
        Column("Оговорка", lambda row: row["note_ru"]),
    ]
    shown = (
        details(f"Признаков: {len(rows)}", table(title, columns, rows, shows_caption=False))
        if rows
        else html.P("Признаков нет.")
    )
    return section(title, shown, note="Признак говорит о результатах, а не о намерениях, и списка не меняет.")


def _outlook(page: Page, school: Row) -> Component | None:
    rows = queries.outlook_of(page.data, school["school_id"])
    if not rows:
        return None
    columns = [
        Column("Процедура", lambda row: page.names.procedure(row["procedure_id"]), is_heading=True),
        Column("Вероятность низкого результата", lambda row: fmt.share(row["probability_low"], 0), True),
        Column("По прошлогоднему признаку", lambda row: fmt.share(row["baseline_probability"], 0), True),
        Column("Ожидаемая доля", lambda row: fmt.share(row["expected_share"]), True),
        Column("Интервал", lambda row: fmt.interval(row["expected_share_ci_low"], row["expected_share_ci_high"]), True),
        Column("Что сдвинуло", lambda row: row["drivers_ru"] or row["reason_ru"]),
    ]
    title = f"Прогноз на {fmt.year(rows[0]['academic_year'])}"
    return section(
        title,
        details(
            "Прогноз, не признак: школу по нему никуда не включают", table(title, columns, rows, shows_caption=False)
        ),
    )


# --- public ------------------------------------------------------------------------------------------


def _public(page: Page, school: Row, status: Row | None) -> Iterator[Component | None]:
    if status:
        yield section(
            "Положение",
            html.P(
                [
                    pill(words.STATUS[status["status"]], status["status_ru"]),
                    f" {fmt.year(status['academic_year'])} учебный год",
                ],
                className="verdict",
            ),
            html.P(
                "Школу видно в списке, только если это следует из показанных результатов. Подробные причины, условия, "
                "риски и дефициты есть в официальном профиле."
            ),
            facts([("Методика", status["method_id"])]),
        )
    yield _results(page, queries.results_of(page.data, school["school_id"]))
    yield symbols_legend()


def symbols_legend() -> Component:
    return section("Что значат символы", facts([(mark, meaning) for mark, meaning in words.SYMBOL.values()]))
