-- Year × school × factor of that year's list: the delivered level, the latest one. A factor that the list of the year does
-- not have counts nowhere: see int_risk_issue.
with given as (
    {{ risk_rows('risk_factor_level', {'factor': 'factor'}) }}
),

listed as (
    select
        given.academic_year,
        given.school_id,
        given.factor_id,
        given.level,
        given.is_chosen,
        given.delivery_id
    from given
    inner join {{ source('reference', 'risk_list') }} as list on given.academic_year = list.academic_year
    inner join {{ source('reference', 'risk_factor') }} as factor
        on list.list_id = factor.list_id and given.factor_id = factor.factor_id
    qualify row_number() over (
        partition by given.academic_year, given.school_id, given.factor_id
        order by given.arrival desc, given.sheet desc nulls last, given.source_row desc
    ) = 1
)

select
    * {{ without('is_chosen') }},
    -- whoever marks the chosen risks leaves the others blank; where none is marked the choice is unknown
    coalesce(is_chosen, case when bool_or(is_chosen) over (partition by academic_year, school_id) then false end) as is_chosen
from listed
