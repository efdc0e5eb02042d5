-- Year of a risk profile × population × school: of whom a summary speaks. `all` are the independent schools, `shnor` the list
-- of the official method for that year, others the list of a programme in the period in which the questionnaires close.
with year as (
    select distinct participant.academic_year, official.method_id
    from {{ ref('int_risk_participant') }} as participant
    inner join {{ ref('int_official_method') }} as official on participant.academic_year = official.academic_year
),

member as (
    select
        year.academic_year,
        'all' as population,
        'all' as population_id,
        school.school_id
    from year
    cross join {{ ref('int_school') }} as school
    left join {{ ref('int_school_standing') }} as standing
        on
            year.method_id = standing.method_id
            and year.academic_year = standing.academic_year
            and school.school_id = standing.school_id
    where
        not school.is_no_school
        and coalesce(standing.is_counted, school.parent_school_id is null and school.merged_into_school_id is null)
    union all
    select year.academic_year, 'shnor', 'shnor', status.school_id
    from year
    inner join {{ ref('int_school_status') }} as status
        on year.method_id = status.method_id and year.academic_year = status.academic_year
    where status.is_shnor
    union all
    select period.academic_year, 'programme', period.programme_id, list.school_id
    from year
    inner join {{ ref('int_risk_period') }} as period on year.academic_year = period.academic_year
    inner join {{ ref('int_programme_list') }} as list
        on period.programme_id = list.programme_id and period.period = list.period
    where list.is_listed
)

select
    member.*,
    school.municipality_id,
    school.region_code,
    coalesce(programme.territory_level, 'region') as widest_level
from member
inner join {{ ref('int_school') }} as school on member.school_id = school.school_id
left join {{ ref('int_programme') }} as programme on member.population_id = programme.programme_id
