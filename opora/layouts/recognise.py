"""Finding the tables of a sheet: which layout, where its header stands, which column is which.

What belongs here: recognition by headers alone. What does not: the meaning of cells below the header.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

from opora.layouts.model import AUXILIARY, Layout, normalise_header
from opora.limits import refuse_beyond
from opora.reading import Sheet, header_cells

HEADER_WITHIN = 25
_ONE_HEADER = "Оставьте одну шапку над данными или разделите выгрузку."
TITLE_ROWS = 12
DEEPEST_HEADER = 3


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

    @property
    def rows(self) -> pl.DataFrame:
        """The cells below the header."""
        return self.sheet.grid.slice(self.first_row, self.last_row - self.first_row)

    def header_of(self, field: str) -> str:
        """The normalised header of the column that a field comes from."""
        return self.headers[self.sheet.grid.columns.index(self.fields[field])]


@dataclass(frozen=True)
class Recognition:
    """What was found on a sheet: its tables, or why there is none."""

    blocks: tuple[Block, ...] = ()
    nearest: Layout | None = None
    missing: tuple[str, ...] = ()
    duplicate: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Place:
    """Where a layout's header was found: the first of `depth` rows of the sheet, counted from 0."""

    layout: Layout
    row: int
    depth: int


def recognise(sheet: Sheet, layouts: Sequence[Layout]) -> Recognition:
    """The tables of one sheet. The layout with most required columns wins; a tie is ambiguous."""
    head = [[normalise_header(cell or "") for cell in row] for row in sheet.head(HEADER_WITHIN)]
    headers_at = {
        depth: [frozenset(_joined(head[row : row + depth])) - {""} for row in range(len(head) - depth + 1)]
        for depth in range(1, DEEPEST_HEADER + 1)
    }
    anywhere = frozenset[str]().union(*(row for rows in headers_at.values() for row in rows))
    found: list[_Place] = []
    near: tuple[float, Layout, tuple[str, ...]] | None = None
    for layout in layouts:
        if layout.sheet and not re.search(layout.sheet, sheet.name):
            continue
        if _is_far(layout, anywhere):
            continue
        for depth, row in _candidates(layout, len(head)):
            missing = _missing(layout, headers_at[depth][row])
            if not missing and not _forbidden(layout, headers_at[depth][row]):
                found.append(_Place(layout, row, depth))
                break
            share = 1 - len(missing) / len(layout.required)
            if missing and share >= 0.5 and len(layout.required) > 2 and (near is None or share > near[0]):
                near = (share, layout, tuple(missing))
    if not found:
        return Recognition(nearest=near[1], missing=near[2]) if near else Recognition()
    best = max(len(place.layout.required) for place in found)
    winners = [place for place in found if len(place.layout.required) == best]
    if len(winners) > 1:
        return Recognition(ambiguous=tuple(place.layout.id for place in winners))
    blocks = _blocks(sheet, winners[0])
    duplicate = {name for block in blocks for name in _twice(block)}
    if duplicate:
        return Recognition(nearest=winners[0].layout, duplicate=tuple(sorted(duplicate)))
    return Recognition(blocks=tuple(blocks))


def _candidates(layout: Layout, rows: int) -> Iterator[tuple[int, int]]:
    """Depths and rows where the header may stand. A sibling may have one more row above two header rows."""
    deepest = layout.header_rows if layout.header_rows == 1 else DEEPEST_HEADER
    for depth in range(layout.header_rows, deepest + 1):
        for row in range(rows - depth + 1):
            yield depth, row


def _joined(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Header texts by column, of normalised cells.

    Of several header rows each but the last spreads to the right, as merged cells do: `upper | lower`. A
    column without a cell in the last row is named by its own lowest cell.
    """
    *uppers, last = rows
    joined = []
    spread = ""
    for column, lower in enumerate(last):
        own = [row[column] for row in uppers if row[column]]
        spread = own[-1] if own else spread
        joined.append(f"{spread} | {lower}" if spread and lower else lower or (own[-1] if own else ""))
    return tuple(joined)


def _is_far(layout: Layout, headers: Collection[str]) -> bool:
    """Whether more than half of the required columns are missing; those that are quickly looked for come first."""
    missing = 0
    for source in sorted((layout.columns[name] for name in layout.required), key=lambda source: bool(source.pattern)):
        missing += not source.is_among(headers)
        if missing * 2 > len(layout.required):
            return True
    return False


def _missing(layout: Layout, headers: Collection[str]) -> list[str]:
    missing = [
        " / ".join(source.header) or str(source.pattern)
        for source in (layout.columns[name] for name in layout.required)
        if not source.is_among(headers)
    ]
    if len(missing) * 2 > len(layout.required):
        return missing
    if layout.tasks and not any(re.search(layout.tasks, header) for header in headers):
        missing.append("баллы за задания")
    if layout.unpivot and not any(re.search(layout.unpivot.pattern, header) for header in headers):
        missing.append("столбцы со значениями")
    return missing


def _forbidden(layout: Layout, headers: Collection[str]) -> bool:
    return any(re.search(pattern, header) for pattern in layout.without for header in headers)


def _blocks(sheet: Sheet, first: _Place) -> list[Block]:
    header_rows = [first.row]
    if first.layout.repeats:
        header_rows += _repeated_headers(sheet, first)
    ends = [*header_rows[1:], sheet.grid.height]
    return [
        _block(sheet, replace(first, row=row), end, header_rows[i - 1] if i else -1)
        for i, (row, end) in enumerate(zip(header_rows, ends, strict=True))
    ]


def _repeated_headers(sheet: Sheet, first: _Place) -> list[int]:
    """Rows further down that are headers of the same layout: their cells are found without a row loop."""
    anchor = [cell for cell in sheet.grid.row(first.row) if cell and len(cell) > 3]
    same = sheet.grid.select(pl.any_horizontal(pl.all().is_in(anchor))).to_series()
    rows = same.slice(first.row + 1).arg_true() + first.row + 1
    refuse_beyond("tables_of_sheet", len(rows), f"Строк, похожих на шапку, на листе «{sheet.shown}»", _ONE_HEADER)
    return [row for row in rows if not _missing(first.layout, _headers(sheet, replace(first, row=row)))]


def _headers(sheet: Sheet, place: _Place) -> tuple[str, ...]:
    cells = header_cells(sheet.grid.slice(place.row, place.depth))
    return _joined([[normalise_header(cell or "") for cell in row] for row in cells])


def _block(sheet: Sheet, place: _Place, end: int, previous: int) -> Block:
    layout, row = place.layout, place.row
    headers = _headers(sheet, place)
    names = sheet.grid.columns
    top = max(previous + 1, row - TITLE_ROWS)
    above = header_cells(sheet.grid.slice(top, row - top))
    fields: dict[str, str] = {}
    for name, source in layout.columns.items():
        for header, column in zip(headers, names, strict=True):
            if header and source.matches(header):
                fields[name] = column
                break
    # a column that only helps to recognise the table, such as the score 0, may be a value too
    taken = {column for name, column in fields.items() if name not in AUXILIARY}
    tasks, pivots = [], []
    for header, column in zip(headers, names, strict=True):
        if not header or column in taken:
            continue
        if layout.tasks and re.search(layout.tasks, header):
            tasks.append((column, header))
        elif layout.unpivot and (found := re.search(layout.unpivot.pattern, header)):
            groups = {key: text for key, text in found.groupdict().items() if text is not None}
            pivots.append((column, groups))
    return Block(
        sheet=sheet,
        layout=layout,
        header_row=row + 1,
        first_row=row + place.depth,
        last_row=end,
        headers=headers,
        fields=fields,
        tasks=tuple(tasks),
        pivots=tuple(pivots),
        title=tuple(cell for line in above for cell in line if cell),
    )


def _twice(block: Block) -> set[str]:
    """Headers that stand twice where one is read: nobody can tell which is meant."""
    wanted = [block.layout.columns[name] for name in block.layout.required]
    read = {column for column, _ in (*block.tasks, *block.pivots)}
    matched = [
        header
        for header, column in zip(block.headers, block.sheet.grid.columns, strict=True)
        if header and (column in read or any(source.matches(header) for source in wanted))
    ]
    return {header for header in matched if matched.count(header) > 1}
