-- Programme × period × school: what the list of the year and the results of the year say of it. All schools of the
-- region are here, since a municipal programme may also look at the region; `is_own` are those of its territory.
select
    period.programme_id,
    period.period,
    school.school_id,
    school.school_name,
    school.municipality_id,
    school.municipality_name,
    school.region_code,
    coalesce(programme.municipality_id = school.municipality_id, true) as is_own,
    coalesce(standing.is_counted, school.parent_school_id is null and school.merged_into_school_id is null) as is_counted,
    coalesce(list.is_assessed, false) as is_assessed,
    -- a school that is not assessed is not in the list, but nothing is known of it
    coalesce(list.is_assessed or list.is_excluded, false) as is_list_known,
    coalesce(list.is_shnor, false) as is_shnor,
    coalesce(list.was_shnor and not list.is_shnor and (list.is_assessed or list.is_excluded), false) as has_left,
    coalesce(list.years_listed_in_a_row, 0) as years_listed_in_a_row,
    risk.is_at_risk,
    risk.meets_risk_rule as is_low_in_any
from {{ ref('int_programme_period') }} as period
inner join {{ ref('int_programme') }} as programme on period.programme_id = programme.programme_id
inner join {{ ref('int_school') }} as school on programme.region_code = school.region_code
left join {{ ref('int_school_standing') }} as standing
    on
        period.method_id = standing.method_id
        and period.list_year = standing.academic_year
        and school.school_id = standing.school_id
left join {{ ref('int_school_status') }} as list
    on
        period.method_id = list.method_id
        and period.list_year = list.academic_year
        and school.school_id = list.school_id
left join {{ ref('int_school_status') }} as risk
    on
        period.method_id = risk.method_id
        and period.results_year = risk.academic_year
        and school.school_id = risk.school_id
where not school.is_no_school
