-- Class, school, municipality and region × item of a work: counts, completion, its interval. The pupil is the unit; schools of
-- a territory differ more than chance allows, so its interval counts as many pupils as that difference leaves.
{{ config(meta={'kept': 'portion'}) }}
{%- set sums = [
    'participants', 'pupils_count', 'answers_count', 'not_attempted_count', 'not_taught_count', 'unread_count', 'points', 'max_points'
] %}
{%- set territories = [('municipality', 'municipality_id'), ('region', 'region_code')] %}

with setting as (
    select
        *,
        {{ normal_quantile('(1 + confidence) / 2') }} as z
    from {{ source('reference', 'deficit_setting') }}
),

counted as (
    select
        count.academic_year,
        count.procedure_id,
        'task' as item_kind,
        item.item_id,
        'class' as territory_level,
        count.school_id || '/' || count.class_name as territory_id,
        count.school_id,
        count.class_name,
        count.participants,
        count.answers_count as pupils_count,
        count.answers_count,
        count.not_attempted_count,
        count.not_taught_count,
        count.participants - count.answers_count - count.not_taught_count as unread_count,
        count.points,
        count.max_points,
        school.region_code,
        cast(null as double) as effective_pupils
    from {{ ref('int_task_count') }} as count
    inner join {{ ref('int_school') }} as school on count.school_id = school.school_id
    inner join {{ ref('int_item_task') }} as item
        on
            item.item_kind = 'task'
            and count.academic_year = item.academic_year
            and count.procedure_id = item.procedure_id
            and count.position = item.position
    inner join {{ ref('int_task_year') }} as recent on count.academic_year = recent.academic_year
    inner join setting on recent.whole_years_later < setting.class_years
    union all
    select
        count.academic_year,
        count.procedure_id,
        count.item_kind,
        count.item_id,
        'school',
        count.school_id,
        count.school_id,
        null,
        {%- for column in sums %}
        count.{{ column }},
        {%- endfor %}
        school.region_code,
        null
    from {{ ref('int_item_count') }} as count
    inner join {{ ref('int_school') }} as school on count.school_id = school.school_id
    inner join {{ ref('int_task_year') }} as recent on count.academic_year = recent.academic_year
    inner join setting on recent.whole_years_later < setting.school_years
    {%- for level, key in territories %}
    union all
    select
        academic_year,
        procedure_id,
        item_kind,
        item_id,
        '{{ level }}',
        territory_id,
        null,
        null,
        {%- for column in sums %}
        {{ column }},
        {%- endfor %}
        region_code,
        case when schools >= minimum_schools then
            {{ effective_pupils('pupils_count', 'points', 'max_points', 'schools', 'points_squared', 'points_by_max', 'max_squared') }}
        end
    from (
        select
            count.academic_year,
            count.procedure_id,
            count.item_kind,
            count.item_id,
            school.{{ key }} as territory_id,
            any_value(school.region_code) as region_code,
            {%- for column in sums %}
            cast(sum(count.{{ column }}) as bigint) as {{ column }},
            {%- endfor %}
            count(*) filter (where count.max_points > 0) as schools,
            sum(cast(count.points as double) * count.points) as points_squared,
            sum(cast(count.points as double) * count.max_points) as points_by_max,
            sum(cast(count.max_points as double) * count.max_points) as max_squared,
            any_value(setting.minimum_schools) as minimum_schools
        from {{ ref('int_item_count') }} as count
        inner join {{ ref('int_school') }} as school on count.school_id = school.school_id
        cross join setting
        group by all
    )
    {%- endfor %}
),

shared as (
    select
        counted.*,
        setting.z,
        points / nullif(max_points, 0) as completion_share,
        coalesce(effective_pupils, cast(pupils_count as double)) as n
    from counted
    cross join setting
)

select
    * {{ without('z, n, effective_pupils') }},
    case when max_points > 0 then case when effective_pupils is null then 'pupil' else 'school' end end as interval_unit,
    case when max_points > 0 then {{ wilson('(completion_share * n)', 'n', 'z', '-') }} end as share_ci_low,
    case when max_points > 0 then {{ wilson('(completion_share * n)', 'n', 'z', '+') }} end as share_ci_high
from shared
