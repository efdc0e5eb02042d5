-- Year of the list × school that definitions of target groups are about: no colleges, no branches counted in a head
-- school, no schools merged into others, none outside the list by kind. Results are those of the year before.
select
    status.academic_year,
    status.previous_year as results_year,
    status.school_id,
    school.region_code,
    school.municipality_id,
    status.method_id,
    status.is_assessed,
    status.is_shnor,
    status.previous_ru,
    concat_ws('; ', status.low_previous_ru, status.low_before_ru) as low_ru
from {{ ref('int_school_status') }} as status
inner join {{ ref('int_official_method') }} as official
    on status.method_id = official.method_id and status.academic_year = official.academic_year
inner join {{ ref('int_school') }} as school on status.school_id = school.school_id
where status.excluded_reason is null and not school.is_no_school
