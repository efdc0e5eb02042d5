-- Method × year of the list × school: how many low results the rule sees, and what it says.
with seen as (
    select * from {{ ref('int_school_seen') }}
),

-- procedures that were low in both years, for a method that wants the same one
repeated as (
    select
        previous.method_id,
        previous.academic_year,
        previous.school_id,
        count(*) as procedures,
        count(*) filter (where previous.is_surely_low and before.is_surely_low) as sure_procedures,
        {{ nth_largest('least(previous.participants, before.participants)', 'true', 'any_value(method.both_years_low_procedures)') }}
            as evidence
    from seen as previous
    inner join {{ source('reference', 'method') }} as method
        on previous.method_id = method.method_id and method.same_procedure_required
    inner join seen as before
        on
            previous.method_id = before.method_id
            and previous.academic_year = before.academic_year
            and previous.school_id = before.school_id
            and previous.procedure_id = before.procedure_id
    where previous.period = 'previous' and before.period = 'before' and previous.is_low and before.is_low
    group by previous.method_id, previous.academic_year, previous.school_id
),

worded as (
    select
        seen.*,
        method_procedure.sort_order,
        case when seen.is_low then
            procedure.short_ru || ' ' || {{ year_ru('seen.result_year') }} || ' — ' || seen.below_minimum || ' из '
            || seen.participants || ' (' || {{ percent_ru('seen.below_minimum', 'seen.participants') }} || ')'
        end as low_ru
    from seen
    inner join {{ source('reference', 'method_procedure') }} as method_procedure
        on seen.method_id = method_procedure.method_id and seen.procedure_id = method_procedure.procedure_id
    inner join {{ source('reference', 'procedure') }} as procedure on seen.procedure_id = procedure.procedure_id
),

counted as (
    select
        worded.method_id,
        worded.academic_year,
        worded.school_id,
        {%- for period in ['previous', 'before', 'current'] %}
        count(*) filter (where period = '{{ period }}' and is_low is not null) as assessed_{{ period }},
        count(*) filter (where period = '{{ period }}' and is_low) as low_{{ period }},
        count(*) filter (where period = '{{ period }}' and is_surely_low) as sure_{{ period }},
        count(*) filter (where period = '{{ period }}' and is_low is null) as unknown_{{ period }},
        {{ string_agg('low_ru', '; ', 'sort_order') }} filter (where period = '{{ period }}' and is_low) as low_{{ period }}_ru,
        {%- endfor %}
        {{ nth_largest('participants', "period = 'previous' and is_low", 'any_value(method.previous_year_low_procedures)') }}
            as evidence_previous_year,
        {%- for period in ['previous', 'before'] %}
        {{ nth_largest('participants', "period = '" ~ period ~ "' and is_low", 'any_value(method.both_years_low_procedures)') }}
            as evidence_of_{{ period }}{{ ',' if not loop.last }}
        {%- endfor %}
    from worded
    inner join {{ source('reference', 'method') }} as method on worded.method_id = method.method_id
    group by worded.method_id, worded.academic_year, worded.school_id
),

-- a school without any result has a row too
complete as (
    select
        year.method_id,
        year.academic_year,
        year.previous_year,
        year.year_before,
        school.school_id,
        {%- for period in ['previous', 'before', 'current'] %}
        {%- for count in ['assessed', 'low', 'sure', 'unknown'] %}
        coalesce(counted.{{ count }}_{{ period }}, 0) as {{ count }}_{{ period }},
        {%- endfor %}
        counted.low_{{ period }}_ru,
        {%- endfor %}
        counted.evidence_previous_year,
        -- both years must be there: `least` alone would overlook a missing one
        case when counted.evidence_of_previous is not null and counted.evidence_of_before is not null
            then least(counted.evidence_of_previous, counted.evidence_of_before)
        end as evidence_both_years,
        coalesce(repeated.procedures, 0) as repeated_procedures,
        coalesce(repeated.sure_procedures, 0) as sure_repeated_procedures,
        repeated.evidence as evidence_repeated
    from {{ ref('int_list_year') }} as year
    cross join {{ ref('int_school') }} as school
    left join counted
        on
            year.method_id = counted.method_id
            and year.academic_year = counted.academic_year
            and school.school_id = counted.school_id
    left join repeated
        on
            year.method_id = repeated.method_id
            and year.academic_year = repeated.academic_year
            and school.school_id = repeated.school_id
),

ruled as (
    select
        complete.* {{ without('year_before, evidence_previous_year, evidence_both_years, evidence_repeated') }},
        {{ year_ru('complete.previous_year') }} as previous_ru,
        {{ year_ru('complete.year_before') }} as before_ru,
        {{ year_ru('complete.academic_year') }} as current_ru,
        complete.assessed_previous > 0 as is_assessed,
        {{ two_procedures('low', 'complete', 'method') }} as is_two_procedures,
        {{ two_years('low', 'complete', 'method', 'repeated_procedures') }} as is_two_years,
        {{ two_procedures('sure', 'complete', 'method') }}
        or {{ two_years('sure', 'complete', 'method', 'sure_repeated_procedures') }} as is_rule_sure,
        greatest(
            complete.evidence_previous_year,
            case when method.same_procedure_required then complete.evidence_repeated else complete.evidence_both_years end
        ) as evidence_participants,
        case when complete.assessed_current > 0
            then complete.low_current >= method.at_risk_low_procedures
        end as meets_risk_rule,
        -- what is unknown could still make the rule hold
        complete.assessed_before = 0
        and complete.low_previous >= method.both_years_low_procedures as is_second_year_missing,
        complete.low_previous + complete.unknown_previous >= method.previous_year_low_procedures
        or (
            complete.low_previous + complete.unknown_previous >= method.both_years_low_procedures
            and complete.low_before + complete.unknown_before >= method.both_years_low_procedures
        ) as is_rule_possible,
        method.at_risk_excludes_shnor,
        standing.excluded_reason,
        standing.is_excluded
    from complete
    inner join {{ source('reference', 'method') }} as method on complete.method_id = method.method_id
    inner join {{ ref('int_school_standing') }} as standing
        on
            complete.method_id = standing.method_id
            and complete.academic_year = standing.academic_year
            and complete.school_id = standing.school_id
),

decided as (
    select
        *,
        case when is_assessed then is_two_procedures or is_two_years end as meets_shnor_rule,
        is_assessed and (is_two_procedures or is_two_years) and not is_excluded as is_shnor
    from ruled
),

listed as (
    select
        decided.*,
        coalesce(former.is_shnor, false) as was_shnor,
        -- a stretch of years in the list begins wherever the year before was outside it or had no list
        sum(case when decided.is_shnor and coalesce(former.is_shnor, false) then 0 else 1 end) over (
            partition by decided.method_id, decided.school_id order by decided.academic_year
        ) as stretch
    from decided
    left join decided as former
        on
            decided.method_id = former.method_id
            and decided.school_id = former.school_id
            and decided.previous_year = former.academic_year
)

select
    listed.* {{ without('stretch, evidence_participants, is_rule_sure') }},
    case when listed.is_shnor then row_number() over (
        partition by listed.method_id, listed.school_id, listed.stretch order by listed.academic_year
    ) else 0 end as years_listed_in_a_row,
    case when listed.meets_risk_rule is not null then
        listed.meets_risk_rule and not listed.is_excluded and not (listed.is_shnor and listed.at_risk_excludes_shnor)
    end as is_at_risk,
    case when listed.meets_shnor_rule then listed.evidence_participants end as evidence_participants,
    case when listed.meets_shnor_rule then listed.is_rule_sure end as holds_at_confidence,
    case when listed.meets_shnor_rule then band.reliability end as reliability,
    case when listed.meets_shnor_rule then band.label_ru end as reliability_ru
from listed
left join {{ source('reference', 'reliability_band') }} as band
    on
        listed.method_id = band.method_id
        and listed.evidence_participants >= band.participants_from
        and listed.evidence_participants <= coalesce(band.participants_to, listed.evidence_participants)
