-- Schools that a programme's rule names, before it is decided who is in its list: by list, zone of risk, delivery, or all.
with delivered as (
    select distinct
        listed.programme_id,
        listed.period,
        head.head_school_id as school_id
    from {{ ref('stg_listed_school') }} as listed
    inner join {{ ref('int_school_key') }} as keys on {{ is_key_of('keys', 'listed') }}
    inner join {{ ref('int_school_head') }} as head on keys.school_id = head.school_id
)

select programme_id, period, 'all' as population, school_id
from {{ ref('int_programme_school') }}
where is_counted
union all
select programme_id, period, 'shnor', school_id
from {{ ref('int_programme_school') }}
where is_shnor
union all
select programme_id, period, 'risk', school_id
from {{ ref('int_programme_school') }}
where is_at_risk
union all
select delivered.programme_id, delivered.period, 'programme_list', delivered.school_id
from delivered
inner join {{ ref('int_programme_school') }} as school using (programme_id, period, school_id)
