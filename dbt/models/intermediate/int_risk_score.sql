-- Year × school × factor: the level that questionnaires give, in the years for which the scoring is on. An indicator is the
-- mean of the groups that the reference asks, so that one director is not lost among hundreds of pupils; a factor is the
-- mean of its known indicators, if enough of them are known.
with group_answer as (
    select
        answer.*,
        scoring.method_id,
        scoring.minimum_known_pct,
        scoring.high_from_pct,
        scoring.medium_from_pct
    from {{ ref('int_risk_answer') }} as answer
    inner join {{ source('reference', 'risk_scoring') }} as scoring on answer.academic_year = scoring.academic_year
    inner join {{ source('reference', 'risk_respondent') }} as asked
        on answer.indicator_id = asked.indicator_id and answer.respondent_group = asked.respondent_group
    where answer.respondent_group = 'director' or answer.respondents >= scoring.minimum_respondents
),

indicator as (
    select
        academic_year,
        school_id,
        factor_id,
        indicator_id,
        {{ stable_sum('risk_pct') }} / count(risk_pct) as risk_pct,
        any_value(method_id) as method_id,
        any_value(minimum_known_pct) as minimum_known_pct,
        any_value(high_from_pct) as high_from_pct,
        any_value(medium_from_pct) as medium_from_pct
    from group_answer
    group by academic_year, school_id, factor_id, indicator_id
),

asked as (
    select factor_id, count(*) as indicators_count
    from {{ source('reference', 'risk_indicator') }}
    group by factor_id
),

factor as (
    select
        indicator.academic_year,
        indicator.school_id,
        indicator.factor_id,
        -- rounded, so that a sum in another order does not fall on the other side of a border
        {{ rounded('avg(indicator.risk_pct)', 6) }} as score_pct,
        count(*) as indicators_known,
        any_value(asked.indicators_count) as indicators_count,
        any_value(indicator.method_id) as method_id,
        any_value(indicator.minimum_known_pct) as minimum_known_pct,
        any_value(indicator.high_from_pct) as high_from_pct,
        any_value(indicator.medium_from_pct) as medium_from_pct
    from indicator
    inner join asked on indicator.factor_id = asked.factor_id
    group by indicator.academic_year, indicator.school_id, indicator.factor_id
)

select
    academic_year,
    school_id,
    factor_id,
    score_pct,
    indicators_known,
    indicators_count,
    method_id,
    case when score_pct >= high_from_pct then 'high' when score_pct >= medium_from_pct then 'medium' else 'low' end as level
from factor
where indicators_known * 100 >= minimum_known_pct * indicators_count
