with active as (
    {{ active_rows('school_crosswalk') }}
)

select
    * {{ without('key_value') }},
    {{ comparable_key('key_kind', 'key_value') }} as key_value
from active
