-- School × task, skill or content element of a work. An item of several tasks has as many pupils as answered the task of
-- it that most answered.
{{ config(meta={'kept': 'portion'}) }}
{%- set sums = ['answers_count', 'not_attempted_count', 'not_taught_count', 'points', 'max_points'] %}

with school_task as (
    select
        academic_year,
        procedure_id,
        school_id,
        position,
        sum(participants) as participants,
        {%- for column in sums %}
        sum({{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('int_task_count') }}
    group by all
)

select
    count.academic_year,
    count.procedure_id,
    item.item_kind,
    item.item_id,
    count.school_id,
    cast(max(count.participants) as bigint) as participants,
    cast(max(count.answers_count) as bigint) as pupils_count,
    cast(sum(count.participants) - sum(count.answers_count) - sum(count.not_taught_count) as bigint) as unread_count,
    {%- for column in sums %}
    cast(sum(count.{{ column }}) as bigint) as {{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
from school_task as count
inner join {{ ref('int_item_task') }} as item using (academic_year, procedure_id, position)
group by all
