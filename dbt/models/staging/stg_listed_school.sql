-- Lists of programmes as they were delivered. A calendar year means the school year that ends in it.
with active as (
    {{ active_rows('listed_school') }}
)

select
    *,
    case
        when length(period) = 4 then (cast(period as integer) - 1) || '-' || period
        else period
    end as measured_year
from active
