"""The five programmes are data: complete, cited, checked; nothing countable of the documents is lost."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from opora.facts import ReferenceFileError, default_root
from opora.home import PROJECT
from opora.programmes import (
    FACTS,
    RETURN_KINDS,
    Indicator,
    Measure,
    Period,
    Programme,
    Window,
    draft_like,
    due_dates,
    last_turn,
    load_programmes,
    parse_programme,
    programme_tables,
)
from opora.reference import load_reference
from schemas.registry import tables as registry_tables

SEEDS = Path(os.environ.get("OPORA_SEEDS", PROJECT.parent / "shared" / "seeds"))
PAGES = PROJECT / "docs" / "programmes"
IDS = ("kargasok-2023", "saratov-2021", "terbuny-2022", "tomsk-2020", "tver-plan")


@cache
def programmes() -> dict[str, Programme]:
    return {programme.programme_id: programme for programme in load_programmes()}


@cache
def tables() -> dict[str, pl.DataFrame]:
    return programme_tables(tuple(programmes().values()))


def indicator(programme_id: str, indicator_id: str) -> Indicator:
    return next(i for i in programmes()[programme_id].indicators if i.indicator_id == indicator_id)


def measure(programme_id: str, measure_id: str) -> Measure:
    return next(m for m in programmes()[programme_id].measures if m.measure_id == measure_id)


def targets(programme_id: str, indicator_id: str) -> list[tuple[str, str, float]]:
    return [(t.period, t.comparator, t.value) for t in indicator(programme_id, indicator_id).targets]


def plan(programme_id: str, measure_id: str) -> list[float]:
    return [p.quantity for p in measure(programme_id, measure_id).plan]


# --- what the documents ask for ----------------------------------------------------------------------


def test_the_five_programmes_load_in_the_order_of_their_files() -> None:
    assert tuple(programmes()) == IDS


@pytest.mark.parametrize("programme_id", IDS)
def test_rules_name_known_methods_and_every_programme_says_how_it_was_read(programme_id: str) -> None:
    programme = programmes()[programme_id]
    methods = {method.method_id for method in load_reference().methods}
    assert programme.list_rule.method_id in methods | {None}
    assert programme.goals_ru
    assert programme.notes


@pytest.mark.parametrize("programme_id", IDS)
def test_no_official_is_named(programme_id: str) -> None:
    """Surnames with initials: «Иванова И.И.», «И.И. Иванов»."""
    for path in (default_root() / "programmes" / f"{programme_id}.yaml", PAGES / f"{programme_id}.md"):
        text = path.read_text(encoding="utf-8")
        assert not re.findall(r"[А-Я]\.\s?[А-Я]\.\s[А-Я][а-я]+|[А-Я][а-я]+\s[А-Я]\.\s?[А-Я]\.", text), path


def test_kargasok_has_13_indicator_rows_and_7_expected_dynamics() -> None:
    """Rows of section 3: the zone of risk, 8 results of ШНОР, the survey, the same 8 of schools at risk as one row,
    two of prevention: 1 + 8 + 1 + 1 + 2 = 13 rows, 1 + 8 + 1 + 8 + 2 = 20 indicators."""
    rows = [i for i in programmes()["kargasok-2023"].indicators if i.item_ru.startswith("Раздел 3")]
    assert len(rows) == 20
    assert len({re.sub(r" \(показатель . из восьми\)", "", i.item_ru) for i in rows}) == 13

    shares = Counter((i.procedures, i.population) for i in rows if i.kind == "pooled_share")
    official = next(m for m in load_reference().methods if m.is_official)
    expected = {((p,), who): 1 for p in official.settings.procedures.value for who in ("shnor", "risk")}
    assert shares == expected

    dynamics = [i for i in programmes()["kargasok-2023"].indicators if i.item_ru.startswith("Раздел 4")]
    assert [i.item_ru for i in dynamics] == [f"Раздел 4, результат {n}" for n in range(1, 8)]
    assert all(i.comparison == "change" and i.targets for i in dynamics)
    assert [i.level for i in dynamics[:2]] == ["region", None]
    assert [i.direction for i in dynamics] == ["down"] * 6 + ["up"]


def test_kargasok_lists_are_published_as_12_8_5() -> None:
    assert [(x.list_year, x.schools) for x in programmes()["kargasok-2023"].published_lists] == [
        ("2020-2021", 12),
        ("2021-2022", 8),
        ("2022-2023", 5),
    ]


TOMSK_RESULTS = {
    "programmes_adopted": [21, 21, 21, 21, 21],
    "yearly_clustering": [1, 1, 1, 1, 1],
    "contribution_monitoring_share": [100, 100, 100, 100, 100],
    "municipal_events": [20, 40, 40, 40, 40],
    "regional_events": [2, 3, 3, 3, 3],
    "courses_and_modules": [2, 3, 3, 3, 3],
    "partner_programmes_share": [30, 40, 50, 70, 90],
    "network_membership_share": [30, 40, 50, 60, 70],
}
TOMSK_ROADMAP = {
    "I.1": [1, 1, 1, 1, 1],
    "I.2": [1, 1, 1, 1, 1],
    "I.3": [1, 1, 1, 1, 1],
    "I.4": [1, 1, 1, 1, 1],
    "I.5": [20, 20, 20, 20, 20],
    "I.6": [2, 3, 5, 7, 7],
    "I.7": [20, 20, 20, 20, 20],
    "I.8": [5, 10, 12, 15, 17],
    "I.9": [1, 1, 1, 1, 1],
    "I.10": [20, 20, 20, 20, 20],
    "II.1": [30, 40, 50, 70, 90],
    "II.2": [3, 5, 7, 10, 15],
    "II.3": [22, 43, 43, 43, 43],
    "III.1": [2, 3, 3, 3, 3],
    "III.2": [20, 25, 25, 30, 30],
    "III.3": [5, 7, 9, 10, 10],
    "III.4": [1, 1, 1, 1, 1],
}


def test_tomsk_expects_8_results_and_4_outcomes() -> None:
    tomsk = programmes()["tomsk-2020"]
    results = [i for i in tomsk.indicators if "пункт 9" not in i.item_ru]
    assert {i.indicator_id: [t.value for t in i.targets] for i in results} == TOMSK_RESULTS

    assert targets("tomsk-2020", "without_certificate_share") == [("2024", "<=", 6)]
    assert targets("tomsk-2020", "oge_mathematics_failed_ratio") == [("2024", "divide_by", 1.3)]
    assert targets("tomsk-2020", "physics_passed_ratio") == [("2024", "multiply_by", 1.2)]
    assert targets("tomsk-2020", "sum_220_ratio") == [("2024", "multiply_by", 1.2)]
    assert len(tomsk.indicators) == len(results) + 4

    certificates = indicator("tomsk-2020", "without_certificate_share").baseline
    assert certificates is not None
    assert certificates.value == 8.5
    assert indicator("tomsk-2020", "oge_mathematics_failed_ratio").attempt == "first"
    sums = indicator("tomsk-2020", "sum_220_ratio")
    assert (sums.subjects, sums.minimum_sum) == (3, 220)


def test_tomsk_has_17_roadmap_rows_with_yearly_plans() -> None:
    tomsk = programmes()["tomsk-2020"]
    assert {m.number: [p.quantity for p in m.plan] for m in tomsk.measures} == TOMSK_ROADMAP
    assert all([p.period for p in m.plan] == ["2020", "2021", "2022", "2023", "2024"] for m in tomsk.measures)
    assert [m.number for m in tomsk.measures if m.comparator == ">="] == ["I.8", "II.2"]
    assert [m.number for m in tomsk.measures if m.unit == "pct"] == ["II.1"]


TERBUNY_TARGETS = {
    "improved_exams_share": 40,
    "positive_dynamics_share": 100,
    "ege_passed_share": 100,
    "methodical_help_share": 100,
    "materials_bank_share": 100,
    "individual_plans_share": 100,
    "points_pupils_share": 66,
    "points_parents_share": 33,
    "diagnosed_teachers_share": 25,
    "network_schools": 3,
    "helped_schools": 3,
    "courses_share": 100,
    "contests_share": 8,
}


def test_terbuny_has_13_targets_and_a_plan_of_8_sections() -> None:
    terbuny = programmes()["terbuny-2022"]
    numbers = {i.indicator_id: i.targets[0].value for i in terbuny.indicators if i.kind != "change_of_share"}
    assert numbers == TERBUNY_TARGETS
    assert [i.indicator_id for i in terbuny.indicators if i.indicator_id not in numbers] == ["not_mastered_change"]
    assert Counter(m.number.split(".")[0] for m in terbuny.measures) == {
        "1": 3, "2": 3, "3": 5, "4": 12, "5": 6, "6": 3, "7": 1, "8": 4,
    }  # fmt: skip


def test_saratov_has_both_reduction_goals_shares_agreements_and_32_numbered_rows() -> None:
    saratov = programmes()["saratov-2021"]
    years = ["2021-2022", "2022-2023", "2023-2024"]
    for indicator_id, comparator, value in (
        ("shnor_reduction_25_30", "decrease_at_least_pct", 25),
        ("shnor_reduction_30", "decrease_at_least_pct", 30),
        ("school_programmes_share", "=", 100),
        ("communities_share", "=", 100),
        ("agreements", ">=", 5),
    ):
        assert targets("saratov-2021", indicator_id) == [(year, comparator, value) for year in years]
    assert [m.number for m in saratov.measures] == [str(n) for n in range(1, 33)]
    assert [r.support_format for r in saratov.support_rules if r.years_in_a_row == 2] == ["repeated"]
    assert len(saratov.pairs) == 4


def test_saratov_monitors_in_october_december_march_and_may() -> None:
    saratov = programmes()["saratov-2021"]
    assert (10, 12, 3, 5) in {event.months for event in saratov.monitoring_cycle}
    year = next(p for p in saratov.periods if p.period == "2022-2023")
    assert [end for _, end in due_dates(measure("saratov-2021", "monitoring").due, year)] == [
        dt.date(2022, 10, 31),
        dt.date(2022, 12, 31),
        dt.date(2023, 3, 31),
        dt.date(2023, 5, 31),
    ]
    assert plan("saratov-2021", "monitoring") == [4, 4, 4]


def test_tver_has_three_categories_and_every_item() -> None:
    tver = programmes()["tver-plan"]
    assert [c.fact for c in tver.categories] == ["has_low_results", "is_adverse_conditions", "has_resource_deficit"]
    assert [m.number for m in tver.measures] == [
        "1.1", "1.2", "1.3", "2.1.1", "2.1.2", "2.1.3", "2.1.4", "2.1.5", "2.1.6",
        "2.2.1", "2.2.2", "2.2.3", "2.2.4", "2.3.1",
    ]  # fmt: skip
    assert all(m.plan or m.reason_ru for m in tver.measures)


# --- nothing is lost ---------------------------------------------------------------------------------


def plain(text: str) -> str:
    return " ".join(re.findall(r"[0-9a-zа-я%]+", text.lower().replace("ё", "е")))


def statements(programme_id: str) -> Iterator[tuple[str, str, str]]:
    """Rows of the tables «пункт, цитата, чем считается» of a page."""
    inside = False
    for line in (PAGES / f"{programme_id}.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells == ["пункт", "цитата", "чем считается"]:
            inside = True
        elif inside and set(cells[0]) != {"-"}:
            item, quote, how = cells
            yield item, quote, how


@pytest.mark.parametrize("programme_id", IDS)
def test_every_statement_is_quoted_from_the_document(programme_id: str) -> None:
    seed = SEEDS / f"{programme_id}.txt"
    if not seed.is_file():
        pytest.skip(f"the document {seed.name} is not at hand: set OPORA_SEEDS")
    text = plain(seed.read_text(encoding="utf-8"))
    rows = list(statements(programme_id))
    assert rows
    assert [quote for _, quote, _ in rows if not plain(quote) or plain(quote) not in text] == []


@pytest.mark.parametrize("programme_id", IDS)
def test_every_statement_names_what_counts_it_or_why_nothing_can(programme_id: str) -> None:
    programme = programmes()[programme_id]
    marts = {mart.table for mart in registry_tables("marts")}
    for item, quote, how in statements(programme_id):
        named = re.findall(r"(показатель|мероприятие|часть|витрина) `([a-z0-9_]+)`", how)
        assert named or re.search(r"не считается: \w+", how), (item, quote)
        for kind, name in named:
            if kind == "показатель":
                assert name in {i.indicator_id for i in programme.indicators}, (item, name)
            elif kind == "мероприятие":
                assert name in {m.measure_id for m in programme.measures}, (item, name)
            elif kind == "витрина":
                assert name in marts, (item, name)
            else:
                assert getattr(programme, name), (item, name)
        assert set(re.findall(r"`([a-z0-9_]+)`", how)) <= {*programme.item_ids, *Programme.model_fields, *marts}, how


@pytest.mark.parametrize("programme_id", IDS)
def test_every_indicator_and_measure_rests_on_a_statement(programme_id: str) -> None:
    named = {name for _, _, how in statements(programme_id) for name in re.findall(r"`([a-z0-9_]+)`", how)}
    assert set(programmes()[programme_id].item_ids) <= named


@pytest.mark.parametrize("programme_id", IDS)
def test_every_contradiction_is_told_on_the_page(programme_id: str) -> None:
    page = (PAGES / f"{programme_id}.md").read_text(encoding="utf-8")
    assert [n.note_id for n in programmes()[programme_id].notes if n.text_ru not in page] == []


def test_the_index_lists_every_programme_with_its_counts() -> None:
    index = (PAGES / "index.md").read_text(encoding="utf-8")
    for programme in programmes().values():
        row = next(line for line in index.splitlines() if f"({programme.programme_id}.md)" in line)
        assert f"| {len(programme.indicators)} | {len(programme.measures)} |" in row


# --- dates -------------------------------------------------------------------------------------------

CALENDAR = Period(
    period="2023",
    starts_on=dt.date(2023, 1, 1),
    ends_on=dt.date(2023, 12, 31),
    results_year="2022-2023",
    list_year="2022-2023",
)
ACADEMIC = Period(
    period="2023-2024",
    starts_on=dt.date(2023, 9, 1),
    ends_on=dt.date(2024, 8, 31),
    results_year="2023-2024",
    list_year="2023-2024",
)


@pytest.mark.parametrize(
    ("starts", "ends", "period", "expected"),
    [
        ("12-01", "12-31", CALENDAR, (dt.date(2023, 12, 1), dt.date(2023, 12, 31))),
        ("01-01", "03-31", ACADEMIC, (dt.date(2024, 1, 1), dt.date(2024, 3, 31))),
        # crosses the year; the last of February is the 29th in 2024 and the 28th otherwise
        ("12-01", "02-29", ACADEMIC, (dt.date(2023, 12, 1), dt.date(2024, 2, 29))),
        ("12-01", "02-29", CALENDAR, (dt.date(2023, 12, 1), dt.date(2024, 2, 29))),
        # dates hold for the period they end in, and for no other
        ("2023-07-01", "2023-09-30", ACADEMIC, (dt.date(2023, 7, 1), dt.date(2023, 9, 30))),
        ("2020-03-01", "2020-03-31", CALENDAR, (dt.date(2023, 1, 1), dt.date(2023, 12, 31))),
    ],
)
def test_windows_fall_on_dates_of_their_period(
    starts: str, ends: str, period: Period, expected: tuple[dt.date, dt.date]
) -> None:
    assert due_dates([Window(starts=starts, ends=ends)], period) == (expected,)


# --- errors ------------------------------------------------------------------------------------------


def raw(programme_id: str = "kargasok-2023") -> dict[str, Any]:
    return yaml.safe_load((default_root() / "programmes" / f"{programme_id}.yaml").read_text(encoding="utf-8"))


def refused(programme: dict[str, Any]) -> str:
    with pytest.raises(ReferenceFileError) as error:
        parse_programme("programmes/kargasok-2023.yaml", yaml.safe_dump(programme, allow_unicode=True).encode())
    assert str(error.value).startswith("reference/programmes/kargasok-2023.yaml: ")
    return str(error.value)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"kind": "average"}, "indicators[0].kind"),
        ({"fact": "is_good"}, "indicators[0].fact: Value error, unknown fact 'is_good'"),
        ({"fact": "return:song"}, "unknown kind of report 'song'"),
        ({"fact": "participants:passed"}, "cannot be counted as share_of_schools"),
        ({"fact": None}, "fact is missing"),
        ({"weight": 1}, "indicators[0].weight"),
        ({"procedures": ["vpr_5_russian"]}, "procedures are not used"),
        ({"kind": "change_of_share"}, "of names the value"),
        ({"kind": "change_of_share", "of": "count_schools"}, "change_of_share cannot be of count_schools"),
        ({"kind": "ratio_to_baseline", "of": "share_of_schools"}, "baseline is missing"),
        ({"kind": "not_computable", "fact": None}, "reason_ru is missing"),
        ({"targets": [{"comparator": "=", "value": 1.0}]}, "indicators[0].targets[0].period: Field required"),
        (
            {"targets": [{"period": "2031", "comparator": "=", "value": 1.0}]},
            "risk_schools_share.targets.period: not a period of the programme: 2031",
        ),
        (
            {"targets": [{"period": "2022", "comparator": "=", "value": 1.0}]},
            "not a period of the programme: 2022",  # a baseline period: nothing is planned in it
        ),
        ({"targets": [{"period": "2023", "comparator": "about", "value": 1.0}]}, "targets[0].comparator"),
        ({"targets": [{"period": "2023", "comparator": "divide_by", "value": 1.3}]}, "ratio_to_baseline only"),
        ({"due": [{"starts": "13-01", "ends": "13-31"}]}, "'13-01' is neither a day"),
        ({"due": [{"starts": "12-01", "ends": "2023-12-31"}]}, "both be days or both be dates"),
    ],
)
def test_a_wrong_indicator_is_named_by_file_and_field(changes: dict[str, Any], expected: str) -> None:
    programme = raw()
    programme["indicators"][0] |= changes
    assert expected in refused(programme)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"return_kind": None}, "measures[0]: Value error, either return_kind or reason_ru"),
        ({"return_kind": "song"}, "unknown kind of report 'song'"),
        ({"unit": "count"}, "the plan is «да»"),
        ({"unit": "pct"}, "population stands with the unit pct"),
        ({"plan": [{"value": "да"}]}, "measures[0].plan[0].period: Field required"),
        ({"plan": [{"period": "2019", "value": "да"}]}, "methodical_support.plan.period: not a period"),
        ({"measure_id": "risk_schools_share"}, "an identifier is repeated: risk_schools_share"),
    ],
)
def test_a_wrong_measure_is_named_by_file_and_field(changes: dict[str, Any], expected: str) -> None:
    programme = raw()
    programme["measures"][0] |= changes
    assert expected in refused(programme)


def test_a_programme_agrees_with_its_territory_and_periods() -> None:
    territory = {"level": "region", "title_ru": "Область", "municipality_ru": "Район"}
    assert "municipality_ru stands with" in refused(raw() | {"territory": territory})
    assert "not of the period_kind" in refused(raw() | {"period_kind": "academic_year"})
    assert "must follow one another" in refused(raw() | {"periods": list(reversed(raw()["periods"]))})


def test_a_file_is_named_after_its_programme_and_knows_its_procedures(tmp_path: Path) -> None:
    (tmp_path / "programmes").mkdir()
    shutil.copy(default_root() / "procedures.yaml", tmp_path)
    source = (default_root() / "programmes" / "kargasok-2023.yaml").read_text(encoding="utf-8")

    wrong = tmp_path / "programmes" / "other.yaml"
    wrong.write_text(source, encoding="utf-8")
    with pytest.raises(ReferenceFileError, match=r"programmes/other\.yaml: programme_id"):
        load_programmes(tmp_path)
    wrong.unlink()

    (tmp_path / "programmes" / "kargasok-2023.yaml").write_text(
        source.replace("[vpr_5_russian]", "[vpr_5_singing]", 1), encoding="utf-8"
    )
    with pytest.raises(ReferenceFileError, match=r"vpr_5_russian_shnor\.procedures: unknown: vpr_5_singing"):
        load_programmes(tmp_path)


# --- tables ------------------------------------------------------------------------------------------


def test_tables_do_not_depend_on_the_order_of_the_programmes() -> None:
    reversed_order = programme_tables(tuple(reversed(programmes().values())))
    assert reversed_order.keys() == tables().keys()
    for name, table in tables().items():
        assert table.equals(reversed_order[name]), name
        assert not any(dtype.is_nested() for dtype in table.dtypes), name


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("programme", ["programme_id"]),
        ("programme_period", ["programme_id", "period"]),
        ("programme_indicator", ["programme_id", "indicator_id"]),
        ("programme_target", ["programme_id", "indicator_id", "period", "comparator"]),
        ("programme_indicator_due", ["programme_id", "indicator_id", "period"]),
        ("programme_measure", ["programme_id", "measure_id"]),
        ("programme_measure_plan", ["programme_id", "measure_id", "period"]),
        ("programme_measure_due", ["programme_id", "measure_id", "period", "window"]),
        ("return_kind", ["return_kind"]),
    ],
)
def test_tables_have_keys(table: str, key: list[str]) -> None:
    frame = tables()[table]
    assert frame.height > 0
    assert frame.select(key).is_duplicated().sum() == 0
    assert frame.select(pl.any_horizontal(pl.col(key).is_null()).sum()).item() == 0


def test_every_indicator_can_be_computed_or_says_why_not() -> None:
    frame = tables()["programme_indicator"]
    stated = frame.filter(pl.col("kind") == "not_computable")
    assert stated["reason_ru"].null_count() == 0
    computed = frame.filter(pl.col("kind") != "not_computable")
    assert computed.select(pl.col("value_kind", "fact").null_count()).row(0) == (0, 0)
    known = set(FACTS) | {f"return:{kind}" for kind in RETURN_KINDS}
    assert set(computed["fact"].to_list()) <= known


def test_every_kind_of_report_serves_a_programme() -> None:
    used = {*tables()["programme_indicator"]["return_kind"], *tables()["programme_measure"]["return_kind"]}
    assert set(RETURN_KINDS) == used - {None}


# --- drafts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("programme_id", IDS)
def test_a_draft_loads_with_the_same_items_and_no_plans(programme_id: str) -> None:
    like = programmes()[programme_id]
    years = ["2027", "2026"] if like.period_kind == "calendar_year" else ["2026-2027", "2025-2026"]
    text = draft_like(like, "new-district", "Новый район", years)
    draft = parse_programme("programmes/new-district.yaml", text.encode())

    assert draft.programme_id == "new-district"
    assert draft.territory.title_ru == "Новый район"
    assert draft.item_ids == like.item_ids
    assert [p.period for p in draft.periods if not p.is_baseline] == sorted(years)
    assert [p.is_baseline for p in draft.periods] == [True, False, False]
    assert not any(i.targets for i in draft.indicators)
    assert not any(m.plan for m in draft.measures)
    assert (draft.pairs, draft.published_lists, draft.notes) == ((), (), ())
    assert "TODO" not in text
    assert text.count("\n# ") >= 8
    assert text == draft_like(like, "new-district", "Новый район", years)


def test_a_draft_keeps_the_distance_of_results_and_list() -> None:
    """Kargasok 2023 is judged by 2022/23, so its draft for 2026 is by 2025/26 and compares with 2024/25."""
    draft = yaml.safe_load(draft_like(programmes()["kargasok-2023"], "new", "Новый район", ["2026"]))
    assert [(p["period"], p["results_year"], p["list_year"]) for p in draft["periods"]] == [
        ("2025", "2024-2025", "2024-2025"),
        ("2026", "2025-2026", "2025-2026"),
    ]


def test_a_draft_takes_nothing_from_the_figures_of_its_example() -> None:
    draft = yaml.safe_load(draft_like(programmes()["tomsk-2020"], "new", "Новая область", ["2026"]))
    baselines = [i["baseline"] for i in draft["indicators"] if "baseline" in i]
    assert baselines == [{"rule": "year_or_first_with_data", "academic_year": "2024-2025"}] * 4


def test_a_draft_is_refused_for_years_of_another_kind() -> None:
    with pytest.raises(ValueError, match="periods must be years such as 2025, as in kargasok-2023"):
        draft_like(programmes()["kargasok-2023"], "new", "Новый район", ["2025-2026"])
    with pytest.raises(ReferenceFileError, match="not an identifier"):
        draft_like(programmes()["kargasok-2023"], "Новая", "Новый район", ["2026"])


def test_statuses_turn_only_where_a_quarter_begins_or_a_window_opens_or_closes() -> None:
    programmes = load_programmes()
    tables = programme_tables(programmes)
    closes = tables["programme_measure_due"]["due_on"].drop_nulls()[0]
    day_after = closes + dt.timedelta(days=1)
    assert last_turn(programmes, day_after) == day_after, "the day after the last day of a window"
    assert last_turn(programmes, dt.date(2040, 5, 20)) == dt.date(2040, 4, 1), "long after all: the quarter"
    for day in (dt.date(2021, 1, 1), dt.date(2022, 8, 17), dt.date(2023, 12, 31)):
        assert last_turn(programmes, day) <= day
        assert last_turn(programmes, last_turn(programmes, day)) == last_turn(programmes, day)


def test_what_is_not_counted_is_told_with_its_reason() -> None:
    page = (PROJECT / "docs" / "methodology" / "not-counted.md").read_text(encoding="utf-8")
    told = {
        (cells[1].strip("` "), cells[2].strip("` "), cells[4].strip())
        for cells in (line.split("|") for line in page.splitlines() if line.startswith("| `"))
    }
    items = [
        (programme.programme_id, name, reason)
        for programme in load_programmes()
        for name, reason in (
            *((i.indicator_id, i.reason_ru) for i in programme.indicators if i.kind == "not_computable"),
            *((m.measure_id, m.reason_ru) for m in programme.measures if m.reason_ru),
        )
    ]
    assert told == {(programme, name, " ".join(str(reason).split())) for programme, name, reason in items}
    assert told
