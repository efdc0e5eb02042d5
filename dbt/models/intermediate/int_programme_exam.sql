-- Person × procedure × attempt: did he pass? First attempt and final result are different facts, so both are here, for
-- every procedure that an indicator names. A procedure of several subjects is failed by one who passed none of them.
{{ config(meta={'kept': 'whole'}) }}
with wanted as (
    select * from {{ ref('int_programme_wanted') }}
),

minimum as (
    select
        official.academic_year,
        minimum_score.assessment,
        minimum_score.subject_id,
        minimum_score.minimum,
        minimum_score.scale
    from {{ ref('int_official_method') }} as official
    inner join {{ source('reference', 'method') }} as method on official.method_id = method.method_id
    inner join {{ source('reference', 'minimum_score') }} as minimum_score
        on
            official.academic_year = minimum_score.academic_year
            and minimum_score.purpose in (method.ege_russian_minimum, 'certificate')
    qualify row_number() over (
        partition by official.academic_year, minimum_score.assessment, minimum_score.subject_id
        order by minimum_score.purpose = method.ege_russian_minimum desc
    ) = 1
),

attempt as (
    select
        wanted.procedure_id,
        wanted.attempt,
        head.head_school_id,
        case wanted.attempt when 'final' then -1 else 1 end
        * coalesce({{ days_between("date '1900-01-01'", 'exam.held_on') }}, 0) as turn,
        exam.*
    from {{ ref('int_exam_attempt') }} as exam
    inner join {{ source('reference', 'procedure_subject') }} as procedure_subject
        on
            exam.assessment = procedure_subject.assessment
            and exam.subject_id = procedure_subject.subject_id
            and exam.test_grade = procedure_subject.test_grade
    inner join wanted on procedure_subject.procedure_id = wanted.procedure_id
    inner join {{ ref('int_official_method') }} as official on exam.measured_year = official.academic_year
    inner join {{ source('reference', 'method_category') }} as category
        on official.method_id = category.method_id and exam.participant_category = category.participant_category
    inner join {{ ref('int_school_head') }} as head on exam.school_id = head.school_id
    where exam.is_participant and not (wanted.attempt = 'first' and exam.is_additional)
    qualify row_number() over (
        partition by wanted.procedure_id, wanted.attempt, exam.subject_id, exam.person_id, exam.measured_year
        order by turn, exam.arrival
    ) = 1
),

decided as (
    select
        attempt.*,
        case
            when minimum.scale = 'test_score' and attempt.test_score is not null then attempt.test_score < minimum.minimum
            when minimum.scale = 'mark' and attempt.mark is not null then attempt.mark < minimum.minimum
            when attempt.mark is not null then attempt.mark <= {{ var('failing_mark') }}
            else {{ scale_mark('attempt.total_score', 'scale') }} <= {{ var('failing_mark') }}
        end as is_below
    from attempt
    left join minimum
        on
            attempt.measured_year = minimum.academic_year
            and attempt.assessment = minimum.assessment
            and attempt.subject_id = minimum.subject_id
    left join {{ ref('int_score_scale') }} as scale
        on
            attempt.assessment = scale.assessment
            and attempt.subject_id = scale.subject_id
            and attempt.test_grade = scale.test_grade
            and attempt.measured_year = scale.academic_year
)

select
    measured_year as academic_year,
    procedure_id,
    attempt,
    person_id,
    min_by(head_school_id, turn) as school_id,
    case
        when bool_or(not is_below) then false
        when bool_or(is_below is null) then null
        else true
    end as is_below
from decided
group by measured_year, procedure_id, attempt, person_id
