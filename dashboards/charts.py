"""Figures as plain dictionaries for Plotly: what is drawn, without titles and tables (`components.chart` adds them).

What belongs here: turning rows into traces, colours, axes with Russian numbers. What does not: queries and sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from opora import russian as fmt
from opora.sql import Row

Figure = dict[str, Any]

INK, MUTED, GRID = "#1d2733", "#5b6775", "#e3e7ec"
BLUE, PALE_BLUE, AMBER, RED, GREEN = "#1f5a8c", "#9dbfdb", "#b25e09", "#a8322a", "#2c6e49"
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif"


def _layout(**more: Any) -> dict[str, Any]:
    return {
        "font": {"family": _FONT, "size": 13, "color": INK},
        "separators": f",{fmt.NBSP}",
        "margin": {"l": 56, "r": 16, "t": 12, "b": 40},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hoverlabel": {"bgcolor": "#ffffff", "bordercolor": MUTED, "font": {"color": INK, "size": 13}},
        "legend": {"orientation": "h", "y": 1.12, "x": 0, "font": {"size": 13}, "traceorder": "normal"},
        "dragmode": False,
        "hovermode": "closest",
    } | more


def _axis(**more: Any) -> dict[str, Any]:
    return {
        "gridcolor": GRID,
        "zeroline": False,
        "linecolor": MUTED,
        "fixedrange": True,
        "ticks": "outside",
        "tickcolor": GRID,
        "automargin": True,
    } | more


def list_by_year(rows: Sequence[Row]) -> Figure:
    """Bars of new and continuing schools, points of schools at risk; a row a year."""
    years = [fmt.year(row["academic_year"]) for row in rows]

    def bars(name: str, words: str, colour: str, pattern: str) -> Figure:
        values = [row[name] for row in rows]
        return {
            "type": "bar",
            "x": years,
            "y": values,
            "name": words,
            "marker": {
                "color": colour,
                "pattern": {"shape": pattern, "bgcolor": colour, "fgcolor": BLUE, "size": 7, "solidity": 0.2},
            },
            "hovertemplate": f"%{{x}}: {words.lower()} — %{{y}}<extra></extra>",
        }

    at_risk = {
        "type": "scatter",
        "mode": "markers",
        "x": years,
        "y": [row["at_risk_count"] for row in rows],
        "name": "В зоне риска",
        "marker": {"symbol": "triangle-up", "size": 12, "color": AMBER, "line": {"color": "#ffffff", "width": 1}},
        "hovertemplate": "%{x}: в зоне риска — %{y}<extra></extra>",
    }
    left = {
        "type": "scatter",
        "mode": "markers",
        "x": years,
        "y": [row["left_count"] for row in rows],
        "name": "Вышли из списка",
        "marker": {"symbol": "circle", "size": 10, "color": "#ffffff", "line": {"color": GREEN, "width": 2.5}},
        "hovertemplate": "%{x}: вышли из списка — %{y}<extra></extra>",
    }
    return {
        "data": [
            bars("continuing_count", "Остались в списке", BLUE, ""),
            bars("new_count", "Новые в списке", PALE_BLUE, "/"),
            at_risk,
            left,
        ],
        "layout": _layout(
            barmode="stack",
            bargap=0.5,
            xaxis=_axis(type="category", showgrid=False),
            yaxis=_axis(title={"text": "школ"}, rangemode="tozero", tickformat=",d"),
        ),
    }


def trends(panels: Sequence[tuple[str, Sequence[Row]]], breaks: Iterable[tuple[str, str, str]] | None) -> Figure:
    """Small panels, one a procedure: share by year with its interval; a line joins comparable years only.

    `breaks` holds (procedure_id, earlier_year, academic_year) of years that may not be compared; None draws no lines.
    """
    broken = None if breaks is None else set(breaks)
    columns = 4
    rows_of_panels = -(-len(panels) // columns)
    years = sorted({row["academic_year"] for _, rows in panels for row in rows})
    traces: list[Figure] = []
    layout: dict[str, Any] = _layout(
        showlegend=False, annotations=[], shapes=[], margin={"l": 48, "r": 8, "t": 28, "b": 36}
    )
    highest = max((row["share_ci_high"] or 0 for _, rows in panels for row in rows), default=0.5)
    top = min(1.0, highest * 1.1)
    for place, (title, rows) in enumerate(panels):
        across, down = place % columns, place // columns
        suffix = "" if place == 0 else str(place + 1)
        width, height = 1 / columns, 1 / rows_of_panels
        x = [across * width + (0.03 if across else 0), (across + 1) * width - 0.01]
        y = [1 - (down + 1) * height + (0.16 if rows_of_panels > 1 else 0.0), 1 - down * height - 0.05]
        layout[f"xaxis{suffix}"] = _axis(
            domain=x,
            anchor=f"y{suffix}",
            type="category",
            categoryorder="array",
            categoryarray=[fmt.year(year) for year in years],
            range=[-0.4, len(years) - 0.6],
            tickangle=-45,
            tickfont={"size": 11},
            showgrid=False,
        )
        layout[f"yaxis{suffix}"] = _axis(
            domain=y,
            anchor=f"x{suffix}",
            range=[0, top],
            tickvals=(ticks := _share_ticks(top)),
            ticktext=[fmt.share(tick, 0) for tick in ticks],
            showticklabels=across == 0,
            tickfont={"size": 11},
        )
        layout["annotations"].append(
            {
                "text": title,
                "x": x[0],
                "y": y[1],
                "xref": "paper",
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": 13, "color": INK},
            }
        )
        traces += _runs(rows, broken, suffix)
    return {"data": traces, "layout": layout}


def _runs(rows: Sequence[Row], broken: set[tuple[str, str, str]] | None, suffix: str) -> list[Figure]:
    """The points of a panel, and a line for every run of comparable neighbours."""
    shown = [row for row in rows if row["below_share"] is not None]
    points = {
        "type": "scatter",
        "mode": "markers",
        "x": [fmt.year(row["academic_year"]) for row in shown],
        "y": [row["below_share"] for row in shown],
        "error_y": _error(shown),
        "marker": {"color": BLUE, "size": 7},
        "customdata": [[fmt.share(row["below_share"]), _ends(row), fmt.number(row["participants"])] for row in shown],
        "hovertemplate": "%{x}: %{customdata[0]}<br>интервал %{customdata[1]}<br>n = %{customdata[2]}<extra></extra>",
        "xaxis": f"x{suffix}",
        "yaxis": f"y{suffix}",
    }
    lines = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [fmt.year(earlier["academic_year"]), fmt.year(later["academic_year"])],
            "y": [earlier["below_share"], later["below_share"]],
            "line": {"color": BLUE, "width": 2},
            "hoverinfo": "skip",
            "xaxis": f"x{suffix}",
            "yaxis": f"y{suffix}",
        }
        for earlier, later in pairwise(shown)
        if broken is not None
        and (later["procedure_id"], earlier["academic_year"], later["academic_year"]) not in broken
    ]
    return [points, *lines]


def _share_ticks(top: float) -> list[float]:
    """Round shares from 0 to `top`, six at most."""
    step = next(step for step in (1, 2, 5, 10, 20) if 100 * top <= 5 * step)
    return [percent / 100 for percent in range(0, int(100 * top) + 1, step)]


def _error(rows: Sequence[Row]) -> dict[str, Any]:
    def reach(row: Row, end: str) -> float:
        return 0.0 if row[end] is None else abs(row[end] - row["below_share"])

    return {
        "type": "data",
        "symmetric": False,
        "array": [reach(row, "share_ci_high") for row in rows],
        "arrayminus": [reach(row, "share_ci_low") for row in rows],
        "color": MUTED,
        "thickness": 1.2,
        "width": 3,
    }


def _ends(row: Row) -> str:
    return fmt.interval(row["share_ci_low"], row["share_ci_high"])


def targets(rows: Sequence[Row], unit: str) -> Figure:
    """One indicator by period: what was measured and what was planned."""
    periods = [row["period"] for row in rows]
    suffix = " %" if unit == "pct" else ""
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": "План",
                "x": periods,
                "y": [row["target"] for row in rows],
                "customdata": [fmt.amount(row["target"], unit) for row in rows],
                "line": {"color": MUTED, "dash": "dot", "width": 2},
                "marker": {"symbol": "square-open", "size": 9},
                "hovertemplate": "%{x}: план %{customdata}<extra></extra>",
            },
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": "Измерено",
                "x": periods,
                "y": [row["value"] for row in rows],
                "customdata": [fmt.amount(row["value"], unit) for row in rows],
                "line": {"color": BLUE, "width": 2},
                "marker": {"symbol": "circle", "size": 9},
                "hovertemplate": "%{x}: измерено %{customdata}<extra></extra>",
            },
        ],
        "layout": _layout(
            xaxis=_axis(type="category", showgrid=False), yaxis=_axis(rangemode="tozero", ticksuffix=suffix)
        ),
    }


def plan_of_measures(rows: Sequence[Row], tones: Mapping[str, tuple[str, str, str]], as_of: str | None) -> Figure:
    """A bar from the beginning to the end of each measure; the day of the report is a line."""
    colours = {"good": GREEN, "alert": RED, "warn": AMBER, "calm": BLUE, "mute": "#b6bec8"}
    labels = [row["label"] for row in rows]
    traces = []
    for status, (sign, tone, words) in tones.items():
        mine = [row for row in rows if row["status"] == status]
        if not mine:
            continue
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": f"{sign} {words}",
                "y": [row["label"] for row in mine],
                "base": [row["due_from"].isoformat() for row in mine],
                "x": [(row["due_on"] - row["due_from"]).days * 86_400_000 for row in mine],
                "marker": {"color": colours[tone]},
                "text": [sign] * len(mine),
                "textposition": "inside",
                "insidetextanchor": "start",
                "textangle": 0,
                "textfont": {"color": INK if tone == "mute" else "#ffffff", "size": 12},
                "customdata": [[row["title"], fmt.day(row["due_from"]), fmt.day(row["due_on"])] for row in mine],
                "hovertemplate": f"%{{customdata[0]}}<br>%{{customdata[1]}}–%{{customdata[2]}}: {words}<extra></extra>",
            }
        )
    shapes = []
    if as_of:
        shapes = [
            {
                "type": "line",
                "x0": as_of,
                "x1": as_of,
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "line": {"color": INK, "width": 1.5, "dash": "dot"},
            }
        ]
    return {
        "data": traces,
        "layout": _layout(
            barmode="overlay",
            showlegend=True,
            bargap=0.35,
            shapes=shapes,
            xaxis=_axis(type="date", tickformat="%m.%Y"),
            yaxis=_axis(type="category", categoryorder="array", categoryarray=list(reversed(labels)), showgrid=False),
            margin={"l": 60, "r": 16, "t": 32, "b": 36},
        ),
    }
