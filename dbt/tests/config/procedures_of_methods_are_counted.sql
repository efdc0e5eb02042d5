{#
    Checks: every procedure of every method has a way of counting that is described, with the people it counts.
    Resolve: before any list is formed; such a procedure would have no results by that method.
    How: see counting_of in opora/methods.py.
#}
{{ config(meta={'dagster': {'ref': {'name': 'int_result_count'}}}) }}
select
    method_procedure.method_id,
    method_procedure.procedure_id,
    method_procedure.counting_id
from {{ source('reference', 'method_procedure') }} as method_procedure
left join {{ source('reference', 'counting') }} as counting on method_procedure.counting_id = counting.counting_id
left join {{ source('reference', 'counting_procedure') }} as counting_procedure
    on
        method_procedure.counting_id = counting_procedure.counting_id
        and method_procedure.procedure_id = counting_procedure.procedure_id
where
    counting.counting_id is null
    or counting_procedure.counting_id is null
    or method_procedure.counting_id not in (select counting_id from {{ source('reference', 'counting_category') }})
