"""Flat tables that regional ВПР dashboards read: `marks.xlsx`, `scores.xlsx`, `bias.xlsx`.

Belongs here: marts in the layout of those tables. Does not belong here: counting. The layout is the one that intake
reads too, so what is exported can be delivered again. Schools without a login have no place in it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from opora.documents.reader import MartRow, Marts
from opora.home import write_whole
from opora.release import Release
from opora.safe_text import plain, safe_cell
from opora.workbook import new_workbook

Cell = str | int | float | None
_KEYS = ("Год", "Класс", "Предмет", "Муниципалитет", "Логин", "ОО", "Кол-во участников")
_MARKS = (2, 3, 4, 5)
# The works that the list of markers has columns for.
_BIAS = {
    "4 РУ": "vpr_4_russian",
    "4 МА": "vpr_4_mathematics",
    "5 РУ": "vpr_5_russian",
    "5 МА": "vpr_5_mathematics",
}


def write_flat(release: Release, folder: Path) -> dict[Path, int]:
    """The three tables of a release in a folder; rows of each."""
    with Marts(release) as marts:
        tables = {
            "marks": ([*_KEYS, *map(str, _MARKS)], _marks(marts)),
            "scores": _scores(marts),
            "bias": (["Год", "Логин", "Муниципалитет", "ОО", "Количество маркеров", *_BIAS], _bias(marts)),
        }
        made = marts.created_at.replace(microsecond=0, tzinfo=None)
    written = {}
    for name, (header, rows) in tables.items():
        path = folder / f"{name}.xlsx"
        write_whole(path, lambda part, name=name, header=header, rows=rows: _book(part, name, header, rows, made))  # type: ignore[misc]
        written[path] = len(rows)
    return written


def _marks(marts: Marts) -> list[list[Cell]]:
    """Percent by mark among those whose mark is known."""
    rows: list[list[Cell]] = []
    for row in _works(marts, "mark_count"):
        known = sum(row[f"mark_{mark}_count"] for mark in _MARKS)
        if known:
            shares = [round(100 * row[f"mark_{mark}_count"] / known, 2) for mark in _MARKS]
            rows.append([*_keys(row, known), *shares])
    return rows


def _scores(marts: Marts) -> tuple[list[str], list[list[Cell]]]:
    """Percent by primary score; beyond the largest score of a work in a year its cells are empty."""
    found = _works(marts, "score_count", "primary_score")
    tops: dict[tuple[str, str], int] = {}
    for row in found:
        work = (row["academic_year"], row["procedure_id"])
        tops[work] = max(tops.get(work, 0), row["primary_score"])
    most = max(tops.values(), default=0)
    rows: list[list[Cell]] = []
    former = None
    for row in found:
        key = (row["academic_year"], row["procedure_id"], row["school_id"])
        if key != former:
            top = tops[key[:2]]
            rows.append([*_keys(row, row["scored_count"]), *[0] * (top + 1), *[None] * (most - top)])
            former = key
        rows[-1][len(_KEYS) + row["primary_score"]] = round(100 * row["pupils_count"] / row["scored_count"], 2)
    return [*_KEYS, *map(str, range(most + 1))], rows


def _bias(marts: Marts) -> list[list[Cell]]:
    """Schools with at least one computed marker of these works, as the lists of markers name only such."""
    found = marts.rows(
        f"""
        with marked as (
            select academic_year, school_id,
                {", ".join(f"bool_or(procedure_id = '{work}') as marked_{n}" for n, work in enumerate(_BIAS.values()))}
            from objectivity
            where source = 'computed' and is_marked and procedure_id in (select unnest($1::varchar[]))
            group by all)
        select m.*, s.vpr_login, s.municipality_name, s.school_name
        from marked as m join school as s using (school_id)
        where s.vpr_login is not null
        order by m.academic_year, s.municipality_name collate ru, s.school_name collate ru, m.school_id
        """,
        list(_BIAS.values()),
    )
    rows: list[list[Cell]] = []
    for row in found:
        marked = [int(row[f"marked_{n}"]) for n in range(len(_BIAS))]
        rows.append(
            [_year(row), _login(row), plain(row["municipality_name"]), plain(row["school_name"]), sum(marked), *marked]
        )
    return rows


def _works(marts: Marts, mart: str, *order: str) -> list[MartRow]:
    """Rows of a mart with names of their schools, by year, work, municipality and school."""
    subjects = {subject.subject_id: subject.title_ru for subject in marts.reference.subjects}
    known = {
        procedure.procedure_id: (place, procedure.grade, subjects[procedure.subject_ids[0]])
        for place, procedure in enumerate(marts.reference.procedures)
    }
    rows = marts.rows(
        f"""
        select m.*, s.vpr_login, s.municipality_name, s.school_name from {mart} as m join school as s using (school_id)
        where s.vpr_login is not null
        order by {", ".join(["s.municipality_name collate ru", "s.school_name collate ru", "m.school_id", *order])}
        """
    )
    for row in rows:
        row["place"], row["grade"], row["subject_ru"] = known[row["procedure_id"]]
    return sorted(rows, key=lambda row: (row["academic_year"], row["place"]))


def _keys(row: MartRow, participants: int) -> list[Cell]:
    return [
        _year(row),
        row["grade"],
        row["subject_ru"],
        plain(row["municipality_name"]),
        _login(row),
        plain(row["school_name"]),
        participants,
    ]


def _year(row: MartRow) -> int:
    """The calendar year of the spring in which the year's works are written."""
    return int(str(row["academic_year"])[-4:])


def _login(row: MartRow) -> str:
    login = str(row["vpr_login"])
    return f"edu{login}" if login.isdigit() else login


def _book(path: Path, name: str, header: Sequence[str], rows: Sequence[Sequence[Cell]], made: dt.datetime) -> None:
    with new_workbook(path, constant_memory=True) as book:
        book.set_properties({"created": made})
        sheet = book.add_worksheet(name)
        bold = book.add_format({"bold": True})
        for place, title in enumerate(header):
            sheet.write_string(0, place, title, bold)
        for line, cells in enumerate(rows, start=1):
            _write_row(sheet, line, cells)
        sheet.freeze_panes(1, 0)


def _write_row(sheet: Any, line: int, cells: Sequence[Cell]) -> None:
    for place, cell in enumerate(cells):
        if isinstance(cell, str):
            sheet.write_string(line, place, safe_cell(cell))
        elif cell is not None:
            sheet.write_number(line, place, cell)
