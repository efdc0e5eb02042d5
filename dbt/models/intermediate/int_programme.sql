-- Programmes with the territory they hold in, found among the schools: a region, or a municipality by its name.
with usual_region as (
    select region_code
    from {{ ref('int_school') }}
    group by region_code
    order by count(*) desc, region_code
    limit 1
),

municipality as (
    select
        region_code,
        {{ municipality_core('municipality_name') }} as core,
        min(municipality_id) as municipality_id
    from {{ ref('int_school') }}
    group by all
),

placed as (
    select
        *,
        coalesce(region_code, (select region_code from usual_region), '00') as own_region,
        {{ municipality_core('municipality_ru') }} as core
    from {{ source('reference', 'programme') }}
)

select
    placed.programme_id,
    placed.title_ru,
    placed.territory_level,
    placed.territory_ru,
    placed.list_method_id,
    placed.valid_from,
    placed.valid_to,
    placed.own_region as region_code,
    -- a municipality without schools gets the code it would have
    case when placed.territory_level = 'municipality'
        then coalesce(municipality.municipality_id, 'm' || left(md5(placed.own_region || placed.core), 10))
    end as municipality_id,
    case placed.territory_level
        when 'region' then placed.own_region
        else coalesce(municipality.municipality_id, 'm' || left(md5(placed.own_region || placed.core), 10))
    end as territory_id
from placed
left join municipality on placed.own_region = municipality.region_code and placed.core = municipality.core
