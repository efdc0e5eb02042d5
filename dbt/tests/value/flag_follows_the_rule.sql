{#
    Checks: the flag of a low result is the integer rule of the method, and the share beside it does not contradict it.
    Resolve: at once; the list rests on this flag.
    How: see int_procedure_outcome.
#}
{{ config(meta={'dagster': {'ref': {'name': 'procedure_result'}}}) }}
select result.academic_year, result.school_id, result.procedure_id, result.participants, result.below_minimum, result.is_low
from {{ ref('procedure_result') }} as result
inner join {{ source('reference', 'method') }} as method on result.method_id = method.method_id
where
    result.unknown_count = 0
    and result.participants >= method.minimum_participants
    and (
        result.is_low is null
        or result.is_low
        <> (result.below_minimum * method.low_share_denominator >= method.low_share_numerator * result.participants)
    )
