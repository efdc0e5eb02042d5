-- Which lists of a period are known at all. An unknown list is no empty list.
with known as (
    select
        period.programme_id,
        period.period,
        {%- for scope, condition in [('', 'school.is_own'), ('region_', 'true')] %}
        count(school.school_id) filter (where {{ condition }}) > 0 as {{ scope }}all_known,
        coalesce(bool_or(school.is_list_known) filter (where {{ condition }}), false) as {{ scope }}shnor_known,
        coalesce(bool_or(school.is_at_risk is not null) filter (where {{ condition }}), false) as {{ scope }}risk_known
        {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('int_programme_period') }} as period
    left join {{ ref('int_programme_school') }} as school
        on period.programme_id = school.programme_id and period.period = school.period
    group by period.programme_id, period.period
),

delivered as (
    select distinct programme_id, period from {{ ref('int_programme_member') }} where population = 'programme_list'
),

simple as (
    {%- for population in ['all', 'shnor', 'risk'] %}
    select
        programme_id,
        period,
        '{{ population }}' as population,
        {{ population }}_known as is_known,
        region_{{ population }}_known as is_known_in_region
    from known
    union all
    {%- endfor %}
    select known.programme_id, known.period, 'programme_list', delivered.period is not null, delivered.period is not null
    from known
    left join delivered on known.programme_id = delivered.programme_id and known.period = delivered.period
)

select * from simple
union all
-- the programme's own list: every part of its rule is known, or what stands in for it is
select
    simple.programme_id,
    simple.period,
    'programme',
    bool_and(simple.is_known or (simple.population = 'programme_list' and coalesce(fallback.is_known, false))) as is_known,
    bool_and(simple.is_known or (simple.population = 'programme_list' and coalesce(fallback.is_known, false))) as is_known_in_region
from simple
inner join {{ source('reference', 'programme_list_rule') }} as rule
    on simple.programme_id = rule.programme_id and simple.population = rule.population and not rule.is_fallback
left join {{ source('reference', 'programme_list_rule') }} as instead
    on simple.programme_id = instead.programme_id and instead.is_fallback
left join simple as fallback
    on
        simple.programme_id = fallback.programme_id
        and simple.period = fallback.period
        and instead.population = fallback.population
group by simple.programme_id, simple.period
