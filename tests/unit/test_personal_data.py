"""Made-up people are planted into every layout, where they belong and where not; nothing of them is left behind.

A name in its own column, in a column of marks, in one nobody reads, in a header, in the name of a sheet: it is looked
for in all that intake writes. What cannot be promised is written down in docs/privacy.md and listed here as `OPEN`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from opora.home import Home
from opora.intake import ingest
from opora.layouts.model import PERSONAL, Layout
from opora.layouts.recognise import Block, recognise
from opora.reading import read_sheets
from schemas.registry import registry
from tests import builders as b
from tests import minimal as m
from tests.traces import traces

SURNAME, NAME, PATRONYMIC = "Каннарейкина", "Ксенофонта", "Аристарховна"
KINDS = {
    "full": f"{SURNAME} {NAME} {PATRONYMIC}",
    "initials": f"{SURNAME} К.А.",
    "insurance": "112-233-445 95",
    "paper": "4599 678917",
    "bare insurance": "11223344595",
    "lone": SURNAME,
    "teacher": f"кл. рук. {SURNAME} К.А.",
    "upper": SURNAME.upper(),
    "number": "678917",
}
# Stems, as inflected and in any case; digits as they are written.
WANTED = ("каннарейкин", "ксенофонт", "аристархов", "112-233", "11223344595", "678917")
ALWAYS = ("full", "initials", "insurance", "paper", "bare insurance")
# Columns whose text stays as it was written: names of places and of documents, words of vocabularies that are looked
# up later. Of people they are kept free by pattern, and a lone word is none.
OPEN = {
    *("school_label", "leader_label", "municipality_label", "school_name", "school_full_name", "school_type"),
    *("excluded_reason", "document_ref", "note", "source_document", "value_text", "item_id", "programme_id"),
    *("school_id", "key_value", "code", "label", "task_label", "skill_fgos", "poop_block", "content_codes"),
    *("skill_codes", "factor", "indicator", "stage", "period", "file"),
}
FREE = {"document_ref", "note", "excluded_reason", "source_document", "value_text"}
# Codes of digits: a number of six digits may be one.
CODES = {"school_key", "leader_key", "participant_code", "exam_code", "inn", "ogrn"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("люди") / "home").ensure()


def kept_out(kind: str, fields: list[str], layout: Layout) -> bool:
    """Whether a text of this kind in a column of these fields is promised to go nowhere."""
    if all(name in PERSONAL for name in fields):
        return True
    columns = {column.name: column for column in registry()[layout.table].columns} if layout.table else {}
    for name in fields:
        by_name = name == "school_key" and layout.school_key_kind == "name"
        if (name in OPEN or by_name) and kind not in (*ALWAYS, *(["teacher"] if name in FREE else [])):
            return False
        is_digits = kind in ("number", "bare insurance")
        if is_digits and (name in CODES or layout.columns[name].convert == "digits"):
            return False
        if kind == "number" and name in columns and columns[name].type in ("integer", "number"):
            return False
    return True


def fields_of(block: Block, column: str) -> list[str]:
    return [name for name, of in block.fields.items() if of == column]


def block_of(layout: Layout, tmp_path: Path) -> Block:
    sheet = read_sheets(m.write(tmp_path, m.minimal(layout)))[0]
    return recognise(sheet, b.layouts()).blocks[0]


def planted(layout: Layout, block: Block) -> tuple[m.Sheets, int]:
    """The least file with a row for every kind in every column that promises to keep it out; how many they are."""
    sheets = m.minimal(layout)
    name = next(iter(sheets))
    rows = sheets[name]
    width = len(block.sheet.grid.columns)
    pattern = [*rows[-1], *[None] * (width - len(rows[-1]))]
    rows[block.first_row - 1] = [*rows[block.first_row - 1], *[None] * (width - len(rows[block.first_row - 1]))]
    count = 0
    for place, column in enumerate(block.sheet.grid.columns):
        fields = fields_of(block, column)
        for kind, text in KINDS.items():
            is_pivot = column in {c for c, _ in block.pivots}
            if not kept_out(kind, fields, layout) or (is_pivot and kind == "number"):
                continue
            rows.append([text if at == place else cell for at, cell in enumerate(pattern)])
            count += 1
    # columns that nobody reads, the title, and a sheet beside
    for row in (block.header_row - 1, block.first_row) if not layout.without else ():
        rows[row] = [*rows[row], f"Классный руководитель {KINDS['full']}", *KINDS.values()]
    sheets[f"{SURNAME} К.А. 6А"] = [[KINDS["full"]], *([text] for text in KINDS.values())]
    return sheets, count + 2 * len(KINDS) + 4


LAYOUTS = b.layouts()


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.id)
def test_every_layout_has_its_least_file(layout: Layout, tmp_path: Path) -> None:
    result = b.read(m.write(tmp_path, m.minimal(layout)))
    assert result.record.layout_ids == [layout.id]
    assert result.record.rows.accepted > 0
    assert result.record.rows.quarantined == 0


def test_people_planted_anywhere_leave_no_trace(home: Home, tmp_path: Path, tell_count: Callable[[str], None]) -> None:
    total = 0
    for layout in LAYOUTS:
        block = block_of(layout, tmp_path / layout.id)
        sheets, count = planted(layout, block)
        m.write(home.landing / layout.id, sheets)
        if layout.sheet is None:  # the table itself on a sheet that is called by somebody's name
            content = next(iter(sheets.values()))
            m.write(home.landing / layout.id / "лист", {f"{NAME} {SURNAME}": content})
        total += count
    report = ingest(home, b.reference())
    by_layout = {layout for record in report.processed for layout in record.layout_ids}
    assert by_layout == {layout.id for layout in LAYOUTS}
    assert not [record.file_name for record in report.processed if "not_processed" in record.issues]
    assert all(record.rows.adds_up for record in report.processed)
    assert traces(home, WANTED) == []
    tell_count(f"canaries planted: {total} in {len(LAYOUTS)} layouts, {len(report.processed)} files; none found")


HEADERS = {
    "a subject": b.ege_table([b.PLACE, "СОШ № 5", 20, 3, 1, 1, 0, 61.5], subjects=(f"Русский язык, {SURNAME}",)),
    "a task": [[*b.SPRING_2021[:9], f"балл за {SURNAME}"], b.spring_pupil()[:10]],
    "a factor": [
        ["учебный год", "школа", f"Риски {SURNAME} К.А.: значимость"],
        ["2022-2023", "СОШ № 5 (edu990012)", "высокая"],
    ],
    "twice": [["логин", "имя", "регион", "имя"], ["sch990012", SURNAME, b.PLACE, SURNAME]],
    "a title": b.individual(b.pupil(), title=f"ВПР 2023 Русский язык {SURNAME} 6 класс"),
    "nothing known": [[KINDS["full"], SURNAME], [SURNAME, NAME]],
}


@pytest.mark.parametrize("case", HEADERS)
def test_people_in_headers_leave_no_trace(case: str, tmp_path: Path) -> None:
    own = Home(tmp_path / "home").ensure()
    b.xlsx(own.landing / f"{m.FILE}.xlsx", HEADERS[case])
    (record,) = ingest(own, b.reference()).processed
    assert "not_processed" not in record.issues
    assert traces(own, WANTED) == []
