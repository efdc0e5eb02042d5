"""Two builds of a table, cell by cell.

What belongs here: what equal means. Texts, whole numbers, days and truth values are the same or they differ. Fractions
are the same to the last bit or lie within `TOLERANCE` of each other: engines add up in another order, and logarithms
and powers of Java and of C differ in the last digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from schemas.registry import table as registered

# Of the larger of the two, or of one where both are smaller.
TOLERANCE = 1e-9
DIFFERENCES_SHOWN = 5


@dataclass(frozen=True)
class Comparison:
    """What was found of one table. `close` cells are fractions of other bits, `furthest` is the widest gap."""

    table: str
    rows: int
    cells: int
    close: int
    furthest: float
    differences: tuple[str, ...]


def compare(database: Path, layer: str, table: str, parquet: str) -> Comparison:
    """A table of a DuckDB file against the same table in Parquet files, joined by the key of the registry."""
    key = registered(table).primary_key
    with duckdb.connect() as connection:
        connection.execute(f"attach '{database}' as one (read_only)")
        kinds = connection.execute(f"describe one.{layer}.{table}").fetchall()
        names = [name for name, *_ in kinds]
        fractions = {name for name, kind, *_ in kinds if kind == "DOUBLE"}
        connection.execute(f"create table one_side as from one.{layer}.{table}")
        connection.execute(f"create table other_side as from read_parquet('{parquet}')")
        found = {name for name, *_ in connection.execute("describe other_side").fetchall()}
        if found != set(names):
            return Comparison(table, 0, 0, 0, 0.0, (f"columns: {sorted(found ^ set(names))}",))
        rows = _one(connection, "select count(*) from one_side")
        joined = "one_side as a inner join other_side as b on " + " and ".join(
            f'a."{name}" is not distinct from b."{name}"' for name in key
        )
        differences = []
        if (
            not rows
            == _one(connection, "select count(*) from other_side")
            == _one(connection, f"select count(*) from {joined}")
        ):
            for side, other in (("one_side", "other_side"), ("other_side", "one_side")):
                keys = ", ".join(f'"{name}"' for name in key)
                alone = f"select {keys} from {side} except all select {keys} from {other}"
                differences += [f"{side}: {row}" for row in connection.execute(f"{alone} limit 3").fetchall()]
        close, furthest = 0, 0.0
        place = ", ".join(f'a."{part}"' for part in key)
        for name in names:
            same = f'(a."{name}" is not distinct from b."{name}")'
            if name in fractions:
                gap = f'abs(a."{name}" - b."{name}") / greatest(1, abs(a."{name}"), abs(b."{name}"))'
                near, widest = connection.execute(
                    f"select count(*), coalesce(max({gap}), 0) from {joined} where not {same} and {gap} <= {TOLERANCE}"
                ).fetchone() or (0, 0.0)
                close, furthest = close + near, max(furthest, widest)
                same = f"({same} or coalesce({gap} <= {TOLERANCE}, false))"
            unequal = connection.execute(
                f'select {place}, a."{name}", b."{name}" from {joined} where not {same}'
            ).fetchall()
            if unequal:
                shown = "; ".join(map(str, sorted(unequal, key=str)[:DIFFERENCES_SHOWN]))
                differences.append(f"{name}: {len(unequal)} cells, {shown}")
    return Comparison(table, rows, rows * len(names), close, furthest, tuple(differences))


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int((connection.execute(query).fetchone() or (0,))[0])
