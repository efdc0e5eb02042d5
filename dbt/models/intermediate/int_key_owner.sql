-- Whose key it is on a day, before mergers: crosswalk, then register, then a provisional school made of the key itself.
with wanted as (
    select distinct key_kind, key_value, key_date
    from {{ ref('int_school_mention') }}
    union
    -- the school that a merger or a branch row speaks of, as it was just before
    select distinct key_kind, key_value, coalesce(valid_from - 1, date '1900-01-01')
    from {{ ref('int_school_crosswalk') }}
    where relation in ('merged_into', 'branch_of')
),

by_crosswalk as (
    select
        wanted.*,
        crosswalk.school_id
    from wanted
    inner join {{ ref('int_school_crosswalk') }} as crosswalk
        on wanted.key_kind = crosswalk.key_kind and wanted.key_value = crosswalk.key_value
    where
        crosswalk.relation in ('same', 'renamed')
        and {{ holds_on('wanted.key_date', 'crosswalk.valid_from', 'crosswalk.valid_to') }}
    qualify row_number() over (
        partition by wanted.key_kind, wanted.key_value, wanted.key_date
        order by crosswalk.valid_from desc nulls last, crosswalk.school_id
    ) = 1
),

register_key as (
    {%- for kind, column in [('vpr_login', 'vpr_login'), ('exam_code', 'exam_code'), ('inn', 'inn'), ('ogrn', 'ogrn'), ('name', 'name_key'), ('name', 'full_name_key')] %}
    select '{{ kind }}' as key_kind, {{ column }} as key_value, school_id, valid_from, valid_to, recency
    from {{ ref('int_register_school') }}
    where {{ column }} is not null
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

by_register as (
    select
        wanted.*,
        register_key.school_id
    from wanted
    inner join (
        -- a legal entity or a name may stand for several schools: then it says nothing about which
        select
            *,
            key_kind in ('vpr_login', 'exam_code')
            or min(school_id) over (partition by key_kind, key_value)
            = max(school_id) over (partition by key_kind, key_value) as is_certain
        from register_key
    ) as register_key
        on wanted.key_kind = register_key.key_kind and wanted.key_value = register_key.key_value
    where register_key.is_certain
    qualify row_number() over (
        partition by wanted.key_kind, wanted.key_value, wanted.key_date
        order by
            {{ holds_on('wanted.key_date', 'register_key.valid_from', 'register_key.valid_to') }} desc,
            register_key.recency desc
    ) = 1
)

select
    wanted.key_kind,
    wanted.key_value,
    wanted.key_date,
    coalesce(
        case wanted.key_kind when 'school_id' then wanted.key_value end,
        by_crosswalk.school_id,
        by_register.school_id,
        case wanted.key_kind
            when 'vpr_login' then 's' || wanted.key_value
            when 'exam_code' then 'e' || wanted.key_value
            else 'n' || left(md5(wanted.key_value), 10)
        end
    ) as school_id
from wanted
left join by_crosswalk using (key_kind, key_value, key_date)
left join by_register using (key_kind, key_value, key_date)
