-- Scores of a school's ВПР as a report gives them: percentages are turned into pupils, of the last sitting.
with latest as (
    select
        *,
        coalesce(held_year, measured_year) as sitting_year,
        {{ comparable_key('school_key_kind', 'school_key') }} as key_value
    from {{ ref('stg_score_distribution') }}
    where territory_level = 'school' and school_key is not null and assessment = 'vpr'
    qualify row_number() over (
        partition by school_key_kind, school_key, subject_id, test_grade, measured_year, held_year, primary_score
        order by arrival desc, sheet desc, source_row desc
    ) = 1
),

placed as (
    select
        keys.school_id,
        procedure_subject.procedure_id,
        latest.measured_year as academic_year,
        latest.primary_score,
        cast(round(latest.score_share_pct * latest.participants / 100) as bigint) as pupils,
        latest.delivery_id
    from latest
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
)

select
    school_id,
    procedure_id,
    academic_year,
    primary_score,
    cast(sum(pupils) as bigint) as pupils,
    {{ distinct_ids('delivery_id') }} as delivery_ids
from placed
group by school_id, procedure_id, academic_year, primary_score
