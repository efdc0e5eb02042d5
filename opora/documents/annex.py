"""The annex to the order: the list of schools for support with the grounds of each entry, and the risk zone.

Belongs here: what the annex lists. Does not belong here: who signs it, which the user's own template says.
"""

from __future__ import annotations

from opora import labels
from opora import russian as fmt
from opora.documents.model import Column, Document, Section, SectionShape, Shape
from opora.documents.parts import LIMITS, SOURCES, document, limits
from opora.documents.reader import Marts
from opora.documents.territory import (
    RISK_SECTION,
    at_risk_schools,
    at_risk_section,
    left_schools,
    list_sources,
    listed_schools,
)

ANNEX = Shape(
    "annex",
    "Приложение к приказу: список школ для адресной поддержки",
    (
        SectionShape(
            "listed",
            "Школы с низкими образовательными результатами",
            (
                Column("number", "№", 0.5, True),
                Column("municipality", "Муниципалитет", 1.8),
                Column("school", "Школа", 3.0),
                Column("school_id", "Код школы", 1.1),
                Column("reason", "Основание", 4.6),
                Column("n", "Участников", 1.4, True),
                Column("reliability", "Надёжность", 1.4),
                Column("listing", "Движение", 1.2),
                Column("years", "Лет подряд", 0.9, True),
                Column("format", "Формат поддержки", 1.7),
            ),
        ),
        RISK_SECTION,
        SectionShape(
            "left",
            "Школы, вышедшие из списка",
            (
                Column("municipality", "Муниципалитет", 2.0),
                Column("school", "Школа", 4.0),
                Column("school_id", "Код школы", 1.2),
                Column("reason", "Почему", 5.0),
            ),
        ),
        LIMITS,
        SOURCES,
    ),
    is_wide=True,
)


def annex(marts: Marts, region_code: str, year: str | None = None) -> Document:
    """The annex of a list year, the newest without one. Raises DocumentRefused."""
    list_year = marts.checked_year(year)
    listed = listed_schools(marts, list_year, region_code=region_code)
    left = left_schools(marts, list_year, region_code)
    risk_year, at_risk = at_risk_schools(marts, list_year, region_code=region_code)
    no_list = (f"На {fmt.year(list_year)} учебный год в списке школ нет.",)
    return document(
        marts,
        ANNEX,
        stem=f"Приложение к приказу, список {list_year}",
        title_ru="Список школ для адресной поддержки",
        subtitle_ru=f"Школы с низкими образовательными результатами, {fmt.year(list_year)} учебный год",
        facts=(
            ("Приложение к приказу", f"от{fmt.NBSP}_______________ №{fmt.NBSP}________"),
            ("Регион, код", region_code),
            ("Школ в списке", fmt.number(len(listed))),
            ("Методика", fmt.text(f"{marts.method.title_ru} ({marts.method.method_id})")),
            ("Сведения", f"{marts.maturity_ru(list_year)}, {marts.release_ru} от {fmt.day(marts.release_day)}"),
        ),
        sections={
            "listed": Section(
                lines=() if listed else no_list,
                rows=tuple(
                    {
                        "number": fmt.number(number),
                        "municipality": fmt.text(row["municipality_name"]),
                        "school": fmt.text(row["school_name"]),
                        "school_id": fmt.text(row["school_id"]),
                        "reason": fmt.text(row["reason_ru"]),
                        "n": fmt.number(row["evidence_participants"]),
                        "reliability": fmt.text(row["reliability_ru"]),
                        "listing": labels.LISTING[row["listing"]],
                        "years": fmt.number(row["years_listed_in_a_row"]),
                        "format": labels.SUPPORT_FORMAT[row["support_format"]],
                    }
                    for number, row in enumerate(listed, start=1)
                ),
                note_ru="Участников — на скольких держится основание. Порядок — по алфавиту муниципалитетов и школ.",
            ),
            "at_risk": at_risk_section(at_risk, risk_year),
            "left": Section(
                lines=() if left else ("Из прошлогоднего списка никто не вышел.",),
                rows=tuple(
                    {
                        "municipality": fmt.text(row["municipality_name"]),
                        "school": fmt.text(row["school_name"]),
                        "school_id": fmt.text(row["school_id"]),
                        "reason": fmt.text(row["reason_ru"]),
                    }
                    for row in left
                ),
            ),
            "limits": limits(marts, "annex"),
            "sources": list_sources(marts, list_year),
        },
        year=list_year,
    )
