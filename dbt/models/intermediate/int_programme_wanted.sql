-- The procedures and attempts that indicators of programmes name.
select distinct
    indicator_procedure.procedure_id,
    coalesce(indicator.attempt, 'first') as attempt
from {{ source('reference', 'programme_indicator_procedure') }} as indicator_procedure
inner join {{ source('reference', 'programme_indicator') }} as indicator using (programme_id, indicator_id)
