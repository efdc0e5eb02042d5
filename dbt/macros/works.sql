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

{# Rows of a report on ВПР, a row a school and `item` of a work, each with its school: the newest delivery, of the last sitting. #}
{% macro reported_of_schools(report, item) -%}
select
    keys.school_id,
    procedure_subject.procedure_id,
    latest.*
from (
    select
        *,
        coalesce(held_year, measured_year) as sitting_year,
        {{ comparable_key('school_key_kind', 'school_key') }} as key_value
    from {{ ref(report) }}
    where territory_level = 'school' and school_key is not null and assessment = 'vpr'
    qualify row_number() over (
        partition by school_key_kind, school_key, subject_id, test_grade, measured_year, held_year, {{ item }}
        order by arrival desc, sheet desc, source_row desc
    ) = 1
) as latest
inner join {{ source('reference', 'procedure_subject') }} as procedure_subject
    on
        procedure_subject.assessment = 'vpr'
        and latest.subject_id = procedure_subject.subject_id
        and latest.test_grade = procedure_subject.test_grade
inner join {{ ref('int_school_key') }} as keys
    on
        latest.school_key_kind = keys.key_kind
        and latest.key_value = keys.key_value
        and latest.measured_year = keys.measured_year
        and latest.sitting_year = keys.held_year
qualify
    latest.sitting_year = max(latest.sitting_year) over (
        partition by keys.school_id, procedure_subject.procedure_id, latest.measured_year
    )
    and {{ key_rank('latest.school_key_kind') }} = min({{ key_rank('latest.school_key_kind') }}) over (
        partition by keys.school_id, procedure_subject.procedure_id, latest.measured_year, latest.sitting_year
    )
{%- endmacro %}

{# The procedure of a work of ВПР. #}
{% macro vpr_procedure(of) -%}
'vpr_' || {{ of }}.test_grade || '_' || {{ of }}.subject_id
{%- endmacro %}

{# The procedures that federal markers look at, those of the year before too. #}
{% macro marker_procedures() -%}
select procedure_id from {{ source('reference', 'marker') }}
union
select earlier_procedure_id from {{ source('reference', 'marker') }} where earlier_procedure_id is not null
{%- endmacro %}
