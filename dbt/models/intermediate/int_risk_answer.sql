-- Year × school × indicator × who answered: the latest answers to what the reference knows.
with given as (
    {{ risk_rows('risk_answer', {'indicator': 'indicator'}) }}
)

select
    given.academic_year,
    given.school_id,
    given.indicator_id,
    indicator.factor_id,
    given.respondent_group,
    given.value_pct,
    -- turned so that more is worse
    case indicator.direction when 'up' then given.value_pct else 100 - given.value_pct end as risk_pct,
    given.respondents,
    given.delivery_id
from given
inner join {{ source('reference', 'risk_indicator') }} as indicator on given.indicator_id = indicator.indicator_id
qualify row_number() over (
    partition by given.academic_year, given.school_id, given.indicator_id, given.respondent_group
    order by given.arrival desc, given.sheet desc nulls last, given.source_row desc
) = 1
