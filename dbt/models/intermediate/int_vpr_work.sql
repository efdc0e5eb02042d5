-- ВПР works that some method or programme asks for, pupils with the same result together.
{{ config(meta={'kept': 'portion'}) }}
with asked as (
    select procedure_id from {{ source('reference', 'method_procedure') }}
    union
    select procedure_id from {{ ref('int_programme_wanted') }}
),

wanted as (
    select
        procedure_subject.subject_id,
        array_agg(distinct procedure_subject.test_grade) as grades
    from {{ source('reference', 'procedure_subject') }} as procedure_subject
    inner join asked on procedure_subject.procedure_id = asked.procedure_id
    where procedure_subject.assessment = 'vpr'
    group by procedure_subject.subject_id
),

work as (
    {{ counted_works() }}
),

counted as (
    select
        work.school_id,
        work.delivery_id,
        work.arrival,
        work.subject_id,
        work.test_grade,
        coalesce(work.pupil_grade, work.test_grade) as pupil_grade,
        work.measured_year,
        work.held_year,
        work.portion,
        coalesce(work.participant_category, 'current_year') as participant_category,
        work.attendance = 'participated' as is_participant,
        work.mark,
        work.total_score,
        count(*) as pupils
    from work
    inner join wanted on work.subject_id = wanted.subject_id
    where array_contains(wanted.grades, work.test_grade) or array_contains(wanted.grades, work.pupil_grade)
    group by all
)

select
    counted.*,
    {{ scale_mark('counted.total_score', 'scale') }} as scale_mark,
    scale.scale_id,
    scale.evidence
from counted
left join {{ ref('int_score_scale') }} as scale
    on
        scale.assessment = 'vpr'
        and counted.subject_id = scale.subject_id
        and counted.test_grade = scale.test_grade
        and counted.measured_year = scale.academic_year
