select
    fit.academic_year,
    fit.region_code,
    fit.model,
    official.is_official,
    fit.context_year,
    fit.statistic,
    fit.part,
    coalesce(component.title_ru, case fit.part when 'index' then 'Официальный индекс' when 'const' then 'Постоянная' end)
        as part_ru,
    fit.value,
    fit.n,
    fit.reason_ru
from {{ source('analysis', 'expectation_fit') }} as fit
inner join (select distinct model, is_official from {{ source('analysis', 'expectation') }}) as official on fit.model = official.model
left join {{ source('reference', 'context_component_list') }} as component on fit.part = component.component_id
