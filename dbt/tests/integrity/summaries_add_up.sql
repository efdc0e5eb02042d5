{#
    Checks: a region is the sum of its municipalities.
    Resolve: before a release.
    How: see macros/territory_summary.sql; a school with two municipalities or regions would break it.
#}
{{ config(meta={'dagster': {'ref': {'name': 'region_summary'}}}) }}
{%- set columns = ['schools_count', 'shnor_count', 'at_risk_count', 'participants', 'below_minimum', 'low_schools_count'] %}
with municipality as (
    select
        academic_year,
        region_code,
        procedure_id,
        {%- for column in columns %}
        coalesce(sum({{ column }}), 0) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('municipality_summary') }}
    group by academic_year, region_code, procedure_id
)

select region.academic_year, region.region_code, region.procedure_id
from {{ ref('region_summary') }} as region
left join municipality using (academic_year, region_code, procedure_id)
where
    {%- for column in columns %}
    coalesce(region.{{ column }}, 0) is distinct from municipality.{{ column }}{{ ' or' if not loop.last }}
    {%- endfor %}
