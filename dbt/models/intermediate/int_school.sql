-- One row a school, whatever named it.
{%- set latest = ['vpr_login', 'exam_code', 'school_full_name', 'school_type', 'settlement_type', 'first_grade', 'last_grade', 'enrolment', 'excluded_reason'] %}

with registered as (
    select
        school_id,
        max_by(school_name, recency) as school_name,
        {%- for column in latest %}
        max_by({{ column }}, recency) filter (where {{ column }} is not null) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('int_register_school') }}
    group by school_id
),

mention as (
    select
        keys.own_school_id as school_id,
        mention.*
    from {{ ref('int_school_mention') }} as mention
    inner join {{ ref('int_school_key') }} as keys using (key_kind, key_value, measured_year, held_year)
),

school_label as (
    select
        school_id,
        trim(school_label) as known_label,
        max(measured_year) as last_told,
        sum(rows_count) as times_told
    from mention
    where trim(school_label) <> ''
    group by school_id, trim(school_label)
    qualify row_number() over (partition by school_id order by last_told desc, times_told desc, known_label) = 1
),

school_key as (
    select
        school_id,
        max_by(key_value, held_year) filter (where key_kind = 'vpr_login') as vpr_login,
        max_by(key_value, held_year) filter (where key_kind = 'exam_code') as exam_code,
        min(key_value) as any_key
    from mention
    group by school_id
),

identity as (
    select school_id from registered
    union
    select own_school_id from {{ ref('int_school_key') }}
    union
    select school_id from {{ ref('int_school_key') }}
    union
    select school_id from {{ ref('int_school_crosswalk') }}
    union
    select school_id from {{ ref('int_school_link') }}
),

-- of several mergers or parents the latest is the present one
merger as (
    select school_id, related_school_id, valid_from
    from {{ ref('int_school_link') }}
    where relation = 'merged_into'
    qualify row_number() over (partition by school_id order by valid_from desc nulls last, related_school_id) = 1
),

parent as (
    select school_id, related_school_id
    from {{ ref('int_school_link') }}
    where relation = 'branch_of' and valid_to is null
    qualify row_number() over (partition by school_id order by valid_from desc nulls last, related_school_id) = 1
),

described as (
    select
        identity.school_id,
        coalesce(
            registered.school_name,
            school_label.known_label,
            'Школа с ключом ' || coalesce(school_key.any_key, identity.school_id)
        ) as school_name,
        registered.school_full_name,
        registered.school_id is not null as is_registered,
        coalesce(registered.vpr_login, school_key.vpr_login) as vpr_login,
        coalesce(registered.exam_code, school_key.exam_code) as exam_code,
        municipality.municipality_id,
        coalesce(municipality.municipality_name, 'Муниципалитет не указан') as municipality_name,
        municipality.municipality_label,
        municipality.region_code as own_region,
        registered.settlement_type,
        registered.school_type as register_type,
        registered.excluded_reason as register_reason,
        registered.first_grade,
        registered.last_grade,
        registered.enrolment,
        parent.related_school_id as parent_school_id,
        merger.related_school_id as merged_into_school_id,
        merger.valid_from as merged_on
    from identity
    left join registered on identity.school_id = registered.school_id
    left join school_label on identity.school_id = school_label.school_id
    left join school_key on identity.school_id = school_key.school_id
    left join {{ ref('int_school_municipality') }} as municipality on identity.school_id = municipality.school_id
    left join merger on identity.school_id = merger.school_id
    left join parent on identity.school_id = parent.school_id
),

-- The register's own word for the type, then a municipality that is no territory («СПО …»), then the name.
typed as (
    select
        described.*,
        coalesce(
            exact.school_type,
            by_word.school_type,
            case when territory_type.excluded_reason is not null then territory_type.school_type end,
            by_name.school_type,
            by_full_name.school_type
        ) as school_type,
        coalesce(by_reason.excluded_reason, described.register_reason) as stated_reason
    from described
    left join {{ source('reference', 'school_type') }} as exact
        on described.register_type in (exact.school_type, exact.title_ru)
    left join {{ source('reference', 'label_school_type') }} as by_word on described.register_type = by_word.label
    left join {{ source('reference', 'label_school_type') }} as by_territory
        on described.municipality_label = by_territory.label
    left join {{ source('reference', 'school_type') }} as territory_type
        on by_territory.school_type = territory_type.school_type
    left join {{ source('reference', 'label_school_type') }} as by_name on described.school_name = by_name.label
    left join {{ source('reference', 'label_school_type') }} as by_full_name
        on described.school_full_name = by_full_name.label
    left join {{ source('reference', 'label_school_type') }} as reason_label
        on described.register_reason = reason_label.label
    left join {{ source('reference', 'school_type') }} as by_reason
        on reason_label.school_type = by_reason.school_type
),

-- one code a municipality; a school that tells nothing is of the region most schools are of
municipality_region as (
    select municipality_id, own_region, count(*) as schools
    from typed
    where own_region is not null and municipality_id is not null
    group by municipality_id, own_region
    qualify row_number() over (partition by municipality_id order by schools desc, own_region) = 1
),

usual_region as (
    select own_region
    from typed
    where own_region is not null
    group by own_region
    order by count(*) desc, own_region
    limit 1
),

placed as (
    select
        typed.*,
        coalesce(
            municipality_region.own_region,
            typed.own_region,
            (select own_region from usual_region),
            '00'
        ) as region_code
    from typed
    left join municipality_region on typed.municipality_id = municipality_region.municipality_id
)

select
    placed.school_id,
    placed.school_name,
    placed.school_type,
    coalesce(placed.first_grade, school_type.first_grade) as first_grade,
    coalesce(placed.last_grade, school_type.last_grade) as last_grade,
    -- a college or a kindergarten teaches no school grades
    placed.first_grade is null and school_type.school_type is not null and school_type.first_grade is null as is_no_school,
    coalesce(placed.municipality_id, placed.region_code || '_unknown') as municipality_id,
    placed.municipality_name,
    placed.region_code,
    placed.settlement_type,
    placed.vpr_login,
    placed.exam_code,
    placed.is_registered,
    placed.parent_school_id,
    placed.merged_into_school_id,
    placed.merged_on,
    coalesce(placed.stated_reason, school_type.excluded_reason) as excluded_reason,
    placed.enrolment
from placed
left join {{ source('reference', 'school_type') }} as school_type on placed.school_type = school_type.school_type
