-- What is wrong with risk profiles and shows only beside the reference or beside other deliveries. Columns as in int_data_issue.
with level_row as (
    {{ risk_rows('risk_factor_level', {'factor': 'factor'}) }}
),

stage_row as (
    {{ risk_rows('risk_stage_report', {'stage': 'stage', 'factor': 'factor'}) }}
),

answer_row as (
    {{ risk_rows('risk_answer', {'indicator': 'indicator'}) }}
),

named_factor as (
    select academic_year, factor, factor_id, delivery_id from level_row
    union all
    select academic_year, factor, factor_id, delivery_id from stage_row where factor is not null
),

unknown_factor as (
    select
        named.delivery_id,
        'factor' as column_name,
        named.factor as value,
        'unknown_risk_factor' as check_id,
        case
            when list.list_id is null then 'За ' || named.academic_year || ' учебный год списка факторов риска нет'
            when named.factor_id is null then 'Фактора «' || named.factor || '» нет ни в одном списке'
            else 'Фактора «' || named.factor || '» нет в списке ' || named.academic_year || ' учебного года'
                || coalesce('; в нём его место занял «' || min(later.title_ru) || '»', '')
        end || ': строк ' || count(*) || ', они приняты и нигде не засчитаны.' as reason_ru,
        'Проверьте год и название фактора по форме этого года: opora template risk-profile.' as remedy_ru,
        named.academic_year
    from named_factor as named
    left join {{ source('reference', 'risk_list') }} as list on named.academic_year = list.academic_year
    left join {{ source('reference', 'risk_factor') }} as factor
        on list.list_id = factor.list_id and named.factor_id = factor.factor_id
    left join {{ source('reference', 'risk_succession') }} as succession
        on list.list_id = succession.to_list_id and named.factor_id = succession.factor_id
    left join {{ source('reference', 'risk_factor') }} as later
        on succession.to_list_id = later.list_id and succession.becomes = later.factor_id
    where factor.factor_id is null
    group by named.delivery_id, named.factor, named.factor_id, named.academic_year, list.list_id
),

unknown_stage as (
    select
        delivery_id,
        'stage' as column_name,
        stage as value,
        'unknown_risk_stage' as check_id,
        'Этапа «' || stage || '» в цикле нет: строк ' || count(*) || ', они приняты и нигде не засчитаны.' as reason_ru,
        'Выберите этап из списка формы: opora template risk-profile.' as remedy_ru,
        max(academic_year) as academic_year
    from stage_row
    where stage_id is null
    group by delivery_id, stage
),

future_stage as (
    select
        stage_row.delivery_id,
        'done_on' as column_name,
        cast(stage_row.done_on as string) as value,
        'risk_stage_in_future' as check_id,
        'День этапа ' || stage_row.done_on || ' ещё не наступил: этапов ' || count(*) || ', пройденными они не считаются.' as reason_ru,
        'Проверьте день; этап сообщают, когда он пройден.' as remedy_ru,
        max(stage_row.academic_year) as academic_year
    from stage_row
    cross join {{ source('reference', 'as_of') }} as today
    where stage_row.done_on > today.as_of
    group by stage_row.delivery_id, stage_row.done_on
),

-- a plan is that of a chosen risk: a stage of anything else shows nowhere
unchosen_stage as (
    select
        stage_row.delivery_id,
        'factor' as column_name,
        stage_row.factor as value,
        'stage_of_unchosen_risk' as check_id,
        'Этап сообщён ' || coalesce('о риске «' || stage_row.factor || '»', 'о школе в целом')
            || ', а выбора такого риска школа не сообщала: школ ' || count(distinct stage_row.school_id)
            || ', этапы приняты и нигде не показаны.' as reason_ru,
        'Проверьте фактор или отметьте в профиле, какие риски выбраны.' as remedy_ru,
        max(stage_row.academic_year) as academic_year
    from stage_row
    inner join {{ source('reference', 'risk_stage_due') }} as stage
        on stage_row.academic_year = stage.academic_year and stage_row.stage_id = stage.stage_id
    left join {{ ref('int_risk_profile') }} as chosen
        on
            stage_row.academic_year = chosen.academic_year
            and stage_row.school_id = chosen.school_id
            and chosen.is_chosen
            and (stage_row.factor is null or stage_row.factor_id = chosen.factor_id or not stage.by_factor)
    -- that a school took the questionnaire counts without any choice; an unknown factor is told by itself
    where
        chosen.school_id is null
        and stage.shown_by is distinct from 'participation'
        and (stage_row.factor is null or stage_row.factor_id is not null)
    group by stage_row.delivery_id, stage_row.factor
),

unknown_indicator as (
    select
        delivery_id,
        'indicator' as column_name,
        indicator as value,
        'unknown_risk_indicator' as check_id,
        'Показателя «' || indicator || '» в справочнике анкеты нет: строк ' || count(*) || ', они приняты и нигде не засчитаны.'
            as reason_ru,
        'Выберите показатель из списка формы: opora template risk-profile.' as remedy_ru,
        max(academic_year) as academic_year
    from answer_row
    where indicator_id is null
    group by delivery_id, indicator
),

choice as (
    select
        profile.academic_year,
        profile.school_id,
        max(profile.delivery_ids) as delivery_id,
        count(*) filter (where profile.is_chosen) as chosen
    from {{ ref('int_risk_profile') }} as profile
    where profile.origin = 'delivered'
    group by profile.academic_year, profile.school_id
    having count(profile.is_chosen) > 0
),

unusual_choice as (
    select
        choice.delivery_id,
        'is_chosen' as column_name,
        school.school_name as value,
        'risk_choice_count' as check_id,
        'Школа «' || school.school_name || '» выбрала рисков: ' || choice.chosen || '; по порядку '
            || choice.academic_year || ' учебного года их от ' || cycle.chosen_least || ' до ' || cycle.chosen_most || '.' as reason_ru,
        'Проверьте отметки о выборе; приняты как есть.' as remedy_ru,
        choice.academic_year
    from choice
    inner join {{ source('reference', 'risk_cycle') }} as cycle on choice.academic_year = cycle.academic_year
    inner join {{ ref('int_school') }} as school on choice.school_id = school.school_id
    where choice.chosen not between cycle.chosen_least and cycle.chosen_most
)

select * from unknown_factor
union all
select * from unknown_stage
union all
select * from future_stage
union all
select * from unchosen_stage
union all
select * from unknown_indicator
union all
select * from unusual_choice
