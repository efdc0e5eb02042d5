-- Method × academic year in which it has a list or a zone of risk, with the years that it looks back on: a list needs
-- results of the year before it, the zone of risk those of the year itself.
select
    method.method_id,
    this.academic_year,
    this.start_year,
    this.previous_year,
    before.previous_year as year_before
from {{ source('reference', 'academic_year') }} as this
cross join {{ source('reference', 'method') }} as method
left join {{ source('reference', 'academic_year') }} as before on this.previous_year = before.academic_year
where exists (
    select 1
    from {{ ref('int_method_year') }} as seen
    where seen.method_id = method.method_id and seen.academic_year in (this.previous_year, this.academic_year)
)
