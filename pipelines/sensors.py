"""The sensors: new or changed files in landing start a run once they have stopped changing; a release, its documents.

What belongs here: noticing. What does not: reading files; only names, sizes and times are looked at.
"""

import hashlib
import time
from pathlib import Path

import dagster as dg

from assets.release import RELEASE
from opora.landing import landing_entries
from opora.persons import secret_is_set
from opora.safe_text import safe_path
from pipelines.jobs import ALL_DOCUMENTS, ANNUAL_LIST
from pipelines.partitions import all_years
from pipelines.schedules import LOCAL, runs_by_itself
from resources.home import OporaHome

# A file that changed less than this ago may still be on its way.
SETTLED_SECONDS = 30


def build_landing_sensor(partitions: dg.StaticPartitionsDefinition, named: str = LOCAL) -> dg.SensorDefinition:
    """A sensor whose cursor is the state of the folder: one run for each new state."""

    @dg.sensor(
        name="landing_changed",
        job_name=ANNUAL_LIST,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING if runs_by_itself(named) else dg.DefaultSensorStatus.STOPPED,
        description="Новые файлы в landing: принять, пересчитать и опубликовать.",
    )
    def landing_changed(context: dg.SensorEvaluationContext, opora_home: OporaHome) -> dg.SensorResult | dg.SkipReason:
        state, newest = landing_state(opora_home.home.landing)
        if newest is None:
            return dg.SkipReason("В landing ничего нет.")
        # what was refused without the secret can be read with it, though no file has changed
        state = f"{state}{'+' if secret_is_set() else '-'}"
        if state == context.cursor:
            return dg.SkipReason("В landing ничего нового.")
        # a file that is dated in the future is not on its way: clocks of suppliers are wrong
        if 0 <= time.time() - newest < SETTLED_SECONDS:
            return dg.SkipReason("Файлы ещё приходят.")
        # no run key: a folder that is again what it once was is another change, and the cursor knows it
        request = dg.RunRequest(tags=all_years(partitions))
        return dg.SensorResult(run_requests=[request], cursor=state)

    return landing_changed


def build_release_sensor(named: str = LOCAL) -> dg.SensorDefinition:
    """Documents after every new release: a run of their own, so that publishing does not wait for them."""

    @dg.asset_sensor(
        asset_key=RELEASE,
        name="release_published",
        job_name=ALL_DOCUMENTS,
        default_status=dg.DefaultSensorStatus.RUNNING if runs_by_itself(named) else dg.DefaultSensorStatus.STOPPED,
        description="Новый выпуск: составить его документы.",
    )
    def release_published(
        context: dg.SensorEvaluationContext, asset_event: dg.EventLogEntry
    ) -> dg.RunRequest | dg.SkipReason:
        # only the latest is seen, and may be of a run that found nothing new after one that did; a release whose
        # documents have been asked for is passed over by its key
        materialization = asset_event.asset_materialization
        metadata = materialization.metadata if materialization else {}
        if "release_id" not in metadata:
            return dg.SkipReason("Выпуска нет.")
        return dg.RunRequest(run_key=str(metadata["release_id"].value))

    return release_published


def landing_state(landing: Path) -> tuple[str, float | None]:
    """A digest of names, sizes and times, and the time of the newest file; None where there is no file."""
    digest, newest = hashlib.sha256(), None
    for path in landing_entries(landing):
        status = path.stat()
        digest.update(f"{safe_path(path)}|{status.st_size}|{status.st_mtime_ns}\n".encode())
        newest = max(newest or 0.0, status.st_mtime)
    return digest.hexdigest()[:16], newest
