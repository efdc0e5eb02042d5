"""Text that came from suppliers, made safe for what people open: tables, books, pages, terminals.

What belongs here: the rule of each kind of output, and the same rules as expressions of polars and DuckDB. What
does not: personal data (`opora/persons.py`, `opora/masking.py`) and what may be published (`opora/public/`).

Parquet and DuckDB files are read by programs and keep every text as it came. Where people open a file, a text
that a spreadsheet would take for a formula gets an apostrophe in front (`safe_cell`; `original_cell` takes it off
again), and what nobody can see or what turns the reading direction is replaced. Numbers are numbers in all
outputs: only columns of text come here.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterable
from pathlib import PurePath

import polars as pl

from opora.sql import quoted

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# Patterns that Python's re, polars and DuckDB read alike: no look-around, no classes that differ between them.
_BREAK = "[\t\n\x0b\x0c\r\x1c-\x1f\x85\u2028\u2029]"
# Marks of no width: they change nothing that is seen, and make equal names unequal.
_MARK = "[\u200b\u200e\u200f\u061c\u2060\ufeff]"
# Control characters, overrides and isolates of direction, and what XML does not allow.
_UNSEEN = "[\x01-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
_SPACE = " \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_FORMULA = f"^[{_SPACE}']*[=+@\uff1d\uff0b\uff0d\uff20\u2212-]"
_NUMBER = "^[+-]?[0-9]+([.,][0-9]+)?%?$"
_SURROGATE = re.compile("[\ud800-\udfff]")
_MARKUP = re.compile(r"([\\`*_\[\]|~#])")


def plain(text: str) -> str:
    """A text on one line of visible characters: tabs and breaks are spaces, the unseen is � or gone."""
    text = _SURROGATE.sub(REPLACEMENT, text).replace("\0", REPLACEMENT)
    text = re.sub(_MARK, "", re.sub(_BREAK, " ", text))
    return re.sub(_UNSEEN, REPLACEMENT, text)


def safe_cell(value: str) -> str:
    """A text that no spreadsheet takes for a formula: one that begins like a formula gets an apostrophe in front.

    Leading spaces and apostrophes do not hide a formula; a plain number such as -5 is none. `original_cell` undoes
    the apostrophe, not what `plain` replaced.
    """
    text = plain(value)
    return f"'{text}" if _is_formula(text) else text


def original_cell(cell: str) -> str:
    """The text of a cell that `safe_cell` wrote."""
    return cell[1:] if cell.startswith("'") and _is_formula(cell[1:]) else cell


def _is_formula(text: str) -> bool:
    return bool(re.search(_FORMULA, text)) and not re.search(_NUMBER, text)


def safe_markdown(value: str) -> str:
    """A text that stays text within Markdown, in a cell of a table too: no markup, no HTML."""
    return _MARKUP.sub(r"\\\1", html.escape(plain(value), quote=False))


def safe_path(path: PurePath | str) -> str:
    """A path with `/`, as it is shown and kept: what cannot be seen or is not UTF-8 stands as an escape, `\\x0a`."""
    text = path.as_posix() if isinstance(path, PurePath) else path
    text = os.fsencode(text).decode("utf-8", "backslashreplace")
    return re.sub(f"\0|{_BREAK}|{_MARK}|{_UNSEEN}", lambda found: _escape(found[0]), text)


def _escape(character: str) -> str:
    return f"\\x{ord(character):02x}" if ord(character) < 0x100 else f"\\u{ord(character):04x}"


# --- the same for whole columns --------------------------------------------------------------------------


def plain_expr(text: pl.Expr) -> pl.Expr:
    """`plain` over a column of polars."""
    text = text.str.replace_all("\0", REPLACEMENT, literal=True).str.replace_all(_BREAK, " ")
    return text.str.replace_all(_MARK, "").str.replace_all(_UNSEEN, REPLACEMENT)


def safe_cells(frame: pl.DataFrame, columns: Iterable[str] | None = None) -> pl.DataFrame:
    """`safe_cell` over the named columns of a frame, or over all its columns of text."""
    strings = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    wanted = strings if columns is None else [name for name in columns if name in strings]
    return frame.with_columns(_safe_cell_expr(pl.col(name)).alias(name) for name in wanted)


def _safe_cell_expr(text: pl.Expr) -> pl.Expr:
    text = plain_expr(text)
    is_formula = text.str.contains(_FORMULA) & ~text.str.contains(_NUMBER)
    return pl.when(is_formula).then(pl.lit("'") + text).otherwise(text)


def safe_cell_sql(column: str) -> str:
    """`safe_cell` as an expression of DuckDB over a column of text."""
    text = f"""replace("{column}", chr(0), {quoted(REPLACEMENT)})"""
    for pattern, instead in ((_BREAK, " "), (_MARK, ""), (_UNSEEN, REPLACEMENT)):
        text = f"regexp_replace({text}, {quoted(pattern)}, {quoted(instead)}, 'g')"
    is_formula = f"regexp_matches({text}, {quoted(_FORMULA)}) and not regexp_matches({text}, {quoted(_NUMBER)})"
    return f"case when {is_formula} then '''' || {text} else {text} end"
