{# The rows of a lake table that still hold: their delivery is not replaced by a corrected file.
   `arrival` orders deliveries as they came, the later the greater. #}
{% macro active_rows(table_name) -%}
select
    rows_of_table.*,
    delivery.arrival
from {{ source('lake', table_name) }} as rows_of_table
inner join {{ ref('stg_delivery') }} as delivery on rows_of_table.delivery_id = delivery.delivery_id
where delivery.is_active
{%- endmacro %}
