-- Protocols beat the report: the same work is never counted from both.
with counted as (
    select
        school_id,
        procedure_id,
        academic_year,
        cast(sum(pupils) as bigint) as participants,
        {%- for mark in [2, 3, 4, 5] %}
        cast(coalesce(sum(pupils) filter (where mark = {{ mark }}), 0) as bigint) as mark_{{ mark }}_count,
        {%- endfor %}
        cast(coalesce(sum(pupils) filter (where mark is null), 0) as bigint) as unknown_count,
        {{ distinct_ids_of_lists('delivery_ids') }} as delivery_ids
    from {{ ref('int_vpr_histogram') }}
    group by school_id, procedure_id, academic_year
)

select
    coalesce(counted.academic_year, report.academic_year) as academic_year,
    coalesce(counted.school_id, report.school_id) as school_id,
    coalesce(counted.procedure_id, report.procedure_id) as procedure_id,
    case when counted.school_id is not null then 'participants' else 'report' end as source,
    coalesce(counted.participants, report.participants) as participants,
    {%- for mark in [2, 3, 4, 5] %}
    case
        when counted.school_id is not null then counted.mark_{{ mark }}_count else report.mark_{{ mark }}_count
    end as mark_{{ mark }}_count,
    {%- endfor %}
    coalesce(counted.unknown_count, 0) as unknown_count,
    coalesce(counted.delivery_ids, report.delivery_ids) as delivery_ids
from counted
full outer join {{ ref('int_reported_mark') }} as report using (academic_year, school_id, procedure_id)
inner join {{ ref('int_school') }} as place
    on coalesce(counted.school_id, report.school_id) = place.school_id
where not place.is_no_school
