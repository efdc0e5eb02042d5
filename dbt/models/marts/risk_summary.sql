with member as (
    select 'municipality' as territory_level, municipality_id as territory_id, *
    from {{ ref('int_risk_population') }}
    union all
    -- a municipal programme says nothing of its region
    select 'region' as territory_level, region_code as territory_id, *
    from {{ ref('int_risk_population') }}
    where widest_level = 'region'
),

overdue as (
    select distinct academic_year, school_id, factor_id
    from {{ ref('int_risk_stage') }}
    where status = 'overdue'
),

counted as (
    select
        member.academic_year,
        member.territory_level,
        member.territory_id,
        member.population,
        member.population_id,
        factor.factor_id,
        any_value(factor.title_ru) as factor_ru,
        any_value(factor.sort_order) as sort_order,
        any_value(list.list_id) as list_id,
        count(*) as schools_count,
        count(participant.school_id) as took_part_count,
        count(profile.level) as known_count,
        count(*) filter (where profile.origin = 'scored') as scored_count,
        {%- for level in ['high', 'medium', 'low'] %}
        count(*) filter (where profile.level = '{{ level }}') as {{ level }}_count,
        {%- endfor %}
        count(profile.is_chosen) as choice_known_count,
        count(*) filter (where profile.is_chosen) as chosen_count,
        count(overdue.school_id) as overdue_count
    from member
    inner join {{ source('reference', 'risk_list') }} as list on member.academic_year = list.academic_year
    inner join {{ source('reference', 'risk_factor') }} as factor on list.list_id = factor.list_id
    left join {{ ref('int_risk_participant') }} as participant
        on member.academic_year = participant.academic_year and member.school_id = participant.school_id
    left join {{ ref('int_risk_profile') }} as profile
        on
            member.academic_year = profile.academic_year
            and member.school_id = profile.school_id
            and factor.factor_id = profile.factor_id
    left join overdue
        on
            member.academic_year = overdue.academic_year
            and member.school_id = overdue.school_id
            and factor.factor_id = overdue.factor_id
    group by
        member.academic_year, member.territory_level, member.territory_id, member.population, member.population_id,
        factor.factor_id
),

judged as (
    select
        counted.*,
        case
            {%- for level in ['high', 'medium', 'low'] %}
            when counted.{{ level }}_count * cycle.majority_denominator > cycle.majority_numerator * counted.known_count then '{{ level }}'
            {%- endfor %}
        end as majority_level,
        {{ normal_quantile('(1 + method.confidence) / 2') }} as z
    from counted
    inner join {{ source('reference', 'risk_cycle') }} as cycle on counted.academic_year = cycle.academic_year
    inner join {{ ref('int_official_method') }} as official on counted.academic_year = official.academic_year
    inner join {{ source('reference', 'method') }} as method on official.method_id = method.method_id
),

place as (
    {{ named_places() }}
)

select
    judged.academic_year,
    judged.territory_level,
    judged.territory_id,
    coalesce(place.territory_name, judged.territory_id) as territory_name,
    judged.population,
    judged.population_id,
    judged.factor_id,
    judged.factor_ru,
    judged.sort_order,
    judged.list_id,
    judged.schools_count,
    judged.took_part_count,
    judged.took_part_count / judged.schools_count as participation_share,
    judged.known_count,
    judged.scored_count,
    judged.high_count,
    judged.medium_count,
    judged.low_count,
    case when judged.known_count > 0 then judged.high_count / judged.known_count end as high_share,
    case when judged.known_count > 0 then {{ wilson('judged.high_count', 'judged.known_count', 'judged.z', '-') }} end as high_ci_low,
    case when judged.known_count > 0 then {{ wilson('judged.high_count', 'judged.known_count', 'judged.z', '+') }} end as high_ci_high,
    judged.majority_level,
    case
        when judged.took_part_count = 0 then 'анкетирования не прошла ни одна школа'
        when judged.known_count = 0 then 'уровень не прислан ни одной школой'
        when greatest(judged.high_count, judged.medium_count, judged.low_count) = judged.known_count
            then level.title_ru || case judged.known_count when 1 then ' у единственной школы' else ' у всех школ' end
        when judged.majority_level is not null then level.title_ru || ' у большей части школ'
        else 'большинства нет: высокая значимость — ' || judged.high_count || ', средняя — ' || judged.medium_count
            || ', низкая — ' || judged.low_count
    end as finding_ru,
    judged.choice_known_count,
    judged.chosen_count,
    judged.overdue_count
from judged
left join {{ source('reference', 'risk_level') }} as level on judged.majority_level = level.level
left join place on judged.territory_level = place.territory_level and judged.territory_id = place.territory_id
