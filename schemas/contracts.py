"""The YAML that dbt reads, derived from the registry: contracts of the marts, sources of lake and analysis.

What belongs here: the translation of a table into dbt's words. What does not: SQL, and tests that need
more than one table (`dbt/tests/`). `python -m schemas.contracts` rewrites the files; a unit test proves
that the committed ones are current.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from schemas.arrow import sql_type
from schemas.registry import Column, Layer, Table, tables

DBT_MODELS = Path(__file__).resolve().parent.parent / "dbt" / "models"
_HEADER = "# Derived from schemas/; to change it, change the registry and run `python -m schemas.contracts`.\n"


def _described(column: Column) -> str:
    return f"{column.label_ru}. {column.description_ru}".strip()


def _contract_column(column: Column) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": column.name,
        "data_type": sql_type(column),
        "description": _described(column),
    }
    if column.required:
        entry["constraints"] = [{"type": "not_null"}]
    return entry


def _tests(table: Table) -> list[dict[str, Any]]:
    vocabulary = {column.name: list(column.vocabulary) for column in table.columns if column.vocabulary}
    ranges = {
        column.name: [column.at_least, column.at_most]
        for column in table.columns
        if column.at_least is not None or column.at_most is not None
    }
    tests: list[dict[str, Any]] = [
        {"unique_key": {"name": f"{table.table}_key", "arguments": {"columns": list(table.primary_key)}}}
    ]
    if vocabulary or ranges:
        arguments = {"vocabulary": vocabulary, "ranges": ranges}
        tests.append({"values_in_registry": {"name": f"{table.table}_values", "arguments": arguments}})
    tests.extend(
        {
            "rule_holds": {
                "name": f"{table.table}_{rule.id}",
                "arguments": {"rule_id": rule.id, "holds": rule.holds},
                "config": {"severity": "error" if rule.severity == "quarantine" else "warn"},
            }
        }
        for rule in table.rules
    )
    return tests


def mart_contract(table: Table) -> dict[str, Any]:
    """One mart as dbt declares it: an enforced contract, its tests and its words."""
    return {
        "name": table.table,
        "description": f"{table.title_ru}. {table.description_ru} Строка: {table.grain_ru}.",
        "config": {"contract": {"enforced": True}},
        "columns": [_contract_column(column) for column in table.columns],
        "data_tests": _tests(table),
    }


def source(table: Table) -> dict[str, Any]:
    """One table that dbt reads and does not make."""
    return {
        "name": table.table,
        "description": f"{table.title_ru}. {table.description_ru} Строка: {table.grain_ru}.",
        "columns": [{"name": column.name, "description": _described(column)} for column in table.columns],
    }


def derived_files() -> dict[Path, str]:
    """The text of every derived file by its path."""
    marts = {"models": [mart_contract(table) for table in tables("marts")]}
    return {
        DBT_MODELS / "marts" / "_marts.yml": _HEADER + _dump(marts),
        DBT_MODELS / "lake_sources.yml": _HEADER + _dump(_sources("lake")),
        DBT_MODELS / "analysis_sources.yml": _HEADER + _dump(_sources("analysis")),
    }


def _sources(layer: Layer) -> dict[str, Any]:
    return {"sources": [{"name": layer, "tables": [source(table) for table in tables(layer)]}]}


def _dump(value: dict[str, Any]) -> str:
    return yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=110)


if __name__ == "__main__":
    for path, text in derived_files().items():
        path.write_text(text, encoding="utf-8")
