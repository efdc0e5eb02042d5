"""The fixed, reviewable lists of the documents: recommendations by finding, and what may not be concluded.

Belongs here: their shape, their check against the registry of marts, which of them apply to given rows.
Does not belong here: their words (`reference/documents/recommendations.yaml`) and where rows come from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

from pydantic import Field, model_validator

from opora.facts import Cited, Dated, Fact, read_file
from schemas.registry import table

Scope = Literal["school", "municipality", "region"]
Kind = Literal["school", "municipality", "region", "annex", "quarterly", "annual"]
Rows = Mapping[str, Sequence[Mapping[str, Any]]]


class Finding(Fact):
    """A row of a mart with these values; numbers may be bounded from below instead."""

    mart: str
    where: dict[str, tuple[bool | int | str, ...]] = Field(default_factory=dict)
    at_least: dict[str, int] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _in_registry(self) -> Finding:
        try:
            mart = table(self.mart)
        except KeyError as error:
            raise ValueError(f"there is no mart {self.mart}") from error
        for name in (*self.where, *self.at_least):
            if name not in mart.names:
                raise ValueError(f"mart {self.mart} has no column {name}")
        for name, values in self.where.items():
            column = mart.column(name)
            if column.vocabulary and (unknown := set(values) - set(column.vocabulary)):
                raise ValueError(f"{self.mart}.{name} is never {sorted(map(str, unknown))}")
            if (column.type == "boolean") != all(isinstance(value, bool) for value in values):
                raise ValueError(f"{self.mart}.{name} is of type {column.type}")
        for name in self.at_least:
            if mart.column(name).type not in ("integer", "number"):
                raise ValueError(f"{self.mart}.{name} is no number")
        if not self.where and not self.at_least:
            raise ValueError("a finding without a condition holds always")
        return self

    def holds(self, rows: Rows) -> bool:
        return any(
            all(row[name] in values for name, values in self.where.items())
            and all(row[name] is not None and row[name] >= least for name, least in self.at_least.items())
            for row in rows.get(self.mart, ())
        )


class Recommendation(Dated):
    recommendation_id: str
    scope: Scope
    finding: tuple[Finding, ...]
    text_ru: str
    who_ru: str


class Limit(Cited):
    limit_id: str
    kinds: tuple[Kind, ...]
    text_ru: str


class DocumentFacts(Fact):
    recommendations: tuple[Recommendation, ...]
    limits: tuple[Limit, ...]

    @model_validator(mode="after")
    def _unique(self) -> DocumentFacts:
        for ids in ([r.recommendation_id for r in self.recommendations], [x.limit_id for x in self.limits]):
            if len(ids) != len(set(ids)):
                raise ValueError(f"repeated ids in {ids}")
        return self

    def advice(self, scope: Scope, rows: Rows, academic_year: str) -> list[Recommendation]:
        """Recommendations whose every finding holds in the rows, in the order of the file."""
        return [
            item
            for item in self.recommendations
            if item.scope == scope and item.covers(academic_year) and all(f.holds(rows) for f in item.finding)
        ]

    def limits_of(self, kind: Kind) -> list[Limit]:
        return [limit for limit in self.limits if kind in limit.kinds]


@cache
def load_document_facts() -> DocumentFacts:
    return read_file("documents/recommendations.yaml", DocumentFacts)
