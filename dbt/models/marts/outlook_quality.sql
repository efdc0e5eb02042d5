select *
from {{ source('analysis', 'outlook_score') }}
