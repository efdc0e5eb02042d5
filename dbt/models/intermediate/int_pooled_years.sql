-- Year × school × procedure × number of years: the results of the school of that year and of the years before it
-- together, by the method that makes the list of that year. A year without results adds nothing.
with method as (
    {{ methods_for_rules() }}
),

result as (
    select
        outcome.method_id,
        outcome.academic_year,
        year.start_year,
        outcome.school_id,
        outcome.procedure_id,
        outcome.participants,
        outcome.below_minimum,
        outcome.unknown_count
    from {{ ref('int_procedure_outcome') }} as outcome
    inner join {{ source('reference', 'academic_year') }} as year on outcome.academic_year = year.academic_year
),

pooled as (
    select
        this.method_id,
        this.academic_year,
        this.school_id,
        this.procedure_id,
        span.window_years,
        count(*) as years_pooled,
        min(earlier.academic_year) as first_year,
        cast(sum(earlier.participants) as bigint) as participants,
        cast(sum(earlier.below_minimum) as bigint) as below_minimum,
        cast(sum(earlier.unknown_count) as bigint) as unknown_count
    from result as this
    inner join {{ ref('int_official_method') }} as official
        on this.method_id = official.method_id and this.academic_year = official.academic_year
    inner join {{ source('reference', 'method_window') }} as span on this.method_id = span.method_id
    inner join result as earlier
        on
            this.method_id = earlier.method_id
            and this.school_id = earlier.school_id
            and this.procedure_id = earlier.procedure_id
            and earlier.start_year between this.start_year - span.window_years + 1 and this.start_year
    group by this.method_id, this.academic_year, this.school_id, this.procedure_id, span.window_years
),

-- a break stands before the year that it names: what lies on both sides of it is pooled with a note
span_of_years as (
    select distinct procedure_id, first_year, academic_year from pooled
),

crossed as (
    select
        span_of_years.procedure_id,
        span_of_years.first_year,
        span_of_years.academic_year,
        bool_or(rift.affects_marks) as crosses_break_of_marks,
        {{ string_agg('rift.label_ru', '; ', 'rift.label_ru', distinct=true) }} as break_ru
    from span_of_years
    inner join {{ source('reference', 'comparability_break') }} as rift
        on
            span_of_years.procedure_id = rift.procedure_id
            and rift.academic_year > span_of_years.first_year
            and rift.academic_year <= span_of_years.academic_year
    group by span_of_years.procedure_id, span_of_years.first_year, span_of_years.academic_year
)

select
    pooled.*,
    {{ is_low('pooled', 'method') }} as is_low,
    not coalesce(crossed.crosses_break_of_marks, false) as is_comparable,
    case
        when crossed.crosses_break_of_marks then 'сложены годы по обе стороны разрыва: ' || crossed.break_ru
        when crossed.break_ru is not null then 'доли отметок сравнимы с оговоркой: ' || crossed.break_ru
    end as comparability_ru
from pooled
inner join method on pooled.method_id = method.method_id
left join crossed
    on
        pooled.procedure_id = crossed.procedure_id
        and pooled.first_year = crossed.first_year
        and pooled.academic_year = crossed.academic_year
