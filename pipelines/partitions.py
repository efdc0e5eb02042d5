"""The one dimension of partitions: academic years.

What belongs here: how the years of `reference/academic_years.yaml` become partitions. What does not: which
years there are.
"""

from __future__ import annotations

import datetime as dt

import dagster as dg

from opora.reference import Reference

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
_AUTUMN = 9


def academic_years(reference: Reference) -> dg.StaticPartitionsDefinition:
    """Newest first: people ask for the newest year, so a backfill should bring it first."""
    years = [year.academic_year for year in reference.academic_years if year.is_open]
    return dg.StaticPartitionsDefinition(sorted(years, reverse=True))


def all_years(partitions: dg.StaticPartitionsDefinition) -> dict[str, str]:
    """Run tags that make one run cover every year."""
    keys = partitions.get_partition_keys()
    return {RANGE_START: keys[0], RANGE_END: keys[-1]}


def measured_year_at(day: dt.date, reference: Reference) -> str:
    """The year whose results are worked on at a date: in autumn still the one that ended in summer."""
    year = reference.academic_year_of(day)
    known = {item.academic_year: item for item in reference.academic_years}
    return known[year].previous_year if day.month >= _AUTUMN else year
