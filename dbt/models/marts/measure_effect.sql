select *
from {{ source('analysis', 'effect_comparison') }}
