select
    result.* {{ without('short_ru, sort_order, share_ci_low, share_ci_high') }},
    {%- for end in ['low', 'high'] %}
    case when method.share_interval = 'exact' then exact.share_ci_{{ end }} else result.share_ci_{{ end }} end as share_ci_{{ end }},
    {%- endfor %}
    pooled.pooled_share,
    pooled.pooled_probability_low
from {{ ref('int_procedure_result') }} as result
inner join {{ ref('int_official_method') }} as official
    on result.method_id = official.method_id and result.academic_year = official.academic_year
inner join {{ source('reference', 'method') }} as method on result.method_id = method.method_id
left join {{ source('analysis', 'exact_interval') }} as exact
    on
        result.method_id = exact.method_id
        and result.participants = exact.participants
        and result.below_minimum = exact.below_minimum
        and result.unknown_count = 0
left join {{ source('analysis', 'pooled_result') }} as pooled
    on
        result.method_id = pooled.method_id
        and result.academic_year = pooled.academic_year
        and result.school_id = pooled.school_id
        and result.procedure_id = pooled.procedure_id
