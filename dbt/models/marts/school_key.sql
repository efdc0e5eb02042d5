select
    measured_year as academic_year,
    held_year,
    key_kind,
    key_value,
    school_id
from {{ ref('int_school_key') }}
