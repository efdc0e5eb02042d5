{#
    Checks: a school with a row in a profile has every factor of that year's list, every chosen risk every stage; no accepted
    level of a factor of the list is lost on the way to the mart.
    Resolve: at once; a missing factor reads as a low one.
    How: see int_risk_participant and int_risk_profile.
#}
{{ config(meta={'dagster': {'ref': {'name': 'risk_profile'}}}) }}
with school as (
    select distinct academic_year, school_id, list_id from {{ ref('risk_profile') }}
)

select 'factor' as place, school.academic_year, school.school_id, factor.factor_id as lost
from school
inner join {{ source('reference', 'risk_factor') }} as factor on school.list_id = factor.list_id
left join {{ ref('risk_profile') }} as profile
    on
        school.academic_year = profile.academic_year
        and school.school_id = profile.school_id
        and factor.factor_id = profile.factor_id
where profile.school_id is null
union all
select 'level', delivered.academic_year, delivered.school_id, delivered.factor_id
from {{ ref('int_risk_level') }} as delivered
left join {{ ref('risk_profile') }} as profile
    on
        delivered.academic_year = profile.academic_year
        and delivered.school_id = profile.school_id
        and delivered.factor_id = profile.factor_id
        and delivered.level = profile.level
        and profile.origin = 'delivered'
where profile.school_id is null
union all
select 'stage', profile.academic_year, profile.school_id, stage.stage_id
from {{ ref('risk_profile') }} as profile
inner join {{ source('reference', 'risk_stage_due') }} as stage on profile.academic_year = stage.academic_year
left join {{ ref('risk_stage') }} as told
    on
        profile.academic_year = told.academic_year
        and profile.school_id = told.school_id
        and profile.factor_id = told.factor_id
        and stage.stage_id = told.stage
where profile.is_chosen and told.school_id is null
