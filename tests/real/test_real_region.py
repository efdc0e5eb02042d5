"""The whole job on one region's real data: 1.29 million rows, three yearly layouts. Aggregates only.

Skipped with a reason where the data is absent; it is read where it lies and nothing of it is kept.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest

from opora.delivery import read_records
from opora.explain import explain_school
from opora.home import PROJECT, Home
from opora.release import current_release
from pipelines.run import run_now
from tests.conftest import REAL_DATA, Region
from tests.unit.test_docs import number, tables_of

ALTAI = REAL_DATA / "altai-krai-vpr"
PARTS = ("participants", "registry", "context", "reference", "manifest.csv")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not ALTAI.is_dir(), reason=f"the real region is not at {ALTAI}; set OPORA_REAL_DATA"),
]


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Region:
    home = Home(tmp_path_factory.mktemp("real")).ensure()
    for part in PARTS:
        (home.landing / part).symlink_to(ALTAI / part)
    outcome = run_now(home)
    assert outcome.succeeded, outcome.failures
    return Region(home)


@pytest.fixture(scope="module")
def manifest() -> pl.DataFrame:
    return pl.read_csv(ALTAI / "manifest.csv")


def test_every_row_is_accounted_for(region: Region, manifest: pl.DataFrame) -> None:
    records = {record.file_name: record for record in read_records(region.home).values()}
    protocols = {name: record for name, record in records.items() if name.startswith("participants/")}
    assert {name: record.rows.rows_in for name, record in protocols.items()} == dict(
        zip(manifest["file"], manifest["rows"], strict=True)
    )
    assert all(record.rows.adds_up for record in records.values())
    assert not [record.file_name for record in records.values() if record.status == "refused"]
    total = sum(record.rows.rows_in for record in protocols.values())
    assert total == manifest["rows"].sum() == 1_290_355
    quarantined = sum(record.rows.quarantined for record in protocols.values())
    assert 0 < quarantined < 300


def test_years_are_the_measured_ones(region: Region) -> None:
    records = [r for r in read_records(region.home).values() if r.file_name.startswith("participants/")]
    years = {record.file_name.split("/")[1]: set(record.academic_years) for record in records}
    assert years == {"2020": {"2019-2020"}, "2021": {"2020-2021"}, "2022": {"2021-2022"}}
    sittings = duckdb.sql(
        f"""
        select distinct measured_year, held_year, pupil_grade - test_grade
        from read_parquet('{region.home.lake}/assessment_result/*/*.parquet') order by 1
        """
    ).fetchall()
    assert sittings == [("2019-2020", "2020-2021", 1), ("2020-2021", "2020-2021", 0), ("2021-2022", "2021-2022", 0)]


def test_schools_of_each_year_are_all_there(region: Region) -> None:
    """639 schools in 2020 and 652 in 2021 by the folder's README; logins of 2022 differ only in their prefix."""
    counts = dict(
        duckdb.sql(
            f"""
            select measured_year, count(distinct school_key)
            from read_parquet('{region.home.lake}/assessment_result/*/*.parquet') group by 1
            """
        ).fetchall()
    )
    assert counts == {"2019-2020": 639, "2020-2021": 652, "2021-2022": 435}
    with region.marts() as marts:
        joined = marts.execute(
            """
            select count(distinct school_id) from school_key
            where key_kind = 'vpr_login' and academic_year = '2021-2022' and school_id = 's' || key_value
            """
        ).fetchone()
    assert joined is not None
    assert joined[0] >= 435


def test_shares_agree_with_the_published_check(region: Region) -> None:
    """Shares of «2» that the folder's README names, by the official scale of 2021, absentees excluded."""
    with region.marts() as marts:
        shares = {
            (year, procedure): round(share * 100, 1)
            for year, procedure, share in marts.execute(
                "select academic_year, procedure_id, below_share from region_summary where below_share is not null"
            ).fetchall()
        }
    expected = {
        ("2020-2021", "vpr_5_mathematics"): 14.8,
        ("2020-2021", "vpr_6_mathematics"): 16.0,
        ("2020-2021", "vpr_6_russian"): 18.3,
        ("2019-2020", "vpr_5_mathematics"): 20.7,
        ("2019-2020", "vpr_6_mathematics"): 22.6,
        ("2019-2020", "vpr_6_russian"): 27.8,
    }
    assert {key: shares[key] for key in expected} == pytest.approx(expected, abs=0.15)


def test_absentees_and_their_zeros_are_in_no_denominator(region: Region) -> None:
    absent = duckdb.sql(
        f"""
        select measured_year, count(*), count(total_score)
        from read_parquet('{region.home.lake}/assessment_result/*/*.parquet')
        where attendance = 'absent' group by 1 order by 1
        """
    ).fetchall()
    assert [row[2] for row in absent] == [0, 0, 0], "an absentee has no score, not a zero"
    assert absent[-1][1] == 1_317
    assert absent[1][1] == pytest.approx(70_901, abs=20)


def test_colleges_are_no_schools(region: Region) -> None:
    with region.marts() as marts:
        colleges, listed = marts.execute(
            """
            select count(*), count(*) filter (school_id in (select school_id from school_status where is_shnor))
            from school where not is_school
            """
        ).fetchone() or (0, 0)
    assert colleges >= 4
    assert listed == 0


def test_the_list_of_2021_2022_rests_on_two_measured_years(region: Region) -> None:
    with region.marts() as marts:
        listed, by_two_years, unexplained = marts.execute(
            """
            select count(*) filter (is_shnor), count(*) filter (shnor_basis in ('two_years', 'both')),
                   count(*) filter (is_shnor and (reason_ru is null or evidence_participants is null))
            from school_status where academic_year = '2021-2022'
            """
        ).fetchone() or (0, 0, 0)
        schools = [
            row[0]
            for row in marts.execute(
                """
                select school_id from school_status where is_shnor and academic_year = '2021-2022'
                order by hash(school_id) limit 5
                """
            ).fetchall()
        ]
    assert 100 < listed < 300
    assert by_two_years > 0
    assert unexplained == 0
    for school in schools:
        text = "\n".join(explain_school(region.home, school, "2021-2022"))
        assert "НИЗКИЙ РЕЗУЛЬТАТ" in text
        assert "participants/2020/" in text
        assert ", строки " in text


def test_the_published_list_is_not_the_computed_markers(region: Region) -> None:
    """The list of 36 schools of 2021 is an input: criterion 1 alone finds others, as the folder's README says."""
    with region.marts() as marts:
        summary = {
            row[0]: row[1:]
            for row in marts.execute(
                """
                select procedure_id, published_schools_count, both_count, both_count + computed_only_count
                from objectivity_summary where academic_year = '2020-2021' and territory_level = 'region'
                """
            ).fetchall()
        }
        by_mean = marts.execute(
            """
            select count(*) filter (m.is_marked), count(*) filter (m.is_marked and p.is_marked)
            from objectivity as m join objectivity as p using (academic_year, school_id)
            where academic_year = '2020-2021' and m.marker_id = 'high_mean_vpr_5_mathematics'
              and p.marker_id = 'published_vpr_5_mathematics'
            """
        ).fetchone()
        alone = marts.execute(
            "select count(*) from objectivity where academic_year = '2021-2022' and source = 'computed' and is_marked"
        ).fetchone()
    published = {procedure: counts[0] for procedure, counts in summary.items() if counts[0] is not None}
    assert published == {
        "all": 36,
        "vpr_4_russian": 28,
        "vpr_4_mathematics": 25,
        "vpr_5_russian": 18,
        "vpr_5_mathematics": 18,
    }
    assert by_mean is not None
    assert by_mean[0] == pytest.approx(111, abs=3)
    assert by_mean[1] == 3
    assert 15 <= summary["all"][1] <= 25
    assert 220 <= summary["all"][2] <= 270
    assert alone == (0,), "four schools of a stopped spring are no region to compare with"


def test_marks_agree_with_the_journal_as_is_usual(region: Region) -> None:
    with region.marts() as marts:
        shares = marts.execute(
            """
            select academic_year, lowered_share, confirmed_share, raised_share, far_apart_share, informativeness
            from mark_agreement
            where procedure_id = 'vpr_5_mathematics' and territory_level = 'region' and compared_count > 1000 order by 1
            """
        ).fetchall()
        sides = marts.execute("select count(*) from dynamics where mean_score_change is not null").fetchone()
    assert [row[0] for row in shares] == ["2019-2020", "2020-2021"]
    for _, lowered, confirmed, raised, far_apart, informativeness in shares:
        # in autumn 2020 half of the marks were lower than the journal's
        assert min(confirmed, lowered) > raised
        assert lowered + confirmed + raised == pytest.approx(1)
        assert far_apart < 0.15
        assert informativeness == "informative"
    assert sides == (0,), "across a break, or with a maximum that nobody told"


def test_formal_flags_follow_from_integers(region: Region) -> None:
    with region.marts() as marts:
        wrong = marts.execute(
            """
            select count(*) from procedure_result
            where state = 'held' and is_low <> (below_minimum * 100 >= 30 * participants)
            """
        ).fetchone()
    assert wrong == (0,)


@pytest.mark.soak
def test_the_same_files_again_give_the_same_marts(region: Region) -> None:
    before = current_release(region.home)
    outcome = run_now(region.home, reread=True, force=True)
    assert outcome.succeeded, outcome.failures
    after = current_release(region.home)
    assert before is not None
    assert after is not None
    assert before.release_id != after.release_id
    marts = [Path("official", path.name).as_posix() for path in (after.folder / "official").glob("*.parquet")]
    assert {m: before.manifest["files"][m] for m in marts} == {m: after.manifest["files"][m] for m in marts}


def test_the_outlook_is_judged_on_the_spring_that_it_did_not_see(region: Region) -> None:
    """Fitted on 2019-2020 and judged on 2020-2021; 2021-2022 has results of nine schools and is no last year."""
    with region.marts() as marts:
        rows = marts.execute(
            """
            select predictor, pairs_count, low_count, round(brier, 3), round(log_loss, 3), round(roc_auc, 2), fit_years
            from outlook_quality where judged_year = '2020-2021' and group_kind = 'all' order by predictor
            """
        ).fetchall()
        shown = marts.execute("select distinct results_year, academic_year, is_published from outlook").fetchall()
        (verdict,) = marts.execute(
            """
            select note_ru from outlook_quality
            where judged_year = 'all' and group_kind = 'all' and predictor = 'probability_low'
            """
        ).fetchall()
    assert rows == [
        ("last_flag", 2491, 345, 0.142, 0.447, 0.73, "2019-2020"),
        ("probability_low", 2491, 345, 0.141, 0.439, 0.82, "2019-2020"),
        ("region_rate", 2491, 345, 0.151, 0.485, 0.55, "2019-2020"),
    ]
    assert shown == [("2020-2021", "2021-2022", True)]
    assert "в пределах случайного" in verdict[0]
    assert "2021-2022 (9)" in verdict[0]


# --- results beside conditions: the figures that docs/methodology/ publishes -----------------------------


def _page(name: str) -> Path:
    return PROJECT / "docs" / "methodology" / name


def test_quality_of_the_expectation_is_the_published_one(region: Region) -> None:
    years = ("2019-2020", "2020-2021")
    rows = list(tables_of(_page("expectation.md"), "величина", "модель", "2019/20", "2020/21"))
    assert len(rows) >= 8
    with region.marts() as marts:
        found = {
            (statistic.strip("`"), model): [
                marts.execute(
                    "select value from context_model where (academic_year, statistic, model, part) = (?, ?, ?, 'all')",
                    [year, statistic.strip("`"), model],
                ).fetchone()
                for year in years
            ]
            for statistic, model, *_ in rows
        }
    for statistic, model, *cells in rows:
        for cell, value in zip(cells, found[statistic.strip("`"), model], strict=True):
            assert value is not None
            decimals = len(cell.partition(",")[2])
            assert round(value[0], decimals) == pytest.approx(number(cell.replace("−", "-"))), (statistic, model)


def test_listed_schools_against_expectation_are_the_published_ones(region: Region) -> None:
    header = ("год списка", "школ списка с ожиданием", "ниже ожидания", "в пределах", "доля ниже, %", "интервал, %")
    told = {row[0]: [int(cell) for cell in row[1:4]] for row in tables_of(_page("expectation.md"), *header)}
    with region.marts() as marts:
        found = marts.execute(
            """
            select
                left(list.academic_year, 4) || '/' || right(list.academic_year, 2),
                count(*),
                count(*) filter (where context.against_expectation = 'below'),
                count(*) filter (where context.against_expectation = 'within')
            from school_status as list
            inner join school_context as context
                on list.school_id = context.school_id
                and left(list.academic_year, 4) = right(context.academic_year, 4)
            where list.is_shnor and context.expected_result is not null
            group by all
            """
        ).fetchall()
    assert {year: list(counts) for year, *counts in found} == told


def test_classes_and_their_stability_are_the_published_ones(region: Region) -> None:
    header = ("класс", "школ", "устойчивы, ≥ 0,8", "устойчивы с участниками, ≥ 0,8")
    told = {row[0].strip("`"): [int(cell) for cell in row[1:]] for row in tables_of(_page("expectation.md"), *header)}
    with region.marts() as marts:
        found = marts.execute(
            """
            select context_class, count(*), count(*) filter (where class_stability >= 0.8),
                count(*) filter (where class_stability_pupils >= 0.8)
            from school_context where academic_year = '2020-2021' and context_class is not null group by 1
            """
        ).fetchall()
    assert {name: list(counts) for name, *counts in found} == told


def test_a_survey_without_families_is_no_index_of_wellbeing(region: Region) -> None:
    """Its components hardly go together, it explains no results, and rows of schools say so."""
    told = dict(tables_of(_page("wellbeing-index.md"), "величина", "значение"))
    with region.marts() as marts:
        ((explained,),) = marts.execute(
            """
            select distinct explained_share from context_fit
            where index_id = 'survey-2022' and method = 'first_component' and is_used
            """
        ).fetchall()
        stability = marts.execute(
            "select * from cluster_stability where comparison = 'resampling' order by scheme"
        ).pl()
        silent = marts.execute(
            "select count(*) from school_context where not is_informative and note_ru not like '%почти равно среднему%'"
        ).fetchone()
        used = marts.execute("select distinct index_id from school_context where index_id is not null").fetchall()
    assert used == [("survey-2022",)]
    assert silent == (0,)
    kmeans, territory = stability.rows(named=True)
    assert list(told.values()) == [
        f"{explained:.3f}".replace(".", ","),
        str(territory["smallest_cluster"]),
        str(territory["largest_cluster"]),
        *(f"{value:.2f}".replace(".", ",") for value in (territory["adjusted_rand"], territory["stay_share"])),
        f"{kmeans['adjusted_rand']:.2f}".replace(".", ","),
    ]


def test_listed_schools_changed_no_more_than_similar_ones(region: Region) -> None:
    """Before and after alone would show a fall by ten points; beside similar schools there is no difference."""
    with region.marts() as marts:
        (row,) = marts.execute(
            """
            select
                treated_count, matched_count, comparison_count, round(treated_change, 3),
                round(difference_net_of_regression, 3), round(placebo_sham, 3), is_placebo_passed, is_balanced
            from measure_effect
            where programme_id = 'shnor' and group_kind = 'list' and outcome_id = 'all'
                and list_year = '2020-2021' and event = 'list_year'
            """
        ).fetchall()
        refused = marts.execute(
            """
            select count(*) from measure_effect
            where list_year = '2021-2022' and event <> 'year_before' and is_estimated
            """
        ).fetchone()
    assert row == (231, 114, 62, -0.105, 0.036, 0.008, True, True)
    assert refused == (0,)
