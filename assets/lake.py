"""Stage two: the tables of the lake, by academic year where a result has a year.

What belongs here: one asset a lake table, made by a factory from the registry. What does not: the contents
of a table. A rerun of one year, with `reread`, reads the files of that year again and touches its parts only.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
from pydantic import Field

from assets.checks import SCHEMA_CHECK, schema_check_result, schema_check_spec
from assets.landing import DELIVERIES
from assets.shared import INTAKE_POOL, OWNERS, column_schema
from opora.home import UNDATED, Home
from opora.intake import ingest
from opora.lake import failing_in_lake
from opora.safe_text import safe_markdown
from resources.home import OporaHome
from schemas.registry import Table, tables

_PREVIEW_ROWS = 5


class RereadConfig(dg.Config):
    """Whether the files of the run's years are read once more before its tables are looked at."""

    reread: bool = Field(default=False, description="read the files of these years again")


def lake_key(name: str) -> dg.AssetKey:
    return dg.AssetKey(["lake", name])


def build_lake_assets(partitions: dg.StaticPartitionsDefinition) -> list[dg.AssetsDefinition]:
    """Two multi-assets: tables with a year, in partitions; tables without one."""
    dated = [spec for spec in tables("lake") if spec.partitioned]
    undated = [spec for spec in tables("lake") if not spec.partitioned]

    @dg.multi_asset(
        name="lake_by_year",
        specs=[_spec(spec) for spec in dated],
        check_specs=[schema_check_spec(lake_key(spec.table)) for spec in dated],
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        can_subset=True,
        pool=INTAKE_POOL,
    )
    def lake_by_year(
        context: dg.AssetExecutionContext, config: RereadConfig, opora_home: OporaHome
    ) -> Iterable[dg.MaterializeResult]:
        years = list(context.partition_keys)
        if config.reread:
            report = ingest(opora_home.home, opora_home.reference(), years=years, reread=True)
            for record in report.refused:
                context.log.warning("Отклонён при перечитывании: %s. %s", record.file_name, record.message_ru)
            for entry in report.unread:
                context.log.warning("%s", entry.message_ru)
        for spec in dated:
            if lake_key(spec.table) in context.selected_asset_keys:
                for year in years:
                    rows = _rows(opora_home.home, spec, year)
                    if rows:
                        metadata = {"dagster/row_count": rows}
                        context.add_asset_metadata(metadata, asset_key=lake_key(spec.table), partition_key=year)
                yield _result(opora_home.home, spec, years)

    @dg.multi_asset(
        name="lake_undated",
        specs=[_spec(spec) for spec in undated],
        check_specs=[schema_check_spec(lake_key(spec.table)) for spec in undated],
        can_subset=True,
        pool=INTAKE_POOL,
    )
    def lake_undated(
        context: dg.AssetExecutionContext, opora_home: OporaHome
    ) -> Iterable[dg.MaterializeResult | dg.AssetCheckResult]:
        for spec in undated:
            key = lake_key(spec.table)
            if key in context.selected_asset_keys:
                yield _result(opora_home.home, spec, [UNDATED])
            elif dg.AssetCheckKey(key, SCHEMA_CHECK) in context.selected_asset_check_keys:  # the check by itself
                yield from _result(opora_home.home, spec, [UNDATED]).check_results or ()

    return [lake_by_year, lake_undated]


def _spec(spec: Table) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=lake_key(spec.table),
        deps=[DELIVERIES],
        group_name="lake",
        kinds={"parquet", "polars"},
        owners=OWNERS,
        description=f"{spec.title_ru}. {spec.description_ru} Одна строка: {spec.grain_ru}.",
        metadata={"dagster/column_schema": column_schema(spec)},
        tags={"restricted": "true"} if spec.restricted else {},
    )


def _result(home: Home, spec: Table, years: Sequence[str]) -> dg.MaterializeResult:
    """What the lake holds of a table for these years, judged against the registry."""
    files = [path for year in years for path in home.lake_files(spec.table, year)]
    rows, found = failing_in_lake(home, spec, files)
    metadata: dict[str, Any] = {"parts": len(files)}
    if not spec.partitioned:
        metadata["dagster/row_count"] = rows
    if files and not spec.restricted:
        metadata["preview"] = dg.MetadataValue.md(_preview(files[0]))
    return dg.MaterializeResult(
        asset_key=lake_key(spec.table),
        metadata=metadata,
        check_results=[schema_check_result(lake_key(spec.table), rows, found)],
    )


def _rows(home: Home, spec: Table, year: str) -> int:
    files = home.lake_files(spec.table, year)
    return pl.scan_parquet(files, hive_partitioning=False).select(pl.len()).collect().item() if files else 0


def _preview(part: Path) -> str:
    """The first rows as Markdown. Tables of participants have no preview: they are personal data."""
    head = pl.read_parquet(part, hive_partitioning=False, n_rows=_PREVIEW_ROWS)
    lines = ["| " + " | ".join(head.columns) + " |", "|" + "---|" * head.width]
    texts = ([safe_markdown("" if cell is None else str(cell)) for cell in row] for row in head.iter_rows())
    lines += ["| " + " | ".join(row) + " |" for row in texts]
    return "\n".join(lines)
