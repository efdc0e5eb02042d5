-- One row a participant of the works that federal markers look at: primary score and mark in the journal. Pupils are taken
-- at the school that entered them: markers know no branches rolled up.
with wanted as (
    select procedure_id from {{ source('reference', 'marker') }}
    union
    select earlier_procedure_id from {{ source('reference', 'marker') }} where earlier_procedure_id is not null
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
        work.delivery_id as delivery_ids
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
    union all
    -- exams: the attempt that the official method counts
    select
        exam.academic_year,
        exam.school_id,
        wanted.procedure_id,
        exam.total_score,
        null,
        null,
        {{ joined('array_sort(exam.delivery_ids)') }}
    from {{ ref('int_exam_outcome') }} as exam
    inner join {{ ref('int_official_method') }} as official
        on exam.method_id = official.method_id and exam.academic_year = official.academic_year
    inner join wanted on exam.procedure_id = wanted.procedure_id
    where exam.total_score is not null
)

select
    pupil.*,
    school.region_code
from pupil
inner join {{ ref('int_school') }} as school on pupil.school_id = school.school_id
where not school.is_no_school
