select
    result.* exclude (short_ru, sort_order),
    pooled.pooled_share,
    pooled.pooled_probability_low
from {{ ref('int_procedure_result') }} as result
inner join {{ ref('int_official_method') }} as official
    on result.method_id = official.method_id and result.academic_year = official.academic_year
left join {{ source('analysis', 'pooled_result') }} as pooled
    on
        result.method_id = pooled.method_id
        and result.academic_year = pooled.academic_year
        and result.school_id = pooled.school_id
        and result.procedure_id = pooled.procedure_id
