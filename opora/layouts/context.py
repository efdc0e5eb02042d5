"""What a table is about where its columns do not say it: assessment, subject, grade, calendar year, date.

What belongs here: the sources of such facts and their order. A file's content comes first: titles above the
table, the sheet's name, what the rows themselves show. A delivery note that lists the file comes next, the
words of its path last; a path that contradicts the content is only reported. What does not belong here: the
conversion of rows.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import polars as pl

from opora.layouts.convert import date as to_date
from opora.layouts.recognise import Block
from opora.reference import Reference

# What joins the two halves of an academic year: every dash that a keyboard or a typesetter has, a slash, a line.
_JOINED = r"\s*[-‐‑‒–—−_/]\s*"
_YEAR = re.compile(rf"(?<!\d)20\d{{2}}(?:{_JOINED}(?:20)?\d{{2}}(?!\d))?(?!\d)")
_GRADE = re.compile(r"(?<!\d)(\d{1,2})\s*(?:-?й\s*)?кл(?:асс)?\b", re.IGNORECASE)
_NUMBERED = re.compile(r"^(\d{1,2})(?:_|$)")
_DAY = re.compile(r"(?<!\d)(20\d{2})[.\-](0[1-9]|1[0-2])[.\-](0[1-9]|[12]\d|3[01])(?!\d)")
_LOGIN = re.compile(r"(?i)(?<![a-z])(?:edu|sch|(ksh))(\d{6})(?!\d)")
GRADES = range(1, 13)


@dataclass(frozen=True)
class Facts:
    """What is known of a table or of a file; None is «not known»."""

    assessment: str | None = None
    subject_id: str | None = None
    grade: int | None = None
    year: int | None = None
    held_on: dt.date | None = None
    exam_code: str | None = None
    school_key: str | None = None

    def filled_from(self, other: Facts) -> Facts:
        """These facts, with gaps filled from others."""
        gaps = {name: getattr(other, name) for name in self.__dataclass_fields__ if getattr(self, name) is None}
        return replace(self, **gaps)


def subject_reader(reference: Reference, assessment: str | None) -> Callable[[str], str | None]:
    """How a subject is read from words of a table: of an assessment only its own subjects are meant."""
    known = assessment if assessment and reference.subjects_of(assessment) else None
    return lambda text: reference.subject_for(text, known)


def calendar_year(cell: pl.Expr) -> pl.Expr:
    """The calendar year in which spring falls: of `2023` it is 2023, of `2022-2023` and `2022/23` too."""
    text = cell.cast(pl.String)
    first = text.str.extract(r"(20\d{2})").cast(pl.Int64)
    second = text.str.extract(rf"20\d{{2}}{_JOINED}(?:20)?(\d{{2}})\b").cast(pl.Int64)
    return pl.when((first + 1) % 100 == second).then(first + 1).otherwise(first)


def _years(text: str) -> list[int]:
    """The calendar years that a text names; an academic year is that of its spring."""
    found = pl.DataFrame({"year": [match[0] for match in _YEAR.finditer(text)]}, schema={"year": pl.String})
    return found.select(calendar_year(pl.col("year"))).to_series().to_list()


def _days(text: str) -> list[dt.date]:
    """The days that a text names; the thirtieth of February is none."""
    found = pl.Series(["-".join(parts) for parts in _DAY.findall(text)], dtype=pl.String)
    return found.str.to_date("%Y-%m-%d", strict=False).drop_nulls().to_list()


def facts_of_path(relative: str, reference: Reference) -> Facts:
    """What the words of a path say: folders such as `2020/5/`, names such as `05_russkiy.parquet`."""
    parts = re.split(r"[\\/]", relative)
    stem = re.sub(r"\.[a-zA-Z]+$", "", parts[-1])
    grades = [int(number) for number in _GRADE.findall(stem)[:1]]
    grades += [int(found[1]) for part in (stem, *reversed(parts[:-1])) if (found := _NUMBERED.match(part))]
    word = _ASSESSMENT.search(relative)
    days = _days(relative)
    years = [year for part in parts for year in _years(part)]
    logins = ["".join(found).lower() for found in _LOGIN.findall(relative)]
    code = _EXAM_CODE.search(stem)
    return Facts(
        assessment=ASSESSMENT_WORDS[word[0].lower()] if word else None,
        subject_id=reference.subject_for(stem.replace("_", " ")),
        grade=next((grade for grade in grades if grade in GRADES), None),
        year=years[-1] if years else None,
        held_on=days[-1] if days else None,
        exam_code=code[1] if code else None,
        school_key=logins[-1] if logins else None,
    )


_EXAM_CODE = re.compile(r"(?<!\d)(\d{2})\s-\s")
ASSESSMENT_WORDS = {"огэ": "oge", "oge": "oge", "егэ": "ege", "ege": "ege", "впр": "vpr", "vpr": "vpr"}
_ASSESSMENT = re.compile(rf"(?i)(?<![a-zа-яё])(?:{'|'.join(ASSESSMENT_WORDS)})(?![a-zа-яё])")


def facts_of_block(block: Block, rows: pl.DataFrame, reference: Reference) -> Facts:
    """What the content of a table says. `rows` are the cleaned texts of its data rows."""
    constants, declared = block.layout.constants, block.layout.context
    assessment, subject = constants.get("assessment"), constants.get("subject_id")
    facts = Facts(
        assessment=None if assessment is None else str(assessment),
        subject_id=declared.subject if subject is None else str(subject),
        grade=declared.grade,
        year=declared.year,
    )
    subject_of = subject_reader(reference, facts.assessment)
    facts = facts.filled_from(_titled([*block.title, block.sheet.name], declared.title, subject_of))
    if declared.date_from and declared.date_from in rows.columns:
        first = rows.select(to_date(pl.col(declared.date_from)).drop_nulls().first()).item()
        facts = facts.filled_from(Facts(held_on=first, year=first.year if first else None))
    if declared.subject_vote and declared.subject_vote in rows.columns:
        facts = facts.filled_from(Facts(subject_id=_voted(rows[declared.subject_vote], subject_of)))
    if declared.grade_from_code is not None and "participant_code" in rows.columns:
        grade = _grade_of_codes(rows["participant_code"], declared.grade_from_code)
        facts = facts.filled_from(Facts(grade=grade))
    return facts


def _titled(texts: Iterable[str], patterns: Iterable[str], subject_of: Callable[[str], str | None]) -> Facts:
    """What titles say, the first of them first; a year that one of them names beats a day above it."""
    facts, named = Facts(), None
    for text in texts:
        for pattern in patterns:
            if found := re.search(pattern, text, re.IGNORECASE):
                groups = found.groupdict()
                facts, named = facts.filled_from(_of_title(groups, subject_of)), named or groups.get("year")
    if named and facts.year != int(named):  # the day is that of the export
        facts = replace(facts, year=int(named), held_on=None)
    return facts


def _of_title(groups: dict[str, str | None], subject_of: Callable[[str], str | None]) -> Facts:
    """Facts of the named groups of a title pattern."""
    subject, grade, year, day = (groups.get(name) for name in ("subject", "grade", "year", "date"))
    held_on = pl.select(to_date(pl.lit(day))).item() if day else None
    return Facts(
        subject_id=subject_of(subject) if subject else None,
        grade=int(grade) if grade else None,
        year=int(year) if year else (held_on.year if held_on else None),
        held_on=held_on,
        exam_code=groups.get("code"),
    )


def _voted(texts: pl.Series, subject_of: Callable[[str], str | None]) -> str | None:
    """The subject that most rows name, if most of the rows that name any name it."""
    counts = texts.drop_nulls().value_counts()
    votes: dict[str, int] = {}
    for text, count in counts.rows():
        subject = subject_of(text)
        if subject:
            votes[subject] = votes.get(subject, 0) + count
    if not votes:
        return None
    subject, most = max(votes.items(), key=lambda vote: vote[1])
    return subject if most * 2 > sum(votes.values()) else None


def _grade_of_codes(codes: pl.Series, shift: int) -> int | None:
    """The grade in front of most pupil codes, which are grade × 10000 + n; of grades 10 and 11 shorter ones.

    A leading 1 is grade 11 and a leading 2 grade 10 where codes count them so (ВПР 2021 and 2022). Where no grade has
    most of them, two works stand in one table, and nobody can say which a row is of.
    """
    leading = codes.drop_nulls().str.extract(r"^(\d)\d{3,4}$").drop_nulls()
    if leading.is_empty():
        return None
    first, most = leading.value_counts(sort=True).row(0)
    if most * 2 <= len(leading):
        return None
    digit = int(first)
    return {1: 11, 2: 10}.get(digit, digit + shift)
