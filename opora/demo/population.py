"""The simulated region: schools with a latent quality, pupils with abilities, and what they scored.

What belongs here: chance, and the results as they truly were. What does not: layouts, dirt, and the rules of
the support list (`truth.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from opora.demo.config import Exam, Facts, Municipality, Role, Sitting, Work

LEAST_SCHOOLS = 52  # below this the municipalities of the stories have too few schools
FAMILIES = {"russian": 0, "mathematics": 1}  # abilities differ by family of subjects
VARIANTS = 2
CLASS_SIZE = 27


@dataclass
class School:
    """One school, or a branch of one (`parent`)."""

    index: int
    municipality: Municipality
    role_name: str
    role: Role
    login: str
    exam_code: str
    name: str
    full_name: str
    place: str
    inn: str
    ogrn: str
    per_grade: float
    enrolment: int = 0
    second_login: str = ""
    later_name: str = ""
    later_full_name: str = ""
    renamed_after: int = 0  # spring year
    parent: int | None = None
    merged_into: int | None = None
    trajectory: str = ""

    @property
    def school_id(self) -> str:
        return f"s{self.login}"

    @property
    def is_branch(self) -> bool:
        return self.parent is not None

    def has_grade(self, grade: int) -> bool:
        return self.role.first <= grade <= self.role.last


@dataclass
class Pupils:
    """Everybody who was in grades 4 to 11 in some year, one array element each."""

    school: np.ndarray
    start: np.ndarray  # spring year minus grade: the same all school life long
    girl: np.ndarray
    general: np.ndarray
    special: np.ndarray  # by family of subjects
    stays: np.ndarray  # goes on to grades 10 and 11
    names: list[tuple[str, str, str]]
    documents: list[tuple[str, str]]


@dataclass
class WorkResults:
    """One ВПР of one year, all schools, ordered by school and number."""

    work: Work
    spring: int
    pupil: np.ndarray
    school: np.ndarray
    number: np.ndarray
    class_no: np.ndarray
    classes: np.ndarray
    second_login: np.ndarray
    girl: np.ndarray
    absent: np.ndarray
    variant: np.ndarray
    prior: np.ndarray
    points: np.ndarray
    not_taught: np.ndarray  # pupil x task

    @property
    def totals(self) -> np.ndarray:
        return self.points.sum(axis=1)

    @property
    def marks(self) -> np.ndarray:
        return self.work.marks(self.totals)


@dataclass(slots=True)
class Attempt:
    """One person at one exam on one day."""

    exam: Exam
    spring: int
    person: int
    school: int | None  # None: not a school of the register
    exam_code: str
    municipality: Municipality
    class_name: str
    held_on: date
    kind: str  # main, reserve, extra
    points: np.ndarray
    primary: int
    result: int
    below: bool
    category: str = "current_year"
    is_gve: bool = False
    appeal: tuple[bool, int, int] | None = None  # satisfied, primary and result after
    is_lost: bool = False  # its row will be quarantined
    room: str = ""
    extra_cells: dict[str, str] = field(default_factory=dict)

    @property
    def final_below(self) -> bool:
        if self.appeal and self.appeal[0]:
            return bool(self.exam.is_below(np.array([self.appeal[2]]))[0])
        return self.below


@dataclass(frozen=True)
class Planted:
    """A school, and the marker of objectivity that its results of a spring must give."""

    spring: int
    school: School
    work: str
    marker_id: str


@dataclass(frozen=True)
class PlantedTask:
    """A school, and a task of a work of a spring that it must be seen to lack, or not to have been taught."""

    school: School
    spring: int
    work: str
    label: str
    kind: str  # deficit, not_taught, not_taught_class


@dataclass
class Region:
    facts: Facts
    schools: list[School]
    pupils: Pupils
    quality: np.ndarray  # school x measured year
    vpr: dict[tuple[int, str], WorkResults]
    attempts: dict[int, list[Attempt]]  # by spring year
    planted: list[Planted] = field(default_factory=list)
    planted_tasks: list[PlantedTask] = field(default_factory=list)

    def year_index(self, spring: int) -> int:
        return [year.spring for year in self.facts.years].index(spring)


def simulate(facts: Facts, seed: int, schools: int) -> Region:
    """The whole region from one seed."""
    if schools < LEAST_SCHOOLS:
        raise ValueError(f"the invented region needs at least {LEAST_SCHOOLS} schools, not {schools}")
    rng = np.random.default_rng(seed)
    made = make_schools(facts, rng, schools)
    quality = _quality(facts, rng, made)
    pupils = _pupils(facts, rng, made)
    region = Region(facts, made, pupils, quality, {}, {})
    for year in facts.years:
        for work in facts.works_of(year.spring):
            region.vpr[year.spring, work.key] = _sit_work(region, rng, work, year.spring)
        region.attempts[year.spring] = _sit_exams(region, rng, year.spring)
    return region


# --- schools ---


def make_schools(facts: Facts, rng: np.random.Generator, count: int) -> list[School]:
    villages = iter(facts.villages * (1 + count // len(facts.villages)))
    made: list[School] = []
    for municipality, wanted in zip(facts.municipalities, _shares(facts, count), strict=True):
        roles = facts.raw["roles"][municipality.kind]
        stories = facts.raw["stories"].get(municipality.key, {})
        first = len(made)
        for position in range(wanted):
            role_name = stories.get(position, roles[min(position, len(roles) - 1)])
            village = (municipality.centre, "")
            if not municipality.is_urban and role_name != "centre":
                village = next(villages)
            school = _make_school(facts, rng, municipality, role_name, len(made), position + 1, village)
            if school.role_name.startswith("branch"):
                _make_branch(school, made[first])
            if school.role_name == "merged":
                school.merged_into = first + 1
            made.append(school)
    _tell_stories(facts, rng, made)
    return made


def _shares(facts: Facts, count: int) -> list[int]:
    """Schools by municipality: by weight, largest remainders first."""
    weights = np.array([m.weight for m in facts.municipalities], dtype=float)
    exact = weights / weights.sum() * count
    whole = np.floor(exact).astype(int)
    for i in np.argsort(-(exact - whole), kind="stable")[: count - whole.sum()]:
        whole[i] += 1
    return [int(n) for n in whole]


def _make_school(
    facts: Facts,
    rng: np.random.Generator,
    municipality: Municipality,
    role_name: str,
    index: int,
    number: int,
    village: tuple[str, str],
) -> School:
    role = facts.roles[role_name]
    name, full_name = _names(municipality, role, number, village)
    per_grade = role.per_grade * float(np.exp(rng.normal(0, 0.15)))
    rename = facts.raw["rename"] if role_name == "renamed" else {"name": "", "full_name": "", "date": "0"}
    district = int(municipality.key[1:])
    login = f"{facts.code}{district:02d}{number:02d}"
    return School(
        index=index,
        municipality=municipality,
        role_name=role_name,
        role=role,
        login=login,
        exam_code=f"{municipality.code}{number:03d}",
        name=name,
        full_name=full_name,
        place=village[0],
        inn=inn_with_check(f"{facts.code}{district:02d}{5000 + index * 7:05d}"),
        ogrn=ogrn_with_check(f"1{2 + index % 18:02d}{facts.code}{district:02d}{500 + index * 11:05d}"),
        per_grade=per_grade,
        second_login=f"{facts.code}{district:02d}{number + 60:02d}" if role_name == "two_logins" else "",
        later_name=rename["name"],
        later_full_name=rename["full_name"],
        renamed_after=int(rename["date"][:4]),
    )


def _names(municipality: Municipality, role: Role, number: int, village: tuple[str, str]) -> tuple[str, str]:
    """Short and full name."""
    bodies = {
        "СОШ": "средняя общеобразовательная школа",
        "ООШ": "основная общеобразовательная школа",
        "НОШ": "начальная общеобразовательная школа",
    }
    if role.type == "Коррекционная школа":
        body = "Верхнеозёрская общеобразовательная школа-интернат"
        return _quoted("ГКОУ", body), _quoted("Государственное казённое общеобразовательное учреждение", body)
    prefix, legal = ("МАОУ", "автономное") if role.type in {"Гимназия", "Лицей"} else ("МБОУ", "бюджетное")
    if role.type not in bodies:
        short = full = f"{role.type} № {number}"
    elif village[1]:
        prefix, legal = ("МКОУ", "казённое") if role.type != "СОШ" else (prefix, legal)
        short, full = f"{village[1]} {role.type}", f"{village[1]} {bodies[role.type]}"
    else:
        place = "" if municipality.is_urban else f" с. {municipality.centre}"
        body = bodies[role.type]
        short, full = f"{role.type} № {number}{place}", f"{body[0].upper()}{body[1:]} № {number}{place}"
    return _quoted(prefix, short), _quoted(f"Муниципальное {legal} общеобразовательное учреждение", full)


def _quoted(prefix: str, name: str) -> str:
    return f'{prefix} "{name}"'


def _make_branch(school: School, parent: School) -> None:
    """A branch has its own login and the legal entity of its parent."""
    school.parent = parent.index
    school.inn, school.ogrn = parent.inn, parent.ogrn
    body = school.name.split('"')[1]
    school.name = f'Филиал {parent.name} "{body}"'
    school.full_name = f'Филиал {parent.full_name} в с. {school.place} "{school.full_name.split(chr(34))[1]}"'
    if school.role_name == "branch_shared_code":
        school.exam_code = ""


def _tell_stories(facts: Facts, rng: np.random.Generator, schools: list[School]) -> None:
    """Give a few ordinary schools a story of quality over the years."""
    told = facts.raw["trajectories"]
    ordinary = [
        s
        for s in schools
        if s.role_name in {"big", "centre", "village", "basic_village"} and s.per_grade >= told["min_per_grade"]
    ]
    order = [ordinary[i] for i in rng.permutation(len(ordinary))]
    for name in ("struggling", "recovering", "declining"):
        for _ in range(max(1, round(told[name]["share"] * len(ordinary)))):
            order.pop().trajectory = name


def inn_with_check(nine: str) -> str:
    """A legal entity's ИНН from its first nine digits."""
    weights = (2, 4, 10, 3, 5, 9, 4, 6, 8)
    check = sum(int(digit) * weight for digit, weight in zip(nine, weights, strict=True)) % 11 % 10
    return f"{nine}{check}"


def ogrn_with_check(twelve: str) -> str:
    """An ОГРН from its first twelve digits."""
    return f"{twelve}{int(twelve) % 11 % 10}"


def _quality(facts: Facts, rng: np.random.Generator, schools: list[School]) -> np.ndarray:
    """Mean of each school by year: role, own level, story, and a slow wander."""
    years = len(facts.years)
    quality = np.empty((len(schools), years))
    for school in schools:
        own = 0.0 if school.trajectory else rng.normal(0, 0.22)
        wander = rng.normal(0, 0.1, years)
        for i in range(1, years):
            wander[i] = 0.6 * wander[i - 1] + 0.8 * wander[i]
        quality[school.index] = school.role.quality + own + wander
        if school.trajectory:
            quality[school.index] += facts.raw["trajectories"][school.trajectory]["shift"]
    return quality


# --- pupils ---


def _pupils(facts: Facts, rng: np.random.Generator, schools: list[School]) -> Pupils:
    springs = [year.spring for year in facts.years]
    starts = range(springs[0] - 11, springs[-1] - 4 + 1)
    school, start = [], []
    for one in schools:
        sizes = _cohort_sizes(rng, one.per_grade, len(starts))
        one.enrolment = round(float(sizes.mean()) * (one.role.last - one.role.first + 1))
        for year, size in zip(starts, sizes, strict=True):
            school += [one.index] * int(size)
            start += [year] * int(size)
    n = len(school)
    general, girl = rng.normal(0, 0.8, n), rng.random(n) < 0.49
    special = rng.normal(0, 0.4, (n, 3))
    ambition = rng.random(n) < 1 / (1 + np.exp(-(0.1 + 1.3 * general)))
    extras = sum(_extra_counts(facts)) * len(springs)
    return Pupils(
        school=np.array(school),
        start=np.array(start),
        girl=girl,
        general=general,
        special=special,
        stays=ambition,
        names=_people(facts, rng, np.concatenate([girl, rng.random(extras) < 0.5]), school),
        documents=_documents(rng, n + extras),
    )


def _cohort_sizes(rng: np.random.Generator, mean: float, count: int) -> np.ndarray:
    return 1 + rng.poisson(mean - 1, count) if mean < 6 else np.maximum(1, rng.poisson(mean, count))


def _extra_counts(facts: Facts) -> tuple[int, int]:
    """People beyond the pupils, each year: leavers of former years and college students."""
    shares = facts.raw["exam_shares"]
    return shares["previous_years"], shares["college"]


def _people(facts: Facts, rng: np.random.Generator, girl: np.ndarray, school: list[int]) -> list[tuple[str, str, str]]:
    """Names, no two people of one school alike (some protocols tell people by name only)."""
    surnames, patronymics = facts.words("surnames"), facts.words("patronymics")
    given = {True: facts.words("girls"), False: facts.words("boys")}
    taken: set[tuple[int, str, str, str]] = set()
    names = []
    draws = rng.integers(0, 1 << 30, (len(girl), 3))
    for i, (is_girl, (a, b, c)) in enumerate(zip(girl.tolist(), draws.tolist(), strict=True)):
        where = school[i] if i < len(school) else -1
        while True:
            surname, father = surnames[a % len(surnames)], patronymics[c % len(patronymics)]
            first = given[is_girl][b % len(given[is_girl])]
            name = (surname + "а" * is_girl, first, father + ("на" if is_girl else "ич"))
            if (where, *name) not in taken:
                break
            a, b = a + 1, b + 7
        taken.add((where, *name))
        names.append(name)
    return names


def _documents(rng: np.random.Generator, count: int) -> list[tuple[str, str]]:
    numbers = rng.choice(900_000, size=count, replace=False) + 100_000
    series = rng.integers(14, 22, count)
    return [(f"99{a}", f"{b}") for a, b in zip(series.tolist(), numbers.tolist(), strict=True)]


def _school_in(region: Region, spring: int) -> np.ndarray:
    """School of each pupil in a year: a merged school's pupils move."""
    school = region.pupils.school.copy()
    for one in region.schools:
        if one.merged_into is not None and spring > region.facts.raw["merger"]["year"]:
            school[school == one.index] = one.merged_into
    return school


def _in_grade(region: Region, spring: int, grade: int) -> tuple[np.ndarray, np.ndarray]:
    """Pupils of a grade and their schools, ordered by school."""
    school = _school_in(region, spring)
    teaches = np.array([one.has_grade(grade) for one in region.schools])
    here = (region.pupils.start == spring - grade) & teaches[school]
    if grade > 9:
        here &= region.pupils.stays
    pupil = np.flatnonzero(here)
    pupil = pupil[np.argsort(school[pupil], kind="stable")]
    return pupil, school[pupil]


def _ability(region: Region, pupil: np.ndarray, school: np.ndarray, subject: str, spring: int) -> np.ndarray:
    family = FAMILIES.get(subject.split("_")[0], 2)
    own = region.pupils.general[pupil] + region.pupils.special[pupil, family]
    return own + region.quality[school, region.year_index(spring)]


def _number_in_group(group: np.ndarray) -> np.ndarray:
    """1, 2, 3 … within each run of an ordered array."""
    if not len(group):
        return np.zeros(0, dtype=int)
    starts = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]]))
    return np.arange(len(group)) - np.repeat(starts, np.diff(np.append(starts, len(group)))) + 1


# --- answers ---


class Answers:
    """Points by task for given abilities; one number, the ease of the whole paper, is tuned to a target."""

    def __init__(self, rng: np.random.Generator, ability: np.ndarray, maxima: tuple[int, ...]) -> None:
        self.starts = np.concatenate([[0], np.cumsum(maxima)[:-1]])
        hardness = np.linspace(-1.4, 1.4, len(maxima))
        by_point = np.repeat(hardness, maxima) + np.concatenate([np.linspace(-0.3, 0.3, m) for m in maxima])
        self.luck = rng.logistic(0, 1, (len(ability), len(by_point)))
        self.logits = 1.05 * ability[:, None] - by_point[None, :]

    def points(self, ease: float) -> np.ndarray:
        return np.add.reduceat(self.luck < self.logits + ease, self.starts, axis=1, dtype=int)

    def tune(self, share_below: Callable[[np.ndarray], float], target: float) -> float:
        """Ease at which the share below the minimum is nearest to the target."""
        low, high = -5.0, 6.0
        for _ in range(14):
            middle = (low + high) / 2
            low, high = (middle, high) if share_below(self.points(middle)) > target else (low, middle)
        return high


def _sit_work(region: Region, rng: np.random.Generator, work: Work, spring: int) -> WorkResults:
    pupil, school = _in_grade(region, spring, work.grade)
    ability = _ability(region, pupil, school, work.subject.id, spring)
    answers = Answers(rng, ability, work.maxima)
    ease = answers.tune(lambda points: float((work.marks(points.sum(axis=1)) == 2).mean()), work.below[spring])
    points = answers.points(ease)
    sizes = np.bincount(school, minlength=len(region.schools))[school]
    number = _number_in_group(school)
    classes = np.ceil(sizes / CLASS_SIZE).astype(int)
    journal = ability + rng.normal(0.35, 0.35, len(pupil))
    return WorkResults(
        work=work,
        spring=spring,
        pupil=pupil,
        school=school,
        number=number,
        class_no=(number - 1) * classes // np.maximum(sizes, 1) + 1,
        classes=classes,
        second_login=_on_second_login(region, school, number / sizes, work, spring),
        girl=region.pupils.girl[pupil],
        absent=rng.random(len(pupil)) < region.facts.raw["vpr"][spring]["absent_share"],
        variant=rng.integers(1, VARIANTS + 1, len(pupil)),
        prior=2 + np.searchsorted([-1.9, 0.15, 1.25], journal, side="right"),
        points=points,
        not_taught=np.zeros(points.shape, dtype=bool),
    )


def _on_second_login(region: Region, school: np.ndarray, position: np.ndarray, work: Work, spring: int) -> np.ndarray:
    """The second building's pupils, who are entered under the school's second login."""
    told = region.facts.raw["second_login"]
    has_second = np.array([bool(one.second_login) for one in region.schools])
    applies = spring >= told["from_year"] and work.grade in told["grades"]
    return has_second[school] & (position > 1 - told["share"]) & applies


# --- exams ---


def _sit_exams(region: Region, rng: np.random.Generator, spring: int) -> list[Attempt]:
    attempts: list[Attempt] = []
    takers = _takers(region, rng, spring)
    for exam in region.facts.exams_of(spring):
        attempts += _sit_exam(region, rng, exam, spring, *takers[exam.assessment, exam.subject])
    attempts += _sit_gve(region, rng, spring, takers["gve", ""][0])
    attempts += _outsiders(region, rng, spring)
    return attempts


Takers = dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]


def _takers(region: Region, rng: np.random.Generator, spring: int) -> Takers:
    """Who sits which exam: pupils and their schools."""
    shares = region.facts.raw["exam_shares"]
    ninth, school9 = _in_grade(region, spring, 9)
    special = np.array([bool(one.role.excluded) for one in region.schools])
    correctional = np.array([one.role_name == "correctional" for one in region.schools])
    chance = np.where(correctional[school9], 0.85, np.where(special[school9], 0.3, shares["gve"]))
    in_gve = rng.random(len(ninth)) < chance
    takers: Takers = {("gve", ""): (ninth[in_gve], school9[in_gve])}
    for subject in ("russian", "mathematics"):
        takers["oge", subject] = (ninth[~in_gve], school9[~in_gve])
    leaver, school11 = _in_grade(region, spring, 11)
    applies = rng.random(len(leaver)) < shares["sit_ege"].get(spring, 1)
    leaver, school11 = leaver[applies], school11[applies]
    takers["ege", "russian"] = (leaver, school11)
    skill = _ability(region, leaver, school11, "mathematics", spring) + rng.normal(0, 0.5, len(leaver))
    order = np.argsort(np.argsort(-skill, kind="stable"), kind="stable")
    profile = order < shares["profile"] * len(leaver)
    takers["ege", "mathematics_profile"] = (leaver[profile], school11[profile])
    both = order >= shares["profile"] * len(leaver) - shares["both_levels"]
    takers["ege", "mathematics_base"] = (leaver[both], school11[both])
    return takers


def _sit_exam(
    region: Region,
    rng: np.random.Generator,
    exam: Exam,
    spring: int,
    pupil: np.ndarray,
    school: np.ndarray,
) -> list[Attempt]:
    """First attempts, then the retakes of those who failed."""
    days, shares = exam.sittings[spring], region.facts.raw["exam_shares"]
    ability = _ability(region, pupil, school, exam.subject, spring)
    answers = Answers(rng, ability, exam.maxima)
    ease = answers.tune(lambda points: float(exam.is_below(exam.results(points)).mean()), days.below)
    points = answers.points(ease)
    again = Answers(rng, ability + 0.75, exam.maxima).points(ease)
    third = Answers(rng, ability + 1.1, exam.maxima).points(ease)
    ill = rng.random(len(pupil)) < shares["ill_on_main_day"]
    goes = rng.random((len(pupil), 2)) < [shares["retake_in_reserve"], shares["retake_in_extra"]]
    classes = _class_names(rng, school, exam.grade)
    attempts = []
    for i in range(len(pupil)):
        person, where = int(pupil[i]), int(school[i])
        day, kind = (days.reserve, "reserve") if ill[i] else (days.main, "main")
        attempt = _attempt(region, exam, spring, person, where, classes[i], day, kind, points[i])
        attempts.append(attempt)
        if not attempt.below:
            continue
        if kind == "main" and goes[i, 0]:
            attempt = _attempt(region, exam, spring, person, where, classes[i], days.reserve, "reserve", again[i])
            attempts.append(attempt)
        if attempt.below and goes[i, 1] and days.extra:
            attempts.append(_attempt(region, exam, spring, person, where, classes[i], days.extra, "extra", third[i]))
    return attempts


def _class_names(rng: np.random.Generator, school: np.ndarray, grade: int) -> list[str]:
    """`9А`, and the careless ways to write it."""
    position = _number_in_group(school)
    style = rng.random(len(school))
    names = []
    for number, way in zip(position.tolist(), style.tolist(), strict=True):
        letter = "АБВГДЕ"[(number - 1) // CLASS_SIZE % 6]
        names.append(f"{grade}{letter}" if way < 0.9 else f"{grade}{letter.lower()}" if way < 0.97 else f"{grade}")
    return names


def _attempt(
    region: Region,
    exam: Exam,
    spring: int,
    person: int,
    school: int,
    class_name: str,
    day: date,
    kind: str,
    points: np.ndarray,
) -> Attempt:
    result = exam.results(points[None, :])
    one = region.schools[school]
    answers_for = one
    if one.role_name == "branch_shared_code" and one.parent is not None:
        answers_for = region.schools[one.parent]
    return Attempt(
        exam=exam,
        spring=spring,
        person=person,
        school=answers_for.index,
        exam_code=_written_code(region, answers_for, person, exam, spring),
        municipality=one.municipality,
        class_name=class_name,
        held_on=day,
        kind=kind,
        points=points,
        primary=int(points.sum()),
        result=int(result[0]),
        below=bool(exam.is_below(result)[0]),
        room=f"{1 + person % 15:04d}",
    )


def _written_code(region: Region, school: School, person: int, exam: Exam, spring: int) -> str:
    """In the first year after a merger, ОГЭ protocols still carry the closed school's code."""
    former = region.schools[int(region.pupils.school[person])]
    first_year = region.facts.raw["merger"]["year"] + 1
    if former.merged_into == school.index and spring == first_year and exam.assessment == "oge":
        return former.exam_code
    return school.exam_code


def _sit_gve(region: Region, rng: np.random.Generator, spring: int, pupil: np.ndarray) -> list[Attempt]:
    """ГВЭ has marks of its own; it stays outside the rule."""
    school_of = _school_in(region, spring)
    attempts = []
    for exam in region.facts.exams_of(spring, "oge"):
        code, title = next((g["code"], g["title"]) for g in region.facts.raw["gve"] if g["subject"] == exam.subject)
        marks = rng.choice([2, 3, 4, 5], size=len(pupil), p=[0.12, 0.5, 0.28, 0.1])
        for person, mark in zip(pupil.tolist(), marks.tolist(), strict=True):
            points = np.zeros(len(exam.maxima), dtype=int)
            day = exam.sittings[spring].main
            attempt = _attempt(region, exam, spring, person, int(school_of[person]), "9А", day, "main", points)
            attempt.is_gve, attempt.result, attempt.primary, attempt.below = True, mark, mark * 3, False
            attempt.extra_cells = {"code": code, "title": title}
            attempts.append(attempt)
    return attempts


def _outsiders(region: Region, rng: np.random.Generator, spring: int) -> list[Attempt]:
    """Leavers of former years, entered at a school, and college students: both outside the rule."""
    before, college = _extra_counts(region.facts)
    first = len(region.pupils.school) + region.year_index(spring) * (before + college)
    hosts = [one for one in region.schools if one.has_grade(11) and not one.role.excluded]
    attempts = []
    for exam in region.facts.exams_of(spring, "ege"):
        if exam.subject == "mathematics_base":
            continue
        days: Sitting = exam.sittings[spring]
        answers = Answers(rng, rng.normal(0, 1, before + college), exam.maxima).points(0.4)
        for i in range(before + college):
            host = hosts[(i * 5 + spring) % len(hosts)]
            attempt = _attempt(
                region,
                exam,
                spring,
                0,
                host.index,
                "ВПЛ",
                days.reserve if i % 2 else days.main,
                "main",
                answers[i],
            )
            attempt.person, attempt.category, attempt.exam_code = first + i, "previous_years", host.exam_code
            if i >= before:
                attempt.category, attempt.class_name, attempt.school = "spo", "СПО", None
                attempt.exam_code = str(region.facts.raw["region"]["college"]["exam_code"])
            attempts.append(attempt)
    return attempts
