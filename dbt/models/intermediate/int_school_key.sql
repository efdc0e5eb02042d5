-- The school to which results under a key count in a year: the owner of the key or, after a merger, the school that took it in.
with recursive mention as (
    select distinct key_kind, key_value, measured_year, held_year, key_date
    from {{ ref('int_school_mention') }}
),

merged_key as (
    select
        mention.*,
        crosswalk.school_id
    from mention
    inner join {{ ref('int_school_crosswalk') }} as crosswalk
        on mention.key_kind = crosswalk.key_kind and mention.key_value = crosswalk.key_value
    where
        crosswalk.relation = 'merged_into'
        and {{ holds_on('mention.key_date', 'crosswalk.valid_from', 'crosswalk.valid_to') }}
    qualify row_number() over (
        partition by mention.key_kind, mention.key_value, mention.measured_year, mention.held_year
        order by crosswalk.valid_from desc nulls last, crosswalk.school_id
    ) = 1
),

hop as (
    select
        mention.*,
        owner.school_id as own_school_id,
        coalesce(merged_key.school_id, owner.school_id) as school_id,
        0 as depth
    from mention
    inner join {{ ref('int_key_owner') }} as owner using (key_kind, key_value, key_date)
    left join merged_key using (key_kind, key_value, measured_year, held_year)
    union all
    select
        hop.* {{ without('school_id, depth') }},
        link.related_school_id as school_id,
        hop.depth + 1 as depth
    from hop
    inner join {{ ref('int_school_link') }} as link on hop.school_id = link.school_id
    where
        link.relation = 'merged_into'
        and {{ holds_on('hop.key_date', 'link.valid_from', 'link.valid_to') }}
        and hop.depth < 9 -- a ring of mergers must not turn for ever
)

select * {{ without('depth') }}
from hop
qualify row_number() over (
    partition by key_kind, key_value, measured_year, held_year order by depth desc, school_id
) = 1
