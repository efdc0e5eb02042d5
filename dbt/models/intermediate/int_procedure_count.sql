{{ config(materialized='view') }}
-- Method × year × school × procedure: the counts of a school with those of its branches, where the method rolls them up.
-- Methods that count alike share the count.
select
    method_procedure.method_id,
    counted.* {{ without('counting_id') }}
from {{ ref('int_counted_procedure') }} as counted
inner join {{ source('reference', 'method_procedure') }} as method_procedure
    on counted.counting_id = method_procedure.counting_id and counted.procedure_id = method_procedure.procedure_id
