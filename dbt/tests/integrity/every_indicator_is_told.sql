{#
    Checks: every indicator of every programme has, for each period, a row of its own territory with a value or with the reason why there is none.
    Resolve: at once; a programme's report would silently lose a line.
    How: see int_programme_value (`complete`) and the mart indicator (`stated`); a fact without a branch in int_programme_fact has no data.
#}
{{ config(meta={'dagster': {'ref': {'name': 'indicator'}}}) }}
select
    indicator.programme_id,
    indicator.indicator_id,
    period.period
from {{ source('reference', 'programme_indicator') }} as indicator
inner join {{ source('reference', 'programme_period') }} as period on indicator.programme_id = period.programme_id
left join {{ ref('indicator') }} as told
    on
        indicator.programme_id = told.programme_id
        and indicator.indicator_id = told.indicator_id
        and period.period = told.period
        and told.is_judged
where
    told.indicator_id is null
    or (told.value is null and told.no_data_reason_ru is null)
    or told.is_computable <> (indicator.kind <> 'not_computable')
