{#
    Checks: conditions of `school_status` are what the official definition of the year says in `target_group`.
    Resolve: at once; the list and the groups would contradict each other.
    How: see `conditioned` in school_status and reference/official_groups.yaml.
#}
{{ config(meta={'dagster': {'ref': {'name': 'school_status'}}}) }}
{%- set conditions = [('is_adverse_conditions', 'adverse_conditions'), ('has_resource_deficit', 'resource_deficit')] %}
{% for fact, name in conditions -%}
select status.academic_year, status.school_id, '{{ fact }}' as fact
from {{ ref('school_status') }} as status
left join {{ ref('target_group') }} as found
    on
        status.{{ name }}_definition_id = found.definition_id
        and status.academic_year = found.academic_year
        and status.school_id = found.school_id
where status.{{ fact }} is distinct from found.is_member
{% if not loop.last %}union all{% endif %}
{% endfor %}
