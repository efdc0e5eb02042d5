-- Method × year of the list × school: which low results the rule sees, and what it says.
-- periods: previous (the year before the list), before (one more back), current (the year of the list).
with year as (
    select
        standing.method_id,
        standing.academic_year,
        this.start_year,
        this.previous_year,
        before.previous_year as year_before
    from (select distinct method_id, academic_year from {{ ref('int_school_standing') }}) as standing
    inner join {{ source('reference', 'academic_year') }} as this on standing.academic_year = this.academic_year
    left join {{ source('reference', 'academic_year') }} as before on this.previous_year = before.academic_year
    -- a list needs results of the year before it, the zone of risk those of the year itself
    where exists (
        select 1
        from {{ ref('int_result_count') }} as result
        where result.method_id = standing.method_id and result.academic_year in (this.previous_year, this.academic_year)
    )
),

-- a school looks back on itself and, where the method says so, on the schools it took in
history as (
    select year.*, school.school_id, school.school_id as result_school_id
    from year
    cross join {{ ref('int_school') }} as school
    union all
    select year.*, school.merged_into_school_id, school.school_id
    from year
    inner join {{ source('reference', 'method') }} as method on year.method_id = method.method_id
    inner join {{ ref('int_school') }} as school
        on coalesce(school.merged_on <= make_date(cast(year.start_year as integer), 9, 1), true)
    where method.merged_history = 'inherit' and school.merged_into_school_id is not null
),

seen as (
    select
        history.method_id,
        history.academic_year,
        history.school_id,
        case result.academic_year
            when history.previous_year then 'previous'
            when history.year_before then 'before'
            else 'current'
        end as period,
        result.procedure_id,
        result.short_ru,
        result.sort_order,
        result.state,
        result.is_low,
        result.participants,
        result.short_ru || ' ' || {{ year_ru('result.academic_year') }} || ' — ' || result.below_minimum || ' из '
        || result.participants || ' (' || {{ percent_ru('result.below_minimum', 'result.participants') }} || ')' as result_ru
    from history
    inner join {{ ref('int_procedure_result') }} as result
        on
            history.method_id = result.method_id
            and history.result_school_id = result.school_id
            and (
                result.academic_year in (history.previous_year, history.year_before)
                or (result.academic_year = history.academic_year and history.school_id = history.result_school_id)
            )
    -- the same procedure of the school and of one it took in counts once
    qualify row_number() over (
        partition by history.method_id, history.academic_year, history.school_id, result.academic_year, result.procedure_id
        order by
            result.is_low desc nulls last,
            result.participants desc nulls last,
            result.school_id = history.school_id desc
    ) = 1
),

ranked as (
    select
        *,
        case when is_low then row_number() over (
            partition by method_id, academic_year, school_id, period
            order by is_low desc nulls last, participants desc
        ) end as nth_low
    from seen
),

-- procedures that were low in both years, for a method that wants the same one
repeated as (
    select
        previous.method_id,
        previous.academic_year,
        previous.school_id,
        least(previous.participants, before.participants) as participants,
        row_number() over (
            partition by previous.method_id, previous.academic_year, previous.school_id
            order by least(previous.participants, before.participants) desc
        ) as nth_low
    from seen as previous
    inner join seen as before
        on
            previous.method_id = before.method_id
            and previous.academic_year = before.academic_year
            and previous.school_id = before.school_id
            and previous.procedure_id = before.procedure_id
    where previous.period = 'previous' and before.period = 'before' and previous.is_low and before.is_low
),

repeated_count as (
    select
        repeated.method_id,
        repeated.academic_year,
        repeated.school_id,
        count(*) as procedures,
        max(case when nth_low = method.both_years_low_procedures then participants end) as evidence
    from repeated
    inner join {{ source('reference', 'method') }} as method on repeated.method_id = method.method_id
    group by repeated.method_id, repeated.academic_year, repeated.school_id
),

counted as (
    select
        ranked.method_id,
        ranked.academic_year,
        ranked.school_id,
        {%- for period in ['previous', 'before', 'current'] %}
        count(*) filter (where period = '{{ period }}' and is_low is not null) as assessed_{{ period }},
        count(*) filter (where period = '{{ period }}' and is_low) as low_{{ period }},
        count(*) filter (where period = '{{ period }}' and state = 'held' and is_low is null) as unknown_{{ period }},
        string_agg(result_ru, '; ' order by sort_order) filter (where period = '{{ period }}' and is_low) as low_{{ period }}_ru,
        string_agg(short_ru, ', ' order by sort_order) filter (where period = '{{ period }}' and is_low is not null)
            as assessed_{{ period }}_ru,
        string_agg(short_ru, ', ' order by sort_order) filter (where period = '{{ period }}' and state = 'not_held_federally')
            as not_held_{{ period }}_ru,
        string_agg(short_ru, ', ' order by sort_order) filter (where period = '{{ period }}' and state = 'not_delivered')
            as not_delivered_{{ period }}_ru,
        string_agg(short_ru, ', ' order by sort_order) filter (
            where period = '{{ period }}' and state = 'held' and is_low is null
        ) as unknown_{{ period }}_ru,
        {%- endfor %}
        count(*) filter (where period = 'previous' and state = 'no_such_grade') as other_grade_previous,
        count(*) filter (where period = 'previous' and state not in ('no_such_grade', 'not_held_federally')) as possible_previous,
        max(case when period = 'previous' and nth_low = method.previous_year_low_procedures then participants end)
            as evidence_previous_year,
        -- both years must be there: `least` alone would overlook a missing one
        case
            when count(*) filter (where nth_low = method.both_years_low_procedures and period <> 'current') = 2
                then min(participants) filter (where nth_low = method.both_years_low_procedures and period <> 'current')
        end as evidence_both_years
    from ranked
    inner join {{ source('reference', 'method') }} as method on ranked.method_id = method.method_id
    group by ranked.method_id, ranked.academic_year, ranked.school_id
),

ruled as (
    select
        counted.*,
        {{ year_ru('year.previous_year') }} as previous_ru,
        {{ year_ru('year.year_before') }} as before_ru,
        {{ year_ru('year.academic_year') }} as current_ru,
        year.previous_year,
        counted.assessed_previous > 0 as is_assessed,
        counted.low_previous >= method.previous_year_low_procedures as is_two_procedures,
        case when method.same_procedure_required
            then coalesce(repeated_count.procedures, 0) >= method.both_years_low_procedures
            else least(counted.low_previous, counted.low_before) >= method.both_years_low_procedures
        end as is_two_years,
        greatest(
            counted.evidence_previous_year,
            case when method.same_procedure_required then repeated_count.evidence else counted.evidence_both_years end
        ) as evidence_participants,
        case when counted.assessed_current > 0
            then counted.low_current >= method.at_risk_low_procedures
        end as meets_risk_rule,
        -- what is unknown could still make the rule hold
        counted.assessed_before = 0 and counted.low_previous >= method.both_years_low_procedures as is_second_year_missing,
        counted.low_previous + counted.unknown_previous >= method.previous_year_low_procedures
        or (
            counted.low_previous + counted.unknown_previous >= method.both_years_low_procedures
            and counted.low_before + counted.unknown_before >= method.both_years_low_procedures
        ) as is_rule_possible,
        method.at_risk_excludes_shnor,
        standing.excluded_reason,
        standing.is_excluded
    from counted
    inner join year on counted.method_id = year.method_id and counted.academic_year = year.academic_year
    inner join {{ source('reference', 'method') }} as method on counted.method_id = method.method_id
    inner join {{ ref('int_school_standing') }} as standing
        on
            counted.method_id = standing.method_id
            and counted.academic_year = standing.academic_year
            and counted.school_id = standing.school_id
    left join repeated_count
        on
            counted.method_id = repeated_count.method_id
            and counted.academic_year = repeated_count.academic_year
            and counted.school_id = repeated_count.school_id
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
    listed.* exclude (stretch, evidence_participants),
    case when listed.is_shnor then row_number() over (
        partition by listed.method_id, listed.school_id, listed.stretch order by listed.academic_year
    ) else 0 end as years_listed_in_a_row,
    case when listed.meets_risk_rule is not null then
        listed.meets_risk_rule and not listed.is_excluded and not (listed.is_shnor and listed.at_risk_excludes_shnor)
    end as is_at_risk,
    case when listed.meets_shnor_rule then listed.evidence_participants end as evidence_participants,
    case when listed.meets_shnor_rule then band.reliability end as reliability,
    case when listed.meets_shnor_rule then band.label_ru end as reliability_ru
from listed
left join {{ source('reference', 'reliability_band') }} as band
    on
        listed.method_id = band.method_id
        and listed.evidence_participants >= band.participants_from
        and listed.evidence_participants <= coalesce(band.participants_to, listed.evidence_participants)
