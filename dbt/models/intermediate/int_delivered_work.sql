-- What each delivery brings: the works of a school, counted. The only full scan of the participants beside the results.
select
    delivery_id,
    arrival,
    school_key_kind,
    school_key,
    school_label,
    municipality_key,
    municipality_label,
    assessment,
    subject_id,
    test_grade,
    measured_year,
    coalesce(held_year, measured_year) as held_year,
    count(*) as rows_count
from {{ ref('stg_assessment_result') }}
group by all
