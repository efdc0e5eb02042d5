with stage as (
    select
        academic_year,
        school_id,
        factor_id,
        min_by(stage_id, sort_order) filter (where not is_done) as next_stage,
        max_by(stage_id, sort_order) as last_stage,
        count(*) filter (where is_done) as stages_done,
        count(*) filter (where status = 'overdue') as stages_overdue,
        count(*) as stages_count
    from {{ ref('int_risk_stage') }}
    group by academic_year, school_id, factor_id
),

-- the stage that the plan is at: the first that is not done, or the last of all
present as (
    select
        stage.*,
        here.stage_id,
        here.stage_ru,
        here.due_on,
        here.done_on,
        here.status
    from stage
    inner join {{ ref('int_risk_stage') }} as here
        on
            stage.academic_year = here.academic_year
            and stage.school_id = here.school_id
            and stage.factor_id = here.factor_id
            and coalesce(stage.next_stage, stage.last_stage) = here.stage_id
)

select
    profile.academic_year,
    profile.school_id,
    profile.factor_id,
    profile.factor_ru,
    profile.sort_order,
    profile.list_id,
    cycle.cycle_year,
    profile.level,
    level.title_ru as level_ru,
    profile.origin,
    former.level as previous_level,
    profile.is_chosen,
    present.stage_id as stage,
    present.stage_ru,
    present.due_on as stage_due_on,
    present.done_on as stage_done_on,
    present.status as stage_status,
    present.stages_done,
    present.stages_overdue,
    present.stages_count,
    profile.score_pct,
    profile.indicators_known,
    profile.indicators_count,
    profile.scoring_method_id,
    profile.participation_basis,
    nullif(concat_ws(
        ' ',
        case when profile.level is null then 'Уровень не прислан.' end,
        case
            when profile.origin = 'scored'
                then 'Уровень не прислан, он посчитан по анкетам: известно показателей ' || profile.indicators_known
                    || ' из ' || profile.indicators_count || '.'
        end,
        case
            when profile.is_chosen is null then 'Выбран ли риск, не сообщено, поэтому плана нет.'
            when not profile.is_chosen then 'Риск не выбран, плана по нему нет.'
        end
    ), '') as note_ru,
    profile.delivery_ids
from {{ ref('int_risk_profile') }} as profile
inner join {{ source('reference', 'risk_cycle') }} as cycle on profile.academic_year = cycle.academic_year
inner join {{ source('reference', 'academic_year') }} as year on profile.academic_year = year.academic_year
left join {{ source('reference', 'risk_level') }} as level on profile.level = level.level
-- levels of a factor that both lists have under one name
left join {{ ref('int_risk_profile') }} as former
    on
        year.previous_year = former.academic_year
        and profile.school_id = former.school_id
        and profile.factor_id = former.factor_id
left join present
    on
        profile.academic_year = present.academic_year
        and profile.school_id = present.school_id
        and profile.factor_id = present.factor_id
