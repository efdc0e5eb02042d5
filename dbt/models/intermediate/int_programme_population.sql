-- The schools that an indicator's share is taken of, frozen to the period.
select programme_id, period, population, school_id
from {{ ref('int_programme_member') }}
where population <> 'programme_list'
union all
select programme_id, period, 'programme', school_id
from {{ ref('int_programme_list') }}
where is_listed
