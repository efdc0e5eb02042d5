{{ config(materialized='view') }}
-- Method × procedure × person: did he pass? Methods that count alike share the answer.
select
    method_procedure.method_id,
    counted.* {{ without('counting_id') }}
from {{ ref('int_counted_exam') }} as counted
inner join {{ source('reference', 'method_procedure') }} as method_procedure
    on counted.counting_id = method_procedure.counting_id and counted.procedure_id = method_procedure.procedure_id
