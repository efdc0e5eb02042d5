{#
    Checks: the result of every participant can be told: his mark is exported, or a scale or a minimum of the year is known.
    Resolve: before the list is signed; schools with unknown results may stay undecided.
    How: add the scale or the minimum of the year to reference/scales or reference/thresholds, or deliver the scale as a file.
#}
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'procedure_result'}}}) }}
select academic_year, procedure_id, sum(unknown_count) as participants_without_result, count(*) as schools
from {{ ref('procedure_result') }}
where unknown_count > 0
group by academic_year, procedure_id
