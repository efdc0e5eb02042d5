{#
    Checks: of every task, skill and content element a region is the sum of its municipalities, a municipality that of its schools,
    and, for tasks, a school that of its classes, wherever the smaller parts are kept.
    Resolve: before a release.
    How: see int_item_count and int_deficit; a school with two municipalities, or a class without a row for a task, would break it.
#}
{{ config(meta={'kept': 'portion', 'dagster': {'ref': {'name': 'task_deficit'}}}) }}
{%- set columns = ['participants', 'answers_count', 'not_attempted_count', 'not_taught_count', 'unread_count', 'points', 'max_points'] %}
with part as (
    select deficit.*, school.municipality_id, school.region_code
    from {{ ref('task_deficit') }} as deficit
    left join {{ ref('int_school') }} as school on deficit.school_id = school.school_id
),

place as (
    select distinct municipality_id, region_code from {{ ref('int_school') }}
),

summed as (
    select academic_year, procedure_id, item_kind, item_id, 'school' as territory_level, school_id as territory_id,
        {%- for column in columns %}
        sum({{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from part
    where territory_level = 'class'
    group by all
    union all
    select academic_year, procedure_id, item_kind, item_id, 'municipality', municipality_id,
        {%- for column in columns %}
        sum({{ column }}){{ ',' if not loop.last }}
        {%- endfor %}
    from part
    where territory_level = 'school'
    group by all
    union all
    select part.academic_year, part.procedure_id, part.item_kind, part.item_id, 'region', place.region_code,
        {%- for column in columns %}
        sum(part.{{ column }}){{ ',' if not loop.last }}
        {%- endfor %}
    from part
    inner join place on part.territory_id = place.municipality_id
    where part.territory_level = 'municipality'
    group by all
)

select summed.academic_year, summed.procedure_id, summed.item_kind, summed.item_id, summed.territory_level, summed.territory_id
from summed
left join {{ ref('task_deficit') }} as whole using (academic_year, procedure_id, item_kind, item_id, territory_level, territory_id)
where
    {%- for column in columns %}
    summed.{{ column }} is distinct from whole.{{ column }}{{ ' or' if not loop.last }}
    {%- endfor %}
