select
    fit.academic_year,
    fit.region_code,
    fit.index_id,
    fit.index_ru,
    fit.method,
    fit.component_id,
    component.title_ru,
    fit.is_used,
    fit.raises_wellbeing,
    fit.weight,
    fit.coefficient,
    fit.mean,
    fit.sd,
    fit.minimum,
    fit.maximum,
    fit.schools as schools_count,
    fit.explained_share,
    fit.note_ru
from {{ source('analysis', 'context_index_fit') }} as fit
left join {{ source('reference', 'context_component_list') }} as component on fit.component_id = component.component_id
