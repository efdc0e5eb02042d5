"""Years of lists: which is the newest, and which years decide one.

What belongs here: the rules that pages, documents and the terminal share. What does not: the list itself (`dbt/`).
"""

from __future__ import annotations

# The newest list that names a school; null without any. For the marts of both profiles.
NEWEST_LIST = "select max(academic_year) as academic_year from school_status where status = 'shnor'"


def years_before(academic_year: str, count: int) -> tuple[str, ...]:
    """The years before one, newest first: `2023-2024` → `2022-2023`, `2021-2022`."""
    start = int(academic_year[:4])
    return tuple(f"{start - back}-{start - back + 1}" for back in range(1, count + 1))
