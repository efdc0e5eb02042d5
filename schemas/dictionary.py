"""The data dictionary: what every table and column means, for people and for programs.

What belongs here: the words and units of the registry as Markdown and JSON. What does not: numbers of
rows, checksums and anything else that depends on a release (`opora/release.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from schemas.registry import Column, Table, tables

TYPES_RU = {
    "string": "текст",
    "integer": "целое",
    "number": "число",
    "boolean": "да/нет",
    "date": "дата",
    "timestamp": "дата и время",
    "strings": "список текстов",
}


def dictionary_json(described: Iterable[Table] | None = None) -> str:
    """The registry of the given tables (all marts by default) as JSON text."""
    found = tables("marts") if described is None else list(described)
    return json.dumps([_entry(table) for table in found], ensure_ascii=False, indent=2) + "\n"


def dictionary_markdown(described: Iterable[Table] | None = None) -> str:
    """The same for people: one section a table, one row a column."""
    found = tables("marts") if described is None else list(described)
    sections = [_section(table) for table in found]
    return "\n".join(["# Словарь данных", "", *sections])


def _entry(table: Table) -> dict[str, Any]:
    return table.model_dump(mode="json", exclude={"partitioned", "rules"}, exclude_defaults=True)


def _section(table: Table) -> str:
    lines = [
        f"## {table.table} — {table.title_ru}",
        "",
        table.description_ru,
        "",
        f"Строка: {table.grain_ru}. Ключ: {', '.join(f'`{name}`' for name in table.primary_key)}.",
        "",
        "| столбец | название | тип | единица | пусто | что значит |",
        "|---|---|---|---|---|---|",
        *(_row(column) for column in table.columns),
        "",
    ]
    return "\n".join(lines)


def _row(column: Column) -> str:
    cells = [
        f"`{column.name}`",
        column.label_ru,
        TYPES_RU[column.type],
        column.unit,
        "нет" if column.required else "бывает",
        _meaning(column),
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _meaning(column: Column) -> str:
    words = f"Значения: {', '.join(f'`{word}`' for word in column.vocabulary)}." if column.vocabulary else ""
    return " ".join(part for part in (column.description_ru, words) if part)
