{# Method × year × school: is the school outside the list of that year, and why? `year` is a relation with method_id,
   academic_year and starts_on, the first day of the year. #}
{% macro school_standing(year) -%}
select
    {{ year }}.method_id,
    {{ year }}.academic_year,
    school.school_id,
    school.is_no_school,
    case
        when school.merged_into_school_id is not null and coalesce(school.merged_on <= {{ year }}.starts_on, true) then 'merged'
        when method.roll_up_branches and branch.school_id is not null then 'branch'
        else excluded.excluded_reason
    end as excluded_reason
from {{ year }}
inner join {{ source('reference', 'method') }} as method on {{ year }}.method_id = method.method_id
cross join {{ ref('int_school') }} as school
left join {{ source('reference', 'method_excluded_reason') }} as excluded
    on method.method_id = excluded.method_id and school.excluded_reason = excluded.excluded_reason
left join (select distinct school_id, valid_from, valid_to from {{ ref('int_school_link') }} where relation = 'branch_of') as branch
    on school.school_id = branch.school_id and {{ holds_on(year ~ '.starts_on', 'branch.valid_from', 'branch.valid_to') }}
{%- endmacro %}
