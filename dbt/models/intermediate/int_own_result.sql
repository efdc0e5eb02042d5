-- Year × school × procedure, every procedure that anything was delivered of: own participants and those below. Procedures
-- of the official method are counted as the method counts them; of the others protocols beat a reported total.
with official as (
    select
        counted.academic_year,
        counted.school_id,
        counted.procedure_id,
        counted.participants,
        counted.below_minimum,
        counted.unknown_count,
        1 as preference
    from {{ ref('int_result_count') }} as counted
    inner join {{ ref('int_official_method') }} as official
        on counted.method_id = official.method_id and counted.academic_year = official.academic_year
),

vpr as (
    select
        academic_year,
        school_id,
        procedure_id,
        participants,
        below_minimum,
        unknown_count,
        2 as preference
    from {{ ref('int_vpr_summary') }}
),

exam as (
    select
        exam.academic_year,
        exam.school_id,
        exam.procedure_id,
        count(*) as participants,
        count(*) filter (where exam.is_below) as below_minimum,
        count(*) filter (where exam.is_below is null) as unknown_count,
        2 as preference
    from {{ ref('int_programme_exam') }} as exam
    inner join {{ ref('int_official_method') }} as official on exam.academic_year = official.academic_year
    inner join {{ source('reference', 'method') }} as method
        on official.method_id = method.method_id and exam.attempt = method.attempt
    group by exam.academic_year, exam.school_id, exam.procedure_id
),

report as (
    select
        report.measured_year as academic_year,
        report.school_id,
        procedure_subject.procedure_id,
        sum(report.participants) as participants,
        coalesce(sum(report.below_minimum), 0) as below_minimum,
        coalesce(sum(report.participants) filter (where report.below_minimum is null), 0) as unknown_count,
        3 as preference
    from {{ ref('int_aggregate_result') }} as report
    inner join {{ source('reference', 'procedure_subject') }} as procedure_subject
        on
            report.assessment = procedure_subject.assessment
            and report.subject_id = procedure_subject.subject_id
            and report.test_grade = procedure_subject.test_grade
    group by report.measured_year, report.school_id, procedure_subject.procedure_id
)

select
    own.academic_year,
    own.school_id,
    own.procedure_id,
    cast(own.participants as bigint) as participants,
    cast(own.below_minimum as bigint) as below_minimum,
    cast(own.unknown_count as bigint) as unknown_count,
    school.municipality_id,
    school.region_code
from (
    select * from official
    union all select * from vpr
    union all select * from exam
    union all select * from report
) as own
inner join {{ ref('int_school') }} as school on own.school_id = school.school_id
where own.participants > 0 and not school.is_no_school
qualify row_number() over (
    partition by own.academic_year, own.school_id, own.procedure_id order by own.preference
) = 1
