"""Numbers, dates and plurals as Russian readers expect them.

What belongs here: one value in, one piece of text out. What does not: words of vocabularies (`words.py`), markup.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal

NO_VALUE = "—"
_NARROW = "\u202f"  # narrow no-break space: between thousands
_FIXED = "\u00a0"  # no-break space: before a unit
_MINUS = "\u2212"
_MONTHS = (
    *("января", "февраля", "марта", "апреля", "мая", "июня"),
    *("июля", "августа", "сентября", "октября", "ноября", "декабря"),
)

Number = float | int | Decimal


def number(value: Number | None, decimals: int = 0) -> str:
    """`1234.5` → «1 234,5»; halves are rounded up, as people do."""
    if value is None:
        return NO_VALUE
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    text = f"{abs(rounded):,.{decimals}f}".replace(",", _NARROW).replace(".", ",")
    return (_MINUS if rounded < 0 else "") + text


def short_number(value: Number | None, decimals: int = 2) -> str:
    """A number without zeros at its end: `3.0` → «3», `2.50` → «2,5»."""
    text = number(value, decimals)
    return text.rstrip("0").rstrip(",") if "," in text else text


def signed(value: Number | None, decimals: int = 1) -> str:
    """A change: «+1,5», «−0,3», «0,0»."""
    text = number(value, decimals)
    return f"+{text}" if value is not None and value > 0 and text.strip("0,") else text


def share(value: Number | None, decimals: int = 1) -> str:
    """A share 0–1 as percent: `0.125` → «12,5 %»."""
    return NO_VALUE if value is None else percent(Decimal(str(value)) * 100, decimals)


def percent(value: Number | None, decimals: int = 1) -> str:
    """A value that is percent already."""
    return NO_VALUE if value is None else f"{number(value, decimals)}{_FIXED}%"


def interval(low: Number | None, high: Number | None, decimals: int = 1) -> str:
    """Ends of an interval of shares: «30,7–50,1 %»."""
    if low is None or high is None:
        return NO_VALUE
    ends = (number(Decimal(str(end)) * 100, decimals) for end in (low, high))
    return "–".join(ends) + f"{_FIXED}%"


def out_of(part: int | None, whole: int | None) -> str:
    """«38 из 95»."""
    return NO_VALUE if part is None or whole is None else f"{number(part)} из {number(whole)}"


def day(value: dt.date | dt.datetime | str | None) -> str:
    """«22.11.2026»."""
    found = _as_date(value)
    return NO_VALUE if found is None else f"{found:%d.%m.%Y}"


def long_day(value: dt.date | dt.datetime | str | None) -> str:
    """«22 ноября 2026»."""
    found = _as_date(value)
    return NO_VALUE if found is None else f"{found.day}{_FIXED}{_MONTHS[found.month - 1]} {found.year}"


def moment(value: dt.datetime | str | None) -> str:
    """«22.11.2026 08:01»."""
    if value is None:
        return NO_VALUE
    found = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{found:%d.%m.%Y %H:%M}"


def _as_date(value: dt.date | dt.datetime | str | None) -> dt.date | None:
    if isinstance(value, str):
        return dt.datetime.fromisoformat(value).date()
    return value.date() if isinstance(value, dt.datetime) else value


def year(academic_year: str | None) -> str:
    """`2023-2024` → «2023/24»."""
    return NO_VALUE if not academic_year else f"{academic_year[:4]}/{academic_year[-2:]}"


def period(name: str) -> str:
    """A period of a programme: an academic or a calendar year."""
    return year(name) if "-" in name else name


def plural(count: int, one: str, few: str, many: str) -> str:
    """The form of a noun that stands after a count: 1 школа, 2 школы, 5 школ."""
    tail, tens = abs(count) % 10, abs(count) % 100
    if tail == 1 and tens != 11:
        return one
    return few if 2 <= tail <= 4 and not 12 <= tens <= 14 else many


def counted(count: int | None, one: str, few: str, many: str) -> str:
    """«5 школ»."""
    return NO_VALUE if count is None else f"{number(count)}{_FIXED}{plural(count, one, few, many)}"


def schools(count: int | None) -> str:
    return counted(count, "школа", "школы", "школ")


def short_name(school_name: str) -> str:
    """What stands in quotation marks at the end of a school's full name; the whole name if nothing does."""
    found = re.search(r"[«\"“„](.+)[»\"”]\s*$", school_name)
    return found[1] if found else school_name
