{#
    Checks: every definition in force speaks of every school that it is about, once, member or not or undecided.
    Resolve: at once; definitions side by side would compare different schools.
    How: see `asked` in int_group_condition and the kinds that follow it; a new kind needs a part of its own there.
#}
{{ config(meta={'dagster': {'ref': {'name': 'target_group'}}}) }}
select
    definition.definition_id,
    school.academic_year,
    school.school_id
from {{ source('reference', 'group_definition') }} as definition
cross join {{ ref('int_group_school') }} as school
left join {{ ref('target_group') }} as found
    on
        definition.definition_id = found.definition_id
        and school.academic_year = found.academic_year
        and school.school_id = found.school_id
left join (
    select definition_id, count(*) filter (where is_required) as conditions
    from {{ source('reference', 'group_condition') }}
    group by definition_id
) as named on definition.definition_id = named.definition_id
where
    {{ holds_on('school.academic_year', 'definition.valid_from', 'definition.valid_to') }}
    and coalesce(found.conditions_total <> named.conditions, true)
