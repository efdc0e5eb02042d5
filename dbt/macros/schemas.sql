{# A model lands in the schema it names, not in `<target>_<name>`: readers of the warehouse know it by that name. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
