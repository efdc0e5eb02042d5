"""Whether a run would have anything to do.

What belongs here: the one question that the command line asks before it starts Dagster. What does not: intake
and release, whose own rules it only puts together.
"""

from __future__ import annotations

from opora.delivery import read_records
from opora.home import Home
from opora.inputs import fingerprint
from opora.intake import files_with_work
from opora.lake import parts_of_lake
from opora.reference import Reference
from opora.release import current_release


def nothing_new(home: Home, reference: Reference) -> bool:
    """True where every file in landing is known, the lake is whole and the current release was made of just this."""
    current, records = current_release(home), read_records(home)
    return (
        current is not None
        and not files_with_work(home, reference, known=records)
        and current.manifest["fingerprint"] == fingerprint(home, reference, records=records.values())
        and all(part.state == "whole" for part in parts_of_lake(home, records.values()))
    )
