-- Every row of every register with the school it speaks of. Registers describe one school several times
-- (by year, by supplier); `recency` orders the rows, the later the greater.
with register as (
    select
        *,
        {{ name_key('municipality_label', 'school_name') }} as name_key,
        {{ name_key('municipality_label', 'school_full_name') }} as full_name_key,
        row_number() over (order by arrival, valid_from nulls first, sheet, source_row) as recency
    from {{ ref('stg_school_register') }}
),

assigned as (
    select
        key_kind,
        key_value,
        max_by(school_id, coalesce(valid_from, date '0001-01-01')) as school_id
    from {{ ref('int_school_crosswalk') }}
    where relation in ('same', 'renamed')
    group by key_kind, key_value
),

direct as (
    select
        register.* {{ without('school_id') }},
        coalesce(register.school_id, by_login.school_id, by_code.school_id, 's' || register.vpr_login) as direct_id
    from register
    left join assigned as by_login on by_login.key_kind = 'vpr_login' and register.vpr_login = by_login.key_value
    left join assigned as by_code on by_code.key_kind = 'exam_code' and register.exam_code = by_code.key_value
),

-- a row without a login is found by the exam code, or by a name that only one school bears
by_exam_code as (
    select exam_code, max_by(direct_id, recency) as school_id
    from direct
    where direct_id is not null and exam_code is not null
    group by exam_code
),

by_name as (
    select name_key, min(direct_id) as school_id
    from direct
    where direct_id is not null
    group by name_key
    having min(direct_id) = max(direct_id)
)

select
    direct.* {{ without('direct_id') }},
    coalesce(
        direct.direct_id,
        by_exam_code.school_id,
        by_name.school_id,
        'e' || direct.exam_code,
        'n' || left(md5(direct.name_key), 10)
    ) as school_id
from direct
left join by_exam_code on direct.exam_code = by_exam_code.exam_code
left join by_name on direct.name_key = by_name.name_key
