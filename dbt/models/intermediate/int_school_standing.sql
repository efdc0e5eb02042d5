-- Method × year × school: may the school stand in the list of that year, and is it counted among the schools?
-- A year of the list follows the results it is decided by.
with span as (
    select
        method_id,
        min(academic_year) as first_year,
        max(academic_year) as last_year
    from {{ ref('int_result_count') }}
    group by method_id
),

year as (
    select
        span.method_id,
        year.academic_year,
        make_date(cast(year.start_year as integer), 9, 1) as starts_on
    from span
    inner join {{ source('reference', 'academic_year') }} as year
        on year.academic_year >= span.first_year and year.previous_year <= span.last_year
),

standing as (
    select
        year.method_id,
        year.academic_year,
        school.school_id,
        school.is_no_school,
        case
            when school.merged_into_school_id is not null and coalesce(school.merged_on <= year.starts_on, true) then 'merged'
            when method.roll_up_branches and branch.school_id is not null then 'branch'
            else excluded.excluded_reason
        end as excluded_reason
    from year
    inner join {{ source('reference', 'method') }} as method on year.method_id = method.method_id
    cross join {{ ref('int_school') }} as school
    left join {{ source('reference', 'method_excluded_reason') }} as excluded
        on method.method_id = excluded.method_id and school.excluded_reason = excluded.excluded_reason
    left join (select distinct school_id, valid_from, valid_to from {{ ref('int_school_link') }} where relation = 'branch_of') as branch
        on school.school_id = branch.school_id and {{ holds_on('year.starts_on', 'branch.valid_from', 'branch.valid_to') }}
)

select distinct
    method_id,
    academic_year,
    school_id,
    excluded_reason,
    excluded_reason is not null as is_excluded,
    not is_no_school and coalesce(excluded_reason not in ('merged', 'branch'), true) as is_counted
from standing
