-- Year × school × procedure × attempt: participants and those below, for what indicators name. The counts of the
-- official method serve where it counts that attempt, so that a programme and the list never contradict each other;
-- other procedures and attempts are counted from the protocols; reported totals stand in where there are none.
with wanted as (
    select * from {{ ref('int_programme_wanted') }}
),

official as (
    select
        counted.academic_year,
        counted.school_id,
        counted.procedure_id,
        wanted.attempt,
        counted.participants,
        case when counted.unknown_count = 0 then counted.below_minimum end as below_minimum,
        1 as preference
    from {{ ref('int_procedure_count') }} as counted
    inner join {{ ref('int_official_method') }} as official
        on counted.method_id = official.method_id and counted.academic_year = official.academic_year
    inner join {{ source('reference', 'method') }} as method on official.method_id = method.method_id
    inner join {{ source('reference', 'procedure') }} as procedure on counted.procedure_id = procedure.procedure_id
    inner join wanted on counted.procedure_id = wanted.procedure_id
    -- ВПР is written once
    where counted.participants > 0 and (procedure.assessment = 'vpr' or wanted.attempt = method.attempt)
),

protocol as (
    select
        academic_year,
        school_id,
        procedure_id,
        attempt,
        count(*) as participants,
        case when count(*) = count(is_below) then count(*) filter (where is_below) end as below_minimum,
        2 as preference
    from {{ ref('int_programme_exam') }}
    group by academic_year, school_id, procedure_id, attempt
),

work as (
    select
        work.measured_year as academic_year,
        head.head_school_id as school_id,
        wanted.procedure_id,
        wanted.attempt,
        sum(work.pupils) as participants,
        case when bool_and(coalesce(work.mark, work.scale_mark) is not null)
            then coalesce(sum(work.pupils) filter (where coalesce(work.mark, work.scale_mark) <= {{ var('failing_mark') }}), 0)
        end as below_minimum,
        2 as preference
    from {{ ref('int_vpr_work') }} as work
    inner join {{ source('reference', 'procedure_subject') }} as procedure_subject
        on
            procedure_subject.assessment = 'vpr'
            and work.subject_id = procedure_subject.subject_id
            and work.test_grade = procedure_subject.test_grade
    inner join wanted on procedure_subject.procedure_id = wanted.procedure_id
    inner join {{ ref('int_school_head') }} as head on work.school_id = head.school_id
    where work.is_participant
    group by all
),

report as (
    select
        report.measured_year as academic_year,
        head.head_school_id as school_id,
        wanted.procedure_id,
        wanted.attempt,
        sum(report.participants) as participants,
        case when count(*) = count(report.below_minimum) then sum(report.below_minimum) end as below_minimum,
        3 as preference
    from {{ ref('int_aggregate_result') }} as report
    inner join {{ source('reference', 'procedure_subject') }} as procedure_subject
        on
            report.assessment = procedure_subject.assessment
            and report.subject_id = procedure_subject.subject_id
            and report.test_grade = procedure_subject.test_grade
    inner join wanted on procedure_subject.procedure_id = wanted.procedure_id
    inner join {{ ref('int_school_head') }} as head on report.school_id = head.school_id
    group by all
    having sum(report.participants) > 0
)

select
    academic_year,
    school_id,
    procedure_id,
    attempt,
    cast(participants as bigint) as participants,
    cast(below_minimum as bigint) as below_minimum
from (
    select * from official
    union all select * from protocol
    union all select * from work
    union all select * from report
)
qualify row_number() over (partition by academic_year, school_id, procedure_id, attempt order by preference) = 1
