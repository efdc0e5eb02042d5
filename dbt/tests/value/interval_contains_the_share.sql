{#
    Checks: the interval holds the share, and a sure result has a probability near 0 or 1.
    Resolve: before a release.
    How: see macros/statistics.sql.
#}
{{ config(meta={'dagster': {'ref': {'name': 'procedure_result'}}}) }}
select academic_year, school_id, procedure_id, below_share, share_ci_low, share_ci_high, probability_low
from {{ ref('procedure_result') }}
where
    not (below_share between share_ci_low - 1e-12 and share_ci_high + 1e-12)
    or (below_share is null) <> (probability_low is null)
    or (below_share = 1 and probability_low < 0.5)
    or (below_share = 0 and participants >= 10 and probability_low > 0.1)
