"""What two releases differ in, found part by part, is what a look at all their rows finds."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.comparison import _differing, _keys, _mart_change, _moved

TYPES = {"academic_year": "varchar", "school_id": "varchar", "procedure_id": "varchar", "primary_score": "bigint"}
COLUMNS = {**TYPES, "pupils_count": "bigint"}
Rows = dict[tuple[str | None, str, str | None, int], int | None]

rows = st.dictionaries(
    st.tuples(
        st.sampled_from(["2021-2022", "2022-2023", "it's", None]),
        st.sampled_from(["s1", "s2"]),
        st.sampled_from(["vpr_5_russian", "vpr_6_russian", None]),
        st.integers(0, 1),
    ),
    st.one_of(st.none(), st.integers(0, 2)),
    max_size=12,
)


def attached(former: Rows, later: Rows) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for name, content in (("former", former), ("later", later)):
        connection.execute(f"attach ':memory:' as {name}")
        columns = ", ".join(f"{column} {kind}" for column, kind in COLUMNS.items())
        connection.execute(f"create table {name}.score_count ({columns})")
        for key, value in content.items():
            connection.execute(f"insert into {name}.score_count values (?, ?, ?, ?, ?)", [*key, value])
    return connection


@given(rows, rows)
def test_parts_tell_what_the_whole_tells(former: Rows, later: Rows) -> None:
    assert _keys()["score_count"] == tuple(TYPES)
    with attached(former, later) as connection:
        found = _mart_change(connection, "score_count", COLUMNS, COLUMNS)
    changed = sum(former[key] != later[key] for key in former.keys() & later.keys())
    assert (found.added, found.removed, found.changed) == (
        len(later.keys() - former.keys()),
        len(former.keys() - later.keys()),
        changed,
    )
    assert (found.rows_before, found.rows_after) == (len(former), len(later))
    assert found.is_same == (former == later)


def test_only_parts_that_differ_are_looked_into() -> None:
    former: Rows = {("2021-2022", "s1", "vpr_5_russian", 0): 1, ("2021-2022", "s1", "vpr_6_russian", 0): 1}
    later = former | {("2021-2022", "s1", "vpr_6_russian", 0): 2}
    with attached(former, later) as connection:
        (where,) = _differing(connection, "score_count", tuple(TYPES), COLUMNS)
    assert "vpr_6_russian" in where
    assert "2021-2022" in where


@pytest.mark.parametrize(
    ("was", "now", "changed"),
    [
        (0.1, 0.1 + 1e-12, 0),  # the last digits of another machine
        (1e6, 1e6 + 1e-4, 0),
        (0.1, 0.1001, 1),
        (0.1, None, 1),
        (None, 0.0, 1),
        (None, None, 0),
    ],
)
def test_last_digits_of_a_fraction_are_no_change(was: float | None, now: float | None, changed: int) -> None:
    with duckdb.connect() as connection:
        for name, value in (("former", was), ("later", now)):
            connection.execute(f"attach ':memory:' as {name}")
            connection.execute(
                f"create table {name}.result as select 's1' as school_id, cast(? as double) as share", [value]
            )
        columns = {"school_id": "VARCHAR", "share": "DOUBLE"}
        assert _moved(connection, "result", ["school_id"], columns, "true") == (0, 0, changed)
