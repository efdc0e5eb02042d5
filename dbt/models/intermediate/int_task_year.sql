-- Years with answers by task, and how many whole years came later: marts keep the newest. A year that has hardly begun does
-- not take the place of a whole one.
with year as (
    select academic_year, sum(pupils) as answers_count
    from {{ ref('int_task_answer') }}
    group by academic_year
)

select
    year.academic_year,
    count(*) filter (
        where later.academic_year > year.academic_year
        and later.answers_count * 1000 >= setting.full_year_per_mille * largest.answers_count
    ) as whole_years_later
from year
cross join year as later
cross join (select max(answers_count) as answers_count from year) as largest
cross join {{ source('reference', 'deficit_setting') }} as setting
group by year.academic_year
