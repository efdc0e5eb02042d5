"""Two small jobs for the queue: one that waits for company, one that takes time in a pool."""

from __future__ import annotations

import time

import dagster as dg

SECONDS = 8
COMPANY_WITHIN_SECONDS = 300


@dg.op
def wait_for_company(context: dg.OpExecutionContext) -> None:
    """Go on until another run goes on beside this one, or none is waiting any more."""
    deadline = time.monotonic() + COMPANY_WITHIN_SECONDS
    waiting = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING]
    while time.monotonic() < deadline:
        started = context.instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
        if started > 1 or not context.instance.get_runs_count(dg.RunsFilter(statuses=waiting)):
            return
        time.sleep(0.5)


@dg.op(pool="home")
def wait_in_pool() -> None:
    time.sleep(SECONDS)


@dg.job(executor_def=dg.in_process_executor)
def free_job() -> None:
    wait_for_company()


@dg.job(executor_def=dg.in_process_executor)
def pooled_job() -> None:
    wait_in_pool()


@dg.definitions
def defs() -> dg.Definitions:
    return dg.Definitions(jobs=[free_job, pooled_job])
