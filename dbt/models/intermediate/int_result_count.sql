-- Method × year × school × procedure: how many took part and how many were below, from the school's own results.
-- Protocols of participants beat a reported total.
with method_subject as (
    select
        method.method_id,
        method.year_basis,
        method.grade_basis,
        procedure_subject.*
    from {{ source('reference', 'method') }} as method
    inner join {{ source('reference', 'method_procedure') }} as method_procedure using (method_id)
    inner join {{ source('reference', 'procedure_subject') }} as procedure_subject using (procedure_id)
),

vpr as (
    select
        method_subject.method_id,
        case method_subject.year_basis when 'held' then work.held_year else work.measured_year end as academic_year,
        work.school_id,
        method_subject.procedure_id,
        work.is_participant,
        work.pupils,
        coalesce(work.mark, work.scale_mark) <= {{ var('failing_mark') }} as is_below,
        case when work.mark is not null then 'exported' when work.scale_mark is not null then 'scale' end as mark_origin,
        work.scale_id,
        work.evidence,
        work.delivery_id
    from {{ ref('int_vpr_work') }} as work
    inner join method_subject
        on
            method_subject.assessment = 'vpr'
            and work.subject_id = method_subject.subject_id
            and case method_subject.grade_basis when 'pupil' then work.pupil_grade else work.test_grade end
            = method_subject.test_grade
    inner join {{ source('reference', 'method_category') }} as category
        on
            method_subject.method_id = category.method_id
            and work.participant_category = category.participant_category
),

vpr_count as (
    select
        method_id,
        academic_year,
        school_id,
        procedure_id,
        coalesce(sum(pupils) filter (where is_participant), 0) as participants,
        coalesce(sum(pupils) filter (where is_participant and is_below), 0) as below_minimum,
        coalesce(sum(pupils) filter (where is_participant and is_below is null), 0) as unknown_count,
        coalesce(sum(pupils) filter (where not is_participant), 0) as absent_count,
        list_distinct(list(mark_origin) filter (where is_participant)) as mark_origins,
        list_distinct(list(scale_id) filter (where is_participant and mark_origin = 'scale')) as scale_ids,
        list_distinct(list(evidence) filter (where is_participant and mark_origin = 'scale')) as evidence,
        list_distinct(list(delivery_id)) as delivery_ids
    from vpr
    group by method_id, academic_year, school_id, procedure_id
),

exam_count as (
    select
        method_id,
        academic_year,
        school_id,
        procedure_id,
        count(*) as participants,
        count(*) filter (where is_below) as below_minimum,
        count(*) filter (where is_below is null) as unknown_count,
        0 as absent_count,
        list_distinct(list(mark_origin)) as mark_origins,
        list_distinct(flatten(list(scale_ids))) as scale_ids,
        list_distinct(flatten(list(evidence))) as evidence,
        list_distinct(flatten(list(delivery_ids))) as delivery_ids
    from {{ ref('int_exam_outcome') }}
    group by method_id, academic_year, school_id, procedure_id
),

exam_absent as (
    select
        method_subject.method_id,
        case method_subject.year_basis when 'held' then exam.held_year else exam.measured_year end as academic_year,
        exam.school_id,
        method_subject.procedure_id,
        count(distinct exam.person_id) as absent_count,
        list(distinct exam.delivery_id) as delivery_ids
    from {{ ref('int_exam_attempt') }} as exam
    inner join method_subject
        on
            exam.assessment = method_subject.assessment
            and exam.subject_id = method_subject.subject_id
            and exam.test_grade = method_subject.test_grade
    where not exam.is_participant
    group by all
),

report_count as (
    select
        method_subject.method_id,
        case method_subject.year_basis when 'held' then report.held_year else report.measured_year end as academic_year,
        report.school_id,
        method_subject.procedure_id,
        sum(report.participants) as participants,
        coalesce(sum(report.below_minimum), 0) as below_minimum,
        coalesce(sum(report.participants) filter (where report.below_minimum is null), 0) as unknown_count,
        0 as absent_count,
        ['report'] as mark_origins,
        cast([] as varchar[]) as scale_ids,
        cast([] as varchar[]) as evidence,
        list(distinct report.delivery_id) as delivery_ids
    from {{ ref('int_aggregate_result') }} as report
    inner join method_subject
        on
            report.assessment = method_subject.assessment
            and report.subject_id = method_subject.subject_id
            and case method_subject.grade_basis when 'pupil' then report.pupil_grade else report.test_grade end
            = method_subject.test_grade
    group by method_subject.method_id, academic_year, report.school_id, method_subject.procedure_id
),

source_count as (
    select *, 'participants' as result_source from vpr_count
    union all
    select
        coalesce(exam_count.method_id, exam_absent.method_id),
        coalesce(exam_count.academic_year, exam_absent.academic_year),
        coalesce(exam_count.school_id, exam_absent.school_id),
        coalesce(exam_count.procedure_id, exam_absent.procedure_id),
        coalesce(exam_count.participants, 0),
        coalesce(exam_count.below_minimum, 0),
        coalesce(exam_count.unknown_count, 0),
        coalesce(exam_absent.absent_count, 0),
        coalesce(exam_count.mark_origins, []),
        coalesce(exam_count.scale_ids, []),
        coalesce(exam_count.evidence, []),
        coalesce(exam_count.delivery_ids, exam_absent.delivery_ids),
        'participants'
    from exam_count
    full outer join exam_absent
        on
            exam_count.method_id = exam_absent.method_id
            and exam_count.academic_year = exam_absent.academic_year
            and exam_count.school_id = exam_absent.school_id
            and exam_count.procedure_id = exam_absent.procedure_id
    union all
    select *, 'aggregate' from report_count
)

select *
from source_count
qualify row_number() over (
    partition by method_id, academic_year, school_id, procedure_id
    order by participants > 0 desc, result_source = 'participants' desc
) = 1
