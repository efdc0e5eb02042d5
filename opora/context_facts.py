"""Conditions of schools as data: the model of `reference/context/indicators.yaml`, its loader, flat tables for dbt.

Belongs here: forms and their questions, components and the ways they follow from answers, how one answer is read.
Does not belong here: the facts themselves (YAML), judging delivered answers (`context_checks.py`), the arithmetic of
components (dbt), indices made of them (`analysis/`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import Field, model_validator

from opora.facts import Cited, Fact, Rows, Setting, frame_of, frames_of, read_file, repeated
from opora.layouts.convert import NOT_A_VALUE, boolean, integer, number

FILE = "context/indicators.yaml"
Kind = Literal["count", "number", "percent", "choice", "flag", "text"]
Group = Literal["territory", "social", "staff", "resources"]
Unit = Literal["share", "count", "ratio", "code", "flag"]
CODED: tuple[Kind, ...] = ("choice", "flag")


class Form(Cited):
    """Where answers come from. `letter` stands in front of the numbers of a form of our own."""

    form_id: str
    title_ru: str
    layout_ids: tuple[str, ...] = ()
    letter: str | None = None


class Question(Fact):
    """One question of a form. Its id is the `indicator_id` of the lake."""

    question_id: str
    form_id: str
    number: str
    kind: Kind
    title_ru: str
    answers: dict[int, str] = Field(default={})
    part_of: str | None = None
    share_of: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Question:
        if (self.kind == "choice") != bool(self.answers):
            raise ValueError(f"{self.question_id}: answers stand with the kind choice, and only with it")
        if (self.kind == "percent") != (self.share_of is not None):
            raise ValueError(f"{self.question_id}: share_of stands with the kind percent, and only with it")
        return self


class Sum(Fact):
    """Parts that do not overlap, so that together they are not more than the whole."""

    parts: tuple[str, ...]
    whole: str


class Contradiction(Cited):
    """Answers that cannot stand beside some answers of another question of the same school."""

    question_id: str
    answers: tuple[int, ...]
    beside: str
    beside_answers: tuple[int, ...]
    reason_ru: str


class Way(Fact):
    """How a component follows from answers: factor × sum of the numerator / sum of the denominator.

    `map` turns the number of an answer into a value; an answer that it does not name gives none.
    """

    numerator: tuple[str, ...]
    denominator: tuple[str, ...] = ()
    map: dict[int, float] = Field(default={})
    factor: float = 1.0
    note_ru: str | None = None


class Component(Cited):
    """One condition of a school. The first way whose answers are all known gives its value."""

    component_id: str
    group: Group
    unit: Unit
    title_ru: str
    labels: dict[int, str] = Field(default={})
    ways: tuple[Way, ...]

    @property
    def bounds(self) -> tuple[float, float | None]:
        """The least and the greatest value that the unit allows."""
        if self.unit == "code":
            return min(self.labels), max(self.labels)
        return 0.0, 1.0 if self.unit in ("share", "flag") else None

    @model_validator(mode="after")
    def _complete(self) -> Component:
        if (self.unit == "code") != bool(self.labels):
            raise ValueError(f"{self.component_id}: labels stand with the unit code, and only with it")
        if not self.ways:
            raise ValueError(f"{self.component_id}: ways are missing")
        return self


class ContextCatalogue(Cited):
    """All of it, checked as a whole."""

    share_tolerance_pct: Setting[float]
    forms: tuple[Form, ...]
    questions: tuple[Question, ...]
    sums: tuple[Sum, ...]
    contradictions: tuple[Contradiction, ...]
    components: tuple[Component, ...]

    @model_validator(mode="after")
    def _consistent(self) -> ContextCatalogue:
        if problems := list(_problems(self)):
            raise ValueError("; ".join(problems))
        return self

    @cached_property
    def by_id(self) -> dict[str, Question]:
        return {question.question_id: question for question in self.questions}

    def questions_of(self, form_id: str) -> tuple[Question, ...]:
        return tuple(question for question in self.questions if question.form_id == form_id)


def _problems(catalogue: ContextCatalogue) -> Iterator[str]:
    questions = {question.question_id: question for question in catalogue.questions}
    keys = {
        "form_id": [form.form_id for form in catalogue.forms],
        "question_id": [question.question_id for question in catalogue.questions],
        "component_id": [component.component_id for component in catalogue.components],
    }
    for name, ids in keys.items():
        if twice := repeated(ids):
            yield f"{name} declared twice: {', '.join(twice)}"
    if unknown := sorted({question.form_id for question in catalogue.questions} - set(keys["form_id"])):
        yield f"unknown forms: {', '.join(unknown)}"
    if unknown := sorted(set(_mentioned(catalogue)) - set(questions)):
        yield f"unknown questions: {', '.join(unknown)}"
        return
    for contradiction in catalogue.contradictions:
        for question_id, answers in (
            (contradiction.question_id, contradiction.answers),
            (contradiction.beside, contradiction.beside_answers),
        ):
            if set(answers) - set(questions[question_id].answers):
                yield f"contradictions: {question_id} has no such answers: {answers}"
    for component in catalogue.components:
        for way in component.ways:
            yield from _way_problems(component, way, questions)


def _mentioned(catalogue: ContextCatalogue) -> Iterator[str]:
    for question in catalogue.questions:
        yield from (name for name in (question.part_of, question.share_of) if name)
    for total in catalogue.sums:
        yield from (*total.parts, total.whole)
    for contradiction in catalogue.contradictions:
        yield from (contradiction.question_id, contradiction.beside)
    for component in catalogue.components:
        for way in component.ways:
            yield from (*way.numerator, *way.denominator)


def _way_problems(component: Component, way: Way, questions: dict[str, Question]) -> Iterator[str]:
    kinds = {questions[name].kind for name in (*way.numerator, *way.denominator)}
    if "text" in kinds:
        yield f"{component.component_id}: a way reads an answer that is no value"
    if way.map and (len(way.numerator) > 1 or way.denominator or kinds != {"choice"}):
        yield f"{component.component_id}: map stands with one question with answers"
    elif way.map and set(way.map) - set(questions[way.numerator[0]].answers):
        yield f"{component.component_id}: map names answers that {way.numerator[0]} does not have"
    values = set(way.map.values()) or (set(questions[way.numerator[0]].answers) if kinds == {"choice"} else set())
    if component.unit == "code" and values - set(component.labels):
        yield f"{component.component_id}: values without a label: {sorted(values - set(component.labels))}"


# --- answers ---------------------------------------------------------------------------------------


def read_answers(question: Question, texts: Iterable[str]) -> dict[str, float | None]:
    """Each text as the number it means: a quantity, the number of an answer, 1 for yes and 0 for no.

    None for a text that is no answer to the question.
    """
    distinct = sorted(set(texts))
    bare = pl.col("text").str.strip_chars()
    said = pl.when(~bare.str.to_lowercase().is_in(list(NOT_A_VALUE))).then(bare)
    values = pl.DataFrame({"text": distinct}, schema={"text": pl.String}).select(
        _READERS[question.kind](question, said).cast(pl.Float64).alias("value")
    )
    return dict(zip(distinct, values["value"], strict=True))


def _count(question: Question, text: pl.Expr) -> pl.Expr:
    value = integer(text)
    return pl.when(value >= 0).then(value)


def _number(question: Question, text: pl.Expr) -> pl.Expr:
    value = number(text)
    return pl.when(value >= 0).then(value)


def _percent(question: Question, text: pl.Expr) -> pl.Expr:
    value = number(text)
    return pl.when(value.is_between(0, 100)).then(value)


def _flag(question: Question, text: pl.Expr) -> pl.Expr:
    return boolean(text)


def _choice(question: Question, text: pl.Expr) -> pl.Expr:
    """«4) Населенный пункт сельского типа (…)» is answer 4; so is a bare 4 and the answer's own words."""
    given = text.str.extract(r"^(\d{1,2})(?:\s*[).].*)?$").cast(pl.Int64)
    words = {_bare(label): value for value, label in question.answers.items()}
    by_words = text.map_elements(lambda said: words.get(_bare(said)), return_dtype=pl.Int64)
    return pl.when(given.is_in(list(question.answers))).then(given).otherwise(by_words)


def _bare(text: str) -> str:
    return re.sub(r"\s+", " ", text.lower().replace("ё", "е")).strip()


_READERS: dict[str, Callable[[Question, pl.Expr], pl.Expr]] = {
    "count": _count,
    "number": _number,
    "percent": _percent,
    "flag": _flag,
    "choice": _choice,
    "text": lambda question, text: pl.lit(None),
}


def answer_values(texts: Iterable[tuple[str, str]], catalogue: ContextCatalogue) -> pl.DataFrame:
    """What the delivered texts of questions with answers mean: question_id, value_text, value."""
    given: dict[str, list[str]] = {}
    for question_id, text in texts:
        given.setdefault(question_id, []).append(text)
    rows = [
        (question_id, text, value)
        for question_id, said in sorted(given.items())
        if question_id in catalogue.by_id and catalogue.by_id[question_id].kind in CODED
        for text, value in read_answers(catalogue.by_id[question_id], said).items()
        if value is not None
    ]
    return frame_of("question_id value_text value:float", rows)


# --- tables ------------------------------------------------------------------------------------------


def _form_rows(catalogue: ContextCatalogue) -> Rows:
    for form in catalogue.forms:
        yield form.form_id, form.title_ru


def _question_rows(catalogue: ContextCatalogue) -> Rows:
    for question in catalogue.questions:
        yield question.question_id, question.form_id, question.kind, question.kind in CODED, question.title_ru


def _component_rows(catalogue: ContextCatalogue) -> Rows:
    for order, c in enumerate(catalogue.components, start=1):
        yield c.component_id, order, c.group, c.unit, c.title_ru, *map(_float, c.bounds), c.evidence


def _label_rows(catalogue: ContextCatalogue) -> Rows:
    for component in catalogue.components:
        for value, label in component.labels.items():
            yield component.component_id, float(value), label


def _way_rows(catalogue: ContextCatalogue) -> Rows:
    for component, order, way in _ways(catalogue):
        yield (component, order, way.factor, len(way.numerator), len(way.denominator), bool(way.map), way.note_ru)


def _term_rows(catalogue: ContextCatalogue) -> Rows:
    for component, order, way in _ways(catalogue):
        for side, questions in (("numerator", way.numerator), ("denominator", way.denominator)):
            for question_id in questions:
                yield component, order, side, question_id


def _map_rows(catalogue: ContextCatalogue) -> Rows:
    for component, order, way in _ways(catalogue):
        for answer, value in way.map.items():
            yield component, order, float(answer), value


def _ways(catalogue: ContextCatalogue) -> Iterator[tuple[str, int, Way]]:
    for component in catalogue.components:
        for order, way in enumerate(component.ways, start=1):
            yield component.component_id, order, way


def _float(value: float | None) -> float | None:
    return None if value is None else float(value)


_TABLES: dict[str, tuple[str, Callable[[ContextCatalogue], Rows]]] = {
    "context_form": ("form_id title_ru", _form_rows),
    "context_question": ("question_id form_id kind is_coded:bool title_ru", _question_rows),
    "context_component_list": (
        "component_id sort_order:int component_group unit title_ru at_least:float at_most:float evidence",
        _component_rows,
    ),
    "context_label": ("component_id value:float label_ru", _label_rows),
    "context_way": (
        "component_id way:int factor:float numerators:int denominators:int is_mapped:bool note_ru",
        _way_rows,
    ),
    "context_way_term": ("component_id way:int side question_id", _term_rows),
    "context_way_map": ("component_id way:int answer:float value:float", _map_rows),
}


def context_tables(catalogue: ContextCatalogue) -> dict[str, pl.DataFrame]:
    """Flat tables for dbt, in the order of the file."""
    return frames_of(_TABLES, catalogue)


def load_context(root: Path | None = None) -> ContextCatalogue:
    """Read and check the catalogue. Raises ReferenceFileError naming file and field."""
    return read_file(FILE, ContextCatalogue, root)
