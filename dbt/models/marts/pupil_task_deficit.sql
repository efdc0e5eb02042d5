-- Participants by code: which tasks and skills each has to learn again, in what order, against the region. No names.
with setting as (
    select * from {{ source('reference', 'deficit_setting') }}
),

skill as (
    select academic_year, procedure_id, position, list(item_id order by item_id) as skill_ids
    from {{ ref('int_item_task') }}
    where item_kind = 'skill'
    group by all
),

-- the tasks of a protocol, those first that a pupil should learn first: base level, then what most others can do
task as (
    select
        task.academic_year,
        task.procedure_id,
        task.delivery_id,
        region.territory_id as region_code,
        list(
            struct_pack(
                task_id := item.item_id,
                place := task.position,
                max_score := task.max_score,
                region_share := region.completion_share,
                skill_ids := coalesce(skill.skill_ids, [])
            )
            order by coalesce(task.level = 'Б', false) desc, region.completion_share desc, task.position
        ) as tasks
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
    group by all
),

work as (
    {{ counted_works() }}
),

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
        list_filter(
            list_transform(task.tasks, lambda t: struct_pack(
                task_id := t.task_id,
                max_score := t.max_score,
                region_share := t.region_share,
                skill_ids := t.skill_ids,
                points := case work.task_scores[t.place] when 'X' then 0 else {{ points('work.task_scores[t.place]') }} end
            )),
            lambda a: a.points <= a.max_score
        ) as answers,
        list_filter(task.tasks, lambda t: work.task_scores[t.place] = 'N') as not_taught
    from work
    inner join {{ ref('int_school') }} as school on work.school_id = school.school_id
    inner join {{ ref('int_task_year') }} as recent on work.measured_year = recent.academic_year
    inner join setting on recent.whole_years_later < setting.pupil_years
    inner join task
        on
            work.measured_year = task.academic_year
            and 'vpr_' || work.test_grade || '_' || work.subject_id = task.procedure_id
            and work.delivery_id = task.delivery_id
            and school.region_code = task.region_code
    where work.attendance = 'participated' and not school.is_no_school
),

summed as (
    select
        * exclude (pupil_share_numerator, pupil_share_denominator),
        cast(coalesce(list_sum(list_transform(answers, lambda a: a.points)), 0) as bigint) as points,
        cast(coalesce(list_sum(list_transform(answers, lambda a: a.max_score)), 0) as bigint) as max_points,
        list_sum(list_transform(answers, lambda a: a.max_score * a.region_share)) as region_points,
        list_filter(answers, lambda a: a.points * pupil_share_denominator < a.max_score * pupil_share_numerator) as deficits
    from answered
),

skilled as (
    select
        *,
        flatten(list_transform(deficits, lambda d: d.skill_ids)) as skill_ids
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
    len(deficits) as deficits_count,
    nullif(array_to_string(list_transform(deficits, lambda d: d.task_id), '; '), '') as deficit_tasks_ru,
    nullif(array_to_string(list_filter(skill_ids, lambda s, i: list_position(skill_ids, s) = i), '; '), '') as deficit_skills_ru,
    nullif(array_to_string(list_transform(not_taught, lambda t: t.task_id), '; '), '') as not_taught_tasks_ru
from skilled
where max_points > 0 or len(not_taught) > 0
