{%- set levels = ['municipality', 'region'] -%}
with place as (
    select
        school_id,
        municipality_id,
        municipality_name,
        region_code
    from {{ ref('int_school') }}
    where not is_no_school
),

-- `all` looks at every marker of a school, a procedure at its own
marker as (
    select * {{ without('procedure_id') }}, procedure_id from {{ ref('objectivity') }}
    union all
    select * {{ without('procedure_id') }}, 'all' as procedure_id from {{ ref('objectivity') }}
),

base as (
    select
        academic_year,
        method_id,
        index_schools,
        minimum_schools,
        published_base
    from {{ source('reference', 'marker_method') }}
),

sat as (
    select
        academic_year,
        school_id,
        procedure_id
    from {{ ref('int_own_result') }}
    union all
    select
        own.academic_year,
        own.school_id,
        'all'
    from {{ ref('int_own_result') }} as own
    inner join base on own.academic_year = base.academic_year and own.procedure_id = base.published_base
),

school as (
    select
        marker.academic_year,
        marker.school_id,
        marker.procedure_id,
        bool_or(marker.is_marked) filter (where marker.source = 'computed') as is_computed,
        bool_or(marker.is_marked) filter (where marker.source = 'published') as is_published,
        count(*) filter (where marker.source = 'computed' and marker.is_marked) as markers,
        any_value(sat.school_id) is not null as has_sat
    from marker
    left join sat using (academic_year, school_id, procedure_id)
    group by marker.academic_year, marker.school_id, marker.procedure_id
),

territory as (
    {%- for level in levels %}
    select
        school.academic_year,
        '{{ level }}' as territory_level,
        {% if level == 'region' %}place.region_code{% else %}place.municipality_id{% endif %} as territory_id,
        {% if level == 'region' %}any_value(place.region_code){% else %}any_value(place.municipality_name){% endif %} as territory_name,
        place.region_code,
        school.procedure_id,
        count(*) as schools_count,
        count(school.is_computed) as checked_schools_count,
        count(*) filter (where school.is_computed) as marked_schools_count,
        sum(school.markers) as markers_count,
        count(*) filter (where school.has_sat) as sat_schools_count,
        count(school.is_published) > 0 as has_published_list,
        count(*) filter (where school.is_published) as published_schools_count,
        count(*) filter (where school.is_published and school.has_sat) as published_sat_count,
        count(*) filter (where school.is_computed and school.is_published) as both_count,
        count(*) filter (where school.is_computed and not school.is_published) as computed_only_count,
        count(*) filter (where not school.is_computed and school.is_published) as published_only_count,
        count(*) filter (where not school.is_computed and not school.is_published) as neither_count
    from school
    inner join place on school.school_id = place.school_id
    group by
        school.academic_year, school.procedure_id, place.region_code
        {%- if level == 'municipality' %}, place.municipality_id{% endif %}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select
    territory.academic_year,
    territory.territory_level,
    territory.territory_id,
    territory.territory_name,
    territory.region_code,
    territory.procedure_id,
    territory.schools_count,
    territory.checked_schools_count,
    territory.marked_schools_count,
    cast(territory.markers_count as bigint) as markers_count,
    case
        when
            territory.procedure_id = 'all'
            and territory.checked_schools_count > 0
            -- a few schools of a region are no picture of it, nor of its municipalities
            and sum(case territory.territory_level when 'region' then territory.checked_schools_count end)
                over (partition by territory.academic_year, territory.region_code, territory.procedure_id) >= base.minimum_schools
            then 100 - 1e2 * territory.marked_schools_count
                / case base.index_schools when 'all' then territory.schools_count else territory.checked_schools_count end
    end as objectivity_index,
    territory.has_published_list,
    territory.sat_schools_count,
    case when territory.has_published_list then territory.published_schools_count end as published_schools_count,
    case
        when territory.has_published_list and territory.sat_schools_count > 0
            then territory.published_sat_count / territory.sat_schools_count
    end as published_share,
    {%- for column in ['both_count', 'computed_only_count', 'published_only_count', 'neither_count'] %}
    case when territory.has_published_list then territory.{{ column }} end as {{ column }},
    {%- endfor %}
    base.method_id
from territory
inner join base using (academic_year)
