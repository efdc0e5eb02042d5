"""The exact binomial interval, for methods that want it instead of Wilson's.

What belongs here: the interval of every pair of counts that occurs. What does not: Wilson's interval and the flag
(dbt), and which of the two a method takes (`share_interval` in `reference/methods/`).
"""

from __future__ import annotations

import polars as pl

from opora.analysis.base import Analysis, Frames
from schemas.arrow import polars_schema


def exact_intervals(counts: pl.DataFrame, methods: pl.DataFrame) -> pl.DataFrame:
    """The interval of Clopper and Pearson for every pair of `counts` under the methods that want it.

    `counts`: method_id, participants, below_minimum, unknown_count; `methods`: method_id, is_official, share_interval,
    confidence. Counts with unknown results have no interval.
    """
    wanting = methods.filter("is_official", share_interval="exact").select("method_id", "confidence")
    pairs = (
        counts.filter(unknown_count=0)
        .join(wanting, on="method_id")
        .select("method_id", "participants", "below_minimum", "confidence")
        .unique()
    )
    found = [pl.DataFrame(schema=polars_schema("exact_interval"))]
    if pairs.is_empty():
        return found[0]
    from statsmodels.stats.proportion import proportion_confint

    for (confidence,), rows in pairs.group_by("confidence"):
        ends = proportion_confint(
            rows["below_minimum"].to_numpy(),
            rows["participants"].to_numpy(),
            alpha=1 - float(confidence),
            method="beta",
        )
        low, high = (pl.Series(end) for end in ends)
        found.append(rows.drop("confidence").with_columns(share_ci_low=low, share_ci_high=high))
    return pl.concat(found).sort("method_id", "participants", "below_minimum")


_COUNTED = ("intermediate.int_procedure_outcome", "intermediate.int_pooled_years")
_COLUMNS = ("method_id", "participants", "below_minimum", "unknown_count")


def _compute(frames: Frames) -> Frames:
    counts = pl.concat([frames[name] for name in _COUNTED])
    return {"exact_interval": exact_intervals(counts, frames["reference.method"])}


EXACT = Analysis(
    name="exact",
    title_ru="Точный интервал доли",
    reads=(*_COUNTED, "reference.method"),
    writes=("exact_interval",),
    compute=_compute,
    columns=dict.fromkeys(_COUNTED, _COLUMNS),
)
