"""Reference facts: the models of the files in `reference/`, their loader, look-ups and flat tables for dbt.

Belongs here: the shape a fact must have, the checks between facts, questions that facts alone can answer.
Does not belong here: the facts themselves (YAML), rules that need results (dbt), layouts of deliveries.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import model_validator

from opora.dynamics import DYNAMICS_COLUMNS, DynamicsFacts, dynamics_row
from opora.facts import (
    AcademicYearId,
    Cited,
    Cron,
    Dated,
    Fact,
    M,
    Pattern,
    ReferenceFileError,
    Rows,
    default_root,
    frame_schema,
    frames_of,
    parse_file,
    repeated,
)
from opora.methods import Counting, Method, MethodFile, Variant, counting_of, read_methods
from opora.objectivity import MARKER_METHOD_COLUMNS, JournalFacts, MarkerMethod, marker_method_rows, marker_rows

Assessment = Literal["vpr", "oge", "ege", "gve"]


# --- facts ---------------------------------------------------------------------------------------


class AcademicYear(Cited):
    academic_year: AcademicYearId
    starts_on: dt.date
    ends_on: dt.date
    is_open: bool
    maturity: Literal["final", "provisional"]

    @property
    def start_year(self) -> int:
        return int(self.academic_year[:4])

    @property
    def previous_year(self) -> str:
        return f"{self.start_year - 1}-{self.start_year}"


class Subject(Cited):
    """`aliases` are whole words in any case; `codes` are capital letters as in sheet names («РУ 4 …»)."""

    subject_id: str
    title_ru: str
    short_ru: str
    codes: tuple[str, ...] = ()
    aliases: tuple[str, ...]


class ExamCode(Dated):
    code: str
    subject_id: str
    assessments: tuple[Assessment, ...]


class Procedure(Dated):
    procedure_id: str
    assessment: Assessment
    grade: int
    subject_ids: tuple[str, ...]
    title_ru: str
    short_ru: str

    @model_validator(mode="after")
    def _named_after_its_key(self) -> Procedure:
        if not self.procedure_id.startswith(f"{self.assessment}_{self.grade}_"):
            raise ValueError(f"procedure_id '{self.procedure_id}' contradicts assessment and grade")
        return self


class Band(Fact):
    mark: int
    score_min: int
    score_max: int


def parse_bands(text: str) -> tuple[Band, ...]:
    """«0-14/15-25/26-32/33-37», as the letters print a scale, to the score ranges of the marks 2, 3, 4, 5."""
    parts = [re.fullmatch(r"(\d+)-(\d+)", part.strip()) for part in text.split("/")]
    if len(parts) != 4 or not all(parts):
        raise ValueError(f"'{text}' must be four ranges such as 0-14/15-25/26-32/33-37")
    bands = tuple(
        Band(mark=mark, score_min=int(part[1]), score_max=int(part[2]))
        for mark, part in zip((2, 3, 4, 5), parts, strict=True)
        if part
    )
    expected = 0
    for band in bands:
        if band.score_min != expected or band.score_max < band.score_min:
            raise ValueError(f"'{text}' has a gap or an overlap at the mark {band.mark}")
        expected = band.score_max + 1
    return bands


class Scale(Cited):
    """Primary score to mark. The periods in which it held may rest on different evidence."""

    scale_id: str
    assessment: Assessment
    test_grade: int
    subject_id: str
    max_score: int
    bands: str
    periods: tuple[Dated, ...]

    @model_validator(mode="after")
    def _covers_every_score(self) -> Scale:
        if self.mark_bands[-1].score_max != self.max_score:
            raise ValueError(f"bands '{self.bands}' do not end at max_score {self.max_score}")
        return self

    @property
    def mark_bands(self) -> tuple[Band, ...]:
        return parse_bands(self.bands)


class Threshold(Dated):
    assessment: Assessment
    subject_id: str
    purposes: tuple[Literal["certificate", "university"], ...]
    minimum: int
    scale: Literal["test_score", "mark"]


class Session(Cited):
    """One sitting. `subject_ids` names the only subjects held, `omitted_subject_ids` the ones left out."""

    session_id: str
    assessment: Assessment
    calendar_year: int
    season: Literal["spring", "autumn", "main", "additional"]
    grades: tuple[int, ...]
    subject_ids: tuple[str, ...] | None = None
    omitted_subject_ids: tuple[str, ...] = ()
    held_from: dt.date | None = None
    held_to: dt.date | None = None
    held_year: AcademicYearId
    measured_year: AcademicYearId
    grade_shift: int
    is_held: bool
    is_default: bool

    def covers_subject(self, subject_id: str) -> bool:
        return subject_id not in self.omitted_subject_ids and (
            self.subject_ids is None or subject_id in self.subject_ids
        )

    def days_from(self, day: dt.date) -> int:
        """Days between a date and the sitting; 0 within it, very far if the dates are not announced."""
        if self.held_from is None or self.held_to is None:
            return dt.timedelta.max.days
        return max((self.held_from - day).days, (day - self.held_to).days, 0)


class MonitoringEvent(Cited):
    event_id: str
    title_ru: str
    cron: Cron
    job: str
    seed: str
    item_ru: str
    environments: tuple[Literal["local", "production"], ...]


class SchoolType(Cited):
    school_type: str
    title_ru: str
    first_grade: int | None
    last_grade: int | None
    patterns: tuple[Pattern, ...]
    excluded_reason: str | None = None


class ComparabilityBreak(Cited):
    """Results of the named years cannot be set beside those of the year before.

    A temporary one ends with the last named year, when all is again as it was before the first: years on both sides of
    it stand side by side.
    """

    break_id: str
    kind: Literal["sitting", "instrument", "not_held", "population"]
    assessment: Assessment
    grades: tuple[int, ...]
    subject_ids: tuple[str, ...] | None = None
    academic_years: tuple[AcademicYearId, ...]
    is_temporary: bool
    affects_scores: bool
    affects_marks: bool
    label_ru: str

    @model_validator(mode="after")
    def _ends_after_it_began(self) -> ComparabilityBreak:
        if self.is_temporary and len(self.academic_years) < 2:
            raise ValueError(
                f"break '{self.break_id}': a temporary break names its first year and the year after its last"
            )
        return self


# --- files ---------------------------------------------------------------------------------------


class AcademicYearsFile(Fact):
    academic_years: tuple[AcademicYear, ...]


class SubjectsFile(Fact):
    subjects: tuple[Subject, ...]
    exam_codes: tuple[ExamCode, ...]


class ProceduresFile(Fact):
    procedures: tuple[Procedure, ...]


class ScalesFile(Fact):
    scales: tuple[Scale, ...]


class ThresholdsFile(Fact):
    thresholds: tuple[Threshold, ...]


class CalendarFile(Fact):
    timezone: str
    sessions: tuple[Session, ...]
    monitoring: tuple[MonitoringEvent, ...]


class SchoolTypesFile(Fact):
    school_types: tuple[SchoolType, ...]


class BreaksFile(Fact):
    breaks: tuple[ComparabilityBreak, ...]


# --- text ----------------------------------------------------------------------------------------

_LOOKALIKES = str.maketrans("abcehkmoptxy", "авсенкмортху")


def _plain(text: str) -> str:
    """Lower case, ё as е, no quotes, single spaces; Latin look-alikes in a Cyrillic word made Cyrillic."""
    lowered = re.sub(r"[«»\"'“”„`]", " ", text.lower().replace("ё", "е").replace("\u00a0", " "))
    words = (word.translate(_LOOKALIKES) if re.search("[а-я]", word) else word for word in re.findall(r"\S+", lowered))
    return " ".join(words)


def _words(text: str) -> str:
    """The words of a text between single spaces, with one before the first and after the last."""
    return f" {' '.join(re.findall(r'[0-9a-zа-я]+', _plain(text)))} "


# --- the whole -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reference:
    """All reference facts of one version, with the questions they answer."""

    version: str
    academic_years: tuple[AcademicYear, ...]
    subjects: tuple[Subject, ...]
    exam_codes: tuple[ExamCode, ...]
    procedures: tuple[Procedure, ...]
    methods: tuple[Method, ...]
    variants: tuple[Variant, ...]
    scales: tuple[Scale, ...]
    thresholds: tuple[Threshold, ...]
    timezone: str
    sessions: tuple[Session, ...]
    monitoring: tuple[MonitoringEvent, ...]
    school_types: tuple[SchoolType, ...]
    breaks: tuple[ComparabilityBreak, ...]
    marker_methods: tuple[MarkerMethod, ...]
    journal: JournalFacts
    dynamics: DynamicsFacts

    @cached_property
    def _aliases(self) -> list[tuple[str, str]]:
        return [(_words(alias), s.subject_id) for s in self.subjects for alias in s.aliases]

    @cached_property
    def _school_patterns(self) -> list[tuple[re.Pattern[str], SchoolType]]:
        return [(re.compile("|".join(kind.patterns)), kind) for kind in self.school_types]

    def academic_year_of(self, day: dt.date) -> str:
        """The academic year that a date lies in."""
        for year in self.academic_years:
            if year.starts_on <= day <= year.ends_on:
                return year.academic_year
        raise LookupError(f"Дата {day:%d.%m.%Y} вне учебных годов справочника reference/academic_years.yaml")

    def subjects_of(self, assessment: str) -> set[str]:
        return {subject for p in self.procedures if p.assessment == assessment for subject in p.subject_ids}

    def subject_for(self, text: str, assessment: str | None = None) -> str | None:
        """The subject named in a text: the longest alias wins, then the earliest, then a code («РУ»).

        Naming the assessment leaves only its subjects: «Математика (базовый уровень)» is an exam of its own
        in ЕГЭ and plain mathematics in ВПР.
        """
        allowed = {s.subject_id for s in self.subjects} if assessment is None else self.subjects_of(assessment)
        words = _words(text)
        found = [
            (-len(alias), words.find(alias), subject)
            for alias, subject in self._aliases
            if alias in words and subject in allowed
        ]
        if found:
            return min(found)[2]
        codes = {code: s.subject_id for s in self.subjects if s.subject_id in allowed for code in s.codes}
        return next((codes[word] for word in re.findall(r"[А-ЯЁа-яё]+", text) if word in codes), None)

    def subject_for_exam_code(self, assessment: str, code: str, academic_year: str) -> str | None:
        """The subject of an exam code such as «02», which differs between exams and years."""
        wanted = code.strip().zfill(2)
        return next(
            (
                item.subject_id
                for item in self.exam_codes
                if item.code == wanted and assessment in item.assessments and item.covers(academic_year)
            ),
            None,
        )

    def session_for(
        self, assessment: str, year: int, held_on: dt.date | None = None, grade: int | None = None
    ) -> Session:
        """The sitting of a calendar year: the nearest to the date if one is given, else the usual one.

        `grade` is the grade of the test, not of the pupil, who is a year older in an autumn sitting.
        """
        sessions = [
            session
            for session in self.sessions
            if session.assessment == assessment
            and session.calendar_year == year
            and (grade is None or grade in session.grades)
        ]
        if not sessions:
            what = f"{assessment}, {year} год" + (f", {grade} класс" if grade is not None else "")
            raise LookupError(f"В календаре reference/calendar.yaml нет сессии: {what}")
        if held_on is None:
            return min(sessions, key=lambda session: not session.is_default)
        return min(sessions, key=lambda session: (session.days_from(held_on), not session.is_default))

    def school_type_for(self, name: str) -> SchoolType | None:
        """The type of school that its name shows; types are tried in the order of the file."""
        plain = _plain(name)
        return next((kind for pattern, kind in self._school_patterns if pattern.search(plain)), None)

    def method(self, method_id: str) -> Method:
        for method in self.methods:
            if method.method_id == method_id:
                return method
        raise LookupError(f"Нет методики {method_id} в reference/methods/")

    @property
    def official_method(self) -> Method:
        """The method that decides the lists; charts and notes tell its thresholds."""
        return next(method for method in self.methods if method.is_official)

    def held_federally(self, procedure: Procedure, academic_year: str) -> tuple[bool, str | None]:
        """Whether a procedure was held in the country in the year it measures, and what to know about it."""
        if not procedure.covers(academic_year):
            return False, procedure.note_ru or "В этом учебном году процедура не предусмотрена"
        sessions = [
            session
            for session in self.sessions
            if session.assessment == procedure.assessment
            and session.measured_year == academic_year
            and procedure.grade in session.grades
        ]
        held = [
            session
            for session in sessions
            if session.is_held and any(session.covers_subject(subject) for subject in procedure.subject_ids)
        ]
        notes = [session.note_ru for session in held or sessions if session.note_ru]
        if held or notes:
            return bool(held), " ".join(dict.fromkeys(notes)) or None
        return False, "В календаре нет такой процедуры в этом учебном году"

    def tables(self) -> dict[str, pl.DataFrame]:
        """Flat tables for the schema `reference` of the warehouse, in a fixed order of rows."""
        return dict(self._tables)

    @cached_property
    def _tables(self) -> dict[str, pl.DataFrame]:
        return frames_of(_TABLES, self)


def shown_order(procedures: Iterable[str]) -> Callable[[str], tuple[int, str]]:
    """A key that sorts procedures as the reference shows them; those it does not know come last, by id."""
    places = {procedure_id: place for place, procedure_id in enumerate(procedures)}
    return lambda procedure_id: (places.get(procedure_id, len(places)), procedure_id)


# --- tables --------------------------------------------------------------------------------------


def _academic_year_rows(r: Reference) -> Rows:
    for y in r.academic_years:
        yield y.academic_year, y.start_year, y.previous_year, y.is_open, y.maturity


def _subject_rows(r: Reference) -> Rows:
    for s in r.subjects:
        yield s.subject_id, s.title_ru, s.short_ru


def _procedure_rows(r: Reference) -> Rows:
    for order, p in enumerate(r.procedures, start=1):
        yield p.procedure_id, p.assessment, p.grade, p.title_ru, p.short_ru, order


def _procedure_subject_rows(r: Reference) -> Rows:
    for p in r.procedures:
        for subject_id in p.subject_ids:
            yield p.procedure_id, p.assessment, p.grade, subject_id


def _method_rows(r: Reference) -> Rows:
    for m in r.methods:
        s = m.settings
        chosen = [getattr(s, column).value for column in frame_schema(_METHOD_SETTINGS)]
        yield m.method_id, m.title_ru, m.valid_from, m.valid_to, m.is_official, *chosen


def _method_procedure_rows(r: Reference) -> Rows:
    for m in r.methods:
        for order, procedure_id in enumerate(m.settings.procedures.value, start=1):
            yield m.method_id, procedure_id, order, _counting(r, m, procedure_id).counting_id


def _counting(r: Reference, method: Method, procedure_id: str) -> Counting:
    return counting_of(method.settings, next(p.assessment for p in r.procedures if p.procedure_id == procedure_id))


def _countings(r: Reference) -> dict[tuple[str, str], Counting]:
    """Every way in which some method counts a procedure, once."""
    asked = ((m, procedure_id) for m in r.methods for procedure_id in m.settings.procedures.value)
    found = ((_counting(r, m, procedure_id), procedure_id) for m, procedure_id in asked)
    return {(counting.counting_id, procedure_id): counting for counting, procedure_id in found}


def _counting_rows(r: Reference) -> Rows:
    for c in dict.fromkeys(_countings(r).values()):
        yield c.counting_id, c.year_basis, c.grade_basis, c.roll_up_branches, c.attempt, c.minimum_purpose


def _counting_procedure_rows(r: Reference) -> Rows:
    yield from _countings(r)


def _counting_category_rows(r: Reference) -> Rows:
    for c in dict.fromkeys(_countings(r).values()):
        for category in c.categories:
            yield c.counting_id, category


def _method_window_rows(r: Reference) -> Rows:
    for m in r.methods:
        for years in m.settings.pooled_windows.value:
            yield m.method_id, years


def _method_excluded_reason_rows(r: Reference) -> Rows:
    for m in r.methods:
        for reason in m.settings.excluded_school_reasons.value:
            yield m.method_id, reason


def _method_category_rows(r: Reference) -> Rows:
    for m in r.methods:
        for category in m.settings.participant_categories.value:
            yield m.method_id, category


def _reliability_band_rows(r: Reference) -> Rows:
    for m in r.methods:
        for b in m.settings.reliability_bands.value:
            yield m.method_id, b.participants_from, b.participants_to, b.reliability, b.label_ru


def _minimum_score_rows(r: Reference) -> Rows:
    for year in (y.academic_year for y in r.academic_years):
        for t in r.thresholds:
            if t.covers(year):
                for purpose in t.purposes:
                    yield t.assessment, t.subject_id, year, purpose, t.minimum, t.scale, t.evidence


def _score_scale_rows(r: Reference) -> Rows:
    for s in r.scales:
        for year in (y.academic_year for y in r.academic_years):
            for period in (p for p in s.periods if p.covers(year)):
                for b in s.mark_bands:
                    key = (s.scale_id, s.assessment, s.test_grade, s.subject_id, year)
                    yield *key, b.mark, b.score_min, b.score_max, s.max_score, period.evidence


def _procedure_calendar_rows(r: Reference) -> Rows:
    for year in (y.academic_year for y in r.academic_years):
        for p in r.procedures:
            yield year, p.procedure_id, *r.held_federally(p, year)


def _school_type_rows(r: Reference) -> Rows:
    for t in r.school_types:
        yield t.school_type, t.title_ru, t.first_grade, t.last_grade, t.excluded_reason


def _session_rows(r: Reference) -> Rows:
    for s in r.sessions:
        for grade in s.grades:
            key = (s.session_id, s.assessment, s.calendar_year, s.season, grade, s.held_from, s.held_to)
            yield *key, s.held_year, s.measured_year, s.grade_shift, s.is_held


def _comparability_break_rows(r: Reference) -> Rows:
    for b in r.breaks:
        for p in r.procedures:
            subjects = b.subject_ids is None or set(b.subject_ids) & set(p.subject_ids)
            if p.assessment == b.assessment and p.grade in b.grades and subjects:
                for year in b.academic_years:
                    labels = (b.is_temporary, b.affects_scores, b.affects_marks, b.label_ru, b.note_ru)
                    yield b.break_id, p.procedure_id, year, b.kind, *labels


def _marker_method_rows(r: Reference) -> Rows:
    yield from marker_method_rows(r.marker_methods, [y.academic_year for y in r.academic_years])


def _marker_rows(r: Reference) -> Rows:
    yield from marker_rows(r.marker_methods)


def _journal_rows(r: Reference) -> Rows:
    yield r.journal.far_apart_marks.value, r.journal.confidence.value


def _journal_band_rows(r: Reference) -> Rows:
    for b in r.journal.bands.value:
        yield b.participants_from, b.participants_to, b.informativeness, b.label_ru


def _dynamics_rows(r: Reference) -> Rows:
    yield dynamics_row(r.dynamics)


_METHOD_SETTINGS = (
    "low_share_numerator:int low_share_denominator:int minimum_participants:int"
    " previous_year_low_procedures:int both_years_low_procedures:int at_risk_low_procedures:int"
    " year_basis grade_basis ege_mathematics ege_russian_minimum attempt roll_up_branches:bool merged_history"
    " same_procedure_required:bool at_risk_excludes_shnor:bool confidence:float"
    " low_result_decided_by share_interval"
)

_TABLES: dict[str, tuple[str, Callable[[Reference], Rows]]] = {
    "academic_year": (
        "academic_year start_year:int previous_year is_open:bool maturity",
        _academic_year_rows,
    ),
    "subject": ("subject_id title_ru short_ru", _subject_rows),
    "procedure": ("procedure_id assessment grade:int title_ru short_ru sort_order:int", _procedure_rows),
    "procedure_subject": ("procedure_id assessment test_grade:int subject_id", _procedure_subject_rows),
    "method": (
        f"method_id title_ru valid_from:date valid_to:date is_official:bool {_METHOD_SETTINGS}",
        _method_rows,
    ),
    "method_procedure": ("method_id procedure_id sort_order:int counting_id", _method_procedure_rows),
    "counting": (
        "counting_id year_basis grade_basis roll_up_branches:bool attempt minimum_purpose",
        _counting_rows,
    ),
    "counting_procedure": ("counting_id procedure_id", _counting_procedure_rows),
    "counting_category": ("counting_id participant_category", _counting_category_rows),
    "method_window": ("method_id window_years:int", _method_window_rows),
    "method_excluded_reason": ("method_id excluded_reason", _method_excluded_reason_rows),
    "method_category": ("method_id participant_category", _method_category_rows),
    "reliability_band": (
        "method_id participants_from:int participants_to:int reliability label_ru",
        _reliability_band_rows,
    ),
    "minimum_score": (
        "assessment subject_id academic_year purpose minimum:int scale evidence",
        _minimum_score_rows,
    ),
    "score_scale": (
        "scale_id assessment test_grade:int subject_id academic_year"
        " mark:int score_min:int score_max:int max_score:int evidence",
        _score_scale_rows,
    ),
    "procedure_calendar": (
        "academic_year procedure_id is_held_federally:bool note_ru",
        _procedure_calendar_rows,
    ),
    "assessment_session": (
        "session_id assessment calendar_year:int season test_grade:int held_from:date held_to:date"
        " held_year measured_year grade_shift:int is_held:bool",
        _session_rows,
    ),
    "school_type": (
        "school_type title_ru first_grade:int last_grade:int excluded_reason",
        _school_type_rows,
    ),
    "comparability_break": (
        "break_id procedure_id academic_year kind is_temporary:bool affects_scores:bool affects_marks:bool"
        " label_ru note_ru",
        _comparability_break_rows,
    ),
    "marker_method": (MARKER_METHOD_COLUMNS, _marker_method_rows),
    "marker": (
        "method_id marker_id criterion procedure_id earlier_procedure_id title_ru sort_order:int",
        _marker_rows,
    ),
    "journal": ("far_apart_marks:int confidence:float", _journal_rows),
    "journal_band": ("participants_from:int participants_to:int informativeness label_ru", _journal_band_rows),
    "dynamics": (DYNAMICS_COLUMNS, _dynamics_rows),
}


# --- checks between facts ------------------------------------------------------------------------

# file, what is wrong, with which values; without values nothing is
Problems = Iterator[tuple[str, str, list[str]]]


def _years_of(r: Reference, fact: Dated) -> list[str]:
    return [y.academic_year for y in r.academic_years if fact.covers(y.academic_year)]


def _subject_ids(r: Reference) -> set[str]:
    return {s.subject_id for s in r.subjects}


def _procedure_ids(r: Reference) -> set[str]:
    return {p.procedure_id for p in r.procedures}


def _unknown(values: Iterable[str | None], known: Iterable[str]) -> list[str]:
    return sorted({value for value in values if value is not None} - set(known))


def _contradictions(r: Reference) -> Iterator[str]:
    """What no file shows alone: repeated keys, names nobody declared, facts that overlap in a year."""
    for theme in _THEMES:
        for file, problem, values in theme(r):
            if values:
                yield f"reference/{file}: {problem}: {', '.join(values)}"


def _year_problems(r: Reference) -> Problems:
    starts = [y.starts_on for y in r.academic_years]
    ends = [y.ends_on for y in r.academic_years]
    gaps = [str(start) for start, end in zip(starts[1:], ends[:-1], strict=True) if (start - end).days != 1]
    yield "academic_years.yaml", "academic_year: repeated", repeated(y.academic_year for y in r.academic_years)
    yield "academic_years.yaml", "starts_on: does not follow the year before", gaps


def _subject_problems(r: Reference) -> Problems:
    aliases = (_words(alias) for s in r.subjects for alias in s.aliases)
    codes = (code for s in r.subjects for code in s.codes)
    exam_codes = ((a, c.code, year) for c in r.exam_codes for a in c.assessments for year in _years_of(r, c))
    unknown = _unknown((c.subject_id for c in r.exam_codes), _subject_ids(r))
    yield "subjects.yaml", "subject_id: repeated", repeated(s.subject_id for s in r.subjects)
    yield "subjects.yaml", "aliases: two subjects claim", repeated(aliases)
    yield "subjects.yaml", "codes: two subjects claim", repeated(codes)
    yield "subjects.yaml", "exam_codes: two subjects in one year", repeated(exam_codes)
    yield "subjects.yaml", "exam_codes.subject_id: unknown", unknown


def _procedure_problems(r: Reference) -> Problems:
    unknown = _unknown((s for p in r.procedures for s in p.subject_ids), _subject_ids(r))
    yield "procedures.yaml", "procedure_id: repeated", repeated(p.procedure_id for p in r.procedures)
    yield "procedures.yaml", "subject_ids: unknown", unknown


def _method_problems(r: Reference) -> Problems:
    procedures = (p for m in r.methods for p in m.settings.procedures.value)
    reasons = (reason for m in r.methods for reason in m.settings.excluded_school_reasons.value)
    known = (t.excluded_reason for t in r.school_types if t.excluded_reason)
    yield "methods", "settings.procedures: unknown", _unknown(procedures, _procedure_ids(r))
    yield "methods", "settings.excluded_school_reasons: unknown to school_types.yaml", _unknown(reasons, known)


def _scale_problems(r: Reference) -> Problems:
    held = (
        (s.assessment, s.test_grade, s.subject_id, year)
        for s in r.scales
        for p in s.periods
        for year in _years_of(r, p)
    )
    yield "scales", "scale_id: repeated", repeated(s.scale_id for s in r.scales)
    yield "scales", "subject_id: unknown", _unknown((s.subject_id for s in r.scales), _subject_ids(r))
    yield "scales", "periods: two scales in one year", repeated(held)


def _threshold_problems(r: Reference) -> Problems:
    held = (
        (t.assessment, t.subject_id, use, year) for t in r.thresholds for use in t.purposes for year in _years_of(r, t)
    )
    yield "thresholds", "subject_id: unknown", _unknown((t.subject_id for t in r.thresholds), _subject_ids(r))
    yield "thresholds", "valid_from: two minimums in one year", repeated(held)


def _calendar_problems(r: Reference) -> Problems:
    subjects = (x for s in r.sessions for x in (s.subject_ids or ()) + s.omitted_subject_ids)
    sittings = {(s.assessment, s.calendar_year, g) for s in r.sessions for g in s.grades}
    defaults = [(s.assessment, s.calendar_year, g) for s in r.sessions if s.is_default for g in s.grades]
    not_one = repeated(defaults) + sorted(str(sitting) for sitting in sittings - set(defaults))
    yield "calendar.yaml", "sessions.session_id: repeated", repeated(s.session_id for s in r.sessions)
    yield "calendar.yaml", "monitoring.event_id: repeated", repeated(e.event_id for e in r.monitoring)
    yield "calendar.yaml", "sessions.subject_ids: unknown", _unknown(subjects, _subject_ids(r))
    yield "calendar.yaml", "sessions.is_default: must be true for exactly one sitting of", not_one


def _school_type_problems(r: Reference) -> Problems:
    yield "school_types.yaml", "school_type: repeated", repeated(t.school_type for t in r.school_types)


def _break_problems(r: Reference) -> Problems:
    subjects = (s for b in r.breaks for s in b.subject_ids or ())
    yield "breaks.yaml", "break_id: repeated", repeated(b.break_id for b in r.breaks)
    yield "breaks.yaml", "subject_ids: unknown", _unknown(subjects, _subject_ids(r))


def _objectivity_problems(r: Reference) -> Problems:
    held = (year for m in r.marker_methods for year in _years_of(r, m))
    markers = (marker for m in r.marker_methods for marker in m.markers)
    procedures = (p for m in markers for p in (m.procedure_id, m.earlier_procedure_id))
    bases = (m.settings.published_base.value for m in r.marker_methods)
    yield "objectivity", "method_id: repeated", repeated(m.method_id for m in r.marker_methods)
    yield "objectivity", "valid_from: two methods in one year", repeated(held)
    yield "objectivity", "markers.procedure_id: unknown", _unknown(procedures, _procedure_ids(r))
    yield "objectivity", "settings.published_base: unknown", _unknown(bases, _procedure_ids(r))


_THEMES = (
    _year_problems,
    _subject_problems,
    _procedure_problems,
    _method_problems,
    _scale_problems,
    _threshold_problems,
    _calendar_problems,
    _school_type_problems,
    _break_problems,
    _objectivity_problems,
)


# --- loading -------------------------------------------------------------------------------------


def load_reference(root: Path | None = None, own_methods: Path | None = None) -> Reference:
    """Read and check every reference file; a wrong one stops everything, since every figure rests on them.

    `own_methods` is a user's folder of methods to compare with. It is no part of the version, by which deliveries
    are read anew; a release takes it into its fingerprint.
    """
    folder = root or default_root()
    digest = hashlib.sha256()

    def content_of(path: Path) -> tuple[str, bytes]:
        name = path.relative_to(folder).as_posix()
        if not path.is_file():
            raise ReferenceFileError(f"reference/{name}: the file is missing")
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
        return name, content

    def read(path: Path, model: type[M]) -> M:
        return parse_file(*content_of(path), model)

    def read_all(part: str, model: type[M]) -> list[M]:
        return [read(path, model) for path in sorted((folder / part).glob("*.yaml"))]

    years = read(folder / "academic_years.yaml", AcademicYearsFile)
    subjects = read(folder / "subjects.yaml", SubjectsFile)
    procedures = read(folder / "procedures.yaml", ProceduresFile)
    method_files = [content_of(path) for path in sorted((folder / "methods").glob("*.yaml"))]
    own_files = sorted(own_methods.glob("*.yaml")) if own_methods else []
    methods, variants = read_methods(
        [MethodFile(f"reference/{name}", content) for name, content in method_files]
        + [MethodFile(f"methods/{path.name}", path.read_bytes(), is_own=True) for path in own_files]
    )
    scales = read_all("scales", ScalesFile)
    thresholds = read_all("thresholds", ThresholdsFile)
    calendar = read(folder / "calendar.yaml", CalendarFile)
    school_types = read(folder / "school_types.yaml", SchoolTypesFile)
    breaks = read(folder / "breaks.yaml", BreaksFile)
    marker_methods = read_all("objectivity", MarkerMethod)
    journal = read(folder / "journal.yaml", JournalFacts)
    dynamics = read(folder / "dynamics.yaml", DynamicsFacts)

    reference = Reference(
        version=digest.hexdigest()[:12],
        academic_years=years.academic_years,
        subjects=subjects.subjects,
        exam_codes=subjects.exam_codes,
        procedures=procedures.procedures,
        methods=methods,
        variants=variants,
        scales=tuple(scale for file in scales for scale in file.scales),
        thresholds=tuple(threshold for file in thresholds for threshold in file.thresholds),
        timezone=calendar.timezone,
        sessions=calendar.sessions,
        monitoring=calendar.monitoring,
        school_types=school_types.school_types,
        breaks=breaks.breaks,
        marker_methods=tuple(marker_methods),
        journal=journal,
        dynamics=dynamics,
    )
    if problems := list(_contradictions(reference)):
        raise ReferenceFileError("; ".join(problems))
    return reference
