{# Year × territory: one row for the schools and the list (`all`), one for each procedure with pooled results.
   `keys` are the columns of int_school that name the territory. #}
{% macro territory_summary(keys) -%}
with official as (
    select academic_year, method_id from {{ ref('int_official_method') }}
),

method as (
    select method_id, {{ normal_quantile('(1 + confidence) / 2') }} as z
    from {{ source('reference', 'method') }}
),

territory as (
    select school_id, {{ keys | join(', ') }} from {{ ref('int_school') }}
),

gve as (
    select
        exam.measured_year as academic_year,
        {%- for key in keys %}
        territory.{{ key }},
        {%- endfor %}
        count(distinct exam.person_id) as gve_count
    from {{ ref('int_exam_attempt') }} as exam
    inner join territory on exam.school_id = territory.school_id
    where exam.assessment = 'gve' and exam.is_participant
    group by all
),

list as (
    select
        standing.academic_year,
        standing.method_id,
        {%- for key in keys %}
        territory.{{ key }},
        {%- endfor %}
        count(*) filter (where standing.is_counted) as schools_count,
        count(*) filter (where standing.is_counted and status.is_assessed) as assessed_schools_count,
        count(*) filter (where standing.is_counted and standing.is_excluded) as excluded_schools_count,
        count(*) filter (where status.is_assessed) > 0 as has_list,
        count(*) filter (where status.is_shnor) as shnor_count,
        count(status.is_at_risk) > 0 as has_current_year,
        count(*) filter (where status.is_at_risk) as at_risk_count,
        count(*) filter (where status.is_shnor and not status.was_shnor) as new_count,
        count(*) filter (where status.is_shnor and status.was_shnor) as continuing_count,
        count(*) filter (
            where status.was_shnor and not status.is_shnor and (status.is_assessed or status.is_excluded)
        ) as left_count
    from {{ ref('int_school_standing') }} as standing
    inner join official using (academic_year, method_id)
    inner join territory on standing.school_id = territory.school_id
    left join {{ ref('int_school_status') }} as status
        on
            standing.method_id = status.method_id
            and standing.academic_year = status.academic_year
            and standing.school_id = status.school_id
    group by all
),

pooled as (
    select
        result.academic_year,
        result.method_id,
        {%- for key in keys %}
        territory.{{ key }},
        {%- endfor %}
        result.procedure_id,
        count(*) filter (where standing.is_counted) as schools_count,
        count(*) filter (where standing.is_counted and result.is_low is not null) as assessed_schools_count,
        count(*) filter (where standing.is_counted and result.is_low) as low_schools_count,
        coalesce(sum(result.own_participants) filter (where result.own_unknown_count = 0), 0) as participants,
        coalesce(sum(result.own_below_minimum) filter (where result.own_unknown_count = 0), 0) as below_minimum
    from {{ ref('int_procedure_result') }} as result
    inner join official using (academic_year, method_id)
    inner join {{ ref('int_school_standing') }} as standing using (method_id, academic_year, school_id)
    inner join {{ ref('int_school') }} as school on result.school_id = school.school_id and not school.is_no_school
    inner join territory on result.school_id = territory.school_id
    group by all
)

select
    list.academic_year,
    {%- for key in keys %}
    list.{{ key }},
    {%- endfor %}
    'all' as procedure_id,
    list.schools_count,
    list.assessed_schools_count,
    cast(null as bigint) as low_schools_count,
    list.excluded_schools_count,
    case when list.has_list then list.shnor_count end as shnor_count,
    case when list.has_list and list.schools_count > 0 then list.shnor_count / list.schools_count end as shnor_share,
    case when list.has_current_year then list.at_risk_count end as at_risk_count,
    case when list.has_list then list.new_count end as new_count,
    case when list.has_list then list.continuing_count end as continuing_count,
    case when list.has_list then list.left_count end as left_count,
    cast(null as bigint) as participants,
    cast(null as bigint) as below_minimum,
    cast(null as double) as below_share,
    cast(null as double) as share_ci_low,
    cast(null as double) as share_ci_high,
    coalesce(gve.gve_count, 0) as gve_count,
    list.method_id
from list
left join gve using (academic_year, {{ keys | join(', ') }})
union all
select
    pooled.academic_year,
    {%- for key in keys %}
    pooled.{{ key }},
    {%- endfor %}
    pooled.procedure_id,
    pooled.schools_count,
    pooled.assessed_schools_count,
    pooled.low_schools_count,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    cast(pooled.participants as bigint),
    cast(pooled.below_minimum as bigint),
    case when pooled.participants > 0 then pooled.below_minimum / pooled.participants end,
    case when pooled.participants > 0 then {{ wilson('pooled.below_minimum', 'pooled.participants', 'method.z', '-') }} end,
    case when pooled.participants > 0 then {{ wilson('pooled.below_minimum', 'pooled.participants', 'method.z', '+') }} end,
    null,
    pooled.method_id
from pooled
inner join method on pooled.method_id = method.method_id
{%- endmacro %}
