"""Russian typography of figures: decimal comma, no-break spaces, dashes, dates, years.

Belongs here: a value to the words a document prints. Does not belong here: which value is printed.
A value that is missing is a dash, never a zero.
"""

from __future__ import annotations

import datetime as dt
import re

from opora.safe_text import plain

NBSP = "\u00a0"
MINUS = "−"
DASH = "—"
_GLUED = (
    (re.compile(r"(?<=\d) (?=%|п\. ?п\.|дн\.|чел\.|балл)"), NBSP),  # 12,5 %
    (re.compile(r"(?<=№) ?(?=\d)"), NBSP),
    (re.compile(r"\bn = (?=\d)"), f"n{NBSP}={NBSP}"),
    (re.compile(r"(?<=\bп\.) (?=п\.)"), NBSP),
    (re.compile(r"(?<=\d) (?=класс|участник|школ|работ|год)"), NBSP),
    (re.compile(r" (?=—)"), NBSP),
    (re.compile(r"\b(им|с|г|д|п|пос|ст|р|х)\. (?=[А-ЯЁ«])"), rf"\1.{NBSP}"),
)


def text(value: object) -> str:
    """Words of a mart as a document prints them: one line, «quotes», glued spaces."""
    if value is None or value == "":
        return DASH
    words = re.sub(r'(^|[\s(«])"(?=\S)', r"\1«", plain(str(value))).replace('"', "»")
    for pattern, glued in _GLUED:
        words = pattern.sub(glued, words)
    return words.strip()


def number(value: float | int | None, digits: int = 0) -> str:
    """1 065; 12,50 with `digits`; −3."""
    if value is None:
        return DASH
    shown = f"{abs(value):,.{digits}f}".replace(",", NBSP).replace(".", ",")
    return (MINUS if value < 0 and re.search(r"[1-9]", shown) else "") + shown


def short_number(value: float | None) -> str:
    """As many digits as the value needs, two at most: 21; 3,5; 0,33."""
    if value is None:
        return DASH
    digits = next(d for d in (0, 1, 2) if d == 2 or round(value, d) == round(value, 6))
    return number(value, digits)


def percent(share: float | None, digits: int = 1) -> str:
    """A share of 0–1 as 12,5 %."""
    return DASH if share is None else f"{number(100 * share, digits)}{NBSP}%"


def interval(low: float | None, high: float | None, digits: int = 1) -> str:
    """An interval of shares as 7,4–23,1 %."""
    if low is None or high is None:
        return DASH
    return f"{number(100 * low, digits)}–{number(100 * high, digits)}{NBSP}%"


def points(value: float | None, digits: int = 1) -> str:
    """A difference of shares as +3,1 п. п."""
    if value is None:
        return DASH
    sign = "+" if value > 0 else ""
    return f"{sign}{number(100 * value, digits)}{NBSP}п.{NBSP}п."


def day(value: dt.date | None) -> str:
    return DASH if value is None else f"{value:%d.%m.%Y}"


def year(academic_year: str | None) -> str:
    """2023/24."""
    return DASH if not academic_year else re.sub(r"^(\d{4})-\d\d(\d\d)$", r"\1/\2", academic_year)


def yes(value: bool | None) -> str:
    return DASH if value is None else ("да" if value else "нет")


def counted(value: int, one: str, few: str, many: str) -> str:
    """3 школы, 5 школ, 21 школа."""
    tens, ones = value % 100, value % 10
    form = one if ones == 1 and tens != 11 else few if 2 <= ones <= 4 and not 12 <= tens <= 14 else many
    return f"{number(value)}{NBSP}{form}"


def file_name(*parts: str) -> str:
    """A name that every file system takes, from words of any origin."""
    joined = " ".join(part for part in parts if part)
    return re.sub(r"\s+", " ", re.sub(r'[\\/:*?"<>|\x00-\x1f]+', " ", joined)).strip(" .")[:80] or "документ"
