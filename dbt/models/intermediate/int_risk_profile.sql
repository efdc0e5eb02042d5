-- Year × school that took part × factor of the list: the level and where it is from. A delivered level always stands.
select
    participant.academic_year,
    participant.school_id,
    factor.factor_id,
    participant.list_id,
    factor.sort_order,
    factor.title_ru as factor_ru,
    coalesce(delivered.level, score.level) as level,
    case when delivered.level is not null then 'delivered' when score.level is not null then 'scored' end as origin,
    delivered.is_chosen,
    case when delivered.level is null then score.score_pct end as score_pct,
    case when delivered.level is null then score.indicators_known end as indicators_known,
    case when delivered.level is null then score.indicators_count end as indicators_count,
    case when delivered.level is null then score.method_id end as scoring_method_id,
    participant.participation_basis,
    coalesce(delivered.delivery_id, participant.delivery_ids) as delivery_ids
from {{ ref('int_risk_participant') }} as participant
inner join {{ source('reference', 'risk_factor') }} as factor on participant.list_id = factor.list_id
left join {{ ref('int_risk_level') }} as delivered
    on
        participant.academic_year = delivered.academic_year
        and participant.school_id = delivered.school_id
        and factor.factor_id = delivered.factor_id
left join {{ ref('int_risk_score') }} as score
    on
        participant.academic_year = score.academic_year
        and participant.school_id = score.school_id
        and factor.factor_id = score.factor_id
