{#
    Checks: every procedure of a method is known, has subjects and a row in the calendar of every year with data.
    Resolve: before any list is formed; a missing row would silently be taken as held.
    How: complete reference/procedures.yaml or reference/calendar.yaml.
#}
{{ config(meta={'dagster': {'ref': {'name': 'int_method_year'}}}) }}
select distinct result.method_id, result.procedure_id, result.academic_year
from (
    select seen.method_id, seen.academic_year, method_procedure.procedure_id
    from {{ ref('int_method_year') }} as seen
    inner join {{ source('reference', 'method_procedure') }} as method_procedure using (method_id)
) as result
left join {{ source('reference', 'procedure_calendar') }} as calendar
    on result.procedure_id = calendar.procedure_id and result.academic_year = calendar.academic_year
left join {{ source('reference', 'procedure_subject') }} as subject on result.procedure_id = subject.procedure_id
where calendar.procedure_id is null or subject.procedure_id is null
union all
select method_procedure.method_id, method_procedure.procedure_id, null
from {{ source('reference', 'method_procedure') }} as method_procedure
left join {{ source('reference', 'procedure') }} as procedure on method_procedure.procedure_id = procedure.procedure_id
where procedure.procedure_id is null
