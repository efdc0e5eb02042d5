"""Tables that are kept: sums by portion, their doubles, and how many portions there are; and a run that makes them.

What belongs here: nodes as dbt would tell of them, small enough to reckon by hand. What does not: what must hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from opora.kept import KeptTables, Made
from opora.models import Input, Node

RESULT, SUM, TWICE, TOTAL = (f'"opora"."main"."{name}"' for name in ("result", "int_sum", "int_twice", "int_total"))
SETTING = '"opora"."main"."setting"'
ROWS = [("2021/vpr_4_rus", 3), ("2021/vpr_4_rus", 4), ("2021/vpr_5_rus", 5), ("2022/vpr_4_rus", 2)]


def node(name: str, sql: str, *inputs: str, kept: str = "portion") -> Node:
    relation = f'"opora"."main"."{name}"'
    told = tuple(Input(one, one) for one in inputs)
    return Node(name, name, "model", f"{name}.sql", (), sql, relation, "table", inputs=told, kept=kept)


SUM_NODE = node(
    "int_sum",
    f"select portion, cast(sum(score) as bigint) * factor as total from {RESULT}, {SETTING} group by portion, factor",
    *(RESULT, SETTING),
)
TWICE_NODE = node("int_twice", f"select portion, 2 * total as twice from {SUM}", SUM)
TOTAL_NODE = node("int_total", f"select count(*) as portions from {SUM}", SUM, kept="whole")
TEST_NODE = node("sums_are_small", f"select * from {SUM} where total > 100", SUM)


@contextmanager
def opened(rows: Sequence[tuple[str, int]]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with these results."""
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as opora; use opora; create table setting as select 10 as factor")
        connection.execute("create table result (portion varchar, score integer)")
        for row in rows:
            connection.execute("insert into result values (?, ?)", row)
        yield connection


def run(
    database: duckdb.DuckDBPyConnection, folder: Path, queries: int = 1
) -> tuple[Made, Made, list[tuple[object, ...]]]:
    """A run of its own: nothing is known but what lies in the folder. What it made, and the sums, which are right."""
    folder.mkdir(exist_ok=True)
    kept = KeptTables(folder, folder.with_suffix(".beside"), queries)
    made = [kept.create(database, one) for one in (SUM_NODE, TWICE_NODE, TOTAL_NODE)]
    sums, doubles = (
        database.execute(f"select * from {relation} order by portion").fetchall() for relation in (SUM, TWICE)
    )
    assert sums == database.execute(f"select * from ({SUM_NODE.sql}) order by portion").fetchall()
    assert doubles == [(portion, 2 * total) for portion, total in sums]
    return made[0], made[2], sums
