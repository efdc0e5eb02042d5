"""What the pages ask of a release: selects, joins and filters over its marts, with every value bound.

What belongs here: SQL that picks rows and columns of marts. What does not: formulas; a figure that no mart holds is not
shown. A function whose name ends in `_public` reads the marts of the public profile, which have fewer columns.
"""

from __future__ import annotations

from dashboards.data import ReleaseData
from opora.list_years import NEWEST_LIST
from opora.sql import Row

# --- years and places --------------------------------------------------------------------------------


def list_years(data: ReleaseData) -> list[str]:
    """Years that have a list, newest first; without any, all years."""
    rows = data.rows(
        """
        select academic_year, bool_or(status in ('shnor', 'none', 'hidden')) as has_list
        from school_status group by 1 order by 1 desc
        """
    )
    return [row["academic_year"] for row in rows if row["has_list"]] or [row["academic_year"] for row in rows]


def list_year(data: ReleaseData) -> str:
    """The year to show first: the newest that lists a school, else the newest with a list; empty without any."""
    row = data.row(NEWEST_LIST)
    return (row and row["academic_year"]) or next(iter(list_years(data)), "")


def status_years(data: ReleaseData) -> list[str]:
    return [
        row["academic_year"] for row in data.rows("select distinct academic_year from school_status order by 1 desc")
    ]


def municipalities(data: ReleaseData) -> list[Row]:
    return data.rows(
        """
        select municipality_id, max(municipality_name) as municipality_name from school
        where municipality_id is not null group by 1 order by 2 collate ru, 1
        """
    )


def regions(data: ReleaseData) -> list[str]:
    """Codes of regions, the one with most schools first."""
    rows = data.rows(
        "select region_code from school where region_code is not null group by 1 order by count(*) desc, 1"
    )
    return [row["region_code"] for row in rows]


# --- overview ----------------------------------------------------------------------------------------


def lists_of_region(data: ReleaseData, region: str) -> list[Row]:
    return data.rows(
        """
        select academic_year, schools_count, assessed_schools_count, shnor_count, shnor_share, new_count,
               continuing_count, left_count, at_risk_count, excluded_schools_count, method_id
        from region_summary where procedure_id = 'all' and region_code = $region order by academic_year
        """,
        region=region,
    )


def _one_of_several(data: ReleaseData, region: str) -> str | None:
    """The region, where there are others; where it is the only one, places whose region is not known are its own."""
    return region if len(regions(data)) > 1 else None


def statuses_public(data: ReleaseData, region: str) -> list[Row]:
    """How many schools of a region are shown in which standing, by year; hidden ones are a standing of their own."""
    return data.rows(
        """
        select t.academic_year, t.status, any_value(t.status_ru) as status_ru, count(*) as schools_count
        from school_status as t join school as s using (school_id)
        where $region is null or s.region_code = $region group by 1, 2 order by 1, 2
        """,
        region=_one_of_several(data, region),
    )


def results_of_region(data: ReleaseData, region: str) -> list[Row]:
    return data.rows(
        """
        select * from region_summary where procedure_id <> 'all' and region_code = $region
        order by procedure_id, academic_year
        """,
        region=region,
    )


def breaks(data: ReleaseData) -> list[Row]:
    """Pairs of years whose shares may not be joined by a line, and why."""
    return data.rows(
        """
        select procedure_id, earlier_year, academic_year, years_between, note_ru from comparability
        where not is_mark_comparable order by procedure_id, earlier_year, academic_year
        """
    )


def municipalities_of_year(data: ReleaseData, region: str, year: str) -> list[Row]:
    return data.rows(
        """
        select municipality_id, municipality_name, schools_count, assessed_schools_count, shnor_count, shnor_share,
               new_count, continuing_count, left_count, at_risk_count
        from municipality_summary
        where procedure_id = 'all' and academic_year = $year and ($region is null or region_code = $region)
        order by municipality_name collate ru, municipality_id
        """,
        region=_one_of_several(data, region),
        year=year,
    )


def municipalities_public(data: ReleaseData, region: str, year: str, procedure: str) -> list[Row]:
    return data.rows(
        """
        select s.municipality_name, t.* exclude (academic_year, region_code, procedure_id)
        from municipality_summary as t
        left join (
            select coalesce(region_code, '') as region_code, municipality_id,
                   min(municipality_name) as municipality_name
            from school group by 1, 2
        ) as s using (region_code, municipality_id)
        where t.academic_year = $year and t.procedure_id = $procedure and ($region is null or t.region_code = $region)
        order by 1 collate ru, municipality_id
        """,
        region=_one_of_several(data, region),
        year=year,
        procedure=procedure,
    )


# --- the list ----------------------------------------------------------------------------------------

# Which schools of a year a reader asks for; the first is the default.
SHOWN = {
    "list": "В списке",
    "risk": "В зоне риска",
    "both": "В списке или в зоне риска",
    "left": "Вышли из списка",
    "hidden": "Положение скрыто",
    "all": "Все школы",
}
# Constant pieces; every value a reader gives is bound.
_LIST = """
select t.*, s.school_name, s.municipality_id, s.municipality_name, s.settlement_type
from school_status as t join school as s using (school_id)
where t.academic_year = $year
  and ($municipality = '' or s.municipality_id = $municipality)
  and ($settlement = '' or s.settlement_type = $settlement)
  and ($words = '' or contains(lower(s.school_name), lower($words)) or contains(lower(t.school_id), lower($words)))
"""
_ASKED = """
  and case $shown
          when 'list' then t.is_shnor when 'risk' then coalesce(t.is_at_risk, false)
          when 'both' then t.is_shnor or coalesce(t.is_at_risk, false) when 'left' then t.listing = 'left'
          else true
      end
  and ($reliability = '' or t.reliability = $reliability) and ($listing = '' or t.listing = $listing)
"""
_ASKED_PUBLIC = """
  and case $shown
          when 'list' then t.status = 'shnor' when 'risk' then t.status = 'risk'
          when 'both' then t.status in ('shnor', 'risk') when 'hidden' then t.status = 'hidden' else true
      end
"""
_ORDER = "order by s.municipality_name collate ru, s.school_name collate ru, t.school_id"


def support_list(data: ReleaseData, **asked: str) -> list[Row]:
    """Bound: year, shown, municipality, settlement, words, reliability, listing."""
    return data.rows(_LIST + _ASKED + _ORDER, **asked)


def support_list_public(data: ReleaseData, **asked: str) -> list[Row]:
    """Bound: year, shown, municipality, settlement, words."""
    return data.rows(_LIST + _ASKED_PUBLIC + _ORDER, **asked)


def low_results(data: ReleaseData, years: list[str]) -> list[Row]:
    """Every low result of some years, with its interval where the profile has one."""
    return data.rows(
        """
        select * from procedure_result where is_low and list_contains($years, academic_year)
        order by school_id, academic_year desc, procedure_id
        """,
        years=years,
    )


# --- one school --------------------------------------------------------------------------------------


def school(data: ReleaseData, school_id: str) -> Row | None:
    return data.row("select * from school where school_id = $school", school=school_id)


def schools_like(data: ReleaseData, words: str, most: int = 50) -> list[Row]:
    """Schools by a part of the name, the id or the municipality."""
    return data.rows(
        """
        select school_id, school_name, municipality_name, municipality_id from school
        where $words = '' or contains(lower(school_name), lower($words)) or contains(lower(school_id), lower($words))
           or contains(lower(coalesce(municipality_name, '')), lower($words))
        order by municipality_name collate ru, school_name collate ru, school_id limit $most
        """,
        words=words,
        most=most,
    )


def statuses_of(data: ReleaseData, school_id: str) -> list[Row]:
    return data.rows(
        "select * from school_status where school_id = $school order by academic_year desc", school=school_id
    )


def results_of(data: ReleaseData, school_id: str) -> list[Row]:
    return data.rows(
        "select * from procedure_result where school_id = $school order by procedure_id, academic_year",
        school=school_id,
    )


def context_of(data: ReleaseData, school_id: str, results_year: str) -> Row | None:
    return data.row(
        "select * from school_context where school_id = $school and academic_year = $year",
        school=school_id,
        year=results_year,
    )


def components_of(data: ReleaseData, school_id: str, context_year: str) -> list[Row]:
    return data.rows(
        """
        select * from context_component where school_id = $school and academic_year = $year
        order by component_group, title_ru
        """,
        school=school_id,
        year=context_year,
    )


def risks_of(data: ReleaseData, school_id: str) -> list[Row]:
    """The newest risk profile of a school."""
    return data.rows(
        """
        select * from risk_profile where school_id = $school
          and academic_year = (select max(academic_year) from risk_profile where school_id = $school)
        order by sort_order
        """,
        school=school_id,
    )


def stages_of(data: ReleaseData, school_id: str, year: str) -> list[Row]:
    return data.rows(
        """
        select t.*, f.factor_ru, f.sort_order as factor_order from risk_stage as t
        left join risk_profile as f using (academic_year, school_id, factor_id)
        where t.school_id = $school and t.academic_year = $year order by factor_order, t.sort_order
        """,
        school=school_id,
        year=year,
    )


def deficit_summaries_of(data: ReleaseData, level: str, territory_id: str) -> list[Row]:
    """Works of the newest year that has deficits of this territory."""
    return data.rows(
        """
        select * from deficit_summary where territory_level = $level and territory_id = $territory
          and academic_year = (
              select max(academic_year) from deficit_summary
              where territory_level = $level and territory_id = $territory and measured_tasks_count > 0)
        order by procedure_id
        """,
        level=level,
        territory=territory_id,
    )


def tasks_to_teach(data: ReleaseData, level: str, territory_id: str, year: str) -> list[Row]:
    """Tasks in the order to teach, with what each checks."""
    return data.rows(
        """
        select t.*, i.title_ru, i.tasks_ru from task_deficit as t
        left join task_item as i using (academic_year, procedure_id, item_kind, item_id)
        where t.territory_level = $level and t.territory_id = $territory and t.academic_year = $year
          and t.item_kind = 'task' and t.teach_again_order is not null
        order by t.procedure_id, t.teach_again_order
        """,
        level=level,
        territory=territory_id,
        year=year,
    )


def partners_of(data: ReleaseData, school_id: str, year: str) -> list[Row]:
    return data.rows(
        """
        select p.*, s.school_name as leader_name, s.municipality_name as leader_municipality
        from partnership as p left join school as s on s.school_id = p.leader_school_id
        where p.school_id = $school and p.academic_year = $year order by p.leader_number
        """,
        school=school_id,
        year=year,
    )


def led_by(data: ReleaseData, school_id: str, year: str) -> list[Row]:
    """Schools that this one leads."""
    return data.rows(
        """
        select p.school_id, p.outcome, s.school_name, s.municipality_name from partnership as p
        join school as s using (school_id)
        where p.leader_school_id = $school and p.academic_year = $year order by s.school_name collate ru
        """,
        school=school_id,
        year=year,
    )


def programmes_of(data: ReleaseData, school_id: str) -> list[Row]:
    return data.rows(
        """
        select * from programme_list where school_id = $school and is_listed order by programme_id, period
        """,
        school=school_id,
    )


def measures_of(data: ReleaseData, territory_id: str) -> list[Row]:
    return data.rows(
        "select * from measure where territory_id = $territory order by programme_id, period, sort_order",
        territory=territory_id,
    )


def dynamics_of(data: ReleaseData, level: str, territory_id: str) -> list[Row]:
    """The longest span of every procedure that ends in the newest year."""
    return data.rows(
        """
        select * from dynamics where territory_level = $level and territory_id = $territory and is_longest
          and state = 'compared'
        qualify academic_year = max(academic_year) over (partition by procedure_id)
        order by procedure_id
        """,
        level=level,
        territory=territory_id,
    )


def markers_of(data: ReleaseData, school_id: str) -> list[Row]:
    return data.rows(
        """
        select * from objectivity where school_id = $school and is_marked
        order by academic_year desc, source, criterion, procedure_id
        """,
        school=school_id,
    )


def outlook_of(data: ReleaseData, school_id: str) -> list[Row]:
    return data.rows("select * from outlook where school_id = $school order by procedure_id", school=school_id)


def pooled_of(data: ReleaseData, school_id: str) -> list[Row]:
    """Several years together, the widest window that ends in the newest year."""
    return data.rows(
        """
        select * from pooled_years where school_id = $school and years_pooled > 1
        qualify row_number() over (partition by procedure_id order by academic_year desc, window_years desc) = 1
        order by procedure_id
        """,
        school=school_id,
    )


# --- one municipality --------------------------------------------------------------------------------


def municipality_years(data: ReleaseData, municipality_id: str) -> list[Row]:
    return data.rows(
        """
        select * from municipality_summary where procedure_id = 'all' and municipality_id = $municipality
        order by academic_year
        """,
        municipality=municipality_id,
    )


def results_of_municipality(data: ReleaseData, municipality_id: str) -> list[Row]:
    """Results of a municipality with the share of its region beside them."""
    return data.rows(
        """
        select t.*, r.below_share as region_share, r.participants as region_participants
        from municipality_summary as t
        left join region_summary as r using (academic_year, region_code, procedure_id)
        where t.procedure_id <> 'all' and t.municipality_id = $municipality
        order by t.procedure_id, t.academic_year
        """,
        municipality=municipality_id,
    )


def risks_of_territory(data: ReleaseData, territory_id: str) -> list[Row]:
    """What is said of the risks of all its schools in the newest year."""
    return data.rows(
        """
        select * from risk_summary where territory_id = $territory and population_id = 'all'
          and academic_year = (select max(academic_year) from risk_summary where territory_id = $territory)
        order by sort_order
        """,
        territory=territory_id,
    )


# --- programmes --------------------------------------------------------------------------------------


def programmes(data: ReleaseData) -> list[str]:
    rows = data.rows(
        "select distinct programme_id from indicator union select distinct programme_id from measure order by 1"
    )
    return [row["programme_id"] for row in rows]


def indicators_of(data: ReleaseData, programme: str) -> list[Row]:
    return data.rows(
        """
        select * from indicator where programme_id = $programme and is_judged
        order by sort_order, indicator_id, territory_name, period
        """,
        programme=programme,
    )


def roadmap_of(data: ReleaseData, programme: str) -> list[Row]:
    return data.rows(
        """
        select * from measure where programme_id = $programme and is_judged
        order by period, sort_order, measure_id, territory_name
        """,
        programme=programme,
    )


def overdue_of(data: ReleaseData, programme: str) -> list[Row]:
    """Indicators and measures whose term has passed without a result, by who answers."""
    return data.rows(
        """
        select * from monitoring_report where programme_id = $programme and is_overdue
        order by responsible_ru nulls last, days_overdue desc, sort_order
        """,
        programme=programme,
    )


def listed_by_programme(data: ReleaseData, programme: str) -> list[Row]:
    return data.rows(
        """
        select l.period, l.school_id, l.basis, l.listing, l.support_format, l.years_listed_in_a_row,
               s.school_name, s.municipality_name
        from programme_list as l join school as s using (school_id)
        where l.programme_id = $programme and l.is_listed
        order by l.period, s.municipality_name collate ru, s.school_name collate ru, l.school_id
        """,
        programme=programme,
    )


def effects_of(data: ReleaseData, programme: str) -> list[Row]:
    """Supported schools beside similar ones, of a programme or, under `shnor`, of the list itself."""
    return data.rows(
        """
        select * from measure_effect where programme_id in ($programme, 'shnor') and event = 'year_after'
        order by programme_id = 'shnor', group_kind, group_id, outcome_id, list_year
        """,
        programme=programme,
    )


# --- methods -----------------------------------------------------------------------------------------


def methods_of_year(data: ReleaseData, year: str) -> list[Row]:
    return data.rows(
        """
        select * from method_comparison_summary where territory_level = 'region' and academic_year = $year
        order by is_official desc, method_id
        """,
        year=year,
    )


# --- objectivity -------------------------------------------------------------------------------------


def objectivity_years(data: ReleaseData) -> list[str]:
    rows = data.rows(
        """
        select academic_year from objectivity_summary where checked_schools_count > 0 or has_published_list
        group by 1 order by 1 desc
        """
    )
    return [row["academic_year"] for row in rows]


def objectivity_of_territories(data: ReleaseData, level: str, year: str) -> list[Row]:
    """The whole territory: all procedures together."""
    return data.rows(
        """
        select * from objectivity_summary
        where territory_level = $level and procedure_id = 'all' and ($year = '' or academic_year = $year)
        order by academic_year, territory_name collate ru, territory_id
        """,
        level=level,
        year=year,
    )


def marked_schools(data: ReleaseData, year: str, municipality: str, source: str) -> list[Row]:
    return data.rows(
        """
        select o.*, s.school_name, s.municipality_name from objectivity as o join school as s using (school_id)
        where o.is_marked and o.academic_year = $year and ($municipality = '' or s.municipality_id = $municipality)
          and ($source = '' or o.source = $source)
        order by s.municipality_name collate ru, s.school_name collate ru, o.school_id, o.source, o.procedure_id
        """,
        year=year,
        municipality=municipality,
        source=source,
    )


def agreement_of_region(data: ReleaseData, year: str) -> list[Row]:
    return data.rows(
        """
        select * from mark_agreement where territory_level = 'region' and academic_year = $year
        order by procedure_id, territory_id
        """,
        year=year,
    )


# --- quality -----------------------------------------------------------------------------------------


def delivery_counts(data: ReleaseData) -> list[Row]:
    return data.rows(
        """
        select status, count(*) as deliveries_count, sum(rows_in) as rows_in, sum(rows_accepted) as rows_accepted,
               sum(rows_quarantined) as rows_quarantined
        from delivery where is_active or status = 'refused' group by 1 order by 1
        """
    )


def deliveries(data: ReleaseData, status: str, words: str) -> list[Row]:
    return data.rows(
        """
        select * from delivery
        where ($status = '' or status = $status) and ($words = '' or contains(lower(file_name), lower($words)))
        order by status = 'accepted', received_at desc, file_name collate ru, delivery_id
        """,
        status=status,
        words=words,
    )


def checks_that_spoke(data: ReleaseData) -> list[Row]:
    """Each check with how often it spoke, one reason and one remedy of its own."""
    return data.rows(
        """
        select check_id, severity, count(*) as issues_count, count(distinct delivery_id) as deliveries_count,
               min_by(reason_ru, issue_id) as reason_ru, min_by(remedy_ru, issue_id) as remedy_ru
        from quality_issue where is_active group by 1, 2
        order by array_position(['refusal', 'quarantine', 'warning'], severity), count(*) desc, check_id
        """
    )


def issues(data: ReleaseData, severity: str, check: str, words: str) -> list[Row]:
    return data.rows(
        """
        select * from quality_issue
        where is_active and ($severity = '' or severity = $severity) and ($check = '' or check_id = $check)
          and ($words = '' or contains(lower(coalesce(file_name, '')), lower($words)))
        order by array_position(['refusal', 'quarantine', 'warning'], severity), file_name collate ru, source_row,
                 issue_id
        """,
        severity=severity,
        check=check,
        words=words,
    )


def published_totals(data: ReleaseData) -> list[Row]:
    return data.rows("select status, count(*) as totals_count from published_total group by 1 order by 1")
