"""A document as tagged PDF/UA-1 by typst, with its own fonts and without the network.

Belongs here: content to JSON, the call of typst. Does not belong here: layout (`document.typ`) and content.
"""

from __future__ import annotations

import datetime as dt
import json
from functools import cache
from pathlib import Path
from typing import Any

from opora.documents.charts import draw
from opora.documents.model import Document, Section, SectionShape, TemplateError

TEMPLATE = Path(__file__).with_name("document.typ")


def write_pdf(document: Document, template: Path = TEMPLATE) -> bytes:
    """The bytes of the PDF: the same for the same content and template. Raises TemplateError."""
    import typst

    try:
        made = _compiler(template).compile(
            sys_inputs={"data": json.dumps(content(document), ensure_ascii=False)},
            format="pdf",
            pdf_standards=["ua-1"],
            timestamp=dt.datetime.fromisoformat(document.created_at).replace(microsecond=0),
        )
    except typst.TypstError as error:
        raise TemplateError(f"Шаблон {template} не заполняется: {error.message}") from error
    assert isinstance(made, bytes)
    return made


@cache
def _compiler(template: Path) -> Any:
    import typst

    return typst.Compiler(template, root=template.parent, ignore_system_fonts=True)


def content(document: Document) -> dict[str, Any]:
    """What a template may name."""
    return {
        "title": document.title_ru,
        "subtitle": document.subtitle_ru,
        "facts": [{"label": label, "value": value} for label, value in document.facts],
        "is_wide": document.shape.is_wide,
        "release_id": document.release_id,
        "release_ru": document.release_ru,
        "release_day": document.release_day,
        "maturity_ru": document.maturity_ru,
        "sections": [_section(shape, section) for shape, section in document.ordered()],
    }


def _section(shape: SectionShape, section: Section) -> dict[str, Any]:
    chart = section.chart
    return {
        "key": shape.key,
        "title": section.title_ru or shape.title_ru,
        "lines": section.lines,
        "points": section.points,
        "columns": [
            {"key": c.key, "title": c.title_ru, "width": c.width, "is_number": c.is_number} for c in shape.columns
        ],
        "rows": [dict(row) for row in section.rows],
        "note": section.note_ru,
        "chart": None
        if chart is None
        else {"title": chart.title_ru, "alt": chart.alt_ru, "svg": draw(chart, "svg").decode()},
    }
