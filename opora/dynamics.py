"""Facts about dynamics: which years stand side by side, what a change must be to be named, who is stably low.

Belongs here: the shape of `reference/dynamics.yaml`. Does not belong here: changes themselves and the one definition of
improvement (SQL in dbt), breaks between years (`reference/breaks.yaml`).
"""

from __future__ import annotations

from opora.facts import AcademicYearId, Cited, Setting


class DynamicsFacts(Cited):
    years_in_span: Setting[int]
    certain_from_participants: Setting[int]
    confidence: Setting[float]
    sharp_worsening_points: Setting[int]
    sharp_worsening_from: Setting[AcademicYearId | None]
    stable_low_years: Setting[int]
    stable_low_window: Setting[int]
    stable_low_procedures: Setting[int]


DYNAMICS_COLUMNS = (
    "years_in_span:int certain_from_participants:int confidence:float sharp_worsening_points:int"
    " sharp_worsening_from stable_low_years:int stable_low_window:int stable_low_procedures:int"
)


def dynamics_row(facts: DynamicsFacts) -> tuple[object, ...]:
    return tuple(getattr(facts, name).value for name in DynamicsFacts.model_fields if name not in Cited.model_fields)
