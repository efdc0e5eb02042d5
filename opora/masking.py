"""What may be quoted of a cell: its place always, its words only if nobody's name can be among them.

What belongs here: how a value is shown in a message, and how a text that names a person is known. What does not:
which columns are personal (the layout says so), hashes (`opora/persons.py`), which text is safe to open
(`opora/safe_text.py`).

A cell that cannot be read may hold anything: a shifted row puts a surname into a column of marks. So a message
quotes in full only numbers, dates, codes of a few letters and words that our own files know (headers, vocabularies,
subjects); of anything else it shows the first letters and the length, with file, sheet, row and column beside it.
"""

from __future__ import annotations

import re
from functools import cache

import polars as pl

from opora.home import PROJECT
from opora.russian import plural
from opora.safe_text import plain

# Files whose words are ours and no person's: what they name may be quoted.
_QUOTED = "reference/intake/quoted_words.yaml"
_OUR_WORDS = (
    _QUOTED,
    "reference/layouts/*.yaml",
    "reference/subjects.yaml",
    "reference/context/*.yaml",
    "reference/risk/*.yaml",
    "schemas/lake/*.yaml",
)
_WORD = re.compile(r"[^\W\d_]+")
_DATE = re.compile(
    r"(?:20\d{2}[-/](?:20)?\d{2}|\d{1,4}[.\-/]\d{1,2}[.\-/]\d{1,4}(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?)"
)
_LOGIN = re.compile(r"(?i)(?:edu|sch|ksh|vpr|reg)\s?(?=(?:\D*\d){4})\w{4,8}")
_LONGEST_QUOTED = 60
# More digits may be a passport or an insurance number.
_MOST_DIGITS = 5
_LEAST_STEM = 4


@cache
def _known_words() -> frozenset[str]:
    paths = [path for pattern in _OUR_WORDS for path in sorted(PROJECT.glob(pattern))]
    words = {_compared(word) for path in paths for word in _WORD.findall(path.read_text(encoding="utf-8"))}
    stems = {word[:length] for word in words for length in range(_LEAST_STEM, len(word))}
    return frozenset(words | stems | {"sheet", "nan", "var"})


def _compared(word: str) -> str:
    return word.lower().replace("ё", "е")


def masked(text: str) -> str:
    """A value as a message shows it: whole if it can be nobody's name or document, else its beginning and length."""
    text = plain(text).strip()
    if len(text) <= _LONGEST_QUOTED and is_nobody(text):
        return text
    shown = 1 if len(text) <= 3 else 2
    return f"{text[:shown]}…({len(text)} {plural(len(text), 'знак', 'знака', 'знаков')})"


def is_nobody(text: str) -> bool:
    """Whether a text can be no person's name or document: a number, a date, a login, words that our own files know."""
    if _DATE.fullmatch(text) or _LOGIN.fullmatch(text):
        return True
    words = _WORD.findall(text)
    digits = sum(character.isdigit() for character in text)
    return digits <= _MOST_DIGITS and all(len(word) == 1 or _compared(word) in _known_words() for word in words)


def shown(value: pl.Expr) -> pl.Expr:
    """`masked` over a column: a message is about few distinct values."""

    def mask(texts: pl.Series) -> pl.Series:
        found = {text: masked(text) for text in texts.drop_nulls().unique()}
        return texts.replace_strict(list(found), list(found.values()), default=None, return_dtype=pl.String)

    return value.cast(pl.String).map_batches(mask, return_dtype=pl.String)


# --- texts that name somebody -----------------------------------------------------------------------------

_NAME = r"\p{Lu}[\p{Ll}\p{Lu}]+(?:-\p{Lu}[\p{Ll}\p{Lu}]+)?"
_PATRONYMIC = r"(?i:\p{L}{2,}(?:вич|вна|ична|вича|вны|ичны|вичу|вне|ичне|вичем|вной|ичной|оглы|кызы))"
_INITIALS = r"\p{Lu}\.\s?\p{Lu}\."
_PERSON = rf"(?:{_NAME}\s+{_NAME}\s+{_PATRONYMIC}|{_NAME}\s+{_INITIALS}|{_INITIALS}\s?{_NAME}|{_NAME}\s+{_PATRONYMIC})"
_PAPER = r"\b\d{3}-\d{3}-\d{3}[ -]\d{2}\b|\b\d{11,12}\b|\b\d{2}\s?\d{2}\s?(?:№\s?|\s)\d{6}\b"
_CONTACT = r"(?:\+7|\b8)[\s(-]*\d{3}[\s)-]*\d{3}[\s-]?\d{2}[\s-]?\d{2}\b|[\w.+-]+@[\w-]+\.\w+"


def names_somebody(text: pl.Expr, *, anywhere: bool) -> pl.Expr:
    """Whether a text is a person's name or holds a document's number.

    `anywhere`: a name within a longer text counts too, and so do a telephone and an address of mail; in names of
    schools it does not, «школа имени И. И. Иванова» is one.
    """
    person = _PERSON if anywhere else rf"^(?:{_PERSON})$"
    found = text.str.contains(person) | text.str.contains(_PAPER)
    return found | text.str.contains(_CONTACT) if anywhere else found
