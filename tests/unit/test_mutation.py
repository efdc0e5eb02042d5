"""Files of every layout are spoiled at random, in cells, headers, rows, sheets and bytes: nothing breaks, nobody shows.

The short form is derandomized; the long one (`make soak`) draws anew each time. Every file leaves a record whose rows
add up, and no planted person is found in anything that intake wrote.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from opora.home import Home
from opora.intake import ingest
from tests import builders as b
from tests import minimal as m
from tests.traces import traces
from tests.unit.test_intake import GARBAGE
from tests.unit.test_personal_data import LAYOUTS

# People go where nobody reads, or where only what is expected is kept: not into columns of free labels.
PERSON = "Каннарейкина Ксенофонта Аристарховна"
WANTED = ("каннарейкин", "ксенофонт", "аристархов")
SPOILS: list[b.Cell] = [
    *GARBAGE,
    PERSON,
    f"кл. рук. {PERSON}",
    "=1+1",
    "<b>",
    "'; drop table school; --",
    "\u202e",
    "я" * 40_000,
]
BATCH = 41


def spoiled(sheets: m.Sheets, dice: random.Random) -> m.Sheets:
    """A few changes of cells, rows and sheets."""
    for _ in range(dice.randint(1, 5)):
        name = dice.choice(list(sheets))
        rows = sheets[name]
        y = dice.randrange(len(rows)) if rows else 0
        match dice.choice(
            ["cell", "cell", "header", "row", "row", "blank", "double", "drop", "order", "sheet", "name"]
        ):
            case "cell" | "header" if rows and rows[y]:
                rows[y][dice.randrange(len(rows[y]))] = dice.choice(SPOILS)
            case "row":
                rows.insert(y, [dice.choice(SPOILS) for _ in range(dice.randint(0, 5))])
            case "blank" if rows:
                rows[y] = [None] * len(rows[y])
            case "double" if rows and rows[y]:
                x = dice.randrange(len(rows[y]))
                for row in rows:
                    row[x:x] = row[x : x + 1]
            case "drop" if rows and rows[y]:
                x = dice.randrange(len(rows[y]))
                for row in rows:
                    del row[x : x + 1]
            case "order":
                dice.shuffle(rows)
            case "sheet":
                sheets[f"Лист {len(sheets) + 5}"] = [[dice.choice(SPOILS) for _ in range(3)]]
            case "name":
                sheets = {
                    (f"{PERSON[:25]} {i}" if key == name else key): value
                    for i, (key, value) in enumerate(sheets.items())
                }
    return sheets


def broken(raw: bytes, dice: random.Random) -> bytes:
    """Some bytes changed, cut off or put in between."""
    content = bytearray(raw)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(content)) if content else 0
        match dice.choice(["flip", "cut", "insert", "zero", "double"]):
            case "flip" if content:
                content[at] ^= 1 << dice.randrange(8)
            case "cut":
                del content[at:]
            case "insert":
                content[at:at] = dice.randbytes(dice.randint(1, 20))
            case "zero":
                content[at : at + 8] = bytes(8)
            case "double":
                content += content[at:]
    return bytes(content)


def mutated(folder: Path, layout_number: int, dice: random.Random) -> Path:
    """One spoiled file of a layout, as a book or as text, with its bytes broken now and then."""
    layout = LAYOUTS[layout_number % len(LAYOUTS)]
    kind = dice.choice(["xlsx", "csv", "csv"])
    path = m.write(folder / f"{layout_number}", spoiled(m.minimal(layout), dice), kind)
    if dice.random() < 0.3:
        path.write_bytes(broken(path.read_bytes(), dice))
    return path


def people_where_labels_are(home: Home) -> set[str]:
    """A text that holds a name among other words stays in columns of labels: privacy.md says so. Only these may."""
    return {trace.split("/")[0] for trace in traces(home, WANTED)}


def take_in(folder: Path, dice: random.Random) -> int:
    """A home with one spoiled file of every layout, taken in; the number of files."""
    home = Home(folder).ensure()
    for number in range(BATCH):
        mutated(home.landing, number, dice)
    report = ingest(home, b.reference())
    assert report.unread == ()
    for record in report.processed:
        assert "not_processed" not in record.issues, (record.file_name, record.message_ru)
        assert record.rows.adds_up
        assert record.status == "refused" or record.rows.rows_in > 0 or record.layout_ids == ["delivery_note"]
    assert people_where_labels_are(home) <= {"lake"}
    return len(report.processed)


def test_spoiled_files_of_every_layout(
    tmp_path_factory: pytest.TempPathFactory, tell_count: Callable[[str], None]
) -> None:
    files = [take_in(tmp_path_factory.mktemp("порча"), random.Random(seed)) for seed in (5, 152)]
    tell_count(f"files mutated: {sum(files)} of {len(LAYOUTS)} layouts; every one has a record whose rows add up")


@pytest.mark.soak
def test_spoiled_files_of_every_layout_for_long(
    tmp_path_factory: pytest.TempPathFactory, tell_count: Callable[[str], None]
) -> None:
    files = 0

    @settings(
        max_examples=60,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(dice=st.randoms(use_true_random=True))
    def spoil(dice: random.Random) -> None:
        nonlocal files
        files += take_in(tmp_path_factory.mktemp("порча"), dice)

    spoil()
    tell_count(f"files mutated: {files} of {len(LAYOUTS)} layouts; every one has a record whose rows add up")
