{#
    Checks: both ends of a change are the figures that readers see elsewhere: of a school in `procedure_result`, of a region
    and its municipalities in their summaries.
    Resolve: before a release; two marts would tell two results of one year.
    How: see int_result_end and int_own_result.
#}
{{ config(meta={'dagster': {'ref': {'name': 'dynamics'}}}) }}
with shown as (
    select
        'school' as territory_level,
        school_id as territory_id,
        procedure_id,
        academic_year,
        participants,
        case when unknown_count = 0 then below_minimum end as below_minimum
    from {{ ref('procedure_result') }}
    union all
    select 'municipality', municipality_id, procedure_id, academic_year, participants, below_minimum
    from {{ ref('municipality_summary') }}
    where participants > 0
    union all
    select 'region', region_code, procedure_id, academic_year, participants, below_minimum
    from {{ ref('region_summary') }}
    where participants > 0
)

{%- for year, prefix in [('academic_year', ''), ('earlier_year', 'earlier_')] %}
select
    dynamics.territory_level,
    dynamics.territory_id,
    dynamics.procedure_id,
    dynamics.{{ year }} as academic_year
from {{ ref('dynamics') }} as dynamics
inner join shown
    on
        dynamics.territory_level = shown.territory_level
        and dynamics.territory_id = shown.territory_id
        and dynamics.procedure_id = shown.procedure_id
        and dynamics.{{ year }} = shown.academic_year
where
    dynamics.{{ prefix }}participants is distinct from shown.participants
    or dynamics.{{ prefix }}below_minimum is distinct from shown.below_minimum
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
