select
    procedure_id,
    earlier_year,
    academic_year,
    years_between,
    is_score_comparable,
    is_mark_comparable,
    break_ids,
    note_ru
from {{ ref('int_comparability') }}
