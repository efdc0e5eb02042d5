-- A row for each score that somebody has. Protocols beat the report, work by work.
{{ config(meta={'kept': 'portion'}) }}
with counted as (
    select
        school_id,
        procedure_id,
        academic_year,
        primary_score,
        cast(sum(pupils) as bigint) as pupils_count,
        {{ distinct_ids_of_lists('delivery_ids') }} as delivery_ids
    from {{ ref('int_vpr_histogram') }}
    where primary_score is not null
    group by school_id, procedure_id, academic_year, primary_score
),

report as (
    select reported.*
    from {{ ref('int_reported_score') }} as reported
    anti join counted
        on
            reported.school_id = counted.school_id
            and reported.procedure_id = counted.procedure_id
            and reported.academic_year = counted.academic_year
    where reported.pupils > 0
),

score as (
    select *, 'participants' as source from counted
    union all
    select school_id, procedure_id, academic_year, primary_score, pupils, delivery_ids, 'report' as source from report
)

select
    score.academic_year,
    score.school_id,
    score.procedure_id,
    score.primary_score,
    score.source,
    score.pupils_count,
    cast(sum(score.pupils_count) over (
        partition by score.academic_year, score.school_id, score.procedure_id
    ) as bigint) as scored_count,
    score.delivery_ids
from score
inner join {{ ref('int_school') }} as place on score.school_id = place.school_id
where not place.is_no_school
