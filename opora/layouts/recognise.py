"""Finding the tables of a sheet: which layout, where its header stands, which column is which.

What belongs here: recognition by headers alone. What does not: the meaning of cells below the header.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from opora.layouts.model import Layout, normalise_header
from opora.reading import Sheet, clean

HEADER_WITHIN = 25
TITLE_ROWS = 12

Cells = Sequence[str | None]


@dataclass(frozen=True)
class Block:
    """One recognised table: rows `first_row…` of the sheet under the header at `header_row` (from 1)."""

    sheet: Sheet
    layout: Layout
    header_row: int
    first_row: int
    last_row: int
    headers: tuple[str, ...]
    fields: dict[str, str]
    tasks: tuple[tuple[str, str], ...] = ()
    pivots: tuple[tuple[str, dict[str, str]], ...] = ()
    title: tuple[str, ...] = ()
    unknown_headers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recognition:
    """What was found on a sheet: its tables, or why there is none."""

    blocks: tuple[Block, ...] = ()
    nearest: Layout | None = None
    missing: tuple[str, ...] = ()
    duplicate: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = field(default=())


def recognise(sheet: Sheet, layouts: Sequence[Layout]) -> Recognition:
    """The tables of one sheet. The layout with most required columns wins; a tie is ambiguous."""
    head = sheet.head(HEADER_WITHIN)
    headers_at = {
        depth: [_joined(head[row : row + depth]) for row in range(len(head) - depth + 1)] for depth in (1, 2)
    }
    found: list[tuple[int, Layout, int]] = []
    near: tuple[float, Layout, tuple[str, ...]] | None = None
    for layout in layouts:
        if layout.sheet and not re.search(layout.sheet, sheet.name):
            continue
        for row, headers in enumerate(headers_at[layout.header_rows]):
            missing = _missing(layout, headers)
            if not missing and not _forbidden(layout, headers):
                found.append((len(layout.required), layout, row))
                break
            share = 1 - len(missing) / len(layout.required)
            if share >= 0.5 and len(layout.required) > 2 and (near is None or share > near[0]):
                near = (share, layout, tuple(missing))
    if not found:
        return Recognition(nearest=near[1], missing=near[2]) if near else Recognition()
    best = max(count for count, _, _ in found)
    winners = [(layout, row) for count, layout, row in found if count == best]
    if len(winners) > 1:
        return Recognition(ambiguous=tuple(layout.id for layout, _ in winners))
    layout, row = winners[0]
    blocks = _blocks(sheet, layout, row)
    duplicate = {name for block in blocks for name in _twice(block)}
    if duplicate:
        return Recognition(nearest=layout, duplicate=tuple(sorted(duplicate)))
    return Recognition(blocks=tuple(blocks))


def _joined(rows: Sequence[Cells]) -> tuple[str, ...]:
    """Header texts by column; of two header rows the upper one spreads to the right: `upper | lower`."""
    if len(rows) == 1:
        return tuple(normalise_header(cell or "") for cell in rows[0])
    joined, upper = [], ""
    for top, below in zip(*rows, strict=True):
        upper = normalise_header(top) if top else upper
        lower = normalise_header(below or "")
        joined.append(f"{upper} | {lower}" if lower else normalise_header(top or ""))
    return tuple(joined)


def _missing(layout: Layout, headers: Sequence[str]) -> list[str]:
    present = dict.fromkeys(header for header in headers if header)
    missing = [
        " / ".join(layout.columns[name].header) or str(layout.columns[name].pattern)
        for name in layout.required
        if not any(layout.columns[name].matches(header) for header in present)
    ]
    if layout.tasks and not any(re.search(layout.tasks, header) for header in present):
        missing.append("баллы за задания")
    if layout.unpivot and not any(re.search(layout.unpivot.pattern, header) for header in present):
        missing.append("столбцы со значениями")
    return missing


def _forbidden(layout: Layout, headers: Sequence[str]) -> bool:
    return any(re.search(pattern, header) for pattern in layout.without for header in headers if header)


def _blocks(sheet: Sheet, layout: Layout, first_header: int) -> list[Block]:
    header_rows = [first_header]
    if layout.repeats:
        header_rows += _repeated_headers(sheet, layout, first_header)
    ends = [*header_rows[1:], sheet.grid.height]
    return [
        _block(sheet, layout, row, end, header_rows[i - 1] if i else -1)
        for i, (row, end) in enumerate(zip(header_rows, ends, strict=True))
    ]


def _repeated_headers(sheet: Sheet, layout: Layout, first: int) -> list[int]:
    """Rows further down that are headers of the same layout: their cells are found without a row loop."""
    anchor = {cell for cell in sheet.grid.slice(first, 1).row(0) if cell}
    same = pl.any_horizontal(pl.all().is_in([cell for cell in anchor if len(cell) > 3]))
    candidates = sheet.grid.with_row_index("row").filter(
        pl.col("row") > first, sheet.grid.select(same).to_series()
    )
    rows = []
    for row in candidates["row"].to_list():
        cells = sheet.grid.slice(row, layout.header_rows).select(clean(pl.all())).rows()
        if len(cells) == layout.header_rows and not _missing(layout, _joined(cells)):
            rows.append(int(row))
    return rows


def _block(sheet: Sheet, layout: Layout, row: int, end: int, previous: int) -> Block:
    start = row + layout.header_rows
    cells = sheet.grid.slice(row, layout.header_rows).select(clean(pl.all())).rows()
    headers = _joined(cells)
    names = sheet.grid.columns
    above = sheet.grid.slice(max(previous + 1, row - TITLE_ROWS), row - max(previous + 1, row - TITLE_ROWS))
    title = tuple(cell for line in above.select(clean(pl.all())).rows() for cell in line if cell)
    fields: dict[str, str] = {}
    taken: set[str] = set()
    for name, source in layout.columns.items():
        for header, column in zip(headers, names, strict=True):
            if header and source.matches(header):
                fields[name] = column
                taken.add(column)
                break
    tasks, pivots, unknown = [], [], []
    for header, column in zip(headers, names, strict=True):
        if not header or column in taken:
            continue
        task = re.search(layout.tasks, header) if layout.tasks else None
        pivot = re.search(layout.unpivot.pattern, header) if layout.unpivot else None
        if task:
            tasks.append((column, header))
        elif pivot:
            pivots.append(
                (column, {key: text for key, text in pivot.groupdict().items() if text is not None})
            )
        else:
            unknown.append(header)
    return Block(
        sheet=sheet,
        layout=layout,
        header_row=row + 1,
        first_row=start,
        last_row=end,
        headers=headers,
        fields=fields,
        tasks=tuple(tasks),
        pivots=tuple(pivots),
        title=title,
        unknown_headers=tuple(unknown),
    )


def _twice(block: Block) -> set[str]:
    """Headers of required columns that stand twice: nobody can tell which is meant."""
    wanted = [block.layout.columns[name] for name in block.layout.required]
    matched = [
        header for header in block.headers if header and any(source.matches(header) for source in wanted)
    ]
    return {header for header in matched if matched.count(header) > 1}
