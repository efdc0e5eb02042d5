{# A report serves an indicator unless it names another indicator of the programme; one that names a measure serves both. #}
{% macro return_is_of_indicator(indicator, report) -%}
(
    {{ report }}.item_id is null
    or {{ report }}.item_id = {{ indicator }}.indicator_id
    or not exists (
        select 1
        from {{ source('reference', 'programme_indicator') }} as named
        where named.programme_id = {{ report }}.programme_id and named.indicator_id = {{ report }}.item_id
    )
)
{%- endmacro %}

{# The value of an indicator in its unit. Nothing divided by nothing is no value. #}
{% macro indicator_value(value_kind, unit, numerator, denominator) -%}
case
    when {{ value_kind }} in ('share_of_schools', 'pooled_share', 'share_of_quantity')
        then case {{ unit }} when 'pct' then 1e2 else 1.0 end * {{ numerator }} / nullif({{ denominator }}, 0)
    else {{ numerator }}
end
{%- endmacro %}

{# Schools and municipalities with their names, one row each: whose figure a row of a programme is. #}
{% macro named_places() -%}
    select 'school' as territory_level, school_id as territory_id, school_name as territory_name from {{ ref('int_school') }}
    union
    select distinct 'municipality', municipality_id, municipality_name from {{ ref('int_school') }}
    qualify row_number() over (partition by municipality_id order by municipality_name) = 1
{%- endmacro %}

{# Where a reported figure comes from: what executors wrote, agreements and risk profiles delivered as such. #}
{% macro counted_from_ru(row) -%}
nullif(concat_ws(
    ' и ',
    case when {{ row }}.is_reported then 'отчёты исполнителей' end,
    case when {{ row }}.is_agreed then 'соглашения школ' end,
    case when {{ row }}.is_profiled then 'рисковые профили школ' end
), '')
{%- endmacro %}
