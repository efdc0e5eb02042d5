"""The outlook of the synthetic region: a complete matrix, figures that agree with its own results, no look ahead."""

from __future__ import annotations

from tests.conftest import Region


def test_the_matrix_is_that_of_the_last_year_and_silence_has_a_reason(demo_region: Region) -> None:
    with demo_region.marts() as marts:
        years = marts.execute("select distinct results_year, academic_year from outlook").fetchall()
        assert years == [("2023-2024", "2024-2025")]
        missing = marts.execute(
            """
            select count(*) from procedure_result as result
            full join outlook using (school_id, procedure_id)
            where (result.academic_year = '2023-2024' or result.academic_year is null)
                and (outlook.school_id is null or result.school_id is null)
            """
        ).fetchone()
        assert missing == (0,)
        silent = marts.execute("select count(*) from outlook where probability_low is null and reason_ru is null")
        assert silent.fetchone() == (0,)


def test_the_model_is_shown_because_it_beats_both_simple_rules(demo_region: Region) -> None:
    with demo_region.marts() as marts:
        rows = marts.execute(
            """
            select predictor, brier, log_loss, is_published, pairs_count from outlook_quality
            where group_kind = 'all' and judged_year = 'all'
            """
        ).fetchall()
        scores = {row[0]: row[1:] for row in rows}
        assert all(
            scores["probability_low"][i] < scores[rule][i] for rule in ("last_flag", "region_rate") for i in (0, 1)
        )
        assert scores["probability_low"][2]
        shown = marts.execute(
            "select count(*), count(is_uncertain) from outlook where probability_low is not null"
        ).fetchone()
        assert shown is not None
        assert shown[0] == shown[1] > 300


def test_what_is_judged_is_what_was_held_in_both_years(demo_region: Region) -> None:
    with demo_region.marts() as marts:
        rows = marts.execute(
            """
            with held as (
                select result.*, cast(left(result.academic_year, 4) as integer) as start_year
                from procedure_result as result join school using (school_id)
                where result.state = 'held' and result.unknown_count = 0
                    and school.is_school and not school.is_branch
                    and coalesce(
                        school.merged_on > make_date(cast(left(result.academic_year, 4) as integer), 9, 1),
                        school.merged_into_school_id is null
                    )
            )
            select this.academic_year, count(*), count(*) filter (where this.is_low)
            from held as this
            join held as former
                on this.school_id = former.school_id and this.procedure_id = former.procedure_id
                and this.start_year = former.start_year + 1
            group by all order by all
            """
        ).fetchall()
        judged = marts.execute(
            """
            select judged_year, pairs_count, low_count from outlook_quality
            where group_kind = 'all' and predictor = 'probability_low' and judged_year <> 'all' order by all
            """
        ).fetchall()
        assert judged == rows
