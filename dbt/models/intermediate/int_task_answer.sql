-- Answers of the participants of ВПР, counted: work × delivery × school × class × place in the protocol × answer.
-- The only reading of single answers; everything about tasks is counted from here.
{{ config(meta={'kept': 'portion'}) }}
with work as (
    {{ counted_works() }}
),

-- one number for a work, whatever its portion
numbered as (
    select
        *,
        row_number() over (order by portion, work_no) as number
    from {{ ref('int_chosen_work') }}
),

-- the same work under several keys of one school is one
work_place as (
    select
        chosen.number,
        chosen.portion,
        chosen.work_no,
        min(chosen.number) over (
            partition by
                chosen.delivery_id, chosen.school_id, chosen.measured_year, chosen.test_grade, chosen.subject_id
        ) as first_no,
        chosen.measured_year as academic_year,
        {{ vpr_procedure('chosen') }} as procedure_id,
        chosen.test_grade,
        chosen.subject_id,
        chosen.delivery_id,
        chosen.school_id
    from numbered as chosen
    inner join {{ ref('int_school') }} as school on chosen.school_id = school.school_id
    where not school.is_no_school
),

-- what a class is called has few ways of being written: each is read once
class as (
    select
        class_name,
        {{ class_label('class_name') }} as class_label
    from (select distinct class_name from {{ ref('stg_assessment_result') }} where assessment = 'vpr')
),

-- grouped by a number and short texts: there are tens of millions of answers
answer as (
    select
        first_no,
        class_label,
        position,
        score,
        count(*) as pupils
    from (
        select
            work_place.first_no,
            class.class_label,
            {{ unnested_with_place('work.task_scores', 'score', 'position') }}
        from work
        inner join work_place on work.portion = work_place.portion and work.work_no = work_place.work_no
        inner join class on work.class_name is not distinct from class.class_name
        where work.attendance = 'participated'
    )
    group by all
)

select
    work_place.academic_year,
    work_place.procedure_id,
    work_place.test_grade,
    work_place.subject_id,
    work_place.delivery_id,
    work_place.school_id,
    answer.class_label as class_name,
    answer.position,
    answer.score,
    {{ points('answer.score') }} as points,
    answer.pupils
from answer
inner join work_place on answer.first_no = work_place.number
