"""Resampling of schools: how far an answer depends on which schools happened to be in the region.

What belongs here: drawing schools with replacement, and bands of an index under such draws. What does not: what is
computed from a draw (the modules that use it).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def draws(schools: int, resamples: int, seed: int) -> Counts:
    """How often each school was drawn: resamples × schools, every row adding up to the number of schools."""
    random = np.random.default_rng(seed)
    return random.multinomial(schools, np.full(schools, 1 / schools), size=resamples).astype(np.int64)


def parts(rank: Floats, schools: int, bands: int) -> Counts:
    """The part, from 1 to `bands`, of every rank when schools are cut into equal parts; 0 for an unknown rank."""
    numbers = np.ceil(np.nan_to_num(rank) * bands / max(schools, 1))
    return np.asarray(np.where(np.isnan(rank), 0, np.clip(numbers, 1, bands)), dtype=np.int64)


def drawn_parts(values: Floats, drawn: Counts, bands: int) -> Counts:
    """`parts` of known values by the ranks that they have among the schools of each draw: resamples × schools.

    `values`: one a school, or resamples × schools.
    """
    every = np.broadcast_to(values, drawn.shape)
    order = np.argsort(every, axis=1, kind="stable")
    sorted_values = np.take_along_axis(every, order, axis=1)
    schools = int(drawn[0].sum())
    below = np.cumsum(np.take_along_axis(drawn, order, axis=1), axis=1)
    # equal values share the highest rank: that of the last of them
    is_last = np.ones_like(below, dtype=bool)
    is_last[:, :-1] = sorted_values[:, 1:] != sorted_values[:, :-1]
    highest = np.minimum.accumulate(np.where(is_last, below, schools)[:, ::-1], axis=1)[:, ::-1]
    rank = np.empty(drawn.shape)
    np.put_along_axis(rank, order, highest.astype(float), axis=1)
    return parts(rank, schools, bands)
