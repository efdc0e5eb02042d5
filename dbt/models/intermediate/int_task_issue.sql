-- Where answers by task cannot be read with the specification, or not wholly. Columns as in int_data_issue.
with work as (
    select
        task.*,
        procedure.short_ru
    from {{ ref('int_task_column') }} as task
    inner join {{ source('reference', 'procedure') }} as procedure on task.procedure_id = procedure.procedure_id
),

missing as (
    select
        delivery_id,
        'task_scores' as column_name,
        procedure_id as value,
        'task_specification_missing' as check_id,
        'Описания заданий работы ' || short_ru || ' за ' || academic_year || ' учебный год нет: '
        || case
            when bool_and(finding = 'header_only') then 'выполнение посчитано по шапке протокола, уровни и умения неизвестны.'
            else 'величин по заданиям нет.'
        end as reason_ru,
        'Пришлите описание работы таблицей или разрешите описание другого года в reference/deficits.' as remedy_ru,
        academic_year
    from work
    where finding in ('no_specification', 'header_only')
    group by delivery_id, procedure_id, short_ru, academic_year
),

other_work as (
    select
        delivery_id,
        'task_scores' as column_name,
        procedure_id as value,
        'task_columns_differ' as check_id,
        'Работа ' || short_ru || ' не та, что описана за ' || min(specification_year) || ' учебный год: '
        || case
            when bool_or(finding = 'columns')
                then 'заданий в протоколе ' || max(columns_count) || ', в описании ' || max(tasks_count)
            else 'наибольшие баллы не сошлись у ' || count(*) filter (where finding in ('maximum', 'label'))
                || ' заданий из ' || count(*)
        end || '. Величин по заданиям нет.' as reason_ru,
        'Пришлите описание именно этой работы.' as remedy_ru,
        academic_year
    from work
    where is_work_refused
    group by delivery_id, procedure_id, short_ru, academic_year
),

other_task as (
    select
        delivery_id,
        'task_scores' as column_name,
        procedure_id as value,
        'task_maximum_differs' as check_id,
        'Работа ' || short_ru || ': наибольший балл или обозначение не те, что в описании, у заданий '
        || {{ string_agg("coalesce(task_label, '№ ' || position)", ', ', 'position') }} || '. Величин по ним нет.' as reason_ru,
        'Сверьте описание с протоколом и пришлите исправленное.' as remedy_ru,
        academic_year
    from work
    where not is_work_refused and finding in ('maximum', 'label', 'ambiguous')
    group by delivery_id, procedure_id, short_ru, academic_year
),

twice as (
    select
        task.delivery_id,
        'task_label' as column_name,
        procedure.procedure_id as value,
        'task_described_twice' as check_id,
        'Работа ' || procedure.short_ru || ': дважды описаны задания ' || {{ string_agg('task.task_label', ', ', 'task.position') }}
        || '. Взята последняя строка каждого.' as reason_ru,
        'Уберите из описания лишние строки.' as remedy_ru,
        task.specification_year as academic_year
    from {{ ref('int_task_specification') }} as task
    inner join {{ source('reference', 'procedure') }} as procedure
        on procedure.procedure_id = {{ vpr_procedure('task') }}
    where task.rows_count > 1
    group by task.delivery_id, procedure.procedure_id, procedure.short_ru, task.specification_year
),

undated as (
    select
        delivery_id,
        'specification_year' as column_name,
        cast(null as string) as value,
        'specification_without_year' as check_id,
        'Год описания заданий не назван ни в файле, ни в его имени: описание не используется, заданий в нём '
        || count(*) || '.' as reason_ru,
        'Добавьте столбец «год» или назовите год в имени файла.' as remedy_ru,
        cast(null as string) as academic_year
    from {{ ref('stg_task_specification') }}
    where specification_year is null
    group by delivery_id
)

select * from missing
union all
select * from other_work
union all
select * from other_task
union all
select * from twice
union all
select * from undated
