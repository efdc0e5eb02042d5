-- Year × school × chosen risk × stage of the cycle: whether it is behind the school, and if not, how it stands today.
-- What a delivery shows by itself needs no report: a profile that is there was received.
with chosen as (
    select *
    from {{ ref('int_risk_profile') }}
    where is_chosen
),

report as (
    select
        chosen.academic_year,
        chosen.school_id,
        chosen.factor_id,
        stage.stage_id,
        report.done_on,
        report.document_ref,
        report.confirmed_by,
        report.delivery_id
    from chosen
    inner join {{ source('reference', 'risk_stage_due') }} as stage on chosen.academic_year = stage.academic_year
    inner join {{ ref('int_risk_stage_report') }} as report
        on
            chosen.academic_year = report.academic_year
            and chosen.school_id = report.school_id
            and stage.stage_id = report.stage_id
            and (report.factor_id is null or report.factor_id = chosen.factor_id or not stage.by_factor)
    -- a report of the risk itself says more than one of the whole school
    qualify row_number() over (
        partition by chosen.academic_year, chosen.school_id, chosen.factor_id, stage.stage_id
        order by report.factor_id = chosen.factor_id desc nulls last, report.done_on nulls last, report.delivery_id
    ) = 1
),

stage as (
    select
        chosen.academic_year,
        chosen.school_id,
        chosen.factor_id,
        stage.stage_id,
        stage.sort_order,
        stage.title_ru as stage_ru,
        stage.due_from,
        stage.due_on,
        stage.evidence as due_evidence,
        report.done_on,
        report.document_ref,
        report.confirmed_by,
        report.delivery_id,
        report.done_on is not null
        or coalesce(
            case stage.shown_by
                when 'participation' then true
                when 'level' then chosen.origin = 'delivered'
                when 'choice' then true
            end,
            false
        ) as is_done,
        today.as_of
    from chosen
    inner join {{ source('reference', 'risk_stage_due') }} as stage on chosen.academic_year = stage.academic_year
    cross join {{ source('reference', 'as_of') }} as today
    left join report
        on
            chosen.academic_year = report.academic_year
            and chosen.school_id = report.school_id
            and chosen.factor_id = report.factor_id
            and stage.stage_id = report.stage_id
)

select
    *,
    case
        when done_on > due_on then 'done_late'
        when is_done then 'done'
        when as_of < due_from then 'not_due'
        when as_of <= due_on then 'in_progress'
        else 'overdue'
    end as status,
    case when not is_done and as_of > due_on then {{ days_between('due_on', 'as_of') }} end as days_overdue
from stage
