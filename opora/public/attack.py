"""What somebody who has nothing but the public files can work out of them.

What belongs here: the bounds that published totals and edges leave for every hidden count, from public files alone, and
what is narrower than promised. What does not: how cells were chosen (`suppression.py`), which this checks.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from opora.public.facts import PublicFacts
from opora.public.suppression import ROOT, UNLIMITED, Flags, Ints, Tree, bounds, edge_bounds

_COLUMNS = (
    "academic_year",
    "procedure_id",
    "region_code",
    "municipality_id",
    "school_id",
    "participants",
    "participants_symbol",
    "below_minimum",
    "below_symbol",
)


def public_cells(folder: Path) -> pl.DataFrame:
    """Regions, municipalities and schools of the public files, with the place of each one's parent in its tree."""
    places = pl.read_parquet(folder / "school.parquet").select("school_id", "region_code", "municipality_id")
    schools = pl.read_parquet(folder / "procedure_result.parquet").join(places, on="school_id")
    levels = [
        pl.read_parquet(folder / "region_summary.parquet").with_columns(level=pl.lit(0)),
        pl.read_parquet(folder / "municipality_summary.parquet").with_columns(level=pl.lit(1)),
        # a school that has no number and no hidden one adds nothing; one whose share is unknown is in no total
        schools.filter((pl.col("below_symbol").fill_null("") != "x") & (pl.col("below_symbol").fill_null("") != "z"))
        .with_columns(level=pl.lit(2), region_code=pl.col("region_code").fill_null(""))
        .with_columns(municipality_id=pl.col("municipality_id").fill_null("")),
    ]
    return pl.concat(levels, how="diagonal").select(*_COLUMNS, "level")


def tree_of(cells: pl.DataFrame) -> Tree:
    """One procedure of one year as a tree; hidden counts stand as -1."""
    keys = cells.select("region_code", "municipality_id", "level").rows()
    regions = {region: place for place, (region, _, level) in enumerate(keys) if level == 0}
    towns = {(region, town): place for place, (region, town, level) in enumerate(keys) if level == 1}
    parent = [
        ROOT if level == 0 else regions[region] if level == 1 else towns[region, town] for region, town, level in keys
    ]
    counts = (cells[name].fill_null(-1).to_numpy() for name in ("participants", "below_minimum"))
    participants, below = counts
    return Tree(np.asarray(parent, dtype=np.int64), participants, below)


def narrowed(folder: Path, facts: PublicFacts) -> list[str]:
    """Hidden counts that the public files narrow to fewer values than promised, in words; empty if none."""
    found: list[str] = []
    for cells in public_cells(folder).partition_by("academic_year", "procedure_id"):
        bounds_of = known(cells, facts)
        hides_n = cells["participants"].is_null().to_numpy()
        hides_k = cells["below_minimum"].is_null().to_numpy()
        for hidden, (low, high), protected, what in (
            (hides_n, bounds_of.participants, facts.protected_participants.value, "участников"),
            (hides_k, bounds_of.below, facts.protected_below.value, "ниже минимума"),
            (hides_k, bounds_of.passed, facts.protected_below.value, "не ниже минимума"),
        ):
            for place in np.flatnonzero(hidden & (high - low + 1 < protected)):
                row = cells.row(int(place), named=True)
                where = row["school_id"] or row["municipality_id"] or row["region_code"]
                found.append(
                    f"{row['academic_year']} {row['procedure_id']} {where}: {what} от {low[place]} до {high[place]}"
                )
    return found


@dataclass(frozen=True)
class Known:
    """The least and the largest that every cell may have: participants, those below the minimum, those not below it."""

    participants: tuple[Ints, Ints]
    below: tuple[Ints, Ints]
    passed: tuple[Ints, Ints]


def known(cells: pl.DataFrame, facts: PublicFacts) -> Known:
    """The bounds of every cell of one procedure of one year."""
    tree = tree_of(cells)
    shown_n, shown_k = tree.participants >= 0, tree.below >= 0
    one, many = np.ones(tree.size, dtype=np.int64), np.full(tree.size, UNLIMITED, dtype=np.int64)
    participants = bounds(tree, tree.participants, shown_n, one, many)
    edge = cells["below_symbol"].replace_strict({"low": -1, "high": 1}, default=0).cast(pl.Int64).to_numpy()

    def part(counts: Ints, shown: Flags, edge: Ints) -> tuple[Ints, Ints]:
        low, high = edge_bounds(np.where(shown_n, tree.participants, 0), edge, facts)
        return bounds(tree, counts, shown, np.where(shown_n, low, 0), np.where(shown_n, high, participants[1]))

    below = part(tree.below, shown_k, edge)
    return Known(participants, below, part(tree.participants - tree.below, shown_n & shown_k, -edge))


def shown_but_small(folder: Path, facts: PublicFacts) -> int:
    """How many cells show a number of participants that is too small to be shown."""
    small = (pl.col("participants") > 0) & (pl.col("participants") < facts.minimum_participants.value)
    return public_cells(folder).filter(small).height
