"""Documents without a release: the fixed lists, templates, names that try to be more than text."""

from __future__ import annotations

import ast
import io
import posixpath
import re
import zipfile
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
import yaml
from docx import Document as read_docx
from lxml import etree
from pydantic import ValidationError

from dashboards.views import VIEWS
from opora.documents.docx import fields_of, shipped_template, write_docx
from opora.documents.facts import Finding, load_document_facts
from opora.documents.kinds import SHAPES
from opora.documents.model import (
    Column,
    CountChart,
    Document,
    IntervalChart,
    Mark,
    Section,
    SectionShape,
    Shape,
    TemplateError,
)
from opora.documents.parts import file_name
from opora.documents.pdf import write_pdf
from opora.documents.xlsx import write_xlsx
from opora.home import PROJECT
from schemas.registry import tables

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
HOSTILE = '<script>alert(1)</script> & {{ 7*7 }} {% for x in y %} #import "a.typ" *x* _y_ $z$ =HYPERLINK("http://x")'
FORMULAS = ('=HYPERLINK("http://x")', "+1+1", "@SUM(A1)", "-1+1", "\t=1+1", "\r=1+1")
SHAPE = Shape(
    "trial",
    "Проба",
    (
        SectionShape(
            "first", "Первое", (Column("name", "Школа", 3), Column("n", "Участников", 1, True)), has_chart=True
        ),
        SectionShape("second", "Второе", has_chart=True),
    ),
)
INTERVALS = IntervalChart(
    "Доля, %",
    "доля",
    (Mark("ВПР-5 РУ", 0.4, 0.3, 0.5, 0.2, True), Mark("ВПР-5 МА", 0.1)),
    "40 и 10 %",
    "не низкий",
    "низкий",
)
COUNTS = CountChart("Школ", "школ", ("2020/21", "2021/22"), (None, 2), (None, 1), "остались", "новые", "2021/22: 3")


def trial(name: str = "Школа № 1", rows: int = 1) -> Document:
    return Document(
        shape=SHAPE,
        stem="проба",
        title_ru="Проба",
        subtitle_ru=name,
        facts=(("Школа", name),),
        sections={
            "first": Section(
                (name,), (name,), tuple({"name": name, "n": "1\u00a0065"} for _ in range(rows)), name, INTERVALS
            ),
            "second": Section(chart=COUNTS, title_ru="Второе, сказанное иначе"),
        },
        release_id="20260101T000000000Z-00000000",
        release_day="01.01.2026",
        release_ru="выпуск 20260101T000000000Z-00000000",
        maturity_ru="окончательные",
        created_at="2026-01-01T00:00:00.123456+00:00",
    )


def full(shape: Shape) -> Document:
    """A document of a kind with something in every section."""
    sections = {
        item.key: Section(
            ("Строка",),
            ("Пункт",),
            (dict.fromkeys((c.key for c in item.columns), "1"),) * 2 if item.columns else (),
            "Сноска",
            INTERVALS if item.has_chart else None,
        )
        for item in shape.sections
    }
    return replace(trial(), shape=shape, sections=sections)


def texts_of(content: bytes) -> str:
    document = read_docx(io.BytesIO(content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])


def test_a_file_name_is_one_that_every_file_system_takes() -> None:
    assert file_name('a/../b\\c:*?"<>|', "d") == "a .. b c d"
    assert file_name("s1", "школа " * 20) == "s1" + " школа" * 13, "words stay whole"
    assert file_name("д" * 200) == "д" * 80


# --- the fixed lists -----------------------------------------------------------------------------------


def test_every_recommendation_can_be_found_and_is_cited() -> None:
    facts = load_document_facts()
    assert {item.scope for item in facts.recommendations} == {"school", "municipality", "region"}
    for item in (*facts.recommendations, *facts.limits):
        assert item.source.strip()
        assert item.text_ru.strip().endswith((".", "»"))
    for shape in SHAPES:
        assert any(shape.kind in limit.kinds for limit in facts.limits), shape.kind


def test_a_finding_holds_for_one_row_that_meets_all_of_it() -> None:
    finding = Finding.model_validate(
        {"mart": "risk_profile", "where": {"factor_id": ("equipment",), "level": ("high",)}}, strict=True
    )
    equipment, staff = {"factor_id": "equipment", "level": "low"}, {"factor_id": "staff_shortage", "level": "high"}
    assert not finding.holds({"risk_profile": [equipment, staff]}), "two rows that meet a half each"
    assert finding.holds({"risk_profile": [staff, equipment | {"level": "high"}]})
    assert not finding.holds({})
    counted = Finding.model_validate({"mart": "region_summary", "at_least": {"shnor_count": 2}}, strict=True)
    assert [counted.holds({"region_summary": [{"shnor_count": n}]}) for n in (None, 1, 2)] == [False, False, True]


@pytest.mark.parametrize(
    "finding",
    [
        {"mart": "no_such_mart", "where": {"a": (True,)}},
        {"mart": "school_status", "where": {"no_such_column": (True,)}},
        {"mart": "school_status", "where": {"listing": ("gone",)}},
        {"mart": "school_status", "where": {"is_shnor": ("yes",)}},
        {"mart": "school_status", "at_least": {"listing": 1}},
        {"mart": "school_status"},
    ],
)
def test_a_finding_outside_the_registry_is_refused(finding: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Finding.model_validate(finding, strict=True)


# --- rendering -----------------------------------------------------------------------------------------


def test_the_same_content_is_the_same_bytes() -> None:
    document = trial()
    assert write_docx(document) == write_docx(document)
    assert write_pdf(document) == write_pdf(document)
    assert write_xlsx(document) == write_xlsx(document)
    assert shipped_template(SHAPE) == shipped_template.__wrapped__(SHAPE)


def test_markup_in_a_name_stays_text_in_docx() -> None:
    content = write_docx(trial(HOSTILE))
    assert texts_of(content).count(HOSTILE) == 6
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        xml = archive.read("word/document.xml").decode()
    assert "<script" not in xml
    assert "w:hyperlink" not in xml
    assert "49" not in texts_of(content)


def test_markup_in_a_name_stays_text_in_pdf() -> None:
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(write_pdf(trial(HOSTILE))))
    told = "".join(page.extract_text() for page in reader.pages).replace("\n", "").replace(" ", "")
    for part in ("<script>alert(1)</script>", "{{7*7}}", '#import"a.typ"*x*_y_$z$', '=HYPERLINK("http://x")'):
        assert part in told
    assert not any("/Annots" in page for page in reader.pages), "no text became a link"


@pytest.mark.parametrize("name", [HOSTILE, *FORMULAS])
def test_no_cell_of_a_workbook_is_a_formula_or_a_link(name: str) -> None:
    import openpyxl

    content = write_xlsx(trial(name))
    (sheet,) = openpyxl.load_workbook(io.BytesIO(content)).worksheets
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert not any(cell.hyperlink for cell in cells)
    assert not any(str(cell.value).startswith(("=", "+", "@", "-", "\t", "\r")) for cell in cells)
    assert sheet.cell(5, 2).value == 1065


def test_pdf_is_tagged_accessible_russian() -> None:
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(write_pdf(trial(rows=80))))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "ru-RU"
    assert b"pdfuaid:part" in root["/Metadata"].get_data()
    assert reader.metadata is not None
    assert reader.metadata.title == "Проба. Школа № 1"
    assert len(reader.pages) > 1
    assert all("Участников" in page.extract_text() for page in reader.pages[:-1]), "the head is repeated on every page"


def test_docx_has_headings_alternative_texts_and_language() -> None:
    document = read_docx(io.BytesIO(write_docx(trial())))
    assert [p.text for p in document.paragraphs if p.style.name == "Heading 2"] == ["Первое", "Второе, сказанное иначе"]
    described = [shape._inline.docPr.get("descr") for shape in document.inline_shapes]
    assert described == [INTERVALS.alt_ru, COUNTS.alt_ru]
    assert document.core_properties.author == "Опора"
    assert "w:tblHeader" in document.tables[1].rows[0]._tr.xml
    assert 'w:lang w:val="ru-RU"' in document.styles["Normal"].element.xml


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.kind)
def test_a_docx_of_every_kind_is_what_other_programs_open(shape: Shape) -> None:
    """What a strict reader insists on: parts have types, references lead somewhere, cells end with a paragraph."""
    content = write_docx(full(shape))
    assert read_docx(io.BytesIO(content)).tables
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        parts = {name: etree.fromstring(archive.read(name)) for name in names if name.endswith((".xml", ".rels"))}
    assert len(names) == len(set(names))
    types = parts["[Content_Types].xml"]
    overridden = {item.get("PartName").lstrip("/") for item in types if item.tag.endswith("}Override")}
    endings = {item.get("Extension").lower() for item in types if item.tag.endswith("}Default")}
    assert overridden <= set(names)
    assert [n for n in names if n not in overridden and n.rpartition(".")[2].lower() not in endings] == []
    for name, rels in parts.items():
        if name.endswith(".rels"):
            folder = PurePosixPath(name).parent.parent
            inside = [item.get("Target") for item in rels if item.get("TargetMode") != "External"]
            led_to = {t.lstrip("/") if t.startswith("/") else (folder / t).as_posix() for t in inside}
            assert {posixpath.normpath(target) for target in led_to} <= set(names), name
    body = parts["word/document.xml"]
    known = {item.get("Id") for item in parts["word/_rels/document.xml.rels"]}
    used = {v for node in body.iter() for k, v in node.attrib.items() if k.startswith(f"{{{_RELATIONS}}}")}
    assert used <= known
    assert used, "charts are embedded"
    drawn = [node.get("id") for node in body.iter("{*}docPr")]
    assert len(drawn) == len(set(drawn))
    for table in body.iter(f"{_W}tbl"):
        columns = len(table.findall(f"{_W}tblGrid/{_W}gridCol"))
        for row in table.iter(f"{_W}tr"):
            cells = row.findall(f"{_W}tc")
            assert len(cells) == columns, "a row has a cell a column"
            assert all(cell[-1].tag == f"{_W}p" for cell in cells), "Word opens no cell without a paragraph at its end"
    styles = {style.get(f"{_W}styleId") for style in parts["word/styles.xml"].iter(f"{_W}style")}
    named = (f"{_W}pStyle", f"{_W}rStyle", f"{_W}tblStyle")
    assert {node.get(f"{_W}val") for tag in named for node in body.iter(tag)} <= styles
    assert "{{" not in "".join(body.itertext())
    assert "{%" not in "".join(body.itertext())


def test_an_own_template_may_leave_out_and_reorder(tmp_path: Path) -> None:
    from docx import Document as new_docx

    template = new_docx()
    template.add_paragraph("БЛАНК УПРАВЛЕНИЯ. {{ second.title }}; {{ subtitle }}")
    path = tmp_path / "trial.docx"
    template.save(str(path))
    assert texts_of(write_docx(trial(HOSTILE), path)) == f"БЛАНК УПРАВЛЕНИЯ. Второе, сказанное иначе; {HOSTILE}"


@pytest.mark.parametrize(
    "expression",
    [
        "{{ first.no_such.field }}",
        "{% for %}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ cycler.__init__.__globals__ }}",
    ],
)
def test_a_template_that_cannot_be_filled_is_refused_by_name(tmp_path: Path, expression: str) -> None:
    from docx import Document as new_docx

    template = new_docx()
    template.add_paragraph(expression)
    path = tmp_path / "trial.docx"
    template.save(str(path))
    with pytest.raises(TemplateError, match=r"trial\.docx"):
        write_docx(trial(), path)
    path.write_bytes(b"no zip")
    with pytest.raises(TemplateError, match=r"trial\.docx"):
        write_docx(trial(), path)


@pytest.mark.parametrize("source", ["#no-such-function()", '#image(bytes("<svg/>"), format: "svg")', "#("])
def test_an_own_page_template_that_fails_is_refused_by_name(tmp_path: Path, source: str) -> None:
    path = tmp_path / "document.typ"
    path.write_text(source, encoding="utf-8")
    with pytest.raises(TemplateError, match=r"document\.typ"):
        write_pdf(trial(), path)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.kind)
def test_the_shipped_template_names_every_field(shape: Shape) -> None:
    said = texts_of(shipped_template(shape))
    for section, fields in fields_of(shape).items():
        for field in fields:
            if section and field.startswith("rows[]."):
                assert f"{{{{ row.{field.removeprefix('rows[].')} }}}}" in said
            elif section:
                assert f"{section}.{field}" in said


def test_content_must_fit_its_shape() -> None:
    with pytest.raises(ValueError, match="second"):
        replace(trial(), sections={"first": Section()})


# --- exposures -----------------------------------------------------------------------------------------


def test_every_page_has_an_exposure_that_names_the_marts_it_selects_from() -> None:
    """By the queries that a view calls; what it reads through other modules may be told besides."""
    marts = {mart.table for mart in tables("marts")}
    source = (PROJECT / "dashboards" / "queries.py").read_text("utf-8")
    read = {
        node.name: set(re.findall(r"\b(?:from|join)\s+([a-z_]+)", ast.get_source_segment(source, node) or "")) & marts
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef)
    }
    exposures = yaml.safe_load((PROJECT / "dbt" / "models" / "exposures.yml").read_text("utf-8"))["exposures"]
    pages = {item["label"]: set(re.findall(r"'(\w+)'", " ".join(item["depends_on"]))) for item in exposures}
    for view in VIEWS:
        module = (PROJECT / "dashboards" / "views" / f"{view.layout.__module__.rpartition('.')[2]}.py").read_text(
            "utf-8"
        )
        selected = set().union(*(found for name, found in read.items() if re.search(rf"\b{name}\b", module)))
        assert selected <= pages[view.title], view.title
        assert pages[view.title] <= marts
