"""Jobs for the queue whose runs come in groups: each goes on until it is seen what the workers do with the others.

A group says in the tags of its runs how many it is, so that no run judges before all of them have come.
"""

import time

import dagster as dg

from assets.shared import PUBLISH_POOL

GROUP, SIZE = "waiting/group", "waiting/size"
WITHIN_SECONDS = 1200
_UNSTARTED = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING]


def wait_for_company(context: dg.OpExecutionContext) -> None:
    """Go on until another run of the group goes on or has gone on beside this one, or none is still to start."""
    group = {GROUP: context.run.tags[GROUP]}

    def count(statuses: list[dg.DagsterRunStatus] | None = None) -> int:
        return context.instance.get_runs_count(dg.RunsFilter(statuses=statuses, tags=group))

    deadline = time.monotonic() + WITHIN_SECONDS
    while time.monotonic() < deadline:
        have_all_come = count() >= int(context.run.tags[SIZE])
        # one that has ended waited for company itself, and may have come and gone between two looks
        has_company = count([dg.DagsterRunStatus.STARTED]) > 1 or count([dg.DagsterRunStatus.SUCCESS]) > 0
        if have_all_come and (has_company or not count(_UNSTARTED)):
            return
        time.sleep(0.5)
    raise TimeoutError(f"alone for {WITHIN_SECONDS} s while others of the group were to start")


@dg.op
def meet(context: dg.OpExecutionContext) -> None:
    wait_for_company(context)


@dg.op(pool=PUBLISH_POOL)
def meet_in_pool(context: dg.OpExecutionContext) -> None:
    wait_for_company(context)


@dg.job(executor_def=dg.in_process_executor)
def free_job() -> None:
    meet()


@dg.job(executor_def=dg.in_process_executor)
def pooled_job() -> None:
    meet_in_pool()


@dg.definitions
def defs() -> dg.Definitions:
    return dg.Definitions(jobs=[free_job, pooled_job])
