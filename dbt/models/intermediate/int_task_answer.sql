-- Answers of the participants of ВПР, counted: work × delivery × school × class × place in the protocol × answer.
-- The only reading of single answers; everything about tasks is counted from here.
with work as (
    {{ counted_works() }}
),

-- grouped by numbers and short texts: there are tens of millions of answers
counted as (
    select
        work_no,
        class_name,
        position,
        score,
        count(*) as pupils
    from (
        select
            work_no,
            class_name,
            {{ unnested_with_place('task_scores', 'score', 'position') }}
        from work
        where attendance = 'participated'
    )
    group by all
)

select
    chosen.measured_year as academic_year,
    'vpr_' || chosen.test_grade || '_' || chosen.subject_id as procedure_id,
    chosen.test_grade,
    chosen.subject_id,
    chosen.delivery_id,
    chosen.school_id,
    {{ class_label('counted.class_name') }} as class_name,
    counted.position,
    counted.score,
    {{ points('counted.score') }} as points,
    cast(sum(counted.pupils) as bigint) as pupils
from counted
inner join {{ ref('int_chosen_work') }} as chosen on counted.work_no = chosen.work_no
inner join {{ ref('int_school') }} as school on chosen.school_id = school.school_id
where not school.is_no_school
group by all
