with official as (
    select
        status.*,
        coverage.* {{ without('method_id, academic_year, school_id') }}
    from {{ ref('int_school_status') }} as status
    inner join {{ ref('int_official_method') }} as official
        on status.method_id = official.method_id and status.academic_year = official.academic_year
    left join {{ ref('int_school_coverage') }} as coverage
        on
            status.method_id = coverage.method_id
            and status.academic_year = coverage.academic_year
            and status.school_id = coverage.school_id
),

worded as (
    select
        *,
        case
            when is_excluded then 'excluded'
            when is_shnor then 'shnor'
            when is_at_risk then 'risk'
            when not is_assessed then 'not_assessed'
            else 'none'
        end as status,
        concat_ws('; ', low_previous_ru, low_before_ru) as low_ru,
        case
            when not is_assessed and other_grade_previous > 0 and possible_previous = 0
                then 'в школе нет классов, в которых проводятся процедуры методики'
            when not is_assessed then 'за ' || previous_ru || ' нет результатов, по которым можно решить'
            when not meets_shnor_rule and is_second_year_missing
                then 'правило двух лет проверить нельзя: за ' || coalesce(before_ru, 'год раньше') || ' результатов нет'
            when not meets_shnor_rule and is_rule_possible
                then 'у части участников нет ни отметки, ни шкалы: '
                    || concat_ws('; ', previous_ru || ' ' || unknown_previous_ru, before_ru || ' ' || unknown_before_ru)
        end as undecided_reason_ru,
        case excluded_reason
            when 'branch' then 'вне списка: филиал учтён в головной школе'
            when 'merged' then 'вне списка: школа присоединена к другой'
            else 'вне списка по виду школы'
        end as excluded_ru
    from official
),

-- markers of the two years that the list is decided by
marked as (
    select
        school_id,
        academic_year,
        count(*) filter (where source = 'computed') as computed,
        count(*) filter (where source = 'published') as published
    from {{ ref('objectivity') }}
    where is_marked
    group by school_id, academic_year
),

credibility as (
    select
        listed.academic_year,
        marked.school_id,
        'признаки необъективности: ' || {% call string_agg(none, '; ', 'marked.academic_year desc') -%}
            {{ year_ru('marked.academic_year') }} || ' — ' || concat_ws(
                ', ',
                case when marked.computed > 0 then 'рассчитано ' || marked.computed end,
                case when marked.published > 0 then 'в опубликованном списке ' || marked.published end
            )
        {%- endcall %} as credibility_ru
    from marked
    inner join {{ source('reference', 'academic_year') }} as decided using (academic_year)
    inner join {{ source('reference', 'academic_year') }} as listed
        on listed.start_year between decided.start_year + 1 and decided.start_year + 2
    group by listed.academic_year, marked.school_id
),

-- conditions stand beside the list and never change it; each is decided by the definition that is official in the year
{%- set conditions = [('is_adverse_conditions', 'adverse_conditions'), ('has_resource_deficit', 'resource_deficit')] %}
condition as (
    select
        official.academic_year,
        official.fact,
        official.definition_id,
        found.school_id,
        found.is_member,
        found.basis_ru
    from {{ source('reference', 'official_group') }} as official
    left join {{ ref('int_target_group') }} as found
        on official.definition_id = found.definition_id and official.academic_year = found.academic_year
),

conditioned as (
    select
        academic_year,
        school_id
        {%- for fact, name in conditions %},
        bool_or(is_member) filter (where fact = '{{ fact }}') as {{ fact }},
        max(definition_id) filter (where fact = '{{ fact }}') as {{ name }}_definition_id,
        max(basis_ru) filter (where fact = '{{ fact }}') as {{ name }}_ru
        {%- endfor %}
    from condition
    where school_id is not null
    group by academic_year, school_id
)

select
    worded.academic_year,
    worded.school_id,
    status,
    case status
        when 'excluded' then 'вне списка'
        when 'shnor' then 'в списке ШНОР'
        when 'risk' then 'в зоне риска'
        when 'not_assessed' then 'не оценивается'
        else 'не в списке'
    end as status_ru,
    is_assessed,
    meets_shnor_rule,
    is_shnor,
    case
        when not meets_shnor_rule then null
        when is_two_procedures and is_two_years then 'both'
        when is_two_procedures then 'two_procedures'
        when is_two_years then 'two_years'
    end as shnor_basis,
    case
        when is_shnor and was_shnor then 'continuing'
        when is_shnor then 'new'
        when was_shnor and (is_assessed or is_excluded) then 'left'
        else 'none'
    end as listing,
    cast(years_listed_in_a_row as bigint) as years_listed_in_a_row,
    case when years_listed_in_a_row > 1 then 'repeated' when years_listed_in_a_row = 1 then 'first_year' else 'none' end
        as support_format,
    case when assessed_previous > 0 then low_previous end as low_procedures_previous_year,
    case when assessed_before > 0 then low_before end as low_procedures_year_before,
    case when assessed_current > 0 then low_current end as low_procedures_current_year,
    assessed_previous as assessed_procedures_previous_year,
    assessed_before as assessed_procedures_year_before,
    assessed_current as assessed_procedures_current_year,
    meets_risk_rule,
    is_at_risk,
    is_excluded,
    excluded_reason,
    evidence_participants,
    reliability,
    reliability_ru,
    holds_at_confidence,
    {{ period_ru('previous') }} || '; ' || {{ period_ru('before') }} as decided_from_years,
    undecided_reason_ru,
    {%- for fact, name in conditions %}
    conditioned.{{ fact }},
    conditioned.{{ name }}_definition_id,
    coalesce(conditioned.{{ name }}_ru, 'не решается: школа вне списка, определения не о ней') as {{ name }}_ru,
    {%- endfor %}
    expectation.context_class,
    expectation.model as context_model,
    case
        when expectation.context_class is not null
            then expectation.context_class_ru || ' (результат ' || {{ number_ru('expectation.observed_result', 1) }} || ' %, ожидаемый '
                || {{ number_ru('expectation.expected_result', 1) }} || ' %, остаток от ' || {{ number_ru('expectation.residual_low', 1) }}
                || ' до ' || {{ number_ru('expectation.residual_high', 1) }} || ' п. п., работ ' || expectation.participants || ')'
        else coalesce(
            {{ clause_ru('expectation.reason_ru') }},
            'за предыдущий год нет ни условий, ни результатов'
        )
    end as context_class_ru,
    concat_ws(
        '; ',
        case when is_excluded then excluded_ru end,
        case
            when not is_assessed then 'не оценивается: ' || undecided_reason_ru
            when meets_shnor_rule then 'низкие результаты: ' || low_ru
            when low_ru <> '' then 'низких результатов меньше, чем требует правило: ' || low_ru
            else 'низких результатов нет'
        end,
        case when meets_risk_rule then 'зона риска: ' || low_current_ru end
    ) as reason_ru,
    credibility.credibility_ru,
    method_id
from worded
left join credibility using (academic_year, school_id)
left join conditioned using (academic_year, school_id)
left join {{ source('analysis', 'expectation') }} as expectation
    on worded.previous_year = expectation.academic_year and worded.school_id = expectation.school_id and expectation.is_official
