-- Agreement of marks with the journal as ФИС ОКО reports it, school by school, of the last sitting. A report without counts
-- has percentages.
with reported as (
    {{ reported_of_schools('stg_mark_comparison', 'outcome') }}
),

counted as (
    select
        *,
        coalesce(outcome_count, cast(round(outcome_pct * participants / 100) as bigint)) as pupils
    from reported
)

select
    school_id,
    procedure_id,
    measured_year as academic_year,
    sum(pupils) as compared_count,
    {%- for outcome in ['lowered', 'confirmed', 'raised'] %}
    coalesce(sum(pupils) filter (where outcome = '{{ outcome }}'), 0) as {{ outcome }}_count,
    {%- endfor %}
    {{ distinct_ids('delivery_id') }} as delivery_ids
from counted
group by school_id, procedure_id, measured_year
having count(*) = count(pupils)
