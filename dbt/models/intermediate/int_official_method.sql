-- The official method of each academic year. Results older than the first method are judged by the first.
{%- set year_end = 'make_date(cast(year.start_year as integer) + 1, 8, 31)' %}

select
    year.academic_year,
    method.method_id
from {{ source('reference', 'academic_year') }} as year
inner join {{ source('reference', 'method') }} as method on method.is_official
-- among methods in force the newest is the nearest, among later ones the first
qualify row_number() over (
    partition by year.academic_year
    order by
        {{ holds_on(year_end, 'method.valid_from', 'method.valid_to') }} desc,
        abs({{ days_between('method.valid_from', year_end) }}),
        method.method_id
) = 1
