with setting as (
    select * from {{ source('reference', 'dynamics') }}
),

result as (
    select
        result.academic_year,
        year.start_year,
        result.school_id,
        result.method_id,
        count(result.is_low) as decided,
        count(*) filter (where result.is_low) as low,
        max(result.participants) filter (where result.is_low) as low_participants,
        {{ string_agg('result.short_ru', ', ', 'result.sort_order') }} filter (where result.is_low) as low_ru
    from {{ ref('int_procedure_result') }} as result
    inner join {{ ref('int_official_method') }} as official
        on result.method_id = official.method_id and result.academic_year = official.academic_year
    inner join {{ source('reference', 'academic_year') }} as year on result.academic_year = year.academic_year
    inner join {{ ref('int_school') }} as school on result.school_id = school.school_id
    where not school.is_no_school
    group by result.academic_year, year.start_year, result.school_id, result.method_id
),

-- the years with data that a year looks back on, its own first
looked as (
    select
        this.academic_year,
        this.school_id,
        past.academic_year as past_year,
        past.low >= setting.stable_low_procedures as is_low,
        past.low_participants,
        past.low_ru,
        row_number() over (partition by this.academic_year, this.school_id order by past.start_year desc) as position
    from result as this
    cross join setting
    inner join result as past
        on
            this.school_id = past.school_id
            and past.decided > 0
            and past.start_year <= this.start_year
            and past.start_year > this.start_year - setting.stable_low_window
),

counted as (
    select
        looked.academic_year,
        looked.school_id,
        count(*) as years_with_data,
        coalesce(min(looked.position) filter (where not looked.is_low) - 1, count(*)) as years_low_in_a_row
    from looked
    group by looked.academic_year, looked.school_id
),

evidence as (
    select
        looked.academic_year,
        looked.school_id,
        min(looked.low_participants) as evidence_participants,
        {{ string_agg(year_ru('looked.past_year') ~ " || ' — ' || looked.low_ru", '; ', 'looked.position') }} as low_ru
    from looked
    inner join counted using (academic_year, school_id)
    cross join setting
    where looked.position <= least(counted.years_low_in_a_row, setting.stable_low_years)
    group by looked.academic_year, looked.school_id
)

select
    result.academic_year,
    result.school_id,
    coalesce(counted.years_with_data, 0) as years_with_data,
    coalesce(counted.years_low_in_a_row, 0) as years_low_in_a_row,
    case
        when counted.years_low_in_a_row >= setting.stable_low_years then true
        when counted.years_with_data > counted.years_low_in_a_row then false
    end as is_stable_low,
    evidence.evidence_participants,
    case
        when counted.school_id is null then 'Результатов, по которым можно решить, нет.'
        when is_stable_low then 'Низкие результаты в каждом из ' || setting.stable_low_years || ' последних лет с данными: ' || evidence.low_ru
        when is_stable_low is null then 'Лет с данными ' || counted.years_with_data || ', а нужно ' || setting.stable_low_years || '; низкие: ' || evidence.low_ru
        when counted.years_low_in_a_row > 0 then 'Подряд лет с низкими результатами ' || counted.years_low_in_a_row || ': ' || evidence.low_ru
        else 'В последнем году с данными низких результатов нет.'
    end as reason_ru,
    result.method_id
from result
cross join setting
left join counted using (academic_year, school_id)
left join evidence using (academic_year, school_id)
