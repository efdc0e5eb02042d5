{# A task as specifications and headers name it: «10K1», «10к1», «9(1)» and «9,1» are 10К1 and 9.1. #}
{% macro task_label(label) -%}
{%- set plain = "replace(replace(upper(" ~ label ~ "), ' ', ''), ',', '.')" -%}
replace({{ replace_all(plain, '\\((\\d+)\\)$', '.\\1') }}, 'K', 'К')
{%- endmacro %}

{# A class as pupils name it, without quotes and the number of the grade before the letter; one word for none. #}
{% macro class_label(class_name) -%}
{%- set bare = replace_all("upper(" ~ class_name ~ ")", "[\\s\"«»''\\x{00A0}]", '') -%}
coalesce(nullif(nullif({{ replace_all(bare, '^\\d{1,2}[-.]?([А-ЯA-Z])', '\\1') }}, ''), 'НЕТ'), '—')
{%- endmacro %}

{# A score of one task as a number; the letters of task_scores are no number. #}
{% macro points(score) -%}
try_cast({{ score }} as integer)
{%- endmacro %}

{# How many pupils count where schools differ more than chance allows: the spread of the shares of schools against that
   of independent pupils. `yy`, `xy`, `xx` are sums over schools of squares and products of points (y) and possible
   points (x). #}
{% macro effective_pupils(pupils, points, possible, schools, yy, xy, xx) -%}
{%- set share = "(" ~ points ~ " / " ~ possible ~ ")" -%}
{%- set variance = "(" ~ schools ~ " / (" ~ schools ~ " - 1e0) * (" ~ yy ~ " - 2 * " ~ share ~ " * " ~ xy ~ " + " ~ share ~ " * " ~ share ~ " * " ~ xx ~ ") / pow(" ~ possible ~ ", 2))" -%}
case
    when {{ variance }} > {{ share }} * (1 - {{ share }}) / {{ pupils }} then {{ share }} * (1 - {{ share }}) / {{ variance }}
    else cast({{ pupils }} as double)
end
{%- endmacro %}
