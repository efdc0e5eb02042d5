-- Facts of execution. The year of a date and the keys of a place are added, so that schools are found as elsewhere.
with active as (
    {{ active_rows('programme_return') }}
)

select
    *,
    {{ academic_year_of('reported_on') }} as measured_year,
    {{ academic_year_of('reported_on') }} as held_year,
    cast(null as string) as municipality_key
from active
