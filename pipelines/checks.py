"""Checks made by a factory from the registry: what a table on disk must be before anybody builds on it.

What belongs here: pandera's verdict as a Dagster check. What does not: checks of single deliveries, which
intake makes, and dbt tests, which become checks by themselves.
"""

from __future__ import annotations

from typing import Any

import dagster as dg
import polars as pl

from schemas.pandera_schemas import failures

SCHEMA_CHECK = "schema_matches_registry"
_SHOWN = 20


def schema_check_spec(key: dg.AssetKey) -> dg.AssetCheckSpec:
    """A blocking check at the boundary of the lake: nothing is built on a table that fails it."""
    return dg.AssetCheckSpec(
        SCHEMA_CHECK,
        asset=key,
        blocking=True,
        description="Столбцы, типы, обязательность, словари, границы и правила таблицы по реестру (pandera).",
    )


def schema_check_result(key: dg.AssetKey, table_name: str, frame: pl.DataFrame | None) -> dg.AssetCheckResult:
    """Passed where there is nothing or all is good; else how many values are wrong, where and what to do."""
    found = None if frame is None else failures(table_name, frame)
    wrong = 0 if found is None else found.height
    metadata: dict[str, Any] = {"rows": 0 if frame is None else frame.height, "failures": wrong}
    if found is not None and wrong:
        counts = found.group_by("column", "check_id").len().sort("len", descending=True).head(_SHOWN)
        metadata["by_check"] = dg.MetadataValue.md(
            "| столбец | проверка | нарушений |\n|---|---|--:|\n"
            + "\n".join(f"| {column} | {check} | {count} |" for column, check, count in counts.iter_rows())
        )
        metadata["remedy"] = "Часть озера изменена или повреждена: перечитайте файлы года (reread: true)."
    return dg.AssetCheckResult(asset_key=key, check_name=SCHEMA_CHECK, passed=wrong == 0, metadata=metadata)
