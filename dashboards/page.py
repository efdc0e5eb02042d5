"""What a view is: a function from an open release and the parameters of an address to a layout.

What belongs here: the address (building it, reading it) and what every view is given. What does not: components and
single views.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from dashboards.data import ReleaseData
from dashboards.words import Names

Params = Mapping[str, str]


@dataclass(frozen=True)
class Page:
    """Everything a view may know: the release, what the address asks for, names of the reference files."""

    data: ReleaseData
    params: Params
    names: Names

    def asked(self, name: str) -> str:
        """The words of a free parameter; empty if the address has none."""
        return self.params.get(name, "").strip()

    def choice(self, name: str, allowed: Iterable[str], default: str = "") -> str:
        """A parameter that must be one of the allowed; anything else is the default."""
        value = self.asked(name)
        return value if value in set(allowed) else default


def params_of(search: str | None) -> dict[str, str]:
    """`?year=2023-2024&q=лицей` → a dictionary; the first value of a name counts."""
    found = parse_qs((search or "").removeprefix("?"), keep_blank_values=False)
    return {name: values[0] for name, values in found.items()}


def search_of(params: Mapping[str, str | None]) -> str:
    """The way back; what is empty is left out."""
    text = urlencode({name: value for name, value in params.items() if value})
    return f"?{text}" if text else ""


def address(path: str, /, **params: str | None) -> str:
    """The address of a view with its parameters."""
    return path + search_of(params)


def school_address(school_id: str, year: str | None = None) -> str:
    return address("/school", id=school_id, year=year)


def municipality_address(municipality_id: str | None, year: str | None = None) -> str:
    return address("/municipality", id=municipality_id, year=year)
