-- Condition of a definition × year of the list × school: does it hold, what was found, or why nothing can be said.
with condition as (
    select condition.*, definition.valid_from, definition.valid_to
    from {{ source('reference', 'group_condition') }} as condition
    inner join {{ source('reference', 'group_definition') }} as definition using (definition_id)
),

asked as (
    select condition.*, school.*
    from condition
    cross join {{ ref('int_group_school') }} as school
    where {{ holds_on('school.academic_year', 'condition.valid_from', 'condition.valid_to') }}
),

listed as (
    select
        asked.definition_id,
        asked.condition_number,
        asked.academic_year,
        asked.school_id,
        case when asked.is_assessed then asked.is_shnor end as is_met,
        case when asked.is_shnor then asked.low_ru else 'правилу не отвечает' end as found_ru,
        'за ' || asked.previous_ru || ' нет результатов' as unknown_ru,
        cast(null as string) as context_year
    from asked
    where asked.kind = 'shnor_rule'
),

-- low procedures of a year; one whose unknown results could still make it low counts for neither side
low as (
    select
        outcome.academic_year,
        outcome.school_id,
        count(*) filter (where outcome.is_low) as low_count,
        count(*) filter (where outcome.is_low is null) as unknown_count
    from {{ ref('int_procedure_outcome') }} as outcome
    inner join {{ ref('int_official_method') }} as official
        on outcome.method_id = official.method_id and outcome.academic_year = official.academic_year
    inner join {{ source('reference', 'method_procedure') }} as named
        on outcome.method_id = named.method_id and outcome.procedure_id = named.procedure_id
    group by outcome.academic_year, outcome.school_id
),

looked_back as (
    select
        asked.definition_id,
        asked.condition_number,
        asked.academic_year,
        asked.school_id,
        asked.years,
        asked.of_years,
        year.academic_year as result_year,
        case
            when low.low_count >= asked.procedures then true
            when low.low_count + low.unknown_count < asked.procedures then false
        end as is_low,
        coalesce(low.low_count, 0) as low_count
    from asked
    inner join {{ source('reference', 'academic_year') }} as year
        on year.start_year between cast(left(asked.academic_year, 4) as integer) - asked.of_years
        and cast(left(asked.academic_year, 4) as integer) - 1
    left join low on year.academic_year = low.academic_year and asked.school_id = low.school_id
    where asked.kind = 'low_results'
),

repeated as (
    select
        definition_id,
        condition_number,
        academic_year,
        school_id,
        case
            when count(*) filter (where is_low) >= any_value(years) then true
            -- years older than the calendar are unknown too
            when count(*) filter (where is_low) + count(*) filter (where is_low is null) + any_value(of_years) - count(*) < any_value(years)
                then false
        end as is_met,
        'низкие результаты в ' || count(*) filter (where is_low) || ' из ' || any_value(of_years) || ' лет ('
        || {{ string_agg(
            year_ru('result_year') ~ " || ' — ' || case when is_low is null then 'неизвестно' else 'низких процедур ' || low_count end",
            ', ', 'result_year desc'
        ) }} || '), нужно ' || any_value(years) as found_ru,
        'результатов нет или их мало: ' || {{ string_agg(year_ru('result_year'), ', ', 'result_year desc') }} filter (where is_low is null)
            as unknown_ru,
        cast(null as string) as context_year
    from looked_back
    group by definition_id, condition_number, academic_year, school_id
),

compared as (
    select
        school.academic_year,
        school.school_id,
        result.participants,
        result.observed_result,
        cume_dist() over (partition by school.academic_year, school.region_code order by result.observed_result) as share_at_most
    from {{ ref('int_group_school') }} as school
    inner join {{ ref('int_comparable_result') }} as result
        on school.results_year = result.academic_year and school.school_id = result.school_id
),

level as (
    select
        asked.definition_id,
        asked.condition_number,
        asked.academic_year,
        asked.school_id,
        case when compared.participants >= asked.minimum_participants
            then compared.share_at_most <= asked.lowest_pct / 1e2 + 1e-9
        end as is_met,
        'сопоставимый результат за ' || {{ year_ru('asked.results_year') }} || ' — ' || {{ number_ru('compared.observed_result', 1) }}
        || ' % (работ ' || compared.participants || '), не выше он у ' || {{ percent_ru('compared.share_at_most', '1') }}
        || ' школ региона, граница ' || asked.lowest_pct || ' %' as found_ru,
        case
            when compared.school_id is null then 'за ' || {{ year_ru('asked.results_year') }} || ' нет результатов'
            else 'работ ' || compared.participants || ', меньше ' || asked.minimum_participants
        end as unknown_ru,
        cast(null as string) as context_year
    from asked
    left join compared using (academic_year, school_id)
    where asked.kind = 'result_level'
),

-- a method by name is that of the index that is official in the region and year
index as (
    select
        *,
        bool_or(is_official) over (partition by academic_year, region_code, index_id) as is_of_official_index
    from {{ source('analysis', 'context_index') }}
),

indexed as (
    select
        asked.definition_id,
        asked.condition_number,
        asked.academic_year,
        asked.school_id,
        index.rank_share,
        index.reason_ru,
        index.academic_year as context_year
    from asked
    inner join {{ source('reference', 'context_reach') }} as reach on asked.academic_year = reach.academic_year
    inner join index
        on
            reach.context_year = index.academic_year
            and asked.school_id = index.school_id
            and case when asked.method = 'official' then index.is_official else asked.method = index.method and index.is_of_official_index end
    where asked.kind = 'index_level'
    qualify row_number() over (
        partition by asked.definition_id, asked.condition_number, asked.academic_year, asked.school_id
        order by index.rank_share is null, reach.preference
    ) = 1
),

conditioned as (
    select
        asked.definition_id,
        asked.condition_number,
        asked.academic_year,
        asked.school_id,
        indexed.rank_share <= asked.lowest_pct / 1e2 + 1e-9 as is_met,
        'индекс условий за ' || {{ year_ru('indexed.context_year') }} || ' не выше у ' || {{ percent_ru('indexed.rank_share', '1') }}
        || ' школ региона, граница ' || asked.lowest_pct || ' %' as found_ru,
        coalesce(
            'индекса условий нет: ' || {{ clause_ru('indexed.reason_ru') }},
            'индекса условий нет: за эти годы его в регионе не посчитать'
        ) as unknown_ru,
        indexed.context_year
    from asked
    left join indexed using (definition_id, condition_number, academic_year, school_id)
    where asked.kind = 'index_level'
),

class as (
    select definition_id, condition_number, array_agg(context_class) as classes
    from {{ source('reference', 'group_class') }}
    group by definition_id, condition_number
),

classed as (
    select
        asked.definition_id,
        asked.condition_number,
        asked.academic_year,
        asked.school_id,
        array_contains(class.classes, expectation.context_class) as is_met,
        'класс за ' || {{ year_ru('asked.results_year') }} || ' — ' || expectation.context_class_ru as found_ru,
        coalesce(
            'класса нет: ' || expectation.reason_ru,
            'класса нет: за ' || {{ year_ru('asked.results_year') }} || ' нет ни условий, ни результатов'
        ) as unknown_ru,
        expectation.context_year
    from asked
    inner join class using (definition_id, condition_number)
    left join {{ source('analysis', 'expectation') }} as expectation
        on asked.results_year = expectation.academic_year and asked.school_id = expectation.school_id and expectation.is_official
    where asked.kind = 'class_in'
),

counted as (
    select
        definition_id,
        condition_number,
        academic_year,
        school_id,
        count(is_hard) as known,
        count(*) filter (where is_hard) as hard,
        {{ string_agg('value_ru', ', ', 'value_ru') }} filter (where is_hard) as hard_ru,
        max(context_year) filter (where is_hard is not null) as context_year
    from {{ ref('int_group_component') }}
    group by definition_id, condition_number, academic_year, school_id
),

size as (
    select definition_id, condition_number, count(*) as components
    from {{ source('reference', 'group_component') }}
    group by definition_id, condition_number
),

shared as (
    select
        asked.definition_id,
        asked.condition_number,
        asked.academic_year,
        asked.school_id,
        case when counted.known >= asked.minimum_known then counted.hard * 100 >= asked.at_least_pct * counted.known end as is_met,
        'трудных показателей ' || counted.hard || ' из ' || counted.known || ' известных, нужно не меньше ' || asked.at_least_pct || ' %'
        || coalesce(' (' || counted.hard_ru || ')', '') as found_ru,
        'известно показателей ' || coalesce(counted.known, 0) || ' из ' || size.components || ', нужно ' || asked.minimum_known as unknown_ru,
        counted.context_year
    from asked
    inner join size using (definition_id, condition_number)
    left join counted using (definition_id, condition_number, academic_year, school_id)
    where asked.kind = 'hard_share'
)

{% for part in ['listed', 'repeated', 'level', 'conditioned', 'classed', 'shared'] -%}
select
    definition_id,
    condition_number,
    academic_year,
    school_id,
    is_met,
    case when is_met is null then unknown_ru else found_ru end as said_ru,
    case when is_met is not null then context_year end as context_year
from {{ part }}
{% if not loop.last %}union all{% endif %}
{% endfor %}
