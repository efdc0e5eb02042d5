{# The contract of a mart on Spark: its columns in their order, cast to their types. Counts are 32 bits wide there now and then, and
   a text has no length; a column that is missing is an error. DuckDB holds contracts without these. #}
{% macro spark__get_assert_columns_equivalent(sql) -%}{%- endmacro %}

{% macro spark__get_select_subquery(sql) -%}
select
    {%- for column in model['columns'].values() %}
    cast({{ column.name }} as {{ column.data_type | replace('varchar', 'string') }}) as {{ column.name }}{{ ',' if not loop.last }}
    {%- endfor %}
from (
{{ sql }}
) as found
{%- endmacro %}

{# Tables of Parquet files know no constraints, and dbt-spark would set them as if every table were one of Delta. #}
{% macro spark__persist_constraints(relation, model) -%}{%- endmacro %}
