-- Indicator × period × results year × school: what is known of the school. `has_fact` for what is so or not so,
-- `numerator` and `denominator` for what is counted. A school without a row here is a school of which nothing is known.
-- The columns `former_…` say the same as it stood when the quarter began; only reports have days. `is_reported`,
-- `is_agreed` and `is_profiled` say whether it is an executor's report, a delivered agreement or a delivered risk profile.
with moment as (
    select
        moment.*,
        indicator.fact,
        indicator.value_kind,
        indicator.return_kind,
        indicator.grade,
        indicator.denominator as denominator_of,
        coalesce(indicator.attempt, 'first') as attempt
    from {{ ref('int_programme_moment') }} as moment
    inner join {{ source('reference', 'programme_indicator') }} as indicator using (programme_id, indicator_id)
),

listed as (
    select
        moment.*,
        school.school_id,
        case moment.fact
            when 'is_shnor' then case when school.is_list_known then school.is_shnor end
            when 'is_assessed' then case when known.is_known then school.is_assessed end
            when 'is_at_risk' then school.is_at_risk
            when 'low_in_any_procedure_current_year' then school.is_low_in_any
            when 'listed_again' then case when programme_known.is_known then coalesce(list.is_listed and list.years_listed_in_a_row > 1, false) end
            when 'left_list' then case when school.is_list_known then school.has_left end
            when 'is_in_programme' then case when programme_known.is_known then coalesce(list.is_listed, false) end
            else target.is_member
        end as has_fact
    from moment
    inner join {{ ref('int_programme_school') }} as school using (programme_id, period)
    left join {{ ref('int_programme_list') }} as list using (programme_id, period, school_id)
    left join {{ ref('int_programme_group') }} as target
        on
            moment.programme_id = target.programme_id
            and moment.period = target.period
            and moment.fact = target.fact
            and school.school_id = target.school_id
    left join {{ ref('int_programme_known') }} as known
        on moment.programme_id = known.programme_id and moment.period = known.period and known.population = 'shnor'
    left join {{ ref('int_programme_known') }} as programme_known
        on
            moment.programme_id = programme_known.programme_id
            and moment.period = programme_known.period
            and programme_known.population = 'programme'
    where moment.is_own
),

held as (
    select
        moment.programme_id,
        moment.indicator_id,
        moment.period,
        moment.results_year,
        result.academic_year,
        result.school_id,
        result.procedure_id,
        sum(result.participants) as participants,
        sum(result.below_minimum) as below_minimum
    from moment
    inner join {{ source('reference', 'programme_indicator_procedure') }} as named using (programme_id, indicator_id)
    inner join {{ ref('int_programme_period') }} as period using (programme_id, period)
    inner join {{ ref('int_programme_count') }} as result
        on
            named.procedure_id = result.procedure_id
            and moment.attempt = result.attempt
            and (
                moment.results_year = result.academic_year
                or (moment.fact = 'results_improved' and period.former_results_year = result.academic_year)
            )
    -- a procedure with unknown results counts nowhere
    where result.below_minimum is not null
    group by all
),

counted as (
    select
        programme_id,
        indicator_id,
        period,
        results_year,
        school_id,
        sum(participants) as participants,
        sum(below_minimum) as below_minimum
    from held
    where academic_year = results_year
    group by all
),

-- over the procedures that were held in both periods; shares are compared as fractions, in integers
improved as (
    select
        this.programme_id,
        this.indicator_id,
        this.period,
        this.results_year,
        this.school_id,
        {{ dynamics(
            share_difference('sum(former.below_minimum)', 'sum(former.participants)', 'sum(this.below_minimum)', 'sum(this.participants)'),
            "'down'"
        ) }} = 'improved' as has_fact
    from held as this
    inner join held as former
        on
            this.programme_id = former.programme_id
            and this.indicator_id = former.indicator_id
            and this.period = former.period
            and this.school_id = former.school_id
            and this.procedure_id = former.procedure_id
            and former.academic_year < this.academic_year
    where this.academic_year = this.results_year
    group by all
),

passed as (
    select
        moment.programme_id,
        moment.indicator_id,
        moment.period,
        moment.results_year,
        exam.school_id,
        exam.person_id,
        count(*) filter (where not exam.is_below) as passed,
        (
            select count(*)
            from {{ source('reference', 'programme_indicator_procedure') }} as named
            where named.programme_id = moment.programme_id and named.indicator_id = moment.indicator_id
        ) as wanted
    from moment
    inner join {{ source('reference', 'programme_indicator_procedure') }} as named using (programme_id, indicator_id)
    inner join {{ ref('int_programme_exam') }} as exam
        on
            named.procedure_id = exam.procedure_id
            and moment.attempt = exam.attempt
            and moment.results_year = exam.academic_year
    where moment.fact = 'pupils:passed_all'
    group by all
),

graduate as (
    select academic_year, school_id, graduate_grade, graduates from {{ ref('int_certificate') }}
),

returned as (
    select
        moment.*,
        report.school_id,
        report.quantity,
        report.denominator,
        report.is_before_quarter,
        report.source
    from moment
    inner join {{ ref('int_programme_return') }} as report
        on
            moment.programme_id = report.programme_id
            and moment.period = report.period
            and moment.return_kind = report.return_kind
    where
        moment.is_own
        and report.school_id is not null
        and {{ return_is_of_indicator('moment', 'report') }}
)

{%- set nothing_former %}null as had_fact, null as former_numerator, null as former_denominator, null as is_reported, null as is_agreed, null as is_profiled{% endset %}
select
    programme_id, indicator_id, period, results_year, school_id,
    has_fact, null as numerator, null as denominator, {{ nothing_former }}
from listed
where has_fact is not null
union all
select
    programme_id, indicator_id, period, results_year, school_id,
    has_fact, null as numerator, null as denominator, {{ nothing_former }}
from improved
where (programme_id, indicator_id) in (
    select programme_id, indicator_id from {{ source('reference', 'programme_indicator') }} where fact = 'results_improved'
)
union all
select
    counted.programme_id, counted.indicator_id, counted.period, counted.results_year, counted.school_id,
    null as has_fact,
    case moment.fact
        when 'participants:below_minimum' then counted.below_minimum
        else counted.participants - counted.below_minimum
    end as numerator,
    counted.participants as denominator,
    {{ nothing_former }}
from counted
inner join moment using (programme_id, indicator_id, period, results_year)
where moment.fact in ('participants:below_minimum', 'participants:passed')
union all
select
    passed.programme_id, passed.indicator_id, passed.period, passed.results_year, passed.school_id,
    null as has_fact,
    count(*) filter (where passed.passed = passed.wanted) as numerator,
    case when any_value(moment.denominator_of) = 'graduates' then any_value(graduate.graduates) else count(*) end as denominator,
    {{ nothing_former }}
from passed
inner join moment using (programme_id, indicator_id, period, results_year)
left join graduate
    on
        passed.results_year = graduate.academic_year
        and passed.school_id = graduate.school_id
        and moment.grade = graduate.graduate_grade
group by passed.programme_id, passed.indicator_id, passed.period, passed.results_year, passed.school_id
having any_value(moment.denominator_of) <> 'graduates' or any_value(graduate.graduates) is not null
union all
-- an indicator that names no grade means all graduates
select
    moment.programme_id, moment.indicator_id, moment.period, moment.results_year, certificate.school_id,
    null as has_fact,
    sum(certificate.without_certificate) as numerator,
    sum(certificate.graduates) as denominator,
    {{ nothing_former }}
from moment
inner join {{ ref('int_certificate') }} as certificate
    on
        moment.results_year = certificate.academic_year
        and coalesce(moment.grade, certificate.graduate_grade) = certificate.graduate_grade
where moment.fact = 'certificates:without'
group by moment.programme_id, moment.indicator_id, moment.period, moment.results_year, certificate.school_id
union all
select
    moment.programme_id, moment.indicator_id, moment.period, moment.results_year, annual.school_id,
    null as has_fact,
    annual.numerator, annual.denominator,
    {{ nothing_former }}
from moment
inner join {{ ref('int_school_year') }} as annual
    on moment.results_year = annual.academic_year and moment.fact = annual.fact
union all
select
    moment.programme_id, moment.indicator_id, moment.period, moment.results_year, total.school_id,
    null as has_fact,
    total.numerator, total.denominator,
    {{ nothing_former }}
from moment
inner join {{ ref('int_programme_sum') }} as total
    on
        moment.programme_id = total.programme_id
        and moment.indicator_id = total.indicator_id
        and moment.results_year = total.academic_year
union all
select
    programme_id, indicator_id, period, results_year, school_id,
    bool_or(quantity > 0) as has_fact,
    {{ stable_sum('quantity') }} as numerator,
    sum(denominator) as denominator,
    bool_or(quantity > 0) filter (where is_before_quarter) as had_fact,
    {{ stable_sum('quantity', where='is_before_quarter') }} as former_numerator,
    sum(denominator) filter (where is_before_quarter) as former_denominator,
    bool_or(source = 'executor') as is_reported,
    bool_or(source = 'agreement') as is_agreed,
    bool_or(source = 'profile') as is_profiled
from returned
where value_kind <> 'count_quantity' -- these count wherever they were done: see int_programme_value
group by programme_id, indicator_id, period, results_year, school_id
