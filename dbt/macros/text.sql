{# Texts are compared in one form: lower case, ё as е, no quotes, single spaces. #}
{% macro plain(text) -%}
trim({{ replace_all(replace_all("replace(lower(" ~ text ~ "), 'ё', 'е')", "[«»\"''“”„`]", ''), '[\\s\\x{00A0}]+', ' ') }})
{%- endmacro %}

{# The name itself: «г. Бийск», «городской округ город Бийск» and «Бийск» are one, «Бийский район» is another.
   Spaces are doubled so that two service words in a row both match. #}
{% macro municipality_core(text) -%}
{%- set spaced = "' ' || replace(" ~ plain(replace_all(text, '[.,]', ' ')) ~ ", ' ', '  ') || ' '" -%}
{%- set service = ' (муниципальн\\S*|городской|городского|город|города|г|гор|район|района|р-н|округ|округа|образование|образования|мо|мр|го) ' -%}
coalesce(nullif(trim({{ replace_all(replace_all(spaced, service, ' '), ' +', ' ') }}), ''), {{ plain(text) }})
{%- endmacro %}

{# What is left of a school's name without its legal form, which changes and is written long or short: «МБОУ "СОШ № 2"» and
   «Муниципальное бюджетное общеобразовательное учреждение "Средняя общеобразовательная школа №2"» are «сош 2».
   Names are compared inside a municipality only. #}
{% macro school_name_core(name) -%}
{%- set steps = [
    ('((федеральн|государственн|краев|областн|окружн|муниципальн|частн|негосударственн|бюджетн|автономн|казенн)\\S* +)*(обще)?образовательн\\S* +(учреждени|организаци)\\S*', ' '),
    ('(^| )(м|г|кг|ог|рг|фг|ф|ч|но|гк|об)?[бак]?оу ', ' '),
    ('средн\\S+ +(\\(?полн\\S+ +)?(общеобразовательн\\S+ +)?школ\\S+', 'сош'),
    ('основн\\S+ +(общеобразовательн\\S+ +)?школ\\S+', 'оош'),
    ('начальн\\S+ +(общеобразовательн\\S+ +)?школ\\S+', 'нош'),
    ('(^| )сш( |$)', ' сош '),
    ('(^| )имени( |$)', ' им '),
    ('[^а-яa-z0-9]+', ' '),
] -%}
{%- set found = namespace(text=plain(name)) -%}
{%- for pattern, by in steps %}{% set found.text = replace_all(found.text, pattern, by) %}{% endfor -%}
trim({{ found.text }})
{%- endmacro %}

{% macro name_key(municipality, name) -%}
coalesce({{ municipality_core(municipality) }}, '') || '|' || {{ school_name_core(name) }}
{%- endmacro %}

{# A school key as it is compared: only names need it, digits are kept as they came. #}
{% macro comparable_key(kind, value) -%}
case
    when {{ kind }} = 'name' and {{ value }} like '%|%'
        then {{ name_key("split_part(" ~ value ~ ", '|', 1)", "split_part(" ~ value ~ ", '|', 2)") }}
    when {{ kind }} = 'name' then '|' || {{ school_name_core(value) }}
    else {{ value }}
end
{%- endmacro %}

{# Is this the key by which a row names a school? `keys` is a row of int_school_key; where the row knows no year of
   sitting, the key is the one in use in the measured year. #}
{% macro is_key_of(keys, row, held_year=none, who='school') -%}
(
    {{ row }}.{{ who }}_key_kind = {{ keys }}.key_kind
    and {{ comparable_key(row ~ '.' ~ who ~ '_key_kind', row ~ '.' ~ who ~ '_key') }} = {{ keys }}.key_value
    and {{ row }}.measured_year = {{ keys }}.measured_year
    and {{ held_year or row ~ '.measured_year' }} = {{ keys }}.held_year
)
{%- endmacro %}

{# 2024-2025 as people write it: 2024/25. #}
{% macro year_ru(academic_year) -%}
left({{ academic_year }}, 4) || '/' || right({{ academic_year }}, 2)
{%- endmacro %}

{# A number as people write it, never «-0»; halves are rounded up on the decimal number, as `opora/russian.py` does. #}
{% macro number_ru(number, decimals) -%}
replace(replace(cast(round(try_cast({{ number }} as decimal(38, 12)), {{ decimals }}) as string), '.', ','), '-', '−')
{%- endmacro %}

{% macro percent_ru(part, whole) -%}
{{ number_ru("1e2 * " ~ part ~ " / " ~ whole, 1) }} || ' %'
{%- endmacro %}

{# A sentence as a part of another: no capital, no full stop. #}
{% macro clause_ru(sentence) -%}
lower(left({{ sentence }}, 1)) || trim(trailing '.' from substr({{ sentence }}, 2))
{%- endmacro %}

{# Which procedures of a year were judged, and why the others were not. #}
{% macro period_ru(period) -%}
coalesce(
    {{ period }}_ru || ': ' || coalesce(assessed_{{ period }}_ru, 'результатов нет')
    || coalesce(' (' || nullif(concat_ws(
        '; ', 'не проводились: ' || not_held_{{ period }}_ru, 'не поступили: ' || not_delivered_{{ period }}_ru
    ), '') || ')', ''),
    'раньше данных нет'
)
{%- endmacro %}

{# What a method says of a school, in a few words with numbers; `status` is a row of int_school_status. #}
{% macro decision_ru(status) -%}
{%- set low_ru = "concat_ws('; ', " ~ status ~ ".low_previous_ru, " ~ status ~ ".low_before_ru)" -%}
case
    when {{ status }}.is_excluded then 'вне списка'
    when not {{ status }}.is_assessed then 'оценить не по чему'
    when {{ status }}.meets_shnor_rule then 'низкие результаты: ' || {{ low_ru }}
    when {{ low_ru }} <> '' then 'низких результатов меньше, чем требует правило: ' || {{ low_ru }}
    else 'низких результатов нет'
end
|| case when {{ status }}.unknown_previous + {{ status }}.unknown_before > 0
    then ', не решено результатов: ' || ({{ status }}.unknown_previous + {{ status }}.unknown_before)
    else ''
end
{%- endmacro %}
