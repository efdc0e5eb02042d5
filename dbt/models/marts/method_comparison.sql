select
    academic_year,
    school_id,
    method_id,
    official_method_id,
    in_official,
    in_other,
    movement,
    official_low_previous_year,
    official_low_year_before,
    other_low_previous_year,
    other_low_year_before,
    evidence_participants,
    reliability,
    reliability_ru,
    holds_at_confidence,
    reason_ru
from {{ ref('int_method_comparison') }}
where method_id <> official_method_id
