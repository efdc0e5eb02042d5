"""What a table is about where its columns do not say it: assessment, subject, grade, calendar year, date.

What belongs here: the sources of such facts and their order. A file's content comes first: titles above the
table, the sheet's name, what the rows themselves show. A delivery note that lists the file comes next, the
words of its path last; a path that contradicts the content is only reported. What does not belong here: the
conversion of rows.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

import polars as pl

from opora.layouts.convert import date as to_date
from opora.layouts.recognise import Block
from opora.reference import Reference

_YEAR = re.compile(r"(?<!\d)(20\d{2})(?!\d)")
_GRADE = re.compile(r"(?<!\d)(\d{1,2})\s*(?:-?й\s*)?кл(?:асс)?\b", re.IGNORECASE)
_NUMBERED = re.compile(r"^(\d{1,2})(?:_|$)")
_LOGIN = re.compile(r"(?i)(?<![a-z])(?:edu|sch|ksh)(\d{6})(?!\d)")
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
        gaps = {
            name: getattr(other, name) for name in self.__dataclass_fields__ if getattr(self, name) is None
        }
        return replace(self, **gaps)


def facts_of_path(relative: str, reference: Reference) -> Facts:
    """What the words of a path say: folders such as `2020/5/`, names such as `05_russkiy.parquet`."""
    parts = re.split(r"[\\/]", relative)
    stem = re.sub(r"\.[a-zA-Z0-9]+$", "", parts[-1])
    years = [int(year) for part in parts for year in _YEAR.findall(part)]
    grades = [int(number) for number in _GRADE.findall(stem)[:1]]
    grades += [int(found[1]) for part in (stem, *reversed(parts[:-1])) if (found := _NUMBERED.match(part))]
    lowered = relative.lower()
    assessment = next((kind for word, kind in _ASSESSMENT_WORDS if word in lowered), None)
    return Facts(
        assessment=assessment,
        subject_id=reference.subject_for(stem.replace("_", " ")),
        grade=next((grade for grade in grades if grade in GRADES), None),
        year=years[-1] if years else None,
        school_key=logins[-1] if (logins := _LOGIN.findall(relative)) else None,
    )


_ASSESSMENT_WORDS = (
    ("огэ", "oge"),
    ("oge", "oge"),
    ("егэ", "ege"),
    ("ege", "ege"),
    ("впр", "vpr"),
    ("vpr", "vpr"),
)


def facts_of_block(block: Block, rows: pl.DataFrame, reference: Reference) -> Facts:
    """What the content of a table says. `rows` are the cleaned texts of its data rows."""
    layout, declared = block.layout, block.layout.context
    assessment = layout.constants.get("assessment")
    facts = Facts(
        assessment=str(assessment) if assessment is not None else None,
        subject_id=str(layout.constants["subject_id"])
        if "subject_id" in layout.constants
        else declared.subject,
        grade=declared.grade,
        year=declared.year,
    )
    facts = facts.filled_from(_titled([*block.title, block.sheet.name], declared.title, reference))
    if declared.date_from and declared.date_from in rows.columns:
        first = rows.select(to_date(pl.col(declared.date_from)).drop_nulls().first()).item()
        facts = facts.filled_from(Facts(held_on=first, year=first.year if first else None))
    if declared.subject_vote and declared.subject_vote in rows.columns:
        facts = facts.filled_from(Facts(subject_id=_voted(rows[declared.subject_vote], reference)))
    if declared.grade_from_code is not None and "participant_code" in rows.columns:
        facts = facts.filled_from(
            Facts(grade=_grade_of_codes(rows["participant_code"], declared.grade_from_code))
        )
    if facts.held_on and facts.year is None:
        facts = replace(facts, year=facts.held_on.year)
    return facts


def _titled(texts: Iterable[str], patterns: Iterable[str], reference: Reference) -> Facts:
    facts = Facts()
    for text in texts:
        for pattern in patterns:
            found = re.search(pattern, text, re.IGNORECASE)
            if not found:
                continue
            groups = found.groupdict()
            subject, day = groups.get("subject"), groups.get("date")
            held_on = pl.select(to_date(pl.lit(day))).item() if day else None
            facts = facts.filled_from(
                Facts(
                    subject_id=reference.subject_for(subject) if subject else None,
                    grade=int(groups["grade"]) if groups.get("grade") else None,
                    year=int(groups["year"]) if groups.get("year") else (held_on.year if held_on else None),
                    held_on=held_on,
                    exam_code=groups.get("code"),
                )
            )
    return facts


def _voted(texts: pl.Series, reference: Reference) -> str | None:
    """The subject that most rows name, if most of the rows that name any name it."""
    counts = texts.drop_nulls().value_counts()
    votes: dict[str, int] = {}
    for text, count in counts.rows():
        subject = reference.subject_for(text)
        if subject:
            votes[subject] = votes.get(subject, 0) + count
    if not votes:
        return None
    subject, most = max(votes.items(), key=lambda vote: vote[1])
    return subject if most * 2 > sum(votes.values()) else None


def _grade_of_codes(codes: pl.Series, shift: int) -> int | None:
    """The grade in front of most pupil codes: five digits are grade × 10000 + n, of grade 10 and 11 four or five.

    A leading 1 is grade 11 and a leading 2 grade 10 where codes count them so (ВПР 2021 and 2022).
    """
    leading = codes.drop_nulls().str.extract(r"^(\d)\d{3,4}$").drop_nulls()
    if leading.is_empty():
        return None
    digit = int(leading.value_counts(sort=True)[leading.name][0])
    return {1: 11, 2: 10}.get(digit, digit + shift)
