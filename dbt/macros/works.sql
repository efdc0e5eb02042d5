{# Rows of participants of ВПР that count, each with its school: see int_chosen_work. #}
{% macro counted_works() -%}
select
    chosen.work_no,
    chosen.school_id,
    chosen.arrival,
    chosen.held_year,
    work.* exclude (arrival, held_year)
from {{ ref('stg_assessment_result') }} as work
inner join {{ ref('int_chosen_work') }} as chosen
    on
        work.delivery_id = chosen.delivery_id
        and work.school_key_kind = chosen.school_key_kind
        and work.school_key = chosen.school_key
        and work.subject_id = chosen.subject_id
        and work.test_grade = chosen.test_grade
        and work.measured_year = chosen.measured_year
        and coalesce(work.held_year, work.measured_year) = chosen.held_year
where work.assessment = 'vpr'
{%- endmacro %}
