{#
    Checks: contributions against the result of the region add up to zero over its schools, and their shares of participants to one.
    Resolve: before a release; a contribution would mean nothing.
    How: compare int_comparable_result (region of the population) with the schools that the analysis `contribution` counts.
#}
{{ config(meta={'dagster': {'ref': {'name': 'school_context'}}}) }}
select
    context.academic_year,
    school.region_code,
    sum(context.contribution) as contributions,
    sum(context.participants_share) as shares
from {{ ref('school_context') }} as context
inner join {{ ref('school') }} as school on context.school_id = school.school_id
where context.contribution_method = 'region_difference'
group by context.academic_year, school.region_code
having abs(sum(context.contribution)) > 1e-6 or abs(sum(context.participants_share) - 1) > 1e-6
