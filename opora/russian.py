"""Figures, dates, plurals and quotation marks as Russian readers expect them, on pages and in documents alike.

What belongs here: one value in, one piece of text out; a value that is missing is a dash, never a zero. What does
not: words of vocabularies and which value is shown. Halves are rounded up on the decimal number, as people do and as
the macro `number_ru` of dbt does: 1 of 16 is 6,3 % everywhere.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal

from opora.safe_text import plain

DASH = "—"
# Between thousands and before a unit: every font has it, the narrow one (U+202F) few.
NBSP = "\u00a0"
MINUS = "\u2212"
_MONTHS = (
    *("января", "февраля", "марта", "апреля", "мая", "июня"),
    *("июля", "августа", "сентября", "октября", "ноября", "декабря"),
)
_GLUED = (
    (re.compile(r"(?<=\d) (?=%|п\. ?п\.|дн\.|чел\.|балл)"), NBSP),  # 12,5 %
    (re.compile(r"(?<=№) ?(?=\d)"), NBSP),
    (re.compile(r"\bn = (?=\d)"), f"n{NBSP}={NBSP}"),
    (re.compile(r"(?<=\bп\.) (?=п\.)"), NBSP),
    (re.compile(r"(?<=\d) (?=класс|участник|школ|работ|год)"), NBSP),
    (re.compile(r" (?=—)"), NBSP),
    (re.compile(r"\b(им|с|г|д|п|пос|ст|р|х)\. (?=[А-ЯЁ«])"), rf"\1.{NBSP}"),
)

Number = float | int | Decimal


# --- figures -------------------------------------------------------------------------------------------


def number(value: Number | None, decimals: int = 0) -> str:
    """`1234.5` → «1 234,5»."""
    if value is None:
        return DASH
    rounded = _exact(value).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    text = f"{abs(rounded):,.{decimals}f}".replace(",", NBSP).replace(".", ",")
    return (MINUS if rounded < 0 else "") + text


def short_number(value: Number | None, decimals: int = 2) -> str:
    """A number without zeros at its end: `3.0` → «3», `2.50` → «2,5»."""
    text = number(value, decimals)
    return text.rstrip("0").rstrip(",") if "," in text else text


def signed(value: Number | None, decimals: int = 1) -> str:
    """A change: «+1,5», «−0,3», «0,0»."""
    text = number(value, decimals)
    return f"+{text}" if value is not None and value > 0 and text.strip("0,") else text


def percent(value: Number | None, decimals: int = 1) -> str:
    """A value that is percent already: `12.5` → «12,5 %»."""
    return DASH if value is None else f"{number(value, decimals)}{NBSP}%"


def share(value: Number | None, decimals: int = 1) -> str:
    """A share of 0–1 as percent: `0.125` → «12,5 %»."""
    return DASH if value is None else percent(100 * _exact(value), decimals)


def interval(low: Number | None, high: Number | None, decimals: int = 1) -> str:
    """Ends of an interval of shares: «30,7–50,1 %»."""
    if low is None or high is None:
        return DASH
    return f"{number(100 * _exact(low), decimals)}–{share(high, decimals)}"


def points(value: Number | None, decimals: int = 1) -> str:
    """A difference of shares: «+3,1 п. п.»."""
    return DASH if value is None else f"{signed(100 * _exact(value), decimals)}{NBSP}п.{NBSP}п."


def amount(value: Number | None, unit: str) -> str:
    """A value in the unit of its row: `share` and `pct` as percent, `yes` as a word, others as numbers."""
    if value is None:
        return DASH
    if unit == "share":
        return share(value)
    if unit == "yes":
        return yes(value > 0)
    return short_number(value) + (f"{NBSP}%" if unit == "pct" else "")


def out_of(part: int | None, whole: int | None) -> str:
    """«38 из 95»."""
    return DASH if part is None or whole is None else f"{number(part)} из {number(whole)}"


def _exact(value: Number) -> Decimal:
    """The decimal number that is shown of a binary one, as SQL shows it: 0.1 is a tenth, 72.24999999999999 is 72.25."""
    return value if isinstance(value, Decimal) else Decimal(str(round(value, 12)))


# --- days and years ------------------------------------------------------------------------------------


def day(value: dt.date | dt.datetime | str | None) -> str:
    """«22.11.2026»."""
    found = _as_date(value)
    return DASH if found is None else f"{found:%d.%m.%Y}"


def long_day(value: dt.date | dt.datetime | str | None) -> str:
    """«22 ноября 2026»."""
    found = _as_date(value)
    return DASH if found is None else f"{found.day}{NBSP}{_MONTHS[found.month - 1]} {found.year}"


def moment(value: dt.datetime | str | None) -> str:
    """«22.11.2026 08:01»."""
    if value is None:
        return DASH
    found = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{found:%d.%m.%Y %H:%M}"


def _as_date(value: dt.date | dt.datetime | str | None) -> dt.date | None:
    if isinstance(value, str):
        return dt.datetime.fromisoformat(value).date()
    return value.date() if isinstance(value, dt.datetime) else value


def year(name: str | None) -> str:
    """An academic year, `2023-2024` → «2023/24»; a calendar year, which a period of a programme may be, as it is."""
    return DASH if not name else re.sub(r"^(\d{4})-\d\d(\d\d)$", r"\1/\2", name)


# --- words ---------------------------------------------------------------------------------------------


def plural(count: int, one: str, few: str, many: str) -> str:
    """The form of a noun that stands after a count: 1 школа, 2 школы, 5 школ."""
    tail, tens = abs(count) % 10, abs(count) % 100
    if tail == 1 and tens != 11:
        return one
    return few if 2 <= tail <= 4 and not 12 <= tens <= 14 else many


def counted(count: int | None, one: str, few: str, many: str) -> str:
    """«5 школ»."""
    return DASH if count is None else f"{number(count)}{NBSP}{plural(count, one, few, many)}"


def schools(count: int | None) -> str:
    return counted(count, "школа", "школы", "школ")


def yes(value: bool | None) -> str:
    return DASH if value is None else ("да" if value else "нет")


def text(value: object) -> str:
    """Words of a mart as a document prints them: one line, «quotes», glued spaces."""
    if value is None or value == "":
        return DASH
    words = re.sub(r'(^|[\s(«])"(?=\S)', r"\1«", plain(str(value))).replace('"', "»")
    for pattern, glued in _GLUED:
        words = pattern.sub(glued, words)
    return words.strip()


def short_name(school_name: str) -> str:
    """What stands in quotation marks at the end of a school's full name; the whole name if nothing does."""
    found = re.search(r"[«\"“„](.+)[»\"”]\s*$", school_name)
    return found[1] if found else school_name
