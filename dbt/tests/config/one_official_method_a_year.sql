{#
    Checks: every academic year has one official method, and no two official methods claim the same year.
    Resolve: before any list is formed; two methods would give two lists.
    How: correct valid_from, valid_to or is_official in reference/methods/*.yaml.
#}
{{ config(meta={'dagster': {'ref': {'name': 'int_official_method'}}}) }}
select year.academic_year, count(method.method_id) as official_methods
from {{ source('reference', 'academic_year') }} as year
left join {{ source('reference', 'method') }} as method
    on
        method.is_official
        and method.valid_from <= make_date(cast(year.start_year as integer), 9, 1)
        and coalesce(method.valid_to >= make_date(cast(year.start_year as integer) + 1, 8, 31), true)
group by year.academic_year
having count(method.method_id) > 1
union all
select year.academic_year, 0
from {{ source('reference', 'academic_year') }} as year
where year.academic_year not in (select academic_year from {{ ref('int_official_method') }})
