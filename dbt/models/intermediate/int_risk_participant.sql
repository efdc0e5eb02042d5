-- Year × school: who took the questionnaire, and what shows it. A delivered profile does, since it is made from the answers.
-- `taken_on` is the day if it was reported, else the last day of the stage.
with sign as (
    select academic_year, school_id, 'profile' as sign, delivery_id, cast(null as date) as done_on
    from {{ ref('int_risk_level') }}
    union all
    select academic_year, school_id, 'answers', delivery_id, null
    from {{ ref('int_risk_answer') }}
    union all
    select report.academic_year, report.school_id, 'stage', report.delivery_id, report.done_on
    from {{ ref('int_risk_stage_report') }} as report
    inner join {{ source('reference', 'risk_stage_due') }} as stage
        on report.academic_year = stage.academic_year and report.stage_id = stage.stage_id
    where stage.shown_by = 'participation'
)

select
    sign.academic_year,
    sign.school_id,
    list.list_id,
    {{ string_agg('sign.sign', '+', 'sign.sign', distinct=true) }} as participation_basis,
    {{ string_agg('sign.delivery_id', ';', 'sign.delivery_id', distinct=true) }} as delivery_ids,
    coalesce(min(sign.done_on), any_value(stage.due_on)) as taken_on
from sign
inner join {{ source('reference', 'risk_list') }} as list on sign.academic_year = list.academic_year
left join {{ source('reference', 'risk_stage_due') }} as stage
    on sign.academic_year = stage.academic_year and stage.shown_by = 'participation'
group by sign.academic_year, sign.school_id, list.list_id
