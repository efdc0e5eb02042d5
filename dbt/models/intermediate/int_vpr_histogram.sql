-- School × ВПР × year: how many participants have which mark and which score. A score above the largest is no score.
{{ config(meta={'kept': 'portion'}) }}
with participant as (
    {{ vpr_participants() }}
)

select
    school_id,
    procedure_id,
    academic_year,
    mark,
    case when total_score <= max_score then cast(round(total_score) as integer) end as primary_score,
    count(*) as pupils,
    max(max_score) as max_score,
    array_distinct(array_agg(delivery_id)) as delivery_ids
from participant
group by all
