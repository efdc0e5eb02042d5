-- The municipality of a school. Files name it by a key, by words, or both, and a large city has several keys: so keys
-- that bear the same words in one region are one municipality, known by the most frequent of them.
with seen as (
    select
        keys.own_school_id as school_id,
        mention.municipality_key,
        nullif(trim(mention.municipality_label), '') as municipality_label,
        coalesce(
            regexp_extract(mention.municipality_key, '^(\d\d)_', 1),
            case mention.key_kind when 'vpr_login' then regexp_extract(mention.key_value, '^\d\d', 0) end
        ) as region_code,
        mention.rows_count,
        0 as is_register
    from {{ ref('int_school_mention') }} as mention
    inner join {{ ref('int_school_key') }} as keys using (key_kind, key_value, measured_year, held_year)
    union all
    select
        school_id,
        municipality_key,
        nullif(trim(municipality_label), ''),
        coalesce(region_code, regexp_extract(municipality_key, '^(\d\d)_', 1), regexp_extract(vpr_login, '^\d\d', 0)),
        recency,
        1
    from {{ ref('int_register_school') }}
),

-- what a register says outweighs any number of rows
{%- for column in ['municipality_key', 'municipality_label', 'region_code'] %}
school_{{ column }} as (
    select school_id, {{ column }}, max(is_register) as is_told, sum(rows_count) as times_told
    from seen
    where {{ column }} <> ''
    group by school_id, {{ column }}
    qualify row_number() over (partition by school_id order by is_told desc, times_told desc, {{ column }}) = 1
),
{%- endfor %}

school as (
    select
        named.school_id,
        by_key.municipality_key,
        by_label.municipality_label,
        {{ municipality_core('by_label.municipality_label') }} as municipality_core,
        coalesce(by_region.region_code, '') as region_code
    from (select distinct school_id from seen) as named
    left join school_municipality_key as by_key on named.school_id = by_key.school_id
    left join school_municipality_label as by_label on named.school_id = by_label.school_id
    left join school_region_code as by_region on named.school_id = by_region.school_id
),

-- a school without words goes by the words that its key bears elsewhere
key_core as (
    select municipality_key, municipality_core, count(*) as schools
    from school
    where municipality_key is not null and municipality_core is not null
    group by municipality_key, municipality_core
    qualify row_number() over (partition by municipality_key order by schools desc, municipality_core) = 1
),

core_key as (
    select region_code, municipality_core, municipality_key, count(*) as schools
    from school
    where municipality_key is not null and municipality_core is not null
    group by region_code, municipality_core, municipality_key
    qualify row_number() over (partition by region_code, municipality_core order by schools desc, municipality_key) = 1
),

identified as (
    select
        school.school_id,
        school.municipality_label,
        school.region_code,
        coalesce(
            core_key.municipality_key,
            school.municipality_key,
            'm' || left(md5(school.region_code || coalesce(school.municipality_core, key_core.municipality_core)), 10)
        ) as municipality_id
    from school
    left join key_core on school.municipality_key = key_core.municipality_key
    left join core_key
        on
            school.region_code = core_key.region_code
            and coalesce(school.municipality_core, key_core.municipality_core) = core_key.municipality_core
),

named as (
    select municipality_id, municipality_label as municipality_name, count(*) as schools
    from identified
    where municipality_id is not null and municipality_label is not null
    group by municipality_id, municipality_label
    qualify row_number() over (partition by municipality_id order by schools desc, municipality_name) = 1
)

select
    identified.school_id,
    identified.municipality_id,
    coalesce(named.municipality_name, identified.municipality_id) as municipality_name,
    identified.municipality_label,
    nullif(identified.region_code, '') as region_code
from identified
left join named on identified.municipality_id = named.municipality_id
