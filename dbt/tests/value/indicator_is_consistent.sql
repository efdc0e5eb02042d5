{#
    Checks: a part is no more than its whole, a status follows from value, plan and day, dynamics from the change.
    Resolve: at once; the programme's report would contradict itself.
    How: see int_programme_value and the mart indicator.
#}
{{ config(meta={'dagster': {'ref': {'name': 'indicator'}}}) }}
select
    programme_id,
    indicator_id,
    period,
    territory_level,
    territory_id,
    status
from {{ ref('indicator') }}
where
    (kind in ('share_of_schools', 'pooled_share') and numerator > denominator)
    or covered_count > schools_count and kind in ('share_of_schools', 'count_schools')
    or (status in ('met', 'not_met') and target is null)
    or (status = 'no_data' and as_of <= due_on)
    or (status = 'not_met' and as_of <= due_on)
    or (dynamics = 'improved') <> is_improved
    or (dynamics is null) <> (is_improved is null)
    or (direction = 'up' and dynamics = 'improved' and change_from_previous <= 0)
    or (direction = 'down' and dynamics = 'improved' and change_from_previous >= 0)
    or (not is_judged and target is not null)
