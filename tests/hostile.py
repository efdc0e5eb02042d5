"""Files that a hostile or a broken program may send: each is one trick, as small as the trick allows.

What belongs here: how such files are made. What does not: what becomes of them (tests/unit/test_hostile.py).
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tests import builders as b
from tests import minimal as m

LAYOUT = "vpr_marks_flat"
ROW = [2023, 6, "Русский язык", b.PLACE, b.LOGIN, "СОШ № 5", 20, 25, 25, 25, 25]
GOOD = [list(b.MARKS), ROW]
SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"


def book(folder: Path) -> Path:
    """A good book that the others are made of."""
    return b.xlsx(folder / f"{m.FILE}.xlsx", {"Лист1": GOOD})


def changed(folder: Path, change: Callable[[str, bytes], bytes] | None = None, **added: bytes) -> Path:
    """The good book with the content of its parts changed and parts added; `__` in a name stands for a slash."""
    path = book(folder)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, change(name, content) if change else content)
        for name, content in added.items():
            archive.writestr(name.replace("__", "/"), content)
    return path


def of_part(part: str, old: bytes, new: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        return changed(folder, lambda name, content: content.replace(old, new, 1) if name == part else content)

    return make


def entry(info: zipfile.ZipInfo, content: bytes = b"x") -> Callable[[Path], Path]:
    """The good book with one entry more."""

    def make(folder: Path) -> Path:
        path = book(folder)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(info, content)
        return path

    return make


def named(name: str) -> Callable[[Path], Path]:
    return entry(zipfile.ZipInfo(name))


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("xl/link")
    info.external_attr = 0o120777 << 16
    return info


def packed_by(method: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("xl/odd.bin")
    info.compress_type = method
    return info


def with_queries(folder: Path) -> Path:
    """What Excel itself writes beside the cells: the text of queries, in UTF-16."""
    return changed(folder, **{"customXml/item1.xml": ("<?xml version='1.0'?>" + "<q/>" * 20).encode("utf-16")})


def honest_bomb(folder: Path) -> Path:
    """A sheet of 150 MB of spaces, packed a thousand times."""
    return of_part(SHEET, b"<sheetData>", b"<sheetData>" + b" " * 150_000_000)(folder)


def lying_bomb(folder: Path) -> Path:
    """The same, declared to be 1,000 bytes: whoever believes it unpacks all."""
    path = honest_bomb(folder)
    raw = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo(SHEET).file_size
    path.write_bytes(raw.replace(struct.pack("<I", size), struct.pack("<I", 1_000)))
    return path


def with_password(folder: Path) -> Path:
    path = book(folder)
    raw = bytearray(path.read_bytes())
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = raw.find(magic)
        while at >= 0:
            raw[at + offset] |= 1
            at = raw.find(magic, at + 4)
    path.write_bytes(bytes(raw))
    return path


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "haha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'


def with_prologue(prologue: bytes) -> Callable[[Path], Path]:
    return lambda folder: changed(
        folder, lambda name, text: prologue + text.split(b"?>", 1)[1] if name == STRINGS else text
    )


def in_utf16(folder: Path) -> Path:
    return changed(
        folder, lambda name, text: (LAUGHS + text).decode("utf-8").encode("utf-16") if name == STRINGS else text
    )


def far_cell(folder: Path) -> Path:
    """Two cells: the first and the last that a sheet can have."""
    return of_part(SHEET, b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>')(folder)


def declared_far(folder: Path) -> Path:
    """Only the declared dimension is gigantic, the cells are few."""

    def change(name: str, content: bytes) -> bytes:
        return (
            re.sub(rb'<dimension ref="[^"]+"', b'<dimension ref="A1:XFD1048576"', content) if name == SHEET else content
        )

    return changed(folder, change)


def shared_text(folder: Path, cells: int = 400_000, length: int = 30_000) -> Path:
    """One long text, meant by every cell: little to unpack, gigabytes to hold."""
    rows = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (i, i) for i in range(3, cells + 3))

    def change(name: str, content: bytes) -> bytes:
        if name == SHEET:
            return content.replace(b"</sheetData>", rows + b"</sheetData>")
        if name == STRINGS:
            first = content.index(b"<si>")
            return content[:first] + b"<si><t>" + b"A" * length + b"</t></si>" + content[first:]
        return content

    return changed(folder, change)


def many_sheets(folder: Path) -> Path:
    return b.xlsx(folder / f"{m.FILE}.xlsx", {f"Лист{number}": [["x"]] for number in range(301)})


def hidden_sheet(folder: Path) -> Path:
    sheets = openpyxl.Workbook()
    sheets.active.append(["Пояснение"])  # type: ignore[union-attr]
    hidden = sheets.create_sheet("Лист2")
    for row in GOOD:
        hidden.append(row)
    hidden.sheet_state = "veryHidden"
    folder.mkdir(parents=True, exist_ok=True)
    sheets.save(folder / f"{m.FILE}.xlsx")
    return folder / f"{m.FILE}.xlsx"


def merged_header(folder: Path) -> Path:
    """The two header rows of the regional table, merged as its author did."""
    (name, rows), *_ = b.ege_table([b.PLACE, "СОШ № 5", 20, 3, 1, 1, 0, 61.5]).items()
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.title = name
    for row in rows:
        sheet.append(list(row))
    for area in ("A6:A7", "B6:B7", "C6:C7", "D6:H6"):
        sheet.merge_cells(area)
    folder.mkdir(parents=True, exist_ok=True)
    made.save(folder / f"{m.FILE}.xlsx")
    return folder / f"{m.FILE}.xlsx"


ODS = """<?xml version="1.0" encoding="UTF-8"?><office:document-content
 xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2"><office:body><office:spreadsheet>
<table:table table:name="Лист1">{rows}</table:table></office:spreadsheet></office:body></office:document-content>"""
ODS_CELL = '<table:table-cell office:value-type="string"{times}><text:p>x</text:p></table:table-cell>'


def repeated_ods(folder: Path, rows: int = 1_000_000, columns: int = 3_000) -> Path:
    """One cell that says of itself that it stands there three thousand million times."""
    cell = ODS_CELL.format(times=f' table:number-columns-repeated="{columns}"')
    return ods(folder, f'<table:table-row table:number-rows-repeated="{rows}">{cell}</table:table-row>')


def ods(folder: Path, rows: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{m.FILE}.ods"
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = f"""<?xml version="1.0"?><manifest:manifest
 xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry
 manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>"""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", kind, compress_type=zipfile.ZIP_STORED)
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("content.xml", ODS.format(rows=rows))
    return path


def far_xls(folder: Path) -> Path:
    rows: list[list[b.Cell]] = [*GOOD, *[[None]] * (65_533), [None] * 255 + [1]]
    return b.xls(folder / f"{m.FILE}.xls", {"Лист1": rows})


# --- texts and bytes ---------------------------------------------------------------------------------------


def bytes_of(content: bytes | Callable[[], bytes], suffix: str = "csv") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{m.FILE}.{suffix}"
        path.write_bytes(content() if callable(content) else content)
        return path

    return make


def text(rows: list[list[b.Cell]] = GOOD) -> str:
    return "\n".join(";".join("" if cell is None else str(cell) for cell in row) for row in rows) + "\n"


def encoded(encoding: str, *, mark: bytes = b"") -> Callable[[Path], Path]:
    return bytes_of(lambda: mark + text().encode(encoding, "replace"))


def cut(write: Callable[[Path], Path], keep: float) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = write(folder)
        raw = path.read_bytes()
        path.write_bytes(raw[: int(len(raw) * keep)])
        return path

    return make


def parquet(folder: Path) -> Path:
    return b.parquet(folder / f"{m.FILE}.parquet", GOOD)


def many_rows_parquet(folder: Path) -> Path:
    """A column of one value, told once: kilobytes that say a thousand million rows."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{m.FILE}.parquet"
    column = pa.DictionaryArray.from_arrays(pa.nulls(20_000_000, pa.int8()).fill_null(0), ["x"])
    pq.write_table(pa.table({f"c{i}": column for i in range(30)}), path)
    return path


def renamed(write: Callable[[Path], Path], suffix: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = write(folder)
        return path.rename(path.with_suffix(f".{suffix}"))

    return make


def book_in_zip() -> bytes:
    inside = io.BytesIO()
    with zipfile.ZipFile(inside, "w") as archive:
        archive.writestr("выгрузка.xlsx", b"PK")
    return inside.getvalue()


def wide_csv() -> bytes:
    return (";".join(f"c{i}" for i in range(1_000_000)) + "\n").encode() * 2


def long_cell() -> bytes:
    return text([*GOOD, [*ROW[:5], "Щ" * 25_000_000, *ROW[6:]]]).encode()


def open_quote() -> bytes:
    return (text() + '2023;6;"не закрыта\n' + "2023;6;строка\n" * 10_000).encode()


def headers_again(rows: int = 20_000) -> bytes:
    return text([list(b.OGE)] * rows).encode()


def frame_of(cells: dict[str, list[object]]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{m.FILE}.parquet"
        pl.DataFrame(cells).write_parquet(path)
        return path

    return make


PAGE = b"<html><table><tr><td>1</td></tr></table></html>"


def two_encodings() -> bytes:
    return text().encode() + text([ROW]).encode("cp1251")


def headers_twice() -> bytes:
    return text([[*row, *row[6:8]] for row in GOOD]).encode()


def old_book(folder: Path) -> Path:
    return b.xls(folder / f"{m.FILE}.xls", {"Лист1": GOOD})
