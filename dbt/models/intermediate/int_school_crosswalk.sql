-- The crosswalk in force: the latest delivery that names a key replaces all that earlier ones said of it.
with ranked as (
    select
        *,
        max(arrival) over (partition by key_kind, key_value) as last_arrival
    from {{ ref('stg_school_crosswalk') }}
)

select distinct
    key_kind,
    key_value,
    school_id,
    relation,
    valid_from,
    valid_to
from ranked
where arrival = last_arrival
