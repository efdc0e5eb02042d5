"""What would change by another method: the comparison of a release in lines for people.

What belongs here: the methods as the reference and a user's folder describe them, two lists of one release side by
side. What does not: rules (dbt) and the making of methods (`opora/methods.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from opora.methods import Method, Variant, unreliable_ru
from opora.reference import Reference, load_reference
from opora.release import Release
from opora.sql import Row, fetch

HEADING = (
    *("Учебный год", "Было", "Стало", "Входят", "Выходят", "Остаются"),
    *("Стало: ненадёжных", "Стало: держится"),
)


class UnknownMethod(LookupError):
    """No such method in the release; the message names those that are."""


@dataclass(frozen=True)
class Comparison:
    """Two methods over one release: a line a year, and the schools that move in the year asked for."""

    title_ru: str
    lines: tuple[tuple[str, ...], ...]
    moved: tuple[str, ...]
    note_ru: str


# --- methods -------------------------------------------------------------------------------------


def describe_methods(reference: Reference, built_in: Reference) -> Iterator[str]:
    """A line for each method, the official ones first; `built_in` has no user's methods."""
    known = {method.method_id for method in built_in.methods}
    variants = {variant.method_id: variant for variant in reference.variants}
    for method in sorted(reference.methods, key=lambda m: (not m.is_official, m.method_id)):
        mark = " (официальная)" if method.is_official else "" if method.method_id in known else " (своя)"
        yield f"{method.method_id}{mark}: {method.title_ru}"
        if variant := variants.get(method.method_id):
            yield f"    {_changes_ru(reference.method(variant.based_on), method, variant)}"


def _changes_ru(base: Method, method: Method, variant: Variant) -> str:
    changed = (
        f"{name} {_change_ru(getattr(base.settings, name).value, getattr(method.settings, name).value)}"
        for name in variant.changes
    )
    return f"отличие от {base.method_id}: " + "; ".join(changed)


def _change_ru(former: Any, latter: Any) -> str:
    if isinstance(former, tuple):
        gone, come = ([str(item) for item in a if item not in b] for a, b in ((former, latter), (latter, former)))
        return ", ".join([f"без {item}" for item in gone] + [f"с {item}" for item in come]) or "в другом порядке"
    return f"{former} → {latter}"


# --- two lists -----------------------------------------------------------------------------------

# Lists of all methods in one shape: the official ones stand in school_status, the others in method_comparison.
_LISTS = """
with official_year as (
    select academic_year from school_status group by academic_year having bool_or(is_assessed)
),
list as (
    select academic_year, school_id, method_id, is_shnor as is_listed, reliability, holds_at_confidence,
           low_procedures_previous_year as low_previous, low_procedures_year_before as low_before, true as is_official,
           null as reason_ru
    from school_status join official_year using (academic_year)
    union all
    select academic_year, school_id, method_id, in_other, reliability, holds_at_confidence,
           other_low_previous_year, other_low_year_before, false, reason_ru
    from method_comparison
),
pair as (
    select academic_year, school_id, former.is_listed as in_former, latter.is_listed as in_latter, latter.reliability,
           latter.holds_at_confidence,
           case when former.is_official or latter.is_official
               then coalesce(former.reason_ru, latter.reason_ru)
           end as reason_ru,
           former.low_previous as former_previous, former.low_before as former_before,
           latter.low_previous as latter_previous, latter.low_before as latter_before
    from (select * from list where method_id = $former) as former
    join (select * from list where method_id = $latter) as latter using (academic_year, school_id)
    where $year is null or academic_year = $year
)
"""


def compare(release: Release, latter: str, former: str | None = None, year: str | None = None) -> Comparison:
    """What would change if `latter` made the list instead of `former`, the official method if none is named.

    Raises UnknownMethod where the release was not made with one of them, or has nothing of that year.
    """
    with duckdb.connect(str(release.database), read_only=True) as connection:
        official = str(
            connection.execute("select max_by(method_id, academic_year) from school_status").fetchall()[0][0]
        )
        asked = {"former": former or official, "latter": latter}
        _refuse_unknown(connection, list(asked.values()))
        lines = yearly(connection, asked["former"], latter, year)
        if not lines:
            raise UnknownMethod(f"Сравнить нечего: за {year or 'эти годы'} у одной из методик нет списка.")
        moved = tuple(_moved(connection, asked["former"], latter, year)) if year else ()
    title = f"Что изменится, если вместо {asked['former']} взять {asked['latter']}"
    note = (
        f"Ненадёжные записи держатся {unreliable_ru(load_reference().official_method.settings)} (ступени very_low и "
        "low); «держится» — правило выполнено и тогда, когда порога достигает нижний конец интервала доли."
    )
    return Comparison(title, tuple(tuple(str(cell) for cell in line.values()) for line in lines), moved, note)


def _refuse_unknown(connection: duckdb.DuckDBPyConnection, asked: Sequence[str]) -> None:
    found = connection.execute(
        "select method_id from school_status union select method_id from method_comparison order by 1"
    ).fetchall()
    known = [str(method_id) for (method_id,) in found]
    for method_id in asked:
        if method_id not in known:
            raise UnknownMethod(
                f"Методики {method_id} в выпуске нет; есть: {', '.join(known)}. Новая появится в нём после opora run."
            )


def yearly(connection: duckdb.DuckDBPyConnection, former: str, latter: str, year: str | None = None) -> list[Row]:
    """Two lists counted against each other, a row a year: who enters, leaves and stays, and on what it rests."""
    return fetch(
        connection,
        _LISTS
        + """
        select academic_year, count(*) filter (in_former) as former_count, count(*) filter (in_latter) as latter_count,
               count(*) filter (in_latter and not in_former) as enters_count,
               count(*) filter (in_former and not in_latter) as leaves_count,
               count(*) filter (in_former and in_latter) as stays_count,
               count(*) filter (in_latter and reliability in ('very_low', 'low')) as unreliable_count,
               count(*) filter (in_latter and holds_at_confidence) as holds_count
        from pair group by academic_year order by academic_year
        """,
        former=former,
        latter=latter,
        year=year,
    )


def movers(connection: duckdb.DuckDBPyConnection, former: str, latter: str, year: str) -> list[Row]:
    """The schools that enter (`in_latter`) or leave a list of a year if `latter` makes it instead of `former`."""
    return fetch(
        connection,
        _LISTS
        + """
        select in_latter, school_id, school_name, municipality_id, municipality_name, reason_ru, reliability,
               former_previous, former_before, latter_previous, latter_before
        from pair join school using (school_id)
        where in_former <> in_latter
        order by in_latter desc, municipality_name, school_name, school_id
        """,
        former=former,
        latter=latter,
        year=year,
    )


def _moved(connection: duckdb.DuckDBPyConnection, former: str, latter: str, year: str) -> Iterator[str]:
    for row in movers(connection, former, latter, year):
        reason = row["reason_ru"] or low_counts_ru(row)
        place = row["municipality_name"] or "—"
        movement = "входит" if row["in_latter"] else "выходит"
        yield f"{movement}: {row['school_name']} ({row['school_id']}), {place}: {reason}"


def low_counts_ru(row: Row) -> str:
    """How many procedures were low by either method: the reason where neither is official."""
    names = ("former_previous", "former_before", "latter_previous", "latter_before")
    was_previous, was_before, is_previous, is_before = ("—" if row[name] is None else row[name] for name in names)
    return (
        f"низких процедур в предыдущем году и годом раньше: было {was_previous} и {was_before}, "
        f"стало {is_previous} и {is_before}"
    )
