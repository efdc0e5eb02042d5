"""Books of Excel that people open: what stands in them as text is never taken for a formula, a link or a number.

What belongs here: opening such a book for writing. What does not: its sheets, and what a text must be cleaned of
(`opora/safe_text.py`).
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

_TEXT_IS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def new_workbook(target: Path | io.BytesIO, **means: bool) -> Any:
    """A workbook of xlsxwriter, to be used with `with`; `means` are its options `in_memory` and `constant_memory`."""
    import xlsxwriter

    return xlsxwriter.Workbook(target, {**_TEXT_IS_TEXT, **means})
