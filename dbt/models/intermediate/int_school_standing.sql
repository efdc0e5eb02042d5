-- Method × year × school: may the school stand in the list of that year, and is it counted among the schools?
-- A year of the list follows the results it is decided by.
with span as (
    select
        method_id,
        min(academic_year) as first_year,
        max(academic_year) as last_year
    from {{ ref('int_method_year') }}
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
    {{ school_standing('year') | indent(4) }}
)

select distinct
    method_id,
    academic_year,
    school_id,
    excluded_reason,
    excluded_reason is not null as is_excluded,
    not is_no_school and coalesce(excluded_reason not in ('merged', 'branch'), true) as is_counted
from standing
