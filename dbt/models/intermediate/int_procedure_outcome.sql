-- The rule of a low result by every method, with what stands beside it: reliability, whether the interval reaches the
-- threshold too, and for methods that make lists the interval and the probability.
with method as (
    {{ methods_for_rules() }}
),

decided as (
    select
        counted.*,
        {{ is_low('counted', 'method') }} as is_low
    from {{ ref('int_procedure_count') }} as counted
    inner join method on counted.method_id = method.method_id
    where counted.participants > 0
)

select
    decided.*,
    case when decided.is_low
        then {{ interval_reaches('decided.below_minimum', 'decided.participants', 'method') }}
        else false
    end as is_surely_low,
    case when decided.unknown_count = 0 then decided.below_minimum / decided.participants end as below_share,
    case when method.is_official and decided.unknown_count = 0 then
        {{ wilson('decided.below_minimum', 'decided.participants', 'method.z', '-') }}
    end as share_ci_low,
    case when method.is_official and decided.unknown_count = 0 then
        {{ wilson('decided.below_minimum', 'decided.participants', 'method.z', '+') }}
    end as share_ci_high,
    case when method.is_official and decided.unknown_count = 0 then
        {{ probability_at_least('decided.below_minimum', 'decided.participants', 'method.low_share') }}
    end as probability_low,
    band.reliability,
    band.label_ru as reliability_ru
from decided
inner join method on decided.method_id = method.method_id
left join {{ source('reference', 'reliability_band') }} as band
    on
        decided.method_id = band.method_id
        and decided.participants >= band.participants_from
        and decided.participants <= coalesce(band.participants_to, decided.participants)
