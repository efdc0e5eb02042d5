{# Rows of participants of ВПР that count, each with its school: see int_chosen_work. #}
{% macro counted_works() -%}
select
    chosen.work_no,
    chosen.school_id,
    chosen.arrival,
    chosen.held_year,
    work.* {{ without('arrival, held_year') }}
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

{# Participants of ВПР, every work that was delivered: the mark as exported, else by the scale of the year. #}
{% macro vpr_participants() -%}
select
    work.school_id,
    procedure_subject.procedure_id,
    work.measured_year as academic_year,
    work.delivery_id,
    coalesce(work.mark, {{ scale_mark('work.total_score', 'scale') }}) as mark,
    case when work.mark is not null then 'exported' when scale.scale_id is not null then 'scale' end as mark_origin,
    work.prior_mark,
    work.total_score,
    coalesce(work.max_score, scale.score_top) as max_score
from ({{ counted_works() }}) as work
inner join {{ source('reference', 'procedure_subject') }} as procedure_subject
    on
        procedure_subject.assessment = 'vpr'
        and work.subject_id = procedure_subject.subject_id
        and work.test_grade = procedure_subject.test_grade
left join {{ ref('int_score_scale') }} as scale
    on
        scale.assessment = 'vpr'
        and work.subject_id = scale.subject_id
        and work.test_grade = scale.test_grade
        and work.measured_year = scale.academic_year
where work.attendance = 'participated'
{%- endmacro %}
