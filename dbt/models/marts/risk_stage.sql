select
    stage.academic_year,
    stage.school_id,
    stage.factor_id,
    stage.stage_id as stage,
    stage.stage_ru,
    stage.sort_order,
    stage.due_from as stage_due_from,
    stage.due_on as stage_due_on,
    stage.due_evidence,
    stage.is_done,
    stage.done_on as stage_done_on,
    stage.status as stage_status,
    stage.days_overdue,
    stage.document_ref,
    stage.confirmed_by,
    stage.as_of,
    stage.delivery_id
from {{ ref('int_risk_stage') }} as stage
