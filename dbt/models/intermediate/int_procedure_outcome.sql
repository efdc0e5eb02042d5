-- The rule of a low result, in integers, with what stands beside it: interval, probability, reliability.
-- Participants whose result is unknown may tip the scale: then nothing is said.
with method as (
    select
        *,
        {{ normal_quantile('(1 + confidence) / 2') }} as z,
        cast(low_share_numerator as double) / low_share_denominator as low_share
    from {{ source('reference', 'method') }}
)

select
    counted.*,
    case
        when counted.participants < method.minimum_participants then null
        when counted.below_minimum * method.low_share_denominator >= method.low_share_numerator * counted.participants
            then true
        when
            (counted.below_minimum + counted.unknown_count) * method.low_share_denominator
            < method.low_share_numerator * counted.participants
            then false
    end as is_low,
    case when counted.unknown_count = 0 then counted.below_minimum / counted.participants end as below_share,
    case when counted.unknown_count = 0 then
        {{ wilson('counted.below_minimum', 'counted.participants', 'method.z', '-') }}
    end as share_ci_low,
    case when counted.unknown_count = 0 then
        {{ wilson('counted.below_minimum', 'counted.participants', 'method.z', '+') }}
    end as share_ci_high,
    case when counted.unknown_count = 0 then
        {{ probability_at_least('counted.below_minimum', 'counted.participants', 'method.low_share') }}
    end as probability_low,
    band.reliability,
    band.label_ru as reliability_ru
from {{ ref('int_procedure_count') }} as counted
inner join method on counted.method_id = method.method_id
left join {{ source('reference', 'reliability_band') }} as band
    on
        counted.method_id = band.method_id
        and counted.participants >= band.participants_from
        and counted.participants <= coalesce(band.participants_to, counted.participants)
where counted.participants > 0
