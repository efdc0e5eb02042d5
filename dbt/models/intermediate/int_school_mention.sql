-- Who is named where: every key of a school in every delivery, with the words beside it and the number of rows.
{%- set with_level = ['aggregate_result', 'mark_comparison', 'score_distribution', 'programme_return'] -%}
{%- set without_held_year = [
    'objectivity_marker', 'context_value', 'listed_school', 'certificate_count', 'exam_sum', 'contingent', 'attendance',
    'partner_agreement',
    'risk_factor_level', 'risk_stage_report', 'risk_answer'
] %}

with mention as (
    select
        delivery_id,
        school_key_kind as key_kind,
        school_key,
        measured_year,
        held_year,
        school_label,
        municipality_key,
        municipality_label,
        sum(rows_count) as rows_count
    from {{ ref('int_delivered_work') }}
    group by all
    {%- for table_name in with_level + without_held_year %}
    union all
    select
        delivery_id,
        school_key_kind as key_kind,
        school_key,
        measured_year,
        {% if table_name in without_held_year %}measured_year{% else %}coalesce(held_year, measured_year){% endif %} as held_year,
        school_label,
        municipality_key,
        municipality_label,
        count(*) as rows_count
    from {{ ref('stg_' ~ table_name) }}
    {%- if table_name in with_level %}
    where territory_level = 'school' and school_key is not null
    {%- endif %}
    group by all
    {%- endfor %}
    -- the other school of an agreement
    union all
    select delivery_id, leader_key_kind, leader_key, measured_year, measured_year, leader_label, null, null, count(*)
    from {{ ref('stg_partner_agreement') }}
    group by all
)

select
    delivery_id,
    key_kind,
    {{ comparable_key('key_kind', 'school_key') }} as key_value,
    measured_year,
    held_year,
    {{ key_date('measured_year', 'held_year') }} as key_date,
    school_label,
    municipality_key,
    municipality_label,
    sum(rows_count) as rows_count
from mention
group by all
