"""Target groups: definitions as data, every condition against a lake worked by hand, and what cannot be decided."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from opora.build import build
from opora.context_facts import load_context
from opora.facts import ReferenceFileError, Setting, default_root, parse_file
from opora.groups import DefinitionsFile, Groups, HardShare, group_tables, load_groups
from opora.home import PROJECT, Home
from opora.models import choose, run_models
from opora.programmes import load_programmes
from opora.reference import load_reference
from opora.warehouse import prepare
from schemas.pandera_schemas import failures
from schemas.registry import table
from tests.unit.test_context import answers
from tests.unit.test_dbt_rules import Lake, report, school
from tests.unit.test_docs import tables_of

Row = dict[str, Any]
GROUPS = load_groups()
DEFINITIONS = {definition.definition_id: definition for _, definition in GROUPS.definitions}
Y0, Y1, Y2, Y3 = "2020-2021", "2021-2022", "2022-2023", "2023-2024"
RU, MA = "vpr_5_russian", "vpr_5_mathematics"
SEEDS = Path(os.environ.get("OPORA_SEEDS", PROJECT.parent / "shared" / "seeds"))


# --- the definitions as data -------------------------------------------------------------------------


def test_the_words_are_those_of_the_documents() -> None:
    def plain(text: str) -> str:
        return " ".join(re.findall(r"[0-9a-zа-я%]+", text.lower().replace("ё", "е")))

    for definition in DEFINITIONS.values():
        seed = SEEDS / definition.source
        if not seed.is_file():
            pytest.skip(f"the document {seed.name} is not at hand: set OPORA_SEEDS")
        assert plain(definition.words_ru) in plain(seed.read_text(encoding="utf-8")), definition.definition_id


def test_definitions_speak_of_known_programmes_and_components() -> None:
    programmes = {programme.programme_id for programme in load_programmes()}
    assert {programme_id for programme_id, _ in GROUPS.definitions} <= programmes | {None}
    components = {component.component_id for component in load_context().components}
    named = {
        component.component_id
        for definition in DEFINITIONS.values()
        for condition in definition.conditions
        if isinstance(condition, HardShare)
        for component in condition.components
    }
    assert named <= components


def test_every_programme_has_its_own_groups() -> None:
    """Three of Тверь, both conditions of Томск apart and together, the words of Каргасок and Тербуны, № 847."""
    assert set(DEFINITIONS) == {
        "shnor-847",
        "kargasok-2023-adverse",
        "terbuny-2022-either",
        "tomsk-2020-adverse",
        "tomsk-2020-low-results",
        "tomsk-2020-both",
        "tver-plan-low-results",
        "tver-plan-adverse-conditions",
        "tver-plan-resource-deficit",
    }
    one, other, both = (DEFINITIONS[f"tomsk-2020-{name}"] for name in ("adverse", "low-results", "both"))
    assert both.conditions == (*one.conditions, *other.conditions)


def test_a_programme_without_a_definition_of_its_own_takes_the_official_one() -> None:
    assert {fact: GROUPS.official_of(fact, Y2) for fact in FACTS} == {
        "has_low_results": "shnor-847",
        "is_adverse_conditions": "tomsk-2020-adverse",
        "has_resource_deficit": "tver-plan-resource-deficit",
    }


FACTS = ("has_low_results", "is_adverse_conditions", "has_resource_deficit")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("kind: low_results", "kind: low_marks", "does not match any of the expected tags"),
        (
            'value: 2\n          alternatives: [3]\n          status: OPEN\n          note_ru: "В',
            'value: 4\n          alternatives: [3]\n          status: OPEN\n          note_ru: "В',
            "4 of the last 2 years",
        ),
        ("component_id: single_parent_share", "component_id: both_parents_higher_share", "a component stands twice"),
        ("value: 4\n", "value: 9\n", "minimum_known 9 of 8 components"),
        ("combine: first_known", "combine: most", "combine"),
        ("tver-plan-low-results", "tver-plan-resource-deficit", "definition_id: repeated"),
        ("fact: has_low_results", "fact: has_resource_deficit", "two definitions of one programme"),
        ("kind: low_results\n", "kind: low_results\n        is_required: false\n", "no condition is required"),
    ],
)
def test_a_wrong_definition_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    shutil.copytree(default_root() / "groups", tmp_path / "groups")
    shutil.copy(default_root() / "official_groups.yaml", tmp_path)
    path = tmp_path / "groups" / "tver-plan.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ReferenceFileError, match=told):
        load_groups(tmp_path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("definition_id: shnor-847", "definition_id: shnor"), r"unknown definitions \['shnor'\]"),
        (("fact: has_resource_deficit", "fact: has_low_results"), "two definitions of has_low_results in one year"),
    ],
)
def test_official_definitions_are_there_and_one_a_year(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    shutil.copytree(default_root() / "groups", tmp_path / "groups")
    text = (default_root() / "official_groups.yaml").read_text(encoding="utf-8")
    (tmp_path / "official_groups.yaml").write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(ReferenceFileError, match=told):
        load_groups(tmp_path)


def test_the_nearest_year_of_conditions_comes_first_and_of_two_the_earlier() -> None:
    reach = group_tables(GROUPS, [Y0, Y1, Y2, Y3], year_limit=2)["context_reach"].sort("academic_year", "preference")
    by_year = {year: rows["context_year"].to_list() for (year,), rows in reach.group_by("academic_year")}
    assert by_year == {Y0: [Y0, Y1, Y2], Y1: [Y1, Y0, Y2, Y3], Y2: [Y2, Y1, Y3, Y0], Y3: [Y3, Y2, Y1]}


# --- the lake ----------------------------------------------------------------------------------------

VILLAGE, TOWN = "4) Населенный пункт сельского типа", "2) Город"


def passport(number: int) -> Row:
    """Conditions get better with the number of the school: shares fall with it, education rises."""
    worse = dict.fromkeys(
        (
            *("single_parent", "large_family", "low_income", "unemployed_parents", "registered"),
            *("non_native_russian", "poor_housing", "guardianship", "disability"),
        ),
        40 - number,
    )
    counts = {f"passport_{name}": count for name, count in worse.items()}
    place = {
        "passport_settlement": VILLAGE if number <= 6 else TOWN,
        "passport_transport_access": "3" if number <= 3 else "1",
    }
    return {"passport_pupils": 100, "passport_both_parents_higher": 3 * number} | counts | place


def staff(number: int) -> Row:
    """Shortage falls and qualification rises with the number of the school."""
    return {
        "staff_teachers": 20,
        "staff_with_category": number,
        "staff_positions": 100,
        "staff_vacancies": 20 - number,
        "staff_psychologist": "нет" if number == 1 else "да",
        "staff_speech_therapist": "да",
        "staff_social_pedagogue": "да",
    }


def fill(lake: Lake) -> None:
    """Twenty-two schools; the first eighteen gave a passport and answers on staff in the year of the list."""
    for number in range(1, 23):
        place = "Бийский район" if number <= 10 else "Алейский район"
        lake.add("school_register", 1, school(f"2200{number:02}", municipality_label=place))
    lake.add("school_register", 1, school("220023", school_name="Вечерняя (сменная) школа № 23"))
    for number in range(1, 19):
        login, of_passport = f"2200{number:02}", passport(number)
        if number == 5:  # too little for the social composition and for an index
            of_passport = {"passport_pupils": 100, "passport_registered": 35, "passport_settlement": VILLAGE}
        if number == 6:  # five of eight social shares: enough for the composition, not for an index
            kept = ("pupils", "registered", "non_native_russian", "low_income", "guardianship", "poor_housing")
            of_passport = {f"passport_{name}": of_passport[f"passport_{name}"] for name in kept}
        materials: Row = {"resources_materials": "1", "resources_equipment": "1", "resources_internet": "4"}
        if number == 7:
            materials = {"resources_materials": "3", "resources_equipment": "4", "resources_internet": "4"}
        if number == 8:
            materials = {"resources_materials": "4"}
        told = of_passport | staff(number) | materials
        lake.add("context_value", 2, *answers(login, Y2, **told))
    # results of the year before the list: 1, 2, 7 and 9 are far below the others
    below = {1: 12, 2: 10, 7: 9, 9: 6}
    for number in range(1, 19):
        lake.add("aggregate_result", 3, report(f"2200{number:02}", RU, Y1, below.get(number, 1), 20))
    lake.add("aggregate_result", 3, report("220009", MA, Y1, 8, 20))
    # without conditions: 19 is too small, 20 has no results, 21 is like the others, 22 is low
    lake.add("aggregate_result", 3, report("220019", RU, Y1, 1, 5), report("220021", RU, Y1, 1, 20))
    lake.add("aggregate_result", 3, report("220022", RU, Y1, 12, 20))
    lake.add("aggregate_result", 3, report("220023", RU, Y1, 12, 20), report("220023", MA, Y1, 12, 20))
    # the year before that: 1 and 22 are low again, 2 and 9 are not, of 7 nothing is known; and the year of the list
    for number in (1, 2, 9, 10, 22):
        lake.add("aggregate_result", 3, report(f"2200{number:02}", RU, Y0, 12 if number in (1, 22) else 1, 20))
    lake.add("aggregate_result", 3, report("220010", RU, Y2, 1, 20))


OWN = """
definitions:
  - definition_id: own-class
    title_ru: "Класс"
    words_ru: "-"
    item_ru: "-"
    source: "-"
    evidence: OPEN
    combine: all
    conditions:
      - kind: class_in
        title_ru: "класс"
        classes: {value: [adverse_low, resilient], status: OPEN, note_ru: "-"}
  - definition_id: own-three-years
    title_ru: "Два из трёх"
    words_ru: "-"
    item_ru: "-"
    source: "-"
    evidence: OPEN
    combine: all
    conditions:
      - kind: low_results
        title_ru: "низкие результаты"
        procedures: {value: 1, status: OPEN, note_ru: "-"}
        years: {value: 2, status: OPEN, note_ru: "-"}
        of_years: {value: 3, status: OPEN, note_ru: "-"}
  - definition_id: own-min-max
    title_ru: "Другой метод, со следующего года"
    words_ru: "-"
    item_ru: "-"
    source: "-"
    evidence: OPEN
    valid_from: "2023-2024"
    combine: all
    conditions:
      - kind: index_level
        title_ru: "индекс"
        method: {value: min_max, status: OPEN, note_ru: "-"}
        lowest_pct: {value: 50, status: OPEN, note_ru: "-"}
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Home(tmp_path_factory.mktemp("groups")).ensure()
    lake = Lake(home)
    fill(lake)
    lake.write(replaced={})
    database = home.build / "groups.duckdb"
    own = parse_file("own.yaml", OWN.encode(), DefinitionsFile)
    prepare(home, load_reference(), database, groups=Groups((*GROUPS.files, own), GROUPS.official))
    statuses = {result.name: result.status for result in build(database)}
    assert {name for name, status in statuses.items() if status not in ("success", "pass")} == set()
    return database


def select(database: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(query, list(values)).fetchall()


def members(database: Path, definition_id: str, year: str = Y2) -> dict[int, bool | None]:
    """By the number of the school."""
    query = "select school_id, is_member from marts.target_group where definition_id = ? and academic_year = ?"
    return {int(school_id[-2:]): is_member for school_id, is_member in select(database, query, definition_id, year)}


def basis(database: Path, definition_id: str, number: int) -> str:
    query = "select basis_ru from marts.target_group where definition_id = ? and school_id = ? and academic_year = ?"
    ((text,),) = select(database, query, definition_id, f"s2200{number:02}", Y2)
    return str(text)


def split(found: dict[int, bool | None]) -> tuple[set[int], set[int]]:
    """Members and undecided; all others are no members."""
    return {n for n, is_in in found.items() if is_in}, {n for n, is_in in found.items() if is_in is None}


# --- every definition --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("definition_id", "yes", "undecided"),
    [
        # 1 and 22 are low in both years, 9 in two procedures of one year; 20 has no results
        ("shnor-847", {1, 9, 22}, {20}),
        # in each of two years: 2, 7 and 9 are low in the last; of 7 the year before is unknown, of 20 both are; who is
        # not low in the last year cannot be a member, whatever the year before was
        ("tver-plan-low-results", {1, 22}, {7, 20}),
        # sixteen schools have an index, four are the lowest quarter, its end included; 5, 6 and the last four have none
        ("tomsk-2020-adverse", {1, 2, 3, 4}, {5, 6, 19, 20, 21, 22}),
        # of twenty-one schools with results five are lowest, 5/21 = 24 %; 19 has five works
        ("tomsk-2020-low-results", {1, 2, 7, 9, 22}, {19, 20}),
        # both: 3 and 4 have no low level, the index of 7 and 9 is above, of 22 it is unknown; 5, 6 and 21 are not low
        ("tomsk-2020-both", {1, 2}, {19, 20, 22}),
        # either of the list and the index
        ("terbuny-2022-either", {1, 2, 3, 4, 9, 22}, {5, 6, 19, 20, 21}),
        # the composition first: 6 has five shares of eight, none of them of the worst quarter; 5 has one, and no index
        ("tver-plan-adverse-conditions", {1, 2, 3, 4}, {5, 19, 20, 21, 22}),
        # staff: 1 has three of five, 2 to 4 two of five; equipment: 7 has two of three; 8 one known of three
        ("tver-plan-resource-deficit", {1, 7}, {8, 19, 20, 21, 22}),
        # hard pupils and a hard territory: 4 is a village from which one goes to town daily; of 5 too little is known;
        # the pupils of 6 are known and not hard, so its territory does not matter
        ("kargasok-2023-adverse", {1, 2, 3}, {5, 19, 20, 21, 22}),
    ],
)
def test_members_worked_by_hand(built: Path, definition_id: str, yes: set[int], undecided: set[int]) -> None:
    assert split(members(built, definition_id)) == (yes, undecided)


def test_every_definition_is_worked_by_hand() -> None:
    marks = test_members_worked_by_hand.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {case[0] for case in marks} == set(DEFINITIONS)


def test_schools_outside_the_list_are_in_no_group(built: Path) -> None:
    assert set(members(built, "shnor-847")) == set(range(1, 23))


def test_a_definition_holds_from_its_year_and_by_its_own_method(built: Path) -> None:
    """Half of the schools with an index: all components point one way, so every method orders the schools alike."""
    assert members(built, "own-min-max") == {}
    in_force = {n for n, is_in in members(built, "own-min-max", Y3).items() if is_in}
    assert in_force == {1, 2, 3, 4, 7, 8, 9, 10}


def test_two_of_three_years_leave_more_undecided(built: Path) -> None:
    """2019/20 is known of nobody: one low year and one unknown may be two."""
    yes, undecided = split(members(built, "own-three-years"))
    assert yes == {1, 22}
    assert {2, 7, 9, 20} <= undecided
    assert not undecided & {10}


def test_classes_are_refused_with_few_schools_and_taken_where_they_are(built: Path, tmp_path: Path) -> None:
    assert split(members(built, "own-class")) == (set(), set(range(1, 23)))
    assert "класса нет: " in basis(built, "own-class", 1)
    copy = tmp_path / "copy.duckdb"
    shutil.copy(built, copy)
    with duckdb.connect(str(copy)) as connection:
        connection.execute(
            """
            update analysis.expectation set context_class_ru = 'слова', context_class = case right(school_id, 2)
                when '01' then 'resilient' when '02' then 'typical' end
            where is_official
            """
        )
    run_models(copy, choose(["int_group_condition", "int_target_group", "target_group"]))
    assert {n: is_in for n, is_in in members(copy, "own-class").items() if n <= 3} == {1: True, 2: False, 3: None}


# --- the words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("definition_id", "number", "told"),
    [
        (
            "shnor-847",
            1,
            "список ШНОР — да: ВПР-5 РУ 2021/22 — 12 из 20 (60,0 %); ВПР-5 РУ 2020/21 — 12 из 20 (60,0 %)",
        ),
        ("shnor-847", 2, "список ШНОР — нет: правилу не отвечает"),
        ("shnor-847", 20, "список ШНОР — неизвестно: за 2021/22 нет результатов"),
        (
            "tver-plan-low-results",
            7,
            "стабильно низкие результаты — неизвестно: результатов нет или их мало: 2020/21",
        ),
        (
            "tver-plan-low-results",
            2,
            "стабильно низкие результаты — нет: низкие результаты в 1 из 2 лет (2021/22 — низких процедур 1, 2020/21 — "
            "низких процедур 0), нужно 2",
        ),
        (
            "tomsk-2020-both",
            22,
            "высокий индекс неблагополучия — неизвестно: индекса условий нет: из 10 показателей известно 0: нужно не "
            "меньше 6; низкий уровень результатов — да: сопоставимый результат за 2021/22 — 38,9 % (работ 20), не выше "
            "он у 9,5 % школ региона, граница 25 %",
        ),
        (
            "tomsk-2020-adverse",
            4,
            "высокий индекс неблагополучия — да: индекс условий за 2022/23 не выше у 25,0 % школ региона, граница 25 %",
        ),
        ("tomsk-2020-low-results", 19, "низкий уровень результатов — неизвестно: работ 5, меньше 10"),
        (
            "tver-plan-adverse-conditions",
            6,
            "социальный состав обучающихся — нет: трудных показателей 0 из 5 известных, нужно не меньше 50 %; индекс "
            "социального благополучия — неизвестно: индекса условий нет: из 10 показателей известно 5: нужно не "
            "меньше 6",
        ),
        (
            "tver-plan-resource-deficit",
            7,
            "дефицит кадров — нет: трудных показателей 0 из 5 известных, нужно не меньше 60 %; дефицит материальных "
            "ресурсов — да: трудных показателей 2 из 3 известных, нужно не меньше 60 % (Нехватка учебных материалов — "
            "Мешает заметно, Нехватка цифрового оборудования — Мешает сильно)",
        ),
        (
            "kargasok-2023-adverse",
            4,
            "рядом, не решает: ресурсные дефициты — да: трудных показателей 2 из 5 известных, нужно не меньше 40 % "
            "(Доля вакантных ставок учителей — 16,0 %, Доля учителей с категорией — 20,0 %)",
        ),
    ],
)
def test_the_basis_says_the_numbers(built: Path, definition_id: str, number: int, told: str) -> None:
    assert told in basis(built, definition_id, number)


# --- side by side ------------------------------------------------------------------------------------


def test_groups_stand_side_by_side(built: Path) -> None:
    """The list and the index of twenty-two: of sixteen both are known; 1 is in both, 9 only in the list."""
    query = """
        select schools_count, decided_count, undecided_count, member_count, other_member_count, both_count
        from marts.target_group_overlap
        where academic_year = ? and definition_id = 'shnor-847' and other_definition_id = 'tomsk-2020-adverse'
            and territory_level = ? order by territory_name
    """
    assert select(built, query, Y2, "region") == [(22, 16, 6, 2, 4, 1)]
    # Алейский район: 11–22; Бийский район: 1–10
    assert select(built, query, Y2, "municipality") == [(12, 8, 4, 0, 0, 0), (10, 8, 2, 2, 4, 1)]


def test_every_pair_stands_once_and_adds_up(built: Path) -> None:
    count = len(DEFINITIONS) + 2  # and two of our own that hold in this year
    rows = select(
        built,
        """
        select
            territory_level, sum(both_count), sum(schools_count), count(distinct (definition_id, other_definition_id))
        from marts.target_group_overlap where academic_year = ? group by territory_level order by territory_level
        """,
        Y2,
    )
    pairs = count * (count + 1) // 2
    assert [row[3] for row in rows] == [pairs, pairs]
    assert rows[0][1:3] == rows[1][1:3]


def test_conditions_stand_beside_the_list(built: Path) -> None:
    query = """
        select
            right(school_id, 2), is_shnor, is_adverse_conditions, has_resource_deficit,
            adverse_conditions_definition_id
        from marts.school_status where academic_year = ? and right(school_id, 2) in ('01', '09', '20', '23') order by 1
    """
    assert select(built, query, Y2) == [
        ("01", True, True, True, "tomsk-2020-adverse"),
        ("09", True, False, False, "tomsk-2020-adverse"),
        ("20", False, None, None, "tomsk-2020-adverse"),
        ("23", False, None, None, None),
    ]
    ((told, class_told),) = select(
        built,
        """
        select adverse_conditions_ru, context_class_ru from marts.school_status
        where school_id = 's220023' and academic_year = ?
        """,
        Y2,
    )
    assert told == "не решается: школа вне списка, определения не о ней"
    assert class_told


@pytest.mark.parametrize("mart", ["target_group", "target_group_overlap", "school_status"])
def test_marts_match_the_registry(built: Path, mart: str) -> None:
    with duckdb.connect(str(built), read_only=True) as connection:
        frame = connection.execute(f"select * from marts.{mart}").pl()
    assert frame.columns == table(mart).names
    assert failures(mart, frame).is_empty()


# --- the page ----------------------------------------------------------------------------------------


def settings_of(definition_id: str) -> Iterator[tuple[int, str, Setting[Any]]]:
    for number, condition in enumerate(DEFINITIONS[definition_id].conditions, start=1):
        for name in type(condition).model_fields:
            if isinstance(setting := getattr(condition, name), Setting):
                yield number, name, setting


def test_every_setting_is_explained_as_it_stands() -> None:
    page = PROJECT / "docs" / "methodology" / "target-groups.md"
    told = {
        tuple(row[:3]): tuple(row[3:]) for row in tables_of(page, "определение", "условие", "поле", "значение", "метка")
    }
    expected = {
        (f"`{definition_id}`", str(number), f"`{name}`"): (str(setting.value), setting.status)
        for definition_id in DEFINITIONS
        for number, name, setting in settings_of(definition_id)
    }
    assert told == expected
