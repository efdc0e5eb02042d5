"""Methods as files, and the lists they would make: refusals by name, hand-worked lists, properties, intervals."""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from opora.analysis.base import run_analysis
from opora.analysis.exact import EXACT, exact_intervals
from opora.build import AFTER_ANALYSIS, build
from opora.cli import main
from opora.facts import ReferenceFileError, default_root
from opora.home import Home
from opora.inputs import fingerprint
from opora.methods import Change, Method, MethodSettings, Variant, apply_changes, counting_of, unreliable_ru
from opora.models import choose, run_models
from opora.reference import load_reference
from opora.release import current_release, publish, write_candidate
from opora.warehouse import prepare
from schemas.registry import tables
from tests.unit.test_dbt_rules import Y1, Y2, Y3, Lake, exam, report, school, works

OFFICIAL = "rosobrnadzor-847"
REFERENCE = load_reference()
BASE = REFERENCE.method(OFFICIAL)


def varied(method_id: str, **changes: Any) -> Method:
    """The official method with some settings decided otherwise."""
    return apply_changes(
        BASE,
        Variant(
            method_id=method_id,
            title_ru=method_id,
            based_on=OFFICIAL,
            source="—",
            evidence="OPEN",
            changes={name: Change(value=value, note_ru="—") for name, value in changes.items()},
        ),
    )


# --- files -------------------------------------------------------------------------------------------


def test_a_variant_differs_from_its_base_in_the_named_settings_alone() -> None:
    assert len(REFERENCE.variants) >= 8
    for variant in REFERENCE.variants:
        base, method = REFERENCE.method(variant.based_on), REFERENCE.method(variant.method_id)
        differing = {
            name
            for name in MethodSettings.model_fields
            if getattr(base.settings, name).value != getattr(method.settings, name).value
        }
        assert differing == set(variant.changes), variant.method_id
        assert not method.is_official


def banded(*starts: tuple[int, str]) -> list[dict[str, Any]]:
    """Bands of reliability that follow one another from these numbers of participants."""
    ends = [start - 1 for start, _ in starts[1:]]
    return [
        {"participants_from": start, "participants_to": end, "reliability": reliability, "label_ru": "—"}
        for (start, reliability), end in zip(starts, [*ends, None], strict=True)
    ]


def test_what_is_called_unreliable_follows_the_bands_of_the_method() -> None:
    assert REFERENCE.official_method == BASE
    assert (BASE.settings.reliable_from, unreliable_ru(BASE.settings)) == (10, "меньше чем на 10 участниках")
    other = varied("other", reliability_bands=banded((1, "very_low"), (7, "low"), (21, "limited"), (50, "ok")))
    assert (other.settings.reliable_from, unreliable_ru(other.settings)) == (21, "меньше чем на 21 участнике")
    every = varied("every", reliability_bands=banded((1, "ok")))
    assert every.settings.reliable_from == 1
    with pytest.raises(ValueError, match="must end with a result that is reliable"):
        varied("none", reliability_bands=banded((1, "very_low"), (5, "low")))


VARIANT = """method_id: mine
title_ru: Моя
based_on: rosobrnadzor-847
source: Вопрос
evidence: OPEN
changes:
  low_share_numerator: {value: 40, note_ru: Выше.}
"""


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("value: 40", "value: 30", r"changes\.low_share_numerator\.value: equals that of rosobrnadzor-847"),
        ("value: 40", "value: сорок", r"changes\.low_share_numerator\.value: Input should be a valid integer"),
        ("value: 40", "value: 100", r"changes: .*less than low_share_denominator"),
        ("low_share_numerator", "low_share", "unknown settings: low_share"),
        ("low_share_numerator: {value: 40", "gve: {value: included", "nothing is computed by: gve"),
        ("low_share_numerator: {value: 40", "ege_mathematics: {value: two", "contradict ege_mathematics = two"),
        ("low_share_numerator: {value: 40", "procedures: {value: [vpr_3_russian]", "unknown: vpr_3_russian"),
        ("\n  low_share_numerator: {value: 40, note_ru: Выше.}", " {}", "must change something"),
        (", note_ru: Выше.", "", r"changes\.low_share_numerator\.note_ru: Field required"),
        ("rosobrnadzor-847", "no-such", "based_on: no whole method no-such; known: rosobrnadzor-847"),
        ("rosobrnadzor-847", "threshold-25", "based_on: no whole method threshold-25"),
        ("mine", "threshold-25", r"method_id: repeated: threshold-25 is that of reference/methods/threshold-25\.yaml"),
        ("source: Вопрос\n", "", "source: Field required"),
        ("changes:", "changes: [", "not readable as YAML"),
    ],
)
def test_a_wrong_method_of_a_user_is_refused_by_name_and_field(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    assert old in VARIANT
    (tmp_path / "моя.yaml").write_text(VARIANT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ReferenceFileError, match=complaint) as refusal:
        load_reference(own_methods=tmp_path)
    assert "unknown: vpr_3" in complaint or str(refusal.value).startswith("methods/моя.yaml: ")


def test_a_user_makes_no_method_official(tmp_path: Path) -> None:
    text = (default_root() / "methods" / f"{OFFICIAL}.yaml").read_text(encoding="utf-8")
    whole = text.replace(f"method_id: {OFFICIAL}", "method_id: mine", 1)
    (tmp_path / "моя.yaml").write_text(whole, encoding="utf-8")
    with pytest.raises(ReferenceFileError, match=r"methods/моя\.yaml: is_official"):
        load_reference(own_methods=tmp_path)
    (tmp_path / "моя.yaml").write_text(whole.replace("is_official: true", "is_official: false"), encoding="utf-8")
    assert load_reference(own_methods=tmp_path).method("mine").settings == BASE.settings


def test_a_users_method_makes_a_new_release_and_no_file_is_read_anew(tmp_path: Path) -> None:
    home = Home(tmp_path).ensure()
    before = fingerprint(home, load_reference(own_methods=home.methods))
    (home.methods / "моя.yaml").write_text(VARIANT, encoding="utf-8")
    after = load_reference(own_methods=home.methods)
    assert after.method("mine").settings.low_share_numerator.value == 40
    assert fingerprint(home, after) != before
    assert after.version == REFERENCE.version, "deliveries are read by the same facts"


def test_the_version_follows_the_methods_of_the_reference(tmp_path: Path) -> None:
    root = tmp_path / "reference"
    shutil.copytree(default_root(), root)
    (root / "methods" / "threshold-25.yaml").unlink()
    assert load_reference(root).version != REFERENCE.version


def test_methods_that_count_alike_share_the_count() -> None:
    def countings(method: Method) -> tuple[str, ...]:
        return tuple(counting_of(method.settings, kind).counting_id for kind in ("vpr", "oge", "ege"))

    own = countings(BASE)
    for method_id in ("threshold-25", "minimum-10", "interval-95", "ege-mathematics-apart"):
        assert countings(REFERENCE.method(method_id)) == own
    assert countings(REFERENCE.method("ege-russian-36"))[:2] == own[:2]
    assert countings(REFERENCE.method("ege-russian-36"))[2] != own[2]
    assert not set(countings(REFERENCE.method("held-year"))) & set(own)


# --- a small region ------------------------------------------------------------------------------------

THRESHOLDS = (20, 25, 35, 40)
MINIMUMS = (2, 5, 10, 20)
RANDOM_SCHOOLS = 240
ALONE = "Солонешенский район"


def fill(lake: Lake) -> None:
    """Hand-worked schools 1–10, then random ones; counts come as reports, one row a school and procedure."""
    add = lake.add

    def results(login: str, year: str, **counts: tuple[int, int]) -> None:
        for procedure, (below, participants) in counts.items():
            add("aggregate_result", 1, report(login, f"vpr_{procedure}", year, below, participants))

    # 1: the example of the page «Что если»
    results("220001", Y2, **{"5_russian": (3, 10), "6_russian": (14, 50), "6_mathematics": (2, 4)})
    results("220001", Y1, **{"5_mathematics": (9, 30)})
    # 2: two results on three and four pupils; 3: large and low; 4: just under the threshold
    results("220002", Y2, **{"5_russian": (1, 3), "5_mathematics": (4, 4)})
    results("220003", Y2, **{"5_russian": (30, 60), "5_mathematics": (45, 90)})
    results("220004", Y2, **{"5_russian": (27, 100), "5_mathematics": (26, 100)})
    # 5: written in autumn, measured the year before; 6: seen by one level of mathematics alone; 7: between 24 and 36
    for procedure in ("vpr_5_russian", "vpr_5_mathematics"):
        add("assessment_result", 2, *works("220005", procedure, Y2, 5, 10, held_year=Y3, pupil_grade=6))
    base, profile = "ege_11_mathematics_base", "ege_11_mathematics_profile"
    day = date(2023, 6, 1)
    for person in range(10):
        add("assessment_result", 3, exam("2006", base, f"a{person}", day, mark=3 if person else 2))
        add("assessment_result", 3, exam("2006", profile, f"a{person}", day, test_score=20.0 if person < 4 else 60.0))
        add(
            "assessment_result",
            3,
            exam("2007", "ege_11_russian", f"b{person}", day, test_score=30.0 + 10 * (person > 3)),
        )
    results("220006", Y2, **{"5_russian": (5, 10)})
    results("220007", Y2, **{"5_russian": (5, 10)})
    # 8: three years of a small school, as on the page «Малые числа»; 9: a mark unknown in one of two years
    results("220008", Y1, **{"5_russian": (2, 4)})
    results("220008", Y2, **{"5_russian": (0, 5)})
    results("220008", Y3, **{"5_russian": (1, 3)})
    results("220009", Y1, **{"5_russian": (2, 10)})
    add("aggregate_result", 1, report("220009", "vpr_5_russian", Y2, 0, 10) | {"below_minimum": None})
    # 10: a small school alone in its municipality
    results("220010", Y2, **{"5_russian": (0, 3)})
    add("school_register", 4, school("220010", municipality_label=ALONE))
    random = np.random.default_rng(5)
    for number in range(RANDOM_SCHOOLS):
        size, share = int(random.integers(1, 40)), float(random.beta(2, 5))
        for year in (Y1, Y2):
            for procedure in ("5_russian", "5_mathematics", "6_russian", "6_mathematics"):
                results(f"221{number:03}", year, **{procedure: (int(random.binomial(size, share)), size)})
    logins = [f"2200{number:02}" for number in range(1, 10)] + [f"221{number:03}" for number in range(RANDOM_SCHOOLS)]
    places = ("Бийский район", "город Барнаул")
    add("school_register", 4, *(school(login, municipality_label=places[int(login) % 2]) for login in logins))
    for code in ("2006", "2007"):
        words = {"key_kind": "exam_code", "key_value": code, "school_id": f"s22000{code[-1]}", "relation": "same"}
        add("school_crosswalk", 4, words)


@dataclass(frozen=True)
class Compared:
    database: Path
    alone: Path

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with duckdb.connect(self.database, read_only=True) as connection:
            return connection.execute(query, list(values)).fetchall()

    def listed(self, method_id: str, year: str = Y3) -> set[str]:
        rows = self.ask(
            "select school_id from intermediate.int_school_status"
            " where is_shnor and method_id = $1 and academic_year = $2",
            *(method_id, year),
        )
        return {school_id for (school_id,) in rows}


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Compared:
    """One lake built with all methods and more, and with the official one alone."""
    home = Home(tmp_path_factory.mktemp("methods")).ensure()
    lake = Lake(home)
    fill(lake)
    lake.write(replaced={})
    more = [varied(f"t{value}", low_share_numerator=value) for value in THRESHOLDS if value not in (25, 35)]
    more += [varied(f"n{value}", minimum_participants=value) for value in MINIMUMS]
    more += [
        varied("exact", low_result_decided_by="interval", share_interval="exact"),
        varied("probability", low_result_decided_by="probability"),
        varied("other-grade", procedures=("vpr_7_russian", "vpr_5_russian")),
    ]
    built = {
        "all": replace(REFERENCE, methods=(*REFERENCE.methods, *more)),
        "alone": replace(REFERENCE, methods=(BASE,), variants=()),
    }
    for name, reference in built.items():
        prepare(home, reference, home.build / f"{name}.duckdb")
        build(home.build / f"{name}.duckdb")
    return Compared(home.build / "all.duckdb", home.build / "alone.duckdb")


# --- hand-worked lists -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method_id", "expected"),
    [
        (OFFICIAL, {1, 2, 3, 5}),
        ("threshold-25", {1, 2, 3, 4, 5}),
        ("threshold-35", {3, 5}),
        ("minimum-5", {1, 3, 5}),
        ("minimum-10", {1, 3, 5}),
        ("interval-95", {3}),
        ("ege-mathematics-apart", {1, 2, 3, 5, 6}),
        ("ege-russian-36", {1, 2, 3, 5, 7}),
        ("held-year", {1, 2, 3}),
    ],
)
def test_the_list_of_each_method(compared: Compared, method_id: str, expected: set[int]) -> None:
    hand_worked = {school_id for school_id in compared.listed(method_id) if school_id.startswith("s2200")}
    assert hand_worked == {f"s22000{number}" for number in expected}


def test_movement_and_its_reason_with_numbers(compared: Compared) -> None:
    rows = compared.ask(
        """
        select movement, official_low_previous_year, other_low_previous_year, evidence_participants, reliability,
               holds_at_confidence, reason_ru
        from marts.method_comparison where academic_year = $1 and method_id = $2 and school_id = $3
        """,
        Y3,
        "minimum-5",
        "s220002",
    )
    assert rows == [
        (
            *("leaves", 2, None, 3, "very_low", False),
            "по этой методике оценить не по чему, не решено результатов: 2; по официальной низкие результаты: "
            "ВПР-5 РУ 2022/23 — 1 из 3 (33,3 %); ВПР-5 МА 2022/23 — 4 из 4 (100,0 %)",
        )
    ]
    ((movement, reason),) = compared.ask(
        "select movement, reason_ru from marts.method_comparison where academic_year = $1 and method_id = $2"
        " and school_id = $3",
        *(Y3, "ege-russian-36", "s220007"),
    )
    assert movement == "enters"
    assert "ЕГЭ РУ 2022/23 — 4 из 10 (40,0 %)" in reason


def test_both_and_neither_have_no_reason(compared: Compared) -> None:
    rows = compared.ask(
        "select school_id, movement, reason_ru, evidence_participants from marts.method_comparison"
        " where academic_year = $1 and method_id = 'threshold-25' and school_id in ('s220003', 's220009') order by 1",
        Y3,
    )
    assert rows == [("s220003", "both", None, 60), ("s220009", "neither", None, None)]


def test_what_holds_is_what_the_method_of_the_interval_lists(compared: Compared) -> None:
    holding = compared.ask(
        "select school_id from marts.school_status where is_shnor and holds_at_confidence and academic_year = $1", Y3
    )
    assert {school_id for (school_id,) in holding} == compared.listed("interval-95")


def test_the_summary_is_the_sum_of_schools_with_the_official_method_beside(compared: Compared) -> None:
    for level, place in (("region", "region_code"), ("municipality", "municipality_id")):
        wrong = compared.ask(
            f"""
            with schools as (
                select academic_year, method_id, {place} as territory_id,
                       count(*) filter (in_other) as listed, count(*) filter (in_official) as official,
                       count(*) filter (movement = 'enters') as enters, count(*) filter (movement = 'leaves') as leaves,
                       count(*) filter (in_other and evidence_participants < 5) as very_low,
                       count(*) filter (in_other and evidence_participants between 5 and 9) as low,
                       count(*) filter (in_other and holds_at_confidence) as holds
                from marts.method_comparison join marts.school using (school_id) group by all
            )
            select * from schools join marts.method_comparison_summary as told
                using (academic_year, method_id, territory_id)
            where told.territory_level = '{level}' and told.listed_count is not null and (
                told.listed_count <> listed or told.official_listed_count <> official or told.enters_count <> enters
                or told.leaves_count <> leaves or told.very_low_count <> very_low or told.low_count <> low
                or told.holds_count <> holds)
            """
        )
        assert wrong == []
    official = compared.ask(
        "select listed_count, enters_count, leaves_count, stays_count from marts.method_comparison_summary"
        " where is_official and academic_year = $1 and territory_level = 'region'",
        Y3,
    )
    listed = len(compared.listed(OFFICIAL))
    assert official == [(listed, 0, 0, listed)]


def test_a_method_without_results_has_no_list_and_says_so(compared: Compared) -> None:
    """Three pupils are all there is of the place: by the order its list is empty, by minimum-5 there is none."""
    rows = compared.ask(
        "select method_id, official_listed_count, listed_count, leaves_count, no_list_reason_ru"
        " from marts.method_comparison_summary"
        " where territory_name = $1 and academic_year = $2 and method_id in ($3, 'minimum-5') order by 1 desc",
        *(ALONE, Y3, OFFICIAL),
    )
    assert rows == [
        (OFFICIAL, 0, 0, 0, None),
        ("minimum-5", 0, None, None, "нет результатов, по которым эта методика могла бы решить"),
    ]


# --- the official list is untouched ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mart", [mart.table for mart in tables("marts") if not mart.table.startswith("method_comparison")]
)
def test_other_methods_change_no_byte_of_the_official_marts(compared: Compared, mart: str, tmp_path: Path) -> None:
    written = []
    for number, database in enumerate((compared.database, compared.alone)):
        path = tmp_path / f"{number}.csv"
        with duckdb.connect(database, read_only=True) as connection:
            connection.execute(f"copy (select * from marts.{mart} order by all) to '{path}' (format csv, header)")
        written.append(path.read_bytes())
    assert written[0] == written[1]
    assert mart not in ("school_status", "procedure_result", "pooled_years") or len(written[0].splitlines()) > 100


def test_alone_the_official_method_is_compared_with_nothing(compared: Compared) -> None:
    with duckdb.connect(compared.alone, read_only=True) as connection:
        assert connection.execute("select count(*) from marts.method_comparison").fetchall() == [(0,)]
        assert connection.execute("select distinct method_id from marts.method_comparison_summary").fetchall() == [
            (OFFICIAL,)
        ]


# --- properties --------------------------------------------------------------------------------------------


def test_a_higher_threshold_adds_no_school(compared: Compared) -> None:
    ladder = [compared.listed(name) for name in ("t20", "threshold-25", OFFICIAL, "threshold-35", "t40")]
    for looser, stricter in pairwise(ladder):
        assert stricter < looser


def test_more_participants_wanted_add_no_school(compared: Compared) -> None:
    ladder = [compared.listed(name) for name in (OFFICIAL, *(f"n{value}" for value in MINIMUMS))]
    for looser, stricter in pairwise(ladder):
        assert stricter <= looser
    assert ladder[-1] < ladder[0]


def test_certainty_adds_no_school(compared: Compared) -> None:
    assert compared.listed("exact") <= compared.listed("interval-95") < compared.listed(OFFICIAL)
    assert compared.listed("probability") < compared.listed(OFFICIAL)


def outcomes(compared: Compared, method_id: str) -> list[tuple[int, int, bool]]:
    rows = compared.ask(
        "select distinct below_minimum, participants, is_low from intermediate.int_procedure_outcome"
        " where unknown_count = 0 and method_id = $1",
        method_id,
    )
    assert len(rows) > 300
    return rows


def test_the_interval_reaches_the_threshold_where_statsmodels_says_so(compared: Compared) -> None:
    for k, n, is_low in outcomes(compared, "interval-95"):
        assert is_low is bool(proportion_confint(k, n, 0.05, method="wilson")[0] >= 0.3), (k, n)
    for k, n, is_low in outcomes(compared, "exact"):
        assert is_low is bool(stats.binomtest(k, n).proportion_ci(0.95, method="exact").low >= 0.3), (k, n)
    for k, n, is_low in outcomes(compared, "probability"):
        assert is_low is bool(stats.beta.sf(0.3, k + 1, n - k + 1) >= 0.95), (k, n)


# --- several years together ----------------------------------------------------------------------------------


def pooled(compared: Compared, school_id: str, year: str, window: int) -> dict[str, Any]:
    with duckdb.connect(compared.database, read_only=True) as connection:
        found = connection.execute(
            "select * from marts.pooled_years where school_id = $1 and academic_year = $2 and window_years = $3",
            [school_id, year, window],
        ).pl()
    (row,) = found.to_dicts()
    return row


def test_three_years_of_a_small_school(compared: Compared) -> None:
    row = pooled(compared, "s220008", Y3, 3)
    assert (row["participants"], row["below_minimum"], row["years_pooled"], row["first_year"]) == (12, 3, 3, Y1)
    assert (row["is_low"], row["reliability"], row["below_share"]) == (False, "limited", 0.25)
    interval = stats.binomtest(3, 12).proportion_ci(0.95, method="wilson")
    assert math.isclose(row["share_ci_low"], interval.low, abs_tol=1e-8)
    assert math.isclose(row["share_ci_high"], interval.high, abs_tol=1e-8)
    assert math.isclose(row["probability_low"], stats.beta.sf(0.3, 4, 10), abs_tol=1e-10)
    two = pooled(compared, "s220008", Y3, 2)
    assert (two["participants"], two["below_minimum"], two["is_low"]) == (8, 1, False)
    alone = pooled(compared, "s220008", Y1, 3)
    assert (alone["participants"], alone["years_pooled"], alone["is_low"]) == (4, 1, True)


def test_a_break_between_pooled_years_is_named(compared: Compared) -> None:
    """ВПР of 2021-2022 and of the year after it lie on both sides of one; the year itself does not."""
    assert pooled(compared, "s220008", Y1, 3)["is_comparable"]
    crossing = pooled(compared, "s220008", Y3, 3)
    assert not crossing["is_comparable"]
    assert "ВПР 2022 года прерваны весной" in crossing["comparability_ru"]
    later = pooled(compared, "s220008", Y3, 2)
    assert (later["is_comparable"], later["comparability_ru"]) == (True, None)


def test_unknown_results_stay_unknown_together(compared: Compared) -> None:
    row = pooled(compared, "s220009", Y2, 2)
    assert (row["participants"], row["below_minimum"], row["unknown_count"], row["is_low"]) == (20, 2, 10, None)
    assert (row["below_share"], row["share_ci_low"], row["probability_low"]) == (None, None, None)


# --- the exact interval ------------------------------------------------------------------------------------------


def test_the_exact_interval_is_scipys() -> None:
    pairs = [(k, n) for n in (1, 2, 7, 30, 400) for k in {0, 1, n // 3, n - 1, n}]
    counts = pl.DataFrame(
        [("m", n, k, 0) for k, n in pairs] + [("m", 9, 9, 1), ("other", 5, 5, 0), ("wilson", 5, 5, 0)],
        schema=["method_id", "participants", "below_minimum", "unknown_count"],
        orient="row",
    )
    methods = pl.DataFrame(
        {
            "method_id": ["m", "other", "wilson"],
            "is_official": [True, False, True],
            "share_interval": ["exact", "exact", "wilson"],
            "confidence": [0.9, 0.9, 0.9],
        }
    )
    found = exact_intervals(counts, methods)
    assert set(found["method_id"]) == {"m"}
    assert {(k, n) for k, n in found.select("below_minimum", "participants").iter_rows()} == set(pairs)
    for row in found.iter_rows(named=True):
        interval = stats.binomtest(row["below_minimum"], row["participants"]).proportion_ci(0.9, method="exact")
        assert math.isclose(row["share_ci_low"], interval.low, abs_tol=1e-12)
        assert math.isclose(row["share_ci_high"], interval.high, abs_tol=1e-12)


def test_a_method_that_wants_the_exact_interval_gets_it_in_the_marts(tmp_path: Path) -> None:
    home = Home(tmp_path).ensure()
    lake = Lake(home)
    lake.add(
        "aggregate_result", 1, report("220001", "vpr_5_russian", Y1, 2, 4), report("220001", "vpr_5_russian", Y2, 1, 9)
    )
    lake.write(replaced={})
    settings = varied("x", share_interval="exact").settings
    official = BASE.model_copy(update={"settings": settings})
    prepare(home, replace(REFERENCE, methods=(official,), variants=()), tmp_path / "x.duckdb")
    wanted = ["+procedure_result", "+pooled_years"]
    run_models(tmp_path / "x.duckdb", choose(wanted, [AFTER_ANALYSIS]))
    run_analysis(tmp_path / "x.duckdb", EXACT)
    run_models(tmp_path / "x.duckdb", choose(["procedure_result", "pooled_years"]))
    with duckdb.connect(tmp_path / "x.duckdb", read_only=True) as connection:
        year = connection.execute(
            "select share_ci_low, share_ci_high from marts.procedure_result"
            " where academic_year = $1 and state = 'held'",
            [Y2],
        ).fetchall()
        both = connection.execute(
            "select share_ci_low, share_ci_high from marts.pooled_years where academic_year = $1 and window_years = 2",
            [Y2],
        ).fetchall()
    for ends, (k, n) in ((year, (1, 9)), (both, (3, 13))):
        interval = stats.binomtest(k, n).proportion_ci(0.95, method="exact")
        assert ends == [pytest.approx((interval.low, interval.high), abs=1e-12)]


# --- the command line ----------------------------------------------------------------------------------------


def call(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def published(compared: Compared) -> Home:
    """The lists of all methods as a release."""
    home = Home(compared.database.parents[1])
    publish(home, write_candidate(home, REFERENCE, compared.database, "test"))
    return home


def test_methods_are_listed_with_what_they_decide_otherwise(tmp_path: Path) -> None:
    home = Home(tmp_path).ensure()
    (home.methods / "моя.yaml").write_text(VARIANT, encoding="utf-8")
    code, words = call("methods", "list", "--home", home.root)
    assert code == 0
    lines = words.splitlines()
    assert lines[0].startswith(f"{OFFICIAL} (официальная): ")
    assert lines[lines.index("mine (своя): Моя") + 1].strip() == f"отличие от {OFFICIAL}: low_share_numerator 30 → 40"
    assert "с ege_11_mathematics_base" in words
    (home.methods / "моя.yaml").write_text(VARIANT.replace("40", "30"), encoding="utf-8")
    code, words = call("methods", "list", "--home", home.root)
    assert code == 1
    assert "methods/моя.yaml: changes.low_share_numerator.value" in words
    code, words = call("run", "--force", "--home", home.root)
    assert code == 1, "nothing is run with a wrong method"
    assert "methods/моя.yaml" in words


def test_two_lists_are_compared_in_words(published: Home, compared: Compared) -> None:
    code, words = call("methods", "compare", "threshold-35", "--home", published.root, "--year", Y3)
    assert code == 0
    official, other = compared.listed(OFFICIAL), compared.listed("threshold-35")
    (line,) = [line for line in words.splitlines() if Y3 in line]
    told = [cell.strip() for cell in line.split("│")[2:7]]
    assert told == [str(count) for count in (len(official), len(other), 0, len(official - other), len(other))]
    assert "выходит: МБОУ СОШ № 1 (s220001), " in words
    assert "ВПР-5 РУ 2022/23 — 3 из 10 (30,0 %)" in words


def test_any_two_methods_can_be_compared(published: Home, compared: Compared) -> None:
    def line(*methods: str) -> list[str]:
        code, words = call("methods", "compare", *methods, "--home", published.root, "--year", Y3)
        assert code == 0, words
        (found,) = [line for line in words.splitlines() if Y3 in line]
        return [cell.strip() for cell in found.split("│")[2:7]]

    stricter, looser = compared.listed("threshold-35"), compared.listed("threshold-25")
    enters = len(looser - stricter)
    assert line("threshold-35", "threshold-25") == [
        *(str(len(stricter)), str(len(looser)), str(enters), "0", str(len(stricter)))
    ]
    assert line("threshold-35", OFFICIAL)[3] == "0", "the official list is the longer one"
    _, words = call("methods", "compare", "threshold-35", "threshold-25", "--home", published.root, "--year", Y3)
    assert "входит" in words
    assert "было 1 и 0, стало 3 и 1" in words


def test_what_cannot_be_compared_is_refused_in_words(published: Home, tmp_path: Path) -> None:
    code, words = call("methods", "compare", "no-such", "--home", published.root)
    assert code == 1
    assert "threshold-25" in words
    assert "opora run" in words
    assert call("methods", "compare", "threshold-25", "--home", published.root, "--year", "2030-2031")[0] == 1
    assert call("methods", "compare", "threshold-25", "--home", tmp_path)[0] == 1


def test_the_manifest_tells_the_official_method_from_the_compared_ones(published: Home) -> None:
    release = current_release(published)
    assert release is not None
    assert [method["method_id"] for method in release.manifest["methods"]] == [OFFICIAL]
    assert "threshold-25" in {method["method_id"] for method in release.manifest["compared_methods"]}
