"""What a release says, in a few lines: for the end of a run and for `opora status`.

What belongs here: reading the marts of the current release into lines for people. What does not: figures that
a mart does not hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from opora import labels
from opora.home import Home
from opora.list_years import NEWEST_LIST
from opora.methods import MethodSettings, unreliable_ru
from opora.reference import load_reference
from opora.release import Release, current_release

HEADING = ("Учебный год", "Школ", "Оценивается", "ШНОР", "новых", "остались", "вышли", "В зоне риска")


@dataclass(frozen=True)
class Summary:
    """Lines for people about one release."""

    release_id: str
    folder: Path
    maturity_ru: str
    deliveries_ru: str
    heading: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    notes_ru: tuple[str, ...]


def summarise(home: Home) -> Summary | None:
    """The current release in a few lines; None where there is none."""
    release = current_release(home)
    if release is None:
        return None
    with duckdb.connect(str(release.database), read_only=True) as connection:
        return _summary(release, connection, load_reference().official_method.settings)


def _summary(release: Release, connection: duckdb.DuckDBPyConnection, method: MethodSettings) -> Summary:
    refused, with_quarantine, accepted, rows, quarantined = connection.execute(
        """
        select count(*) filter (status = 'refused'), count(*) filter (status = 'accepted_with_quarantine'),
               count(*) filter (status = 'accepted'), coalesce(sum(rows_in), 0), coalesce(sum(rows_quarantined), 0)
        from delivery
        """
    ).fetchone() or (0, 0, 0, 0, 0)
    lines = connection.execute(
        """
        select academic_year, sum(schools_count), sum(assessed_schools_count), sum(shnor_count), sum(new_count),
               sum(continuing_count), sum(left_count), sum(at_risk_count)
        from region_summary where procedure_id = 'all' group by 1 order by 1
        """
    ).fetchall()
    small = connection.execute(
        f"""
        select count(*) filter (evidence_participants < $1), count(*) from school_status
        where is_shnor and academic_year = ({NEWEST_LIST})
        """,
        [method.reliable_from],
    ).fetchone() or (0, 0)
    notes = [f"В последнем списке {small[1]} школ; у {small[0]} основание держится {unreliable_ru(method)}."]
    return Summary(
        release_id=release.release_id,
        folder=release.folder,
        maturity_ru=labels.MATURITY[str(release.manifest["maturity"])],
        deliveries_ru=(
            f"Поставок: принято {accepted}, принято не целиком {with_quarantine}, отклонено {refused}; "
            f"строк {rows}, отложено {quarantined}."
        ),
        heading=HEADING,
        lines=tuple(tuple("—" if cell is None else str(cell) for cell in line) for line in lines),
        notes_ru=tuple(notes),
    )
