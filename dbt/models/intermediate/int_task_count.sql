-- Class × task of a work: who answered and what for. A task not taught is no answer; neither is one that cannot be read
-- or a score above the greatest. Every class of a work has all its tasks.
{{ config(meta={'kept': 'portion'}) }}
with class as (
    select
        academic_year,
        procedure_id,
        school_id,
        class_name,
        cast(sum(pupils) as bigint) as participants
    from {{ ref('int_task_answer') }}
    where position = 1
    group by all
),

task as (
    select distinct academic_year, procedure_id, position
    from {{ ref('int_task_column') }}
    where is_usable
),

counted as (
    select
        answer.academic_year,
        answer.procedure_id,
        answer.school_id,
        answer.class_name,
        answer.position,
        sum(answer.pupils) filter (where answer.points <= task.max_score or answer.score = 'X') as answers_count,
        sum(answer.pupils) filter (where answer.score = 'X') as not_attempted_count,
        sum(answer.pupils) filter (where answer.score = 'N') as not_taught_count,
        sum(answer.pupils * answer.points) filter (where answer.points <= task.max_score) as points,
        sum(answer.pupils * task.max_score) filter (where answer.points <= task.max_score or answer.score = 'X') as max_points
    from {{ ref('int_task_answer') }} as answer
    inner join {{ ref('int_task_column') }} as task using (academic_year, procedure_id, delivery_id, position)
    where task.is_usable
    group by all
)

select
    class.academic_year,
    class.procedure_id,
    class.school_id,
    class.class_name,
    task.position,
    class.participants,
    {%- for column in ['answers_count', 'not_attempted_count', 'not_taught_count', 'points', 'max_points'] %}
    cast(coalesce(counted.{{ column }}, 0) as bigint) as {{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
from class
inner join task using (academic_year, procedure_id)
left join counted using (academic_year, procedure_id, school_id, class_name, position)
