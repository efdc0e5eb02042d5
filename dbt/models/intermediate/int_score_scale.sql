-- One scale for each work and year: the lowest score of every mark. The reference outweighs a delivered scale.
with scale as (
    select assessment, test_grade, subject_id, academic_year, scale_id, evidence, mark, score_min, score_max, 1 as preference
    from {{ source('reference', 'score_scale') }}
    union all
    select assessment, test_grade, subject_id, scale_year, 'delivered', 'delivered', mark, score_min, score_max, 2
    from {{ ref('stg_score_scale') }}
    qualify arrival = max(arrival) over (partition by assessment, test_grade, subject_id, scale_year)
)

select
    assessment,
    test_grade,
    subject_id,
    academic_year,
    scale_id,
    min(evidence) as evidence,
    min(score_min) filter (where mark = 3) as score_3,
    min(score_min) filter (where mark = 4) as score_4,
    min(score_min) filter (where mark = 5) as score_5,
    max(score_max) as score_top
from scale
group by assessment, test_grade, subject_id, academic_year, scale_id, preference
qualify row_number() over (
    partition by assessment, test_grade, subject_id, academic_year order by preference, scale_id
) = 1
