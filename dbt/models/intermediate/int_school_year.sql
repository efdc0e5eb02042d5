-- Year × school × annual figure: pupils, days missed, violations. The year's own row is taken, else the sum of all four
-- quarters; fewer quarters are no year. The latest delivery of each counts.
with found as (
    {%- for name, columns in [
        ('contingent', 'report.grade_band, null as term, null as days_missed, null as violations'),
        ('attendance', 'null as grade_band, report.term, report.days_missed, report.violations'),
    ] %}
    select
        report.school_key_kind,
        report.school_key,
        report.measured_year,
        report.arrival,
        report.pupils,
        {{ columns }},
        head.head_school_id as school_id
    from {{ ref('stg_' ~ name) }} as report
    inner join {{ ref('int_school_key') }} as keys on {{ is_key_of('keys', 'report') }}
    inner join {{ ref('int_school_head') }} as head on keys.school_id = head.school_id
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

latest as (
    select *
    from found
    qualify arrival = max(arrival) over (partition by school_key_kind, school_key, measured_year, grade_band, term)
),

term as (
    select
        measured_year,
        school_id,
        term,
        sum(pupils) as pupils,
        sum(days_missed) as days_missed,
        sum(violations) as violations
    from latest
    where term is not null
    group by measured_year, school_id, term
),

year as (
    {%- for column, fact in [('days_missed', 'attendance:missed'), ('violations', 'discipline:violations')] %}
    select
        measured_year,
        school_id,
        '{{ fact }}' as fact,
        case when count({{ column }}) filter (where term = 'year') = 1
            then sum({{ column }}) filter (where term = 'year')
            else sum({{ column }}) filter (where term <> 'year')
        end as numerator,
        case when count(*) filter (where term = 'year') = 1
            then max(pupils) filter (where term = 'year')
            else avg(pupils) filter (where term <> 'year')
        end as denominator
    from term
    group by measured_year, school_id
    having count({{ column }}) filter (where term = 'year') = 1 or count({{ column }}) filter (where term <> 'year') = 4
    union all
    {%- endfor %}
    select
        measured_year,
        school_id,
        'contingent:pupils' as fact,
        coalesce(sum(pupils) filter (where grade_band = 'all'), sum(pupils)) as numerator,
        null as denominator
    from latest
    where grade_band is not null
    group by measured_year, school_id
)

select
    measured_year as academic_year,
    school_id,
    fact,
    cast(numerator as double) as numerator,
    cast(denominator as double) as denominator
from year
