{#
    Checks: the official list that other methods are compared with is the list, school by school, and its sum is the region's.
    Resolve: before a release; a comparison with something else misleads.
    How: see int_method_comparison: does it take the official method of the year from int_official_method?
#}
{{ config(meta={'dagster': {'ref': {'name': 'method_comparison'}}}) }}
with compared as (
    select distinct academic_year, school_id, in_official, official_method_id from {{ ref('method_comparison') }}
)

select compared.academic_year, compared.school_id, 'school' as place
from compared
left join {{ ref('school_status') }} as status
    on compared.academic_year = status.academic_year and compared.school_id = status.school_id
where status.is_shnor is distinct from compared.in_official or status.method_id <> compared.official_method_id
union all
select summary.academic_year, summary.territory_id, 'region'
from {{ ref('method_comparison_summary') }} as summary
left join {{ ref('region_summary') }} as region
    on
        summary.academic_year = region.academic_year
        and summary.territory_id = region.region_code
        and region.procedure_id = 'all'
where summary.is_official and summary.territory_level = 'region' and summary.listed_count is distinct from region.shnor_count
