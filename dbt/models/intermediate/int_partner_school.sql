-- Year of the list × school: is it to be supported, and may it lead? Both are judged by what was known when the list was
-- made: results of the year before.
with official as (
    select status.*
    from {{ ref('int_school_status') }} as status
    inner join {{ ref('int_official_method') }} as official
        on status.method_id = official.method_id and status.academic_year = official.academic_year
),

-- a programme's own list of that year; what stands in for a list that was not delivered is the list of the method
listed as (
    select distinct
        period.list_year as academic_year,
        list.school_id
    from {{ ref('int_programme_list') }} as list
    inner join {{ ref('int_programme_period') }} as period using (programme_id, period)
    where list.is_listed and not period.is_baseline
),

-- markers of results not to be trusted, of the kinds and in the years that the rules look at
marked as (
    select distinct
        rule.academic_year,
        head.head_school_id as school_id
    from {{ ref('objectivity') }} as marker
    inner join {{ ref('int_school_head') }} as head on marker.school_id = head.school_id
    inner join {{ source('reference', 'partner_marker') }} as named on marker.criterion = named.criterion
    inner join {{ source('reference', 'partner_rule') }} as rule
        on
            named.academic_year = rule.academic_year
            and marker.academic_year < rule.academic_year
            and cast(left(marker.academic_year, 4) as integer)
            >= cast(left(rule.academic_year, 4) as integer) - rule.marker_years
    where marker.is_marked
),

-- town or village: as the conditions of the nearest year tell it, else as the register does
urban as (
    select
        reach.academic_year,
        cell.school_id,
        case cell.value when 1 then 'urban' else 'rural' end as settlement_type
    from {{ source('reference', 'context_reach') }} as reach
    inner join {{ ref('int_context_component') }} as cell on reach.context_year = cell.academic_year
    where cell.component_id = 'is_urban' and cell.is_known
    qualify row_number() over (partition by reach.academic_year, cell.school_id order by reach.preference) = 1
)

select
    status.academic_year,
    status.previous_year as results_year,
    status.school_id,
    school.region_code,
    school.municipality_id,
    coalesce(urban.settlement_type, school.settlement_type) as settlement_type,
    status.is_shnor,
    coalesce(former.is_at_risk, false) as was_at_risk,
    listed.school_id is not null as is_in_programme,
    standing.is_counted and not status.is_excluded as is_ordinary,
    status.is_assessed,
    status.low_previous,
    marked.school_id is not null as is_marked
from official as status
inner join {{ ref('int_school') }} as school on status.school_id = school.school_id
inner join {{ ref('int_school_standing') }} as standing
    on
        status.method_id = standing.method_id
        and status.academic_year = standing.academic_year
        and status.school_id = standing.school_id
left join official as former
    on status.school_id = former.school_id and status.previous_year = former.academic_year
left join listed on status.school_id = listed.school_id and status.academic_year = listed.academic_year
left join marked on status.school_id = marked.school_id and status.academic_year = marked.academic_year
left join urban on status.school_id = urban.school_id and status.academic_year = urban.academic_year
where standing.is_counted
