"""Facts about trust in results: markers of objectivity, agreement with the journal.

Belongs here: the shape of `reference/objectivity/*.yaml` and `reference/journal.yaml` and their tables for dbt. Does
not belong here: the figures themselves (SQL in dbt), published lists (deliveries), the flag (`reference/methods/`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import model_validator

from opora.facts import Cited, Dated, Fact, Setting

Rows = Iterator[tuple[Any, ...]]
Criterion = Literal["high_mean", "against_journal", "fall", "rise"]


class Marker(Fact):
    """One federal marker. `earlier_procedure_id` is the same children's work of the year before."""

    marker_id: str
    criterion: Criterion
    procedure_id: str
    earlier_procedure_id: str | None = None
    title_ru: str

    @model_validator(mode="after")
    def _compares_two_years_or_none(self) -> Marker:
        if (self.criterion in ("fall", "rise")) != (self.earlier_procedure_id is not None):
            raise ValueError(
                f"marker '{self.marker_id}': earlier_procedure_id belongs to fall and rise, and only to them"
            )
        return self


class MarkerSettings(Fact):
    interval_width: Setting[float]
    standard_deviation: Setting[Literal["sample", "population"]]
    mean_minimum_participants: Setting[int]
    correlation_minimum_participants: Setting[int]
    change_minimum_participants: Setting[int]
    iqr_factor: Setting[float]
    quantile: Setting[Literal["continuous", "discrete"]]
    minimum_schools: Setting[int]
    change_across_break: Setting[Literal["computed", "refused"]]
    index_schools: Setting[Literal["checked", "all"]]
    published_base: Setting[str]


class MarkerMethod(Dated):
    """The markers of one method and the numbers they are decided by."""

    method_id: str
    title_ru: str
    settings: MarkerSettings
    markers: tuple[Marker, ...]

    @model_validator(mode="after")
    def _markers_differ(self) -> MarkerMethod:
        repeated = [name for name, n in Counter(marker.marker_id for marker in self.markers).items() if n > 1]
        if repeated:
            raise ValueError(f"marker_id repeated: {', '.join(repeated)}")
        return self


class InformativenessBand(Fact):
    participants_from: int
    participants_to: int | None = None
    informativeness: Literal["too_few", "limited", "rough", "informative"]
    label_ru: str


class JournalFacts(Cited):
    """What counts as a large gap between the marks of a work and of the journal, and how much n says."""

    far_apart_marks: Setting[int]
    confidence: Setting[float]
    bands: Setting[tuple[InformativenessBand, ...]]


MARKER_METHOD_COLUMNS = (
    "academic_year method_id interval_width:float standard_deviation mean_minimum_participants:int"
    " correlation_minimum_participants:int change_minimum_participants:int iqr_factor:float quantile"
    " minimum_schools:int change_across_break index_schools published_base"
)


def marker_method_rows(methods: Sequence[MarkerMethod], years: Sequence[str]) -> Rows:
    """The method of each academic year with its settings."""
    for year in years:
        for method in methods:
            if method.covers(year):
                chosen = [getattr(method.settings, name).value for name in MarkerSettings.model_fields]
                yield year, method.method_id, *chosen


def marker_rows(methods: Sequence[MarkerMethod]) -> Rows:
    for method in methods:
        for order, m in enumerate(method.markers, start=1):
            yield method.method_id, m.marker_id, m.criterion, m.procedure_id, m.earlier_procedure_id, m.title_ru, order
