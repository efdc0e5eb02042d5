-- Indicator × period × year of the results it is taken from: the period's own year, and the years that a baseline
-- may be taken from. A baseline is measured on the schools of the period that is judged, so that only results differ.
select
    indicator.programme_id,
    indicator.indicator_id,
    period.period,
    period.results_year,
    period.list_year,
    true as is_own
from {{ source('reference', 'programme_indicator') }} as indicator
inner join {{ ref('int_programme_period') }} as period on indicator.programme_id = period.programme_id
where indicator.kind <> 'not_computable'
union all
select distinct
    indicator.programme_id,
    indicator.indicator_id,
    period.period,
    earlier.results_year,
    period.list_year,
    false
from {{ source('reference', 'programme_indicator') }} as indicator
inner join {{ ref('int_programme_period') }} as period on indicator.programme_id = period.programme_id
inner join {{ ref('int_programme_period') }} as earlier
    on
        period.programme_id = earlier.programme_id
        and earlier.results_year >= indicator.baseline_year
        and earlier.results_year < period.results_year
where indicator.kind <> 'not_computable' and indicator.baseline_rule = 'year_or_first_with_data'
