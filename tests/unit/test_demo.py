"""The synthetic region: one seed gives the same bytes, the truth agrees with the files, it looks real."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from opora.demo import DemoSummary, context_files, make_deliveries, write_region
from opora.demo.config import load_facts
from opora.demo.objectivity import plant
from opora.demo.population import inn_with_check, ogrn_with_check, simulate
from opora.demo.truth import find_truth, region_totals

Rows = list[dict[str, str]]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoSummary:
    return write_region(tmp_path_factory.mktemp("demo"))


def read(demo: DemoSummary, name: str) -> Rows:
    with (demo.home / "truth" / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def totals(demo: DemoSummary) -> dict:
    return json.loads((demo.home / "truth" / "truth.json").read_text(encoding="utf-8"))


def parquet(demo: DemoSummary, name: str) -> pl.DataFrame:
    return pl.read_parquet(demo.home / "landing" / "participants" / name)


def digests(home: Path) -> dict[str, str]:
    files = (path for path in home.rglob("*") if path.is_file())
    return {str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_seed_gives_the_same_bytes(demo: DemoSummary, tmp_path: Path) -> None:
    write_region(tmp_path)
    assert digests(demo.home) == digests(tmp_path)


@pytest.mark.parametrize(("seed", "schools"), [(7, 60), (8, 75)])
def test_other_regions_look_as_real(demo: DemoSummary, seed: int, schools: int) -> None:
    region = simulate(load_facts(), seed, schools)
    found = region_totals(find_truth(region, make_deliveries(region, seed)), region, seed)
    assert found["procedures"] != totals(demo)["procedures"]
    assert_looks_real(found)


def test_planted_results_touch_grade_4_and_the_journal_alone() -> None:
    region = simulate(load_facts(), 7, 60)
    former = {key: (results.points.copy(), results.prior.copy()) for key, results in region.vpr.items()}
    plant(region, 7)
    changed = {
        (spring, work): (bool((results.points != points).any()), bool((results.prior != prior).any()))
        for (spring, work), results in region.vpr.items()
        for points, prior in [former[spring, work]]
    }
    assert {key: what for key, what in changed.items() if any(what)} == {
        (2022, "4_russian"): (True, False),
        (2022, "4_mathematics"): (True, False),
        (2023, "4_russian"): (True, False),
        (2023, "5_mathematics"): (False, True),
    }
    assert len({one.school.index for one in region.planted}) == 4


def test_the_region_looks_real(demo: DemoSummary) -> None:
    assert demo.schools == 60
    assert demo.municipalities == 8
    assert_looks_real(totals(demo))


def assert_looks_real(found_in_region: dict) -> None:
    for year, procedures in found_in_region["procedures"].items():
        for procedure, found in procedures.items():
            if found["participants"] == 0:
                assert (year, procedure[:3]) == ("2019-2020", "oge")
                continue
            share = found["below_minimum"] / found["participants"]
            low, high = (0.04, 0.24) if procedure.startswith("vpr") else (0.003, 0.13)
            assert low <= share <= high, (year, procedure, share)
    for year, listed in found_in_region["lists"].items():
        if year != "2019-2020":
            assert 0.03 <= listed["shnor"] / listed["schools"] <= 0.22, (year, listed)


def test_schools_enter_leave_and_stay(demo: DemoSummary) -> None:
    lists = totals(demo)["lists"]
    years = [set(lists[year]["school_ids"]) for year in sorted(lists)][1:]
    pairs = list(pairwise(years))
    assert any(later - former for former, later in pairs)
    assert any(former - later for former, later in pairs)
    assert set.intersection(*years)


def test_every_delivery_is_there_and_adds_up(demo: DemoSummary) -> None:
    deliveries = read(demo, "deliveries.csv")
    landed = {str(path.relative_to(demo.home / "landing")) for path in (demo.home / "landing").rglob("*.*")}
    assert landed == {row["path"] for row in deliveries}
    parts = ("accepted", "absent", "group", "footer", "blank", "total", "quarantined")
    for row in deliveries:
        assert int(row["rows_in"]) == sum(int(row[part]) for part in parts), row["path"]
        assert bool(row["refusal"]) == (row["status"] == "refused")


def test_quarantined_rows_are_the_dirt_that_was_spread(demo: DemoSummary) -> None:
    spread = Counter[str]()
    for row in read(demo, "dirt.csv"):
        # In the table of subjects a bad pair of cells spoils a record; the rest of its row is accepted.
        if row["level"] == "quarantine" and row["check_id"] != "below_exceeds_participants":
            spread[row["path"]] += int(row["count"])
    for delivery in read(demo, "deliveries.csv"):
        assert int(delivery["quarantined"]) == spread[delivery["path"]], delivery["path"]


def test_the_dirt_is_as_the_facts_say(demo: DemoSummary) -> None:
    written = Counter[tuple[str, str]]()
    for row in read(demo, "dirt.csv"):
        key = (row["path"], row["kind"])
        written[key] = max(written[key], int(row["count"]))
    for path, plan in load_facts().raw["dirt"].items():
        for kind, count in plan.items():
            assert written[path, kind] == count


def test_a_recount_of_parquet_protocols_gives_the_truth(demo: DemoSummary) -> None:
    """Rows that a bare reading can use: well-formed login, a number for a total, no more than the maximum."""
    facts = load_facts()
    for spring, login, variant, total in (
        (2020, "user", "var-1", "sum"),
        (2021, "логин школы", "вариант", "всего баллов"),
    ):
        for key in facts.raw["vpr"][spring]["parquet"]:
            work = facts.works[key]
            if work.procedure_id not in facts.procedures:
                continue
            frame = parquet(demo, f"{spring}/{work.grade:02d}_{work.subject.file}.parquet")
            code = "code" if spring == 2020 else "код обучающегося"
            frame = (
                frame.with_columns(pl.col(total).cast(pl.Int64, strict=False).alias("points"))
                .filter(pl.col(variant).is_null() | (pl.col(variant) != "отсутствовал"))
                .filter(pl.col("points").is_between(0, work.maximum))
                .filter(pl.col(login).str.contains(r"^sch99\d{4}$") & ~pl.col(login).str.ends_with("990901"))
                .unique([login, code])
            )
            counted = {
                f"s{name[3:]}": (n, b)
                for name, n, b in frame.group_by(login)
                .agg(pl.len(), (pl.col("points") < work.scale[0]).sum().alias("below"))
                .iter_rows()
            }
            year = next(y.name for y in facts.years if y.spring == spring)
            expected = {
                row["school_id"]: (int(row["own_participants"]), int(row["own_below_minimum"]))
                for row in read(demo, "procedure_result.csv")
                if (row["academic_year"], row["procedure_id"]) == (year, work.procedure_id)
                and int(row["own_participants"])
            }
            assert counted == expected


def test_a_recount_of_flat_tables_gives_the_truth(demo: DemoSummary) -> None:
    """2023-2024 comes as percentages; two logins of one school are one school."""
    landing = demo.home / "landing" / "2023-2024"
    sheet = openpyxl.load_workbook(landing / "marks.xlsx", read_only=True)["marks"]
    counted: dict[tuple[str, str], tuple[int, int]] = {}
    for row in sheet.iter_rows(min_row=2, values_only=True):
        _, grade, subject, _, login, _, people, two, *_ = row
        school = "s990102" if login == "edu990162" else f"s{str(login)[3:]}"
        procedure = f"vpr_{grade}_{'russian' if subject == 'Русский язык' else 'mathematics'}"
        n, b = counted.get((school, procedure), (0, 0))
        counted[school, procedure] = (n + int(people), b + round(int(people) * float(two) / 100))
    expected = {
        (row["school_id"], row["procedure_id"]): (int(row["own_participants"]), int(row["own_below_minimum"]))
        for row in read(demo, "procedure_result.csv")
        if row["academic_year"] == "2023-2024" and row["procedure_id"].startswith("vpr_5")
    }
    assert {key: counted.get(key, (0, 0)) for key in expected} == expected


def test_the_list_follows_from_the_results(demo: DemoSummary) -> None:
    low = Counter[tuple[str, str]]()
    for row in read(demo, "procedure_result.csv"):
        participants, below = int(row["participants"]), int(row["below_minimum"])
        low[row["academic_year"], row["school_id"]] += participants > 0 and below * 100 >= 30 * participants
    for row in read(demo, "school_status.csv"):
        first = int(row["academic_year"][:4])
        years = [f"{first - back}-{first - back + 1}" for back in (1, 2)]
        one, two = (low[year, row["school_id"]] for year in years)
        met = one >= 2 or (one >= 1 and two >= 1)
        assert (row["is_rule_met"] == "true") == met
        assert (row["is_shnor"] == "true") == (met and not row["excluded_reason"])


def test_a_parent_school_answers_for_its_branches(demo: DemoSummary) -> None:
    results = {(r["academic_year"], r["school_id"], r["procedure_id"]): r for r in read(demo, "procedure_result.csv")}
    parent = results["2020-2021", "s991201", "vpr_5_russian"]
    branch = results["2020-2021", "s991203", "vpr_5_russian"]
    assert int(branch["participants"]) == int(branch["own_participants"]) > 0
    assert int(parent["participants"]) == int(parent["own_participants"]) + int(branch["own_participants"])


def test_a_merged_school_has_no_results_after_the_merger(demo: DemoSummary) -> None:
    years = {r["academic_year"] for r in read(demo, "procedure_result.csv") if r["school_id"] == "s991306"}
    assert years == {"2019-2020", "2020-2021"}


def test_corrected_files_are_later_than_what_they_correct(demo: DemoSummary) -> None:
    landing = demo.home / "landing"
    for path in landing.rglob("*(исправлено).xlsx"):
        former = next(p for p in landing.rglob(path.name.replace(" (исправлено)", "")))
        assert path.stat().st_mtime > former.stat().st_mtime


def test_conditions_have_a_chance_of_their_own(demo: DemoSummary) -> None:
    """The rest of the region is what it is without them, and their truth names every school of their years."""
    region = simulate(load_facts(), demo.seed, demo.schools)
    before = region.quality.copy()
    drawn, again = (context_files.draw(region, demo.seed) for _ in range(2))
    assert [one.cells for one in drawn.answers] == [one.cells for one in again.answers]
    assert (region.quality == before).all()
    told = read(demo, "context_component.csv")
    assert {row["academic_year"] for row in told} == {"2021-2022", "2022-2023", "2023-2024"}
    assert Counter(story for story in drawn.stories.values()) == {"resilient": 3, "favourable_low": 3}
    unknown = [row for row in told if row["value"] == ""]
    assert 0.03 < len(unknown) / len(told) < 0.3
    assert any(float(row["value"]) == 0 for row in told if row["value"])


def test_broken_answers_are_as_the_facts_say(demo: DemoSummary) -> None:
    region = simulate(load_facts(), demo.seed, demo.schools)
    drawn = context_files.draw(region, demo.seed)
    for spring, wanted in load_facts().raw["conditions"]["broken"].items():
        of_year = [one for one in drawn.answers if one.spring == spring]
        assert sum(one.is_lost for one in of_year) == wanted.get("login", 0)
        assert sum(bool(one.spoiled) for one in of_year) == sum(n for kind, n in wanted.items() if kind != "login")


def test_check_digits_are_valid(demo: DemoSummary) -> None:
    text = (demo.home / "landing" / "справочники" / "реестр школ.csv").read_text(encoding="utf-8-sig")
    for row in csv.DictReader(text.splitlines(), delimiter=";"):
        assert row["ИНН"] == inn_with_check(row["ИНН"][:9])
        assert row["ОГРН"] == ogrn_with_check(row["ОГРН"][:12])
    # A real legal entity, to hold the formulas against: ПАО Сбербанк.
    assert inn_with_check("770708389") == "7707083893"
    assert ogrn_with_check("102770013219") == "1027700132195"


def test_too_few_schools_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least"):
        write_region(tmp_path, schools=10)
