-- Programme × period × fact × school: is it so by the programme's own definition, or by the official one of the year?
with chosen as (
    select
        period.programme_id,
        period.period,
        period.list_year,
        official.fact,
        coalesce(own.definition_id, official.definition_id) as definition_id
    from {{ ref('int_programme_period') }} as period
    inner join {{ source('reference', 'official_group') }} as official on period.list_year = official.academic_year
    left join {{ source('reference', 'group_definition') }} as own
        on period.programme_id = own.programme_id and official.fact = own.fact
)

select
    chosen.programme_id,
    chosen.period,
    chosen.fact,
    chosen.definition_id,
    found.school_id,
    found.is_member
from chosen
inner join {{ ref('int_target_group') }} as found
    on chosen.definition_id = found.definition_id and chosen.list_year = found.academic_year
