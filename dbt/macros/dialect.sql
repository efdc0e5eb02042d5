{# What DuckDB and Spark write differently, and nothing else: models use standard SQL that both run, and these macros where
   there is none. The form of DuckDB stands first; a third engine gets its own form here and nowhere else. #}

{# All columns but these. #}
{% macro without(columns) -%}{{ adapter.dispatch('without', 'opora')(columns) }}{%- endmacro %}
{% macro default__without(columns) -%}exclude ({{ columns }}){%- endmacro %}
{% macro spark__without(columns) -%}except ({{ columns }}){%- endmacro %}

{# Texts of the rows in order, with a separator between them; `{% raw %}{% call string_agg(…) %}{% endraw %}` where the text is long. #}
{% macro string_agg(value, separator, order_by, distinct=false) -%}
{{ adapter.dispatch('string_agg', 'opora')(value if value is not none else caller(), separator if separator == 'chr(10)' else "'" ~ separator ~ "'", order_by, 'distinct ' if distinct else '') }}
{%- endmacro %}
{% macro default__string_agg(value, separator, order_by, distinct) -%}
string_agg({{ distinct }}{{ value }}, {{ separator }} order by {{ order_by }})
{%- endmacro %}
{# Spark 4.3 stumbles over several distinct aggregates with an order; different texts are always in their own order. #}
{% macro spark__string_agg(value, separator, order_by, distinct) -%}
{% if distinct -%}
nullif(array_join(array_sort(collect_set({{ value }})), {{ separator }}), '')
{%- else -%}
string_agg({{ value }}, {{ separator }}) within group (order by {{ order_by }})
{%- endif %}
{%- endmacro %}

{# The different ids of the rows in one text, sorted; of rows that hold a list of ids each. #}
{% macro distinct_ids(column) -%}{{ joined("array_sort(array_distinct(array_agg(" ~ column ~ ")))") }}{%- endmacro %}
{% macro distinct_ids_of_lists(column) -%}{{ joined("array_sort(array_distinct(flatten(array_agg(" ~ column ~ "))))") }}{%- endmacro %}

{# A list of texts as one text. #}
{% macro joined(list, separator=';') -%}{{ adapter.dispatch('joined', 'opora')(list, separator) }}{%- endmacro %}
{% macro default__joined(list, separator) -%}array_to_string({{ list }}, '{{ separator }}'){%- endmacro %}
{% macro spark__joined(list, separator) -%}array_join({{ list }}, '{{ separator }}'){%- endmacro %}

{# How many items a list has, its n-th from 1; a list of one item and of none; what a condition or a change of every item leaves. #}
{% macro list_length(list) -%}{{ adapter.dispatch('list_length', 'opora')(list) }}{%- endmacro %}
{% macro default__list_length(list) -%}len({{ list }}){%- endmacro %}
{% macro spark__list_length(list) -%}size({{ list }}){%- endmacro %}

{% macro list_item(list, n) -%}{{ adapter.dispatch('list_item', 'opora')(list, n) }}{%- endmacro %}
{% macro default__list_item(list, n) -%}{{ list }}[{{ n }}]{%- endmacro %}
{% macro spark__list_item(list, n) -%}try_element_at({{ list }}, cast({{ n }} as integer)){%- endmacro %}

{% macro list_of(item) -%}{{ adapter.dispatch('list_of', 'opora')(item) }}{%- endmacro %}
{% macro default__list_of(item) -%}[{{ item }}]{%- endmacro %}
{% macro spark__list_of(item) -%}array({{ item }}){%- endmacro %}

{% macro no_texts() -%}{{ adapter.dispatch('no_texts', 'opora')() }}{%- endmacro %}
{% macro default__no_texts() -%}cast([] as varchar[]){%- endmacro %}
{% macro spark__no_texts() -%}cast(array() as array<string>){%- endmacro %}

{% macro list_filter(list, item, condition) -%}{{ adapter.dispatch('list_filter', 'opora')(list, item, condition) }}{%- endmacro %}
{% macro default__list_filter(list, item, condition) -%}list_filter({{ list }}, lambda {{ item }}: {{ condition }}){%- endmacro %}
{% macro spark__list_filter(list, item, condition) -%}filter({{ list }}, {{ item }} -> {{ condition }}){%- endmacro %}

{% macro list_transform(list, item, value) -%}{{ adapter.dispatch('list_transform', 'opora')(list, item, value) }}{%- endmacro %}
{% macro default__list_transform(list, item, value) -%}list_transform({{ list }}, lambda {{ item }}: {{ value }}){%- endmacro %}
{% macro spark__list_transform(list, item, value) -%}transform({{ list }}, {{ item }} -> {{ value }}){%- endmacro %}

{# A list without what came before in it, in its order. #}
{% macro first_seen(list) -%}{{ adapter.dispatch('first_seen', 'opora')(list) }}{%- endmacro %}
{% macro default__first_seen(list) -%}list_filter({{ list }}, lambda s, i: list_position({{ list }}, s) = i){%- endmacro %}
{% macro spark__first_seen(list) -%}array_distinct({{ list }}){%- endmacro %}

{# A row for every item of a list, in the list of columns of a select; with its place from 1. #}
{% macro unnested(list) -%}{{ adapter.dispatch('unnested', 'opora')(list) }}{%- endmacro %}
{% macro default__unnested(list) -%}unnest({{ list }}){%- endmacro %}
{% macro spark__unnested(list) -%}explode({{ list }}){%- endmacro %}

{% macro unnested_with_place(list, item, place) -%}{{ adapter.dispatch('unnested_with_place', 'opora')(list, item, place) }}{%- endmacro %}
{% macro default__unnested_with_place(list, item, place) -%}
unnest({{ list }}) as {{ item }}, generate_subscripts({{ list }}, 1) as {{ place }}
{%- endmacro %}
{% macro spark__unnested_with_place(list, item, place) -%}
inline(transform({{ list }}, (x, i) -> named_struct('{{ item }}', x, '{{ place }}', i + 1)))
{%- endmacro %}

{# The sum of a list of numbers; null of none. #}
{% macro list_sum(list) -%}{{ adapter.dispatch('list_sum', 'opora')(list) }}{%- endmacro %}
{% macro default__list_sum(list) -%}list_sum({{ list }}){%- endmacro %}
{% macro spark__list_sum(list) -%}
aggregate({{ list }}, cast(null as double), (total, item) -> coalesce(total + item, total, cast(item as double)))
{%- endmacro %}

{# Named values as one; `fields` maps names to SQL. #}
{% macro struct(fields) -%}{{ adapter.dispatch('struct', 'opora')(fields) }}{%- endmacro %}
{% macro default__struct(fields) -%}
struct_pack({% for name, value in fields.items() %}{{ name }} := {{ value }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}
{% macro spark__struct(fields) -%}
named_struct({% for name, value in fields.items() %}'{{ name }}', {{ value }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{# A sum of fractions that does not depend on the order in which threads found the rows: they are added up in a given order,
   by default from the smallest to the largest. #}
{% macro stable_sum(value, where=none, order_by=none) -%}
{{ adapter.dispatch('stable_sum', 'opora')(value, ' filter (where ' ~ where ~ ')' if where else '', order_by) }}
{%- endmacro %}
{% macro default__stable_sum(value, filter, order_by) -%}
sum({{ value }} order by {{ order_by or value }}){{ filter }}
{%- endmacro %}
{% macro spark__stable_sum(value, filter, order_by) -%}
{% if order_by -%}
aggregate(array_sort(array_agg(named_struct('place', {{ order_by }}, 'value', {{ value }})){{ filter }}), cast(null as double), (total, item) -> coalesce(total + item.value, total, cast(item.value as double)))
{%- else -%}
{{ spark__list_sum("array_sort(array_agg(" ~ value ~ ")" ~ filter ~ ")") }}
{%- endif %}
{%- endmacro %}

{# The n-th largest value among the rows where `condition` holds; null where there are fewer. #}
{% macro nth_largest(value, condition, n) -%}{{ adapter.dispatch('nth_largest', 'opora')(value, condition, n) }}{%- endmacro %}
{% macro default__nth_largest(value, condition, n) -%}
(list_reverse_sort(array_agg({{ value }}) filter (where {{ condition }})))[{{ n }}]
{%- endmacro %}
{% macro spark__nth_largest(value, condition, n) -%}
try_element_at(sort_array(array_agg({{ value }}) filter (where {{ condition }}), false), cast({{ n }} as integer))
{%- endmacro %}

{# Every match of a pattern replaced; `\1` is what its first bracket matched. #}
{% macro replace_all(text, pattern, by) -%}{{ adapter.dispatch('replace_all', 'opora')(text, pattern, by) }}{%- endmacro %}
{% macro default__replace_all(text, pattern, by) -%}regexp_replace({{ text }}, '{{ pattern }}', '{{ by }}', 'g'){%- endmacro %}
{% macro spark__replace_all(text, pattern, by) -%}regexp_replace({{ text }}, '{{ pattern }}', '{{ by | replace("\\", "$") }}'){%- endmacro %}

{# A number rounded to so many decimals, halves away from zero, as the binary number times a power of ten rounds. #}
{% macro rounded(number, decimals) -%}{{ adapter.dispatch('rounded', 'opora')(number, decimals) }}{%- endmacro %}
{% macro default__rounded(number, decimals) -%}round({{ number }}, {{ decimals }}){%- endmacro %}
{% macro spark__rounded(number, decimals) -%}round(({{ number }}) * 1e{{ decimals }}) / 1e{{ decimals }}{%- endmacro %}

{# A day as people write it. #}
{% macro date_ru(day) -%}{{ adapter.dispatch('date_ru', 'opora')(day) }}{%- endmacro %}
{% macro default__date_ru(day) -%}strftime({{ day }}, '%d.%m.%Y'){%- endmacro %}
{% macro spark__date_ru(day) -%}date_format({{ day }}, 'dd.MM.yyyy'){%- endmacro %}

{# Days from one day to another. #}
{% macro days_between(earlier, later) -%}{{ adapter.dispatch('days_between', 'opora')(earlier, later) }}{%- endmacro %}
{% macro default__days_between(earlier, later) -%}datediff('day', {{ earlier }}, {{ later }}){%- endmacro %}
{% macro spark__days_between(earlier, later) -%}datediff({{ later }}, {{ earlier }}){%- endmacro %}

{# P(true share ≥ t | k of n) under a uniform prior, which is P(Binomial(n + 1, t) ≤ k). #}
{% macro probability_at_least(k, n, t) -%}{{ adapter.dispatch('probability_at_least', 'opora')(k, n, t) }}{%- endmacro %}
{% macro default__probability_at_least(k, n, t) -%}
least(1e0, list_sum(list_transform(
    range(0, {{ k }} + 1),
    lambda i: exp(
        lgamma({{ n }} + 2) - lgamma(i + 1) - lgamma({{ n }} + 2 - i)
        + i * ln({{ t }}) + ({{ n }} + 1 - i) * ln(1 - {{ t }})
    )
)))
{%- endmacro %}
{# Without lgamma: each term from the one before, in logarithms. #}
{% macro spark__probability_at_least(k, n, t) -%}
case when {{ k }} < 0 then null else least(1e0, aggregate(
    case when {{ k }} > 0 then sequence(1, cast({{ k }} as integer)) else cast(array() as array<int>) end,
    named_struct('ln_term', ({{ n }} + 1) * ln(1 - {{ t }}), 'total', exp(({{ n }} + 1) * ln(1 - {{ t }}))),
    (a, i) -> transform(
        array(a.ln_term + ln(({{ n }} + 2 - i) / i) + ln({{ t }} / (1 - {{ t }}))), x -> named_struct('ln_term', x, 'total', a.total + exp(x))
    )[0],
    a -> a.total
)) end
{%- endmacro %}
