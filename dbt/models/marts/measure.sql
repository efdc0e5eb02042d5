with today as (
    select as_of from {{ source('reference', 'as_of') }}
),

measure as (
    select
        *,
        count(*) over (partition by programme_id, return_kind) as measures_of_kind
    from {{ source('reference', 'programme_measure') }}
),

-- a report that names a measure serves it; one that names none serves the only measure of its kind
report as (
    select
        measure.measure_id,
        measure.unit,
        measure.population,
        report.* {{ without('territory_level') }}
    from {{ ref('int_programme_return') }} as report
    inner join measure on report.programme_id = measure.programme_id and report.return_kind = measure.return_kind
    where
        report.item_id = measure.measure_id
        or (measure.measures_of_kind = 1 and not exists (
            select 1 from measure as other where other.programme_id = report.programme_id and other.measure_id = report.item_id
        ))
),

placed as (
    select programme.territory_level, programme.territory_id, true as is_judged, report.*
    from report
    inner join {{ ref('int_programme') }} as programme on report.programme_id = programme.programme_id
    union all
    select 'municipality' as territory_level, report.municipality_id as territory_id, false as is_judged, report.*
    from report
    inner join {{ ref('int_programme') }} as programme on report.programme_id = programme.programme_id
    where report.municipality_id is not null and programme.territory_level = 'region'
    union all
    select 'school' as territory_level, school_id as territory_id, false as is_judged, *
    from report
    where school_id is not null
),

population as (
    select
        population.programme_id,
        population.period,
        population.population,
        count(*) as schools_count
    from {{ ref('int_programme_population') }} as population
    inner join {{ ref('int_programme_school') }} as school using (programme_id, period, school_id)
    where school.is_own
    group by population.programme_id, population.period, population.population
),

actual as (
    select
        placed.programme_id,
        placed.measure_id,
        placed.period,
        placed.territory_level,
        placed.territory_id,
        placed.is_judged,
        {%- for name, condition in [('actual', 'true'), ('actual_at_quarter_start', 'placed.is_before_quarter')] %}
        case any_value(placed.unit)
            when 'count' then {{ stable_sum('placed.quantity', where=condition) }}
            when 'yes' then max(least(placed.quantity, 1)) filter (where {{ condition }})
            when 'pct' then 1e2
                * count(distinct member.school_id) filter (where {{ condition }} and placed.quantity > 0)
                / case when placed.is_judged then any_value(population.schools_count) else 1 end
        end as {{ name }},
        {%- endfor %}
        max(placed.reported_on) as last_reported_on,
        count(*) as reports_count,
        bool_or(placed.source = 'executor') as is_reported,
        bool_or(placed.source = 'agreement') as is_agreed,
        bool_or(placed.source = 'profile') as is_profiled
    from placed
    left join {{ ref('int_programme_population') }} as member
        on
            placed.programme_id = member.programme_id
            and placed.period = member.period
            and placed.population = member.population
            and placed.school_id = member.school_id
    left join population
        on
            placed.programme_id = population.programme_id
            and placed.period = population.period
            and placed.population = population.population
    group by
        placed.programme_id, placed.measure_id, placed.period, placed.territory_level, placed.territory_id, placed.is_judged
),

-- what is planned, what has no plan, and what was reported without one
cell as (
    select programme_id, measure_id, period from {{ source('reference', 'programme_measure_plan') }}
    union
    select measure.programme_id, measure.measure_id, period.period
    from measure
    inner join {{ ref('int_programme_period') }} as period on measure.programme_id = period.programme_id
    where
        not period.is_baseline
        and (measure.programme_id, measure.measure_id) not in (
            select programme_id, measure_id from {{ source('reference', 'programme_measure_plan') }}
        )
    union
    select programme_id, measure_id, period from report
),

territory as (
    select cell.*, programme.territory_level, programme.territory_id, true as is_judged
    from cell
    inner join {{ ref('int_programme') }} as programme on cell.programme_id = programme.programme_id
    union
    select programme_id, measure_id, period, territory_level, territory_id, is_judged from actual
),

-- a yearly plan that falls evenly on several dates is due by parts
stage as (
    select
        due.programme_id,
        due.measure_id,
        due.period,
        due.due_on,
        case
            when measure.unit = 'count' and plan.planned % count(*) over every = 0
                then plan.planned * row_number() over (partition by due.programme_id, due.measure_id, due.period order by due.due_on) / count(*) over every
            when due.due_on = max(due.due_on) over every then plan.planned
            else 0
        end as planned_by
    from {{ source('reference', 'programme_measure_due') }} as due
    inner join {{ source('reference', 'programme_measure_plan') }} as plan using (programme_id, measure_id, period)
    inner join measure using (programme_id, measure_id)
    window every as (partition by due.programme_id, due.measure_id, due.period)
),

dated as (
    select
        territory.*,
        measure.* {{ without('programme_id, measure_id') }},
        case when territory.is_judged then plan.planned end as planned,
        case when territory.is_judged then plan.due_from end as due_from,
        case when territory.is_judged then plan.due_on end as due_on,
        actual.* {{ without('programme_id, measure_id, period, territory_level, territory_id, is_judged') }},
        today.as_of,
        measure.unit = 'pct' and territory.is_judged and population.schools_count is null as is_population_unknown
    from territory
    cross join today
    inner join measure using (programme_id, measure_id)
    left join {{ source('reference', 'programme_measure_plan') }} as plan using (programme_id, measure_id, period)
    left join actual using (programme_id, measure_id, period, territory_level, territory_id, is_judged)
    left join population
        on
            territory.programme_id = population.programme_id
            and territory.period = population.period
            and measure.population = population.population
),

staged as (
    select
        dated.programme_id,
        dated.measure_id,
        dated.period,
        max(stage.planned_by) filter (where stage.due_on < dated.as_of) as planned_by_now,
        min(stage.due_on) filter (where stage.due_on >= dated.as_of) as next_due_on,
        min(stage.due_on) filter (
            where stage.due_on < dated.as_of and coalesce(dated.actual, 0) < stage.planned_by - 1e-9
        ) as overdue_since
    from dated
    inner join stage using (programme_id, measure_id, period)
    where dated.is_judged
    group by dated.programme_id, dated.measure_id, dated.period
),

judged as (
    select
        dated.*,
        case when dated.is_judged then coalesce(staged.planned_by_now, 0) end as planned_by_now,
        case when dated.is_judged then staged.next_due_on end as next_due_on,
        case
            when dated.return_kind is null then 'no_data'
            when dated.planned is null and dated.actual is null then 'no_data'
            when dated.planned is null then case when dated.unit <> 'count' and dated.actual > 0 then 'done' else 'in_progress' end
            when dated.is_population_unknown then case when dated.as_of > dated.due_on then 'no_data' else 'not_due' end
            when dated.actual >= dated.planned - 1e-9 then 'done'
            -- where nothing was ever reported, nothing is known to be late
            when staged.overdue_since is not null and reporting.programme_id is null then 'no_data'
            when staged.overdue_since is not null then 'overdue'
            when dated.actual is not null then 'in_progress'
            else 'not_due'
        end as status,
        staged.overdue_since
    from dated
    left join (select distinct programme_id from {{ ref('int_programme_return') }}) as reporting
        on dated.programme_id = reporting.programme_id
    left join staged on dated.programme_id = staged.programme_id and dated.measure_id = staged.measure_id and dated.period = staged.period
),

place as (
    {{ named_places() }}
)

select
    judged.programme_id,
    judged.measure_id,
    judged.number,
    judged.section_ru,
    judged.title_ru,
    judged.period,
    judged.territory_level,
    judged.territory_id,
    coalesce(
        place.territory_name,
        case when judged.is_judged then programme.territory_ru end,
        judged.territory_id
    ) as territory_name,
    judged.is_judged,
    judged.unit,
    judged.comparator,
    cast(judged.planned as double) as planned,
    cast(judged.actual as double) as actual,
    cast(100 * judged.actual / nullif(judged.planned, 0) as double) as completion_pct,
    cast(judged.planned_by_now as double) as planned_by_now,
    judged.due_from,
    judged.due_on,
    judged.next_due_on,
    judged.as_of,
    judged.status,
    cast(case when judged.status = 'overdue' then {{ days_between('judged.overdue_since', 'judged.as_of') }} end as bigint) as days_overdue,
    cast(judged.actual_at_quarter_start as double) as actual_at_quarter_start,
    judged.last_reported_on,
    cast(coalesce(judged.reports_count, 0) as bigint) as reports_count,
    {{ counted_from_ru('judged') }} as counted_from_ru,
    judged.due_ru,
    judged.responsible_ru,
    judged.return_kind is not null as is_computable,
    case
        when judged.return_kind is null then judged.reason_ru
        when judged.is_population_unknown then 'Список, из которого берётся доля, за этот период неизвестен или пуст.'
        when judged.actual is null then 'Отчётов этого вида за период нет.'
    end as no_data_reason_ru,
    cast(judged.sort_order as bigint) as sort_order
from judged
inner join {{ ref('int_programme') }} as programme on judged.programme_id = programme.programme_id
left join place on judged.territory_level = place.territory_level and judged.territory_id = place.territory_id
