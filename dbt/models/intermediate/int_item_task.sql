-- What a work tells about, and through which task columns: every task itself, every skill and every content element that
-- the specification names. Work × kind × item × place of a task.
with place as (
    select *
    from {{ ref('int_task_column') }}
    -- a refused delivery says what was in the work only where no other does
    qualify
        row_number() over (
            partition by academic_year, procedure_id, position
            order by is_usable desc, is_work_refused, given_count desc, delivery_id
        ) = 1
        and is_work_refused = bool_and(is_work_refused) over (partition by academic_year, procedure_id)
),

task as (
    select
        place.academic_year,
        place.procedure_id,
        'task' as item_kind,
        case
            when place.task_label is null then '№ ' || place.position
            when count(*) over (partition by place.academic_year, place.procedure_id, place.task_label) > 1
                then place.task_label || ' (№ ' || place.position || ')'
            else place.task_label
        end as item_id,
        place.title_ru,
        place.position,
        place.level,
        place.max_score,
        place.is_usable,
        place.is_work_refused,
        place.finding,
        place.specification_year,
        case
            when place.is_work_refused and place.finding = 'columns'
                then 'В протоколе заданий ' || place.columns_count || ', в описании ' || place.tasks_count
                || ': какое задание в каком столбце, неизвестно.'
            when place.is_work_refused then 'Наибольшие баллы не сошлись у многих заданий: описана другая работа.'
            when place.finding = 'maximum'
                then 'Наибольший балл по описанию ' || place.task_max_score || ', в протоколе '
                || coalesce(cast(place.header_max_score as string), 'другой') || '.'
            when place.finding = 'label'
                then 'По описанию здесь задание ' || place.task_label || ', по шапке протокола ' || place.header_label || '.'
            when place.finding = 'ambiguous' then 'На листах поставки у этого столбца разные шапки.'
            when place.finding = 'no_specification'
                then 'Описания работы нет, и шапка протокола не называет наибольшего балла.'
            when place.finding = 'header_only' then 'Описания работы нет: уровень и умения неизвестны.'
            when place.finding = 'unproven' then 'Наибольший балл не проверен: баллов мало.'
        end as reason_ru,
        specification.skill_fgos,
        specification.skill_codes,
        specification.content_codes,
        place.test_grade,
        place.subject_id
    from place
    left join {{ ref('int_task_specification') }} as specification
        on
            not place.is_work_refused
            and place.specification_year = specification.specification_year
            and place.test_grade = specification.test_grade
            and place.subject_id = specification.subject_id
            and place.position = specification.position
),

-- a task whose skill has no code is known by the words of its skill
coded as (
    select
        *,
        'skill' as coded_kind,
        'kt' as codifier,
        {{ unnested('array_distinct(skill_codes)') }} as code
    from task
    union all
    select
        *,
        'content',
        'kes',
        {{ unnested('array_distinct(content_codes)') }}
    from task
    union all
    select
        *,
        'skill',
        null,
        'задание ' || min_by(item_id, position) over (partition by academic_year, procedure_id, skill_fgos)
    from task
    where {{ list_length('skill_codes') }} = 0 and skill_fgos is not null
),

label as (
    select specification_year, test_grade, subject_id, codifier, replace(code, ' ', '') as code, label
    from {{ ref('stg_codifier') }}
    qualify row_number() over (
        partition by specification_year, test_grade, subject_id, codifier, replace(code, ' ', '')
        order by arrival desc, source_row
    ) = 1
),

named as (
    select
        coded.academic_year,
        coded.procedure_id,
        coded.coded_kind as item_kind,
        coded.code,
        min(case when coded.codifier is null then coded.skill_fgos else label.label end) as title_ru,
        array_sort(array_agg(coded.position)) as positions
    from coded
    left join label using (specification_year, test_grade, subject_id, codifier, code)
    group by all
),

-- codes that the same tasks check are one item: the work cannot tell them apart
item as (
    select
        academic_year,
        procedure_id,
        item_kind,
        positions,
        {{ string_agg('code', ';', 'code') }} as item_id,
        {{ string_agg('title_ru', '; ', 'title_ru', distinct=true) }} as title_ru
    from named
    group by all
)

{%- set told = ['academic_year', 'procedure_id', 'position', 'level', 'max_score', 'is_usable', 'is_work_refused', 'finding', 'specification_year', 'reason_ru'] %}
select
    {%- for column in told %}
    {{ column }},
    {%- endfor %}
    item_kind,
    item_id,
    title_ru,
    item_id as task_id,
    position as sort_order
from task
union all
select
    {%- for column in told %}
    task.{{ column }},
    {%- endfor %}
    item.item_kind,
    item.item_id,
    item.title_ru,
    task.item_id as task_id,
    {{ list_item('item.positions', 1) }} as sort_order
from item
inner join task
    on
        item.academic_year = task.academic_year
        and item.procedure_id = task.procedure_id
        and array_contains(item.positions, task.position)
