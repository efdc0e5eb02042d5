-- The school that answers for another's figures: its head school where the method rolls branches up, else itself.
with official as (
    select method.roll_up_branches
    from {{ ref('int_official_method') }} as official
    inner join {{ source('reference', 'method') }} as method on official.method_id = method.method_id
    order by official.academic_year desc
    limit 1
)

select
    school_id,
    case when (select roll_up_branches from official) then coalesce(parent_school_id, school_id) else school_id end as head_school_id
from {{ ref('int_school') }}
