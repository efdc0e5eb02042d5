"""One asset a programme: what its indicators and measures say in this run, what is overdue and who answers.

What belongs here: the factory over the descriptions of `reference/programmes/`, and how a programme shows in
Dagster. What does not: figures, which the marts hold, and the descriptions themselves.
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from assets.shared import OWNERS, PUBLISH_POOL, run_of
from opora.programmes import Programme
from resources.home import OporaHome

EVERY_INDICATOR_IS_TOLD = "every_indicator_is_computed_or_said_not_to_be"
# When a month of the monitoring cycle is over, its figures are not older than this.
_NOT_OLDER_THAN = dt.timedelta(days=28)
_MARTS = [dg.AssetKey(["marts", name]) for name in ("indicator", "measure", "monitoring_report", "programme_list")]
_OVERDUE_SHOWN = 20


def programme_key(programme_id: str) -> dg.AssetKey:
    return dg.AssetKey(["programme", programme_id.replace("-", "_")])


def build_programme_assets(programmes: Sequence[Programme], timezone: str) -> list[dg.AssetsDefinition]:
    """An asset for each programme, in the order of their names."""
    return [_programme_asset(programme, timezone) for programme in programmes]


def _programme_asset(programme: Programme, timezone: str) -> dg.AssetsDefinition:
    key = programme_key(programme.programme_id)

    @dg.asset(
        key=key,
        deps=_MARTS,
        group_name="programmes",
        kinds={"duckdb"},
        owners=OWNERS,
        pool=PUBLISH_POOL,
        description=programme.title_ru,
        freshness_policy=_freshness(programme, timezone),
        tags={"opora/seed": programme.programme_id},
        check_specs=[
            dg.AssetCheckSpec(
                EVERY_INDICATOR_IS_TOLD,
                asset=key,
                blocking=True,
                description="Каждый показатель программы посчитан или о нём сказано, почему он не считается.",
            )
        ],
    )
    def programme_state(context: dg.AssetExecutionContext, opora_home: OporaHome) -> dg.MaterializeResult:
        database = opora_home.build_database(run_of(context))
        return _state(database, programme)

    return programme_state


def _freshness(programme: Programme, timezone: str) -> dg.FreshnessPolicy | None:
    """Made anew in each month of the monitoring cycle, as is seen when the month is over; no cycle, no policy."""
    months = sorted({month for event in programme.monitoring_cycle for month in event.months})
    if not months:
        return None
    following = ",".join(str(month % 12 + 1) for month in months)
    return dg.FreshnessPolicy.cron(
        deadline_cron=f"0 9 1 {following} *", lower_bound_delta=_NOT_OLDER_THAN, timezone=timezone
    )


def _state(database: Path, programme: Programme) -> dg.MaterializeResult:
    told, statuses, overdue = _read(database, programme.programme_id)
    missing = sorted({item.indicator_id for item in programme.indicators} - told)
    metadata: dict[str, Any] = {
        **{name: dg.MetadataValue.json(counts) for name, counts in statuses.items()},
        "overdue": len(overdue),
        "who_answers": dg.MetadataValue.md(_overdue_table(overdue)),
    }
    check = dg.AssetCheckResult(
        check_name=EVERY_INDICATOR_IS_TOLD, passed=not missing, metadata={"missing": ", ".join(missing) or "нет"}
    )
    return dg.MaterializeResult(metadata=metadata, check_results=[check])


def _read(database: Path, programme_id: str) -> tuple[set[str], dict[str, dict[str, int]], list[tuple[Any, ...]]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        told = {
            row[0]
            for row in connection.execute(
                "select distinct indicator_id from marts.indicator where programme_id = $1", [programme_id]
            ).fetchall()
        }
        statuses = {
            mart: dict(
                connection.execute(
                    f"select status, count(*) from marts.{mart} where programme_id = $1 group by 1 order by 1",
                    [programme_id],
                ).fetchall()
            )
            for mart in ("indicator", "measure")
        }
        overdue = connection.execute(
            """
            select title_ru, period, due_on, days_overdue, responsible_ru from marts.monitoring_report
            where programme_id = $1 and is_overdue order by days_overdue desc, item_id
            """,
            [programme_id],
        ).fetchall()
    return told, statuses, overdue


def _overdue_table(overdue: Sequence[tuple[Any, ...]]) -> str:
    """What is overdue, longest first, as Markdown."""
    head = "| что | период | срок | дней | отвечает |\n|---|---|---|--:|---|\n"
    lines = (
        "| " + " | ".join("—" if cell is None else str(cell).replace("|", "/") for cell in row) + " |"
        for row in overdue[:_OVERDUE_SHOWN]
    )
    return head + "\n".join(lines)
