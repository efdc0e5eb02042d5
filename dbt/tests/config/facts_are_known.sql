{#
    Checks: every indicator that is to be computed rests on a fact that the engine can find.
    Resolve: before a release; such an indicator would never have data.
    How: add a branch to int_programme_fact, or state in the programme that the indicator is not computable.
#}
{{ config(meta={'dagster': {'ref': {'name': 'indicator'}}}) }}
select programme_id, indicator_id, fact
from {{ source('reference', 'programme_indicator') }}
where
    kind <> 'not_computable'
    and return_kind is null
    and fact not in (
        'is_shnor', 'is_assessed', 'is_at_risk', 'low_in_any_procedure_current_year', 'listed_again', 'left_list',
        'is_in_programme', 'results_improved', 'participants:below_minimum', 'participants:passed', 'pupils:passed_all',
        'certificates:without', 'exam_sum:at_least', 'contingent:pupils', 'attendance:missed', 'discipline:violations',
        'has_low_results', 'is_adverse_conditions', 'has_resource_deficit'
    )
