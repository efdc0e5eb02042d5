{#
    Checks: every school × procedure of the official method × year between the first and the last has exactly one row.
    Resolve: at once; readers take a missing row for a missing school.
    How: see int_procedure_result: which join dropped the cell?
#}
{{ config(meta={'dagster': {'ref': {'name': 'procedure_result'}}}) }}
with year as (select distinct academic_year from {{ ref('procedure_result') }})

select
    year.academic_year,
    procedure.procedure_id,
    school.school_id
from year
inner join {{ ref('int_official_method') }} as official on year.academic_year = official.academic_year
inner join {{ source('reference', 'method_procedure') }} as procedure on official.method_id = procedure.method_id
cross join {{ ref('school') }} as school
left join {{ ref('procedure_result') }} as result
    on
        year.academic_year = result.academic_year
        and procedure.procedure_id = result.procedure_id
        and school.school_id = result.school_id
where result.school_id is null
