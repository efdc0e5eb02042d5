-- The municipality of a school: the key seen most often, else the key that schools with the same label have, else the label.
with seen as (
    select
        keys.own_school_id as school_id,
        mention.municipality_key,
        mention.municipality_label,
        mention.rows_count,
        0 as is_register
    from {{ ref('int_school_mention') }} as mention
    inner join {{ ref('int_school_key') }} as keys using (key_kind, key_value, measured_year, held_year)
    union all
    select school_id, municipality_key, municipality_label, recency, 1
    from {{ ref('int_register_school') }}
),

-- what a register says outweighs any number of rows
school_key as (
    select school_id, municipality_key
    from seen
    where municipality_key is not null
    group by school_id, municipality_key
    qualify row_number() over (
        partition by school_id order by max(is_register) desc, sum(rows_count) desc, municipality_key
    ) = 1
),

school_label as (
    select school_id, trim(municipality_label) as municipality_label
    from seen
    where trim(municipality_label) <> ''
    group by school_id, trim(municipality_label)
    qualify row_number() over (
        partition by school_id order by max(is_register) desc, sum(rows_count) desc, trim(municipality_label)
    ) = 1
),

school as (
    select
        coalesce(school_key.school_id, school_label.school_id) as school_id,
        school_key.municipality_key,
        school_label.municipality_label,
        {{ municipality_core('school_label.municipality_label') }} as municipality_core
    from school_key
    full outer join school_label on school_key.school_id = school_label.school_id
),

label_key as (
    select municipality_core, municipality_key
    from school
    where municipality_core is not null and municipality_key is not null
    group by municipality_core, municipality_key
    qualify row_number() over (partition by municipality_core order by count(*) desc, municipality_key) = 1
),

identified as (
    select
        school.school_id,
        school.municipality_label,
        coalesce(
            school.municipality_key,
            label_key.municipality_key,
            'm' || left(md5(school.municipality_core), 10)
        ) as municipality_id
    from school
    left join label_key on school.municipality_core = label_key.municipality_core
),

named as (
    select municipality_id, municipality_label as municipality_name
    from identified
    where municipality_label is not null
    group by municipality_id, municipality_label
    qualify row_number() over (partition by municipality_id order by count(*) desc, municipality_label) = 1
)

select
    identified.school_id,
    identified.municipality_id,
    coalesce(named.municipality_name, identified.municipality_id) as municipality_name,
    identified.municipality_label
from identified
left join named on identified.municipality_id = named.municipality_id
