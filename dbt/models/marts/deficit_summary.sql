-- School, municipality and region × work: how many tasks are done well enough, and what to teach again, in words.
{{ config(meta={'kept': 'portion'}) }}
with setting as (
    select * from {{ source('reference', 'deficit_setting') }}
),

work as (
    select
        academic_year,
        procedure_id,
        school_id,
        sum(pupils) as participants
    from {{ ref('int_task_answer') }}
    where position = 1
    group by all
),

territory as (
    select
        work.academic_year,
        work.procedure_id,
        'school' as territory_level,
        work.school_id as territory_id,
        work.participants
    from work
    inner join {{ ref('int_task_year') }} as recent on work.academic_year = recent.academic_year
    inner join setting on recent.whole_years_later < setting.school_years
    {%- for level, key in [('municipality', 'municipality_id'), ('region', 'region_code')] %}
    union all
    select
        work.academic_year,
        work.procedure_id,
        '{{ level }}',
        school.{{ key }},
        sum(work.participants)
    from work
    inner join {{ ref('int_school') }} as school on work.school_id = school.school_id
    group by all
    {%- endfor %}
),

told as (
    select
        academic_year,
        procedure_id,
        count(*) as tasks_count,
        min(specification_year) as specification_year,
        bool_or(is_other_year_specification) as is_other_year_specification,
        case when not bool_or(has_figures) then min(reason_ru) end as reason_ru
    from {{ ref('task_item') }}
    where item_kind = 'task'
    group by all
),

counted as (
    select
        deficit.academic_year,
        deficit.procedure_id,
        deficit.territory_level,
        deficit.territory_id,
        count(deficit.completion_share) as measured_tasks_count,
        count(deficit.level_state) as judged_tasks_count,
        count(*) filter (where deficit.level_state = 'sufficient') as sufficient_count,
        count(*) filter (where deficit.level_state = 'borderline') as borderline_count,
        count(*) filter (where deficit.level_state = 'insufficient') as insufficient_count,
        count(*) filter (where deficit.is_gap_significant and deficit.gap < 0) as behind_region_count,
        count(*) filter (where deficit.not_taught_count > 0) as not_taught_tasks_count,
        count(deficit.teach_again_order) as teach_again_count,
        {% call string_agg(none, 'chr(10)', 'deficit.teach_again_order') -%}
            deficit.teach_again_order || ') задание ' || deficit.item_id || coalesce(' (' || level.title_ru || ' уровень)', '')
            || ': ' || {{ percent_ru('deficit.completion_share', 1) }}
            || coalesce(' при ' || {{ percent_ru('deficit.region_completion_share', 1) }} || ' в регионе', '')
            || ', n = ' || deficit.pupils_count || coalesce(' — ' || item.title_ru, '')
        {%- endcall %} filter (where deficit.teach_again_order <= setting.summary_tasks) as teach_again_ru
    from {{ ref('task_deficit') }} as deficit
    inner join {{ ref('task_item') }} as item using (academic_year, procedure_id, item_kind, item_id)
    left join {{ source('reference', 'deficit_level') }} as level
        on deficit.level = level.level and {{ holds_on('deficit.academic_year', 'level.valid_from', 'level.valid_to') }}
    cross join setting
    where deficit.item_kind = 'task' and deficit.territory_level <> 'class'
    group by all
)

select
    territory.academic_year,
    territory.procedure_id,
    territory.territory_level,
    territory.territory_id,
    cast(territory.participants as bigint) as participants,
    told.tasks_count,
    {%- for column in [
        'measured_tasks_count', 'judged_tasks_count', 'sufficient_count', 'borderline_count', 'insufficient_count', 'behind_region_count',
        'not_taught_tasks_count', 'teach_again_count'
    ] %}
    coalesce(counted.{{ column }}, 0) as {{ column }},
    {%- endfor %}
    counted.teach_again_ru,
    band.reliability,
    told.specification_year,
    told.is_other_year_specification,
    told.reason_ru
from territory
inner join told using (academic_year, procedure_id)
left join counted using (academic_year, procedure_id, territory_level, territory_id)
left join {{ ref('int_official_method') }} as official on territory.academic_year = official.academic_year
left join {{ source('reference', 'reliability_band') }} as band
    on
        official.method_id = band.method_id
        and territory.participants >= band.participants_from
        and territory.participants <= coalesce(band.participants_to, territory.participants)
