-- Pairs of schools that a programme's document names, found among the schools of its territory by their names. A name
-- may go on where the other ends («Лицей № 37» Фрунзенского района); one that fits two schools finds none.
with named as (
    select
        pair.programme_id,
        pair.sort_order,
        role.role,
        case role.role
            when 'leader' then {{ school_name_core('pair.leader_ru') }}
            else {{ school_name_core('pair.supported_ru') }}
        end as core
    from {{ source('reference', 'programme_pair') }} as pair
    cross join (values ('leader'), ('supported')) as role (role)
),

school as (
    select school_id, municipality_id, region_code, {{ school_name_core('school_name') }} as core
    from {{ ref('int_school') }}
    where merged_into_school_id is null and parent_school_id is null
),

found as (
    select
        named.programme_id,
        named.sort_order,
        named.role,
        min(school.school_id) as school_id
    from named
    inner join {{ ref('int_programme') }} as programme on named.programme_id = programme.programme_id
    inner join school
        on
            programme.region_code = school.region_code
            and coalesce(programme.municipality_id = school.municipality_id, true)
            and school.core <> ''
            and (
                named.core = school.core
                or position(school.core || ' ' in named.core) = 1
                or position(named.core || ' ' in school.core) = 1
            )
    group by named.programme_id, named.sort_order, named.role
    having count(*) = 1
)

select
    leader.programme_id,
    leader.sort_order,
    supported.school_id,
    leader.school_id as leader_school_id
from found as leader
inner join found as supported
    on
        leader.programme_id = supported.programme_id
        and leader.sort_order = supported.sort_order
        and supported.role = 'supported'
where leader.role = 'leader'
