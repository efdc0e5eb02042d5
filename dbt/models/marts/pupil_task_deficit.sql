-- Participants by code: which tasks and skills each has to learn again, in what order, against the region. No names.
{{ config(meta={'kept': 'portion'}) }}
with setting as (
    select * from {{ source('reference', 'deficit_setting') }}
),

skill as (
    select academic_year, procedure_id, position, array_sort(array_agg(item_id)) as skill_ids
    from {{ ref('int_item_task') }}
    where item_kind = 'skill'
    group by all
),

-- the tasks of a protocol, those first that a pupil should learn first: base level, then what most others can do
turn as (
    select
        task.academic_year,
        task.procedure_id,
        task.delivery_id,
        region.territory_id as region_code,
        item.item_id as task_id,
        task.position as place,
        task.max_score,
        region.completion_share as region_share,
        coalesce(skill.skill_ids, {{ no_texts() }}) as skill_ids,
        row_number() over (
            partition by task.academic_year, task.procedure_id, task.delivery_id, region.territory_id
            order by coalesce(task.level = 'Б', false) desc, region.completion_share desc, task.position
        ) as turn
    from {{ ref('int_task_column') }} as task
    inner join {{ ref('int_item_task') }} as item
        on
            item.item_kind = 'task'
            and task.academic_year = item.academic_year
            and task.procedure_id = item.procedure_id
            and task.position = item.position
    inner join {{ ref('int_deficit') }} as region
        on
            region.territory_level = 'region'
            and region.item_kind = 'task'
            and item.academic_year = region.academic_year
            and item.procedure_id = region.procedure_id
            and item.item_id = region.item_id
    left join skill
        on
            task.academic_year = skill.academic_year
            and task.procedure_id = skill.procedure_id
            and task.position = skill.position
    where task.is_usable
),

-- a list sorts by the first field of its items
{%- set fields = {} %}
{%- for field in ['turn', 'task_id', 'place', 'max_score', 'region_share', 'skill_ids'] %}{% do fields.update({field: field}) %}{% endfor %}
task as (
    select academic_year, procedure_id, delivery_id, region_code, array_sort(array_agg({{ struct(fields) }})) as tasks
    from turn
    group by all
),

work as (
    {{ counted_works() }}
),

{%- set score = list_item('work.task_scores', 't.place') %}
{%- set answer = {
    'task_id': 't.task_id',
    'max_score': 't.max_score',
    'region_share': 't.region_share',
    'skill_ids': 't.skill_ids',
    'points': "case " ~ score ~ " when 'X' then 0 else " ~ points(score) ~ " end",
} %}
answered as (
    select
        work.measured_year as academic_year,
        task.procedure_id,
        work.school_id,
        work.school_key,
        work.delivery_id,
        {{ class_label('work.class_name') }} as class_name,
        coalesce(work.participant_code, 'строка ' || work.source_row) as participant_code,
        setting.pupil_share_numerator,
        setting.pupil_share_denominator,
        {{ list_filter(list_transform('task.tasks', 't', struct(answer)), 'a', 'a.points <= a.max_score') }} as answers,
        {{ list_filter('task.tasks', 't', score ~ " = 'N'") }} as not_taught
    from work
    inner join {{ ref('int_school') }} as school on work.school_id = school.school_id
    inner join {{ ref('int_task_year') }} as recent on work.measured_year = recent.academic_year
    inner join setting on recent.whole_years_later < setting.pupil_years
    inner join task
        on
            work.measured_year = task.academic_year
            and {{ vpr_procedure('work') }} = task.procedure_id
            and work.delivery_id = task.delivery_id
            and school.region_code = task.region_code
    where work.attendance = 'participated' and not school.is_no_school
),

summed as (
    select
        * {{ without('pupil_share_numerator, pupil_share_denominator') }},
        cast(coalesce({{ list_sum(list_transform('answers', 'a', 'a.points')) }}, 0) as bigint) as points,
        cast(coalesce({{ list_sum(list_transform('answers', 'a', 'a.max_score')) }}, 0) as bigint) as max_points,
        {{ list_sum(list_transform('answers', 'a', 'a.max_score * a.region_share')) }} as region_points,
        {{ list_filter('answers', 'a', 'a.points * pupil_share_denominator < a.max_score * pupil_share_numerator') }} as deficits
    from answered
),

skilled as (
    select
        *,
        flatten({{ list_transform('deficits', 'd', 'd.skill_ids') }}) as skill_ids
    from summed
)

select
    academic_year,
    procedure_id,
    school_id,
    school_key,
    delivery_id,
    participant_code,
    class_name,
    points,
    max_points,
    max_points - points as lost_points,
    points / nullif(max_points, 0) as completion_share,
    region_points / nullif(max_points, 0) as region_completion_share,
    (points - region_points) / nullif(max_points, 0) as gap,
    {{ list_length('deficits') }} as deficits_count,
    nullif({{ joined(list_transform('deficits', 'd', 'd.task_id'), '; ') }}, '') as deficit_tasks_ru,
    nullif({{ joined(first_seen('skill_ids'), '; ') }}, '') as deficit_skills_ru,
    nullif({{ joined(list_transform('not_taught', 't', 't.task_id'), '; ') }}, '') as not_taught_tasks_ru
from skilled
where max_points > 0 or {{ list_length('not_taught') }} > 0
