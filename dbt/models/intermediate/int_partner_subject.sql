-- Year of the list × school × subject: results of the year before, beside what the region's schools would have with the
-- same procedures and the same numbers of participants; and whether the subject brought the school into the list.
with method as (
    select method_id, {{ normal_quantile('(1 + confidence) / 2') }} as z
    from {{ source('reference', 'method') }}
),

result as (
    select
        outcome.academic_year,
        outcome.school_id,
        school.region_code,
        outcome.procedure_id,
        -- procedures are named after assessment, grade and subject; levels of mathematics are one subject
        regexp_extract(outcome.procedure_id, '^[a-z]+_\d+_([a-z]+)', 1) as subject_id,
        outcome.participants,
        outcome.below_minimum,
        outcome.unknown_count,
        outcome.own_participants,
        outcome.own_below_minimum,
        outcome.own_unknown_count,
        outcome.is_low,
        outcome.method_id
    from {{ ref('int_procedure_outcome') }} as outcome
    inner join {{ ref('int_official_method') }} as official
        on outcome.method_id = official.method_id and outcome.academic_year = official.academic_year
    inner join {{ source('reference', 'method_procedure') }} as named
        on outcome.method_id = named.method_id and outcome.procedure_id = named.procedure_id
    inner join {{ ref('int_school') }} as school on outcome.school_id = school.school_id and not school.is_no_school
),

region as (
    select
        academic_year,
        region_code,
        procedure_id,
        sum(own_below_minimum) / sum(own_participants) as below_share
    from result
    where own_unknown_count = 0 and own_participants > 0
    group by academic_year, region_code, procedure_id
),

held as (
    select
        result.academic_year,
        result.school_id,
        result.subject_id,
        sum(result.participants) as participants,
        sum(result.below_minimum) as below_minimum,
        {{ stable_sum('result.participants * region.below_share') }} as expected_below,
        any_value(result.method_id) as method_id
    from result
    inner join region using (academic_year, region_code, procedure_id)
    where result.unknown_count = 0
    group by result.academic_year, result.school_id, result.subject_id
),

low as (
    select academic_year, school_id, subject_id
    from result
    where is_low
    group by academic_year, school_id, subject_id
),

-- the list of a year rests on two years
weak as (
    select
        year.academic_year,
        low.school_id,
        low.subject_id
    from low
    inner join {{ source('reference', 'academic_year') }} as year on low.academic_year = year.previous_year
    union
    select
        next_year.academic_year,
        low.school_id,
        low.subject_id
    from low
    inner join {{ source('reference', 'academic_year') }} as year on low.academic_year = year.previous_year
    inner join {{ source('reference', 'academic_year') }} as next_year on year.academic_year = next_year.previous_year
),

told as (
    select
        year.academic_year,
        held.school_id,
        held.subject_id,
        held.participants,
        held.below_minimum,
        held.expected_below,
        {{ wilson('held.below_minimum', 'held.participants', 'method.z', '+') }} as share_ci_high
    from held
    inner join {{ source('reference', 'academic_year') }} as year on held.academic_year = year.previous_year
    inner join method on held.method_id = method.method_id
)

select
    academic_year,
    school_id,
    subject_id,
    cast(told.participants as bigint) as participants,
    cast(told.below_minimum as bigint) as below_minimum,
    told.expected_below,
    told.share_ci_high,
    weak.subject_id is not null as is_weak
from told
full join weak using (academic_year, school_id, subject_id)
