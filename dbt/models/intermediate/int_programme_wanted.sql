-- The procedures and attempts that indicators of programmes name; and every exam as the official methods take it, for
-- what looks at all procedures.
select
    indicator_procedure.procedure_id,
    coalesce(indicator.attempt, 'first') as attempt
from {{ source('reference', 'programme_indicator_procedure') }} as indicator_procedure
inner join {{ source('reference', 'programme_indicator') }} as indicator using (programme_id, indicator_id)
union
select
    procedure.procedure_id,
    method.attempt
from {{ source('reference', 'procedure') }} as procedure
cross join {{ source('reference', 'method') }} as method
where method.is_official and procedure.assessment in ('oge', 'ege')
