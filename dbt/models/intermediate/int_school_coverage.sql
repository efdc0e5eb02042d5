-- Method that makes lists × year of the list × school: which procedures of the school were judged in each year that the
-- rule looks at, and why the others were not.
with cell as (
    select
        status.method_id,
        status.academic_year,
        status.school_id,
        case own.academic_year
            when year.previous_year then 'previous'
            when year.year_before then 'before'
            else 'current'
        end as period,
        own.short_ru,
        own.sort_order,
        case
            when seen.is_low is not null then 'assessed'
            when seen.procedure_id is not null then 'unknown'
            else own.state
        end as state
    from {{ ref('int_school_status') }} as status
    inner join {{ ref('int_list_year') }} as year
        on status.method_id = year.method_id and status.academic_year = year.academic_year
    inner join {{ ref('int_procedure_result') }} as own
        on
            status.method_id = own.method_id
            and status.school_id = own.school_id
            and own.academic_year in (year.academic_year, year.previous_year, year.year_before)
    left join {{ ref('int_school_seen') }} as seen
        on
            status.method_id = seen.method_id
            and status.academic_year = seen.academic_year
            and status.school_id = seen.school_id
            and own.procedure_id = seen.procedure_id
            and own.academic_year = seen.result_year
)

select
    method_id,
    academic_year,
    school_id,
    {%- for period in ['previous', 'before', 'current'] %}
    {%- for what, state in [
        ('assessed', 'assessed'), ('unknown', 'unknown'), ('not_held', 'not_held_federally'), ('not_delivered', 'not_delivered')
    ] %}
    {{ string_agg('short_ru', ', ', 'sort_order') }} filter (where period = '{{ period }}' and state = '{{ state }}')
        as {{ what }}_{{ period }}_ru,
    {%- endfor %}
    {%- endfor %}
    count(*) filter (where period = 'previous' and state = 'no_such_grade') as other_grade_previous,
    count(*) filter (where period = 'previous' and state not in ('no_such_grade', 'not_held_federally')) as possible_previous
from cell
group by method_id, academic_year, school_id
