"""Bounds on what one file of a supplier may claim to be; the numbers stand in `reference/intake/limits.yaml`.

What belongs here: the model of that file and the refusal of what is beyond it. What does not: how a size is found out
(`opora/containers.py`, `opora/reading.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from opora import russian
from opora.facts import Cited, Setting, read_file

SAVE_AGAIN = "Откройте файл в редакторе, сохраните заново и пришлите ещё раз; возможно, он передан не целиком."


class UnreadableFile(Exception):
    """The file cannot be opened as what its ending says, or is beyond a bound; the message is for the supplier."""

    def __init__(self, check_id: str, reason_ru: str, remedy_ru: str) -> None:
        super().__init__(reason_ru)
        self.check_id = check_id
        self.reason_ru = reason_ru
        self.remedy_ru = remedy_ru

    def as_dict(self) -> dict[str, str]:
        """What makes the same refusal in another process."""
        return {"check_id": self.check_id, "reason_ru": self.reason_ru, "remedy_ru": self.remedy_ru}


@contextmanager
def unreadable_in_words() -> Iterator[None]:
    """Whatever a reader of files fails with is a refusal of the file.

    A panic of a reader's Rust is no Exception. What a reader says may quote cells, so only its kind is told.
    """
    try:
        yield
    except UnreadableFile:
        raise
    except BaseException as error:
        if not (isinstance(error, Exception) or type(error).__name__ == "PanicException"):
            raise
        raise UnreadableFile("unreadable_file", f"Файл не открывается: {type(error).__name__}.", SAVE_AGAIN) from None


class Limits(Cited):
    """The bounds, each with what it is chosen for."""

    archive_entries: Setting[int]
    archive_bytes: Setting[int]
    archive_ratio: Setting[int]
    archive_ratio_from_bytes: Setting[int]
    sheet_cells: Setting[int]
    text_bytes: Setting[int]
    table_cells: Setting[int]
    columns: Setting[int]
    sheets: Setting[int]
    cell_characters: Setting[int]
    header_characters: Setting[int]
    tables_of_sheet: Setting[int]
    records: Setting[int]
    folder_depth: Setting[int]
    light_bytes: Setting[int]
    reader_bytes: Setting[int]
    reader_seconds: Setting[int]


@cache
def load_limits() -> Limits:
    return read_file("intake/limits.yaml", Limits)


def bound(name: str) -> int:
    """The value of one bound."""
    return int(getattr(load_limits(), name).value)


def refuse_beyond(name: str, found: int, what_ru: str, remedy_ru: str) -> None:
    """Raise UnreadableFile where `found` is above the bound: what was found, what is expected, what to do."""
    most = bound(name)
    if found > most:
        raise UnreadableFile(
            "too_large", f"{what_ru}: {russian.number(found)}, ожидается не больше {russian.number(most)}.", remedy_ru
        )
