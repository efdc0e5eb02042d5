{#
    Checks: completion lies in its interval and the gap in its own; a task that is behind the region by more than chance is below it;
    the order of teaching again runs from one without gaps.
    Resolve: before a release.
    How: see dbt/models/marts/task_deficit.sql and docs/methodology/deficits.md.
#}
{{ config(meta={'kept': 'portion'}) }}
select academic_year, procedure_id, item_kind, item_id, territory_level, territory_id
from {{ ref('task_deficit') }}
where
    not (completion_share between share_ci_low - 1e-9 and share_ci_high + 1e-9)
    or not (gap between gap_low - 1e-9 and gap_high + 1e-9)
    or (severity = 'high' and not (gap < 0 and level_state = 'insufficient'))
    or (severity in ('high', 'medium', 'low') and teach_again_order is null)
    or (completion_share is not null and (territory_level = 'region') <> (gap is null))
union all
select academic_year, procedure_id, item_kind, null, territory_level, territory_id
from {{ ref('task_deficit') }}
group by academic_year, procedure_id, item_kind, territory_level, territory_id
having coalesce(max(teach_again_order), 0) <> count(teach_again_order)
