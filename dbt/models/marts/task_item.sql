-- Tasks, skills and content elements of every work delivered, with what is known of them and why some have no figures.
select
    academic_year,
    procedure_id,
    item_kind,
    item_id,
    min(sort_order) as sort_order,
    min(title_ru) as title_ru,
    {{ string_agg('task_id', '; ', 'position') }} filter (where is_usable) as tasks_ru,
    {{ string_agg('task_id', '; ', 'position') }} filter (where not is_usable) as left_out_tasks_ru,
    case
        when min(level) filter (where is_usable) <> max(level) filter (where is_usable) then 'mixed'
        else min(level) filter (where is_usable)
    end as level,
    cast(sum(max_score) filter (where is_usable) as bigint) as max_score,
    case
        when not bool_or(is_usable) then 'refused'
        when bool_and(finding = 'header') then 'header'
        when bool_or(finding = 'header_only') then 'header_only'
        when bool_or(finding = 'unproven') then 'unproven'
        else 'observed'
    end as maximum_check,
    bool_or(is_usable) as has_figures,
    min(specification_year) filter (where not is_work_refused) as specification_year,
    coalesce(bool_or(not is_work_refused and specification_year <> academic_year), false) as is_other_year_specification,
    {{ string_agg('told_ru', ' ', 'told_ru', distinct=true) }} as reason_ru
from (
    select
        *,
        case
            when item_kind = 'task' then reason_ru
            else 'Задание ' || task_id || ': ' || lower(left(reason_ru, 1)) || substr(reason_ru, 2)
        end as told_ru
    from {{ ref('int_item_task') }}
)
group by academic_year, procedure_id, item_kind, item_id
