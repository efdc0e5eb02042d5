"""Charts of documents by matplotlib: png for docx, svg for typst, the same bytes for the same content.

Belongs here: drawing. Does not belong here: which figures are drawn. Nothing is told by colour alone: flagged
values are filled diamonds, others hollow circles, what they are compared with are squares.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any, Literal

from opora import russian as fmt
from opora.documents.model import Chart, CountChart, IntervalChart

Format = Literal["png", "svg"]
WIDTH_INCHES = 6.5
_INK, _SOFT, _FLAG, _GRID = "#1f2933", "#5b6b7b", "#9a3412", "#d5dbe1"
_SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "svg.fonttype": "path",
    "svg.hashsalt": "opora",
    "text.color": _INK,
    "axes.edgecolor": _SOFT,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
}


def draw(chart: Chart, kind: Format) -> bytes:
    """A chart as an image; no date and no name of the software in it."""
    import matplotlib

    target = io.BytesIO()
    metadata = {"Software": None} if kind == "png" else {"Date": None, "Creator": None}
    with matplotlib.rc_context(_SETTINGS):
        _figure(chart).savefig(target, format=kind, dpi=160, metadata=metadata)
    return target.getvalue()


@lru_cache(maxsize=8)
def _figure(chart: Chart) -> Any:
    """A chart laid out once, to be saved in every format that is asked for."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_INCHES, _height(chart)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    if isinstance(chart, IntervalChart):
        _intervals(axes, chart)
    else:
        _counts(axes, chart)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return figure


def _height(chart: Chart) -> float:
    return 0.95 + 0.19 * len(chart.marks) if isinstance(chart, IntervalChart) else 2.7


def _intervals(axes: Any, chart: IntervalChart) -> None:
    places = range(len(chart.marks))
    for flagged in (False, True):
        spans = [
            (place, 100 * mark.low, 100 * mark.high)
            for place, mark in zip(places, chart.marks, strict=True)
            if mark.is_flagged is flagged and mark.low is not None and mark.high is not None
        ]
        if spans:
            axes.hlines(*zip(*spans, strict=True), color=_FLAG if flagged else _INK, linewidth=1.2, zorder=2)
    others = [(100 * m.other, place) for place, m in zip(places, chart.marks, strict=True) if m.other is not None]
    if others:
        axes.plot(
            *zip(*others, strict=True), "s", markersize=5, markerfacecolor="white", color=_SOFT, label=chart.other_ru
        )
    for flagged in (False, True):
        chosen = [(100 * m.value, p) for p, m in zip(places, chart.marks, strict=True) if m.is_flagged is flagged]
        if chosen:
            axes.plot(
                [x for x, _ in chosen],
                [y for _, y in chosen],
                linestyle="none",
                marker="D" if flagged else "o",
                markersize=5,
                markerfacecolor=_FLAG if flagged else "white",
                markeredgecolor=_FLAG if flagged else _INK,
                label=chart.flag_ru if flagged else chart.value_ru,
                zorder=4,
            )
    if chart.limit is not None:
        axes.axvline(100 * chart.limit, color=_SOFT, linestyle="--", linewidth=1, label=chart.limit_ru, zorder=1)
    axes.set_yticks(list(places), [mark.label for mark in chart.marks])
    axes.invert_yaxis()
    most = max([m.high or m.value for m in chart.marks] + [m.other or 0 for m in chart.marks] + [chart.limit or 0])
    axes.set_xlim(0, min(101, 10 * (int(10 * most) + 1)))
    axes.xaxis.set_major_locator(_integers())
    axes.xaxis.set_major_formatter(lambda value, _: fmt.number(value))
    axes.set_xlabel(chart.axis_ru)
    _calm(axes, "x")
    axes.figure.legend(loc="outside lower center", ncols=4, frameon=False)


def _counts(axes: Any, chart: CountChart) -> None:
    places = range(len(chart.labels))
    lower = [value or 0 for value in chart.lower]
    upper = [value or 0 for value in chart.upper]
    axes.bar(places, lower, width=0.55, color="#7b8fa3", edgecolor=_INK, linewidth=0.6, label=chart.lower_ru)
    axes.bar(
        places,
        upper,
        width=0.55,
        bottom=lower,
        color="white",
        edgecolor=_INK,
        linewidth=0.6,
        hatch="///",
        label=chart.upper_ru,
    )
    for place, low, up in zip(places, chart.lower, chart.upper, strict=True):
        said = "нет списка" if low is None or up is None else fmt.number(low + up)
        axes.annotate(
            said, (place, (low or 0) + (up or 0)), ha="center", va="bottom", xytext=(0, 2), textcoords="offset points"
        )
    axes.set_xticks(list(places), chart.labels)
    axes.set_ylabel(chart.axis_ru)
    axes.set_ylim(0, max([a + b for a, b in zip(lower, upper, strict=True)] + [1]) * 1.2)
    axes.yaxis.set_major_locator(_integers())
    axes.yaxis.set_major_formatter(lambda value, _: fmt.number(value))
    _calm(axes, "y")
    axes.figure.legend(loc="outside lower center", ncols=2, frameon=False)


def _integers() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(integer=True, nbins=7)


def _calm(axes: Any, grid: Literal["x", "y"]) -> None:
    axes.grid(axis=grid, color=_GRID, linewidth=0.6, zorder=0)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    for side in ("top", "right", "left" if grid == "x" else "bottom"):
        axes.spines[side].set_visible(False)
