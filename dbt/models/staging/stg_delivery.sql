select
    *,
    replaced_by is null and status <> 'refused' as is_active,
    row_number() over (order by received_at, modified_at, file_name, delivery_id) as arrival
from {{ source('delivery_log', 'delivery') }}
