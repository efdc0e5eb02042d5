"""Collection of garbage in a process that does one thing and ends.

What belongs here: when the collector stands still. What does not: work.

Half a million objects of Dagster and dbt are there from their import to the end. To look through them again and again
took two seconds of a small run, and at its end two more.
"""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lasting() -> Iterator[None]:
    """What is made meanwhile, as modules are, stays to the end of the process: no collection looks at it."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()
        atexit.register(gc.freeze)  # what is there at the end goes back to the system as it is
