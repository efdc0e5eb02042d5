-- Mergers and branches between schools.
select distinct
    owner.school_id,
    crosswalk.school_id as related_school_id,
    crosswalk.relation,
    crosswalk.valid_from,
    crosswalk.valid_to
from {{ ref('int_school_crosswalk') }} as crosswalk
inner join {{ ref('int_key_owner') }} as owner
    on
        crosswalk.key_kind = owner.key_kind
        and crosswalk.key_value = owner.key_value
        and coalesce(crosswalk.valid_from - 1, date '1900-01-01') = owner.key_date
where crosswalk.relation in ('merged_into', 'branch_of') and owner.school_id <> crosswalk.school_id
