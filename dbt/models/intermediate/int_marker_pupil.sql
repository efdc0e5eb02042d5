-- One row a participant of the ВПР that federal markers look at: primary score and mark in the journal. Pupils are taken at
-- the school that entered them: markers know no branches rolled up.
{{ config(meta={'kept': 'portion'}) }}
with wanted as (
    {{ marker_procedures() }}
),

work as (
    {{ counted_works() }}
),

pupil as (
    select
        work.measured_year as academic_year,
        work.school_id,
        wanted.procedure_id,
        work.total_score as score,
        coalesce(work.max_score, scale.score_top) as max_score,
        work.prior_mark,
        work.delivery_id
    from work
    inner join {{ source('reference', 'procedure_subject') }} as procedure_subject
        on
            procedure_subject.assessment = 'vpr'
            and work.subject_id = procedure_subject.subject_id
            and work.test_grade = procedure_subject.test_grade
    inner join wanted on procedure_subject.procedure_id = wanted.procedure_id
    left join {{ ref('int_score_scale') }} as scale
        on
            scale.assessment = 'vpr'
            and work.subject_id = scale.subject_id
            and work.test_grade = scale.test_grade
            and work.measured_year = scale.academic_year
    where
        work.attendance = 'participated'
        and work.total_score is not null
        and coalesce(work.total_score <= coalesce(work.max_score, scale.score_top), true)
)

select
    pupil.*,
    school.region_code
from pupil
inner join {{ ref('int_school') }} as school on pupil.school_id = school.school_id
where not school.is_no_school
