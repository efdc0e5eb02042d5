"""A synthetic country: any number of schools and participants, written a file at a time, and the truth about it.

What belongs here: schools, results, files and dirt as arrays: a Python object a pupil would not do. What does not:
facts of works and exams (`region.yaml`) and of the country (`country.yaml`), and the rules of the list (`truth.py`).

Every file draws from a generator of its own, named by its region, year and work: the same arguments, the same bytes. In
memory are the schools, their counts, and the rows of one file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import cached_property
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import polars as pl
import yaml

from opora.demo import vpr_files
from opora.demo.config import Exam, Facts, Work, load_facts
from opora.demo.files import FATES, Delivery, Dirt, Row, content, headings
from opora.demo.truth import LOW_DENOMINATOR, LOW_NUMERATOR

FACTS = Path(__file__).with_name("country.yaml")
DEFAULT_SEED = 20211001
PER = 100_000  # what the counts of dirt are counted in
VARIANTS = 8  # ways in which one total is made of tasks
PUPILS_IN_CLASS = 25
LETTERS = np.array(list("абвгдежикл"))
TOWN_FROM = 30  # pupils in a grade

Counts = dict[str, int]


@dataclass(frozen=True)
class CountrySummary:
    """What was written."""

    home: Path
    seed: int
    academic_years: list[str]
    schools: int
    regions: int
    municipalities: int
    deliveries: int
    participants: dict[str, int]
    rows: int
    quarantined: int
    shnor: dict[str, int]


@dataclass(frozen=True)
class Procedure:
    """A work or an exam: its key among files, who sits it, what it is read from."""

    key: str
    procedure_id: str
    grade: int
    work: Work | None = None
    exam: Exam | None = None

    def share_below(self, spring: int, usual: float) -> float:
        if self.exam is not None:
            return self.exam.sittings[spring].below
        assert self.work is not None
        return self.work.below.get(spring, usual)


@dataclass(frozen=True)
class Country:
    """Schools as arrays, in the order of their logins, and how many rows of each procedure each has in a year."""

    seed: int
    told: Mapping[str, Any]
    facts: Facts
    region: np.ndarray
    number: np.ndarray
    kind: np.ndarray
    pupils: np.ndarray
    ability: np.ndarray
    rows: dict[int, np.ndarray]  # spring -> school × procedure

    @cached_property
    def works(self) -> list[Work]:
        return [self.facts.works[key] for key in self.told["works"]]

    @cached_property
    def procedures(self) -> list[Procedure]:
        works = [
            Procedure(f"{work.grade:02d}_{work.subject.file}", work.procedure_id, work.grade, work=work)
            for work in self.works
        ]
        exams = [
            Procedure(f"{exam.assessment}_{exam.subject}", exam.procedure_id, exam.grade, exam=exam)
            for exam in self.facts.exams
            if all(year["spring"] in exam.sittings for year in self.told["years"])
        ]
        return works + exams

    @cached_property
    def ways(self) -> dict[str, pl.DataFrame]:
        return {work.key: _ways(work) for work in self.works}

    @cached_property
    def logins(self) -> list[str]:
        return [f"{region:02d}{number:04d}" for region, number in zip(self.region, self.number, strict=True)]

    @cached_property
    def municipality(self) -> np.ndarray:
        """Its number in the region, from 1."""
        return (self.number - 1) // int(self.told["schools_per_municipality"]) + 1

    @property
    def regions(self) -> range:
        return range(1, int(self.region[-1]) + 1)

    def of_kind(self, name: str) -> list[Any]:
        values = [kind.get(name) for kind in self.told["kinds"]]
        return [values[kind] for kind in self.kind]

    def generator(self, *names: object) -> np.random.Generator:
        return np.random.default_rng([self.seed, crc32("/".join(map(str, names)).encode())])


@dataclass
class Truth:
    """Counts of the rows as they were written: by spring, school × procedure; and the fate of every file."""

    participants: dict[int, np.ndarray] = field(default_factory=dict)
    below: dict[int, np.ndarray] = field(default_factory=dict)
    came: dict[int, np.ndarray] = field(default_factory=dict)
    deliveries: list[list[Any]] = field(default_factory=list)
    dirt: list[list[Any]] = field(default_factory=list)

    def tell(self, path: str, layout: str, fates: Counts, headings: int, dirt: list[Dirt]) -> None:
        by_fate = {fate: fates.get(fate, 0) for fate in FATES}
        order = ("accepted", "absent", "group", "footer", "blank", "total", "quarantined")
        counts = [sum(by_fate.values()), *(by_fate[fate] for fate in order)]
        self.deliveries.append([path, layout, "accepted", *counts, headings, "", ""])
        self.dirt += [[path, one.check_id, one.count, one.kind, one.level] for one in dirt]


def write_country(
    home: Path, schools: int, participants_per_year: int, seed: int = DEFAULT_SEED, *, path: Path = FACTS
) -> CountrySummary:
    """Write `<home>/landing/**` and `<home>/truth/`. Each year has exactly so many rows of participants, dirt aside."""
    told = yaml.safe_load(path.read_text(encoding="utf-8"))
    country = make_country(told, schools, participants_per_year, seed)
    truth = Truth()
    _write_register(country, home / "landing", truth)
    for year in told["years"]:
        spring = int(year["spring"])
        for table in (truth.participants, truth.below):
            table[spring] = np.zeros(country.rows[spring].shape, dtype=np.int64)
        truth.came[spring] = np.zeros(country.rows[spring].shape, dtype=bool)
        for region in country.regions:
            for column in range(len(country.procedures)):
                _write_procedure(country, year, region, column, home / "landing", truth)
    return _write_truth(country, truth, home)


# --- schools -------------------------------------------------------------------------------------


def make_country(told: Mapping[str, Any], schools: int, participants_per_year: int, seed: int) -> Country:
    """Draw schools and share out the participants among their works, to the last one."""
    rng = np.random.default_rng([seed, 0])
    per_region = max(int(told["schools_per_region"]), -(-schools // int(told["most_regions"])))
    index = np.arange(schools)
    kinds = told["kinds"]
    kind = rng.choice(len(kinds), size=schools, p=[one["share"] for one in kinds])
    medians, spreads = (np.array([one[name] for one in kinds], dtype=float) for name in ("pupils", "spread"))
    story = told["results"]
    ability = rng.normal(0, story["of_school"], schools)
    ability += story["struggling_shift"] * (rng.random(schools) < story["struggling_share"])
    country = Country(
        seed=seed,
        told=told,
        facts=load_facts(),
        region=index // per_region + 1,
        number=index % per_region + 1,
        kind=kind,
        pupils=np.exp(np.log(medians[kind]) + spreads[kind] * rng.standard_normal(schools)),
        ability=ability,
        rows={},
    )
    for year in told["years"]:
        country.rows[year["spring"]] = _shared_out(_weights(country, year), participants_per_year)
    return country


def _weights(country: Country, year: Mapping[str, Any]) -> np.ndarray:
    """Pupils who may sit each procedure; zero where there is no such grade or nothing arrives."""
    told, spring = country.told, year["spring"]
    rng = country.generator(spring, "weights")
    first, last = (np.array(country.of_kind(name)) for name in ("first", "last"))
    weights = np.empty((len(country.region), len(country.procedures)))
    for column, procedure in enumerate(country.procedures):
        share = told["senior_share"] if procedure.grade > 9 else 1.0
        share *= told["taken"].get(procedure.key, 1.0)
        weights[:, column] = country.pupils * share * ((first <= procedure.grade) & (procedure.grade <= last))
    weights[rng.random(weights.shape) < told["missing"]["school_work"]] = 0
    for region in country.regions:
        if rng.random() < told["missing"]["region_work"]:
            weights[country.region == region, rng.integers(len(country.procedures))] = 0
    return weights


def _shared_out(weights: np.ndarray, total: int) -> np.ndarray:
    """Whole numbers in proportion to the weights, that add up: the largest remainders get one more."""
    exact = weights.ravel() * (total / weights.sum())
    rows = np.floor(exact).astype(np.int64)
    missing = total - int(rows.sum())
    rows[np.argsort(rows - exact, kind="stable")[:missing]] += 1
    return rows.reshape(weights.shape)


# --- one procedure of one region -----------------------------------------------------------------


@dataclass(frozen=True)
class Pupils:
    """Rows of one file, school by school: who, present or not, below the minimum or not."""

    school: np.ndarray
    number: np.ndarray
    size: np.ndarray
    is_absent: np.ndarray
    is_below: np.ndarray

    def taken(self, of: np.ndarray) -> Pupils:
        return Pupils(self.school[of], self.number[of], self.size[of], self.is_absent[of], self.is_below[of])


@dataclass
class Sheet:
    """Rows as they will be written, all text, and what becomes of each."""

    frame: pl.DataFrame
    fate: np.ndarray
    headings: int = 1
    dirt: list[Dirt] = field(default_factory=list)

    def fates(self) -> Counts:
        return dict(zip(*(part.tolist() for part in np.unique(self.fate, return_counts=True)), strict=True))


def _write_procedure(
    country: Country, year: Mapping[str, Any], region: int, column: int, landing: Path, truth: Truth
) -> None:
    told, procedure, spring = country.told, country.procedures[column], int(year["spring"])
    schools = np.flatnonzero(country.region == region)
    rng = country.generator(spring, region, procedure.key)
    pupils = _pupils(country, year, schools, column, rng)
    if not len(pupils.school):
        return
    folder = f"регион-{region:02d}/{spring}"
    make = _exam_sheet if procedure.exam else _SHEETS[year["layout"]]
    books: list[int] = []
    if procedure.work and procedure.work.key == told["books_work"] and region % told["books_every"] == 1:
        books = np.unique(pupils.school)[: told["books_of_region"]].tolist()
    for school in books:
        own = pupils.taken(pupils.school == school)
        sheet = make(country, year, procedure, own, rng)
        name = f"{folder}/книги/{procedure.key} sch{country.logins[school]}.xlsx"
        _put_book(landing / name, sheet.frame, year["received"])
        _count(truth, spring, column, own, sheet)
        truth.tell(name, year["layout"], sheet.fates(), sheet.headings, [])
    rest = pupils.taken(~np.isin(pupils.school, books))
    if not len(rest.school):
        return
    sheet = make(country, year, procedure, rest, rng)
    spoil = _spoil_exam if procedure.exam else _spoil_work
    spoil(country, procedure, sheet, rng)
    _count(truth, spring, column, rest, sheet)
    is_parquet = region % told["parquet_every"] == 0 and not procedure.exam
    name = f"{folder}/{procedure.key}.{'parquet' if is_parquet else 'csv'}"
    title = _exam_title(procedure.exam, spring) if procedure.exam else ""
    _put(landing / name, sheet.frame, year["received"], title, is_parquet=is_parquet)
    truth.tell(name, "exam_protocol" if procedure.exam else year["layout"], sheet.fates(), sheet.headings, sheet.dirt)


def _pupils(
    country: Country, year: Mapping[str, Any], schools: np.ndarray, column: int, rng: np.random.Generator
) -> Pupils:
    story, procedure, spring = country.told["results"], country.procedures[column], int(year["spring"])
    rows = country.rows[spring][schools, column]
    base = procedure.share_below(spring, country.told["usual_share_below"])
    of_year = country.generator(spring, int(country.region[schools[0]]), "year").normal(
        0, story["of_year"], len(schools)
    )
    logit = np.log(base / (1 - base)) + country.ability[schools] + of_year
    logit += rng.normal(0, story["of_work"], len(schools))
    share = 1 / (1 + np.exp(-logit))
    place = np.repeat(np.arange(len(schools)), rows)
    start = np.repeat(np.cumsum(rows) - rows, rows)
    is_absent = rng.random(len(place)) < (0 if procedure.exam else year["absent_share"])
    return Pupils(
        school=schools[place],
        number=np.arange(len(place)) - start + 1,
        size=rows[place],
        is_absent=is_absent,
        is_below=(rng.random(len(place)) < share[place]) & ~is_absent,
    )


def _count(truth: Truth, spring: int, column: int, pupils: Pupils, sheet: Sheet) -> None:
    """What a correct reading counts: accepted rows. Rows added below the pupils' own never count."""
    fate = sheet.fate[: len(pupils.school)]
    accepted = fate == "accepted"
    np.add.at(truth.participants[spring][:, column], pupils.school[accepted], 1)
    np.add.at(truth.below[spring][:, column], pupils.school[accepted & pupils.is_below], 1)
    truth.came[spring][pupils.school[accepted | (fate == "absent")], column] = True


def _totals(is_below: np.ndarray, least: int, most: int, rng: np.random.Generator) -> np.ndarray:
    """Totals on their side of the least passing one, `least`, up to `most`."""
    under = (least * np.sqrt(rng.random(len(is_below)))).astype(np.int64)
    above = least + ((most - least + 1) * rng.random((2, len(is_below))).mean(axis=0)).astype(np.int64)
    return np.where(is_below, under, above)


# --- ВПР -----------------------------------------------------------------------------------------


def _spring_sheet(
    country: Country, year: Mapping[str, Any], procedure: Procedure, pupils: Pupils, rng: np.random.Generator
) -> Sheet:
    """The layout of 2021, every cell text."""
    work, total, tasks = _work_of(country, procedure, pupils, rng)
    present = ~pupils.is_absent
    login, municipality = _texts(country, pupils, "sch{login}"), _texts(country, pupils, "{municipality}")
    book = vpr_files.BOOKS[work.subject.id].format(grade=work.grade)
    header = [str(name) for name in vpr_files.spring_header(work)]
    cells = [
        login,
        municipality,
        _numbers(pupils.number),
        _numbers(work.grade * 10_000 + pupils.number),
        *_person(work, pupils, total, rng),
        _variant(pupils, rng),
        _where(present, _numbers(total)),
        *tasks,
        _where(present, pl.repeat(book, len(present), eager=True)),
        *[pl.repeat(None, len(present), dtype=pl.String, eager=True)] * 2,
    ]
    return _sheet(header, cells, pupils)


def _stopped_sheet(
    country: Country, year: Mapping[str, Any], procedure: Procedure, pupils: Pupils, rng: np.random.Generator
) -> Sheet:
    """The layout of 2022: greatest scores in the headers; the absent have 0 points in all."""
    work, total, tasks = _work_of(country, procedure, pupils, rng)
    prior, sex, class_name = _person(work, pupils, total, rng)
    n = len(pupils.school)
    header = [
        *("Пользователь", "Код региона", "Регион", "Муниципалитет", "Школа", "Дата загрузки", "Код", "Вариант"),
        *(
            vpr_files.task_header(label, top, brackets=work.subject.id == "russian")
            for label, top in vpr_files.tasks_of(work)
        ),
        *("Наименование класса", "Пол", vpr_files.PRIOR_IN_PROTOCOL, "Итого баллов"),
    ]
    cells = [
        _texts(country, pupils, "edu{login}"),
        _texts(country, pupils, "{region}"),
        _texts(country, pupils, "reg{region}0000 | Регион {region}"),
        _texts(country, pupils, "reg{region}_m{place} | {municipality}"),
        _texts(country, pupils, "edu{login} | {name}"),
        pl.repeat(str(year["uploaded"]), n, eager=True),
        _numbers(work.grade * 10_000 + pupils.number),
        _variant(pupils, rng),
        *tasks,
        class_name,
        sex,
        prior,
        _numbers(np.where(pupils.is_absent, 0, total)),
    ]
    return _sheet(header, cells, pupils)


_Make = Callable[[Country, Mapping[str, Any], Procedure, Pupils, np.random.Generator], Sheet]
_SHEETS: dict[str, _Make] = {"spring": _spring_sheet, "stopped_spring": _stopped_sheet}


def _sheet(header: list[str], cells: list[pl.Series], pupils: Pupils) -> Sheet:
    frame = pl.DataFrame(dict(zip(header, cells, strict=True)))
    return Sheet(frame, np.where(pupils.is_absent, "absent", "accepted").astype("<U11"))


def _work_of(
    country: Country, procedure: Procedure, pupils: Pupils, rng: np.random.Generator
) -> tuple[Work, np.ndarray, list[pl.Series]]:
    """Totals and the tasks they are made of; the absent have none."""
    assert procedure.work is not None
    work = procedure.work
    total = _totals(pupils.is_below, work.scale[0], work.maximum, rng)
    way = total * VARIANTS + rng.integers(VARIANTS, size=len(total))
    tasks = country.ways[work.key][np.where(pupils.is_absent, work.maximum * VARIANTS + VARIANTS, way)]
    return work, total, tasks.get_columns()


def _ways(work: Work) -> pl.DataFrame:
    """Texts of the tasks for every total, some ways for each; the last row is that of the absent."""
    rng = np.random.default_rng(crc32(work.key.encode()))
    maxima = np.array(work.maxima)
    rows: list[list[str | None]] = []
    for total in range(work.maximum + 1):
        for _ in range(VARIANTS):
            points = rng.binomial(maxima, total / work.maximum)
            while (left := total - points.sum()) != 0:
                can = np.flatnonzero(points < maxima) if left > 0 else np.flatnonzero(points > 0)
                points[rng.choice(can)] += 1 if left > 0 else -1
            not_attempted = (points == 0) & (rng.random(len(points)) < 0.15)
            rows.append(
                [vpr_files.NOT_ATTEMPTED[0] if x else str(p) for p, x in zip(points, not_attempted, strict=True)]
            )
    rows.append([None] * len(maxima))
    return pl.DataFrame(rows, schema={f"task {i}": pl.String for i in range(len(maxima))}, orient="row")


def _person(
    work: Work, pupils: Pupils, total: np.ndarray, rng: np.random.Generator
) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Mark in the journal, sex, class; nothing of the absent."""
    n, present = len(total), ~pupils.is_absent
    prior = np.clip(work.marks(total) + rng.choice([-1, 0, 0, 0, 1, 1], size=n), 3, 5)
    classes = (pupils.size - 1) // PUPILS_IN_CLASS + 1
    letter = LETTERS[((pupils.number - 1) * classes // pupils.size) % len(LETTERS)]
    class_name = np.where(classes > 1, letter, "нет")
    return (
        _where(present, _numbers(prior)),
        _where(present, pl.Series(np.where(rng.random(n) < 0.5, "ж", "м"))),
        _where(present, pl.Series(class_name)),
    )


def _variant(pupils: Pupils, rng: np.random.Generator) -> pl.Series:
    number = rng.integers(1, 3, size=len(pupils.school)).astype(str)
    return pl.Series(np.where(pupils.is_absent, vpr_files.ABSENT, number))


# --- exams ---------------------------------------------------------------------------------------


def _exam_sheet(
    country: Country, year: Mapping[str, Any], procedure: Procedure, pupils: Pupils, rng: np.random.Generator
) -> Sheet:
    assert procedure.exam is not None
    exam, n = procedure.exam, len(pupils.school)
    greatest = sum(exam.maxima)
    if exam.has_test_score:
        result = _totals(pupils.is_below, exam.minimum, 100, rng)
        primary = result * greatest // 100
    else:
        primary = _totals(pupils.is_below, exam.scale[0], greatest, rng)
        result = exam.scale_marks(primary)
    letter = LETTERS[(pupils.number - 1) // PUPILS_IN_CLASS % len(LETTERS)]
    cells = {
        "№": _numbers(np.arange(1, n + 1)),
        "Код МСУ": _texts(country, pupils, "{place}"),
        "Код ОО": _texts(country, pupils, "{code}"),
        "Класс": pl.Series(np.char.add(str(exam.grade), letter)),
        "Код участника": _numbers(year["spring"] % 100 * 10_000 + pupils.number),
        "Вариант": _numbers(rng.integers(301, 313, size=n)),
        "Первичный балл": _numbers(primary),
        "Балл" if exam.has_test_score else "Оценка": _numbers(result),
    }
    return Sheet(pl.DataFrame(cells), np.full(n, "accepted", dtype="<U11"), headings=2)


def _exam_title(exam: Exam, spring: int) -> str:
    return f"{exam.code} - {exam.title} {exam.sittings[spring].main:%Y.%m.%d}"


# --- dirt ----------------------------------------------------------------------------------------


def _plan(told: Mapping[str, int], sheet: Sheet, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """Rows for each kind of dirt: none twice, only those who took part."""
    present = np.flatnonzero(sheet.fate == "accepted")
    counts = {kind: int(len(present) * per / PER + rng.random()) for kind, per in told.items()}
    chosen = rng.choice(present, size=min(sum(counts.values()), len(present)), replace=False)
    for kind, count in counts.items():
        rows, chosen = np.sort(chosen[:count]), chosen[count:]
        if len(rows):
            yield kind, rows


def _spoil_work(country: Country, procedure: Procedure, sheet: Sheet, rng: np.random.Generator) -> None:
    names = sheet.frame.columns
    login, total = names[0], next(name for name in names if name in ("всего баллов", "Итого баллов"))
    prior = next(name for name in names if name.startswith(("отметка за", "Отметка за")))
    task = next(name for name in names if name.startswith("балл за ") or name.endswith("б)"))
    for kind, rows in _plan(country.told["dirt"]["vpr"], sheet, rng):
        match kind:
            case "login_malformed":
                broken = sheet.frame[login].gather(rows).str.replace(r"^(.{5}).", "${1}О")
                _spoil(sheet, rows, login, broken, kind, "school_key_malformed", "quarantine")
            case "total_unreadable":
                _spoil(sheet, rows, total, "двадцать", kind, "value_unreadable", "quarantine")
            case "total_negative":
                _spoil(sheet, rows, total, "-3", kind, "value_out_of_range", "quarantine")
            case "prior_is_letter":
                _spoil(sheet, rows, prior, "ж", kind, "attribute_unreadable", "warning")
            case "total_not_sum":
                one = sheet.frame[task].gather(rows).str.replace("^X$", "0").cast(pl.Int64)
                other = pl.select(pl.when(one > 0).then(one - 1).otherwise(1)).to_series().cast(pl.String)
                _spoil(sheet, rows, task, other, kind, "total_differs_from_tasks", "warning")
            case "duplicate" | "stray_header" | "blank":
                _add(sheet, rows, kind)
            case _:
                raise ValueError(f"unknown kind of dirt: {kind}")


def _spoil_exam(country: Country, procedure: Procedure, sheet: Sheet, rng: np.random.Generator) -> None:
    for kind, rows in _plan(country.told["dirt"]["exam"], sheet, rng):
        if kind == "code_missing":
            _spoil(sheet, rows, "Код ОО", None, kind, "required_value_missing", "quarantine")
        else:
            _add(sheet, rows, kind)


def _spoil(
    sheet: Sheet, rows: np.ndarray, column: str, value: pl.Series | str | None, kind: str, check_id: str, level: str
) -> None:
    series = sheet.frame[column]
    values = value if isinstance(value, pl.Series) else pl.repeat(value, len(rows), dtype=pl.String, eager=True)
    sheet.frame = sheet.frame.with_columns(series.scatter(rows, values))
    if level == "quarantine":
        sheet.fate[rows] = "quarantined"
    sheet.dirt.append(Dirt(kind, check_id, level, len(rows)))


ADDED = {"duplicate": "duplicate_participant", "stray_header": "stray_header_row", "blank": ""}


def _add(sheet: Sheet, rows: np.ndarray, kind: str) -> None:
    """Rows that must not be there, below the others: participants twice, the header once more, nothing."""
    names = sheet.frame.columns
    match kind:
        case "duplicate":
            more = sheet.frame[rows]
        case "stray_header":
            more = pl.DataFrame([names] * len(rows), schema=sheet.frame.schema, orient="row")
        case _:
            more = pl.DataFrame([[None] * len(names)] * len(rows), schema=sheet.frame.schema, orient="row")
    fate = "blank" if kind == "blank" else "quarantined"
    sheet.frame = pl.concat([sheet.frame, more])
    sheet.fate = np.concatenate([sheet.fate, np.full(len(rows), fate, dtype="<U11")])
    if kind != "blank":
        sheet.dirt.append(Dirt(kind, ADDED[kind], "quarantine", len(rows)))


# --- texts ---------------------------------------------------------------------------------------


def _texts(country: Country, pupils: Pupils, form: str) -> pl.Series:
    """A text of each pupil's school, made once a school."""
    schools, place = np.unique(pupils.school, return_inverse=True)
    return pl.Series([form.format(**_words(country, school)) for school in schools.tolist()]).gather(place)


def _words(country: Country, school: int) -> dict[str, str]:
    region, place, login = int(country.region[school]), int(country.municipality[school]), country.logins[school]
    kind = country.told["kinds"][country.kind[school]]
    return {
        "login": login,
        "code": f"1{login}",
        "region": f"{region:02d}",
        "place": f"{place:03d}",
        "municipality": f"Район {region:02d}-{place:02d}",
        "name": f"{kind['name']} № {login}",
    }


def _numbers(values: np.ndarray) -> pl.Series:
    return pl.Series(values).cast(pl.String)


def _where(condition: np.ndarray, values: pl.Series) -> pl.Series:
    return pl.select(pl.when(pl.Series(condition)).then(values)).to_series()


# --- files ---------------------------------------------------------------------------------------


def _put(path: Path, frame: pl.DataFrame, received: str, title: str = "", *, is_parquet: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if is_parquet:
        frame.write_parquet(path, compression="zstd", statistics=False)
    else:
        with path.open("wb") as file:
            file.write(f"{title}\r\n".encode() if title else b"")
            frame.write_csv(file, separator=";", line_terminator="\r\n")
    _date(path, received)


def _put_book(path: Path, frame: pl.DataFrame, received: str) -> None:
    rows = [*headings(frame.columns), *(Row(list(cells)) for cells in frame.iter_rows())]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content(Delivery(path.name, {"Протокол": rows}, date.fromisoformat(received))))
    _date(path, received)


def _date(path: Path, received: str) -> None:
    stamp = datetime.combine(date.fromisoformat(received), time(9), UTC).timestamp()
    os.utime(path, (stamp, stamp))


def _write_register(country: Country, landing: Path, truth: Truth) -> None:
    words = [_words(country, school) for school in range(len(country.region))]
    frame = pl.DataFrame(
        {
            "логин": [f"edu{one['login']}" for one in words],
            "код ОГЭ/ЕГЭ": [one["code"] for one in words],
            "полное имя": [one["name"] for one in words],
            "вид ОО": country.of_kind("type"),
            "муниципалитет": [one["municipality"] for one in words],
            "код муниципалитета": [f"{one['region']}_m{one['place']}" for one in words],
            "город/село": np.where(country.pupils >= TOWN_FROM, "город", "село"),
            "классы с": country.of_kind("first"),
            "классы по": country.of_kind("last"),
            "исключение": country.of_kind("excluded"),
        }
    )
    name = "справочники/реестр школ.csv"
    _put(landing / name, frame, country.told["years"][0]["received"])
    truth.tell(name, "register", {"accepted": frame.height}, 1, [])


# --- the truth -----------------------------------------------------------------------------------


def _write_truth(country: Country, truth: Truth, home: Path) -> CountrySummary:
    folder = home / "truth"
    folder.mkdir(parents=True, exist_ok=True)
    results = _results(country, truth)
    statuses = _statuses(country, results)
    results.drop("is_low").write_csv(folder / "procedure_result.csv")
    statuses.write_csv(folder / "school_status.csv")
    header = "path,layout,status,rows_in,accepted,absent,group,footer,blank,total,quarantined,headings,refusal,same_as"
    deliveries = pl.DataFrame(truth.deliveries, schema=header.split(","), orient="row")
    deliveries.write_csv(folder / "deliveries.csv")
    dirt = pl.DataFrame(
        truth.dirt,
        schema={"path": pl.String, "check_id": pl.String, "count": pl.Int64, "kind": pl.String, "level": pl.String},
        orient="row",
    )
    dirt.write_csv(folder / "dirt.csv")
    listed = statuses.group_by("academic_year").agg(pl.col("is_shnor").sum()).sort("academic_year")
    summary = CountrySummary(
        home=home,
        seed=country.seed,
        academic_years=[year["name"] for year in country.told["years"]],
        schools=len(country.region),
        regions=len(country.regions),
        municipalities=len(np.unique(country.region * 10_000 + country.municipality)),
        deliveries=deliveries.height,
        participants={year["name"]: int(country.rows[year["spring"]].sum()) for year in country.told["years"]},
        rows=int(deliveries["rows_in"].sum()),
        quarantined=int(deliveries["quarantined"].sum()),
        shnor=dict(listed.rows()),
    )
    checks = dirt.filter(pl.col("check_id") != "").group_by("check_id").agg(pl.col("count").sum()).sort("check_id")
    told = {
        "seed": summary.seed,
        "schools": summary.schools,
        "deliveries": summary.deliveries,
        "participants": summary.participants,
        "shnor": summary.shnor,
        "checks": dict(checks.rows()),
    }
    (folder / "truth.json").write_text(json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
    return summary


def _results(country: Country, truth: Truth) -> pl.DataFrame:
    """Year × school × procedure of the list; all levels of mathematics in ЕГЭ are one procedure."""
    first, last = (np.array(country.of_kind(name)) for name in ("first", "last"))
    school_ids = [f"s{login}" for login in country.logins]
    frames = []
    for year in country.told["years"]:
        spring = year["spring"]
        for procedure_id in country.facts.procedures:
            columns = [i for i, one in enumerate(country.procedures) if one.procedure_id == procedure_id]
            grade = country.procedures[columns[0]].grade
            participants, below = (table[spring][:, columns].sum(axis=1) for table in (truth.participants, truth.below))
            state = np.where(truth.came[spring][:, columns].any(axis=1), "no_participants", "not_delivered")
            state = np.where((grade < first) | (grade > last), "no_such_grade", state)
            counts = {
                "own_participants": participants,
                "own_below_minimum": below,
                "participants": participants,
                "below_minimum": below,
            }
            frames.append(
                pl.DataFrame({"school_id": school_ids, "state": np.where(participants > 0, "held", state), **counts})
                .with_columns(
                    pl.lit(year["name"]).alias("academic_year"),
                    pl.lit(procedure_id).alias("procedure_id"),
                    (
                        (pl.col("participants") > 0)
                        & (pl.col("below_minimum") * LOW_DENOMINATOR >= LOW_NUMERATOR * pl.col("participants"))
                    ).alias("is_low"),
                )
                .select("academic_year", "school_id", "procedure_id", "state", *counts, "is_low")
            )
    return pl.concat(frames)


def _statuses(country: Country, results: pl.DataFrame) -> pl.DataFrame:
    """One year beyond the last measured one: the list that the last results make."""
    names = [year["name"] for year in country.told["years"]]
    last = int(country.told["years"][-1]["spring"])
    names.append(f"{last}-{last + 1}")
    low = results.group_by("academic_year", "school_id").agg(pl.col("is_low").sum().cast(pl.Int64).alias("low"))
    schools = pl.DataFrame(
        {"school_id": [f"s{login}" for login in country.logins], "excluded_reason": country.of_kind("excluded")},
        schema={"school_id": pl.String, "excluded_reason": pl.String},
    )
    years = [schools.with_columns(pl.lit(name).alias("academic_year")) for name in names]
    for i, year in enumerate(years):
        for column, back in (("current", 0), ("previous", 1), ("before", 2)):
            one = low.filter(pl.col("academic_year") == (names[i - back] if i >= back else ""))
            year = year.join(one.select("school_id", pl.col("low").alias(column)), on="school_id", how="left")
        years[i] = year.sort("school_id")
    status = pl.concat(years).with_columns(pl.col("current", "previous", "before").fill_null(0))
    two_procedures = pl.col("previous") >= 2
    two_years = (pl.col("previous") >= 1) & (pl.col("before") >= 1)
    basis = (
        pl.when(two_procedures & two_years)
        .then(pl.lit("both"))
        .when(two_procedures)
        .then(pl.lit("two_procedures"))
        .when(two_years)
        .then(pl.lit("two_years"))
    )
    is_listed = pl.col("excluded_reason").is_null()
    return status.select(
        "academic_year",
        "school_id",
        (basis.is_not_null() & is_listed).alias("is_shnor"),
        pl.when(is_listed).then(basis).alias("shnor_basis"),
        ((pl.col("current") >= 1) & is_listed).alias("is_at_risk"),
        pl.col("previous").alias("low_procedures_previous_year"),
        pl.col("before").alias("low_procedures_year_before"),
        pl.col("current").alias("low_procedures_current_year"),
        "excluded_reason",
        basis.is_not_null().alias("is_rule_met"),
        basis.alias("rule_basis"),
        (pl.col("current") >= 1).alias("is_risk_rule_met"),
    )
