-- Definitions side by side: schools in each pair of them. Undecided schools are in no count but their own.
with member as (
    select
        found.academic_year,
        found.school_id,
        found.definition_id,
        found.is_member,
        definition.sort_order
    from {{ ref('int_target_group') }} as found
    inner join {{ source('reference', 'group_definition') }} as definition on found.definition_id = definition.definition_id
),

pair as (
    select
        one.academic_year,
        one.school_id,
        one.definition_id,
        other.definition_id as other_definition_id,
        one.is_member,
        other.is_member as is_other_member,
        one.is_member is not null and other.is_member is not null as is_decided
    from member as one
    inner join member as other
        on one.academic_year = other.academic_year and one.school_id = other.school_id and one.sort_order <= other.sort_order
),

placed as (
    select 'region' as territory_level, school.region_code as territory_id, pair.*
    from pair
    inner join {{ ref('int_school') }} as school on pair.school_id = school.school_id
    union all
    select 'municipality', school.municipality_id, pair.*
    from pair
    inner join {{ ref('int_school') }} as school on pair.school_id = school.school_id
),

place as (
    {{ named_places() }}
)

select
    placed.academic_year,
    placed.territory_level,
    placed.territory_id,
    coalesce(any_value(place.territory_name), placed.territory_id) as territory_name,
    placed.definition_id,
    placed.other_definition_id,
    count(*) as schools_count,
    count(*) filter (where placed.is_decided) as decided_count,
    count(*) filter (where not placed.is_decided) as undecided_count,
    count(*) filter (where placed.is_decided and placed.is_member) as member_count,
    count(*) filter (where placed.is_decided and placed.is_other_member) as other_member_count,
    count(*) filter (where placed.is_member and placed.is_other_member) as both_count
from placed
left join place on placed.territory_level = place.territory_level and placed.territory_id = place.territory_id
group by placed.academic_year, placed.territory_level, placed.territory_id, placed.definition_id, placed.other_definition_id
