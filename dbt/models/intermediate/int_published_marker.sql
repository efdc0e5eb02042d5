-- Published lists of schools with markers: the latest list of a region for each work and year stands alone. A school that
-- wrote the work and is not in the list is not marked.
with named as (
    select
        keys.school_id,
        school.region_code,
        procedure_subject.procedure_id,
        listed.measured_year as academic_year,
        coalesce(listed.is_marked, false) as is_marked,
        listed.arrival,
        listed.delivery_id
    from {{ ref('stg_objectivity_marker') }} as listed
    inner join {{ source('reference', 'procedure_subject') }} as procedure_subject
        on
            listed.assessment = procedure_subject.assessment
            and listed.subject_id = procedure_subject.subject_id
            and listed.test_grade = procedure_subject.test_grade
    inner join {{ ref('int_school_key') }} as keys on {{ is_key_of('keys', 'listed') }}
    inner join {{ ref('int_school') }} as school on keys.school_id = school.school_id
    qualify listed.arrival = max(listed.arrival) over (
        partition by school.region_code, procedure_subject.procedure_id, listed.measured_year
    )
),

list as (
    select
        academic_year,
        region_code,
        procedure_id,
        min(delivery_id) as delivery_ids
    from named
    group by academic_year, region_code, procedure_id
),

marked as (
    select
        academic_year,
        school_id,
        procedure_id,
        bool_or(is_marked) as is_marked
    from named
    group by academic_year, school_id, procedure_id
),

school as (
    select
        academic_year,
        region_code,
        school_id,
        procedure_id
    from {{ ref('int_own_result') }}
    union
    select
        academic_year,
        region_code,
        school_id,
        procedure_id
    from named
)

select
    school.academic_year,
    school.school_id,
    school.procedure_id,
    case when marked.is_marked is not null then 'listed' else 'not_listed' end as state,
    coalesce(marked.is_marked, false) as is_marked,
    list.delivery_ids
from school
inner join list using (academic_year, region_code, procedure_id)
left join marked using (academic_year, school_id, procedure_id)
