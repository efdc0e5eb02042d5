{# A portion is what a late file changes: one work of ВПР of one measured year, or all exams of one. A model with
   `meta.kept` says that each portion of it is made of the same portion of its inputs (`portion`), or that it is made
   anew when anything of them changes (`whole`); a large home keeps it from run to run (opora/kept.py). A table with
   academic_year and procedure_id has its portions from these. #}
{% macro portion(of) -%}
{{ of }}.measured_year || '/' || case
    when {{ of }}.assessment = 'vpr' then {{ vpr_procedure(of) }}
    else 'exam'
end
{%- endmacro %}
