"""Leaders for schools: the score of a pair by hand, the assignment against brute force, the pairs of a document."""

from __future__ import annotations

import datetime as dt
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opora.analysis.partners import (
    PartnerRules,
    assign,
    load_rules,
    match,
    partner_matches,
    rule_tables,
    rules_of,
    weigh,
)
from opora.build import build
from opora.facts import ReferenceFileError, Setting, default_root
from opora.home import PROJECT, Home
from opora.programmes import load_programmes
from opora.reference import load_reference
from opora.warehouse import prepare
from schemas.arrow import polars_schema
from schemas.pandera_schemas import failures
from schemas.registry import table
from tests.unit.test_dbt_rules import Lake, report, school
from tests.unit.test_docs import tables_of

Row = dict[str, Any]
(RULES,) = load_rules()
YEAR = "2022-2023"


def rules(**changes: Any) -> PartnerRules:
    """The rules of the reference with some settings decided otherwise."""
    told = {name: Setting(value=value, status="OPEN", note_ru="-") for name, value in changes.items()}
    return RULES.model_copy(update=told)


def schools(*rows: Row) -> pl.DataFrame:
    """Schools as dbt tells them: ordinary, assessed, with nothing against them unless said."""
    usual: Row = {
        "academic_year": YEAR,
        "results_year": "2021-2022",
        "region_code": "64",
        "municipality_id": "a",
        "settlement_type": None,
        "is_shnor": False,
        "was_at_risk": False,
        "is_in_programme": False,
        "is_ordinary": True,
        "is_assessed": True,
        "low_previous": 0,
        "is_marked": False,
        "conditions_share": None,
        "context_class": None,
        "class_participants": 100,
    }
    text = dict.fromkeys(("settlement_type", "context_class"), pl.String)
    return pl.DataFrame([usual | row for row in rows], schema_overrides={**text, "conditions_share": pl.Float64})


def listed(school_id: str, **more: Any) -> Row:
    return {"school_id": school_id, "is_shnor": True, "low_previous": 2} | more


def leader(school_id: str, **more: Any) -> Row:
    return {"school_id": school_id, "context_class": "leader"} | more


def subjects(*rows: Row) -> pl.DataFrame:
    usual: Row = {
        "academic_year": YEAR,
        "subject_id": "mathematics",
        "participants": 100,
        "below_minimum": 20,
        "expected_below": 20.0,
        "share_ci_high": 0.29,
        "is_weak": False,
    }
    return pl.DataFrame([usual | row for row in rows], schema=pl.DataFrame([usual | {"school_id": ""}]).schema)


NOTHING = subjects()
NO_AGREEMENTS = pl.DataFrame(schema={"school_id": pl.String, "leader_school_id": pl.String})


def agreements(*pairs: tuple[str, str]) -> pl.DataFrame:
    return pl.DataFrame(pairs, schema=NO_AGREEMENTS.schema, orient="row")


def found(
    of: pl.DataFrame,
    by: PartnerRules = RULES,
    of_subjects: pl.DataFrame = NOTHING,
    agreed: pl.DataFrame = NO_AGREEMENTS,
) -> dict[str, list[tuple[str, str | None]]]:
    """Outcomes and leaders by school."""
    told: dict[str, list[tuple[str, str | None]]] = {}
    for row in match(of, of_subjects, agreed, by):
        told.setdefault(row["school_id"], []).append((row["outcome"], row["leader_school_id"]))
    return told


# --- what a pair is worth ------------------------------------------------------------------------------


def test_a_pair_worked_by_hand() -> None:
    """The example of the page. Mathematics and Russian are weak. The leader has 5 of 100 below in mathematics where 20
    were expected, 0,15 ahead: full strength; in Russian nothing. So (1 + 0) / 2 = 0,5 of strength. The index is not
    above in 30 % and 45 % of schools: 1 − 0,15. One municipality, rural and urban: 3 + 2 · 0,85 + 2 · 0,5 + 0 = 5,7."""
    wanting = schools(listed("s", settlement_type="rural", conditions_share=0.3)).with_columns(is_supported=True)
    others = schools(
        {"school_id": "l", "settlement_type": "urban", "conditions_share": 0.45},
        {"school_id": "far", "municipality_id": "b"},
    ).with_columns(may_lead=True)
    told = subjects(
        {"school_id": "s", "is_weak": True},
        {"school_id": "s", "subject_id": "russian", "is_weak": True},
        {"school_id": "l", "below_minimum": 5, "share_ci_high": 0.11},
        {"school_id": "l", "subject_id": "russian", "below_minimum": 30},
    )
    pairs = weigh(wanting, others, told, RULES)
    parts = {name: part[0].tolist() for name, part in pairs.parts.items()}
    assert parts["strength"] == [0.5, 0]
    assert parts["conditions"] == pytest.approx([0.85, np.nan], nan_ok=True)
    assert parts["municipality"] == [1, 0]
    assert parts["settlement"] == pytest.approx([0, np.nan], nan_ok=True)
    assert pairs.score.tolist() == [pytest.approx([5.7, 0])]
    assert pairs.admissible.tolist() == [[True, False]]


@pytest.mark.parametrize(
    ("of_leader", "changes", "may"),
    [
        ({"below_minimum": 5, "share_ci_high": 0.11}, {}, True),
        ({"below_minimum": 15, "share_ci_high": 0.23}, {}, False),  # the interval reaches the expected 20 %
        ({"below_minimum": 15, "share_ci_high": 0.23}, {"leader_evidence": "point"}, True),
        ({"participants": 19, "below_minimum": 0, "expected_below": 9.0, "share_ci_high": 0.17}, {}, False),  # few
        (
            {"participants": 19, "below_minimum": 0, "expected_below": 9.0, "share_ci_high": 0.17},
            {"leader_minimum_participants": 10},
            True,
        ),
        ({"subject_id": "russian", "below_minimum": 5, "share_ci_high": 0.11}, {}, False),  # strong in another subject
    ],
)
def test_results_make_a_leader_only_if_they_are_certain_and_of_a_weak_subject(
    of_leader: Row, changes: Row, may: bool
) -> None:
    told = subjects({"school_id": "s", "is_weak": True}, {"school_id": "l"} | of_leader)
    outcome = found(schools(listed("s"), {"school_id": "l"}), rules(**changes), told)
    assert outcome == {"s": [("proposal", "l") if may else ("no_leader", None)]}


@pytest.mark.parametrize(
    ("against", "changes"),
    [
        ({"context_class": "typical"}, {}),
        ({"class_participants": 19}, {}),
        ({"context_class": "leader"}, {"leader_classes": ("resilient",)}),
        ({"is_marked": True}, {}),
        ({"low_previous": 1}, {}),
        ({"is_ordinary": False}, {}),
        ({"is_assessed": False}, {}),
        ({"municipality_id": "b"}, {"other_municipality": "forbidden"}),
    ],
)
def test_who_does_not_lead(against: Row, changes: Row) -> None:
    assert found(schools(listed("s"), leader("l") | against), rules(**changes)) == {"s": [("no_leader", None)]}
    assert found(schools(listed("s"), leader("l"))) == {"s": [("proposal", "l")]}


def test_a_listed_school_leads_nobody_and_lists_are_a_setting() -> None:
    of = schools(listed("s"), leader("l"), leader("r", was_at_risk=True), leader("p", is_in_programme=True))
    assert found(of) == {"p": [("proposal", "l")], "s": [("proposal", "r")]}
    assert set(found(of, rules(supported=("shnor", "risk", "programme"), capacity=3))) == {"s", "r", "p"}
    assert set(found(of, rules(supported=("shnor",)))) == {"s"}


# --- the assignment --------------------------------------------------------------------------------------


@given(
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 2),
    st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=12, max_size=12),
    st.sampled_from([0.0, 0.5, 2.0]),
)
@settings(max_examples=150)
def test_the_assignment_is_the_best_of_all(
    rows: int, columns: int, capacity: int, cells: list[tuple[bool, int]], penalty: float
) -> None:
    """Against every possible way: most rows served, then the greatest sum."""
    allowed = np.array([cell[0] for cell in cells[: rows * columns]]).reshape(rows, columns)
    score = np.array([float(cell[1]) for cell in cells[: rows * columns]]).reshape(rows, columns)
    taken = [0] * columns

    def worth(way: tuple[int | None, ...]) -> tuple[int, float]:
        total, used = 0.0, list(taken)
        for row, column in enumerate(way):
            if column is not None:
                total += score[row, column] - penalty * used[column]
                used[column] += 1
        return sum(column is not None for column in way), total

    def is_possible(way: tuple[int | None, ...]) -> bool:
        chosen = [(row, column) for row, column in enumerate(way) if column is not None]
        return all(allowed[row, column] for row, column in chosen) and all(
            sum(column == one for _, column in chosen) <= capacity for one in range(columns)
        )

    answer = tuple(assign(allowed, score, taken, capacity, penalty))
    ways = [way for way in product([None, *range(columns)], repeat=rows) if is_possible(way)]
    assert is_possible(answer)
    assert worth(answer) == pytest.approx(max(map(worth, ways)))


def test_nobody_to_lead_and_nobody_to_be_led() -> None:
    assert assign(np.zeros((2, 0), bool), np.zeros((2, 0)), [], 2, 0.5) == [None, None]
    assert assign(np.ones((1, 1), bool), np.ones((1, 1)), [2], 2, 0.5) == [None]
    assert found(schools(leader("l"))) == {}


def test_a_school_is_served_before_another_is_served_better() -> None:
    """Only l2 may lead b: a, which is nearer to l2, gets the other leader."""
    told = subjects(
        {"school_id": "a", "is_weak": True},
        {"school_id": "b", "subject_id": "russian", "is_weak": True},
        *(
            {"school_id": "l2", "subject_id": s, "below_minimum": 5, "share_ci_high": 0.11}
            for s in ("mathematics", "russian")
        ),
        {"school_id": "l1", "below_minimum": 5, "share_ci_high": 0.11},
    )
    of = schools(listed("a"), listed("b"), {"school_id": "l1", "municipality_id": "z"}, {"school_id": "l2"})
    assert found(of, rules(capacity=1), told) == {"a": [("proposal", "l1")], "b": [("proposal", "l2")]}


def test_the_places_of_a_leader_are_not_exceeded_and_agreements_take_them() -> None:
    of = schools(listed("a"), listed("b"), listed("c"), leader("l"))
    assert sorted(outcome for ((outcome, _),) in found(of).values()) == ["no_place", "proposal", "proposal"]
    agreed = agreements(("a", "l"))
    outcomes = found(of, agreed=agreed)
    assert outcomes["a"] == [("agreement", "l")]
    assert sorted(outcome for ((outcome, _),) in outcomes.values()) == ["agreement", "no_place", "proposal"]


def test_an_agreement_stands_whatever_the_rules_say() -> None:
    of = schools(listed("a"), leader("l"), {"school_id": "weak"}, {"school_id": "free"})
    assert found(of, agreed=agreements(("a", "weak"))) == {"a": [("agreement", "weak")]}
    told = {row["leader_school_id"]: row for row in match(of, NOTHING, agreements(("a", "weak"), ("free", "l")), RULES)}
    assert (told["weak"]["is_admissible"], told["weak"]["is_supported"]) == (False, True)
    assert (told["l"]["is_admissible"], told["l"]["is_supported"]) == (True, False)
    both = found(of, rules(propose_beside_agreements=True), agreed=agreements(("a", "weak")))
    assert both == {"a": [("agreement", "weak"), ("proposal", "l")]}


def test_a_leader_outside_the_schools_of_the_year_is_named_all_the_same() -> None:
    """Its school was closed since: nothing is known of it in this year."""
    assert found(schools(listed("a")), agreed=agreements(("a", "gone"))) == {"a": [("agreement", "gone")]}


def test_the_load_is_spread() -> None:
    of = schools(listed("a"), listed("b"), leader("k"), leader("l"))
    assert sorted(leader for ((_, leader),) in found(of).values()) == ["k", "l"]
    near = schools(listed("a"), listed("b"), leader("k"), leader("l", municipality_id="b"))
    assert found(near) == {"a": [("proposal", "k")], "b": [("proposal", "k")]}


@settings(max_examples=25)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(random: Any) -> None:
    many = [listed(f"s{n}", municipality_id="abc"[n % 3]) for n in range(7)]
    many += [leader(f"l{n}", municipality_id="abc"[n % 2], conditions_share=n / 5) for n in range(5)]
    agreed = pl.DataFrame({"academic_year": YEAR, "school_id": ["s1", "s2"], "leader_school_id": ["l1", "l0"]})
    told = subjects(*({"school_id": f"s{n}", "is_weak": True} for n in range(7)))
    expected = partner_matches(schools(*many), told, agreed, load_rules())
    random.shuffle(many)
    order = list(range(told.height))
    random.shuffle(order)
    assert partner_matches(schools(*many), told[order], agreed.reverse(), load_rules()).equals(expected)
    assert expected.schema == polars_schema("partner_match")


def test_regions_are_kept_apart() -> None:
    of = schools(listed("a"), listed("b", region_code="70"), leader("l"))
    told = partner_matches(of, NOTHING, NO_AGREEMENTS.with_columns(academic_year=pl.lit(YEAR)), load_rules())
    assert dict(told.select("school_id", "outcome").rows()) == {"a": "proposal", "b": "no_leader"}


# --- a real document -------------------------------------------------------------------------------------


DISTRICTS = {  # of the schools of the document, in its order
    "Лицей №37": "Фрунзенский",
    "Лицей №15": "Заводской",
    "Гимназия № 87": "Ленинский",
    "Медико- биологический лицей": "Ленинский",
}


def test_the_four_pairs_of_saratov_come_out_by_the_district_alone() -> None:
    """Each leader of the document supports a school of its own district. Of the two pairs of one district nothing but
    their order tells which belongs to which."""
    pairs = next(p for p in load_programmes() if p.programme_id == "saratov-2021").pairs
    districts = [next(d for name, d in DISTRICTS.items() if name in pair.leader_ru) for pair in pairs]
    of = schools(
        *(listed(f"s{n}", municipality_id=district) for n, district in enumerate(districts)),
        *(leader(f"l{n}", municipality_id=district) for n, district in enumerate(districts)),
    )
    expected = {f"s{n}": [("proposal", f"l{n}")] for n in range(4)}
    assert found(of) == found(of, rules(capacity=1)) == expected
    # without the preference the order alone decides, and the districts are lost when it is turned around
    turned = of.with_columns(pl.col("municipality_id").reverse().over(pl.col("is_shnor")))
    assert found(turned, rules(municipality_weight=0.0)) == expected
    assert {leader for ((_, leader),) in found(turned).values()} == {"l0", "l1", "l2", "l3"}


# --- the rules as data -----------------------------------------------------------------------------------


def test_rules_hold_for_years_and_do_not_overlap(tmp_path: Path) -> None:
    folder = tmp_path / "partners"
    folder.mkdir()
    text = (default_root() / "partners" / "leaders.yaml").read_text(encoding="utf-8")
    (folder / "a.yaml").write_text("valid_to: 2021-2022\n" + text, encoding="utf-8")
    (folder / "b.yaml").write_text(
        "valid_from: 2023-2024\n" + text.replace("rules_id: leaders", "rules_id: b"), encoding="utf-8"
    )
    both = load_rules(tmp_path)
    told = {
        year: rule.rules_id if (rule := rules_of(both, year)) else None for year in ("2021-2022", YEAR, "2024-2025")
    }
    assert told == {"2021-2022": "leaders", YEAR: None, "2024-2025": "b"}
    tables = rule_tables(both, told)
    assert tables["partner_rule"]["academic_year"].to_list() == ["2021-2022", "2024-2025"]
    assert set(tables["partner_marker"].rows()) == {
        (year, criterion) for year in ("2021-2022", "2024-2025") for criterion in RULES.marker_criteria.value
    }
    assert partner_matches(schools(listed("a")), NOTHING, NO_AGREEMENTS, both).is_empty()
    (folder / "b.yaml").write_text("valid_from: 2021-2022\n" + text, encoding="utf-8")
    with pytest.raises(ReferenceFileError, match="hold in one year"):
        load_rules(tmp_path)


def test_every_rule_is_explained_as_it_stands() -> None:
    page = PROJECT / "docs" / "methodology" / "partners.md"
    told = {row[0].strip("`"): (row[2], row[3]) for row in tables_of(page, "поле", "что решает", "значение", "метка")}
    settings = {name: value for name in PartnerRules.model_fields if isinstance(value := getattr(RULES, name), Setting)}
    assert list(told) == list(settings)
    for name, setting in settings.items():
        value = setting.value
        words = ", ".join(value) if isinstance(value, tuple) else str(value).lower()
        assert told[name] == (words, setting.status), name


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  value: 2\n", "  value: 0\n", "at least 1"),
        ("  value: 3.0\n", "  value: -3.0\n", "not negative"),
        ("  value: 0.15\n", "  value: 0.0\n", "above 0"),
        ("  value: interval\n", "  value: chance\n", "leader_evidence"),
    ],
)
def test_impossible_rules_are_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    (tmp_path / "partners").mkdir()
    text = (default_root() / "partners" / "leaders.yaml").read_text(encoding="utf-8")
    (tmp_path / "partners" / "x.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ReferenceFileError, match=told):
        load_rules(tmp_path)


# --- the mart --------------------------------------------------------------------------------------------

RU, MA = "vpr_5_russian", "vpr_5_mathematics"
Y20, Y21 = "2020-2021", "2021-2022"


def fill(lake: Lake) -> None:
    """Саратов with the eight schools of the document, and a district with two listed schools and a leader."""
    pairs = next(p for p in load_programmes() if p.programme_id == "saratov-2021").pairs
    for number, pair in enumerate(pairs, start=1):
        for login, name, below in ((f"64000{number}", pair.supported_ru, 12), (f"64001{number}", pair.leader_ru, 2)):
            lake.add("school_register", 1, school(login, school_name=name, municipality_label="г. Саратов"))
            lake.add("aggregate_result", 2, *(report(login, work, Y20, below, 30) for work in (RU, MA)))
    # s640101 is listed by mathematics alone, s640102 by both and has an agreement without an end
    for login, russian, mathematics in (("640101", 3, 40), ("640102", 40, 40), ("640103", 4, 4), ("640104", 0, 0)):
        lake.add("school_register", 1, school(login, municipality_label="Аткарский район", settlement_type="rural"))
        lake.add("aggregate_result", 2, report(login, RU, Y20, russian, 60), report(login, MA, Y20, mathematics, 60))
    lake.add("aggregate_result", 2, report("640101", MA, "2019-2020", 40, 60))
    agreed = {"school_key_kind": "vpr_login", "leader_key_kind": "vpr_login", "signed_on": dt.date(2021, 9, 10)}
    lake.add("partner_agreement", 3, agreed | {"school_key": "640102", "leader_key": "640101", "document_ref": "5"})
    # a later delivery corrects the leader's day, not the pair
    lake.add(
        "partner_agreement",
        4,
        agreed
        | {"school_key": "640102", "leader_key": "640101", "document_ref": "5", "signed_on": dt.date(2021, 9, 1)},
    )
    marker = {"assessment": "vpr", "subject_id": "russian", "test_grade": 5, "measured_year": Y20, "is_marked": True}
    lake.add("objectivity_marker", 3, marker | {"school_key_kind": "vpr_login", "school_key": "640104"})


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Home(tmp_path_factory.mktemp("partners")).ensure()
    lake = Lake(home)
    fill(lake)
    lake.write(replaced={})
    database = home.build / "partners.duckdb"
    prepare(home, load_reference(), database, as_of=dt.date(2022, 10, 1))
    statuses = {result.name: result.status for result in build(database)}
    assert {name for name, status in statuses.items() if status not in ("success", "pass")} == set()
    return database


def rows(database: Path, **key: Any) -> list[Row]:
    condition = " and ".join(f"{name} = ${name}" for name in key)
    with duckdb.connect(str(database), read_only=True) as connection:
        query = f"select * from marts.partnership where {condition} order by school_id, leader_number"
        return connection.execute(query, key).pl().to_dicts()


def test_pairs_named_by_a_document_are_found_by_name(built: Path) -> None:
    told = [row for row in rows(built, academic_year=Y21) if row["agreement_source"] == "programme"]
    assert {row["school_id"]: row["leader_school_id"] for row in told} == {
        f"s64000{n}": f"s64001{n}" for n in range(1, 5)
    }
    assert {(row["origin"], row["is_same_municipality"], row["is_admissible"]) for row in told} == {
        ("agreement", True, True)
    }
    assert {row["programme_id"] for row in told} == {"saratov-2021"}
    assert told[0]["reason_ru"] == (
        "Пара названа в документе программы saratov-2021, действует по 31.12.2024; один муниципалитет (г. Саратов); "
        "слабые предметы — математика (ниже минимума 12 из 30; у лидера 2 из 30, а при долях региона было бы 8,8), "
        "русский язык (ниже минимума 12 из 30; у лидера 2 из 30, а при долях региона было бы 6,4)."
    )


def test_the_mart_matches_the_registry(built: Path) -> None:
    with duckdb.connect(str(built), read_only=True) as connection:
        frame = connection.execute("select * from marts.partnership").pl()
    assert frame.columns == table("partnership").names
    assert failures("partnership", frame).is_empty()


def test_a_proposal_says_what_speaks_for_it(built: Path) -> None:
    """Expected of 60 in mathematics: all below of the region by all its participants: 4 · (12 + 2) + 40 + 40 + 4 + 0 =
    140 of 480, 17,5. The interval of 4 of 60 ends at 15,9 %, below 29,2 %. 640104 is marked, so 640103 is proposed."""
    (row,) = rows(built, academic_year=Y21, school_id="s640101")
    assert (row["outcome"], row["leader_school_id"], row["leader_grounds"]) == ("proposal", "s640103", "results")
    assert (row["weak_subjects"], row["weak_participants"]) == ("mathematics", 60)
    assert (row["strong_subjects"], row["leader_participants"]) == ("mathematics", 60)
    assert row["strength_part"] == 1  # (17,5 − 4) / 60 = 0,225 ahead, more than 0,15
    assert row["score"] == 3 + 2 + 1
    assert row["reason_ru"] == (
        "Предложение: один муниципалитет (Аткарский район); слабые предметы — математика (ниже минимума 40 из 60; "
        "у лидера 4 из 60, а при долях региона было бы 17,5); условия школ не сравнить: у одной из них нет индекса; "
        "обе школы сельские."
    )


def test_an_agreement_is_told_with_its_number_and_what_the_rules_would_say(built: Path) -> None:
    (row,) = rows(built, academic_year=Y21, school_id="s640102")
    assert (row["outcome"], row["leader_school_id"], row["is_admissible"]) == ("agreement", "s640101", False)
    assert (row["agreement_number"], row["signed_on"], row["valid_to"]) == ("5", dt.date(2021, 9, 1), None)
    assert row["in_force_to"] == dt.date(2022, 8, 31)  # without an end: the academic year of signing
    assert row["delivery_ids"] == "d000000000004"
    assert row["reason_ru"].startswith(
        "Соглашение № 5 от 01.09.2021, без срока; один муниципалитет (Аткарский район); "
    )
    assert row["reason_ru"].endswith("лидером не предлагалась бы, соглашение остаётся в силе.")
    assert [
        row for row in rows(built, academic_year="2022-2023", school_id="s640102") if row["origin"] == "agreement"
    ] == []
