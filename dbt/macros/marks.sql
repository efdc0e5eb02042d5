{# The mark that a scale gives to a score; null where there is no scale or the score is not on it. #}
{% macro scale_mark(score, scale) -%}
case
    when {{ score }} > {{ scale }}.score_top then null
    when {{ score }} >= {{ scale }}.score_5 then 5
    when {{ score }} >= {{ scale }}.score_4 then 4
    when {{ score }} >= {{ scale }}.score_3 then 3
    when {{ score }} < {{ scale }}.score_3 then 2
end
{%- endmacro %}

{# Which kind of key to trust when files name one school by several: a smaller number is surer. #}
{% macro key_rank(kind) -%}
case {{ kind }} when 'school_id' then 0 when 'vpr_login' then 1 when 'exam_code' then 2 when 'ogrn' then 3 when 'inn' then 4 else 5 end
{%- endmacro %}
