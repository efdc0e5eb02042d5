"""Deficits by task against a class worked by hand, and against independent recounts of a random region."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
import yaml

from opora.build import build
from opora.deficits import DeficitFacts, SpecificationYear, load_deficits
from opora.delivery import TaskColumn, read_records, write_record
from opora.facts import ReferenceFileError, Setting, default_root
from opora.home import Home
from opora.models import choose, run_models
from opora.reference import load_reference
from opora.warehouse import prepare
from schemas.pandera_schemas import failures
from schemas.registry import registry, table
from tests.built import rows_of
from tests.unit.test_dbt_rules import Lake, delivery_id, school, works
from tests.unit.test_docs import METHODOLOGY, number, tables_of

Row = dict[str, Any]
Answers = Sequence[str | None]
Y1, Y2, Y3 = "2021-2022", "2022-2023", "2023-2024"
MARTS = ("task_item", "task_deficit", "pupil_task_deficit", "deficit_summary")
FACTS = load_deficits()

HAND, BOUNDS, NUMBERED, NAMED_ONLY, NAMELESS = (
    "vpr_5_mathematics",
    "vpr_7_mathematics",
    "vpr_6_mathematics",
    "vpr_6_russian",
    "vpr_7_physics",
)
LONGER, OTHER, RANDOM, TAUGHT_LESS = "vpr_8_history", "vpr_8_physics", "vpr_8_mathematics", "vpr_7_russian"

# label, level, greatest score, skills, content
HAND_TASKS = (
    ("1", "Б", 1, "1", "2.1"),
    ("2", "Б", 2, "1;2", "2.1;2.2"),
    ("3K1", "П", 2, "2", "2.2"),
    ("4", "В", 1, None, None),
)
CLASS_A: tuple[Answers, ...] = (
    ("1", "2", "X", "1"),
    ("0", "1", "N", "0"),
    ("1", "X", "2", "?"),
    ("X", "0", "N", None),
    ("1", "2", "1", "9"),
)
CLASS_B: tuple[Answers, ...] = (("1", "2", "2", "1"), ("1", "2", "2", "1"))
# how many of 200 pupils have one point of one, by level
BOUND_COUNTS = {"Б": (120, 119, 114, 113), "П": (60, 59, 57, 56), "В": (60, 56)}


def facts(**changes: Any) -> DeficitFacts:
    """The facts of the reference with some settings decided otherwise; the year Y3 may use what describes Y2."""
    told = {name: Setting(value=value, status="OPEN", note_ru="-") for name, value in changes.items()}
    allowed = SpecificationYear(academic_year=Y3, specification_year=Y2, source="-", evidence="OPEN")
    settings = FACTS.settings.model_copy(update=told)
    return replace(FACTS, settings=settings, specification_years=(allowed,))


# --- the lake ----------------------------------------------------------------------------------------


def written(login: str, procedure: str, year: str, answers: Iterable[Answers], **values: Any) -> list[Row]:
    given = [list(row) for row in answers]
    rows = works(login, procedure, year, 0, len(given), **values)
    return [row | {"task_scores": scores} for row, scores in zip(rows, given, strict=True)]


def described(procedure: str, tasks: Iterable[tuple[str, str | None, int, str | None, str | None]]) -> list[Row]:
    _, grade, subject = procedure.split("_")
    return [
        {
            "assessment": "vpr",
            "subject_id": subject,
            "test_grade": int(grade),
            "specification_year": Y2,
            "task_label": label,
            "position": position,
            "level": level,
            "max_score": maximum,
            "skill_fgos": f"Умение задания {label}",
            "poop_block": None if label == "4" else f"Блок {label}",
            "skill_codes": skills,
            "content_codes": content,
        }
        for position, (label, level, maximum, skills, content) in enumerate(tasks, start=1)
    ]


def plain(levels: Iterable[tuple[str, str | None, int]]) -> list[tuple[str, str | None, int, None, None]]:
    return [(label, level, maximum, None, None) for label, level, maximum in levels]


def random_answers(seed: int, pupils: int, maxima: Sequence[int], ease: float) -> list[list[str | None]]:
    chance = random.Random(seed)
    symbols = {0.03: "X", 0.05: "N", 0.06: "?", 0.07: None}

    def answer(maximum: int) -> str | None:
        drawn = chance.random()
        for bound, symbol in symbols.items():
            if drawn < bound:
                return symbol
        return str(sum(chance.random() < ease for _ in range(maximum)))

    return [[answer(maximum) for maximum in maxima] for _ in range(pupils)]


RANDOM_MAXIMA = (1, 1, 2, 3, 1, 2)


def random_region(number: int) -> list[list[str | None]]:
    """Answers of one of twelve schools, which differ in ability."""
    return random_answers(number, 11 + 3 * number, RANDOM_MAXIMA, 0.25 + 0.05 * number)


def fill(lake: Lake) -> None:
    add = lake.add
    add("school_register", 1, *(school(f"2200{n:02}") for n in range(1, 7)))
    add("school_register", 1, *(school(f"2200{n:02}", municipality_label="г. Бийск") for n in range(7, 13)))
    add("school_register", 1, school("220090", school_name="КГБПОУ «Бийский педагогический колледж»"))
    # the class worked by hand, its neighbour, absentees, another school, a college
    add("assessment_result", 2, *written("220001", HAND, Y2, CLASS_A, class_name="5А"))
    second = written("220001", HAND, Y2, CLASS_B, class_name="б ")
    absent = written("220001", HAND, Y2, [("0", "0", "0", "0")], attendance="absent", class_name="б")
    rows = [row | {"participant_code": f"5010{n}"} for n, row in enumerate([*second, *absent])]
    add("assessment_result", 2, *rows)
    add("assessment_result", 2, *written("220007", HAND, Y2, [("1", "2", "2", "1")] * 12, class_name="НЕТ"))
    add("assessment_result", 2, *written("220090", HAND, Y2, [("0", "0", "0", "0")] * 30))
    add("task_specification", 3, *described(HAND, HAND_TASKS))
    labels = {("kt", "1"): "Считать", ("kt", "2"): "Решать задачи", ("kes", "2.1"): "Числа"}
    for (codifier, code), label in labels.items():
        key = {"subject_id": "mathematics", "test_grade": 5, "specification_year": Y2}
        add("codifier", 3, key | {"codifier": codifier, "code": code, "label": label})
    # the bounds of the levels, in one school of 200
    tasks = [(f"{level}{n}", level, 1) for level, counts in BOUND_COUNTS.items() for n in range(len(counts))]
    counts = [count for counts in BOUND_COUNTS.values() for count in counts]
    answers = [["1" if pupil < count else "0" for count in counts] for pupil in range(200)]
    add("assessment_result", 2, *written("220002", BOUNDS, Y2, answers))
    add("task_specification", 3, *described(BOUNDS, plain(tasks)))
    # no header: the answers show that task 2 gives more than described and task 3 less; the ninth column is stray
    row = ["1", "2", "1", "1", "1", "1", "1", "1", None]
    answers = [row, ["0"] * 8 + [None]] * 20 + [["1", "1", "1", "1", "1", "1", "1", "1", "5"]]
    add("assessment_result", 2, *written("220003", NUMBERED, Y2, answers))
    maxima = [1, 1, 3, 1, 1, 1, 1, 1]
    doubled = [(str(n), "Б", m) for n, m in enumerate(maxima, start=1)]
    doubled.insert(4, ("5", "П", 4))
    add("task_specification", 3, *described(NUMBERED, plain(doubled)))
    # no specification: with the maximum in the header, and without; too few tasks; another work
    add("assessment_result", 2, *written("220003", NAMED_ONLY, Y2, [("2", "1")] * 12))
    add("assessment_result", 2, *written("220003", NAMELESS, Y2, [("2", "1")] * 12))
    add("assessment_result", 2, *written("220003", LONGER, Y2, [("1", "1", "1")] * 12))
    add("task_specification", 3, *described(LONGER, plain([("1", "Б", 1), ("2", "Б", 1)])))
    add("assessment_result", 2, *written("220003", OTHER, Y2, [("3", "3", "1", "0")] * 12))
    add("task_specification", 3, *described(OTHER, plain([(str(n), "Б", 1) for n in range(1, 5)])))
    # other years of the same work: Y3 may use the specification of Y2, Y1 may not
    for year in (Y1, Y3):
        add("assessment_result", 2, *written("220001", HAND, year, CLASS_A, class_name="А"))
    # a region of twelve schools; the same where some zeros are topics not taught
    for n in range(1, 13):
        answers = random_region(n)
        add("assessment_result", 4, *written(f"2200{n:02}", RANDOM, Y2, answers))
        less = [
            ["N" if s == "0" and (n + i + j) % 3 == 0 else s for j, s in enumerate(a)] for i, a in enumerate(answers)
        ]
        add("assessment_result", 4, *written(f"2200{n:02}", TAUGHT_LESS, Y2, less))
    random_tasks = plain([(str(n), "Б" if n % 2 else "П", m) for n, m in enumerate(RANDOM_MAXIMA, start=1)])
    for procedure in (RANDOM, TAUGHT_LESS):
        add("task_specification", 3, *described(procedure, random_tasks))


def name_tasks(home: Home) -> None:
    """What the headers of delivery 2 say."""
    named = {HAND: [("1", 1), ("2", 2), ("3к1", 2), ("4", 1)], NAMED_ONLY: [("1", 2), ("2(1)", 1)]}
    columns = [
        TaskColumn(
            assessment="vpr",
            subject_id=procedure.split("_")[2],
            test_grade=int(procedure.split("_")[1]),
            measured_year=Y2,
            position=position,
            label=label,
            max_score=maximum,
        )
        for procedure, tasks in named.items()
        for position, (label, maximum) in enumerate(tasks, start=1)
    ]
    record = read_records(home)[delivery_id(2)]
    write_record(home, record.model_copy(update={"task_columns": columns}))


@dataclass(frozen=True)
class Built:
    home: Home
    database: Path
    statuses: dict[str, str]

    def rows(self, mart: str, **key: Any) -> list[Row]:
        return rows_of(self.database, f"marts.{mart}", **key)

    def deficit(self, item: str, level: str, territory: str, procedure: str = HAND, **key: Any) -> Row:
        key = {"academic_year": Y2, "item_kind": "task", "territory_level": level} | key
        (row,) = self.rows("task_deficit", item_id=item, territory_id=territory, procedure_id=procedure, **key)
        return row

    def item(self, item: str, procedure: str, kind: str = "task", year: str = Y2) -> Row:
        key = {"item_id": item, "procedure_id": procedure, "item_kind": kind, "academic_year": year}
        (row,) = self.rows("task_item", **key)
        return row


SMALL = facts(answers_to_judge=30)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    home = Home(tmp_path_factory.mktemp("deficits")).ensure()
    lake = Lake(home)
    fill(lake)
    lake.write(replaced={})
    name_tasks(home)
    database = home.build / "run.duckdb"
    prepare(home, load_reference(), database, deficits=SMALL)
    results = build(database)
    return Built(home, database, {result.name: result.status for result in results})


# --- the class worked by hand ------------------------------------------------------------------------


@pytest.mark.parametrize("mart", MARTS)
def test_marts_match_the_registry(built: Built, mart: str) -> None:
    frame = pl.DataFrame(
        built.rows(mart), schema_overrides={"left_out_tasks_ru": pl.String()}, infer_schema_length=None
    )
    assert frame.columns == table(mart).names
    assert frame.height > 0


@pytest.mark.parametrize("mart", MARTS)
def test_values_and_keys_match_the_registry(built: Built, mart: str) -> None:
    with duckdb.connect(str(built.database), read_only=True) as connection:
        assert failures(mart, connection.execute(f"select * from marts.{mart}").pl()).is_empty()


def test_every_test_of_dbt_passes(built: Built) -> None:
    assert {name: status for name, status in built.statuses.items() if status not in ("success", "pass")} in (
        {},
        {"scales_and_minimums_are_known": "warn"},
    )


@pytest.mark.parametrize(
    ("item", "counts", "points"),
    [
        # participants, answers, not attempted, not taught, unread; points, possible
        ("1", (5, 5, 1, 0, 0), (3, 5)),
        ("2", (5, 5, 1, 0, 0), (5, 10)),
        ("3К1", (5, 3, 1, 2, 0), (3, 6)),
        ("4", (5, 2, 0, 0, 3), (1, 2)),
    ],
)
def test_a_class_with_every_symbol(built: Built, item: str, counts: tuple[int, ...], points: tuple[int, int]) -> None:
    row = built.deficit(item, "class", "s220001/А")
    names = ("participants", "answers_count", "not_attempted_count", "not_taught_count", "unread_count")
    assert tuple(row[name] for name in names) == counts
    assert (row["points"], row["max_points"]) == points
    assert row["completion_share"] == points[0] / points[1]
    assert (row["severity"], row["level_state"], row["is_gap_significant"]) == ("too_few", None, None)


def test_classes_are_one_however_they_are_written(built: Built) -> None:
    names = {row["class_name"] for row in built.rows("task_deficit", territory_level="class", procedure_id=HAND)}
    assert names == {"А", "Б", "—"}


def test_the_school_is_its_classes_and_the_region_its_schools_without_the_college(built: Built) -> None:
    in_school, in_region = built.deficit("1", "school", "s220001"), built.deficit("1", "region", "22")
    assert (in_school["participants"], in_school["points"], in_school["max_points"]) == (7, 5, 7)
    assert (in_region["participants"], in_region["points"], in_region["max_points"]) == (19, 17, 19)
    assert in_school["gap"] == pytest.approx(5 / 7 - 17 / 19)
    assert not built.rows("task_deficit", territory_id="s220090")


def test_a_skill_is_all_its_tasks(built: Built) -> None:
    """Skill 1 is in tasks 1 and 2: 5 + 9 of 7 + 14 points; content 2.2 in 2 and 3К1, which two were not taught."""
    skill = built.deficit("1", "school", "s220001", item_kind="skill")
    assert (skill["points"], skill["max_points"], skill["answers_count"], skill["pupils_count"]) == (14, 21, 14, 7)
    content = built.deficit("2.2", "school", "s220001", item_kind="content")
    assert (content["points"], content["max_points"], content["not_taught_count"]) == (9 + 7, 14 + 10, 2)
    assert built.item("1", HAND, "skill")["title_ru"] == "Считать"
    assert built.item("1", HAND, "skill")["tasks_ru"] == "1; 2"
    assert built.item("2", HAND, "skill")["level"] == "mixed"


def test_a_skill_without_a_code_is_known_by_its_words(built: Built) -> None:
    assert built.item("задание 4", HAND, "skill")["title_ru"] == "Умение задания 4"
    assert built.item("4", HAND)["title_ru"] == "Умение задания 4"
    assert built.item("1", HAND)["title_ru"] == "Блок 1"


def test_a_pupil_has_an_ordered_list(built: Built) -> None:
    """The fifth pupil of А lost one point of 3К1, which is half; the fourth lost what was taught."""
    key = {"academic_year": Y2, "procedure_id": HAND, "class_name": "А"}
    rows = {row["participant_code"]: row for row in built.rows("pupil_task_deficit", **key)}
    fourth, fifth = rows["50003"], rows["50004"]
    assert (fourth["points"], fourth["max_points"], fourth["lost_points"]) == (0, 3, 3)
    # the region did task 1 (17 of 19) better than task 2 (33 of 38)
    assert fourth["deficit_tasks_ru"] == "1; 2"
    assert fourth["deficit_skills_ru"] == "1; 2"
    assert fourth["not_taught_tasks_ru"] == "3К1"
    assert fourth["region_completion_share"] == pytest.approx((1 * 17 / 19 + 2 * 33 / 38) / 3)
    assert (fifth["points"], fifth["max_points"], fifth["deficits_count"], fifth["deficit_tasks_ru"]) == (4, 5, 0, None)
    assert not [row for row in built.rows("pupil_task_deficit") if row["school_id"] == "s220090"]


def test_pupils_stay_in_the_official_profile() -> None:
    assert registry()["pupil_task_deficit"].restricted
    assert not any("name" in name and name != "class_name" for name in table("pupil_task_deficit").names)


# --- rules -------------------------------------------------------------------------------------------


def test_levels_are_judged_by_integers(built: Built) -> None:
    expected = {
        "Б0": "sufficient",
        "Б1": "borderline",
        "Б2": "borderline",
        "Б3": "insufficient",
        "П0": "sufficient",
        "П1": "borderline",
        "П2": "borderline",
        "П3": "insufficient",
        "В0": "sufficient",
        "В1": "insufficient",
    }
    found = built.rows("task_deficit", procedure_id=BOUNDS, territory_level="school", item_kind="task")
    assert {row["item_id"]: row["level_state"] for row in found} == expected
    (summary,) = built.rows("deficit_summary", procedure_id=BOUNDS, territory_level="school")
    counts = ("judged_tasks_count", "sufficient_count", "borderline_count", "insufficient_count", "teach_again_count")
    assert tuple(summary[name] for name in counts) == (10, 3, 4, 3, 3)
    first = summary["teach_again_ru"].split("\n")[0]
    assert first == "1) задание П3 (повышенный уровень): 28,0 % при 28,0 % в регионе, n = 200 — Блок П3"


def test_intervals_are_those_of_statsmodels(built: Built) -> None:
    from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

    school_row = built.deficit("1", "school", "s220001", procedure=RANDOM)
    region_row = built.deficit("1", "municipality", school_row_municipality(built), procedure=RANDOM)
    for row in (school_row, region_row):
        expected = proportion_confint(row["points"], row["max_points"], method="wilson")
        assert row["interval_unit"] == "pupil"
        assert (row["share_ci_low"], row["share_ci_high"]) == pytest.approx(expected, abs=1e-6)
    own, whole = built.deficit("1", "school", "s220001"), built.deficit("1", "region", "22")
    assert whole["interval_unit"] == "pupil", "two schools are too few to tell how schools differ"
    expected = confint_proportions_2indep(
        own["points"], own["max_points"], whole["points"], whole["max_points"], method="newcomb"
    )
    assert (own["gap_low"], own["gap_high"]) == pytest.approx(expected, abs=1e-6)


def school_row_municipality(built: Built) -> str:
    (row,) = built.rows("school", school_id="s220001")
    return str(row["municipality_id"])


def test_the_interval_of_a_region_counts_the_difference_of_schools(built: Built) -> None:
    """Against the clustered variance of statsmodels; schools so unlike leave far fewer pupils than there are."""
    import statsmodels.api as sm
    from statsmodels.stats.proportion import proportion_confint

    whole = built.deficit("3", "region", "22", procedure=RANDOM)
    parts = [
        row
        for row in built.rows("task_deficit", procedure_id=RANDOM, territory_level="school", item_kind="task")
        if row["item_id"] == "3"
    ]
    assert (whole["interval_unit"], len(parts)) == ("school", 12)
    points, possible = (np.array([row[name] for row in parts], dtype=float) for name in ("points", "max_points"))
    fit = sm.WLS(points / possible, np.ones(12), weights=possible).fit(
        cov_type="cluster", cov_kwds={"groups": np.arange(12)}
    )
    share = whole["completion_share"]
    assert fit.params[0] == pytest.approx(share)
    effective = share * (1 - share) / fit.bse[0] ** 2
    assert effective < whole["pupils_count"] / 2
    expected = proportion_confint(share * effective, effective, method="wilson")
    assert (whole["share_ci_low"], whole["share_ci_high"]) == pytest.approx(expected, abs=1e-6)


def test_severity_says_what_was_found(built: Built) -> None:
    rows = [row for row in built.rows("task_deficit") if row["pupils_count"] >= 10]
    for row in rows:
        insufficient = row["level_state"] == "insufficient"
        behind = bool(row["is_gap_significant"]) and row["gap"] < 0
        expected = {(True, True): "high", (True, False): "medium", (False, True): "low"}.get(
            (insufficient, behind), "none"
        )
        assert row["severity"] == expected
    assert {"high", "medium", "low", "none"} <= {row["severity"] for row in rows}


def test_the_order_is_total_and_puts_the_insufficient_first(built: Built) -> None:
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in built.rows("task_deficit", territory_level="school"):
        if row["teach_again_order"] is not None:
            key = (row["academic_year"], row["procedure_id"], row["item_kind"], row["territory_id"])
            groups.setdefault(key, []).append(row)
    rules = {level.level: level.insufficient_below for level in FACTS.levels}
    for rows in groups.values():
        rows.sort(key=lambda row: row["teach_again_order"])
        assert [row["teach_again_order"] for row in rows] == list(range(1, len(rows) + 1))
        insufficient = [row["points"] * 1000 < rules.get(row["level"], 0) * row["max_points"] for row in rows]
        assert insufficient == sorted(insufficient, reverse=True)
        lost = [row["gap"] * row["max_points"] for row, is_low in zip(rows, insufficient, strict=True) if is_low]
        assert lost == sorted(lost)
    assert max(len(rows) for rows in groups.values()) > 3


# --- which task a column is --------------------------------------------------------------------------


def test_headers_prove_the_specification_and_letters_may_differ(built: Built) -> None:
    assert {row["maximum_check"] for row in built.rows("task_item", procedure_id=HAND, academic_year=Y2)} == {"header"}
    assert built.item("3К1", HAND)["max_score"] == 2


def test_answers_refute_a_maximum(built: Built) -> None:
    items = {row["item_id"]: row for row in built.rows("task_item", procedure_id=NUMBERED, item_kind="task")}
    assert sorted(items) == ["1", "2", "3", "4", "5", "6", "7", "8"], "the ninth column is stray values"
    assert {name for name, row in items.items() if not row["has_figures"]} == {"2", "3"}
    assert items["2"]["reason_ru"] == "Наибольший балл по описанию 1, в протоколе другой."
    assert (items["5"]["max_score"], items["5"]["level"]) == (1, "Б"), "described twice, the last row counts"
    measured = {row["item_id"] for row in built.rows("task_deficit", procedure_id=NUMBERED, item_kind="task")}
    assert measured == set(items) - {"2", "3"}


def test_a_work_without_a_specification(built: Built) -> None:
    by_header = built.item("2.1", NAMED_ONLY)
    assert (by_header["maximum_check"], by_header["has_figures"], by_header["level"]) == ("header_only", True, None)
    assert built.deficit("2.1", "school", "s220003", procedure=NAMED_ONLY)["completion_share"] == 1
    nameless = built.item("№ 1", NAMELESS)
    assert (nameless["maximum_check"], nameless["has_figures"]) == ("refused", False)
    assert not built.rows("task_deficit", procedure_id=NAMELESS)


def test_another_work_is_refused_whole(built: Built) -> None:
    assert built.item("№ 3", LONGER)["reason_ru"] == (
        "В протоколе заданий 3, в описании 2: какое задание в каком столбце, неизвестно."
    )
    assert (
        built.item("№ 4", OTHER)["reason_ru"] == "Наибольшие баллы не сошлись у многих заданий: описана другая работа."
    )
    for procedure in (LONGER, OTHER):
        assert not built.rows("task_deficit", procedure_id=procedure)
        (summary,) = built.rows("deficit_summary", procedure_id=procedure, territory_level="school")
        assert (summary["measured_tasks_count"], summary["participants"]) == (0, 12)
        assert summary["reason_ru"] is not None


def test_another_year_needs_leave(built: Built) -> None:
    allowed = built.item("1", HAND, year=Y3)
    assert (allowed["specification_year"], allowed["is_other_year_specification"]) == (Y2, True)
    assert allowed["maximum_check"] == "unproven"
    assert built.deficit("1", "school", "s220001", academic_year=Y3)["specification_year"] == Y2
    refused = built.item("№ 1", HAND, year=Y1)
    assert (refused["specification_year"], refused["has_figures"]) == (None, False)


def test_what_does_not_fit_is_reported(built: Built) -> None:
    found = {(row["check_id"], row["value"]) for row in built.rows("quality_issue")}
    assert {
        ("task_maximum_differs", NUMBERED),
        ("task_described_twice", NUMBERED),
        ("task_specification_missing", NAMED_ONLY),
        ("task_specification_missing", NAMELESS),
        ("task_columns_differ", LONGER),
        ("task_columns_differ", OTHER),
    } <= found
    assert ("task_maximum_differs", HAND) not in found


# --- properties --------------------------------------------------------------------------------------


def test_figures_are_those_of_a_recount(built: Built) -> None:
    for n in range(1, 13):
        answers = random_region(n)
        for place, maximum in enumerate(RANDOM_MAXIMA):
            scores = [row[place] for row in answers]
            given = [0 if s == "X" else int(s) for s in scores if s is not None and s not in "N?"]
            row = built.deficit(str(place + 1), "school", f"s2200{n:02}", procedure=RANDOM)
            assert (row["points"], row["max_points"]) == (sum(given), maximum * len(given))
            assert (row["participants"], row["not_taught_count"]) == (len(scores), scores.count("N"))


def test_a_topic_not_taught_never_lowers_completion(built: Built) -> None:
    before = {key_of(row): row for row in built.rows("task_deficit", procedure_id=RANDOM)}
    after = {key_of(row): row for row in built.rows("task_deficit", procedure_id=TAUGHT_LESS)}
    assert before.keys() == after.keys()
    rose = 0
    for key, row in after.items():
        assert row["not_taught_count"] >= before[key]["not_taught_count"]
        assert row["completion_share"] >= before[key]["completion_share"] - 1e-12
        rose += row["completion_share"] > before[key]["completion_share"]
    assert rose > len(after) / 2


def key_of(row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in ("item_kind", "item_id", "territory_level", "territory_id"))


def test_the_order_of_rows_changes_nothing(built: Built, tmp_path: Path) -> None:
    home = Home(tmp_path).ensure()
    lake = Lake(home)
    fill(lake)
    for rows in lake.rows.values():
        random.Random(1).shuffle(rows)
    lake.write(replaced={})
    name_tasks(home)
    database = home.build / "run.duckdb"
    prepare(home, load_reference(), database, deficits=SMALL)
    run_models(database, choose(["+task_deficit", "+deficit_summary"]))
    again = Built(home, database, {})
    for mart in ("task_deficit", "deficit_summary"):
        assert again.rows(mart) == built.rows(mart)


# --- facts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        ("levels.yaml", "insufficient_below: 570", "insufficient_below: 670", "insufficient_below must not be above"),
        ("levels.yaml", "level: П", "level: Б", "two rules for the level Б"),
        ("specification_years.yaml", "academic_year: 2021-2022", "academic_year: 2019-2020", "two specifications for"),
        ("settings.yaml", "value: 0.95", "value: 95.0", "confidence"),
        ("settings.yaml", "minimum_pupils:", "minimal_pupils:", "minimal_pupils"),
    ],
)
def test_a_wrong_fact_is_named(tmp_path: Path, file: str, old: str, new: str, complaint: str) -> None:
    folder = tmp_path / "deficits"
    folder.mkdir()
    for path in (default_root() / "deficits").glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        if path.name == file:
            assert old in text
            text = text.replace(old, new, 1)
        (folder / path.name).write_text(text, encoding="utf-8")
    with pytest.raises(ReferenceFileError, match=f"deficits/{file}.*{complaint}"):
        load_deficits(tmp_path)


def test_the_examples_of_the_page_add_up() -> None:
    page = METHODOLOGY / "deficits.md"
    symbols = [row[1:] for row in tables_of(page, "участник", "1", "2", "3К1", "4")]
    assert symbols == [["пусто" if s is None else s for s in answers] for answers in CLASS_A]
    header = ("задание", "ответов", "не приступали", "не пройдено", "нет значения", "набрано", "возможно", "выполнение")
    rows = list(tables_of(page, *header))
    assert [row[0] for row in rows] == ["1", "2", "3К1", "4"]
    for place, (_, answered, skipped, untaught, unread, points, possible, share) in enumerate(rows):
        scores, maximum = [answers[place] for answers in CLASS_A], HAND_TASKS[place][2]
        given = [
            0 if s == "X" else int(s) for s in scores if s == "X" or ((s or "?").isdigit() and int(s or 0) <= maximum)
        ]
        assert [int(x) for x in (answered, skipped, untaught)] == [len(given), scores.count("X"), scores.count("N")]
        assert int(unread) == len(scores) - len(given) - scores.count("N")
        assert [int(points), int(possible)] == [sum(given), maximum * len(given)]
        assert number(share) == round(100 * sum(given) / (maximum * len(given)), 1)
    rules = {level.level: level for level in FACTS.levels}
    judged = list(tables_of(page, "набрано", "возможно", "уровень", "вывод"))
    assert {row[3] for row in judged} == {"sufficient", "borderline", "insufficient"}
    for points, possible, letter, state in judged:
        per_mille, rule = 1000 * int(points) / int(possible), rules[letter]
        expected = "insufficient" if per_mille < rule.insufficient_below else "borderline"
        assert state == ("sufficient" if per_mille >= rule.sufficient_from else expected)


def test_the_page_tells_the_rules_as_they_stand() -> None:
    page = METHODOLOGY / "deficits.md"
    told = {row[0]: row[2] for row in tables_of(page, "настройка", "что решает", "значение", "метка")}
    settings = yaml.safe_load((default_root() / "deficits" / "settings.yaml").read_text(encoding="utf-8"))
    chosen = {f"`{name}`": str(value["value"]).lower() for name, value in settings.items() if isinstance(value, dict)}
    assert told == chosen
    rows = list(tables_of(page, "уровень", "достаточно от", "недостаточно ниже"))
    assert [(row[0], number(row[1]), number(row[2])) for row in rows] == [
        (f"{level.title_ru} ({level.level})", level.sufficient_from / 10, level.insufficient_below / 10)
        for level in FACTS.levels
    ]
