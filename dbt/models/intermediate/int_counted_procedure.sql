-- The own counts of a school and, where the counting rolls branches up, those of its branches of that year.
with contribution as (
    select
        own.* {{ without('school_id') }},
        own.school_id,
        true as is_own
    from {{ ref('int_counted_result') }} as own
    union all
    select
        own.* {{ without('school_id') }},
        link.related_school_id as school_id,
        false as is_own
    from {{ ref('int_counted_result') }} as own
    inner join {{ source('reference', 'counting') }} as counting on own.counting_id = counting.counting_id
    inner join {{ ref('int_school_link') }} as link on own.school_id = link.school_id
    where
        counting.roll_up_branches
        and link.relation = 'branch_of'
        and {{ holds_on(key_date('own.academic_year', 'own.academic_year'), 'link.valid_from', 'link.valid_to') }}
),

total as (
    select
        counting_id,
        academic_year,
        school_id,
        procedure_id,
        cast(sum(participants) as bigint) as participants,
        cast(sum(below_minimum) as bigint) as below_minimum,
        cast(sum(unknown_count) as bigint) as unknown_count,
        cast(sum(absent_count) as bigint) as absent_count,
        cast(coalesce(sum(participants) filter (where is_own), 0) as bigint) as own_participants,
        cast(coalesce(sum(below_minimum) filter (where is_own), 0) as bigint) as own_below_minimum,
        cast(coalesce(sum(unknown_count) filter (where is_own), 0) as bigint) as own_unknown_count,
        max(result_source) as result_source, -- participants, if any of it rests on protocols
        array_distinct(flatten(array_agg(mark_origins))) as mark_origins,
        {%- for column in ['scale_ids', 'evidence', 'delivery_ids'] %}
        nullif({{ distinct_ids_of_lists(column) }}, '') as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from contribution
    group by counting_id, academic_year, school_id, procedure_id
)

select
    * {{ without('mark_origins') }},
    case when {{ list_length('mark_origins') }} > 1 then 'mixed' else {{ list_item('mark_origins', 1) }} end as mark_origin
from total
