-- Programme × period × academic year of the risk profile: the period in which the questionnaires of that year close, as a
-- report of an executor would be placed by its day.
select
    period.programme_id,
    period.period,
    stage.academic_year,
    stage.due_on
from {{ ref('int_programme_period') }} as period
inner join {{ source('reference', 'risk_stage_due') }} as stage
    on stage.shown_by = 'participation' and stage.due_on between period.starts_on and period.ends_on
