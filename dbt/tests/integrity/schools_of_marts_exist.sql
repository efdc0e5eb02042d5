{#
    Checks: every school that a mart names has a row in `school`: results, statuses, head schools, successors.
    Resolve: at once; a reader's join would lose it.
    How: see the union of identities in int_school.
#}
{{ config(meta={'dagster': {'ref': {'name': 'school'}}}) }}
with named as (
    select school_id, 'procedure_result' as place from {{ ref('procedure_result') }}
    union
    select school_id, 'school_status' from {{ ref('school_status') }}
    union
    select school_id, 'school_context' from {{ ref('school_context') }}
    union
    select school_id, 'programme_list' from {{ ref('programme_list') }}
    union
    select school_id, 'target_group' from {{ ref('target_group') }}
    union
    select school_id, 'partnership' from {{ ref('partnership') }}
    union
    select leader_school_id, 'partnership.leader_school_id' from {{ ref('partnership') }} where leader_school_id is not null
    union
    select school_id, 'risk_profile' from {{ ref('risk_profile') }}
    union
    select school_id, 'objectivity' from {{ ref('objectivity') }}
    union
    select school_id, 'stable_low' from {{ ref('stable_low') }}
    union
    select territory_id, 'mark_agreement' from {{ ref('mark_agreement') }} where territory_level = 'school'
    union
    select territory_id, 'dynamics' from {{ ref('dynamics') }} where territory_level = 'school'
    union
    select territory_id, 'indicator' from {{ ref('indicator') }} where territory_level = 'school'
    union
    select territory_id, 'measure' from {{ ref('measure') }} where territory_level = 'school'
    union
    select parent_school_id, 'school.parent_school_id' from {{ ref('school') }} where parent_school_id is not null
    union
    select merged_into_school_id, 'school.merged_into_school_id'
    from {{ ref('school') }}
    where merged_into_school_id is not null
)

select named.*
from named
left join {{ ref('school') }} as school on named.school_id = school.school_id
where school.school_id is null
