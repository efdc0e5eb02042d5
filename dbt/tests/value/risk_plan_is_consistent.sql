{#
    Checks: the state of a stage follows from its days and the day of the run, and the plan stands at the first stage that
    is not behind.
    Resolve: before coordinators are asked for what is late.
    How: see int_risk_stage and the mart risk_profile.
#}
{{ config(meta={'dagster': {'ref': {'name': 'risk_stage'}}}) }}
select academic_year, school_id, factor_id, stage, stage_status
from {{ ref('risk_stage') }}
where
    is_done <> (stage_status in ('done', 'done_late'))
    or (stage_status = 'done_late' and not stage_done_on > stage_due_on)
    or (stage_status = 'overdue' and as_of <= stage_due_on)
    or (stage_status = 'not_due' and as_of >= stage_due_from)
    or stage_done_on > as_of
union all
select profile.academic_year, profile.school_id, profile.factor_id, profile.stage, profile.stage_status
from {{ ref('risk_profile') }} as profile
inner join {{ ref('risk_stage') }} as earlier
    on
        profile.academic_year = earlier.academic_year
        and profile.school_id = earlier.school_id
        and profile.factor_id = earlier.factor_id
        and not earlier.is_done
inner join {{ ref('risk_stage') }} as present
    on
        profile.academic_year = present.academic_year
        and profile.school_id = present.school_id
        and profile.factor_id = present.factor_id
        and profile.stage = present.stage
where earlier.sort_order < present.sort_order
