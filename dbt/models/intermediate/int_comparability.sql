-- Procedure × pair of years in which it was held: which breaks lie between. A temporary break that lies whole between
-- the two years parts nothing: the earlier year is before its first, the later is the one in which all is as before.
with held as (
    select
        calendar.procedure_id,
        calendar.academic_year,
        year.start_year
    from {{ source('reference', 'procedure_calendar') }} as calendar
    inner join {{ source('reference', 'academic_year') }} as year using (academic_year)
    where calendar.is_held_federally
),

pair as (
    select
        later.procedure_id,
        earlier.academic_year as earlier_year,
        later.academic_year,
        later.start_year - earlier.start_year as years_between
    from held as later
    inner join held as earlier
        on later.procedure_id = earlier.procedure_id and later.start_year > earlier.start_year
),

break as (
    select
        *,
        min(academic_year) over (partition by break_id, procedure_id) as first_year,
        max(academic_year) over (partition by break_id, procedure_id) as last_year
    from {{ source('reference', 'comparability_break') }}
),

crossed as (
    select distinct
        pair.procedure_id,
        pair.earlier_year,
        pair.academic_year,
        break.break_id,
        break.first_year,
        break.affects_scores,
        break.affects_marks,
        concat_ws('. ', break.label_ru, break.note_ru) as words
    from pair
    inner join break
        on
            pair.procedure_id = break.procedure_id
            and break.academic_year > pair.earlier_year
            and break.academic_year <= pair.academic_year
    where not (break.is_temporary and pair.earlier_year < break.first_year and pair.academic_year >= break.last_year)
)

select
    pair.procedure_id,
    pair.earlier_year,
    pair.academic_year,
    pair.years_between,
    coalesce(not bool_or(crossed.affects_scores), true) as is_score_comparable,
    coalesce(not bool_or(crossed.affects_marks), true) as is_mark_comparable,
    {{ string_agg('crossed.break_id', ';', 'crossed.first_year, crossed.break_id') }} as break_ids,
    {{ string_agg('crossed.words', ' ', 'crossed.first_year, crossed.break_id') }} as note_ru
from pair
left join crossed using (procedure_id, earlier_year, academic_year)
group by pair.procedure_id, pair.earlier_year, pair.academic_year, pair.years_between
