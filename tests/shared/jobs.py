"""Two small jobs for the queue: one that only takes time, one that takes time in a pool."""

from __future__ import annotations

import time

import dagster as dg

SECONDS = 8


@dg.op
def wait() -> None:
    time.sleep(SECONDS)


@dg.op(pool="home")
def wait_in_pool() -> None:
    time.sleep(SECONDS)


@dg.job(executor_def=dg.in_process_executor)
def free_job() -> None:
    wait()


@dg.job(executor_def=dg.in_process_executor)
def pooled_job() -> None:
    wait_in_pool()


@dg.definitions
def defs() -> dg.Definitions:
    return dg.Definitions(jobs=[free_job, pooled_job])
