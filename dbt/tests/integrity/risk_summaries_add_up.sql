{#
    Checks: a region is the sum of its municipalities for every circle of schools that it has.
    Resolve: before a release.
    How: see risk_summary and int_risk_population.
#}
{{ config(meta={'dagster': {'ref': {'name': 'risk_summary'}}}) }}
{%- set columns = ['schools_count', 'took_part_count', 'known_count', 'high_count', 'medium_count', 'low_count', 'chosen_count', 'overdue_count'] %}
with region as (
    select
        academic_year,
        population_id,
        factor_id,
        {%- for column in columns %}
        sum({{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('risk_summary') }}
    where territory_level = 'region'
    group by academic_year, population_id, factor_id
),

municipality as (
    select
        academic_year,
        population_id,
        factor_id,
        {%- for column in columns %}
        sum({{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('risk_summary') }}
    where territory_level = 'municipality'
    group by academic_year, population_id, factor_id
)

select academic_year, population_id, factor_id
from region
left join municipality using (academic_year, population_id, factor_id)
where
    {%- for column in columns %}
    region.{{ column }} is distinct from municipality.{{ column }}{{ ' or' if not loop.last }}
    {%- endfor %}
