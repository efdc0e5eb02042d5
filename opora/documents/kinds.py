"""Which documents there are, what each is asked by, and which belong to a release.

Belongs here: the catalogue of documents. Does not belong here: their content.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from opora.documents.annex import ANNEX, annex
from opora.documents.model import Document, Shape
from opora.documents.programme import ANNUAL, QUARTERLY, annual_report, programmes_of, quarterly_report
from opora.documents.reader import DocumentRefused, Marts
from opora.documents.school import NOTE, school_note
from opora.documents.territory import MUNICIPALITY, REGION, municipality_note, region_note
from opora.explain import UnknownSchool, find_school

SHAPES: tuple[Shape, ...] = (NOTE, MUNICIPALITY, REGION, ANNEX, QUARTERLY, ANNUAL)
WHOLE_REGION = ("region", "регион")


@dataclass(frozen=True)
class Wanted:
    """One document to be made: its kind, of whom, for which list year or period."""

    kind: str
    of: str = ""
    year: str | None = None


_MAKERS: Mapping[str, Callable[[Marts, Wanted], Document]] = {
    "school": lambda marts, wanted: school_note(marts, wanted.of, wanted.year),
    "municipality": lambda marts, wanted: municipality_note(marts, wanted.of, wanted.year),
    "region": lambda marts, wanted: region_note(marts, wanted.of, wanted.year),
    "annex": lambda marts, wanted: annex(marts, wanted.of, wanted.year),
    "quarterly": lambda marts, wanted: quarterly_report(marts, wanted.of),
    "annual": lambda marts, wanted: annual_report(marts, wanted.of, wanted.year),
}


def make(marts: Marts, wanted: Wanted) -> Document:
    """The content of a wanted document. Raises DocumentRefused."""
    return _MAKERS[wanted.kind](marts, wanted)


def wanted_note(marts: Marts, whose: str, year: str | None = None) -> Wanted:
    """What a person means by `region`, a municipality or a school. Raises DocumentRefused with what to say instead."""
    asked = whose.strip()
    regions = region_codes(marts)
    if asked.lower() in WHOLE_REGION:
        if len(regions) != 1:
            raise DocumentRefused(f"В выпуске регионов: {', '.join(regions) or 'нет'}. Назовите код региона.")
        return Wanted("region", regions[0], year)
    if asked in regions:
        return Wanted("region", asked, year)
    municipalities = marts.rows(
        """
        select distinct municipality_id, municipality_name from municipality_summary
        where municipality_id = $1 or contains(lower(municipality_name), lower($1)) order by municipality_name
        """,
        asked,
    )
    exact = [row for row in municipalities if asked in (row["municipality_id"], row["municipality_name"])]
    if len(exact or municipalities) == 1:
        return Wanted("municipality", (exact or municipalities)[0]["municipality_id"], year)
    try:
        return Wanted("school", find_school(marts.connection, asked)["school_id"], year)
    except UnknownSchool as error:
        among = "".join(f"\n  {row['municipality_id']}  {row['municipality_name']}" for row in municipalities[:10])
        raise DocumentRefused(f"{error}" + (f"\nМуниципалитеты с таким названием:{among}" if among else "")) from error


def wanted_schools(marts: Marts, year: str | None = None, *, listed_only: bool = False) -> list[Wanted]:
    """Notes of schools of a list year: of all that are schools, or of those listed or at risk by the newest results."""
    asked = marts.checked_year(year)
    rows = marts.rows(
        """
        with at_risk as (
            select school_id from school_status where is_at_risk and academic_year = (
                select max(academic_year) from school_status where is_at_risk is not null and academic_year <= $1))
        select t.school_id from school_status as t join school as s using (school_id)
        where t.academic_year = $1 and s.is_school
            and (not $2 or t.is_shnor or t.school_id in (select school_id from at_risk))
        order by t.school_id
        """,
        asked,
        listed_only,
    )
    return [Wanted("school", row["school_id"], asked) for row in rows]


def wanted_municipalities(marts: Marts, year: str | None = None) -> list[Wanted]:
    asked = marts.checked_year(year)
    rows = marts.rows(
        """
        select municipality_id from municipality_summary
        where academic_year = $1 and procedure_id = 'all' and schools_count > 0 order by municipality_id
        """,
        asked,
    )
    return [Wanted("municipality", row["municipality_id"], asked) for row in rows]


def wanted_regions(marts: Marts, year: str | None = None) -> list[Wanted]:
    return [Wanted("region", code, year) for code in region_codes(marts)]


def wanted_annexes(marts: Marts, year: str | None = None) -> list[Wanted]:
    return [Wanted("annex", code, year) for code in region_codes(marts)]


def wanted_reports(marts: Marts) -> list[Wanted]:
    """Both reports of each programme of this release's territories."""
    return [Wanted(kind, programme) for programme in programmes_of(marts) for kind in ("quarterly", "annual")]


def region_codes(marts: Marts) -> list[str]:
    return [row["region_code"] for row in marts.rows("select distinct region_code from region_summary order by 1")]
