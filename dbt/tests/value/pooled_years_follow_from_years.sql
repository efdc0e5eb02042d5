{#
    Checks: what stands for several years is the sum of the results of these years, and a year alone is that year.
    Resolve: before a release.
    How: see int_pooled_years.
#}
{{ config(meta={'dagster': {'ref': {'name': 'pooled_years'}}}) }}
select
    pooled.academic_year,
    pooled.school_id,
    pooled.procedure_id,
    pooled.window_years,
    pooled.participants,
    sum(result.participants) as expected
from {{ ref('pooled_years') }} as pooled
inner join {{ source('reference', 'academic_year') }} as year on pooled.academic_year = year.academic_year
inner join {{ source('reference', 'academic_year') }} as earlier
    on earlier.start_year between year.start_year - pooled.window_years + 1 and year.start_year
left join {{ ref('procedure_result') }} as result
    on
        earlier.academic_year = result.academic_year
        and pooled.school_id = result.school_id
        and pooled.procedure_id = result.procedure_id
        and pooled.method_id = result.method_id
group by all
having
    pooled.participants <> sum(result.participants)
    or max(pooled.years_pooled) <> count(result.participants)
    or max(pooled.unknown_count) <> sum(result.unknown_count)
    or (max(pooled.years_pooled) = 1 and bool_or(result.academic_year = pooled.academic_year and result.is_low is distinct from pooled.is_low))
