"""Schedules: the monitoring calendar of the programmes, for the environments that each event names.

What belongs here: turning `reference/calendar.yaml` into schedules. What does not: dates, which are facts.
"""

import os

import dagster as dg

from opora.reference import MonitoringEvent, Reference
from pipelines.partitions import academic_years, all_years, measured_year_at

ENVIRONMENT_VARIABLE = "OPORA_ENVIRONMENT"
LOCAL = "local"
ENVIRONMENTS = (LOCAL, "production")


def environment() -> str:
    """`local` on a desk, `production` on the server that works by itself."""
    return os.environ.get(ENVIRONMENT_VARIABLE, LOCAL)


def runs_by_itself(named: str) -> bool:
    """Whether schedules and sensors start switched on: not on a desk, where people start runs."""
    return named != LOCAL


def build_schedules(reference: Reference, named: str) -> list[dg.ScheduleDefinition]:
    """Schedules of one environment; they run by themselves in production and wait to be switched on elsewhere.

    Raises ValueError for an environment that there is not: it would have no schedules and nobody would see why.
    """
    if named not in ENVIRONMENTS:
        raise ValueError(f"{ENVIRONMENT_VARIABLE}={named}: one of {', '.join(ENVIRONMENTS)} is expected")
    events = [event for event in reference.monitoring if named in event.environments]
    status = dg.DefaultScheduleStatus.RUNNING if runs_by_itself(named) else dg.DefaultScheduleStatus.STOPPED
    return [_schedule(event, reference, status) for event in events]


def _schedule(event: MonitoringEvent, reference: Reference, status: dg.DefaultScheduleStatus) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=event.event_id,
        job_name=event.job,
        cron_schedule=event.cron,
        execution_timezone=reference.timezone,
        default_status=status,
        description=f"{event.title_ru}. {event.item_ru}",
    )
    def request(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        at = context.scheduled_execution_time
        return dg.RunRequest(
            run_key=f"{event.event_id}:{at:%Y-%m-%d}",
            # what has come may be of any year, and is held against the registry in the run that takes it in
            tags={
                **all_years(academic_years(reference)),
                "opora/event": event.event_id,
                "opora/seed": event.seed,
                "opora/measured_year": measured_year_at(at.date(), reference),
            },
        )

    return request
