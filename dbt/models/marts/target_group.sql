select
    found.academic_year,
    found.school_id,
    found.definition_id,
    definition.title_ru as definition_ru,
    definition.programme_id,
    definition.fact,
    found.is_member,
    found.conditions_total,
    found.conditions_known,
    found.conditions_met,
    found.context_year,
    found.basis_ru,
    definition.evidence
from {{ ref('int_target_group') }} as found
inner join {{ source('reference', 'group_definition') }} as definition on found.definition_id = definition.definition_id
