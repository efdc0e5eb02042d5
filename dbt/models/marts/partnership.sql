-- Pairs of schools in words: what speaks for each, and why a school has none.
with found as (
    select
        pair.*,
        year.previous_year,
        school.municipality_id,
        school.municipality_name,
        place.settlement_type,
        leader.municipality_id as leader_municipality_id,
        leader.municipality_name as leader_municipality_name,
        expectation.context_class_ru as leader_class_ru,
        agreement.source as agreement_source,
        agreement.document_ref,
        agreement.signed_on,
        agreement.valid_to,
        agreement.in_force_to,
        agreement.programme_id,
        agreement.delivery_ids
    from {{ source('analysis', 'partner_match') }} as pair
    inner join {{ source('reference', 'academic_year') }} as year on pair.academic_year = year.academic_year
    inner join {{ ref('int_school') }} as school on pair.school_id = school.school_id
    left join {{ ref('int_partner_school') }} as place
        on pair.academic_year = place.academic_year and pair.school_id = place.school_id
    left join {{ ref('int_school') }} as leader on pair.leader_school_id = leader.school_id
    left join {{ source('analysis', 'expectation') }} as expectation
        on
            pair.leader_school_id = expectation.school_id
            and year.previous_year = expectation.academic_year
            and expectation.is_official
            and pair.leader_grounds like '%class%'
    left join {{ ref('int_partner_year') }} as agreement
        on
            pair.outcome = 'agreement'
            and pair.academic_year = agreement.academic_year
            and pair.school_id = agreement.school_id
            and pair.leader_school_id = agreement.leader_school_id
),

subject as (
    select
        found.academic_year,
        found.school_id,
        found.leader_number,
        own.participants,
        array_contains(split(found.strong_subjects, ';'), own.subject_id) as is_strong,
        leader.participants as leader_participants,
        lower(named.title_ru)
        || coalesce(' (ниже минимума ' || own.below_minimum || ' из ' || own.participants
            || coalesce('; у лидера ' || leader.below_minimum || ' из ' || leader.participants || ', а при долях региона было бы '
                || {{ number_ru('leader.expected_below', 1) }}, '')
            || ')', '') as said_ru,
        named.title_ru
    from found
    inner join {{ ref('int_partner_subject') }} as own
        on found.academic_year = own.academic_year and found.school_id = own.school_id and own.is_weak
    inner join {{ source('reference', 'subject') }} as named on own.subject_id = named.subject_id
    left join {{ ref('int_partner_subject') }} as leader
        on
            found.academic_year = leader.academic_year
            and found.leader_school_id = leader.school_id
            and own.subject_id = leader.subject_id
            and leader.participants is not null
),

said as (
    select
        academic_year,
        school_id,
        leader_number,
        cast(sum(participants) as bigint) as weak_participants,
        cast(sum(leader_participants) filter (where is_strong) as bigint) as leader_participants,
        {{ string_agg('said_ru', ', ', 'title_ru, said_ru') }} as weak_ru
    from subject
    group by academic_year, school_id, leader_number
),

worded as (
    select
        found.*,
        found.municipality_id = found.leader_municipality_id as is_same_municipality,
        said.weak_participants,
        said.leader_participants,
        case found.agreement_source
            when 'delivered' then 'Соглашение' || coalesce(' № ' || found.document_ref, '') || ' от ' || {{ date_ru('found.signed_on') }}
            when 'programme' then 'Пара названа в документе программы ' || found.programme_id
        end
        || ', ' || case when found.valid_to is null then 'без срока' else 'действует по ' || {{ date_ru('found.valid_to') }} end as agreement_ru,
        'слабые предметы — ' || said.weak_ru as weak_ru,
        case
            when found.municipality_id = found.leader_municipality_id then 'один муниципалитет (' || found.municipality_name || ')'
            else 'другой муниципалитет (' || found.leader_municipality_name || ')'
        end as place_ru,
        case
            when found.conditions_part is null then 'условия школ не сравнить: у одной из них нет индекса'
            else 'индекс условий не выше у ' || {{ percent_ru('found.conditions_share', '1') }} || ' школ региона, у лидера — у '
                || {{ percent_ru('found.leader_conditions_share', '1') }}
        end as conditions_ru,
        case found.settlement_part
            when 1 then case found.settlement_type when 'urban' then 'обе школы городские' else 'обе школы сельские' end
            when 0 then case found.settlement_type when 'urban' then 'школа городская, лидер сельский' else 'школа сельская, лидер городской' end
        end as settlement_ru,
        'лидер — ' || found.leader_class_ru as class_ru
    from found
    left join said using (academic_year, school_id, leader_number)
)

select
    academic_year,
    school_id,
    leader_number,
    leader_school_id,
    outcome,
    case when leader_school_id is not null then outcome end as origin,
    is_supported,
    is_same_municipality,
    is_admissible,
    leader_grounds,
    leaders_possible,
    score,
    municipality_part,
    conditions_part,
    strength_part,
    settlement_part,
    conditions_share,
    leader_conditions_share,
    leader_class,
    weak_subjects,
    weak_participants,
    strong_subjects,
    leader_participants,
    agreement_source,
    document_ref as agreement_number,
    signed_on,
    valid_to,
    in_force_to,
    programme_id,
    case outcome
        when 'agreement' then concat_ws(
            '; ',
            agreement_ru,
            place_ru,
            weak_ru,
            case when not is_admissible then 'по правилам подбора эта школа лидером не предлагалась бы, соглашение остаётся в силе' end
        )
        when 'proposal' then 'Предложение: ' || concat_ws('; ', place_ru, weak_ru, class_ru, conditions_ru, settlement_ru)
        when 'no_place' then 'Лидера не хватило: подходящих школ ' || leaders_possible || ', и у всех места заняты'
            || coalesce('; ' || weak_ru, '')
        else 'Лидера нет: ни у одной школы нет ни класса лидера, ни надёжного результата выше региона по слабым предметам'
            || coalesce('; ' || weak_ru, '')
    end || '.' as reason_ru,
    rules_id,
    delivery_ids
from worded
