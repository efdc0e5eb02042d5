{#
    Checks: every school × condition of every year with a form of conditions has exactly one row, and every answer that counts is of a school there.
    Resolve: at once; an index would be made of the schools that happen to be there.
    How: see `cell` in int_context_component: which school or component was dropped?
#}
{{ config(meta={'dagster': {'ref': {'name': 'context_component'}}}) }}
with year as (select distinct academic_year from {{ ref('int_context_answer') }})

select
    year.academic_year,
    school.school_id,
    component.component_id
from year
cross join {{ ref('school') }} as school
cross join {{ source('reference', 'context_component_list') }} as component
left join {{ ref('context_component') }} as told
    on
        year.academic_year = told.academic_year
        and school.school_id = told.school_id
        and component.component_id = told.component_id
where school.is_school and school.merged_into_school_id is null and told.school_id is null
union all
select distinct answer.academic_year, answer.school_id, null
from {{ ref('int_context_answer') }} as answer
inner join {{ ref('school') }} as school on answer.school_id = school.school_id
left join {{ ref('context_component') }} as told
    on answer.academic_year = told.academic_year and answer.school_id = told.school_id
where school.is_school and answer.form_id <> 'register' and told.school_id is null
