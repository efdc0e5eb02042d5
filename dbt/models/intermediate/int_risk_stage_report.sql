-- Year × school × stage × factor (none: the school as a whole): the latest report of a day that has come.
with given as (
    {{ risk_rows('risk_stage_report', {'stage': 'stage', 'factor': 'factor'}) }}
)

select
    given.academic_year,
    given.school_id,
    given.stage_id,
    given.factor_id,
    given.done_on,
    given.document_ref,
    given.confirmed_by,
    given.delivery_id
from given
cross join {{ source('reference', 'as_of') }} as today
-- a factor that nobody knows is not the school as a whole
where given.stage_id is not null and (given.factor is null or given.factor_id is not null) and given.done_on <= today.as_of
qualify row_number() over (
    partition by given.academic_year, given.school_id, given.stage_id, given.factor_id
    order by given.arrival desc, given.sheet desc nulls last, given.source_row desc
) = 1
