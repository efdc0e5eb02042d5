-- ВПР: whose rows count for which work of which school. Of several deliveries of one work in one sitting the latest
-- stands alone; of several kinds of key for one school the surest one. One row a delivery × key × work, numbered within
-- its portion.
with delivered as (
    select distinct
        delivery_id, arrival, school_key_kind, school_key, subject_id, test_grade, measured_year, held_year, portion
    from {{ ref('int_delivered_work') }}
    where assessment = 'vpr'
),

latest as (
    select
        *,
        {{ comparable_key('school_key_kind', 'school_key') }} as key_value
    from delivered
    qualify arrival = max(arrival) over (
        partition by school_key_kind, school_key, subject_id, test_grade, measured_year, held_year
    )
)

select
    row_number() over (
        partition by latest.portion
        order by latest.delivery_id, latest.school_key_kind, latest.school_key, latest.held_year
    ) as work_no,
    keys.school_id,
    latest.* {{ without('key_value') }}
from latest
inner join {{ ref('int_school_key') }} as keys
    on
        latest.school_key_kind = keys.key_kind
        and latest.key_value = keys.key_value
        and latest.measured_year = keys.measured_year
        and latest.held_year = keys.held_year
qualify {{ key_rank('latest.school_key_kind') }} = min({{ key_rank('latest.school_key_kind') }}) over (
    partition by keys.school_id, latest.subject_id, latest.test_grade, latest.measured_year, latest.held_year
)
