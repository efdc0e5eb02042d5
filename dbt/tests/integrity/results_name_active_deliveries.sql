{#
    Checks: every result can be walked back: the deliveries it names exist and none of them is replaced.
    Resolve: before a release; a figure without a source cannot be explained.
    How: see delivery_ids in int_result_count and is_active in stg_delivery.
#}
{{ config(meta={'dagster': {'ref': {'name': 'procedure_result'}}}) }}
select result.academic_year, result.school_id, result.procedure_id, named.delivery_id
from {{ ref('procedure_result') }} as result,
    unnest(split(result.delivery_ids, ';')) as named (delivery_id)
left join {{ ref('delivery') }} as delivery on named.delivery_id = delivery.delivery_id
where result.delivery_ids is not null and not coalesce(delivery.is_active, false)
union all
select academic_year, school_id, procedure_id, null
from {{ ref('procedure_result') }}
where state = 'held' and delivery_ids is null
