-- Answers of the participants of ВПР, counted: work × delivery × school × class × place in the protocol × answer.
-- The only reading of single answers; everything about tasks is counted from here.
with work as (
    {{ counted_works() }}
),

answer as (
    select
        work.delivery_id,
        work.measured_year,
        work.test_grade,
        work.subject_id,
        work.school_id,
        work.class_name,
        unnest(work.task_scores) as score,
        generate_subscripts(work.task_scores, 1) as position
    from work
    inner join {{ ref('int_school') }} as school on work.school_id = school.school_id
    where work.attendance = 'participated' and not school.is_no_school
),

counted as (
    select
        *,
        count(*) as pupils
    from answer
    group by all
)

select
    measured_year as academic_year,
    'vpr_' || test_grade || '_' || subject_id as procedure_id,
    test_grade,
    subject_id,
    delivery_id,
    school_id,
    {{ class_label('class_name') }} as class_name,
    position,
    score,
    {{ points('score') }} as points,
    cast(sum(pupils) as bigint) as pupils
from counted
group by all
