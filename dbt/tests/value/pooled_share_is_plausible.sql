{#
    Checks: no more than half of a region's participants are below the minimum of a procedure (from 500 participants up).
    Resolve: before the list is signed; such a share usually means a wrong scale or a shifted column.
    How: open the deliveries of that procedure and year; compare the marks with the printed protocol.
#}
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'region_summary'}}}) }}
select academic_year, region_code, procedure_id, participants, below_share
from {{ ref('region_summary') }}
where participants >= 500 and below_share > 0.5
