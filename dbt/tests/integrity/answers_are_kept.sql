{#
    Checks: everybody who wrote a work delivered with scores by task is in the summary of the region, and nobody twice.
    Resolve: before a release.
    How: compare int_task_answer with the chosen rows of participants; colleges and kindergartens are no schools.
#}
{{ config(meta={'kept': 'portion', 'dagster': {'ref': {'name': 'deficit_summary'}}}) }}
with work as (
    {{ counted_works() }}
),

written as (
    select
        work.measured_year as academic_year,
        {{ vpr_procedure('work') }} as procedure_id,
        school.region_code,
        count(*) as participants
    from work
    inner join {{ ref('int_school') }} as school on work.school_id = school.school_id
    where work.attendance = 'participated' and {{ list_length('work.task_scores') }} > 0 and not school.is_no_school
    group by all
)

select academic_year, procedure_id, region_code, written.participants, summary.participants as participants_in_summary
from written
full outer join (
    select academic_year, procedure_id, territory_id as region_code, participants
    from {{ ref('deficit_summary') }}
    where territory_level = 'region'
) as summary using (academic_year, procedure_id, region_code)
where written.participants is distinct from summary.participants
