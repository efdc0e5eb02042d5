"""Tables of a document as xlsx: a sheet a section, figures as figures, text only ever as text.

Belongs here: cells. Does not belong here: which rows there are.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from typing import Any

from opora.documents.model import Document
from opora.safe_text import safe_cell
from opora.workbook import new_workbook

_FORBIDDEN = re.compile(r"[\[\]:*?/\\']")


def write_xlsx(document: Document) -> bytes:
    """The bytes of the workbook: the same for the same content."""
    target = io.BytesIO()
    with new_workbook(target, in_memory=True) as book:
        made = dt.datetime.fromisoformat(document.created_at).replace(microsecond=0, tzinfo=None)
        book.set_properties(
            {"title": document.title_ru, "author": "Опора", "subject": document.release_id, "created": made}
        )
        formats = {
            "head": book.add_format({"bold": True, "text_wrap": True, "bottom": 1, "valign": "bottom"}),
            "text": book.add_format({"text_wrap": True, "valign": "top"}),
            "title": book.add_format({"bold": True, "font_size": 14}),
            "number": book.add_format({"valign": "top", "num_format": "#,##0"}),
        }
        for shape, section in document.ordered():
            if shape.columns:
                sheet = book.add_worksheet(_FORBIDDEN.sub(" ", shape.title_ru)[:31])
                sheet.write_string(0, 0, f"{document.title_ru}. {section.title_ru or shape.title_ru}", formats["title"])
                sheet.write_string(
                    1, 0, safe_cell(f"{document.subtitle_ru}; {document.release_ru} от {document.release_day}")
                )
                for place, column in enumerate(shape.columns):
                    sheet.write_string(3, place, column.title_ru, formats["head"])
                    sheet.set_column(place, place, 8 + 8 * column.width)
                for line, row in enumerate(section.rows, start=4):
                    for place, column in enumerate(shape.columns):
                        _cell(sheet, line, place, row[column.key], column.is_number, formats)
                sheet.freeze_panes(4, 0)
                sheet.autofilter(3, 0, 3 + len(section.rows), len(shape.columns) - 1)
                sheet.set_landscape()
                sheet.fit_to_pages(1, 0)
                sheet.repeat_rows(3)
    return target.getvalue()


def _cell(sheet: Any, line: int, place: int, words: str, is_number: bool, formats: dict[str, Any]) -> None:
    """A whole number as a number; everything else as text, whatever it begins with."""
    plain = words.replace("\u00a0", "")
    if is_number and re.fullmatch(r"\d+", plain):
        sheet.write_number(line, place, int(plain), formats["number"])
    else:
        sheet.write_string(line, place, words if is_number else safe_cell(words), formats["text"])
