-- What lasts about a school: its kind and whether it stands in a town, by the latest year in which that is known.
with settlement as (
    select
        school_id,
        value = 1 as is_urban
    from {{ ref('int_context_component') }}
    where component_id = 'is_urban' and value is not null
    qualify row_number() over (partition by school_id order by academic_year desc) = 1
)

select
    school.school_id,
    school.school_type,
    coalesce(settlement.is_urban, school.settlement_type = 'urban') as is_urban
from {{ ref('int_school') }} as school
left join settlement on school.school_id = settlement.school_id
