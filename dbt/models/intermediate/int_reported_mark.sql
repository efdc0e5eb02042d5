-- Marks of a school's ВПР as a report gives them: of the last sitting, over all keys of the school.
with placed as (
    select
        report.*,
        procedure_subject.procedure_id
    from {{ ref('int_aggregate_result') }} as report
    inner join {{ source('reference', 'procedure_subject') }} as procedure_subject
        on
            procedure_subject.assessment = 'vpr'
            and report.subject_id = procedure_subject.subject_id
            and report.test_grade = procedure_subject.test_grade
    where report.assessment = 'vpr' and report.participants > 0
    qualify report.held_year = max(report.held_year) over (
        partition by report.school_id, procedure_subject.procedure_id, report.measured_year
    )
)

select
    school_id,
    procedure_id,
    measured_year as academic_year,
    cast(sum(participants) as bigint) as participants,
    {%- for mark in [2, 3, 4, 5] %}
    cast(sum(count_{{ mark }}) as bigint) as mark_{{ mark }}_count,
    {%- endfor %}
    {{ distinct_ids('delivery_id') }} as delivery_ids
from placed
group by school_id, procedure_id, measured_year
having count(*) = count(count_2 + count_3 + count_4 + count_5)
