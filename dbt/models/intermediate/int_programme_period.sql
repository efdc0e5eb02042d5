-- Periods of programmes with the method that makes their list and the results they are compared with.
select
    period.*,
    programme.territory_level,
    programme.territory_id,
    coalesce(programme.list_method_id, official.method_id) as method_id,
    former.results_year as former_results_year
from {{ source('reference', 'programme_period') }} as period
inner join {{ ref('int_programme') }} as programme on period.programme_id = programme.programme_id
left join {{ ref('int_official_method') }} as official on period.list_year = official.academic_year
left join {{ source('reference', 'programme_period') }} as former
    on period.programme_id = former.programme_id and period.previous_period = former.period
