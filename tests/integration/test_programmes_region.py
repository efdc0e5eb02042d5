"""Programmes over the synthetic region: what they count is what the list and the results of the same region say."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pytest

from opora.build import build
from opora.programmes import Programme, load_programmes
from opora.reference import load_reference
from opora.warehouse import prepare
from tests.conftest import Region

REGION = "99"


def moved(programme: Programme) -> Programme:
    """A regional programme as if the synthetic region had written it."""
    return programme.model_copy(update={"territory": programme.territory.model_copy(update={"region_code": REGION})})


@pytest.fixture(scope="module")
def built(demo_region: Region, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The region's lake with the regional programmes moved to it and the municipal ones as they are."""
    programmes = [moved(p) if p.territory.level == "region" else p for p in load_programmes()]
    database = tmp_path_factory.mktemp("programmes") / "run.duckdb"
    prepare(demo_region.home, load_reference(), database, as_of=dt.date(2025, 3, 1), programmes=programmes)
    results = build(database)
    assert {result.status for result in results if result.resource_type == "model"} == {"success"}
    return database


CITY = "город Верхнеозёрск"


def moved_to_the_city(programme: Programme) -> Programme:
    """A municipal programme as if the city of the synthetic region had written it."""
    territory = programme.territory.model_copy(update={"region_code": REGION, "municipality_ru": CITY})
    return programme.model_copy(update={"territory": territory})


@pytest.fixture(scope="module")
def of_the_city(demo_region: Region, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The municipal programmes, each judged on the city of the synthetic region."""
    programmes = [moved_to_the_city(p) for p in load_programmes() if p.territory.level == "municipality"]
    database = tmp_path_factory.mktemp("city") / "run.duckdb"
    prepare(demo_region.home, load_reference(), database, as_of=dt.date(2025, 3, 1), programmes=programmes)
    build(database)
    return database


def true_lists(region: Region, database: Path) -> dict[str, set[str]]:
    """School ids of the city's ШНОР by year of the list, from the generator's truth."""
    rows = different(
        database,
        f"""
        select truth.academic_year, truth.school_id
        from read_csv('{region.truth / "school_status.csv"}', all_varchar = true) as truth
        join marts.school as school using (school_id)
        where truth.is_shnor = 'true' and school.municipality_name = '{CITY}'
        """,
    )
    lists: dict[str, set[str]] = {}
    for year, school in rows:
        lists.setdefault(str(year), set()).add(str(school))
    return lists


def test_the_count_of_listed_schools_is_the_true_one(demo_region: Region, of_the_city: Path) -> None:
    """Kargasok's dynamics and Saratov's two reduction goals, on the city's lists as the generator knows them."""
    lists = true_lists(demo_region, of_the_city)
    rows = different(
        of_the_city,
        """
        select indicator.programme_id, indicator.indicator_id, period.list_year, indicator.numerator
        from marts.indicator as indicator
        join reference.programme_period as period using (programme_id, period)
        where indicator.is_judged and indicator.value is not null and indicator.indicator_id in
            ('shnor_count_municipality_change', 'shnor_reduction_25_30', 'shnor_reduction_30')
        """,
    )
    assert {(row[0], row[1]) for row in rows} == {
        ("kargasok-2023", "shnor_count_municipality_change"),
        ("saratov-2021", "shnor_reduction_25_30"),
        ("saratov-2021", "shnor_reduction_30"),
    }
    assert [row for row in rows if row[3] != len(lists.get(str(row[2]), set()))] == []


def test_the_schools_of_the_tver_plan_are_the_true_ones(demo_region: Region, built: Path) -> None:
    """Its first category by its own definition: a low result in each of the two years before."""
    rows = different(
        built,
        """
        select period, numerator from marts.indicator
        where programme_id = 'tver-plan' and indicator_id = 'low_results_schools' and is_judged order by period
        """,
    )
    truth = different(
        built,
        f"""
        select
            academic_year,
            count(*) filter (
                low_procedures_previous_year > 0 and low_procedures_year_before > 0 and excluded_reason is null
            )
        from read_csv('{demo_region.truth / "school_status.csv"}') group by all order by all
        """,
    )
    assert rows == [row for row in truth if str(row[0]) >= "2020-2021"]
    assert sum(float(str(row[1])) for row in rows) > 10


def test_the_other_categories_of_the_tver_plan_are_counted_by_its_definitions(built: Path) -> None:
    """As many schools as the mart of groups has; where conditions came, the indicator says a number."""
    rows = different(
        built,
        """
        select
            indicator.indicator_id, indicator.period, indicator.value, indicator.covered_count,
            nullif(count(target.is_member), 0) as decided, count(*) filter (where target.is_member) as members
        from marts.indicator as indicator
        left join marts.target_group as target
            on target.academic_year = indicator.list_year and target.programme_id = 'tver-plan'
            and target.fact = case indicator.indicator_id
                when 'adverse_conditions_schools' then 'is_adverse_conditions' else 'has_resource_deficit' end
        where indicator.programme_id = 'tver-plan' and indicator.is_judged
            and indicator.indicator_id in ('adverse_conditions_schools', 'resource_deficit_schools')
        group by all
        """,
    )
    assert len(rows) == 10
    for indicator_id, period, value, covered, decided, members in rows:
        assert value == (members if decided else None), (indicator_id, period)
        assert covered == (decided or 0), (indicator_id, period)
    assert any(value for indicator_id, _, value, *_ in rows if indicator_id == "adverse_conditions_schools")


def test_the_improved_schools_of_terbuny_are_the_true_ones(demo_region: Region, of_the_city: Path) -> None:
    """Of the list of 2021-2022, schools whose pooled share fell over procedures held in both years."""
    listed = true_lists(demo_region, of_the_city)["2021-2022"]
    improved = different(
        of_the_city,
        f"""
        with truth as (
            select result.* from read_csv('{demo_region.truth / "procedure_result.csv"}') as result
            join reference.programme_indicator_procedure as named using (procedure_id)
            where named.indicator_id = 'improved_exams_share' and result.state = 'held'
        )
        select this.school_id
        from truth as this join truth as former using (school_id, procedure_id)
        where this.academic_year = '2021-2022' and former.academic_year = '2020-2021'
        group by this.school_id
        having sum(this.below_minimum) * sum(former.participants) < sum(former.below_minimum) * sum(this.participants)
        """,
    )
    rows = different(
        of_the_city,
        """
        select numerator, denominator from marts.indicator
        where programme_id = 'terbuny-2022' and indicator_id = 'improved_exams_share' and period = '2022' and is_judged
        """,
    )
    assert rows == [(len(listed & {str(school) for (school,) in improved}), len(listed))]


def test_the_result_shares_of_kargasok_are_the_true_ones(demo_region: Region, of_the_city: Path) -> None:
    """The eight shares over the ШНОР list, summed anew from the generator's truth."""
    lists = true_lists(demo_region, of_the_city)
    truth: dict[tuple[str, str], list[tuple[str, int, int]]] = {}
    for year, procedure, school, participants, below in different(
        of_the_city,
        f"""
        select academic_year, procedure_id, school_id, participants, below_minimum
        from read_csv('{demo_region.truth / "procedure_result.csv"}') where state = 'held'
        """,
    ):
        results = truth.setdefault((str(year), str(procedure)), [])
        results.append((str(school), int(str(participants)), int(str(below))))
    rows = different(
        of_the_city,
        """
        select replace(indicator.indicator_id, '_shnor', ''), period.results_year, period.list_year,
               indicator.numerator, indicator.denominator
        from marts.indicator as indicator
        join reference.programme_period as period using (programme_id, period)
        where indicator.programme_id = 'kargasok-2023' and indicator.is_judged and indicator.value is not null
            and indicator.kind = 'pooled_share' and indicator.population = 'shnor'
        """,
    )
    assert len({row[0] for row in rows}) == 8
    for procedure, results_year, list_year, numerator, denominator in rows:
        listed = lists[str(list_year)]
        results = [found for found in truth[(str(results_year), str(procedure))] if found[0] in listed]
        assert numerator == sum(below for _, _, below in results), (procedure, results_year)
        assert denominator == sum(participants for _, participants, _ in results), (procedure, results_year)


def different(database: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(database, read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_the_list_of_a_programme_is_the_list_of_its_year(built: Path) -> None:
    """No list was delivered, so the ШНОР list stands in: as many schools as the region's summary counts."""
    rows = different(
        built,
        """
        select
            period.period,
            count(list.school_id) filter (where list.is_listed),
            coalesce(any_value(region.shnor_count), 0)
        from reference.programme_period as period
        left join marts.programme_list as list using (programme_id, period)
        join marts.region_summary as region
            on region.academic_year = period.list_year and region.region_code = '99' and region.procedure_id = 'all'
        where period.programme_id = 'tomsk-2020'
        group by period.period
        """,
    )
    assert len(rows) >= 4
    assert all(listed == counted for _, listed, counted in rows)
    assert sum(int(str(counted)) for *_, counted in rows) > 0


def test_the_pairs_of_tomsk_are_the_true_agreements(demo_region: Region, built: Path) -> None:
    """Of the schools listed in a year those that have an agreement in force on some day of it: against 30 → 90 %."""
    rows = different(
        built,
        f"""
        with truth as (
            select school_id, signed_on, has_programme, coalesce(
                valid_to, make_date(year(signed_on) + 1, 8, 31)  -- signed in autumn: without an end, that academic year
            ) as last_day
            from read_csv('{demo_region.truth / "partner_agreement.csv"}', types = {{'valid_to': 'date'}})
        ),
        expected as (
            select
                period.period,
                100.0 * count(distinct truth.school_id) / count(distinct list.school_id) as pairs,
                100.0 * count(distinct truth.school_id) filter (where truth.has_programme)
                    / count(distinct list.school_id) as programmes
            from reference.programme_period as period
            join marts.programme_list as list using (programme_id, period)
            left join truth
                on truth.school_id = list.school_id
                and truth.signed_on <= period.ends_on and truth.last_day >= period.starts_on
            where period.programme_id = 'tomsk-2020' and list.is_listed
            group by period.period
        )
        select
            expected.period, expected.pairs, coalesce(measure.actual, 0), measure.planned,
            expected.programmes, coalesce(indicator.value, 0), measure.counted_from_ru
        from expected
        join marts.measure as measure
            on measure.measure_id = 'school_pairs' and measure.is_judged and measure.period = expected.period
        join marts.indicator as indicator
            on indicator.indicator_id = 'partner_programmes_share' and indicator.is_judged
            and indicator.period = expected.period
        order by expected.period
        """,
    )
    assert len(rows) == 4
    for period, pairs, actual, _, programmes, share, counted_from in rows:
        assert (actual, share) == pytest.approx((pairs, programmes)), period
        assert counted_from == ("соглашения школ" if pairs else None), period
    told = {row[0]: (row[1], row[3]) for row in rows}
    assert told["2022"] == (50, 50), "three of six listed schools, as planned"
    assert told["2024"] == (pytest.approx(200 / 3), 90)


def test_pooled_shares_are_sums_over_the_listed_schools(built: Path) -> None:
    rows = different(
        built,
        """
        with listed as (
            select list.period, sum(result.below_minimum) as below, sum(result.participants) as participants
            from marts.programme_list as list
            join reference.programme_period as period using (programme_id, period)
            join marts.procedure_result as result
                on result.school_id = list.school_id and result.academic_year = period.results_year
                and result.procedure_id = 'oge_9_mathematics' and result.unknown_count = 0
            where list.programme_id = 'tomsk-2020' and list.is_listed
            group by list.period
        )
        select period, indicator.numerator = listed.below and indicator.denominator = listed.participants
        from marts.indicator as indicator join listed using (period)
        where indicator.programme_id = 'tomsk-2020' and indicator.indicator_id = 'oge_mathematics_failed_ratio'
            and indicator.is_judged
        """,
    )
    assert len(rows) >= 3
    assert all(agrees for _, agrees in rows)


def test_municipalities_add_up_to_the_region(built: Path) -> None:
    rows = different(
        built,
        """
        select indicator_id, period
        from marts.indicator
        where programme_id = 'tomsk-2020' and kind in ('pooled_share', 'ratio_to_baseline', 'share_of_schools')
        group by indicator_id, period
        having count(*) filter (where territory_level = 'municipality') > 0
            and sum(denominator) filter (where territory_level = 'municipality')
                is distinct from sum(denominator) filter (where territory_level = 'region')
        """,
    )
    assert rows == []


def test_programmes_of_other_territories_say_nothing_of_this_one(built: Path) -> None:
    rows = different(
        built,
        """
        select programme_id, status, value
        from marts.indicator
        where programme_id in ('kargasok-2023', 'saratov-2021', 'terbuny-2022')
            and (value is not null or status <> 'no_data')
        """,
    )
    assert rows == []
    assert (
        different(built, "select * from marts.monitoring_report where is_overdue and programme_id = 'kargasok-2023'")
        == []
    )


def test_groups_that_are_compared_are_the_lists_of_their_years(built: Path) -> None:
    """Every programme and the list of the method, by year; the region is too small for a comparison and says so."""
    rows = different(
        built,
        """
        select programme_id, list_year, treated_count from marts.measure_effect
        where group_kind = 'list' and outcome_id = 'all' and event = 'list_year' and list_year <> 'all'
        except
        select list.programme_id, list.list_year, count(distinct list.school_id)
        from marts.programme_list as list
        where list.is_listed and not list.is_baseline
        group by list.programme_id, list.list_year
        except
        select 'shnor', academic_year, count(*) from marts.school_status where is_shnor group by academic_year
        """,
    )
    assert rows == []
    programmes = different(built, "select distinct programme_id from marts.measure_effect order by 1")
    assert {"shnor", "tomsk-2020", "tver-plan"} == {str(row[0]) for row in programmes}
    told = different(built, "select count(*), count(reason_ru) from marts.measure_effect where not is_estimated")
    assert told[0][0] == told[0][1] > 0  # type: ignore[operator]
