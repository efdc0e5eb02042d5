-- Definition × year of the list × school: member, not a member, or undecided. What is unknown decides nothing it could
-- change: all conditions fail with one that fails, any of them hold with one that holds.
with told as (
    select
        found.*,
        condition.is_required,
        definition.combine,
        condition.title_ru || ' — ' || case found.is_met when true then 'да' when false then 'нет' else 'неизвестно' end || ': ' || found.said_ru
            as condition_ru
    from {{ ref('int_group_condition') }} as found
    inner join {{ source('reference', 'group_condition') }} as condition using (definition_id, condition_number)
    inner join {{ source('reference', 'group_definition') }} as definition using (definition_id)
),

decided as (
    select
        definition_id,
        academic_year,
        school_id,
        case any_value(combine)
            when 'first_known' then min_by(is_met, condition_number) filter (where is_required and is_met is not null)
            when 'all' then case
                when bool_or(not is_met) filter (where is_required) then false
                when bool_or(is_met is null) filter (where is_required) then null
                else true
            end
            when 'any' then case
                when bool_or(is_met) filter (where is_required) then true
                when bool_or(is_met is null) filter (where is_required) then null
                else false
            end
        end as is_member,
        count(*) filter (where is_required) as conditions_total,
        count(is_met) filter (where is_required) as conditions_known,
        count(*) filter (where is_required and is_met) as conditions_met,
        max(context_year) filter (where is_required) as context_year,
        {{ string_agg('condition_ru', '; ', 'condition_number') }} filter (where is_required) as required_ru,
        {{ string_agg('condition_ru', '; ', 'condition_number') }} filter (where not is_required) as beside_ru
    from told
    group by definition_id, academic_year, school_id
)

select
    decided.definition_id,
    decided.academic_year,
    decided.school_id,
    decided.is_member,
    decided.conditions_total,
    decided.conditions_known,
    decided.conditions_met,
    decided.context_year,
    concat_ws('; ', decided.required_ru, 'рядом, не решает: ' || decided.beside_ru) as basis_ru
from decided
