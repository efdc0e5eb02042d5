-- Way of counting × procedure × person: did he pass? The counting says which attempt counts and which minimum; a
-- procedure of several subjects (ЕГЭ mathematics) is failed only by one who passed none that he took.
{{ config(meta={'kept': 'whole'}) }}
with counting as (
    select * from {{ source('reference', 'counting') }}
),

subject_count as (
    select procedure_id, count(distinct subject_id) > 1 as is_joint
    from {{ source('reference', 'procedure_subject') }}
    group by procedure_id
),

minimum as (
    select
        counting.counting_id,
        minimum_score.*
    from {{ source('reference', 'minimum_score') }} as minimum_score
    inner join counting on minimum_score.purpose in (counting.minimum_purpose, 'certificate')
    qualify row_number() over (
        partition by counting.counting_id, minimum_score.assessment, minimum_score.subject_id, minimum_score.academic_year
        order by minimum_score.purpose = counting.minimum_purpose desc
    ) = 1
),

attempt as (
    select
        counting.counting_id,
        procedure_subject.procedure_id,
        subject_count.is_joint,
        case counting.year_basis when 'held' then exam.held_year else exam.measured_year end as academic_year,
        case counting.attempt when 'final' then -1 else 1 end * coalesce({{ days_between("date '1900-01-01'", 'exam.held_on') }}, 0) as turn,
        exam.*
    from {{ ref('int_exam_attempt') }} as exam
    inner join {{ source('reference', 'procedure_subject') }} as procedure_subject
        on exam.assessment = procedure_subject.assessment and exam.subject_id = procedure_subject.subject_id
    inner join subject_count on procedure_subject.procedure_id = subject_count.procedure_id
    inner join {{ source('reference', 'counting_procedure') }} as counting_procedure
        on procedure_subject.procedure_id = counting_procedure.procedure_id
    inner join counting on counting_procedure.counting_id = counting.counting_id
    inner join {{ source('reference', 'counting_category') }} as category
        on counting.counting_id = category.counting_id and exam.participant_category = category.participant_category
    where
        exam.is_participant
        and not (counting.attempt = 'first' and exam.is_additional)
        and procedure_subject.test_grade = case counting.grade_basis when 'pupil' then exam.pupil_grade else exam.test_grade end
    qualify row_number() over (
        partition by counting.counting_id, procedure_subject.procedure_id, exam.subject_id, exam.person_id, academic_year
        order by turn, exam.arrival
    ) = 1
),

marked as (
    select
        attempt.*,
        {{ scale_mark('attempt.total_score', 'scale') }} as scale_mark,
        scale.scale_id,
        scale.evidence as scale_evidence,
        minimum.minimum,
        minimum.scale as minimum_scale,
        minimum.evidence as minimum_evidence
    from attempt
    left join minimum
        on
            attempt.counting_id = minimum.counting_id
            and attempt.assessment = minimum.assessment
            and attempt.subject_id = minimum.subject_id
            and attempt.measured_year = minimum.academic_year
    left join {{ ref('int_score_scale') }} as scale
        on
            attempt.assessment = scale.assessment
            and attempt.subject_id = scale.subject_id
            and attempt.test_grade = scale.test_grade
            and attempt.measured_year = scale.academic_year
),

decided as (
    select
        counting_id,
        academic_year,
        procedure_id,
        is_joint,
        person_id,
        school_id,
        turn,
        total_score,
        case
            when minimum_scale = 'test_score' and test_score is not null then test_score < minimum
            when minimum_scale = 'mark' and mark is not null then mark < minimum
            when mark is not null then mark <= {{ var('failing_mark') }}
            when scale_mark is not null then scale_mark <= {{ var('failing_mark') }}
        end as is_below,
        case
            when minimum_scale = 'test_score' and test_score is not null then 'threshold'
            when mark is not null then 'exported'
            when scale_mark is not null then 'scale'
        end as mark_origin,
        scale_id,
        scale_evidence,
        minimum_evidence,
        delivery_id,
        appeal_delivery_id
    from marked
),

cited as (
    select
        * {{ without('scale_id, scale_evidence, minimum_evidence') }},
        case when mark_origin = 'scale' then scale_id end as scale_id,
        case mark_origin when 'scale' then scale_evidence when 'threshold' then minimum_evidence end as evidence
    from decided
)

-- nothing to bring together, and lists of every participant of a country would not fit into memory
select
    counting_id,
    academic_year,
    procedure_id,
    person_id,
    school_id,
    total_score,
    is_below,
    mark_origin,
    case when scale_id is not null then {{ list_of('scale_id') }} end as scale_ids,
    case when evidence is not null then {{ list_of('evidence') }} end as evidence,
    case when appeal_delivery_id is null then {{ list_of('delivery_id') }} else {{ list_of('delivery_id, appeal_delivery_id') }} end
        as delivery_ids
from cited
where not is_joint
union all
select
    counting_id,
    academic_year,
    procedure_id,
    person_id,
    min_by(school_id, turn) as school_id,
    -- the score of one of the subjects, good for nothing
    min_by(total_score, turn) filter (where total_score is not null) as total_score,
    -- false beats unknown beats true: one pass is enough
    case
        when bool_or(not is_below) then false
        when bool_or(is_below is null) then null
        else true
    end as is_below,
    case when min(mark_origin) = max(mark_origin) then min(mark_origin) when min(mark_origin) is not null then 'mixed' end
        as mark_origin,
    array_distinct(array_agg(scale_id) filter (where scale_id is not null)) as scale_ids,
    array_distinct(array_agg(evidence) filter (where evidence is not null)) as evidence,
    array_distinct(array_agg(delivery_id) || array_agg(appeal_delivery_id)) as delivery_ids
from cited
where is_joint
group by counting_id, academic_year, procedure_id, person_id
