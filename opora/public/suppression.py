"""Which cells of a table of territories are hidden: small ones, those that would give them back, and edges of shares.

What belongs here: the choice, as a pure function of counts, and the bounds that published totals leave for a hidden
count. What does not: columns of marts (`profile.py`).

A tree is a procedure of a year: a region is the sum of its municipalities, a municipality of its schools. Participants
n and those below the minimum k add up alike. Sources: Hundepool et al., Statistical Disclosure Control (2012), ch. 4
(primary and secondary suppression, protection intervals); NCES 2011-603 (group size, edges of shares).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opora.facts import Setting
from opora.public.facts import PublicFacts

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
ROOT = -1
# No school and no region has more participants in a procedure than this: what an attacker knows from outside.
UNLIMITED = 10**9


@dataclass(frozen=True)
class Tree:
    """Nodes in any order: the place of each node's parent (`ROOT` for regions), its n and k."""

    parent: Ints
    participants: Ints
    below: Ints

    @property
    def size(self) -> int:
        return len(self.parent)

    def levels(self) -> list[Ints]:
        """Places of nodes from the roots down, a level at a time."""
        found = [np.flatnonzero(self.parent == ROOT)]
        while len(found[-1]):
            found.append(np.flatnonzero(np.isin(self.parent, found[-1])))
        return found[:-1]


@dataclass(frozen=True)
class Before:
    """What a former release held and showed of the same nodes. A node that was not there has -1 in both counts."""

    participants: Ints
    below: Ints
    hides_participants: Flags
    hides_below: Flags
    edge: Ints


@dataclass(frozen=True)
class Hidden:
    """What is hidden of each node, and which edge its share shows: -1 lower, 1 upper, 0 none."""

    participants: Flags
    below: Flags
    edge: Ints


def edges(tree: Tree, facts: PublicFacts) -> Ints:
    """Nodes whose share lies at an edge, in integers: at most the edge, or at least a hundred less the edge."""
    edge_pct = edge_of(tree.participants, facts)
    lower = tree.below * 100 <= edge_pct * tree.participants
    upper = (tree.participants - tree.below) * 100 <= edge_pct * tree.participants
    large = tree.participants >= facts.minimum_participants.value
    return np.where(large & lower, -1, np.where(large & upper, 1, 0)).astype(np.int64)


def edge_of(participants: Ints, facts: PublicFacts) -> Ints:
    """The width of the edge in percent for each number of participants."""
    bands = facts.coding.value
    place = np.searchsorted([band.participants_from for band in bands], participants, side="right") - 1
    return np.asarray([band.edge_pct for band in bands], dtype=np.int64)[np.maximum(place, 0)]


def edge_bounds(participants: Ints, edge: Ints, facts: PublicFacts) -> tuple[Ints, Ints]:
    """The counts that a shown edge leaves possible for k; all of 0…n where there is no edge."""
    width = edge_of(participants, facts) * participants // 100
    low = np.where(edge > 0, participants - width, 0)
    high = np.where(edge < 0, width, participants)
    return low.astype(np.int64), high.astype(np.int64)


def bounds(
    tree: Tree, values: Ints, shown: Flags, low: Ints, high: Ints, shared: tuple[Flags, Ints] | None = None
) -> tuple[Ints, Ints]:
    """The least and the largest count that each node may have for one who knows the shown ones.

    `low` and `high` are what is known of a hidden node without any sum. Sums of whole numbers between bounds take every
    value between the sums of the bounds, so one way up the tree and one way down give the bounds.

    `shared` says which nodes have, with their siblings of the same kind, no more than a total of their parent: those
    below the minimum of schools whose participants are hidden are together at most the participants left for them.
    """
    joint, room = shared or (np.zeros(tree.size, dtype=np.bool_), np.zeros(tree.size, dtype=np.int64))
    least, most = np.where(shown, values, low), np.where(shown, values, high)
    levels = tree.levels()
    for level in reversed(levels[1:]):
        below = _sums(tree, level, least)
        alone, together = _sums(tree, level[~joint[level]], most), _sums(tree, level[joint[level]], most)
        inner = np.unique(tree.parent[level])
        least[inner] = np.maximum(least[inner], below[inner])
        most[inner] = np.minimum(most[inner], (alone + np.where(together > 0, np.minimum(together, room), 0))[inner])
    for level in levels[1:]:
        parent = tree.parent[level]
        below = _sums(tree, level, least)
        alone, together = _sums(tree, level[~joint[level]], most), _sums(tree, level[joint[level]], most)
        own_alone = np.where(joint[level], 0, most[level])
        own_joint = np.where(joint[level], most[level], 0)
        # whoever is one of the joint ones has at least one of what they share
        left = np.minimum(together[parent] - own_joint, room[parent] - (own_joint > 0))
        lower = least[parent] - (alone[parent] - own_alone) - np.where(together[parent] > own_joint, left, 0)
        upper = most[parent] - (below[parent] - least[level])
        least[level], most[level] = np.maximum(least[level], lower), np.minimum(most[level], upper)
    return least, most


def _sums(tree: Tree, level: Ints, values: Ints) -> Ints:
    found = np.zeros(tree.size, dtype=np.int64)
    np.add.at(found, tree.parent[level], values[level])
    return found


def suppress(tree: Tree, facts: PublicFacts, before: Before | None = None) -> Hidden:
    """What to hide of each node so that every hidden count keeps its protected range.

    Those who passed are protected like those who did not: that all of a small school failed tells of each of them.

    What a former release hid stays hidden. Where the results of a hidden school differ from the former release, the
    totals above it are hidden too: the difference of two totals would tell it. A count that the former release showed
    and that follows from it still is no secret, and hides nothing else.
    """
    edge = edges(tree, facts)
    small = (tree.participants > 0) & (tree.participants < facts.minimum_participants.value)
    hide_n, hide_k = small.copy(), small | (edge != 0)
    passed = Tree(tree.parent, tree.participants, tree.participants - tree.below)
    shown_n = shown_k = changed_n = changed_k = np.zeros(tree.size, dtype=np.bool_)
    if before is not None:
        hide_n, hide_k = hide_n | before.hides_participants, hide_k | before.hides_below
        shown_n, shown_k = ~before.hides_participants, ~before.hides_below
        changed_n, changed_k = _changed(tree, before)
        edge = _edges_after(tree, edge, before)
    while True:
        hide_n = hide_n | _above(tree, hide_n & changed_n)
        hide_k = hide_k | hide_n
        hide_k = hide_k | _above(tree, hide_k & changed_k)
        told_n = hide_n & shown_n & ~_with_above(tree, hide_n & changed_n)
        told_k = hide_k & shown_k & ~_with_above(tree, hide_k & changed_k)
        secret_n, secret_k = hide_n & ~told_n, hide_k & ~told_k
        weak_n = _weak(tree, secret_n, *participants_bounds(tree, ~secret_n), facts.protected_participants)
        bounds_k = below_bounds(tree, secret_n, secret_k, edge, facts)
        bounds_p = below_bounds(passed, secret_n, secret_k, -edge, facts)
        weak_k = _weak(tree, secret_k, *bounds_k, facts.protected_below)
        weak_k |= _weak(tree, secret_k, *bounds_p, facts.protected_below)
        more_n, more_k = _next_to_hide(tree, weak_n, hide_n), _next_to_hide(tree, weak_k, hide_k)
        if not more_n.any() and not more_k.any():
            return Hidden(hide_n, hide_k, np.where(hide_n, 0, edge))
        hide_n, hide_k = hide_n | more_n, hide_k | more_k


def _changed(tree: Tree, before: Before) -> tuple[Flags, Flags]:
    """Schools whose participants, and whose results at all, differ from the former release.

    A reader may know which schools were corrected; so k of a corrected school counts as changed even if it did not.
    """
    school = ~np.isin(np.arange(tree.size), tree.parent)
    changed_n = school & (tree.participants != before.participants)
    return changed_n, changed_n | (school & (tree.below != before.below))


def _with_above(tree: Tree, nodes: Flags) -> Flags:
    """Nodes and all totals that they are a part of."""
    return nodes | _above(tree, nodes)


def _edges_after(tree: Tree, edge: Ints, before: Before) -> Ints:
    """Edges that say no more together with those of the former release.

    What did not change shows the edge it showed. A hidden total that changed shows none: the change may follow from
    shown parts, and two edges of one unknown leave less than each of them.
    """
    same = (tree.participants == before.participants) & (tree.below == before.below)
    total = np.isin(np.arange(tree.size), tree.parent)
    return np.where(before.hides_below & same, before.edge, np.where(before.hides_below & total, 0, edge))


def participants_bounds(tree: Tree, shown: Flags) -> tuple[Ints, Ints]:
    """Bounds of n: a node that took part has at least one participant."""
    least = (tree.participants > 0).astype(np.int64)
    most = np.where(tree.participants > 0, UNLIMITED, 0)
    return bounds(tree, tree.participants, shown, least, most)


def below_bounds(tree: Tree, hide_n: Flags, hide_k: Flags, edge: Ints, facts: PublicFacts) -> tuple[Ints, Ints]:
    """Bounds of k: within 0…n, within a shown edge, and as the totals leave it."""
    _, most_n = participants_bounds(tree, ~hide_n)
    low, high = edge_bounds(tree.participants, np.where(hide_n, 0, edge), facts)
    told = np.zeros(tree.size, dtype=np.int64)
    parts = np.flatnonzero(~hide_n & (tree.parent != ROOT))
    np.add.at(told, tree.parent[parts], tree.participants[parts])
    joint = hide_n & (tree.participants > 0)
    return bounds(
        tree,
        tree.below,
        ~hide_k,
        np.where(hide_n, 0, low),
        np.where(hide_n, most_n, high),
        (joint, most_n - told),
    )


def _weak(tree: Tree, hidden: Flags, least: Ints, most: Ints, protected: Setting[int]) -> Flags:
    """Hidden nodes with participants that leave fewer possible counts than protected."""
    return hidden & (tree.participants > 0) & (most - least + 1 < protected.value)


def _above(tree: Tree, nodes: Flags) -> Flags:
    """All ancestors of nodes."""
    found = np.zeros(tree.size, dtype=np.bool_)
    parents = tree.parent[nodes]
    while (parents := parents[parents != ROOT]).size:
        found[parents] = True
        parents = tree.parent[parents]
    return found


def _next_to_hide(tree: Tree, weak: Flags, hidden: Flags) -> Flags:
    """What to hide next for every weak node.

    A total whose parts are all shown is told by them: its smallest part. Else the smallest shown sibling; where there
    is none, the parent, or what is next to hide for a hidden parent.
    """
    more = np.zeros(tree.size, dtype=np.bool_)
    with_hidden_parts = np.unique(tree.parent[hidden & (tree.parent != ROOT)])
    told_by_parts = np.intersect1d(np.flatnonzero(weak), tree.parent[tree.parent != ROOT])
    told_by_parts = np.setdiff1d(told_by_parts, with_hidden_parts)
    for total in told_by_parts:
        _mark_smallest(tree, (tree.parent == total) & ~hidden, more)
    told_by_totals = weak.copy()
    told_by_totals[told_by_parts] = False
    families = np.setdiff1d(tree.parent[told_by_totals], [ROOT])
    while families.size:
        higher: list[int] = []
        for family in families:
            if _mark_smallest(tree, (tree.parent == family) & ~hidden, more):
                continue
            if not hidden[family]:
                more[family] = True
            elif tree.parent[family] != ROOT:
                higher.append(int(tree.parent[family]))
        families = np.unique(np.asarray(higher, dtype=np.int64))
    return more


def _mark_smallest(tree: Tree, among: Flags, more: Flags) -> bool:
    """Mark the node with the fewest participants, if there is one with any."""
    found = np.flatnonzero(among & (tree.participants > 0))
    if found.size:
        more[found[np.argmin(tree.participants[found])]] = True
    return bool(found.size)
