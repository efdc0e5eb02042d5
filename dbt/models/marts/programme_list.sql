select
    list.programme_id,
    list.period,
    period.is_baseline,
    list.school_id,
    period.list_year,
    list.is_listed,
    list.basis,
    list.listing,
    list.years_listed_in_a_row,
    list.support_format,
    list.support_ru,
    period.method_id
from {{ ref('int_programme_list') }} as list
inner join {{ ref('int_programme_period') }} as period using (programme_id, period)
