select * {{ without('arrival') }}
from {{ ref('stg_delivery') }}
