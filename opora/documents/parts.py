"""Sections that several documents share: requisites, recommendations, limits, sources.

Belongs here: what is said the same way everywhere. Does not belong here: a section of one kind of document.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from opora import russian as fmt
from opora.documents.facts import Kind, Rows, Scope
from opora.documents.model import Column, Document, Section, SectionShape, Shape
from opora.documents.reader import Marts

RECOMMENDATIONS = SectionShape("recommendations", "Рекомендации")
LIMITS = SectionShape("limits", "Чего из документа заключить нельзя")
SOURCES = SectionShape("sources", "Источники")
_FILES_SHOWN = 30
_LONGEST_NAME = 80

SHARE_COLUMNS = (
    Column("participants", "Участников", 1.1, True),
    Column("below_minimum", "Ниже минимума", 1.1, True),
    Column("below_share", "Доля", 0.9, True),
    Column("interval", "Интервал 95\u00a0%", 1.3, True),
)


def recommendations(marts: Marts, scope: Scope, rows: Rows, year: str) -> Section:
    found = marts.facts.advice(scope, rows, year)
    points = tuple(
        fmt.text(f"{item.text_ru} Кто: {item.who_ru}. Источник: {item.source[0].lower()}{item.source[1:]}.")
        for item in found
    )
    lines = () if points else ("По данным этого выпуска рекомендаций нет.",)
    note = "Рекомендации выбраны из утверждаемого перечня по найденному в данных; решение принимает орган управления."
    return Section(lines, points, note_ru=note if points else "")


def limits(marts: Marts, kind: Kind) -> Section:
    points = tuple(fmt.text(f"{limit.text_ru} ({limit.source}.)") for limit in marts.facts.limits_of(kind))
    return Section(points=points)


def sources(marts: Marts, delivery_ids: set[str], year: str, what_ru: str) -> Section:
    """Files, method and release that the figures come from."""
    files = marts.files(delivery_ids)
    shown = files[:_FILES_SHOWN]
    if len(files) > len(shown):
        shown.append(
            f"и ещё {fmt.counted(len(files) - len(shown), 'файл', 'файла', 'файлов')}; все названы в витрине delivery"
        )
    method = marts.method
    lines = (
        fmt.text(f"Методика: {method.title_ru} ({method.method_id})."),
        fmt.text(f"Данные: {marts.release_ru} от {fmt.day(marts.release_day)}, сведения {marts.maturity_ru(year)}."),
    )
    return Section((*lines, fmt.text(what_ru)), tuple(shown))


def document(
    marts: Marts,
    shape: Shape,
    *,
    stem: str,
    title_ru: str,
    subtitle_ru: str,
    facts: tuple[tuple[str, str], ...],
    sections: Mapping[str, Section],
    year: str,
    folder: str = "",
) -> Document:
    return Document(
        shape=shape,
        stem=file_name(stem),
        title_ru=title_ru,
        subtitle_ru=subtitle_ru,
        facts=facts,
        sections=sections,
        release_id=marts.release.release_id,
        release_day=fmt.day(marts.release_day),
        release_ru=marts.release_ru,
        maturity_ru=marts.maturity_ru(year),
        created_at=marts.created_at.isoformat(),
        folder=file_name(folder) if folder else "",
    )


def file_name(*parts: str) -> str:
    """A name that every file system takes, from words of any origin."""
    joined = " ".join(part for part in parts if part)
    name = re.sub(r"\s+", " ", re.sub(r'[\\/:*?"<>|\x00-\x1f]+', " ", joined)).strip(" .")
    if len(name) > _LONGEST_NAME:
        name = name[: _LONGEST_NAME + 1].rpartition(" ")[0] or name[:_LONGEST_NAME]
    return name.rstrip(" .") or "документ"
