{#
    Checks: the quantities reported are those that the programmes' measures show, none lost and none counted twice.
    Resolve: at once; executors would be told that they did not report.
    How: see `report` in the mart measure and int_programme_return.
#}
{{ config(meta={'dagster': {'ref': {'name': 'measure'}}}) }}
with kept as (
    select count(*) as reports from {{ ref('int_programme_return') }} where source = 'executor'
),

placed as (
    -- a fact of a known programme, inside one of its periods, latest of its kind
    select count(*) as reports
    from (
        select distinct
            report.programme_id, report.return_kind, report.item_id, report.territory_level, report.school_key_kind,
            report.school_key, report.municipality_label, report.reported_on, report.document_ref
        from {{ ref('stg_programme_return') }} as report
        inner join {{ source('reference', 'programme_period') }} as period
            on report.programme_id = period.programme_id and report.reported_on between period.starts_on and period.ends_on
    )
)

select kept.reports as kept_reports, placed.reports as placed_reports
from kept
cross join placed
where kept.reports <> placed.reports
