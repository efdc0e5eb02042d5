"""Stage one: files in landing become deliveries with a record each.

What belongs here: the asset of the delivery log and what people see of it. What does not: reading a file.
"""

from collections.abc import Iterable, Sequence

import dagster as dg
from dagster._core.storage.tags import PARTITION_NAME_TAG
from pydantic import Field

from assets.shared import INTAKE_POOL, OWNERS
from opora.delivery import DeliveryRecord, read_records
from opora.intake import ingest
from opora.lake import DamagedLake, require_whole
from opora.landing import Unread
from opora.safe_text import safe_markdown
from resources.home import OporaHome

DELIVERIES = dg.AssetKey(["delivery_log", "delivery"])
ISSUES = dg.AssetKey(["delivery_log", "issue"])
PARTS = dg.AssetKey(["delivery_log", "part"])
TASK_COLUMNS = dg.AssetKey(["delivery_log", "task_column"])
ROWS_ADD_UP = "every_row_is_accounted_for"
NOTHING_REFUSED = "nothing_is_refused"
_SHOWN = 50


class IntakeConfig(dg.Config):
    """What an intake reads: all that is new, or everything again; for all years, or for some."""

    reread: bool = Field(default=False, description="read files again that have been read before")
    years: list[str] = Field(default=[], description="measured years to write; empty for those of the run")


def _of_deliveries(key: dg.AssetKey, kind: str, description: str) -> dg.AssetSpec:
    """What is remembered of deliveries beside their records."""
    return dg.AssetSpec(
        key, deps=[DELIVERIES], group_name="intake", kinds={kind}, owners=OWNERS, description=description
    )


@dg.multi_asset(
    name="deliveries",
    specs=[
        dg.AssetSpec(
            DELIVERIES,
            group_name="intake",
            kinds={"xlsx", "csv", "parquet"},
            owners=OWNERS,
            description="Файлы папки landing, опознанные по содержанию: что принято, отложено, отклонено.",
        ),
        _of_deliveries(
            ISSUES,
            "parquet",
            "Замечания к файлам: файл, лист, строка, столбец, значение, причина и что сделать.",
        ),
        _of_deliveries(PARTS, "json", "Части озера, которые дала каждая поставка, с контрольными суммами."),
        _of_deliveries(
            TASK_COLUMNS,
            "json",
            "Столбцы заданий в протоколах: место, обозначение и наибольший балл, если их называет шапка.",
        ),
    ],
    check_specs=[
        dg.AssetCheckSpec(
            ROWS_ADD_UP,
            asset=DELIVERIES,
            blocking=True,
            description="У каждой поставки строк пришло столько, сколько принято, отложено и объявлено не данными.",
        ),
        dg.AssetCheckSpec(
            NOTHING_REFUSED,
            asset=DELIVERIES,
            description="Ни один файл не отклонён целиком. Отклонённый файл не мешает остальным.",
        ),
    ],
    pool=INTAKE_POOL,
    retry_policy=dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL),
)
def deliveries(
    context: dg.AssetExecutionContext, config: IntakeConfig, opora_home: OporaHome
) -> Iterable[dg.MaterializeResult]:
    # a run of one year takes in that year, also where it was started in the UI and nobody wrote the year down twice
    one_year = context.run.tags.get(PARTITION_NAME_TAG)
    report = ingest(
        opora_home.home,
        opora_home.reference(),
        years=config.years or ([one_year] if one_year else None),
        reread=config.reread,
        progress=lambda number, of, name: context.log.debug("%s of %s: %s", number, of, name),
    )
    try:
        require_whole(opora_home.home)
    except DamagedLake as damaged:
        raise dg.Failure(str(damaged), allow_retries=False) from damaged
    records = list(read_records(opora_home.home).values())
    yield dg.MaterializeResult(
        asset_key=DELIVERIES,
        metadata={
            "dagster/row_count": len(records),
            "processed": len(report.processed),
            "unchanged": report.unchanged,
            "refused": len(report.refused),
            "originals_gone": len(report.gone),
            "preview": dg.MetadataValue.md(_table(report.processed or records)),
        },
        check_results=list(_verdicts(records, report.unread)),
    )
    counts: dict[str, int] = {}
    for record in records:
        for check_id, count in record.issues.items():
            counts[check_id] = counts.get(check_id, 0) + count
    yield dg.MaterializeResult(
        asset_key=ISSUES,
        metadata={"dagster/row_count": sum(counts.values()), "by_check": dg.MetadataValue.json(counts)},
    )
    parts = sum(len(record.part_sha256) for record in records)
    yield dg.MaterializeResult(asset_key=PARTS, metadata={"dagster/row_count": parts})
    columns = sum(len(record.task_columns) for record in records)
    yield dg.MaterializeResult(asset_key=TASK_COLUMNS, metadata={"dagster/row_count": columns})


def _verdicts(records: Sequence[DeliveryRecord], unread: Sequence[Unread] = ()) -> Iterable[dg.AssetCheckResult]:
    wrong = [record for record in records if not record.rows.adds_up]
    refused = [record for record in records if record.status == "refused" and record.replaced_by is None]
    yield dg.AssetCheckResult(
        asset_key=DELIVERIES,
        check_name=ROWS_ADD_UP,
        passed=not wrong,
        metadata={"deliveries": len(records), "wrong": dg.MetadataValue.md(_table(wrong))},
    )
    yield dg.AssetCheckResult(
        asset_key=DELIVERIES,
        check_name=NOTHING_REFUSED,
        passed=not refused and not unread,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "refused": dg.MetadataValue.md(
                "\n".join(f"- {safe_markdown(f'{r.file_name}: {r.message_ru}')}" for r in refused[:_SHOWN]) or "нет"
            ),
            "unread": dg.MetadataValue.md(
                "\n".join(f"- {safe_markdown(entry.message_ru)}" for entry in unread[:_SHOWN]) or "нет"
            ),
        },
    )


def _table(records: Sequence[DeliveryRecord]) -> str:
    """A Markdown table of deliveries; file names and counts only."""
    head = "| файл | раскладка | состояние | строк | принято | отложено | не данные |\n|---|---|---|--:|--:|--:|--:|\n"
    lines = (
        f"| {safe_markdown(r.file_name)} | {', '.join(r.layout_ids)} | {r.status} | {r.rows.rows_in} "
        f"| {r.rows.accepted} | {r.rows.quarantined} | {r.rows.non_data} |"
        for r in records[:_SHOWN]
    )
    return head + "\n".join(lines)
