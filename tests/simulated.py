"""Rows of results for tests of analyses: `int_result_history` by hand or by chance. What a test expects is its own."""

from __future__ import annotations

from typing import Any

import polars as pl

METHOD = "m"
PROCEDURES = ("vpr_5_russian", "vpr_5_mathematics", "vpr_6_russian", "vpr_6_mathematics")


def year_name(year: int) -> str:
    return f"{year}-{year + 1}"


def result(school: str, procedure: str, year: int, participants: int, below: int) -> dict[str, Any]:
    """A row of `int_result_history`, low from 30 percent."""
    _, grade, subject = procedure.split("_")
    return {
        "method_id": METHOD,
        "academic_year": year_name(year),
        "start_year": year,
        "school_id": school,
        "procedure_id": procedure,
        "grade": int(grade),
        "subject": subject,
        "participants": participants,
        "below_minimum": below,
        "is_low": below * 100 >= 30 * participants,
        "is_excluded": False,
    }


def traits(schools: int) -> pl.DataFrame:
    """`int_school_trait` of schools s000, s001, …: every tenth a gymnasium, every seventh of unknown settlement."""
    return pl.DataFrame(
        {
            "school_id": [f"s{i:03}" for i in range(schools)],
            "school_type": ["gymnasium" if i % 10 == 0 else "secondary" for i in range(schools)],
            "is_urban": [None if i % 7 == 0 else i % 2 == 0 for i in range(schools)],
        }
    )
