"""Programmes of support as data: the model of `reference/programmes/*.yaml`, their loader, flat tables, drafts.

Belongs here: the shape of a programme, the closed catalogues (what an indicator may be computed from, what
executors may report), checks within a programme, the calendar dates its windows fall on.
Does not belong here: the programmes themselves (YAML) and the figures (dbt).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import polars as pl
import yaml
from pydantic import AfterValidator, model_validator

from opora.facts import AcademicYearId, Fact, ReferenceFileError, Rows, default_root, frame_of, parse_file, repeated
from opora.reference import ProceduresFile

# --- closed catalogues -----------------------------------------------------------------------------

Level = Literal["region", "municipality"]
Population = Literal["all", "shnor", "risk", "programme"]
ListPopulation = Literal["all", "shnor", "risk", "programme_list"]
ValueKind = Literal[
    "share_of_schools",  # schools of the population with the fact / schools of the population
    "count_schools",  # schools of the population with the fact
    "pooled_share",  # participants with the fact / participants, summed over schools and procedures
    "count_participants",  # participants with the fact, summed over schools and procedures
    "count_quantity",  # sum of the quantities reported
    "share_of_quantity",  # sum of the quantities / sum of the denominators
]
Kind = Literal[
    "share_of_schools",
    "count_schools",
    "pooled_share",
    "count_participants",
    "count_quantity",
    "share_of_quantity",
    "change_of_count",  # this period minus the one before, of a value that is a count
    "change_of_share",  # the same of a share
    "ratio_to_baseline",  # the value beside its baseline multiplied or divided as the target says
    "not_computable",
]
Comparison = Literal["level", "change", "ratio"]
Denominator = Literal["schools", "participants", "reported_total", "graduates", "takers_of_subjects", "pupils"]
Comparator = Literal["=", ">=", "<=", ">", "<", "divide_by", "multiply_by", "decrease_at_least_pct"]
Attempt = Literal["first", "final"]

COUNTS: frozenset[str] = frozenset({"count_schools", "count_participants", "count_quantity"})
SHARES: frozenset[str] = frozenset({"share_of_schools", "pooled_share", "share_of_quantity"})


@dataclass(frozen=True)
class FactDefinition:
    """What an indicator may be computed from, and by which kinds of value."""

    title_ru: str
    kinds: frozenset[str]


_OF_SCHOOLS = frozenset({"share_of_schools", "count_schools"})
_OF_PARTICIPANTS = frozenset({"pooled_share", "count_participants"})
_OF_PUPILS = frozenset({"share_of_quantity", "count_quantity"})

FACTS: Mapping[str, FactDefinition] = {
    "is_shnor": FactDefinition("школа в списке ШНОР года списка", _OF_SCHOOLS),
    "is_at_risk": FactDefinition("школа в зоне риска по результатам года", _OF_SCHOOLS),
    "is_in_programme": FactDefinition("школа в списке программы этого периода", _OF_SCHOOLS),
    "is_assessed": FactDefinition("признак списка решён хотя бы по одной процедуре", _OF_SCHOOLS),
    # by the programme's own definition, else by the official one: reference/groups
    "has_low_results": FactDefinition("низкие результаты по определению программы", _OF_SCHOOLS),
    "is_adverse_conditions": FactDefinition("школа в неблагоприятных социальных условиях", _OF_SCHOOLS),
    "has_resource_deficit": FactDefinition("у школы дефицит кадров или материальных ресурсов", _OF_SCHOOLS),
    "low_in_any_procedure_current_year": FactDefinition(
        "низкий результат хотя бы по одной процедуре в текущем учебном году", _OF_SCHOOLS
    ),
    "listed_again": FactDefinition("школа в списке программы второй год подряд или дольше", _OF_SCHOOLS),
    "left_list": FactDefinition("школа была в списке прошлого года и вышла из него", _OF_SCHOOLS),
    "results_improved": FactDefinition(
        "доля не справившихся за процедуры показателя меньше, чем в прошлом периоде", _OF_SCHOOLS
    ),
    "participants:below_minimum": FactDefinition("участник получил «2» или не преодолел порог", _OF_PARTICIPANTS),
    "participants:passed": FactDefinition("участник преодолел порог", _OF_PARTICIPANTS),
    "pupils:passed_all": FactDefinition("выпускник преодолел порог по каждой процедуре показателя", _OF_PUPILS),
    "certificates:without": FactDefinition("выпускник не получил аттестат", _OF_PUPILS),
    "exam_sum:at_least": FactDefinition(
        "сумма лучших результатов выпускника по названному числу предметов ЕГЭ не меньше названной", _OF_PUPILS
    ),
    "contingent:pupils": FactDefinition("обучающихся в школе", frozenset({"count_quantity"})),
    "attendance:missed": FactDefinition("пропущено учебных дней, на обучающегося", _OF_PUPILS),
    "discipline:violations": FactDefinition("дисциплинарных нарушений", frozenset({"count_quantity"})),
}


@dataclass(frozen=True)
class ReturnKind:
    """What an executor may report.

    A report is a date, a quantity (1 for a plain fact) and a document. `of_total`: the executor also gives the
    number it is a part of. `by_school`: the report names a school; otherwise its organiser answers for a territory.
    Several measures of one programme may share a kind; their reports then name the measure.
    """

    title_ru: str
    by_school: bool
    of_total: bool = False


RETURN_KINDS: Mapping[str, ReturnKind] = {
    # a school
    "school_programme_adopted": ReturnKind("Школьная программа (дорожная карта) принята", True),
    "school_programme_published": ReturnKind("Школьная дорожная карта размещена на сайте школы", True),
    "quality_assurance_order": ReturnKind("Приказ школы о внутренней системе оценки качества образования", True),
    "prevention_measures_planned": ReturnKind("В школьной программе есть меры профилактики неуспешности", True),
    "survey_taken": ReturnKind("Школа прошла анкетирование для выявления факторов риска", True),
    "survey_risks": ReturnKind("Число факторов риска по итоговому анкетированию школы", True),
    "monitoring_covered": ReturnKind("Школа охвачена мониторингом", True),
    "agreement": ReturnKind("Соглашение (договор) о партнёрстве", True),
    "partner_programme": ReturnKind("Программа школы с сетевым партнёром", True),
    "network_membership": ReturnKind("Школа вошла в сеть или сообщество", True),
    "participation": ReturnKind("Участие школы в мероприятии", True),
    "methodical_help": ReturnKind("Школе оказана методическая помощь", True),
    "consultation_point_pupils": ReturnKind("Консультационный пункт для обучающихся", True),
    "consultation_point_parents": ReturnKind("Консультационный пункт для родителей", True),
    "individual_plan": ReturnKind("Условия для индивидуальных учебных планов созданы", True),
    "materials_bank": ReturnKind("Банк методических материалов сформирован", True),
    "site_section": ReturnKind("Раздел о поддержке школ на сайте", False),
    "responsible_appointed": ReturnKind("Назначен ответственный за качество образования", True),
    "teacher_diagnostics": ReturnKind("Педагогов прошли диагностику дефицитов, из всех педагогов", True, True),
    "course": ReturnKind("Педагогов прошли повышение квалификации, из подлежащих", True, True),
    "iom": ReturnKind("Педагогов завершили ИОМ, из всех педагогов", True, True),
    "contest_participation": ReturnKind("Педагогов участвовали в конкурсах, из всех педагогов", True, True),
    "special_needs_help": ReturnKind("Детей с ОВЗ и инвалидностью получили помощь, из всех таких детей", True, True),
    # an organiser
    "programme_adopted": ReturnKind("Региональная или муниципальная программа принята", False),
    "regulatory_act": ReturnKind("Распорядительный документ издан", False),
    "methodology": ReturnKind("Методика разработана или пересмотрена", False),
    "clustering": ReturnKind("Кластеризация школ проведена", False),
    "analytical_report": ReturnKind("Аналитический отчёт или справка", False),
    "protocol": ReturnKind("Протокол рабочей группы или совещания", False),
    "innovation_site": ReturnKind("Инновационная или базовая площадка работает", False),
    "practice": ReturnKind("Успешная практика описана и распространена", False),
    "event": ReturnKind("Мероприятие муниципального уровня", False),
    "regional_event": ReturnKind("Мероприятие регионального уровня", False),
    "experience_event": ReturnKind("Семинар или другое мероприятие по обмену опытом", False),
    "support_event": ReturnKind("Мероприятие адресной методической поддержки", False),
    "course_programme": ReturnKind("Программа повышения квалификации или модуль", False),
    "contest": ReturnKind("Профессиональный конкурс проведён", False),
    # either
    "measure_done": ReturnKind("Мероприятие дорожной карты выполнено", False),
}

_RETURN = "return:"


def return_kind_of(fact: str | None) -> str | None:
    return fact.removeprefix(_RETURN) if fact and fact.startswith(_RETURN) else None


def _check_return_kind(value: str) -> str:
    if value not in RETURN_KINDS:
        raise ValueError(f"unknown kind of report '{value}'; known: {', '.join(RETURN_KINDS)}")
    return value


def _check_fact(value: str) -> str:
    kind = return_kind_of(value)
    if kind is None and value not in FACTS:
        raise ValueError(f"unknown fact '{value}'; known: {', '.join(FACTS)}, {_RETURN}<kind of report>")
    if kind is not None:
        _check_return_kind(kind)
    return value


def fact_kinds(fact: str) -> frozenset[str]:
    """The kinds of value a fact can be counted by."""
    kind = return_kind_of(fact)
    if kind is None:
        return FACTS[fact].kinds
    report = RETURN_KINDS[kind]
    kinds = {"count_quantity"}
    return frozenset(
        kinds | (_OF_SCHOOLS if report.by_school else set()) | ({"share_of_quantity"} if report.of_total else set())
    )


# --- field types -----------------------------------------------------------------------------------

_PERIOD = {"calendar_year": r"\d{4}", "academic_year": r"\d{4}-\d{4}"}


def _check_id(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+([_-][a-z0-9]+)*", value):
        raise ValueError(f"'{value}' is not an identifier of small Latin letters, digits, - and _")
    return value


def _check_day(value: str) -> str:
    try:
        dt.date.fromisoformat(value if len(value) == 10 else f"2004-{value}")
    except ValueError as error:
        raise ValueError(f"'{value}' is neither a day such as 07-31 nor a date such as 2023-07-31") from error
    return value


Id = Annotated[str, AfterValidator(_check_id)]
FactId = Annotated[str, AfterValidator(_check_fact)]
ReturnKindId = Annotated[str, AfterValidator(_check_return_kind)]
Day = Annotated[str, AfterValidator(_check_day)]


# --- parts of a programme --------------------------------------------------------------------------


class Document(Fact):
    title_ru: str
    number_ru: str | None = None
    signed_on: dt.date | None = None
    source_ru: str


class Territory(Fact):
    """Where the programme holds; matched to the region code and the municipality of the schools."""

    level: Level
    title_ru: str
    region_code: str | None = None
    municipality_ru: str | None = None

    @model_validator(mode="after")
    def _named(self) -> Territory:
        if (self.level == "municipality") != (self.municipality_ru is not None):
            raise ValueError("municipality_ru stands with the level municipality, and only with it")
        return self


class Period(Fact):
    """A year of the programme: whose results it is judged by and to whose list its denominators are frozen.

    A baseline period lies before the programme: it is computed to be compared with, and nothing is due in it.
    """

    period: str
    is_baseline: bool = False
    starts_on: dt.date
    ends_on: dt.date
    results_year: AcademicYearId
    list_year: AcademicYearId

    @model_validator(mode="after")
    def _ordered(self) -> Period:
        if self.starts_on > self.ends_on:
            raise ValueError(f"starts_on {self.starts_on} is later than ends_on {self.ends_on}")
        return self


class Window(Fact):
    """When something is due: days of every period («12-01» to «02-28» crosses the year) or two dates."""

    starts: Day
    ends: Day

    @model_validator(mode="after")
    def _alike(self) -> Window:
        if len(self.starts) != len(self.ends):
            raise ValueError("starts and ends must both be days or both be dates")
        if self.is_dated and self.starts > self.ends:
            raise ValueError(f"starts {self.starts} is later than ends {self.ends}")
        return self

    @property
    def is_dated(self) -> bool:
        return len(self.starts) == 10

    def within(self, period: Period) -> tuple[dt.date, dt.date] | None:
        """The dates of the window in a period, or None where it has none."""
        if self.is_dated:
            start, end = dt.date.fromisoformat(self.starts), dt.date.fromisoformat(self.ends)
            return (start, end) if period.starts_on <= end <= period.ends_on else None
        for year in (period.starts_on.year, period.ends_on.year):
            start = _day_of(year, self.starts)
            if period.starts_on <= start <= period.ends_on:
                return start, _day_of(year + (self.ends < self.starts), self.ends)
        return None


def _day_of(year: int, day: str) -> dt.date:
    """The day of a year; the last of February where «02-29» is not to be had."""
    month, number = map(int, day.split("-"))
    if (month, number) == (2, 29):
        return dt.date(year, 3, 1) - dt.timedelta(days=1)
    return dt.date(year, month, number)


class Baseline(Fact):
    """What a value is set beside: the figure of the document, a year, or the period before."""

    rule: Literal["document", "year_or_first_with_data", "previous_period"]
    academic_year: AcademicYearId | None = None
    value: float | None = None
    note_ru: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Baseline:
        if (self.rule == "document") != (self.value is not None):
            raise ValueError("value stands with the rule document, and only with it")
        if self.rule == "year_or_first_with_data" and self.academic_year is None:
            raise ValueError("academic_year is missing")
        return self


class Target(Fact):
    """`=` is a plain number of the document: met when reached or passed in the direction of the indicator."""

    period: str
    comparator: Comparator
    value: float


class Indicator(Fact):
    """A figure the programme is judged by. `of` is the value whose change or ratio is taken."""

    indicator_id: Id
    item_ru: str
    title_ru: str
    section_ru: str
    formula_ru: str
    kind: Kind
    of: ValueKind | None = None
    fact: FactId | None = None
    procedures: tuple[str, ...] = ()
    attempt: Attempt | None = None
    grade: int | None = None
    subjects: int | None = None
    minimum_sum: int | None = None
    denominator: Denominator | None = None
    population: Population
    level: Level | None = None
    unit: Literal["share", "pct", "count", "ratio"]
    direction: Literal["up", "down", "none"]
    baseline: Baseline | None = None
    targets: tuple[Target, ...] = ()
    tolerance: float = 0.0
    due_ru: str | None = None
    due: tuple[Window, ...] = ()
    source_ru: str | None = None
    coverage_ru: str | None = None
    responsible_ru: str | None = None
    note_ru: str | None = None
    reason_ru: str | None = None

    @property
    def value_kind(self) -> ValueKind | None:
        """The value computed in every period, before any comparison."""
        return self.of or next((kind for kind in get_args(ValueKind) if kind == self.kind), None)

    @property
    def comparison(self) -> Comparison:
        if self.kind.startswith("change_"):
            return "change"
        return "ratio" if self.kind == "ratio_to_baseline" else "level"

    @model_validator(mode="after")
    def _computable(self) -> Indicator:
        if problems := list(_indicator_problems(self)):
            raise ValueError("; ".join(problems))
        return self


def _indicator_problems(i: Indicator) -> Iterator[str]:
    if i.kind == "not_computable":
        if not i.reason_ru:
            yield "reason_ru is missing: say why it is not computable"
        if i.fact or i.of:
            yield "fact and of do not stand with not_computable"
        return
    if i.reason_ru:
        yield "reason_ru stands with not_computable only"
    if i.fact is None:
        yield "fact is missing"
        return
    if (i.of is not None) != (i.comparison != "level"):
        yield "of names the value under a change or a ratio, and stands with no other kind"
        return
    if i.kind == "change_of_count" and i.of not in COUNTS:
        yield f"change_of_count cannot be of {i.of}"
    if i.kind == "change_of_share" and i.of not in SHARES:
        yield f"change_of_share cannot be of {i.of}"
    if i.value_kind not in fact_kinds(i.fact):
        yield f"fact '{i.fact}' cannot be counted as {i.value_kind}; it can as {', '.join(sorted(fact_kinds(i.fact)))}"
    needs_procedures = i.fact in {"results_improved", "participants:below_minimum", "participants:passed"} | {
        "pupils:passed_all"
    }
    if needs_procedures != bool(i.procedures):
        yield f"procedures are {'missing' if needs_procedures else 'not used'} with the fact '{i.fact}'"
    if (i.fact == "exam_sum:at_least") != (i.minimum_sum is not None and i.subjects is not None):
        yield "minimum_sum and subjects stand with exam_sum:at_least, and only with it"
    if i.value_kind == "share_of_quantity" and i.denominator is None:
        yield "denominator is missing"
    if i.comparison == "ratio" and i.baseline is None:
        yield "baseline is missing"
    if i.comparison == "ratio" and any(t.comparator not in {"divide_by", "multiply_by"} for t in i.targets):
        yield "targets of a ratio are divide_by or multiply_by"
    if i.comparison != "ratio" and any(t.comparator in {"divide_by", "multiply_by"} for t in i.targets):
        yield "divide_by and multiply_by stand with ratio_to_baseline only"


class Plan(Fact):
    """A planned quantity, or «да»: to be done once."""

    period: str
    value: float | Literal["да"]

    @property
    def quantity(self) -> float:
        return 1.0 if self.value == "да" else self.value


class Measure(Fact):
    """A row of the roadmap. It is reported by returns of one kind, or the reason says why it cannot be counted."""

    measure_id: Id
    number: str
    section_ru: str
    title_ru: str
    unit: Literal["count", "pct", "yes"]
    comparator: Literal["=", ">="] = "="
    plan: tuple[Plan, ...] = ()
    population: Population | None = None
    due_ru: str
    due: tuple[Window, ...] = ()
    responsible_ru: str | None
    expected_result_ru: str | None = None
    return_kind: ReturnKindId | None = None
    reason_ru: str | None = None
    note_ru: str | None = None

    @model_validator(mode="after")
    def _countable(self) -> Measure:
        if (self.return_kind is None) == (self.reason_ru is None):
            raise ValueError("either return_kind or reason_ru must be given")
        if self.return_kind is None and self.plan:
            raise ValueError("plan stands with a return_kind only")
        if (self.unit == "pct") != (self.population is not None):
            raise ValueError("population stands with the unit pct, and only with it")
        if (self.unit == "yes") != all(plan.value == "да" for plan in self.plan) and self.plan:
            raise ValueError("the plan is «да» in every period of a measure of the unit yes, and only there")
        return self


class ListRule(Fact):
    """Who is in the programme: the union of the populations; `programme_list` is a list that is delivered.

    `fallback` stands in for a list that has not been delivered; without it there is no data.
    """

    method_id: str | None = None
    includes: tuple[ListPopulation, ...]
    fallback: ListPopulation | None = None
    description_ru: str
    item_ru: str


class Category(Fact):
    """A group of schools the document tells apart."""

    category_id: Id
    title_ru: str
    fact: FactId
    item_ru: str


class CycleEvent(Fact):
    months: tuple[int, ...]
    title_ru: str
    item_ru: str

    @model_validator(mode="after")
    def _are_months(self) -> CycleEvent:
        if not self.months or not all(1 <= month <= 12 for month in self.months):
            raise ValueError("months are numbers from 1 to 12")
        return self


class SupportRule(Fact):
    years_in_a_row: int
    support_format: Literal["first_year", "repeated"]
    text_ru: str
    item_ru: str


class Dynamics(Fact):
    """The one written meaning of «положительная динамика» in the programme."""

    improved_ru: str
    unchanged_ru: str
    worsened_ru: str


class Note(Fact):
    note_id: Id
    kind: Literal["contradiction", "open", "interpretation"]
    item_ru: str
    text_ru: str


class PublishedList(Fact):
    label_ru: str
    list_year: AcademicYearId
    schools: int
    item_ru: str


class Pair(Fact):
    """A leader and the school it supports, named as in the document."""

    leader_ru: str
    supported_ru: str
    item_ru: str


class Programme(Fact):
    programme_id: Id
    title_ru: str
    territory: Territory
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    period_kind: Literal["calendar_year", "academic_year"]
    periods: tuple[Period, ...]
    document: Document
    goals_ru: tuple[str, ...]
    list_rule: ListRule
    categories: tuple[Category, ...] = ()
    dynamics: Dynamics
    monitoring_cycle: tuple[CycleEvent, ...] = ()
    support_rules: tuple[SupportRule, ...] = ()
    indicators: tuple[Indicator, ...]
    measures: tuple[Measure, ...]
    published_lists: tuple[PublishedList, ...] = ()
    pairs: tuple[Pair, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def item_ids(self) -> tuple[str, ...]:
        """A report may name an indicator or a measure by its identifier alone, so all of them differ."""
        return tuple(i.indicator_id for i in self.indicators) + tuple(m.measure_id for m in self.measures)

    @model_validator(mode="after")
    def _agrees(self) -> Programme:
        if problems := list(_programme_problems(self)):
            raise ValueError("; ".join(problems))
        return self


def _programme_problems(p: Programme) -> Iterator[str]:
    periods = [period.period for period in p.periods]
    planned = [period.period for period in p.periods if not period.is_baseline]
    checks = [
        ("periods.period: not of the period_kind", [x for x in periods if not re.fullmatch(_PERIOD[p.period_kind], x)]),
        ("periods.period: repeated", repeated(periods)),
        ("indicators and measures: an identifier is repeated", repeated(p.item_ids)),
        ("notes.note_id: repeated", repeated(n.note_id for n in p.notes)),
    ]
    for i in p.indicators:
        targets = [t.period for t in i.targets]
        at = f"indicators.{i.indicator_id}.targets.period"
        checks += [
            (f"{at}: repeated", repeated(f"{t.period} {t.comparator}" for t in i.targets)),
            (f"{at}: not a period of the programme", [x for x in targets if x not in planned]),
        ]
    for m in p.measures:
        plans = [plan.period for plan in m.plan]
        at = f"measures.{m.measure_id}.plan.period"
        checks += [
            (f"{at}: repeated", repeated(plans)),
            (f"{at}: not a period of the programme", [x for x in plans if x not in planned]),
        ]
    if not planned:
        yield "periods: none is given"
    if any(a.ends_on >= b.starts_on for a, b in zip(p.periods[:-1], p.periods[1:], strict=True)):
        yield "periods: must follow one another"
    for problem, values in checks:
        if values:
            yield f"{problem}: {', '.join(values)}"


# --- dates -----------------------------------------------------------------------------------------


def due_dates(windows: Sequence[Window], period: Period) -> tuple[tuple[dt.date, dt.date], ...]:
    """The windows as dates of a period, earliest first; the whole period where it has none."""
    found = sorted(dates for window in windows if (dates := window.within(period)))
    return tuple(found) or ((period.starts_on, period.ends_on),)


# --- tables ----------------------------------------------------------------------------------------


def _programme_rows(p: Programme) -> Rows:
    t, d = p.territory, p.document
    where = (t.level, t.title_ru, t.region_code, t.municipality_ru)
    yield p.title_ru, *where, p.valid_from, p.valid_to, d.number_ru, d.signed_on, p.list_rule.method_id


def _period_rows(p: Programme) -> Rows:
    before: str | None = None
    for order, x in enumerate(p.periods, start=1):
        yield x.period, before, order, x.is_baseline, x.starts_on, x.ends_on, x.results_year, x.list_year
        before = x.period


def _list_rule_rows(p: Programme) -> Rows:
    for population in p.list_rule.includes:
        yield population, False
    if p.list_rule.fallback:
        yield p.list_rule.fallback, True


def _support_rule_rows(p: Programme) -> Rows:
    for r in p.support_rules:
        yield r.years_in_a_row, r.support_format, r.text_ru


def _indicator_rows(p: Programme) -> Rows:
    for order, i in enumerate(p.indicators, start=1):
        b = i.baseline
        computed = (i.kind, i.value_kind, i.comparison, i.fact, return_kind_of(i.fact), i.attempt, i.grade)
        limits = (i.subjects, i.minimum_sum, i.denominator, i.population, i.level or p.territory.level)
        judged = (i.unit, i.direction, i.tolerance)
        baseline = (b.rule, b.academic_year, b.value) if b else (None, None, None)
        yield i.indicator_id, order, i.title_ru, *computed, *limits, *judged, *baseline, i.responsible_ru, i.reason_ru


def _indicator_procedure_rows(p: Programme) -> Rows:
    for i in p.indicators:
        for procedure_id in i.procedures:
            yield i.indicator_id, procedure_id


def _target_rows(p: Programme) -> Rows:
    for i in p.indicators:
        for t in i.targets:
            yield i.indicator_id, t.period, t.comparator, t.value


def _indicator_due_rows(p: Programme) -> Rows:
    for i in p.indicators:
        for period in p.periods:
            dates = due_dates(i.due, period)
            yield i.indicator_id, period.period, dates[0][0], max(end for _, end in dates)


def _measure_rows(p: Programme) -> Rows:
    for order, m in enumerate(p.measures, start=1):
        texts = (m.number, m.section_ru, m.title_ru)
        cited = (m.due_ru, m.responsible_ru, m.reason_ru)
        yield m.measure_id, order, *texts, m.unit, m.comparator, m.population, m.return_kind, *cited


def _measure_plan_rows(p: Programme) -> Rows:
    periods = {period.period: period for period in p.periods}
    for m in p.measures:
        for plan in m.plan:
            dates = due_dates(m.due, periods[plan.period])
            due = (dates[0][0], max(end for _, end in dates))
            yield m.measure_id, plan.period, plan.quantity, *due


def _measure_due_rows(p: Programme) -> Rows:
    periods = {period.period: period for period in p.periods}
    for m in p.measures:
        for plan in m.plan:
            for order, dates in enumerate(due_dates(m.due, periods[plan.period]), start=1):
                yield m.measure_id, plan.period, order, *dates


def _pair_rows(p: Programme) -> Rows:
    for order, x in enumerate(p.pairs, start=1):
        yield order, x.leader_ru, x.supported_ru


# What SQL reads of a programme; every table leads with programme_id.
_TABLES: Mapping[str, tuple[str, Callable[[Programme], Rows]]] = {
    "programme": (
        "title_ru territory_level territory_ru region_code municipality_ru valid_from:date valid_to:date"
        " document_number_ru document_signed_on:date list_method_id",
        _programme_rows,
    ),
    "programme_period": (
        "period previous_period sort_order:int is_baseline:bool starts_on:date ends_on:date results_year list_year",
        _period_rows,
    ),
    "programme_list_rule": ("population is_fallback:bool", _list_rule_rows),
    "programme_support_rule": ("years_in_a_row:int support_format text_ru", _support_rule_rows),
    "programme_indicator": (
        "indicator_id sort_order:int title_ru"
        " kind value_kind comparison fact return_kind attempt grade:int"
        " subjects:int minimum_sum:int denominator population territory_level"
        " unit direction tolerance:float baseline_rule baseline_year baseline_value:float"
        " responsible_ru reason_ru",
        _indicator_rows,
    ),
    "programme_indicator_procedure": ("indicator_id procedure_id", _indicator_procedure_rows),
    "programme_target": ("indicator_id period comparator target:float", _target_rows),
    "programme_indicator_due": ("indicator_id period due_from:date due_on:date", _indicator_due_rows),
    "programme_measure": (
        "measure_id sort_order:int number section_ru title_ru unit comparator population return_kind"
        " due_ru responsible_ru reason_ru",
        _measure_rows,
    ),
    "programme_measure_plan": (
        "measure_id period planned:float due_from:date due_on:date",
        _measure_plan_rows,
    ),
    "programme_measure_due": (
        "measure_id period window:int due_from:date due_on:date",
        _measure_due_rows,
    ),
    "programme_pair": ("sort_order:int leader_ru supported_ru", _pair_rows),
}


def programme_tables(programmes: Sequence[Programme]) -> dict[str, pl.DataFrame]:
    """Flat tables for dbt, in the order of the programmes and of their files, with the catalogue of reports."""
    ordered = sorted(programmes, key=lambda p: p.programme_id)
    tables = {
        name: frame_of(f"programme_id {columns}", ((p.programme_id, *row) for p in ordered for row in rows(p)))
        for name, (columns, rows) in _TABLES.items()
    }
    tables["return_kind"] = frame_of(
        "return_kind title_ru by_school:bool of_total:bool",
        ((kind, r.title_ru, r.by_school, r.of_total) for kind, r in RETURN_KINDS.items()),
    )
    return tables


# --- loading ---------------------------------------------------------------------------------------


def parse_programme(name: str, content: bytes) -> Programme:
    return parse_file(name, content, Programme)


def load_programmes(root: Path | None = None) -> tuple[Programme, ...]:
    """Read and check every file of `reference/programmes/`, in the order of their names."""
    folder = root or default_root()
    calendar = parse_file("procedures.yaml", (folder / "procedures.yaml").read_bytes(), ProceduresFile)
    known = {p.procedure_id for p in calendar.procedures}
    programmes = []
    for path in sorted((folder / "programmes").glob("*.yaml")):
        name = path.relative_to(folder).as_posix()
        programme = parse_programme(name, path.read_bytes())
        if programme.programme_id != path.stem:
            raise ReferenceFileError(f"reference/{name}: programme_id: '{programme.programme_id}' is not the file name")
        for i in programme.indicators:
            if unknown := sorted(set(i.procedures) - known):
                raise ReferenceFileError(
                    f"reference/{name}: indicators.{i.indicator_id}.procedures: unknown: {', '.join(unknown)}"
                )
        programmes.append(programme)
    return tuple(programmes)


# --- drafts ----------------------------------------------------------------------------------------

_DRAFT_COMMENTS: Mapping[str, str] = {
    "programme_id": "Черновик программы по образцу «{like}». Строки с # подсказывают, что заполнить; правило отбора,\n"
    "показатели и мероприятия взяты из образца. Файл читается и в этом виде: планов в нём нет.\n"
    "Название (title_ru) — новой программы.",
    "territory": "Код региона (region_code, две цифры) и название муниципалитета — как в реестре школ.",
    "periods": "results_year — учебный год результатов, list_year — год списка, к которому привязаны знаменатели.\n"
    "Период с is_baseline стоит до программы: с ним сравнивают.",
    "document": "Название, номер (number_ru) и дата (signed_on) документа.",
    "goals_ru": "Цели — словами документа.",
    "list_rule": "Кто входит в программу: shnor, risk, programme_list (поставляемый список) или all.",
    "monitoring_cycle": "Месяцы мониторинга и пункт документа, который их назначает.",
    "indicators": "item_ru — пункт документа. Планы: targets — период, сравнение и число, например\n"
    'targets: [{{period: "{period}", comparator: ">=", value: 100}}]',
    "measures": "number — номер строки дорожной карты. Планы: plan — период и количество или «да», например\n"
    'plan: [{{period: "{period}", value: 5}}]; при unit: "yes" — value: да.',
    "notes": "Сюда — противоречия документа и то, как он понят: note_id, kind, item_ru, text_ru.",
}


def _draft_period(like: Period, period: str, is_baseline: bool) -> dict[str, Any]:
    """A period of the given year, with results and list as far from it as in the example."""
    shift = int(period[:4]) - int(like.period[:4])

    def moved(academic_year: str) -> str:
        return f"{int(academic_year[:4]) + shift}-{int(academic_year[5:]) + shift}"

    year = int(period[:4])
    is_calendar = len(period) == 4
    return {
        "period": period,
        "is_baseline": is_baseline,
        "starts_on": f"{year}-01-01" if is_calendar else f"{year}-09-01",
        "ends_on": f"{year}-12-31" if is_calendar else f"{year + 1}-08-31",
        "results_year": moved(like.results_year),
        "list_year": moved(like.list_year),
    }


def _year_before(period: str) -> str:
    return "-".join(str(int(part) - 1) for part in period.split("-"))


def _draft_items(items: Iterable[Indicator | Measure], baseline_year: str) -> list[dict[str, Any]]:
    """Items without what belongs to the years of the example: plans, dated windows, figures of its document."""
    drafts = []
    for item in items:
        draft = item.model_dump(mode="json", exclude_defaults=True, exclude={"targets", "plan", "note_ru"})
        draft["due"] = [w.model_dump() for w in item.due if not w.is_dated]
        if isinstance(item, Measure):
            draft["responsible_ru"] = item.responsible_ru
        if isinstance(item, Indicator) and item.baseline:
            yearly = {"rule": "year_or_first_with_data", "academic_year": baseline_year}
            draft["baseline"] = {"previous_period": {"rule": "previous_period"}}.get(item.baseline.rule, yearly)
        drafts.append({key: value for key, value in draft.items() if value != []})
    return drafts


def last_turn(programmes: Iterable[Programme], day: dt.date) -> dt.date:
    """The last day, up to `day`, on which a status could change by itself.

    A quarter began, a window opened, or its last day had passed: between two such days the same inputs give the
    same statuses.
    """
    tables = programme_tables(tuple(programmes))
    turns = [dt.date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)]
    for name in ("programme_indicator_due", "programme_measure_due"):
        turns += tables[name]["due_from"].drop_nulls().to_list()
        turns += [last + dt.timedelta(days=1) for last in tables[name]["due_on"].drop_nulls().to_list()]
    for column in ("starts_on", "ends_on"):
        turns += [turn + dt.timedelta(days=1) for turn in tables["programme_period"][column].drop_nulls().to_list()]
    return max(turn for turn in turns if turn <= day)


def draft_like(programme: Programme, new_id: str, territory_ru: str, periods: Sequence[str]) -> str:
    """The text of a programme file for another territory or other years; it loads, and its plans are empty."""
    if not periods or any(not re.fullmatch(_PERIOD[programme.period_kind], period) for period in periods):
        example = "2025" if programme.period_kind == "calendar_year" else "2025-2026"
        raise ValueError(f"periods must be years such as {example}, as in {programme.programme_id}")
    ordered = sorted(periods)
    like = next(period for period in programme.periods if not period.is_baseline)
    years = [_draft_period(like, _year_before(ordered[0]), True)] + [_draft_period(like, x, False) for x in ordered]
    territory = {"level": programme.territory.level, "title_ru": territory_ru}
    if programme.territory.level == "municipality":
        territory["municipality_ru"] = territory_ru
    whole = programme.model_dump(mode="json", exclude_none=True)
    fields: dict[str, Any] = {
        "programme_id": new_id,
        "title_ru": programme.title_ru,
        "territory": territory,
        "valid_from": years[1]["starts_on"],
        "valid_to": years[-1]["ends_on"],
        "period_kind": programme.period_kind,
        "periods": years,
        "document": {"title_ru": "Документ не назван", "source_ru": "Источник не назван"},
        **{part: whole[part] for part in ("goals_ru", "list_rule", "categories", "dynamics")},
        **{part: whole[part] for part in ("monitoring_cycle", "support_rules")},
        "indicators": _draft_items(programme.indicators, years[0]["results_year"]),
        "measures": _draft_items(programme.measures, years[0]["results_year"]),
        "notes": [],
    }
    parts = []
    for field, value in fields.items():
        comment = _DRAFT_COMMENTS.get(field, "").format(like=programme.programme_id, period=ordered[0])
        parts += [f"# {line}\n" for line in comment.splitlines()]
        parts.append(yaml.safe_dump({field: value}, allow_unicode=True, sort_keys=False, width=110))
    text = "".join(parts)
    parse_programme(f"programmes/{new_id}.yaml", text.encode())
    return text
