"""Settings of the public profile.

What belongs here: the model of `reference/release/public.yaml`. What does not: the choice of cells (`suppression.py`).
"""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from opora.facts import Cited, Fact, Setting, read_file

Symbol = Literal["c", "low", "high", "x", "z"]


class CodingBand(Fact):
    """From how many participants on which edge is not told apart, in percent."""

    participants_from: int
    edge_pct: int


class SymbolMeaning(Fact):
    symbol: Symbol
    label_ru: str


class PublicFacts(Cited):
    """How small a group is hidden, how wide the doubt about it must stay, how edges of shares are shown."""

    minimum_participants: Setting[int]
    protected_participants: Setting[int]
    protected_below: Setting[int]
    final_years_only: Setting[bool]
    coding: Setting[tuple[CodingBand, ...]]
    symbols: Setting[tuple[SymbolMeaning, ...]]

    @model_validator(mode="after")
    def _consistent(self) -> PublicFacts:
        bands = self.coding.value
        starts = [band.participants_from for band in bands]
        if not bands or starts != sorted(set(starts)) or starts[0] > self.minimum_participants.value:
            raise ValueError("coding must rise and start at minimum_participants or below")
        narrow = [b for b in bands if max(b.participants_from, self.minimum_participants.value) * b.edge_pct < 200]
        if narrow:
            raise ValueError(f"coding from {narrow[0].participants_from}: an edge must leave three counts possible")
        return self


def load_public_facts() -> PublicFacts:
    return read_file("release/public.yaml", PublicFacts)
