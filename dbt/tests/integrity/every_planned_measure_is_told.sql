{#
    Checks: every measure of every programme has a row of its own territory; every planned one in each period of its plan.
    Resolve: at once; what is overdue would go unseen.
    How: see `cell` and `territory` in the mart measure.
#}
{{ config(meta={'dagster': {'ref': {'name': 'measure'}}}) }}
select
    measure.programme_id,
    measure.measure_id,
    plan.period
from {{ source('reference', 'programme_measure') }} as measure
left join {{ source('reference', 'programme_measure_plan') }} as plan
    on measure.programme_id = plan.programme_id and measure.measure_id = plan.measure_id
where not exists (
    select 1
    from {{ ref('measure') }} as told
    where
        told.programme_id = measure.programme_id
        and told.measure_id = measure.measure_id
        and told.is_judged
        and coalesce(told.period = plan.period, true)
)
