"""The views with their addresses, and the files they give.

What belongs here: which view answers at which address. What does not: views themselves, one module each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dash.development.base_component import Component

from dashboards.files import Sheet
from dashboards.page import Page
from dashboards.views import (
    dictionary,
    methods,
    municipality,
    objectivity,
    overview,
    programme,
    quality,
    school,
    support_list,
)


@dataclass(frozen=True)
class View:
    """A view: its address, its name in the menu, what makes it."""

    path: str
    title: str
    layout: Callable[[Page], Component]


VIEWS = (
    View("/", "Обзор", overview.layout),
    View("/list", "Список поддержки", support_list.layout),
    View("/school", "Школа", school.layout),
    View("/municipality", "Муниципалитет", municipality.layout),
    View("/programme", "Программа", programme.layout),
    View("/methods", "Методика: что, если", methods.layout),
    View("/objectivity", "Объективность", objectivity.layout),
    View("/quality", "Качество данных", quality.layout),
    View("/dictionary", "Словарь и методика", dictionary.layout),
)
# Rows that can be taken away as CSV or XLSX; None where the profile has none.
FILES: Mapping[str, Callable[[Page], Sheet | None]] = {
    "list": support_list.sheet,
    "municipalities": overview.sheet,
    "indicators": programme.indicator_sheet,
    "measures": programme.measure_sheet,
    "methods": methods.sheet,
    "objectivity": objectivity.sheet,
    "issues": quality.issue_sheet,
    "deliveries": quality.delivery_sheet,
}


def view_of(path: str) -> View | None:
    """The view at an address; None if there is none."""
    wanted = path.rstrip("/") or "/"
    return next((view for view in VIEWS if view.path == wanted), None)
