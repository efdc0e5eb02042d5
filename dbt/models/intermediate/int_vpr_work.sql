-- ВПР works that some method asks for, pupils with the same result together. Of several deliveries of the same work of
-- a school in one sitting the latest stands alone; of several kinds of key for one school the surest one.
with wanted as (
    select
        procedure_subject.subject_id,
        list(distinct procedure_subject.test_grade) as grades
    from {{ source('reference', 'procedure_subject') }} as procedure_subject
    inner join {{ source('reference', 'method_procedure') }} as method_procedure using (procedure_id)
    where procedure_subject.assessment = 'vpr'
    group by procedure_subject.subject_id
),

counted as (
    select
        work.delivery_id,
        work.arrival,
        work.school_key_kind,
        work.school_key,
        work.subject_id,
        work.test_grade,
        coalesce(work.pupil_grade, work.test_grade) as pupil_grade,
        work.measured_year,
        coalesce(work.held_year, work.measured_year) as held_year,
        coalesce(work.participant_category, 'current_year') as participant_category,
        work.attendance = 'participated' as is_participant,
        work.mark,
        work.total_score,
        count(*) as pupils
    from {{ ref('stg_assessment_result') }} as work
    inner join wanted on work.subject_id = wanted.subject_id
    where
        work.assessment = 'vpr'
        and (list_contains(wanted.grades, work.test_grade) or list_contains(wanted.grades, work.pupil_grade))
    group by all
),

latest as (
    select
        *,
        {{ comparable_key('school_key_kind', 'school_key') }} as key_value
    from counted
    qualify arrival = max(arrival) over (
        partition by school_key_kind, school_key, subject_id, test_grade, measured_year, held_year
    )
),

placed as (
    select
        keys.school_id,
        latest.*
    from latest
    inner join {{ ref('int_school_key') }} as keys
        on
            latest.school_key_kind = keys.key_kind
            and latest.key_value = keys.key_value
            and latest.measured_year = keys.measured_year
            and latest.held_year = keys.held_year
    qualify {{ key_rank('latest.school_key_kind') }} = min({{ key_rank('latest.school_key_kind') }}) over (
        partition by keys.school_id, latest.subject_id, latest.test_grade, latest.measured_year, latest.held_year
    )
)

select
    placed.* exclude (school_key_kind, school_key, key_value),
    {{ scale_mark('placed.total_score', 'scale') }} as scale_mark,
    scale.scale_id,
    scale.evidence
from placed
left join {{ ref('int_score_scale') }} as scale
    on
        scale.assessment = 'vpr'
        and placed.subject_id = scale.subject_id
        and placed.test_grade = scale.test_grade
        and placed.measured_year = scale.academic_year
