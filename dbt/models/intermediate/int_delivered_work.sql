-- What each delivery brings: the works of a school, counted, and the checksum of the part of the lake they lie in. The only
-- full scan of the participants beside the results.
with counted as (
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
        portion,
        count(*) as rows_count
    from {{ ref('stg_assessment_result') }}
    group by all
)

select
    counted.*,
    part.sha256 as part_sha256
from counted
left join {{ source('delivery_log', 'part') }} as part
    on
        part.table_name = 'assessment_result'
        and counted.delivery_id = part.delivery_id
        and counted.measured_year = part.academic_year
