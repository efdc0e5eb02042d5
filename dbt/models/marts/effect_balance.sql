select *
from {{ source('analysis', 'effect_covariate') }}
