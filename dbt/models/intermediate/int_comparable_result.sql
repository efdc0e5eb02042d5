-- Year × school: one result over all procedures of the official method, comparable between schools that took different
-- ones. Each procedure is compared with its own share in the region (indirect standardisation), in percentage points:
--     observed = region + 100 · Σ n·(share above in the school − share above in the region) / Σ n
-- The region is its schools of the population; a procedure with unknown results of the school takes no part.
with outcome as (
    select
        outcome.academic_year,
        outcome.school_id,
        school.region_code,
        school.is_in_population,
        outcome.procedure_id,
        outcome.participants,
        outcome.below_minimum
    from {{ ref('int_procedure_outcome') }} as outcome
    inner join {{ ref('int_official_method') }} as official using (method_id, academic_year)
    inner join {{ ref('int_context_school') }} as school using (academic_year, school_id)
    where outcome.unknown_count = 0
),

region_procedure as (
    select
        academic_year,
        region_code,
        procedure_id,
        sum(below_minimum) / sum(participants) as below_share
    from outcome
    where is_in_population
    group by academic_year, region_code, procedure_id
),

region as (
    select
        academic_year,
        region_code,
        1e2 * (1 - sum(below_minimum) / sum(participants)) as region_result,
        cast(sum(participants) as bigint) as region_participants
    from outcome
    where is_in_population
    group by academic_year, region_code
),

school as (
    select
        outcome.academic_year,
        outcome.school_id,
        outcome.region_code,
        count(*) as procedures_count,
        cast(sum(outcome.participants) as bigint) as participants,
        cast(sum(outcome.below_minimum) as bigint) as below_minimum,
        -- ordered, so that the last digit does not depend on the order in which threads made the rows
        {{ stable_sum('outcome.participants * region_procedure.below_share', order_by='outcome.procedure_id') }} as below_by_region
    from outcome
    inner join region_procedure using (academic_year, region_code, procedure_id)
    group by outcome.academic_year, outcome.school_id, outcome.region_code
)

select
    school.*,
    region.region_result + 1e2 * (school.below_by_region - school.below_minimum) / school.participants as observed_result,
    region.region_result,
    region.region_participants
from school
inner join region using (academic_year, region_code)
