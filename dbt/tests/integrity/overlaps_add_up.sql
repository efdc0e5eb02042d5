{#
    Checks: municipalities add up to their regions in every pair of definitions.
    Resolve: at once.
    How: see `placed` in target_group_overlap.
#}
{{ config(meta={'dagster': {'ref': {'name': 'target_group_overlap'}}}) }}
select
    academic_year,
    definition_id,
    other_definition_id
from {{ ref('target_group_overlap') }}
group by academic_year, definition_id, other_definition_id
having
    {%- for column in ['schools_count', 'decided_count', 'member_count', 'other_member_count', 'both_count'] %}
    sum({{ column }}) filter (where territory_level = 'region') <> sum({{ column }}) filter (where territory_level = 'municipality')
    {%- if not loop.last %} or{% endif %}
    {%- endfor %}
