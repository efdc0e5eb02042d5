"""Settings of the gate and the counts that a person reviewed and expects.

What belongs here: the models of `reference/release/gate.yaml` and `<home>/expected_rows.yaml`. What does not: checks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import yaml

from opora.facts import AcademicYearId, Cited, Fact, ReferenceFileError, Setting, parse_file, read_file
from opora.home import Home, write_whole

GATE_FILE = "release/gate.yaml"
EXPECTED_FILE = "expected_rows.yaml"
_HEADER = (
    "# Ожидаемое число строк витрин по учебным годам. Написано по выпуску командой opora release expect и проверяется\n"
    "# человеком: шлюз сравнивает с ним каждый следующий выпуск. tolerance_pct — допустимое расхождение, в процентах.\n"
)


class GateFacts(Cited):
    """How far a candidate may differ from the former release, and what a published total that differs does."""

    rows_may_fall_pct: Setting[int]
    participants_may_fall_pct: Setting[int]
    listed_may_change_pct: Setting[int]
    listed_may_change_schools: Setting[int]
    published_totals: Setting[Literal["warn", "refuse"]]


class ExpectedRows(Fact):
    mart: str
    academic_year: AcademicYearId
    rows: int
    tolerance_pct: int = 0


class ExpectedRowsFile(Fact):
    """What a person reviewed: the rows of marts by academic year."""

    reviewed_ru: str = ""
    expected: tuple[ExpectedRows, ...]


def load_gate_facts() -> GateFacts:
    return read_file(GATE_FILE, GateFacts)


def load_expected_rows(home: Home) -> ExpectedRowsFile | None:
    """The reviewed counts of a home, None if nobody wrote any. Raises ReferenceFileError naming file and field."""
    path = expected_rows_path(home)
    if not path.is_file():
        return None
    try:
        return parse_file(path.name, path.read_bytes(), ExpectedRowsFile)
    except ReferenceFileError as error:
        raise ReferenceFileError(str(error).replace(f"reference/{path.name}", str(path))) from error


def expected_rows_path(home: Home) -> Path:
    return home.root / EXPECTED_FILE


def write_expected_rows(home: Home, file: ExpectedRowsFile) -> Path:
    """Write the counts for review; the path."""
    path = expected_rows_path(home)
    text = _HEADER + yaml.safe_dump(file.model_dump(mode="json"), allow_unicode=True, sort_keys=False, width=110)
    write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))
    return path
