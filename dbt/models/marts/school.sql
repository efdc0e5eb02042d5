with official as (
    select method_id from {{ ref('int_official_method') }} order by academic_year desc limit 1
)

select
    school.school_id,
    school.school_name,
    school.school_type,
    school.first_grade,
    school.last_grade,
    school.municipality_id,
    school.municipality_name,
    school.region_code,
    school.settlement_type,
    school.vpr_login,
    school.exam_code,
    school.is_registered,
    school.parent_school_id is not null as is_branch,
    school.parent_school_id,
    school.merged_into_school_id,
    school.merged_on,
    not school.is_no_school as is_school,
    coalesce(school.excluded_reason in (
        select reason.excluded_reason
        from {{ source('reference', 'method_excluded_reason') }} as reason
        inner join official on reason.method_id = official.method_id
    ), false) as is_excluded,
    school.excluded_reason,
    school.enrolment
from {{ ref('int_school') }} as school
