select
    result.* exclude (short_ru, sort_order)
from {{ ref('int_procedure_result') }} as result
inner join {{ ref('int_official_method') }} as official
    on result.method_id = official.method_id and result.academic_year = official.academic_year
