{#
    Checks: the participants of all schools are those of the lake: none lost and none counted twice on the way, branches included.
    Resolve: at once; every share rests on these numbers.
    How: compare int_vpr_work, int_exam_outcome and int_aggregate_result with int_result_count for the procedure below.
#}
{{ config(meta={'dagster': {'ref': {'name': 'procedure_result'}}}) }}
with counted as (
    select academic_year, procedure_id, sum(own_participants) as participants
    from {{ ref('procedure_result') }}
    group by academic_year, procedure_id
),

own as (
    select result.academic_year, result.procedure_id, sum(result.participants) as participants
    from {{ ref('int_result_count') }} as result
    inner join {{ ref('int_official_method') }} as official using (method_id, academic_year)
    group by result.academic_year, result.procedure_id
),

vpr as (
    select
        case method.year_basis when 'held' then work.held_year else work.measured_year end as academic_year,
        procedure_subject.procedure_id,
        sum(work.pupils) as participants
    from {{ ref('int_vpr_work') }} as work
    inner join {{ source('reference', 'procedure_subject') }} as procedure_subject
        on procedure_subject.assessment = 'vpr' and work.subject_id = procedure_subject.subject_id
    inner join {{ source('reference', 'method_procedure') }} as method_procedure using (procedure_id)
    inner join {{ source('reference', 'method') }} as method using (method_id)
    inner join {{ source('reference', 'method_category') }} as category using (method_id, participant_category)
    inner join {{ ref('int_official_method') }} as official
        on
            method.method_id = official.method_id
            and official.academic_year = case method.year_basis when 'held' then work.held_year else work.measured_year end
    where
        work.is_participant
        and procedure_subject.test_grade = case method.grade_basis when 'pupil' then work.pupil_grade else work.test_grade end
    group by all
),

vpr_counted as (
    select result.academic_year, result.procedure_id, sum(result.participants) as participants
    from {{ ref('int_result_count') }} as result
    inner join {{ ref('int_official_method') }} as official using (method_id, academic_year)
    inner join {{ source('reference', 'procedure') }} as procedure using (procedure_id)
    where procedure.assessment = 'vpr' and result.result_source = 'participants'
    group by result.academic_year, result.procedure_id
)

select 'schools' as place, *, own.participants as expected
from counted full outer join own using (academic_year, procedure_id)
where coalesce(counted.participants, 0) <> coalesce(own.participants, 0)
union all
select 'works', *, vpr.participants
from vpr_counted full outer join vpr using (academic_year, procedure_id)
where coalesce(vpr_counted.participants, 0) <> coalesce(vpr.participants, 0)
