{# Names of factors, indicators and stages as they are compared: a number in front is only a number. #}
{% macro risk_name_key(text) -%}
regexp_replace({{ plain(text) }}, '^\d+[.)]?\s+', '')
{%- endmacro %}

{# Rows of a risk table that still hold, with the school they are of and what they name by the reference.
   `named` maps a column of the file to its kind of name; each gets `<kind>_id`, null where nobody knows the name. #}
{% macro risk_rows(table_name, named) -%}
select
    given.* {{ without('school_key_kind, school_key, school_label, municipality_key, municipality_label, measured_year') }},
    given.measured_year as academic_year,
    keys.school_id,
    {%- for column, kind in named.items() %}
    {{ kind }}_name.code as {{ kind }}_id{{ ',' if not loop.last }}
    {%- endfor %}
from {{ ref('stg_' ~ table_name) }} as given
inner join {{ ref('int_school_key') }} as keys on {{ is_key_of('keys', 'given') }}
{%- for column, kind in named.items() %}
left join {{ ref('int_risk_name') }} as {{ kind }}_name
    on {{ kind }}_name.kind = '{{ kind }}' and {{ risk_name_key('given.' ~ column) }} = {{ kind }}_name.name_key
{%- endfor %}
{%- endmacro %}
