with territory as (
    select
        school_id,
        'region' as territory_level,
        region_code as territory_id,
        'Регион ' || region_code as territory_name
    from {{ ref('int_school') }}
    union all
    select
        school_id,
        'municipality',
        municipality_id,
        municipality_name
    from {{ ref('int_school') }}
),

compared as (
    select
        territory.territory_level,
        territory.territory_id,
        compared.*
    from {{ ref('int_method_comparison') }} as compared
    inner join territory on compared.school_id = territory.school_id
),

counted as (
    select
        academic_year,
        territory_level,
        territory_id,
        method_id,
        count(*) filter (where is_assessed_by_other) as assessed_count,
        count(*) filter (where in_other) as listed_count,
        count(*) filter (where movement = 'enters') as enters_count,
        count(*) filter (where movement = 'leaves') as leaves_count,
        count(*) filter (where movement = 'both') as stays_count,
        {%- for reliability in ['very_low', 'low', 'limited', 'ok'] %}
        count(*) filter (where in_other and reliability = '{{ reliability }}') as {{ reliability }}_count,
        {%- endfor %}
        count(*) filter (where in_other and holds_at_confidence) as holds_count
    from compared
    group by academic_year, territory_level, territory_id, method_id
),

-- a row also where a method has nothing to judge by
cell as (
    select distinct
        official.academic_year,
        official.official_method_id,
        place.territory_level,
        place.territory_id,
        place.territory_name,
        method.method_id,
        method.method_id = official.official_method_id as is_official
    from (select distinct academic_year, official_method_id from {{ ref('int_method_comparison') }}) as official
    cross join (select distinct territory_level, territory_id, territory_name from territory) as place
    cross join {{ source('reference', 'method') }} as method
)

select
    cell.academic_year,
    cell.territory_level,
    cell.territory_id,
    cell.territory_name,
    cell.method_id,
    cell.is_official,
    case when official.assessed_count > 0 then official.listed_count end as official_listed_count,
    {%- for column in [
        'listed_count', 'enters_count', 'leaves_count', 'stays_count',
        'very_low_count', 'low_count', 'limited_count', 'ok_count', 'holds_count',
    ] %}
    case when counted.assessed_count > 0 then counted.{{ column }} end as {{ column }},
    {%- endfor %}
    case when coalesce(counted.assessed_count, 0) = 0 then 'нет результатов, по которым эта методика могла бы решить' end
        as no_list_reason_ru
from cell
left join counted as official
    on
        cell.academic_year = official.academic_year
        and cell.territory_level = official.territory_level
        and cell.territory_id = official.territory_id
        and cell.official_method_id = official.method_id
left join counted
    on
        cell.academic_year = counted.academic_year
        and cell.territory_level = counted.territory_level
        and cell.territory_id = counted.territory_id
        and cell.method_id = counted.method_id
