"""Jobs: which assets a run makes.

What belongs here: selections and run settings. What does not: when a job runs (`schedules.py`, `sensors.py`).
"""

from __future__ import annotations

import dagster as dg

ANNUAL_LIST = "annual_list"
QUARTERLY_MONITORING = "quarterly_monitoring"
REBUILD_RELEASE = "rebuild_release"
ALL_DOCUMENTS = "all_documents"

_BUILD = dg.AssetSelection.groups("staging", "intermediate", "analysis", "marts", "programmes", "release")


def build_jobs() -> list[dg.UnresolvedAssetJobDefinition]:
    """The jobs. The whole job runs in one process: a step of its own costs seconds of imports each."""
    everything = dg.AssetSelection.groups("intake", "lake") | _BUILD
    return [
        dg.define_asset_job(
            ANNUAL_LIST,
            selection=everything,
            description="Принять новые файлы, пересчитать списки и показатели, проверить и опубликовать выпуск.",
        ),
        dg.define_asset_job(
            QUARTERLY_MONITORING,
            selection=everything,
            description="То же в сроки мониторинга: новые и исправленные поставки входят в выпуск.",
        ),
        dg.define_asset_job(
            REBUILD_RELEASE,
            selection=_BUILD,
            description="Пересчитать и опубликовать по озеру, ничего не принимая: после смены методики или кода.",
        ),
        dg.define_asset_job(
            ALL_DOCUMENTS,
            selection=dg.AssetSelection.groups("documents"),
            description="Документы действующего выпуска: приложение к приказу, справки, отчёты программ.",
        ),
    ]
