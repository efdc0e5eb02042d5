-- Indicator × period × results year × territory: numerator, denominator, value. Sums over schools, never means of shares;
-- schools of which nothing is known stay in the denominator of a share of schools, since the list is frozen.
with moment as (
    select
        moment.*,
        indicator.value_kind,
        indicator.fact,
        indicator.return_kind,
        indicator.unit,
        indicator.population,
        -- a municipal programme may look at its region too
        indicator.territory_level = 'region' as is_of_region,
        case when indicator.territory_level = 'region' then known.is_known_in_region else known.is_known end as is_known,
        case when indicator.territory_level = 'region' then 'region' else programme.territory_level end as own_level,
        case when indicator.territory_level = 'region' then programme.region_code else programme.territory_id end as own_id
    from {{ ref('int_programme_moment') }} as moment
    inner join {{ source('reference', 'programme_indicator') }} as indicator using (programme_id, indicator_id)
    inner join {{ ref('int_programme') }} as programme using (programme_id)
    left join {{ ref('int_programme_known') }} as known
        on
            moment.programme_id = known.programme_id
            and moment.period = known.period
            and indicator.population = known.population
),

of_school as (
    select
        moment.programme_id,
        moment.indicator_id,
        moment.period,
        moment.results_year,
        school.school_id,
        school.municipality_id,
        school.region_code,
        fact.school_id is not null as is_covered,
        case when moment.value_kind in ('share_of_schools', 'count_schools') then cast(fact.has_fact as integer) else fact.numerator end
            as numerator,
        case when moment.value_kind in ('share_of_schools', 'count_schools') then 1 else fact.denominator end as denominator,
        case when moment.value_kind in ('share_of_schools', 'count_schools')
            then cast(fact.had_fact as integer)
            else fact.former_numerator
        end as former_numerator,
        case when moment.value_kind in ('share_of_schools', 'count_schools') then 1 else fact.former_denominator end
            as former_denominator,
        fact.is_reported,
        fact.is_agreed,
        fact.is_profiled,
        true as is_member,
        moment.own_level,
        moment.own_id
    from moment
    inner join {{ ref('int_programme_population') }} as population
        on
            moment.programme_id = population.programme_id
            and moment.period = population.period
            and moment.population = population.population
    inner join {{ ref('int_programme_school') }} as school
        on
            population.programme_id = school.programme_id
            and population.period = school.period
            and population.school_id = school.school_id
            and (school.is_own or moment.is_of_region)
    left join {{ ref('int_programme_fact') }} as fact
        on
            moment.programme_id = fact.programme_id
            and moment.indicator_id = fact.indicator_id
            and moment.period = fact.period
            and moment.results_year = fact.results_year
            and school.school_id = fact.school_id
    where moment.is_known and not (moment.value_kind = 'count_quantity' and moment.return_kind is not null)
),

-- what is reported as a quantity counts wherever it was done, in a school of the list or not
of_report as (
    select
        moment.programme_id,
        moment.indicator_id,
        moment.period,
        moment.results_year,
        report.school_id,
        report.municipality_id,
        report.region_code,
        true as is_covered,
        report.quantity as numerator,
        cast(null as double) as denominator,
        case when report.is_before_quarter then report.quantity end as former_numerator,
        cast(null as double) as former_denominator,
        report.source = 'executor' as is_reported,
        report.source = 'agreement' as is_agreed,
        report.source = 'profile' as is_profiled,
        false as is_member,
        moment.own_level,
        moment.own_id
    from moment
    inner join {{ ref('int_programme_return') }} as report
        on
            moment.programme_id = report.programme_id
            and moment.period = report.period
            and moment.return_kind = report.return_kind
    where moment.value_kind = 'count_quantity' and moment.is_own and {{ return_is_of_indicator('moment', 'report') }}
),

contribution as (
    select * from of_school
    union all
    select * from of_report
),

placed as (
    select 'school' as territory_level, school_id as territory_id, * from contribution where school_id is not null
    union all
    select 'municipality' as territory_level, municipality_id as territory_id, * from contribution where municipality_id is not null
    union all
    select 'region' as territory_level, region_code as territory_id, * from contribution where own_level = 'region'
),

-- in a municipal programme a report without a municipality stands for the programme's own territory
own as (
    select own_level as territory_level, own_id as territory_id, *
    from contribution
    where own_level = 'municipality' and municipality_id is null
),

summed as (
    select
        programme_id,
        indicator_id,
        period,
        results_year,
        territory_level,
        territory_id,
        {{ stable_sum('numerator') }} as numerator,
        {{ stable_sum('denominator') }} as denominator,
        bool_or(is_covered) as has_data,
        count(*) filter (where is_covered and school_id is not null) as covered_count,
        count(*) filter (where is_member) as population_count,
        {{ stable_sum('former_numerator') }} as former_numerator,
        {{ stable_sum('former_denominator') }} as former_denominator,
        bool_or(is_reported) as is_reported,
        bool_or(is_agreed) as is_agreed,
        bool_or(is_profiled) as is_profiled
    from (select * from placed union all select * from own)
    group by programme_id, indicator_id, period, results_year, territory_level, territory_id
),

-- the programme's own territory has a row whatever is known
complete as (
    select
        moment.programme_id,
        moment.indicator_id,
        moment.period,
        moment.results_year,
        moment.own_level as territory_level,
        moment.own_id as territory_id
    from moment
    union
    select programme_id, indicator_id, period, results_year, territory_level, territory_id from summed
),

counted as (
    select
        complete.*,
        moment.is_own,
        moment.value_kind,
        moment.unit,
        coalesce(moment.is_known, false) as is_population_known,
        complete.territory_level = moment.own_level and complete.territory_id = moment.own_id as is_judged,
        -- nobody in a list that is known is zero schools, not an absence of data
        coalesce(summed.has_data, false)
        or (moment.value_kind = 'count_schools' and moment.is_known and coalesce(summed.population_count, 0) = 0 and moment.return_kind is null)
            as has_data,
        summed.numerator,
        summed.denominator,
        coalesce(summed.covered_count, 0) as covered_count,
        coalesce(summed.population_count, 0) as population_count,
        summed.former_numerator,
        summed.former_denominator,
        summed.is_reported,
        summed.is_agreed,
        summed.is_profiled
    from complete
    inner join moment using (programme_id, indicator_id, period, results_year)
    left join summed using (programme_id, indicator_id, period, results_year, territory_level, territory_id)
)

select
    * {{ without('numerator, denominator, former_numerator, former_denominator') }},
    case when has_data then coalesce(numerator, 0) end as numerator,
    case when value_kind in ('share_of_schools', 'count_schools') and not is_population_known then null
        when value_kind in ('count_participants', 'count_quantity') then null
        when value_kind in ('share_of_schools', 'count_schools') then coalesce(denominator, 0)
        when has_data then denominator
    end as denominator,
    case when has_data then {{ indicator_value('value_kind', 'unit', 'coalesce(numerator, 0)', 'denominator') }} end as value,
    case when former_numerator is not null
        then {{ indicator_value('value_kind', 'unit', 'former_numerator', 'former_denominator') }}
    end as value_at_quarter_start
from counted
