-- What shows only when all deliveries lie side by side.
with unknown_school as (
    select
        mention.delivery_id,
        'school_key' as column_name,
        mention.key_value as value,
        'unknown_school' as check_id,
        'Школы с этим ключом нет в реестре; её результаты приняты под временным кодом ' || school.school_id || '.' as reason_ru,
        'Добавьте школу в реестр или ключ в соответствие ключей.' as remedy_ru,
        max(mention.measured_year) as academic_year
    from {{ ref('int_school_mention') }} as mention
    inner join {{ ref('int_school_key') }} as keys using (key_kind, key_value, measured_year, held_year)
    inner join {{ ref('int_school') }} as school on keys.own_school_id = school.school_id
    where
        not school.is_registered
        and school.school_id not in (select school_id from {{ ref('int_school_crosswalk') }})
        and exists (select 1 from {{ ref('int_register_school') }})
    group by all
),

overlap as (
    select
        *,
        max(arrival) over (
            partition by school_key_kind, school_key, subject_id, test_grade, measured_year, held_year
        ) as last_arrival
    from {{ ref('int_delivered_work') }}
    where assessment = 'vpr'
),

overlapping as (
    select
        overlap.delivery_id,
        cast(null as string) as column_name,
        later.file_name as value,
        'overlapping_deliveries' as check_id,
        'Те же работы пришли позже в другом файле: школ ' || count(distinct overlap.school_key)
        || '. Взят более поздний файл, этот для них не действует.' as reason_ru,
        'Оставьте в папке приёма один файл с этими работами.' as remedy_ru,
        max(overlap.measured_year) as academic_year
    from overlap
    inner join {{ ref('stg_delivery') }} as later on overlap.last_arrival = later.arrival
    where overlap.arrival < overlap.last_arrival
    group by overlap.delivery_id, later.file_name
),

differing as (
    select
        delivery_id,
        'mark' as column_name,
        scale_id as value,
        'mark_differs_from_scale' as check_id,
        'У ' || sum(pupils) || ' участников отметка не та, что по шкале ' || scale_id || '. Принята отметка из файла.' as reason_ru,
        'Проверьте, по той ли шкале выставлены отметки.' as remedy_ru,
        max(measured_year) as academic_year
    from {{ ref('int_vpr_work') }}
    where is_participant and mark <> scale_mark
    group by delivery_id, scale_id
),

report as (
    select
        report.*,
        programme.programme_id is not null as is_programme_known,
        kind.by_school
    from {{ ref('stg_programme_return') }} as report
    left join {{ ref('int_programme') }} as programme on report.programme_id = programme.programme_id
    left join {{ source('reference', 'return_kind') }} as kind on report.return_kind = kind.return_kind
),

unknown_programme as (
    select
        delivery_id,
        'programme_id' as column_name,
        programme_id as value,
        'unknown_programme' as check_id,
        'Программы с кодом ' || programme_id || ' нет в справочнике: её строк ' || count(*) || ', они приняты и нигде не засчитаны.'
            as reason_ru,
        'Исправьте код программы или опишите программу: opora programme new.' as remedy_ru,
        max(measured_year) as academic_year
    from (
        select delivery_id, programme_id, measured_year from {{ ref('stg_programme_return') }}
        union all
        select delivery_id, programme_id, measured_year from {{ ref('stg_listed_school') }}
        union all
        select delivery_id, programme_id, measured_year from {{ ref('stg_partner_agreement') }} where programme_id is not null
    )
    where programme_id not in (select programme_id from {{ ref('int_programme') }})
    group by delivery_id, programme_id
),

outside_programme as (
    select
        report.delivery_id,
        'reported_on' as column_name,
        cast(report.reported_on as string) as value,
        'return_outside_programme' as check_id,
        'Дата ' || report.reported_on || ' не попадает ни в один период программы ' || report.programme_id
            || ': факт принят и не засчитан.' as reason_ru,
        'Проверьте дату и программу.' as remedy_ru,
        max(report.measured_year) as academic_year
    from report
    left join {{ ref('int_programme_period') }} as period
        on report.programme_id = period.programme_id and report.reported_on between period.starts_on and period.ends_on
    where report.is_programme_known and period.period is null
    group by report.delivery_id, report.reported_on, report.programme_id
),

unknown_item as (
    select
        report.delivery_id,
        'item_id' as column_name,
        report.item_id as value,
        'unknown_item' as check_id,
        'В программе ' || report.programme_id || ' нет показателя или мероприятия ' || report.item_id
            || ': факт засчитан только по виду.' as reason_ru,
        'Выберите показатель или мероприятие из списка формы или оставьте пустым.' as remedy_ru,
        max(report.measured_year) as academic_year
    from report
    where
        report.is_programme_known
        and report.item_id is not null
        and not exists (
            select 1
            from {{ source('reference', 'programme_indicator') }} as known
            where known.programme_id = report.programme_id and known.indicator_id = report.item_id
        )
        and not exists (
            select 1
            from {{ source('reference', 'programme_measure') }} as known
            where known.programme_id = report.programme_id and known.measure_id = report.item_id
        )
    group by report.delivery_id, report.programme_id, report.item_id
),

unnamed_measure as (
    select
        report.delivery_id,
        'item_id' as column_name,
        report.return_kind as value,
        'measure_not_named' as check_id,
        'Вид факта ' || report.return_kind || ' есть у нескольких мероприятий программы ' || report.programme_id
            || ', а мероприятие не названо: ни одному не засчитано фактов ' || count(*) || '.' as reason_ru,
        'Выберите мероприятие из списка формы.' as remedy_ru,
        max(report.measured_year) as academic_year
    from report
    where
        report.programme_id || '|' || report.return_kind in (
            select programme_id || '|' || return_kind
            from {{ source('reference', 'programme_measure') }}
            where return_kind is not null
            group by programme_id, return_kind
            having count(*) > 1
        )
        and not exists (
            select 1
            from {{ source('reference', 'programme_measure') }} as known
            where known.programme_id = report.programme_id and known.measure_id = report.item_id
        )
    group by report.delivery_id, report.programme_id, report.return_kind
),

unnamed_school as (
    select
        delivery_id,
        'school_key' as column_name,
        return_kind as value,
        'return_without_school' as check_id,
        'Вид факта ' || return_kind || ' сообщает школа, а названа территория: в долях школ не засчитано фактов ' || count(*) || '.'
            as reason_ru,
        'Назовите школу: уровень «школа» и школа из списка.' as remedy_ru,
        max(measured_year) as academic_year
    from report
    where by_school and territory_level <> 'school' and is_programme_known
    group by delivery_id, return_kind
),

unknown_municipality as (
    select
        report.delivery_id,
        'municipality_label' as column_name,
        coalesce(report.municipality_label, '—') as value,
        'unknown_municipality' as check_id,
        'Муниципалитет ' || coalesce('«' || report.municipality_label || '»', 'не назван и') || ' не найден среди школ программы '
            || report.programme_id || ': факт засчитан только программе в целом.' as reason_ru,
        'Назовите муниципалитет так, как он назван в реестре школ.' as remedy_ru,
        max(report.measured_year) as academic_year
    from report
    inner join {{ ref('int_programme') }} as programme on report.programme_id = programme.programme_id
    where
        report.territory_level = 'municipality'
        -- in a municipal programme the municipality need not be named
        and (programme.municipality_id is null or report.municipality_label is not null)
        and not exists (
            select 1
            from {{ ref('int_school') }} as school
            where
                school.region_code = programme.region_code
                and coalesce(school.municipality_id = programme.municipality_id, true)
                and {{ municipality_core('school.municipality_name') }} = {{ municipality_core('report.municipality_label') }}
        )
    group by report.delivery_id, report.programme_id, report.municipality_label
),

named_school as (
    select delivery_id, programme_id, school_key_kind, school_key, measured_year
    from {{ ref('stg_programme_return') }}
    where territory_level = 'school'
    union
    select delivery_id, programme_id, school_key_kind, school_key, measured_year
    from {{ ref('stg_listed_school') }}
    union
    select delivery_id, programme_id, school_key_kind, school_key, measured_year
    from {{ ref('stg_partner_agreement') }}
    where programme_id is not null
),

foreign_school as (
    select
        named_school.delivery_id,
        'school_key' as column_name,
        named_school.school_key as value,
        'school_outside_programme' as check_id,
        'Школа «' || school.school_name || '» вне территории программы ' || named_school.programme_id || '.' as reason_ru,
        'Проверьте школу и программу; факты школы этой программе не засчитаны в долях.' as remedy_ru,
        max(named_school.measured_year) as academic_year
    from named_school
    inner join {{ ref('int_school_key') }} as keys on {{ is_key_of('keys', 'named_school') }}
    inner join {{ ref('int_school') }} as school on keys.school_id = school.school_id
    inner join {{ ref('int_programme') }} as programme on named_school.programme_id = programme.programme_id
    where
        programme.region_code <> school.region_code
        or (programme.municipality_id is not null and programme.municipality_id <> school.municipality_id)
    group by named_school.delivery_id, named_school.programme_id, named_school.school_key, school.school_name
),

same_partner as (
    select
        agreement.delivery_id,
        'leader_key' as column_name,
        agreement.leader_key as value,
        'partner_is_the_school' as check_id,
        'Школа и школа-лидер — одна и та же школа «' || school.school_name || '» под двумя ключами: соглашение не засчитано.'
            as reason_ru,
        'Назовите двух разных школ: филиал и его головная школа считаются одной.' as remedy_ru,
        max(agreement.measured_year) as academic_year
    from {{ ref('stg_partner_agreement') }} as agreement
    {%- for role, head in [('school', 'head'), ('leader', 'leader_head')] %}
    inner join {{ ref('int_school_key') }} as {{ role }}_keys on {{ is_key_of(role ~ '_keys', 'agreement', 'agreement.held_year', role) }}
    inner join {{ ref('int_school_head') }} as {{ head }} on {{ role }}_keys.school_id = {{ head }}.school_id
    {%- endfor %}
    inner join {{ ref('int_school') }} as school on head.head_school_id = school.school_id
    where head.head_school_id = leader_head.head_school_id
    group by agreement.delivery_id, agreement.leader_key, school.school_name
),

listed_leader as (
    select
        agreement.delivery_id,
        'leader_key' as column_name,
        leader.school_name as value,
        'leader_is_listed' as check_id,
        'Школа-лидер «' || leader.school_name || '» сама в списке ШНОР: '
            || {{ string_agg(year_ru('list.academic_year'), ', ', year_ru('list.academic_year'), distinct=true) }}
            || '. Соглашение засчитано.' as reason_ru,
        'Проверьте, не переставлены ли школы; если нет, подумайте о другом лидере.' as remedy_ru,
        max(list.academic_year) as academic_year
    from {{ ref('int_partner_agreement') }} as agreement
    inner join {{ ref('int_school_status') }} as list on agreement.leader_school_id = list.school_id and list.is_shnor
    inner join {{ ref('int_official_method') }} as official
        on list.method_id = official.method_id and list.academic_year = official.academic_year
    inner join {{ source('reference', 'academic_year') }} as year
        on
            list.academic_year = year.academic_year
            and agreement.signed_on <= make_date(cast(year.start_year as integer) + 1, 8, 31)
            and agreement.in_force_to >= make_date(cast(year.start_year as integer), 9, 1)
    inner join {{ ref('int_school') }} as leader on agreement.leader_school_id = leader.school_id
    where agreement.source = 'delivered'
    group by agreement.delivery_id, agreement.leader_school_id, leader.school_name
)

select * from unknown_school
union all
select * from overlapping
union all
select * from differing
union all
select * from unknown_programme
union all
select * from outside_programme
union all
select * from unknown_item
union all
select * from unnamed_measure
union all
select * from unnamed_school
union all
select * from unknown_municipality
union all
select * from foreign_school
union all
select * from same_partner
union all
select * from listed_leader
union all
select * from {{ ref('int_risk_issue') }}
union all
select * from {{ ref('int_task_issue') }}
