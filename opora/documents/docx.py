"""A document as docx: the shipped templates, made from the shapes, and their filling by docxtpl.

Belongs here: how a template is built and filled, and the same bytes for the same content. Does not belong here:
content. A template under `<home>/templates/` takes the place of the shipped one; its expressions run in a sandbox,
and everything put into it is text.
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from opora.documents.charts import WIDTH_INCHES, draw
from opora.documents.model import Chart, Column, Document, Section, SectionShape, Shape, TemplateError

FONT = "Times New Roman"
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def write_docx(document: Document, template: Path | None = None) -> bytes:
    """The bytes of the docx: the same for the same content and template. Raises TemplateError."""
    from docxtpl import DocxTemplate
    from jinja2 import TemplateError as JinjaError
    from jinja2.sandbox import SandboxedEnvironment

    source: Any = template if template is not None else io.BytesIO(shipped_template(document.shape))
    try:
        filled = DocxTemplate(source)
        filled.init_docx()
        environment = SandboxedEnvironment(autoescape=True)
        filled.render(_context(document, filled), environment)
    except (JinjaError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise TemplateError(f"Шаблон {template or document.shape.kind} не заполняется: {error}") from error
    properties = filled.docx.core_properties
    properties.title = f"{document.title_ru}. {document.subtitle_ru}"[:255]
    properties.author = properties.last_modified_by = "Опора"
    properties.subject = document.release_id
    properties.language = "ru-RU"
    properties.revision = 1
    made = dt.datetime.fromisoformat(document.created_at).astimezone(dt.UTC).replace(microsecond=0, tzinfo=None)
    properties.created = properties.modified = made
    target = io.BytesIO()
    filled.save(target)
    return same_bytes(target.getvalue())


def same_bytes(archive: bytes) -> bytes:
    """A zip with its members in name order and without times, so that equal contents are equal bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        names = sorted(source.namelist(), key=lambda name: (name != "[Content_Types].xml", name))
        for name in names:
            member = zipfile.ZipInfo(name, _ZIP_TIME)
            member.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(member, source.read(name))
    return target.getvalue()


# --- filling -------------------------------------------------------------------------------------------


class _Picture:
    """A chart in place of an expression, with its alternative text; read by Jinja as markup that is safe."""

    def __init__(self, template: Any, chart: Chart) -> None:
        self._template, self._chart = template, chart

    def __html__(self) -> str:
        from docx.shared import Inches

        part = self._template.current_rendering_part
        inline = part.new_pic_inline(io.BytesIO(draw(self._chart, "png")), Inches(WIDTH_INCHES))
        inline.docPr.set("descr", self._chart.alt_ru)
        inline.docPr.set("title", self._chart.title_ru)
        return f'</w:t></w:r><w:r><w:drawing>{inline.xml}</w:drawing></w:r><w:r><w:t xml:space="preserve">'


def _context(document: Document, template: Any) -> dict[str, Any]:
    return {
        "title": document.title_ru,
        "subtitle": document.subtitle_ru,
        "facts": [{"label": label, "value": value} for label, value in document.facts],
        "release_id": document.release_id,
        "release_ru": document.release_ru,
        "release_day": document.release_day,
        "maturity_ru": document.maturity_ru,
    } | {shape.key: _section(shape, section, template) for shape, section in document.ordered()}


def _section(shape: SectionShape, section: Section, template: Any) -> dict[str, Any]:
    chart = section.chart
    return {
        "title": section.title_ru or shape.title_ru,
        "lines": section.lines,
        "points": section.points,
        "rows": section.rows,
        "note": section.note_ru,
        "chart": _Picture(template, chart) if chart else "",
        "chart_title": chart.title_ru if chart else "",
    }


def fields_of(shape: Shape) -> dict[str, tuple[str, ...]]:
    """What a template of this kind may name: the head, then section by section."""
    head = ("title", "subtitle", "facts", "release_id", "release_ru", "release_day", "maturity_ru")
    parts = ("title", "lines", "points", "note")
    return {"": head} | {
        section.key: (
            *parts,
            *(("chart", "chart_title") if section.has_chart else ()),
            *(f"rows[].{column.key}" for column in section.columns),
        )
        for section in shape.sections
    }


# --- the shipped template ------------------------------------------------------------------------------


@cache
def shipped_template(shape: Shape) -> bytes:
    """The template of a shape, to be filled or to be edited by a user."""
    from docx import Document as new_document
    from docx.enum.section import WD_ORIENT
    from docx.shared import Mm

    made = new_document()
    page = made.sections[0]
    page.page_width, page.page_height = (Mm(297), Mm(210)) if shape.is_wide else (Mm(210), Mm(297))
    page.orientation = WD_ORIENT.LANDSCAPE if shape.is_wide else WD_ORIENT.PORTRAIT
    page.left_margin, page.right_margin, page.top_margin, page.bottom_margin = Mm(25), Mm(15), Mm(20), Mm(20)
    _styles(made)
    _footer(page)
    made.add_heading("{{ title }}", 1)
    made.add_paragraph("{{ subtitle }}", style="Subtitle")
    _table(made, "facts", (Column("label", "Сведения", 1.3), Column("value", "Значение", 3.2)), _inner(page))
    for section in shape.sections:
        _add_section(made, section, _inner(page))
    made.core_properties.title = shape.title_ru
    target = io.BytesIO()
    made.save(target)
    return same_bytes(target.getvalue())


def _inner(page: Any) -> int:
    return int(page.page_width - page.left_margin - page.right_margin)


def _add_section(made: Any, section: SectionShape, width: int) -> None:
    key = section.key
    made.add_heading(f"{{{{ {key}.title }}}}", 2)
    made.add_paragraph(f"{{%p for line in {key}.lines %}}")
    made.add_paragraph("{{ line }}")
    made.add_paragraph("{%p endfor %}")
    made.add_paragraph(f"{{%p for point in {key}.points %}}")
    made.add_paragraph("{{ point }}", style="List Bullet")
    made.add_paragraph("{%p endfor %}")
    if section.columns:
        made.add_paragraph(f"{{%p if {key}.rows %}}")
        _table(made, f"{key}.rows", section.columns, width)
        made.add_paragraph("{%p endif %}")
    made.add_paragraph(f"{{%p if {key}.note %}}")
    made.add_paragraph(f"{{{{ {key}.note }}}}", style="Note")
    made.add_paragraph("{%p endif %}")
    if section.has_chart:
        made.add_paragraph(f"{{%p if {key}.chart %}}")
        made.add_paragraph(f"{{{{ {key}.chart_title }}}}", style="Caption")
        made.add_paragraph(f"{{{{ {key}.chart }}}}")
        made.add_paragraph("{%p endif %}")


def _table(made: Any, rows: str, columns: tuple[Column, ...], width: int) -> None:
    """A table with a repeated head and one row that is repeated for each of `rows`."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    table = made.add_table(rows=4, cols=len(columns), style="Table Grid")
    table.autofit = False
    total = sum(column.width for column in columns)
    for place, column in enumerate(columns):
        table.columns[place].width = int(width * column.width / total)
        for row in table.rows:
            row.cells[place].width = int(width * column.width / total)
        head, body = table.rows[0].cells[place].paragraphs[0], table.rows[2].cells[place].paragraphs[0]
        head.style, body.style = "Table Head", "Table Cell"
        head.add_run(column.title_ru)
        body.add_run(f"{{{{ row.{column.key} }}}}")
        if column.is_number:
            head.alignment = body.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    table.rows[1].cells[0].paragraphs[0].add_run(f"{{%tr for row in {rows} %}}")
    table.rows[3].cells[0].paragraphs[0].add_run("{%tr endfor %}")
    _mark(table.rows[0], "w:tblHeader")
    for row in table.rows:
        _mark(row, "w:cantSplit")


def _mark(row: Any, name: str) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    mark = OxmlElement(name)
    mark.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(mark)


def _styles(made: Any) -> None:
    from docx.enum.style import WD_STYLE_TYPE
    from docx.shared import Pt, RGBColor

    def style(
        name: str, size: float, *, bold: bool = False, after: float = 0, before: float = 0, like: str = ""
    ) -> None:
        found = made.styles[name] if name in made.styles else made.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        if like:
            found.base_style = made.styles[like]
        found.font.name, found.font.size, found.font.bold = FONT, Pt(size), bold
        found.font.italic = False
        found.font.color.rgb = RGBColor(0x1F, 0x29, 0x33)
        found.paragraph_format.space_after, found.paragraph_format.space_before = Pt(after), Pt(before)
        _language(found)

    style("Normal", 12, after=6)
    style("Heading 1", 18, bold=True, after=4)
    style("Heading 2", 14, bold=True, before=14, after=6)
    style("Subtitle", 13, after=8)
    style("List Bullet", 12, after=3)
    style("Caption", 10.5, bold=True, before=8, after=3)
    style("Table Head", 9.5, bold=True, like="Normal")
    style("Table Cell", 9.5, like="Normal")
    style("Note", 9.5, before=3, after=6, like="Normal")
    style("Footer", 9)
    made.styles["Caption"].paragraph_format.keep_with_next = True


def _language(style: Any) -> None:
    """Russian for the spelling checker and screen readers; one font for all scripts."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    properties = style.element.get_or_add_rPr()
    fonts = properties.get_or_add_rFonts()
    for script in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
        fonts.set(qn(script), FONT)
    for theme in ("w:asciiTheme", "w:hAnsiTheme", "w:cstheme", "w:eastAsiaTheme"):
        fonts.attrib.pop(qn(theme), None)
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), "ru-RU")
    properties.append(language)


def _footer(page: Any) -> None:
    paragraph = page.footer.paragraphs[0]
    paragraph.add_run("Сведения {{ maturity_ru }}: {{ release_ru }} от {{ release_day }}. Страница ")
    _field(paragraph.add_run, "PAGE")


def _field(add_run: Callable[[], Any], code: str) -> None:
    """A field that Word computes, such as the number of the page."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    for kind, words in (("begin", ""), ("", code), ("end", "")):
        run = add_run()
        if kind:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
        else:
            mark = OxmlElement("w:instrText")
            mark.text = words
        run._r.append(mark)
