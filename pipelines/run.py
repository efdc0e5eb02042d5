"""One run in this process, for the command line: the same job that schedules and the sensor start.

What belongs here: the instance in the home folder and the launch of a job. What does not: what the job does,
and words for people (`opora/cli/`).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import dagster as dg
import yaml
from dagster._core.storage.dagster_run import FINISHED_STATUSES

from assets.shared import POOLS
from opora.failures import explain_fault
from opora.home import Home, write_whole
from opora.reference import load_reference
from pipelines.build import build_defs
from pipelines.jobs import ANNUAL_LIST
from pipelines.partitions import academic_years, all_years
from resources.home import OporaHome

Tell = Callable[[str], None]
# dagster.yaml of a home folder: nothing is reported anywhere, and the pools hold one run each.
SETTINGS = {
    "telemetry": {"enabled": False},
    "nux": {"enabled": False},
    "event_log_storage": {"module": "resources.event_log", "class": "OpenEventLog", "config": {}},
    "concurrency": {"pools": {"default_limit": 1, "granularity": "run"}},
    # A run whose process ended begins again; one that was refused would be refused once more. Intake retries by itself.
    "run_retries": {"enabled": True, "max_retries": 1, "retry_on_asset_or_op_failure": False},
    # A run whose process is gone would keep its pools for ever; the longest real one takes minutes.
    "run_monitoring": {"enabled": True, "max_runtime_seconds": 6 * 3600},
}
# Runs of the command line; only one goes on at a time, so an unfinished one belongs to a process that is gone.
STARTED_BY = {"opora/started_by": "command_line"}


@dataclass(frozen=True)
class Outcome:
    """How a run ended: the release it led to, or what failed."""

    succeeded: bool
    release_is_new: bool
    failures: tuple[str, ...]


def dagster_home(home: Home) -> Path:
    """The folder of the Dagster instance, with its settings written if they are not there."""
    settings = home.dagster / "dagster.yaml"
    if not settings.exists():
        write_whole(settings, lambda part: part.write_text(yaml.safe_dump(SETTINGS), encoding="utf-8"))
    return home.dagster.resolve()


def run_now(
    home: Home,
    *,
    job: str = ANNUAL_LIST,
    years: Sequence[str] = (),
    reread: bool = False,
    force: bool = False,
    accept: str = "",
    tell: Tell = lambda words: None,
) -> Outcome:
    """Run a job over all years, or over one year at a time, and say how it ended.

    `accept` is the reason why a fall or a jump against the former release is right.
    Raises ValueError for a year that is no partition. One run of a home at a time: the caller holds its lock.
    """
    partitions = academic_years(load_reference())
    unknown = set(years) - set(partitions.get_partition_keys())
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))}; есть: {', '.join(partitions.get_partition_keys())}")
    os.environ["DAGSTER_HOME"] = str(dagster_home(home))
    definitions = build_defs(
        resources={"opora_home": OporaHome(root=str(home.root.resolve()))},
        loggers={"console": _narrator(tell)},
    )
    outcomes: list[Outcome] = []
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        _name_pools(instance)
        _end_dead_runs(instance)
        for tags, partition in [({}, year) for year in years] or [(all_years(partitions), None)]:
            result = definitions.resolve_job_def(job).execute_in_process(
                instance=instance,
                run_config=_config(job, [partition] if partition else [], reread, force, accept),
                partition_key=partition,
                tags={**tags, **STARTED_BY},
                raise_on_error=False,
            )
            outcomes.append(_outcome(result, home))
            if not outcomes[-1].succeeded:
                break
    return _together(outcomes)


def _together(outcomes: Sequence[Outcome]) -> Outcome:
    """Of runs one after another: how the last ended, and whether any of them led to a new release."""
    return replace(outcomes[-1], release_is_new=any(outcome.release_is_new for outcome in outcomes))


def _name_pools(instance: dg.DagsterInstance) -> None:
    """Give the pools their slots: of the runs that need a pool it does not know the daemon starts two at once."""
    known = {pool.name for pool in instance.event_log_storage.get_pool_limits()}
    for pool in POOLS:
        if pool not in known:
            instance.event_log_storage.initialize_concurrency_limit_to_default(pool)


def _end_dead_runs(instance: dg.DagsterInstance) -> None:
    """Say of runs whose process was killed that they ended: else they would keep their pools from all others."""
    unfinished = [status for status in dg.DagsterRunStatus if status not in FINISHED_STATUSES]
    for run in instance.get_runs(dg.RunsFilter(statuses=unfinished, tags=STARTED_BY)):
        if run.remote_job_origin is not None:  # repeated in the UI, tags and all: it belongs to the daemon
            continue
        instance.report_run_canceled(run, "Процесс этого прогона оборвался; следующий прогон начал заново.")


def _config(job: str, years: Sequence[str], reread: bool, force: bool, accept: str) -> dict[str, object]:
    """Run settings of the assets that take any."""
    ops: dict[str, object] = {
        "release__candidate": {"config": {"accept": accept}},
        "release__current": {"config": {"force": force}},
    }
    if job == ANNUAL_LIST:
        ops["deliveries"] = {"config": {"years": list(years), "reread": reread and not years}}
        ops["lake_by_year"] = {"config": {"reread": reread and bool(years)}}
    return {"ops": ops, "loggers": {"console": {}}}


def _outcome(result: dg.ExecuteInProcessResult, home: Home) -> Outcome:
    failures = [_failure(event) for event in result.all_events if event.is_step_failure]
    failures += [
        f"{evaluation.asset_key.to_user_string()}: {evaluation.check_name}: {_words(evaluation)}"
        for evaluation in result.get_asset_check_evaluations()
        if not evaluation.passed and evaluation.severity == dg.AssetCheckSeverity.ERROR
    ]
    new = False
    for event in result.get_asset_materialization_events():
        materialization = event.materialization
        if materialization.asset_key.path == ["release", "current"]:
            new = bool(materialization.metadata["is_new"].value)
    faults = [words for failure in failures if (words := explain_fault(failure, home.root))]
    return Outcome(result.success and not failures, new, tuple(dict.fromkeys([*failures, *faults])))


def _failure(event: dg.DagsterEvent) -> str:
    error = event.step_failure_data.error
    cause = error.cause if error and error.cause else error
    return f"{event.step_key}: {cause.message.strip() if cause else 'без сообщения'}"


def _words(evaluation: dg.AssetCheckEvaluation) -> str:
    message = evaluation.metadata.get("message")
    return str(message.value) if message else "не прошла"


def _narrator(tell: Tell) -> dg.LoggerDefinition:
    """A Dagster logger that tells a person which step runs and which file is read, and nothing else."""

    @dg.logger
    def narrate(context: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.Logger("opora.run")
        logger.addHandler(_Narrator(tell))
        return logger

    return narrate


class _Narrator(logging.Handler):
    def __init__(self, tell: Tell) -> None:
        super().__init__(logging.DEBUG)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        meta = getattr(record, "dagster_meta", {})
        event = meta.get("dagster_event")
        if event is None:
            self._tell(str(meta.get("orig_message") or ""))
        elif event.event_type_value == "STEP_START":
            self._tell(f"→ {event.step_key}")
