-- The complete matrix method × year × school × procedure, for methods that make lists: a result, or the reason why there
-- is none. What other methods would decide is compared by their results alone (int_procedure_outcome).
with span as (
    select
        seen.method_id,
        min(seen.academic_year) as first_year,
        max(seen.academic_year) as last_year
    from {{ ref('int_method_year') }} as seen
    inner join {{ source('reference', 'method') }} as method on seen.method_id = method.method_id and method.is_official
    group by seen.method_id
),

cell as (
    select
        span.method_id,
        year.academic_year,
        school.school_id,
        procedure.procedure_id,
        procedure.short_ru,
        method_procedure.sort_order,
        coalesce(calendar.is_held_federally, true) as is_held_federally,
        coalesce(procedure.grade < school.first_grade or procedure.grade > school.last_grade, false) as is_other_grade
    from span
    inner join {{ source('reference', 'academic_year') }} as year
        on year.academic_year between span.first_year and span.last_year
    inner join {{ source('reference', 'method_procedure') }} as method_procedure on span.method_id = method_procedure.method_id
    inner join {{ source('reference', 'procedure') }} as procedure on method_procedure.procedure_id = procedure.procedure_id
    left join {{ source('reference', 'procedure_calendar') }} as calendar
        on year.academic_year = calendar.academic_year and procedure.procedure_id = calendar.procedure_id
    cross join {{ ref('int_school') }} as school
)

select
    cell.method_id,
    cell.academic_year,
    cell.school_id,
    cell.procedure_id,
    cell.short_ru,
    cell.sort_order,
    case
        when outcome.participants is not null then 'held'
        when counted.participants is not null then 'no_participants'
        when cell.is_other_grade then 'no_such_grade'
        when not cell.is_held_federally then 'not_held_federally'
        else 'not_delivered'
    end as state,
    outcome.participants,
    case when outcome.unknown_count < outcome.participants then outcome.below_minimum end as below_minimum,
    outcome.unknown_count,
    counted.absent_count,
    outcome.below_share,
    outcome.share_ci_low,
    outcome.share_ci_high,
    outcome.is_low,
    outcome.probability_low,
    outcome.reliability,
    outcome.reliability_ru,
    outcome.own_participants,
    outcome.own_below_minimum,
    outcome.own_unknown_count,
    outcome.result_source,
    outcome.mark_origin,
    outcome.scale_ids as scale_id,
    outcome.evidence,
    counted.delivery_ids
from cell
left join {{ ref('int_procedure_count') }} as counted using (method_id, academic_year, school_id, procedure_id)
left join {{ ref('int_procedure_outcome') }} as outcome using (method_id, academic_year, school_id, procedure_id)
