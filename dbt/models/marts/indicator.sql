{%- set slack = '1e-9' %}
with today as (
    select as_of from {{ source('reference', 'as_of') }}
),

-- values of the periods themselves, beside the period before and the value they are measured from
{%- set told = [
    'programme_id', 'indicator_id', 'period', 'results_year', 'territory_level', 'territory_id', 'is_judged', 'unit', 'is_own', 'value_kind',
    'is_population_known', 'has_data', 'covered_count', 'population_count', 'is_reported', 'is_agreed', 'is_profiled', 'numerator',
    'denominator', 'value', 'value_at_quarter_start',
] %}
own as (
    select {{ told | join(', ') }} from {{ ref('int_programme_value') }} where is_own
),

earlier as (
    select
        programme_id,
        indicator_id,
        period,
        territory_level,
        territory_id,
        min_by(value, results_year) as value,
        min(results_year) as results_year
    from {{ ref('int_programme_value') }}
    where not is_own and value is not null
    group by programme_id, indicator_id, period, territory_level, territory_id
),

compared as (
    select
        {%- for column in told %}
        own.{{ column }},
        {%- endfor %}
        indicator.* {{ without('programme_id, indicator_id, value_kind, unit, denominator, territory_level') }},
        period.previous_period,
        period.is_baseline,
        period.list_year,
        period.starts_on,
        period.ends_on,
        period.method_id,
        former.value as previous_value,
        case indicator.baseline_rule
            when 'document' then case when own.is_judged then indicator.baseline_value end
            when 'previous_period' then former.value
            when 'year_or_first_with_data' then earlier.value
        end as baseline,
        case indicator.baseline_rule
            when 'year_or_first_with_data' then earlier.results_year
            when 'previous_period' then period.previous_period
        end as baseline_period
    from own
    inner join {{ source('reference', 'programme_indicator') }} as indicator using (programme_id, indicator_id)
    inner join {{ ref('int_programme_period') }} as period using (programme_id, period)
    left join own as former
        on
            own.programme_id = former.programme_id
            and own.indicator_id = former.indicator_id
            and period.previous_period = former.period
            and own.territory_level = former.territory_level
            and own.territory_id = former.territory_id
    left join earlier
        on
            own.programme_id = earlier.programme_id
            and own.indicator_id = earlier.indicator_id
            and own.period = earlier.period
            and own.territory_level = earlier.territory_level
            and own.territory_id = earlier.territory_id
),

-- what cannot be computed is said, for the programme's own territory
stated as (
    select
        indicator.programme_id,
        indicator.indicator_id,
        period.period,
        period.results_year,
        programme.territory_level,
        programme.territory_id,
        true as is_judged,
        indicator.unit,
        {%- for column in told[8:] %}
        nothing.{{ column }},
        {%- endfor %}
        indicator.* {{ without('programme_id, indicator_id, value_kind, unit, denominator, territory_level') }},
        period.previous_period,
        period.is_baseline,
        period.list_year,
        period.starts_on,
        period.ends_on,
        period.method_id,
        null as previous_value,
        null as baseline,
        null as baseline_period
    from {{ source('reference', 'programme_indicator') }} as indicator
    left join own as nothing on false
    inner join {{ ref('int_programme') }} as programme on indicator.programme_id = programme.programme_id
    inner join {{ ref('int_programme_period') }} as period on indicator.programme_id = period.programme_id
    where indicator.kind = 'not_computable'
),

every as (
    select * from compared
    union all
    select * from stated
),

valued as (
    select
        every.* {{ without('value') }},
        every.value as measured_value,
        case every.comparison
            when 'change' then every.value - every.previous_value
            else every.value
        end as value,
        coalesce(due.due_from, every.starts_on) as due_from,
        coalesce(due.due_on, every.ends_on) as due_on,
        today.as_of
    from every
    cross join today
    left join {{ source('reference', 'programme_indicator_due') }} as due
        on every.programme_id = due.programme_id and every.indicator_id = due.indicator_id and every.period = due.period
),

-- the plan as a number of the indicator's own value: «в 1,3 раза меньше» and «на 30 % меньше» need what it is less than
planned as (
    select
        valued.programme_id,
        valued.indicator_id,
        valued.period,
        valued.territory_level,
        valued.territory_id,
        target.comparator,
        target.target as stated_target,
        case target.comparator
            when 'divide_by' then valued.baseline / target.target
            when 'multiply_by' then valued.baseline * target.target
            when 'decrease_at_least_pct'
                then coalesce(valued.baseline, valued.previous_value)
                    * (case valued.comparison when 'change' then 0 else 1 end - target.target / 100)
            else target.target
        end as target
    from valued
    inner join {{ source('reference', 'programme_target') }} as target using (programme_id, indicator_id, period)
    where valued.is_judged
),

met as (
    select
        planned.*,
        case
            when valued.value is null or planned.target is null then null
            when planned.comparator in ('>=', 'multiply_by') or (planned.comparator = '=' and valued.direction = 'up')
                then valued.value >= planned.target - valued.tolerance - {{ slack }}
            when
                planned.comparator in ('<=', 'divide_by', 'decrease_at_least_pct')
                or (planned.comparator = '=' and valued.direction = 'down')
                then valued.value <= planned.target + valued.tolerance + {{ slack }}
            when planned.comparator = '>' then valued.value > planned.target + valued.tolerance + {{ slack }}
            when planned.comparator = '<' then valued.value < planned.target - valued.tolerance - {{ slack }}
            else abs(valued.value - planned.target) <= valued.tolerance + {{ slack }}
        end as is_met,
        case
            when planned.comparator = 'decrease_at_least_pct' and valued.comparison = 'change'
                then 100 * (coalesce(valued.baseline, valued.previous_value) + planned.target) / nullif(valued.measured_value, 0)
            when valued.comparison = 'change' then null
            when valued.direction = 'down' then 100 * planned.target / nullif(valued.value, 0)
            else 100 * valued.value / nullif(planned.target, 0)
        end as attainment_pct
    from planned
    inner join valued using (programme_id, indicator_id, period, territory_level, territory_id)
),

-- an indicator may have two bounds in one period: it is met if all are, and the first is shown
judged as (
    select
        programme_id,
        indicator_id,
        period,
        territory_level,
        territory_id,
        min_by(comparator, comparator) as comparator,
        min_by(stated_target, comparator) filter (where stated_target is not null) as stated_target,
        min_by(target, comparator) filter (where target is not null) as target,
        min_by(attainment_pct, comparator) filter (where attainment_pct is not null) as attainment_pct,
        case when count(*) = count(is_met) then bool_and(is_met) end as is_met
    from met
    group by programme_id, indicator_id, period, territory_level, territory_id
),

programme as (
    select programme_id, territory_ru, territory_level as programme_level from {{ ref('int_programme') }}
),

place as (
    {{ named_places() }}
)

select
    valued.programme_id,
    valued.indicator_id,
    valued.title_ru,
    valued.period,
    valued.is_baseline,
    valued.territory_level,
    valued.territory_id,
    coalesce(place.territory_name, case when valued.territory_level = programme.programme_level then programme.territory_ru end, valued.territory_id) as territory_name,
    valued.is_judged,
    valued.kind,
    valued.population,
    cast(valued.numerator as double) as numerator,
    cast(valued.denominator as double) as denominator,
    cast(coalesce(valued.population_count, 0) as bigint) as schools_count,
    cast(coalesce(valued.covered_count, 0) as bigint) as covered_count,
    cast(valued.measured_value as double) as measured_value,
    cast(valued.value as double) as value,
    valued.unit,
    valued.direction,
    cast(valued.baseline as double) as baseline,
    valued.baseline_period,
    judged.comparator,
    cast(judged.stated_target as double) as stated_target,
    cast(judged.target as double) as target,
    cast(judged.attainment_pct as double) as attainment_pct,
    case
        when valued.as_of < valued.due_from then 'not_due'
        when judged.is_met then 'met'
        when valued.as_of <= valued.due_on and (judged.comparator is not null or valued.value is null) then 'not_due'
        when valued.value is null or (judged.comparator is not null and judged.is_met is null) then 'no_data'
        when not judged.is_met then 'not_met'
    end as status,
    valued.due_from,
    valued.due_on,
    valued.as_of,
    valued.previous_period,
    cast(valued.previous_value as double) as previous_value,
    cast(valued.measured_value - valued.previous_value as double) as change_from_previous,
    {{ dynamics('(valued.measured_value - valued.previous_value)', 'valued.direction', 'valued.tolerance') }} as dynamics,
    dynamics = 'improved' as is_improved,
    cast(valued.value_at_quarter_start as double) as value_at_quarter_start,
    valued.kind <> 'not_computable' as is_computable,
    {{ counted_from_ru('valued') }} as counted_from_ru,
    case
        when valued.kind = 'not_computable' then valued.reason_ru
        when valued.measured_value is not null and valued.comparison = 'change' and valued.previous_value is null
            then 'Сравнить не с чем: за прошлый период значения нет.'
        when valued.measured_value is not null and valued.comparison = 'ratio' and valued.baseline is null
            then 'Сравнить не с чем: за год отсчёта и после него значения нет.'
        when valued.measured_value is not null then null
        when not valued.is_population_known
            then 'Список, из которого берётся показатель, за этот период неизвестен: нет результатов или список не поставлен.'
        when valued.population_count = 0 and valued.return_kind is null then 'В списке, из которого берётся показатель, нет ни одной школы.'
        when valued.return_kind is not null then 'Отчётов этого вида за период нет.'
        when valued.fact in ('is_adverse_conditions', 'has_resource_deficit')
            then 'Данных об условиях и ресурсах школ нет, или их мало: ни об одной школе решить нельзя.'
        else 'Данных за ' || {{ year_ru('valued.results_year') }} || ' учебный год нет.'
    end as no_data_reason_ru,
    valued.responsible_ru,
    valued.results_year,
    valued.list_year,
    valued.method_id,
    cast(valued.sort_order as bigint) as sort_order
from valued
inner join programme using (programme_id)
left join judged using (programme_id, indicator_id, period, territory_level, territory_id)
left join place on valued.territory_level = place.territory_level and valued.territory_id = place.territory_id
