-- Way of counting × year × school × procedure: how many took part and how many were below, from the school's own results.
-- Protocols of participants beat a reported total.
with counting_subject as (
    select
        counting.counting_id,
        counting.year_basis,
        counting.grade_basis,
        procedure_subject.*
    from {{ source('reference', 'counting') }} as counting
    inner join {{ source('reference', 'counting_procedure') }} as counting_procedure using (counting_id)
    inner join {{ source('reference', 'procedure_subject') }} as procedure_subject using (procedure_id)
),

vpr as (
    select
        counting_subject.counting_id,
        case counting_subject.year_basis when 'held' then work.held_year else work.measured_year end as academic_year,
        work.school_id,
        counting_subject.procedure_id,
        work.is_participant,
        work.pupils,
        coalesce(work.mark, work.scale_mark) <= {{ var('failing_mark') }} as is_below,
        case when work.mark is not null then 'exported' when work.scale_mark is not null then 'scale' end as mark_origin,
        work.scale_id,
        work.evidence,
        work.delivery_id
    from {{ ref('int_vpr_work') }} as work
    inner join counting_subject
        on
            counting_subject.assessment = 'vpr'
            and work.subject_id = counting_subject.subject_id
            and case counting_subject.grade_basis when 'pupil' then work.pupil_grade else work.test_grade end
            = counting_subject.test_grade
    inner join {{ source('reference', 'counting_category') }} as category
        on
            counting_subject.counting_id = category.counting_id
            and work.participant_category = category.participant_category
),

-- first those of whom the same is known: lists of every result of a country would not fit into memory
vpr_known as (
    select
        counting_id,
        academic_year,
        school_id,
        procedure_id,
        is_participant,
        mark_origin,
        scale_id,
        evidence,
        delivery_id,
        sum(pupils) as pupils,
        sum(pupils) filter (where is_below) as below_minimum,
        sum(pupils) filter (where is_below is null) as unknown_count
    from vpr
    group by
        counting_id, academic_year, school_id, procedure_id, is_participant, mark_origin, scale_id, evidence, delivery_id
),

vpr_count as (
    select
        counting_id,
        academic_year,
        school_id,
        procedure_id,
        coalesce(sum(pupils) filter (where is_participant), 0) as participants,
        coalesce(sum(below_minimum) filter (where is_participant), 0) as below_minimum,
        coalesce(sum(unknown_count) filter (where is_participant), 0) as unknown_count,
        coalesce(sum(pupils) filter (where not is_participant), 0) as absent_count,
        array_distinct(array_agg(mark_origin) filter (where is_participant)) as mark_origins,
        array_distinct(array_agg(scale_id) filter (where is_participant and mark_origin = 'scale')) as scale_ids,
        array_distinct(array_agg(evidence) filter (where is_participant and mark_origin = 'scale')) as evidence,
        array_distinct(array_agg(delivery_id)) as delivery_ids
    from vpr_known
    group by counting_id, academic_year, school_id, procedure_id
),

-- the same of exams
exam_known as (
    select
        counting_id,
        academic_year,
        school_id,
        procedure_id,
        mark_origin,
        scale_ids,
        evidence,
        delivery_ids,
        count(*) as participants,
        count(*) filter (where is_below) as below_minimum,
        count(*) filter (where is_below is null) as unknown_count
    from {{ ref('int_counted_exam') }}
    group by counting_id, academic_year, school_id, procedure_id, mark_origin, scale_ids, evidence, delivery_ids
),

exam_count as (
    select
        counting_id,
        academic_year,
        school_id,
        procedure_id,
        sum(participants) as participants,
        sum(below_minimum) as below_minimum,
        sum(unknown_count) as unknown_count,
        0 as absent_count,
        array_distinct(array_agg(mark_origin)) as mark_origins,
        array_distinct(flatten(array_agg(scale_ids))) as scale_ids,
        array_distinct(flatten(array_agg(evidence))) as evidence,
        array_distinct(flatten(array_agg(delivery_ids))) as delivery_ids
    from exam_known
    group by counting_id, academic_year, school_id, procedure_id
),

exam_absent as (
    select
        counting_subject.counting_id,
        case counting_subject.year_basis when 'held' then exam.held_year else exam.measured_year end as academic_year,
        exam.school_id,
        counting_subject.procedure_id,
        count(distinct exam.person_id) as absent_count,
        array_agg(distinct exam.delivery_id) as delivery_ids
    from {{ ref('int_exam_attempt') }} as exam
    inner join counting_subject
        on
            exam.assessment = counting_subject.assessment
            and exam.subject_id = counting_subject.subject_id
            and exam.test_grade = counting_subject.test_grade
    where not exam.is_participant
    group by all
),

report_count as (
    select
        counting_subject.counting_id,
        case counting_subject.year_basis when 'held' then report.held_year else report.measured_year end as academic_year,
        report.school_id,
        counting_subject.procedure_id,
        sum(report.participants) as participants,
        coalesce(sum(report.below_minimum), 0) as below_minimum,
        coalesce(sum(report.participants) filter (where report.below_minimum is null), 0) as unknown_count,
        0 as absent_count,
        {{ list_of("'report'") }} as mark_origins,
        {{ no_texts() }} as scale_ids,
        {{ no_texts() }} as evidence,
        array_agg(distinct report.delivery_id) as delivery_ids
    from {{ ref('int_aggregate_result') }} as report
    inner join counting_subject
        on
            report.assessment = counting_subject.assessment
            and report.subject_id = counting_subject.subject_id
            and case counting_subject.grade_basis when 'pupil' then report.pupil_grade else report.test_grade end
            = counting_subject.test_grade
    group by counting_subject.counting_id, academic_year, report.school_id, counting_subject.procedure_id
),

source_count as (
    select *, 'participants' as result_source from vpr_count
    union all
    select
        coalesce(exam_count.counting_id, exam_absent.counting_id),
        coalesce(exam_count.academic_year, exam_absent.academic_year),
        coalesce(exam_count.school_id, exam_absent.school_id),
        coalesce(exam_count.procedure_id, exam_absent.procedure_id),
        coalesce(exam_count.participants, 0),
        coalesce(exam_count.below_minimum, 0),
        coalesce(exam_count.unknown_count, 0),
        coalesce(exam_absent.absent_count, 0),
        coalesce(exam_count.mark_origins, {{ no_texts() }}),
        coalesce(exam_count.scale_ids, {{ no_texts() }}),
        coalesce(exam_count.evidence, {{ no_texts() }}),
        coalesce(exam_count.delivery_ids, exam_absent.delivery_ids),
        'participants'
    from exam_count
    full outer join exam_absent
        on
            exam_count.counting_id = exam_absent.counting_id
            and exam_count.academic_year = exam_absent.academic_year
            and exam_count.school_id = exam_absent.school_id
            and exam_count.procedure_id = exam_absent.procedure_id
    union all
    select *, 'aggregate' from report_count
)

select *
from source_count
qualify row_number() over (
    partition by counting_id, academic_year, school_id, procedure_id
    order by participants > 0 desc, result_source = 'participants' desc
) = 1
