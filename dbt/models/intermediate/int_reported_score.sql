-- Scores of a school's ВПР as a report gives them: percentages are turned into pupils, of the last sitting.
with reported as (
    {{ reported_of_schools('stg_score_distribution', 'primary_score') }}
)

select
    school_id,
    procedure_id,
    measured_year as academic_year,
    primary_score,
    cast(sum(cast(round(score_share_pct * participants / 100) as bigint)) as bigint) as pupils,
    {{ distinct_ids('delivery_id') }} as delivery_ids
from reported
group by school_id, procedure_id, measured_year, primary_score
