-- Year with results or conditions × school: where it is, and does it belong to the schools that are compared with one
-- another? Outside are those outside the list: by kind, branches counted in a head school, schools merged into others.
with found as (
    select academic_year from {{ ref('int_context_component') }}
    union
    -- years between two with results too, of which nothing was delivered: they stand in the matrix of results
    select academic_year
    from {{ ref('int_procedure_result') }}
    inner join {{ ref('int_official_method') }} using (method_id, academic_year)
),

year as (
    select
        official.method_id,
        year.academic_year,
        make_date(cast(year.start_year as integer), 9, 1) as starts_on
    from found
    inner join {{ source('reference', 'academic_year') }} as year using (academic_year)
    inner join {{ ref('int_official_method') }} as official using (academic_year)
),

standing as (
    {{ school_standing('year') | indent(4) }}
)

select distinct
    standing.academic_year,
    standing.school_id,
    school.region_code,
    school.municipality_id,
    not standing.is_no_school and standing.excluded_reason is null as is_in_population,
    case
        when standing.excluded_reason = 'merged' then 'школа присоединена к другой'
        when standing.excluded_reason = 'branch' then 'филиал учтён в головной школе'
        when standing.is_no_school then 'не общеобразовательная школа'
        when standing.excluded_reason is not null then 'вне списка по виду школы'
    end as outside_reason_ru
from standing
inner join {{ ref('int_school') }} as school on standing.school_id = school.school_id
