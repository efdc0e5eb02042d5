"""What a calculation in Python is: tables of the build file in, tables of the registry out.

What belongs here: the shape of an analysis, and how one is run over a build file. What does not: formulas, which
are pure functions in the modules beside this one, and the order of a whole build (`opora/build.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl
from threadpoolctl import threadpool_limits

from opora.inputs import note_done, require_build
from opora.means import duckdb_settings
from schemas.arrow import polars_schema
from schemas.pandera_schemas import failures
from schemas.registry import table

Frames = Mapping[str, pl.DataFrame]
# What the order of a sum can do to a fraction, with room to spare; nobody's result is that near to a wrong one.
_ROUNDING = 1e-9


class AnalysisError(Exception):
    """An analysis gave what the registry does not allow; the message says which table, column and value."""


@dataclass(frozen=True)
class Analysis:
    """A calculation that SQL is not made for.

    `reads` names tables of the build file with their schema, `writes` tables of the registry's layer `analysis`.
    `columns` names those that are read of a long table; all of others. `compute` gets the frames by the names of
    `reads`, sorted, and gives a frame for every name of `writes`. It is a pure function of them: the same rows in any
    order give the same figures.
    """

    name: str
    title_ru: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    compute: Callable[[Frames], Frames]
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)


def run_analysis(database: Path, analysis: Analysis) -> dict[str, int]:
    """Compute and write the tables of one analysis; the number of rows of each.

    Raises AnalysisError if a table is not what the registry says, NoBuild if there is no file.
    """
    require_build(database)
    with duckdb.connect(str(database), config=duckdb_settings(database)) as connection:
        connection.execute("set enable_progress_bar = false")
        # sorted, so that sums of floating numbers do not depend on the order in which threads made the rows
        wanted = {name: ", ".join(analysis.columns.get(name, "*")) for name in analysis.reads}
        read = {
            name: connection.execute(f"select {columns} from {name} order by all").pl()
            for name, columns in wanted.items()
        }
        with threadpool_limits(1):  # fits are small: threads that wait for one another cost more than they give
            written = analysis.compute(read)
        frames = {name: _checked(analysis, name, written[name]) for name in analysis.writes}
        connection.begin()
        for name, frame in frames.items():
            connection.register("frame", frame.to_arrow())
            connection.execute(f"delete from analysis.{name}; insert into analysis.{name} select * from frame")
            connection.unregister("frame")
        connection.commit()
    note_done(database, analysis.name)
    return {name: frame.height for name, frame in frames.items()}


def registry_frame(name: str, parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Parts as one table of the registry: its columns and types, absent columns null, rows in the order of its key."""
    schema = polars_schema(name)
    rows = pl.concat([pl.DataFrame(schema=schema), *parts], how="diagonal_relaxed")
    return rows.select(schema.names()).cast(schema).sort(table(name).primary_key)


def _checked(analysis: Analysis, name: str, frame: pl.DataFrame) -> pl.DataFrame:
    ordered = _held_inside(name, frame.select(polars_schema(name).names()))
    found = failures(name, ordered)
    if not found.is_empty():
        first = found.row(0, named=True)
        raise AnalysisError(
            f"Расчёт {analysis.name}: таблица {name}, столбец {first['column']}: {first['check_id']}, "
            f"{first['value']}; нарушений {found.height}. Смотрите schemas/analysis/{name}.yaml."
        )
    return ordered


def _held_inside(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Fractions that rounding alone has put beyond an end of their column, put back on it.

    The last bits of a sum are those of the machine: a mean of ones may be 1.0000000000000002 on one and 1 on another.
    """
    held = []
    for column in table(name).columns:
        value = pl.col(column.name)
        if column.type != "number":
            continue
        for end, is_beyond in ((column.at_least, value.lt), (column.at_most, value.gt)):
            if end is not None:
                is_rounding = (value - end).abs() <= _ROUNDING * max(1.0, abs(end))
                value = pl.when(is_beyond(end) & is_rounding).then(pl.lit(float(end))).otherwise(value)
        held.append(value.alias(column.name))
    return frame.with_columns(held)
