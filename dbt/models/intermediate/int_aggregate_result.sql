-- Reported school totals: the latest delivery of each, by the surest kind of key. Rows of territories are no schools.
with latest as (
    select
        *,
        coalesce(held_year, measured_year) as sitting_year,
        {{ comparable_key('school_key_kind', 'school_key') }} as key_value
    from {{ ref('stg_aggregate_result') }}
    where territory_level = 'school' and school_key is not null
    qualify row_number() over (
        partition by school_key_kind, school_key, assessment, subject_id, test_grade, measured_year, held_year
        order by arrival desc, sheet desc, source_row desc
    ) = 1
)

select
    keys.school_id,
    latest.assessment,
    latest.subject_id,
    latest.test_grade,
    case when latest.sitting_year > latest.measured_year then latest.test_grade + 1 else latest.test_grade end as pupil_grade,
    latest.measured_year,
    latest.sitting_year as held_year,
    latest.participants,
    coalesce(latest.below_minimum, latest.count_2) as below_minimum,
    latest.count_2,
    latest.count_3,
    latest.count_4,
    latest.count_5,
    latest.delivery_id
from latest
inner join {{ ref('int_school_key') }} as keys
    on
        latest.school_key_kind = keys.key_kind
        and latest.key_value = keys.key_value
        and latest.measured_year = keys.measured_year
        and latest.sitting_year = keys.held_year
qualify {{ key_rank('latest.school_key_kind') }} = min({{ key_rank('latest.school_key_kind') }}) over (
    partition by
        keys.school_id, latest.assessment, latest.subject_id, latest.test_grade, latest.measured_year, latest.sitting_year
)
