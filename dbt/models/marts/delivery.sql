select * exclude (arrival)
from {{ ref('stg_delivery') }}
