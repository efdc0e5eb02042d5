{#
    Checks: every school of every year with results or conditions has exactly one row of context, with an expectation or the reason why there is none.
    Resolve: at once; readers take a missing row for a school without difficulties.
    How: see int_context_school and the analysis `expectation`: which join dropped the school?
#}
{{ config(meta={'dagster': {'ref': {'name': 'school_context'}}}) }}
with year as (
    select academic_year from {{ ref('procedure_result') }}
    union
    select academic_year from {{ ref('context_component') }}
)

select year.academic_year, school.school_id
from year
cross join {{ ref('school') }} as school
left join {{ ref('school_context') }} as told using (academic_year, school_id)
where
    told.school_id is null
    or (told.is_compared and told.observed_result is not null and told.expected_result is null and told.reason_ru is null)
