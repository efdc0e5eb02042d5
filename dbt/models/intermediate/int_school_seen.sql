{{ config(materialized='view') }}
-- Method × year of the list × school × procedure × year: the results that the rule sees.
-- periods: previous (the year before the list), before (one more back), current (the year of the list).
with history as (
    -- a school looks back on itself and, where the method says so, on the schools it took in
    select year.*, school.school_id, school.school_id as result_school_id
    from {{ ref('int_list_year') }} as year
    cross join {{ ref('int_school') }} as school
    union all
    select year.*, school.merged_into_school_id, school.school_id
    from {{ ref('int_list_year') }} as year
    inner join {{ source('reference', 'method') }} as method on year.method_id = method.method_id
    inner join {{ ref('int_school') }} as school
        on coalesce(school.merged_on <= make_date(cast(year.start_year as integer), 9, 1), true)
    where method.merged_history = 'inherit' and school.merged_into_school_id is not null
)

select
    history.method_id,
    history.academic_year,
    history.school_id,
    case result.academic_year
        when history.previous_year then 'previous'
        when history.year_before then 'before'
        else 'current'
    end as period,
    result.procedure_id,
    result.academic_year as result_year,
    result.is_low,
    result.is_surely_low,
    result.participants,
    result.below_minimum
from history
inner join {{ ref('int_procedure_outcome') }} as result
    on
        history.method_id = result.method_id
        and history.result_school_id = result.school_id
        and (
            result.academic_year in (history.previous_year, history.year_before)
            or (result.academic_year = history.academic_year and history.school_id = history.result_school_id)
        )
-- the same procedure of the school and of one it took in counts once
qualify row_number() over (
    partition by history.method_id, history.academic_year, history.school_id, result.academic_year, result.procedure_id
    order by
        result.is_low desc nulls last,
        result.participants desc nulls last,
        result.school_id = history.school_id desc
) = 1
