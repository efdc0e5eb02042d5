"""Checks made by a factory from the registry: what a table on disk must be before anybody builds on it.

What belongs here: pandera's verdict as a Dagster check. What does not: checks of single deliveries, which
intake makes, and dbt tests, which become checks by themselves.
"""

from __future__ import annotations

from typing import Any

import dagster as dg
import polars as pl

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


def schema_check_result(key: dg.AssetKey, rows: int, found: pl.DataFrame) -> dg.AssetCheckResult:
    """Passed where nothing wrong was found in the rows; else how many values are wrong, where and what to do."""
    wrong = found.height
    metadata: dict[str, Any] = {"rows": rows, "failures": wrong}
    if wrong:
        counts = found.group_by("column", "check_id").len().sort("len", descending=True).head(_SHOWN)
        metadata["by_check"] = dg.MetadataValue.md(
            "| столбец | проверка | нарушений |\n|---|---|--:|\n"
            + "\n".join(f"| {column} | {check} | {count} |" for column, check, count in counts.iter_rows())
        )
        metadata["remedy"] = "Часть озера изменена или повреждена: перечитайте файлы года (reread: true)."
    return dg.AssetCheckResult(asset_key=key, check_name=SCHEMA_CHECK, passed=wrong == 0, metadata=metadata)
