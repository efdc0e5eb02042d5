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
        cast(null as varchar) as column_name,
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
)

select * from unknown_school
union all
select * from overlapping
union all
select * from differing
