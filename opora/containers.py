"""Books are archives: what stands in one is looked at before anything unpacks it.

What belongs here: bounds, dangerous names and dangerous XML of the parts of a book (xlsx, xlsm, xlsb, ods), and what
reading it would take. What does not: cells (`opora/reading.py`) and the bounds themselves (`opora/limits.py`).

Nothing of an archive is ever written to disk. Its parts are unpacked here once, piece by piece, and thrown away:
the sizes that an archive declares may be lies, and a reader of books would believe them.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from opora.limits import UnreadableFile, bound, refuse_beyond

_PIECE = 1 << 20
_OVERLAP = 64
_SAVE_AGAIN = "Откройте файл в редакторе, сохраните заново как «Книга Excel (.xlsx)» или CSV и пришлите ещё раз."
_TOO_LARGE = "Уберите лишние листы, строки и оформление за пределами данных или пришлите данные в CSV."
_DEVICES = {"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10))}
_LONGEST_NAME = 255
# Parts that no reader of cells opens: Excel keeps its queries there, in UTF-16.
_BESIDE = ("customxml/", "docprops/")
_ENTITY = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
# Places of cells as all writers of books write them, and in any way XML allows: the latter takes twice as long.
_WIDE = re.compile(rb'r="([A-Za-z]{2,4})[0-9]')
_LOW = re.compile(rb'r="[A-Za-z]{1,4}([0-9]{6,9})"')
_ROW = re.compile(rb'<row r="([0-9]{1,9})"')
_ODD = (b" r='", b" r =", b" r= ", b"\tr", b"\nr", b"r\t", b"r\n", b":row", b":c ")
_PLACE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{0,4})([0-9]{1,9})["']""")
_SHARED = re.compile(rb"""\st\s*=\s*["']s["']""")
_ITEM = re.compile(rb"<(?:\w+:)?si[\s>]")
# A sheet with no column of two letters has at most these.
_NARROW = (b"Z",)
# What a reader keeps for a cell, beside its text.
_CELL_BYTES = 40


@dataclass
class Weight:
    """What a book would take: cells of its largest sheet, and bytes in memory by a cautious estimate."""

    unpacked: int = 0
    cells: int = 0
    shared_cells: int = 0
    longest_shared: int = 0
    sheets: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def memory(self) -> int:
        return self.unpacked * 2 + self.cells * _CELL_BYTES + self.shared_cells * self.longest_shared


def weigh(path: Path) -> Weight:
    """Look through an archive; raises UnreadableFile for what no honest program writes or is beyond the bounds."""
    weight = Weight()
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        refuse_beyond("archive_entries", len(entries), "В книге частей", _SAVE_AGAIN)
        _refuse_names(entries)
        declared = sum(entry.file_size for entry in entries)
        refuse_beyond("archive_bytes", declared, "Байт в книге в развёрнутом виде", _TOO_LARGE)
        _refuse_ratio(declared, path.stat().st_size)
        for entry in entries:
            _weigh_entry(file, entry, weight, path.stat().st_size)
    return weight


def _refuse(reason_ru: str) -> UnreadableFile:
    return UnreadableFile("unsafe_archive", reason_ru, _SAVE_AGAIN)


def _refuse_names(entries: list[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    for entry in entries:
        name = entry.filename.replace("\\", "/")
        parts = PurePosixPath(name).parts
        stems = {part.split(".")[0].lower() for part in parts}
        if name.startswith("/") or re.match(r"[A-Za-z]:", name) or ".." in parts or stems & _DEVICES:
            raise _refuse("В архиве книги есть часть с путём наружу или с именем устройства.")
        if len(name) > _LONGEST_NAME or any(ord(character) < 32 for character in name):
            raise _refuse("В архиве книги есть часть с недопустимым именем.")
        if (entry.external_attr >> 16) & 0o170000 == 0o120000:
            raise _refuse("В архиве книги есть символическая ссылка.")
        if entry.flag_bits & 0x1:
            raise UnreadableFile("unreadable_file", "Книга закрыта паролем.", "Снимите пароль и пришлите ещё раз.")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _refuse("Часть книги сжата способом, которого в книгах не бывает.")
        if name.lower() in seen:
            raise _refuse("В архиве книги две части с одним именем.")
        seen.add(name.lower())


def _refuse_ratio(unpacked: int, packed: int) -> None:
    if unpacked > bound("archive_ratio_from_bytes"):
        refuse_beyond(
            "archive_ratio", unpacked // max(packed, 1), "Книга в развёрнутом виде больше файла, раз", _TOO_LARGE
        )


def _weigh_entry(file: BinaryIO, entry: zipfile.ZipInfo, weight: Weight, packed: int) -> None:
    """Unpack one part to nowhere: its real size, and of XML what its cells and entities would do."""
    is_xml = entry.filename.lower().endswith((".xml", ".rels", ".vml"))
    sheet = _Sheet() if is_xml else None
    of_entry, tail = 0, b""
    for piece in _unpacked(file, entry):
        of_entry += len(piece)
        weight.unpacked += len(piece)
        if of_entry > entry.file_size:
            raise _refuse("Часть книги в развёрнутом виде больше, чем заявлено.")
        refuse_beyond("archive_bytes", weight.unpacked, "Байт в книге в развёрнутом виде", _TOO_LARGE)
        _refuse_ratio(weight.unpacked, packed)
        if sheet is not None:
            if of_entry == len(piece) and b"\0" in piece[:64]:
                if entry.filename.lower().startswith(_BESIDE):
                    sheet = None
                    continue
                raise _refuse("Часть книги записана в UTF-16.")
            sheet.look(tail, piece)
            tail = piece[-_OVERLAP:]
    if of_entry < entry.file_size:
        raise _refuse("Часть книги в развёрнутом виде меньше, чем заявлено.")
    if sheet is not None:
        sheet.add_to(weight, PurePosixPath(entry.filename).name)


def _unpacked(file: BinaryIO, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """The bytes of a part in pieces, whatever size is declared; the module zipfile would stop at that."""
    file.seek(entry.header_offset)
    header = file.read(30)
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
        raise _refuse("Оглавление архива книги не сходится с содержанием.")
    name_length, extra_length = struct.unpack("<HH", header[26:30])
    file.seek(name_length + extra_length, 1)
    left = entry.compress_size
    inflate = zlib.decompressobj(-15) if entry.compress_type == zipfile.ZIP_DEFLATED else None
    while left > 0:
        raw = file.read(min(left, _PIECE))
        if not raw:
            raise UnreadableFile("unreadable_file", "Книга обрывается: передана не целиком.", _SAVE_AGAIN)
        left -= len(raw)
        if inflate is None:
            yield raw
            continue
        while raw:
            yield inflate.decompress(raw, _PIECE)
            raw = inflate.unconsumed_tail
    if inflate is not None:
        yield inflate.flush()


class _Sheet:
    """What an XML part says of places of cells, as text: no parser is asked before this has been looked at."""

    def __init__(self) -> None:
        self.columns = self.rows = self.shared = self.items = 0
        self.longest_item = 0
        self._since_item = 0

    def look(self, tail: bytes, piece: bytes) -> None:
        text = tail + piece
        if b"<!" in text and _ENTITY.search(text):
            raise _refuse("В книге объявлены сущности XML: в книгах их не бывает.")
        if text.count(b"<row") != text.count(b'<row r="') or any(odd in text for odd in _ODD):
            places = _PLACE.findall(text)
            columns, rows = {letters for letters, _ in places}, {row for _, row in places}
        else:
            columns, rows = {*_WIDE.findall(text), *_NARROW}, {*_ROW.findall(text), *_LOW.findall(text)}
        self.columns = max(self.columns, *map(_column_number, columns)) if columns else self.columns
        self.rows = max(self.rows, *map(int, rows)) if rows else self.rows
        self.shared += (
            piece.count(b't="s"') + piece.count(b"t='s'") + (len(_SHARED.findall(piece)) if b"t =" in piece else 0)
        )
        self._measure_items(piece)

    def _measure_items(self, piece: bytes) -> None:
        """The longest shared text, at most: the distance between the beginnings of two."""
        start = -self._since_item
        for found in _ITEM.finditer(piece):
            self.items += 1
            self.longest_item = max(self.longest_item, found.start() - start)
            start = found.start()
        self._since_item = len(piece) - start

    def add_to(self, weight: Weight, name: str) -> None:
        if self.items:
            weight.longest_shared = max(weight.longest_shared, self.longest_item, self._since_item)
            return
        cells = self.rows * self.columns
        if self.rows:
            refuse_beyond("columns", self.columns, f"Столбцов на листе {name}", _TOO_LARGE)
            refuse_beyond("sheet_cells", cells, f"Ячеек на листе {name} от A1 до последней занятой", _TOO_LARGE)
            weight.sheets[name] = (self.rows, self.columns)
        weight.cells += cells
        weight.shared_cells += self.shared


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
