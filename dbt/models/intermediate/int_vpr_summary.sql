-- School × ВПР × year, every work that was delivered: marks, agreement with the journal and scores, counted once from the
-- participants. Figures of the school's own pupils, branches apart.
{{ config(meta={'kept': 'portion'}) }}
with participant as (
    {{ vpr_participants() }}
)

select
    school_id,
    procedure_id,
    academic_year,
    count(*) as participants,
    count(*) filter (where mark <= {{ var('failing_mark') }}) as below_minimum,
    count(*) filter (where mark is null) as unknown_count,
    count(*) filter (where mark is not null and prior_mark is not null) as compared_count,
    count(*) filter (where mark < prior_mark) as lowered_count,
    count(*) filter (where mark = prior_mark) as confirmed_count,
    count(*) filter (where mark > prior_mark) as raised_count,
    count(*) filter (
        where abs(mark - prior_mark) >= (select far_apart_marks from {{ source('reference', 'journal') }})
    ) as far_apart_count,
    -- a score above the largest is no score
    count(*) filter (where total_score <= max_score) as scored_count,
    sum(total_score) filter (where total_score <= max_score) as score_sum,
    max(max_score) as max_score,
    array_sort(array_distinct(array_agg(mark_origin) filter (where mark is not null))) as mark_origins,
    {{ distinct_ids('delivery_id') }} as delivery_ids
from participant
group by school_id, procedure_id, academic_year
