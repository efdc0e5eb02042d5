-- Results of all years by one method, the one in force last: what is learnt from years must mean the same in each of them.
-- Only schools that count by themselves, and only results of which everything is known.
with latest as (
    select official.method_id
    from {{ ref('int_official_method') }} as official
    inner join {{ ref('int_procedure_outcome') }} as outcome
        on official.method_id = outcome.method_id and official.academic_year = outcome.academic_year
    order by official.academic_year desc
    limit 1
)

select
    outcome.method_id,
    outcome.academic_year,
    year.start_year,
    outcome.school_id,
    outcome.procedure_id,
    procedure.grade,
    split_part(outcome.procedure_id, '_', 3) as subject,
    outcome.participants,
    outcome.below_minimum,
    outcome.is_low,
    standing.is_excluded
from {{ ref('int_procedure_outcome') }} as outcome
inner join latest on outcome.method_id = latest.method_id
inner join {{ source('reference', 'academic_year') }} as year on outcome.academic_year = year.academic_year
inner join {{ source('reference', 'procedure') }} as procedure on outcome.procedure_id = procedure.procedure_id
inner join {{ ref('int_school_standing') }} as standing
    on
        outcome.method_id = standing.method_id
        and outcome.academic_year = standing.academic_year
        and outcome.school_id = standing.school_id
where standing.is_counted and outcome.unknown_count = 0 and outcome.is_low is not null
