with method as (
    {{ methods_for_rules() }}
)

select
    pooled.academic_year,
    pooled.school_id,
    pooled.procedure_id,
    pooled.window_years,
    pooled.years_pooled,
    pooled.first_year,
    pooled.participants,
    case when pooled.unknown_count < pooled.participants then pooled.below_minimum end as below_minimum,
    pooled.unknown_count,
    case when pooled.unknown_count = 0 then pooled.below_minimum / pooled.participants end as below_share,
    {{ interval_end('pooled', 'exact', 'method', 'low') }} as share_ci_low,
    {{ interval_end('pooled', 'exact', 'method', 'high') }} as share_ci_high,
    pooled.is_low,
    case when pooled.unknown_count = 0 then
        {{ probability_at_least('pooled.below_minimum', 'pooled.participants', 'method.low_share') }}
    end as probability_low,
    band.reliability,
    pooled.is_comparable,
    pooled.comparability_ru,
    pooled.method_id
from {{ ref('int_pooled_years') }} as pooled
inner join method on pooled.method_id = method.method_id
left join {{ source('analysis', 'exact_interval') }} as exact
    on
        pooled.method_id = exact.method_id
        and pooled.participants = exact.participants
        and pooled.below_minimum = exact.below_minimum
left join {{ source('reference', 'reliability_band') }} as band
    on
        pooled.method_id = band.method_id
        and pooled.participants >= band.participants_from
        and pooled.participants <= coalesce(band.participants_to, pooled.participants)
