"""Hostile and broken files are refused or made harmless, each within bounds, and the rest of the run goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from opora.delivery import read_records
from opora.home import PROJECT, Home
from opora.intake import ingest
from opora.landing import survey
from opora.limits import bound, load_limits
from tests import builders as b
from tests import hostile as h
from tests import minimal as m

Make = Callable[[Path], Path]


@dataclass(frozen=True)
class Trick:
    """What is sent, and what is said: the check, words of the message; no check where the file is taken as it is."""

    name: str
    make: Make
    check_id: str = ""
    says: str = ""

    def __str__(self) -> str:
        return self.name


REFUSED = [
    Trick("a bomb", h.honest_bomb, "too_large", "больше файла"),
    Trick("a bomb that lies of its size", h.lying_bomb, "unsafe_archive", "больше, чем заявлено"),
    Trick("billion laughs", h.with_prologue(h.LAUGHS), "unsafe_archive", "сущности XML"),
    Trick("an external entity", h.with_prologue(h.OUTSIDE), "unsafe_archive", "сущности XML"),
    Trick("entities in UTF-16", h.in_utf16, "unsafe_archive", "UTF-16"),
    Trick("a path out", h.named("../../etc/cron.d/x"), "unsafe_archive", "путём наружу"),
    Trick("an absolute path", h.named("/etc/x"), "unsafe_archive", "путём наружу"),
    Trick("a path of Windows", h.named("C:\\x"), "unsafe_archive", "путём наружу"),
    Trick("a device", h.named("xl/CON.xml"), "unsafe_archive", "именем устройства"),
    Trick("a long name", h.named("x" * 300), "unsafe_archive", "недопустимым именем"),
    Trick("a name with a break", h.named("xl/a\nb"), "unsafe_archive", "недопустимым именем"),
    Trick("a link", h.entry(h.link()), "unsafe_archive", "ссылка"),
    Trick("a name twice", h.named("XL/Workbook.xml"), "unsafe_archive", "две части"),
    Trick("a strange packing", h.entry(h.packed_by(zipfile.ZIP_BZIP2)), "unsafe_archive", "сжата"),
    Trick("a password", h.with_password, "unreadable_file", "паролем"),
    Trick("the last cell of a sheet", h.far_cell, "too_large", "16\u00a0384"),
    Trick("many sheets", h.many_sheets, "too_large", "Листов в книге: 301"),
    Trick("half a book", h.cut(h.book, 0.5), "unreadable_file", "обрывается"),
    Trick("a book without its end", h.cut(h.book, 0.98), "unreadable_file", "обрывается"),
    Trick("half a Parquet", h.cut(h.parquet, 0.5), "unreadable_file", "не открывается"),
    Trick("half a letter", h.bytes_of(lambda: h.text().encode()[:-23]), "unreadable_file", "обрывается"),
    Trick("DOS", h.encoded("cp866"), "wrong_encoding", "DOS (cp866)"),
    Trick("КОИ-8", h.encoded("koi8-r"), "wrong_encoding", "КОИ-8"),
    Trick(
        "two encodings",
        h.bytes_of(lambda: h.text().encode() + h.text([h.ROW]).encode("cp1251")),
        "wrong_encoding",
        "строка 3 нет",
    ),
    Trick("binary", h.bytes_of(bytes(range(256)) * 40), "unreadable_file", "двоичные данные"),
    Trick("half of UTF-16", h.bytes_of(lambda: h.text().encode("utf-16")[:-1]), "wrong_encoding", "UTF-16"),
    Trick("a million columns", h.bytes_of(h.wide_csv), "too_large", "Столбцов в таблице"),
    Trick("a cell of 50 MB", h.bytes_of(h.long_cell), "too_large", "Строка 3, столбец 6"),
    Trick("an open quote", h.bytes_of(h.open_quote), "unreadable_file", "кавычки"),
    Trick("a header 20,000 times", h.bytes_of(h.headers_again), "too_large", "похожих на шапку"),
    Trick(
        "headers twice",
        h.bytes_of(lambda: h.text([[*r, *r[6:8]] for r in h.GOOD]).encode()),
        "duplicate_headers",
        "дважды",
    ),
    Trick("a picture", h.bytes_of(b"\x89PNG\r\n\x1a\n" + b"\0" * 400, "xlsx"), "unreadable_file", "двоичные"),
    Trick(
        "a page as a book",
        h.bytes_of(b"<html><table><tr><td>1</td></tr></table></html>", "xls"),
        "unknown_layout",
        "шапка",
    ),
    Trick("an archive as a book", h.bytes_of(h.book_in_zip, "xlsx"), "unreadable_file", "не открывается"),
    Trick("an archive", h.bytes_of(h.book_in_zip, "zip"), "unknown_layout", "не таблица"),
    Trick("a program", h.bytes_of(b"\x7fELF" + bytes(500), "csv"), "unreadable_file", "двоичные"),
    *(
        Trick(f"nothing.{kind}", h.bytes_of(b"", kind), "no_data_rows", "пуст")
        for kind in ("csv", "xlsx", "xls", "parquet")
    ),
    Trick("a Parquet of structures", h.frame_of({"a": [[1]], "b": [{"c": 1}]}), "unreadable_file", "не открывается"),
    Trick("a Parquet of bytes", h.frame_of({"a": [b"\xff\xfe"]}), "unreadable_file", "не открывается"),
]
ACCEPTED = [
    Trick("a book", h.book),
    Trick("a dimension that lies", h.declared_far),
    Trick("queries in UTF-16", h.with_queries),
    Trick("a hidden sheet", h.hidden_sheet, "hidden_sheet_read", "скрыт"),
    Trick(
        "an old book as a new one", h.renamed(lambda folder: b.xls(folder / f"{m.FILE}.xls", {"Лист1": h.GOOD}), "xlsx")
    ),
    Trick("a book as a text", h.renamed(h.book, "csv")),
    Trick("a Parquet as a book", h.renamed(h.parquet, "xlsx")),
    *(Trick(name, h.encoded(name)) for name in ("utf-8-sig", "cp1251", "utf-16", "utf-16-le", "utf-16-be")),
    Trick("a zero byte", h.bytes_of(lambda: h.text().replace("СОШ", "С\0ОШ").encode())),
    Trick("a merged header", h.merged_header),
]


@pytest.mark.parametrize("trick", REFUSED, ids=str)
def test_a_trick_is_refused_in_words(trick: Trick, tmp_path: Path) -> None:
    result = b.read(trick.make(tmp_path))
    assert result.record.status == "refused"
    assert result.record.issues == {trick.check_id: 1}, result.record.message_ru
    assert trick.says in result.record.message_ru
    assert result.parts == {}


@pytest.mark.parametrize("trick", ACCEPTED, ids=str)
def test_what_is_only_odd_is_read(trick: Trick, tmp_path: Path) -> None:
    result = b.read(trick.make(tmp_path))
    assert (result.record.rows.accepted, result.record.rows.quarantined) == (1, 0), result.record.message_ru
    assert set(result.record.issues) - {"sheet_not_recognised"} == ({trick.check_id} if trick.check_id else set())
    assert trick.says in " ".join(result.issues["reason_ru"])


HOSTILE_NAMES = (
    "=cmd|' /C calc'!A0",
    "'; drop table school; --",
    "<script>alert(1)</script>",
    "a\"b'c",
    "a\u202egpj.exe",
)


def test_names_are_text_and_nothing_else(tmp_path: Path) -> None:
    rows = [
        [2023, 6, "Русский язык", name, f"edu9900{n}", name, *h.ROW[6:]] for n, name in enumerate(HOSTILE_NAMES, 12)
    ]
    frame = b.records(b.read(b.csv(tmp_path / "ф.csv", [b.MARKS, *rows])), "aggregate_result")
    kept = [name.replace("\u202e", "�") for name in HOSTILE_NAMES]
    assert frame["school_label"].to_list() == frame["municipality_label"].to_list() == kept


# --- landing ---------------------------------------------------------------------------------------------


def test_what_is_no_file_stops_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").ensure()
    h.book(home.landing)
    os.mkfifo(home.landing / "труба.csv")
    (home.landing / "устройство.csv").symlink_to("/dev/zero")
    (home.landing / "петля").symlink_to(home.landing / "петля")
    (home.landing / "вверх").symlink_to(home.landing)
    (home.landing / "оборвана").symlink_to(home.landing / "нет")
    deep = home.landing.joinpath(*["п"] * (bound("folder_depth") + 1))
    deep.mkdir(parents=True)
    h.book(deep)
    report = ingest(home, b.reference())
    assert [record.status for record in report.processed] == ["accepted"]
    assert sorted(entry.path.split("/")[0] for entry in report.unread) == [
        "оборвана",
        "п",
        "петля",
        "труба.csv",
        "устройство.csv",
    ]
    assert all(entry.message_ru.endswith(".") for entry in report.unread)


def test_a_file_that_may_not_be_read_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from opora import landing

    home = Home(tmp_path / "home").ensure()
    h.book(home.landing)
    h.book(home.landing / "закрыто")
    digest = landing.sha256_of

    def closed(path: Path) -> str:
        if "закрыто" in path.parts:
            raise PermissionError(13, "Permission denied")
        return digest(path)

    monkeypatch.setattr(landing, "sha256_of", closed)
    report = ingest(home, b.reference())
    assert [record.status for record in report.processed] == ["accepted"]
    assert [(entry.path, entry.reason_ru) for entry in report.unread] == [
        (f"закрыто/{m.FILE}.xlsx", "не читается: нет прав")
    ]


NAMES = (
    b"a\nb.csv",
    "a\u202evsc.exe.csv".encode(),
    b"\xff\xfe.csv",
    b"x" * 251 + b".csv",
    b"' ; rm -rf .csv",
    b"-rf.csv",
    b"=1+1.csv",
)


def test_names_of_files_are_kept_so_that_they_can_be_shown(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").ensure()
    for number, name in enumerate(NAMES):
        path = os.path.join(os.fsencode(home.landing), name)  # noqa: PTH118 - a name that is no text
        content = h.text([list(b.MARKS), [*h.ROW[:5], f"СОШ № {number}", *h.ROW[6:]]])
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(content.encode())
    report = ingest(home, b.reference())
    assert [record.status for record in report.processed] == ["accepted"] * len(NAMES)
    shown = {record.file_name for record in read_records(home).values()}
    assert {"a\\x0ab.csv", "a\\u202evsc.exe.csv", "\\xff\\xfe.csv"} <= shown
    assert not survey(home.landing)[1]


def test_an_error_of_the_program_is_told_without_a_quote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from opora import intake

    def fail(*_: object) -> None:
        raise ValueError("Каннарейкина")

    monkeypatch.setattr(intake, "recognise", fail)
    result = b.read(h.book(tmp_path))
    assert result.record.issues == {"not_processed": 1}
    assert "ValueError (test_hostile:" in result.record.message_ru
    assert "Каннарейкина" not in str(result.record)


# --- bounds ----------------------------------------------------------------------------------------------

WORST: dict[str, Make] = {
    "a text meant by 130,000 cells": lambda folder: h.shared_text(folder, cells=130_000),
    "a cell repeated 3,000,000,000 times": h.repeated_ods,
    "the last cell of a sheet": h.far_cell,
    "a bomb that lies of its size": h.lying_bomb,
    "a cell of 50 MB": h.bytes_of(h.long_cell),
}
WORST_OF_ALL: dict[str, Make] = WORST | {
    "a text meant by 400,000 cells": h.shared_text,
    "the last cell of an old book": h.far_xls,
    "600,000,000 cells of one value": h.many_rows_parquet,
}
MOST_BYTES, MOST_SECONDS = 3_500_000_000, 240
GUARD = """
import json, resource, sys, time
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]), int(sys.argv[2])))
from opora.intake import check
from opora.layouts.model import BUILT_IN, read_layouts
from opora.reference import load_reference
layouts, reference = read_layouts(BUILT_IN), load_reference()
found = {}
for folder in sorted(Path(sys.argv[1]).iterdir()):
    start = time.perf_counter()
    (result,) = check(folder, layouts, reference)
    used = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    found[folder.name] = (result.record.status, sorted(result.record.issues), time.perf_counter() - start, used / 1024)
print(json.dumps(found))
"""


@pytest.mark.parametrize("worst", [WORST, pytest.param(WORST_OF_ALL, marks=pytest.mark.soak)], ids=["short", "long"])
def test_the_worst_files_are_read_within_bounds(
    worst: dict[str, Make], tmp_path: Path, tell_count: Callable[[str], None]
) -> None:
    """All in one process that may not have more; what needs a process of its own has it within the same ceiling."""
    for name, make in worst.items():
        make(tmp_path / name)
    done = subprocess.run(
        [sys.executable, "-c", GUARD, str(tmp_path), str(MOST_BYTES)],
        capture_output=True,
        text=True,
        timeout=MOST_SECONDS,
        cwd=PROJECT,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert set(found) == set(worst)
    assert {status for status, *_ in found.values()} == {"refused"}, found
    assert not [name for name, (_, issues, *_) in found.items() if "not_processed" in issues], found
    slowest = max(found, key=lambda name: found[name][2])
    tell_count(
        f"worst files: {len(found)}; slowest «{slowest}» {found[slowest][2]:.1f} s; "
        f"peak {max(item[3] for item in found.values()):.0f} MiB"
    )


@pytest.mark.parametrize(("name", "make"), [("table_cells", h.parquet), ("text_bytes", h.parquet), ("records", None)])
def test_tables_beyond_the_bounds_are_refused(
    name: str, make: Make | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opora import limits

    monkeypatch.setattr(limits, "bound", lambda asked: 1 if asked == name else getattr(load_limits(), asked).value)
    wide = {"Лист1": [["учебный год", "логин ФИС ОКО", "П1. Всего", "П2. Из них"], ["2022-2023", b.LOGIN, 3, 2]]}
    result = b.read(make(tmp_path) if make else b.xlsx(tmp_path / "п.xlsx", wide))
    assert result.record.issues == {"too_large": 1}
    assert "ожидается не больше 1" in result.record.message_ru
