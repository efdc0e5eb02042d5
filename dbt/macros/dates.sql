{# The day on which a school key of a result was in use. Sittings are dated by school, so a year is exact enough:
   the end of May for a spring sitting and for exams, the start of October where the next year wrote for this one. #}
{% macro key_date(measured_year, held_year) -%}
case
    when {{ held_year }} > {{ measured_year }} then make_date(cast(left({{ held_year }}, 4) as integer), 10, 1)
    else make_date(cast(left({{ measured_year }}, 4) as integer) + 1, 5, 31)
end
{%- endmacro %}

{% macro holds_on(day, valid_from, valid_to) -%}
(coalesce({{ valid_from }} <= {{ day }}, true) and coalesce({{ day }} <= {{ valid_to }}, true))
{%- endmacro %}

{# The academic year that a day belongs to. #}
{% macro academic_year_of(day) -%}
case
    when month({{ day }}) >= 9 then year({{ day }}) || '-' || (year({{ day }}) + 1)
    else (year({{ day }}) - 1) || '-' || year({{ day }})
end
{%- endmacro %}
