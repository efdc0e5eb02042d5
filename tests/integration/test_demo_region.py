"""The whole job on the synthetic region, held against what its generator knows to be true."""

from __future__ import annotations

import shutil
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import pytest

from assets.shared import POOLS
from opora.delivery import read_records
from opora.explain import UnknownSchool, explain_school
from opora.freshness import nothing_new
from opora.gate import CHECK_IDS
from opora.home import Home
from opora.reference import load_reference
from opora.release import current_release, verify
from pipelines.run import run_now
from tests.conftest import Region


def _truth(region: Region, name: str) -> pl.DataFrame:
    return pl.read_csv(region.truth / f"{name}.csv", infer_schema_length=None)


def _mart(region: Region, name: str) -> pl.DataFrame:
    return pl.read_parquet(region.home.current / "official" / f"{name}.parquet")


def test_every_result_is_the_true_one(demo_region: Region) -> None:
    truth = _truth(demo_region, "procedure_result")
    numbers = ["own_participants", "own_below_minimum", "participants", "below_minimum"]
    found = _mart(demo_region, "procedure_result").with_columns(pl.col(numbers).fill_null(0))
    keys = ["academic_year", "school_id", "procedure_id"]
    joined = truth.join(found, on=keys, how="left", suffix="_found")
    wrong = joined.filter(pl.any_horizontal(pl.col(c).ne_missing(pl.col(f"{c}_found")) for c in ["state", *numbers]))
    assert wrong.is_empty(), wrong
    assert truth.height > 1000


def test_every_list_is_the_true_one(demo_region: Region) -> None:
    truth = _truth(demo_region, "school_status")
    found = _mart(demo_region, "school_status")
    joined = truth.join(found, on=["academic_year", "school_id"], how="left", suffix="_found")
    compared = joined.select(
        "academic_year",
        "school_id",
        is_shnor=pl.col("is_shnor").ne_missing(pl.col("is_shnor_found")),
        basis=pl.col("rule_basis").ne_missing(pl.col("shnor_basis_found")),
        # a school that nothing was held for neither meets the rule nor fails it
        rule=pl.col("is_rule_met").ne_missing(pl.col("meets_shnor_rule").fill_null(False)),
        risk=pl.col("is_at_risk").ne_missing(pl.col("is_at_risk_found").fill_null(False)),
        previous=pl.col("low_procedures_previous_year").ne_missing(
            pl.col("low_procedures_previous_year_found").fill_null(0)
        ),
    )
    wrong = compared.filter(pl.any_horizontal("is_shnor", "basis", "rule", "risk", "previous"))
    assert wrong.is_empty(), wrong
    assert truth["is_shnor"].sum() > 20


def test_results_not_to_be_trusted_are_found(demo_region: Region) -> None:
    planted = _truth(demo_region, "objectivity")
    found = _mart(demo_region, "objectivity").filter(pl.col("is_marked"))
    missed = planted.join(found, on=["academic_year", "school_id", "marker_id"], how="anti")
    assert missed.is_empty(), missed
    assert planted.height == 5
    named = _mart(demo_region, "school_status").filter(pl.col("credibility_ru").is_not_null())
    following = planted.with_columns(
        pl.col("academic_year").replace({"2021-2022": "2022-2023", "2022-2023": "2023-2024"})
    )
    assert following.join(named, on=["academic_year", "school_id"], how="anti").is_empty()


def test_planted_deficits_and_topics_not_taught_are_told_apart(demo_region: Region) -> None:
    path = demo_region.truth / "task_deficit.csv"
    planted = pl.read_csv(path, infer_schema_length=None, schema_overrides={"task": pl.String})
    found = _mart(demo_region, "task_deficit").filter(item_kind="task", territory_level="school")
    keys = {"school_id": "territory_id", "task": "item_id"}
    same = ["academic_year", "procedure_id"]
    told = planted.join(found, left_on=[*same, *keys], right_on=[*same, *keys.values()], how="left")
    by_kind = {kind: rows.to_dicts() for (kind,), rows in told.group_by("kind")}
    assert {kind: len(rows) for kind, rows in by_kind.items()} == {"deficit": 4, "not_taught": 1, "not_taught_class": 1}
    for row in by_kind["deficit"]:
        assert row["severity"] == "high", row
        assert row["gap_high"] < 0, row
        assert row["teach_again_order"] <= 2, "first of what to teach again"
    (untaught,) = by_kind["not_taught"]
    assert (untaught["severity"], untaught["teach_again_order"]) == ("not_taught", None)
    assert untaught["not_taught_count"] == untaught["participants"] > 0
    assert [untaught[name] for name in ("completion_share", "gap", "gap_low", "gap_high")] == [None] * 4
    (one_class,) = by_kind["not_taught_class"]
    assert 0 < one_class["not_taught_count"] < one_class["participants"]
    assert one_class["answers_count"] == one_class["participants"] - one_class["not_taught_count"]


def test_protocols_and_reports_of_agreement_reconcile(demo_region: Region) -> None:
    """Where both came, they differ by quarantined and corrected rows alone."""
    whole = _mart(demo_region, "mark_agreement").filter(
        pl.col("territory_level") == "region", pl.col("both_sources_count") > 0
    )
    assert whole.height == 2
    assert (whole["reconciled_count"] > 0.85 * whole["both_sources_count"]).all()


def test_every_delivery_is_accounted_for(demo_region: Region) -> None:
    truth = _truth(demo_region, "deliveries")
    by_path = {path: record for record in read_records(demo_region.home).values() for path in record.paths}
    assert set(by_path) == set(truth["path"])
    for row in truth.iter_rows(named=True):
        record = by_path[row["path"]]
        assert record.rows.adds_up
        if row["status"] == "refused":
            assert record.status == "refused", row["path"]
            assert list(record.issues) == [row["refusal"]], row["path"]
        elif row["status"] == "duplicate":
            assert record is by_path[row["same_as"]]
        else:
            kinds = ("rows_in", "accepted", "absent", "group", "footer", "blank", "total", "quarantined")
            assert {k: getattr(record.rows, k) for k in kinds} == {k: row[k] for k in kinds}, row["path"]


def test_dirt_is_found_where_it_was_put(demo_region: Region) -> None:
    planted = (
        _truth(demo_region, "dirt")
        .filter(pl.col("level").is_in(["quarantine", "answer", "warning"]) & ~pl.col("check_id").is_in(FOUND_LATER))
        .group_by("path", "check_id")
        .agg(pl.col("count").sum())
    )
    found = (
        _mart(demo_region, "quality_issue")
        .group_by(pl.col("file_name").alias("path"), "check_id")
        .agg(pl.len().alias("found"))
    )
    quarantined = _truth(demo_region, "deliveries").select("path", "quarantined")
    joined = planted.join(found, on=["path", "check_id"], how="left").join(quarantined, on="path")
    # a row that left for another reason is not warned about as well
    warns = pl.col("check_id") == "total_differs_from_tasks"
    least = pl.when(warns).then(pl.col("count") - pl.col("quarantined")).otherwise(pl.col("count"))
    missed = joined.filter(~pl.col("found").fill_null(0).is_between(least, pl.col("count")))
    assert missed.is_empty(), missed
    assert planted.height > 40


# The warehouse words these by school, procedure or factor, not by row of a file.
FOUND_LATER = ["unknown_school", "mark_differs_from_scale", "unknown_risk_factor", "risk_choice_count"]


def test_unknown_schools_are_reported(demo_region: Region) -> None:
    planted = _truth(demo_region, "dirt").filter(pl.col("check_id") == "unknown_school")
    found = _mart(demo_region, "quality_issue").filter(pl.col("check_id") == "unknown_school")
    assert planted.height > 0
    assert found.height > 0


def test_release_is_whole(demo_region: Region) -> None:
    release = current_release(demo_region.home)
    assert release is not None
    assert verify(release) == []
    assert {check["check_id"] for check in release.manifest["gate"]} == set(CHECK_IDS)
    assert all(check["passed"] for check in release.manifest["gate"])
    assert len(release.manifest["inputs"]) == len(read_records(demo_region.home))
    with demo_region.marts() as marts:
        for mart, rows in release.manifest["row_counts"].items():
            assert marts.execute(f"select count(*) from {mart}").fetchone() == (rows,)
        assert marts.execute("select count(*) from duckdb_views() where not internal").fetchone() == (0,)


def test_a_changed_file_is_found_out(demo_region: Region, tmp_path: Path) -> None:
    import shutil

    from opora.release import read_release

    copy = tmp_path / "release"
    shutil.copytree(demo_region.home.current.resolve(), copy)
    (copy / "official" / "school.csv").write_text("поддельно", encoding="utf-8")
    (copy / "official" / "extra.csv").write_text("", encoding="utf-8")
    (copy / "dictionary.md").unlink()
    assert verify(read_release(copy)) == [
        "нет файла dictionary.md",
        "лишний файл official/extra.csv",
        "изменён файл official/school.csv",
    ]


def test_the_same_files_again_give_the_same_marts(demo_region: Region, tmp_path: Path) -> None:
    before = current_release(demo_region.home)
    assert before is not None
    shutil.copytree(demo_region.home.root, tmp_path / "again", symlinks=True)
    home = Home(tmp_path / "again")
    assert nothing_new(home, load_reference())
    outcome = run_now(home, reread=True, force=True)
    after = current_release(home)
    assert outcome.release_is_new
    assert after is not None
    assert after.release_id != before.release_id
    marts = [f"official/{path.name}" for path in (before.folder / "official").glob("*.parquet")]
    assert {m: before.manifest["files"][m] for m in marts} == {m: after.manifest["files"][m] for m in marts}


def test_a_listed_school_is_explained_down_to_its_rows(demo_region: Region) -> None:
    with demo_region.marts() as marts:
        school, year, reason = marts.execute(
            """
            select school_id, academic_year, reason_ru from school_status
            where is_shnor and academic_year = '2021-2022' order by school_id limit 1
            """
        ).fetchone() or ("", "", "")
    lines = explain_school(demo_region.home, school, year)
    text = "\n".join(lines)
    assert reason in text
    assert "НИЗКИЙ РЕЗУЛЬТАТ" in text
    assert ", строки " in text
    assert explain_school(demo_region.home, f"sch{school[1:]}", year) == lines
    with pytest.raises(UnknownSchool, match="подходят"):
        explain_school(demo_region.home, "школа")
    with pytest.raises(UnknownSchool, match="нет"):
        explain_school(demo_region.home, "такой школы нет")


def test_rows_named_by_explain_hold_the_counted_participants(demo_region: Region) -> None:
    """The figure of a mart is walked back to its rows and counted again from the lake."""
    with demo_region.marts() as marts:
        results = marts.execute(
            """
            select school_id, academic_year, delivery_ids, own_participants from procedure_result
            where procedure_id = 'vpr_5_russian' and academic_year = '2020-2021' and state = 'held'
              and not contains(delivery_ids, ';') and result_source = 'participants'
            """
        ).fetchall()
        keys = dict(
            marts.execute(
                """
                select key_value, school_id from school_key
                where key_kind = 'vpr_login' and academic_year = '2020-2021'
                """
            ).fetchall()
        )
    assert len(results) > 30
    lake = duckdb.sql(
        f"""
        select school_key, delivery_id, count(*) as participants
        from read_parquet('{demo_region.home.lake}/assessment_result/academic_year=2020-2021/*.parquet')
        where subject_id = 'russian' and test_grade = 5 and assessment = 'vpr' and attendance = 'participated'
        group by all
        """
    ).fetchall()
    counted: dict[tuple[str, str], int] = {}
    for key, delivery, participants in lake:
        place = (keys[key], delivery)
        counted[place] = counted.get(place, 0) + participants
    for school_id, _, delivery, participants in results:
        assert counted[(school_id, delivery)] == participants


def test_no_name_or_document_is_anywhere_under_home(demo_region: Region) -> None:
    """People of exam files are made up; their names must stand in landing and nowhere else."""
    landing = demo_region.home.landing
    surnames = _planted_surnames(landing)
    assert len(surnames) > 50
    haystacks = [
        path
        for path in demo_region.home.root.rglob("*")
        if path.is_file() and landing not in path.parents and demo_region.truth not in path.parents
    ]
    found = []
    for path in haystacks:
        content = _content(path)
        found += [(path.name, surname) for surname in surnames if surname.encode() in content]
    assert found == []


def _planted_surnames(landing: Path) -> set[str]:
    """Whole names «Фамилия Имя» of ОГЭ machine files: a surname alone may name a street in a school's name."""
    people: set[str] = set()
    for path in sorted(landing.rglob("*.csv")):
        head = path.read_bytes()[:200]
        if b"SurnameCell" in head:
            frame = pl.read_csv(path, separator=";", infer_schema=False)
            people |= set((frame["SurnameCell"] + " " + frame["NameCell"]).drop_nulls().to_list()[:100])
            people |= set((frame["DocumentSeriesCode"] + frame["DocumentNumberCode"]).drop_nulls().to_list()[:100])
            people |= set(
                (frame["DocumentSeriesCode"] + " " + frame["DocumentNumberCode"]).drop_nulls().to_list()[:100]
            )
    return people


def _content(path: Path) -> bytes:
    """A file's bytes, and for Parquet its values: compression would hide them."""
    if path.suffix == ".parquet":
        frame = pl.read_parquet(path, hive_partitioning=False)
        texts = (
            frame.select(pl.col(pl.String))
            .unpivot(variable_name="of", value_name="text_found")["text_found"]
            .drop_nulls()
            .unique()
        )
        return "\n".join(texts.to_list()).encode()
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            tables = [row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()]
            parts = [str(connection.execute(f"select * from {name}").fetchall()) for name in tables]
        return "\n".join(parts).encode()
    return path.read_bytes()


def test_after_a_run_the_pools_have_their_slots(demo_region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two runs of the queue that come together for a pool without a slot the daemon would start both."""
    monkeypatch.setenv("DAGSTER_HOME", str(demo_region.home.dagster))
    with dg.DagsterInstance.from_config(str(demo_region.home.dagster)) as instance:
        found = instance.event_log_storage.get_pool_limits()
    assert {pool.name: pool.limit for pool in found} == dict.fromkeys(POOLS, 1)
