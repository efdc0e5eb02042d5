"""The public profile under attack: an integer program over everything published must not narrow a hidden count.

The attacker here is stronger than a reader: from release to release he knows of every school whether it was corrected.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.optimize import Bounds, LinearConstraint, milp

from opora.public.facts import CodingBand, PublicFacts, load_public_facts
from opora.public.suppression import (
    ROOT,
    Before,
    Hidden,
    Tree,
    below_bounds,
    edge_bounds,
    edges,
    participants_bounds,
    suppress,
)

FACTS = load_public_facts()
MANY = 10_000  # for the solver; large enough not to bind


def tree(*regions: tuple[tuple[int, int], ...] | list[list[tuple[int, int]]]) -> Tree:
    """Regions of municipalities of schools (n, k)."""
    parent, counts = [], []
    for region in regions:
        root = len(parent)
        parent.append(ROOT)
        counts.append((0, 0))
        for town in region:
            place = len(parent)
            parent.append(root)
            counts.append((0, 0))
            for school in town:
                parent.append(place)
                counts.append(school)  # type: ignore[arg-type]
    n, k = (np.array([count[part] for count in counts], dtype=np.int64) for part in (0, 1))
    for place in reversed(range(len(parent))):
        if parent[place] != ROOT:
            n[parent[place]] += n[place]
            k[parent[place]] += k[place]
    return Tree(np.array(parent, dtype=np.int64), n, k)


@st.composite
def schools(draw: st.DrawFn, largest: int = 40) -> tuple[int, int]:
    n = draw(st.one_of(st.integers(1, 12), st.integers(1, largest)))
    return n, draw(st.one_of(st.just(0), st.just(n), st.integers(0, n)))


regions = st.lists(st.lists(schools(), min_size=1, max_size=4), min_size=1, max_size=3)


# --- the attack --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Published:
    """A release as the attacker has it."""

    tree: Tree
    hidden: Hidden


def attack(releases: list[Published]) -> dict[tuple[int, str, int], int]:
    """How many values each hidden count may have, by release, quantity and node: an integer program for each end.

    Two variables a node and release, n and k; sums, 0 ≤ k ≤ n, shown counts, shown edges; and the hidden counts of a
    school that was not corrected between releases are one and the same unknowns.
    """
    size = releases[0].tree.size
    width = 2 * size * len(releases)

    def column(release: int, quantity: str, node: int) -> int:
        return (release * 2 + (quantity == "k")) * size + node

    rows: list[np.ndarray] = []
    lower: list[float] = []
    upper: list[float] = []

    def hold(terms: dict[int, int], low: float, high: float) -> None:
        row = np.zeros(width)
        for place, factor in terms.items():
            row[place] += factor
        rows.append(row)
        lower.append(low)
        upper.append(high)

    least, most = np.zeros(width), np.full(width, float(MANY))
    for number, release in enumerate(releases):
        t, h = release.tree, release.hidden
        low_k, high_k = edge_bounds(t.participants, h.edge, FACTS)
        for node in range(size):
            n, k = column(number, "n", node), column(number, "k", node)
            hold({n: 1, k: -1}, 0, np.inf)
            least[n] = min(1, t.participants[node])
            if t.participants[node] == 0:
                most[n] = most[k] = 0
            if not h.participants[node]:
                least[n] = most[n] = t.participants[node]
                least[k], most[k] = low_k[node], high_k[node]
            if not h.below[node]:
                least[k] = most[k] = t.below[node]
            children = np.flatnonzero(t.parent == node)
            if children.size:
                for quantity in "nk":
                    parts = {column(number, quantity, int(child)): 1 for child in children}
                    hold(parts | {column(number, quantity, node): -1}, 0, 0)
        if number:
            former = releases[number - 1].tree
            school = ~np.isin(np.arange(size), t.parent)
            kept = school & (t.participants == former.participants) & (t.below == former.below)
            for node in np.flatnonzero(kept & (t.participants > 0)):
                for quantity in "nk":
                    same = {column(number, quantity, int(node)): 1, column(number - 1, quantity, int(node)): -1}
                    hold(same, 0, 0)
    constraint = LinearConstraint(np.array(rows), lower, upper)
    found = {}
    for number, release in enumerate(releases):
        for quantity, parts_of, hidden in (
            ("n", {"n": 1}, release.hidden.participants),
            ("k", {"k": 1}, release.hidden.below),
            ("passed", {"n": 1, "k": -1}, release.hidden.below),
        ):
            for node in np.flatnonzero(hidden & (release.tree.participants > 0)):
                ends = []
                for sign in (1, -1):
                    aim = np.zeros(width)
                    for part, factor in parts_of.items():
                        aim[column(number, part, int(node))] = sign * factor
                    solved = milp(aim, constraints=constraint, bounds=Bounds(least, most), integrality=np.ones(width))
                    assert solved.success, solved.message
                    ends.append(round(sign * solved.fun))
                found[number, quantity, int(node)] = ends[1] - ends[0] + 1
    return found


def promised(quantity: str) -> int:
    return (FACTS.protected_participants if quantity == "n" else FACTS.protected_below).value


def was_public(releases: list[Published], key: tuple[int, str, int]) -> bool:
    """A former release showed the count, and all its schools that were corrected since are shown in both."""
    number, quantity, node = key
    if not number:
        return False
    now, then = releases[number], releases[number - 1]
    hides, hid = ((r.hidden.participants if quantity == "n" else r.hidden.below) for r in (now, then))
    parts = [node]
    for part in parts:
        parts.extend(int(child) for child in np.flatnonzero(now.tree.parent == part))
    if len(parts) > 1:
        parts = [part for part in parts if not (now.tree.parent == part).any()]
    same = (now.tree.participants == then.tree.participants) & (now.tree.below == then.tree.below)
    return not hid[node] and all(same[part] or not (hides[part] or hid[part]) for part in parts)


def what_was(tree: Tree, hidden: Hidden) -> Before:
    """A release as the next one is compared with it."""
    absent = tree.participants == 0
    counts = (np.where(absent, -1, count) for count in (tree.participants, tree.below))
    return Before(*counts, hidden.participants, hidden.below, hidden.edge)


def assert_protected(releases: list[Published]) -> int:
    found = attack(releases)
    narrow = {key: count for key, count in found.items() if count < promised(key[1]) and not was_public(releases, key)}
    assert not narrow, narrow
    return len(found)


@settings(max_examples=40)
@given(regions)
def test_nothing_hidden_is_narrowed_by_one_release(towns: list[list[tuple[int, int]]]) -> None:
    t = tree(towns)
    assert_protected([Published(t, suppress(t, FACTS))])


@settings(max_examples=25)
@given(regions, st.data())
def test_nothing_hidden_is_narrowed_by_a_second_release(
    towns: list[list[tuple[int, int]]], data: st.DataObject
) -> None:
    """One or two schools are corrected, came late or went; the rest is the same."""
    corrected = [list(town) for town in towns]
    for _ in range(data.draw(st.integers(1, 2))):
        town = data.draw(st.integers(0, len(towns) - 1))
        place = data.draw(st.integers(0, len(towns[town]) - 1))
        what = data.draw(st.sampled_from(("corrected", "late", "gone")))
        if what == "late":
            towns[town][place] = (0, 0)
        corrected[town][place] = (0, 0) if what == "gone" else data.draw(schools())
    first, second = tree(towns), tree(corrected)
    shown = suppress(first, FACTS)
    after = suppress(second, FACTS, what_was(first, shown))
    assert_protected([Published(first, shown), Published(second, after)])


def test_the_attack_is_able_to_find_what_is_not_protected() -> None:
    """A small school hidden alone: its municipality gives it back."""
    t = tree([[(4, 1), (30, 9), (25, 8)], [(40, 12)]])
    small = t.participants < 10
    alone = Hidden(small, small, np.zeros(t.size, dtype=np.int64))
    assert attack([Published(t, alone)]) == {(0, "n", 2): 1, (0, "k", 2): 1, (0, "passed", 2): 1}


def test_that_all_of_the_small_schools_failed_does_not_follow() -> None:
    """Of 76 and 28, less 40 and 12, less 30 and 10, six and six would be left: all of both schools."""
    t = tree([[(3, 3), (3, 3), (40, 12), (30, 10)], [(50, 20)], [(60, 20)]])
    assert_protected([Published(t, suppress(t, FACTS))])


def test_the_attack_finds_a_late_school_between_two_releases() -> None:
    """Two hidden schools protect each other in each release; the difference of totals gives the late one away."""
    first, second = tree([[(0, 0), (4, 1), (6, 2), (40, 12)]]), tree([[(3, 1), (4, 1), (6, 2), (40, 12)]])
    careless = suppress(second, FACTS)
    found = attack([Published(first, suppress(first, FACTS)), Published(second, careless)])
    assert found[1, "n", 2] == 1
    shown = suppress(first, FACTS)
    careful = suppress(second, FACTS, what_was(first, shown))
    assert_protected([Published(first, shown), Published(second, careful)])


def test_a_total_whose_change_is_shown_hides_nothing() -> None:
    """A shown school is corrected beside hidden ones: the region would follow from its former count."""
    first, second = tree([[(1, 0)], [(1, 0), (5, 0), (11, 0)]]), tree([[(1, 0)], [(1, 0), (5, 0), (10, 0)]])
    shown = suppress(first, FACTS)
    after = suppress(second, FACTS, what_was(first, shown))
    assert not shown.participants[0]
    assert not after.participants[0]


# --- bounds ------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(regions, st.randoms(use_true_random=False))
def test_bounds_of_participants_are_those_of_the_integer_program(
    towns: list[list[tuple[int, int]]], random: Any
) -> None:
    t = tree(towns)
    hidden = np.array([random.random() < 0.5 for _ in range(t.size)])
    low, high = participants_bounds(t, ~hidden)
    found = attack([Published(t, Hidden(hidden, np.ones(t.size, dtype=bool), np.zeros(t.size, dtype=np.int64)))])
    for (_, quantity, node), count in found.items():
        if quantity == "n" and high[node] < MANY:
            assert count == high[node] - low[node] + 1


# --- the choice --------------------------------------------------------------------------------------


@given(regions)
def test_small_groups_are_hidden_whole_and_edges_show_no_count(towns: list[list[tuple[int, int]]]) -> None:
    t = tree(towns)
    hidden = suppress(t, FACTS)
    small = (t.participants > 0) & (t.participants < FACTS.minimum_participants.value)
    assert hidden.participants[small].all()
    assert hidden.below[hidden.participants].all()
    assert hidden.below[edges(t, FACTS) != 0].all()


@given(regions)
def test_what_was_hidden_stays_hidden(towns: list[list[tuple[int, int]]]) -> None:
    t = tree(towns)
    first = suppress(t, FACTS)
    second = suppress(t, FACTS, what_was(t, first))
    assert (second.participants == first.participants).all()
    assert (second.below == first.below).all()


def test_a_large_region_hides_little_more_than_small_groups() -> None:
    random = np.random.default_rng(1)
    sizes = random.integers(1, 60, size=(60, 10))
    t = tree([[(int(n), int(n) // 4) for n in town] for town in sizes])
    hidden = suppress(t, FACTS)
    small = (t.participants < FACTS.minimum_participants.value).sum()
    assert small <= hidden.participants.sum() <= 1.5 * small
    assert not hidden.participants[0]


def test_a_region_of_one_small_school_shows_nothing() -> None:
    t = tree([[(4, 1)]])
    hidden = suppress(t, FACTS)
    assert hidden.participants.all()
    assert hidden.below.all()


@pytest.mark.parametrize(
    ("n", "k", "edge"),
    [
        (10, 2, -1),
        (10, 3, 0),
        (10, 8, 1),
        (20, 2, -1),
        (20, 3, 0),
        (40, 2, -1),
        (40, 3, 0),
        (400, 20, -1),
        (400, 21, 0),
    ],
)
def test_edges_are_compared_in_integers(n: int, k: int, edge: int) -> None:
    t = tree([[(n, k)]])
    assert edges(t, FACTS)[2] == edge


def test_bounds_of_k_lie_in_what_the_edge_says() -> None:
    t = tree([[(40, 1), (40, 39), (50, 20), (50, 22)]])
    hidden = suppress(t, FACTS)
    low, high = below_bounds(t, hidden.participants, hidden.below, hidden.edge, FACTS)
    assert (low[2], high[2]) == (0, 2)
    assert (low[3], high[3]) == (38, 40)


def test_an_edge_that_leaves_two_counts_is_no_edge() -> None:
    wrong = FACTS.model_dump(mode="json")
    wrong["coding"]["value"] = [CodingBand(participants_from=10, edge_pct=10).model_dump()]
    with pytest.raises(ValidationError, match="three counts"):
        PublicFacts.model_validate_json(json.dumps(wrong))
