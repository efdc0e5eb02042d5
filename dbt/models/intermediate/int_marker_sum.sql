-- School × work × year: sums from which means and deviations of schools and of the region are made. Sums of whole points
-- are exact, so the figures do not depend on the order of rows.
select
    academic_year,
    region_code,
    school_id,
    procedure_id,
    count(*) as participants,
    sum(score) as score_sum,
    sum(score * score) as square_sum,
    max(max_score) as max_score,
    {{ distinct_ids('delivery_ids') }} as delivery_ids
from {{ ref('int_marker_pupil') }}
group by academic_year, region_code, school_id, procedure_id
