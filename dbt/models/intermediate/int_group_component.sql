-- Condition of a definition × year × school × component: the value of the nearest year in which it is known, and is it
-- hard? The worst part of the region is counted among its schools with a known value; few schools have no worst part.
with named as (
    select
        component.*,
        condition.minimum_schools,
        listed.title_ru,
        listed.unit
    from {{ source('reference', 'group_component') }} as component
    inner join {{ source('reference', 'group_condition') }} as condition using (definition_id, condition_number)
    inner join {{ source('reference', 'context_component_list') }} as listed using (component_id)
),

known as (
    select
        school.academic_year,
        school.school_id,
        school.region_code,
        cell.component_id,
        cell.value,
        cell.academic_year as context_year
    from {{ ref('int_group_school') }} as school
    inner join {{ source('reference', 'context_reach') }} as reach on school.academic_year = reach.academic_year
    inner join {{ ref('int_context_component') }} as cell
        on reach.context_year = cell.academic_year and school.school_id = cell.school_id and cell.is_known
    qualify row_number() over (
        partition by school.academic_year, school.school_id, cell.component_id order by reach.preference
    ) = 1
),

placed as (
    select
        *,
        cume_dist() over (partition by academic_year, region_code, component_id order by value) as share_at_most,
        cume_dist() over (partition by academic_year, region_code, component_id order by value desc) as share_at_least,
        count(*) over (partition by academic_year, region_code, component_id) as schools
    from known
)

select
    named.definition_id,
    named.condition_number,
    named.component_id,
    placed.academic_year,
    placed.school_id,
    placed.context_year,
    placed.value,
    case
        when named.hard_if = 'at_least' then placed.value >= named.threshold - 1e-9
        when named.hard_if = 'at_most' then placed.value <= named.threshold + 1e-9
        when placed.schools < named.minimum_schools then null
        when named.hard_if = 'highest_pct' then placed.share_at_least <= named.threshold / 100 + 1e-9
        when named.hard_if = 'lowest_pct' then placed.share_at_most <= named.threshold / 100 + 1e-9
    end as is_hard,
    named.title_ru || ' — ' || case named.unit
        when 'share' then {{ percent_ru('placed.value', '1') }}
        when 'flag' then case placed.value when 0 then 'нет' else 'да' end
        when 'code' then coalesce(label.label_ru, {{ number_ru('placed.value', 0) }})
        else {{ number_ru('placed.value', 1) }}
    end as value_ru
from named
inner join placed on named.component_id = placed.component_id
left join {{ source('reference', 'context_label') }} as label
    on named.component_id = label.component_id and placed.value = label.value
