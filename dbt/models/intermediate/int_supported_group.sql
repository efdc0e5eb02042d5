-- Who was in which list, by the year of the list: programme × group × year × school. The list of the method stands beside
-- the programmes as `shnor`. `is_by_rule`: results of earlier years put the school there, nobody chose it.
with listed as (
    select
        'shnor' as programme_id,
        'Список ШНОР' as programme_ru,
        status.academic_year,
        status.school_id,
        case when status.years_listed_in_a_row > 1 then 'repeated' else 'first_year' end as support_format,
        true as is_by_rule
    from {{ ref('int_school_status') }} as status
    inner join {{ ref('int_official_method') }} as official
        on status.method_id = official.method_id and status.academic_year = official.academic_year
    where status.is_shnor
    union all
    -- periods of one year of the list are one: who was listed in any of them was listed
    select
        list.programme_id,
        any_value(programme.title_ru),
        period.list_year,
        list.school_id,
        max(list.support_format),
        bool_or(list.basis like '%shnor%' or list.basis like '%risk%')
    from {{ ref('int_programme_list') }} as list
    inner join {{ ref('int_programme_period') }} as period using (programme_id, period)
    inner join {{ ref('int_programme') }} as programme on list.programme_id = programme.programme_id
    where list.is_listed and not period.is_baseline
    group by list.programme_id, period.list_year, list.school_id
),

measured as (
    select distinct
        report.programme_id,
        period.list_year as academic_year,
        report.school_id,
        report.return_kind
    from {{ ref('int_programme_return') }} as report
    inner join {{ ref('int_programme_period') }} as period using (programme_id, period)
    where report.school_id is not null and report.quantity > 0
),

grouped as (
    select *, 'list' as group_kind, 'all' as group_id, 'все школы списка' as group_ru
    from listed
    union all
    select *, 'support_format', support_format, case support_format
        when 'first_year' then 'в списке первый год'
        when 'repeated' then 'в списке не первый год'
        else support_format
    end
    from listed
    union all
    select listed.*, 'measure', measured.return_kind, kind.title_ru
    from listed
    inner join measured using (programme_id, academic_year, school_id)
    inner join {{ source('reference', 'return_kind') }} as kind on measured.return_kind = kind.return_kind
)

select
    grouped.* {{ without('support_format') }},
    year.start_year
from grouped
inner join {{ source('reference', 'academic_year') }} as year on grouped.academic_year = year.academic_year
