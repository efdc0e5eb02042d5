-- Programme × period × school: who is in the programme, why, since when; and who has left. Denominators of the
-- period are frozen to this list: it follows from the list of its year and does not move when later years come.
with ruled as (
    select
        member.programme_id,
        member.period,
        member.school_id,
        case when rule.is_fallback then 'fallback:' else '' end || member.population as ground
    from {{ ref('int_programme_member') }} as member
    inner join {{ source('reference', 'programme_list_rule') }} as rule
        on member.programme_id = rule.programme_id and member.population = rule.population
    inner join {{ ref('int_programme_school') }} as school
        on member.programme_id = school.programme_id and member.period = school.period and member.school_id = school.school_id
    left join {{ ref('int_programme_known') }} as delivered
        on
            member.programme_id = delivered.programme_id
            and member.period = delivered.period
            and delivered.population = 'programme_list'
    where school.is_own and (not rule.is_fallback or not delivered.is_known)
),

listed as (
    select
        programme_id,
        period,
        school_id,
        {{ string_agg('ground', '+', 'ground', distinct=true) }} as basis
    from ruled
    group by programme_id, period, school_id
),

ordered as (
    select
        period.sort_order,
        listed.*,
        period.sort_order - row_number() over (
            partition by listed.programme_id, listed.school_id order by period.sort_order
        ) as stretch
    from listed
    inner join {{ ref('int_programme_period') }} as period using (programme_id, period)
),

-- every period in which a school is in the list, and the one after it if its list is known
seen as (
    select programme_id, period, school_id, sort_order from ordered
    union
    select period.programme_id, period.period, ordered.school_id, period.sort_order
    from ordered
    inner join {{ ref('int_programme_period') }} as period
        on ordered.programme_id = period.programme_id and ordered.period = period.previous_period
    inner join {{ ref('int_programme_known') }} as known
        on period.programme_id = known.programme_id and period.period = known.period and known.population = 'programme'
    where known.is_known
),

counted as (
    select
        seen.programme_id,
        seen.period,
        seen.school_id,
        this.school_id is not null as is_listed,
        this.basis,
        case
            when this.school_id is null then 'left'
            when former.school_id is not null then 'continuing'
            else 'new'
        end as listing,
        case
            when this.school_id is null then 0
            else greatest(
                row_number() over (partition by seen.programme_id, seen.school_id, this.stretch order by seen.sort_order),
                -- the list of the method may be older than the programme
                case when this.basis like '%shnor%' then status.years_listed_in_a_row else 0 end
            )
        end as years_listed_in_a_row
    from seen
    left join ordered as this
        on seen.programme_id = this.programme_id and seen.period = this.period and seen.school_id = this.school_id
    left join {{ ref('int_programme_period') }} as period
        on seen.programme_id = period.programme_id and seen.period = period.period
    left join ordered as former
        on
            seen.programme_id = former.programme_id
            and period.previous_period = former.period
            and seen.school_id = former.school_id
    left join {{ ref('int_programme_school') }} as status
        on seen.programme_id = status.programme_id and seen.period = status.period and seen.school_id = status.school_id
)

select
    counted.* {{ without('years_listed_in_a_row') }},
    cast(counted.years_listed_in_a_row as bigint) as years_listed_in_a_row,
    case
        when not counted.is_listed then 'none'
        when rule.support_format is not null then rule.support_format
        when counted.years_listed_in_a_row > 1 then 'repeated'
        else 'first_year'
    end as support_format,
    rule.text_ru as support_ru
from counted
left join {{ source('reference', 'programme_support_rule') }} as rule
    on
        counted.programme_id = rule.programme_id
        and counted.is_listed
        and rule.years_in_a_row <= counted.years_listed_in_a_row
qualify row_number() over (
    partition by counted.programme_id, counted.period, counted.school_id order by rule.years_in_a_row desc nulls last
) = 1
