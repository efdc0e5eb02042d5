{%- set criteria = ['mean', 'rank', 'change'] -%}
with decided as (
    {%- for criterion in criteria %}
    select
        academic_year, school_id, marker_id, state, statistic, critical_value, is_marked, participants, earlier_participants,
        explanation_ru, delivery_ids
    from {{ ref('int_marker_' ~ criterion) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

-- the complete matrix of a year in which any work of the markers came, school by school
year as (
    select distinct academic_year from {{ ref('int_marker_sum') }}
),

held as (
    select distinct academic_year, region_code, procedure_id from {{ ref('int_marker_sum') }}
),

cell as (
    select
        year.academic_year,
        school.school_id,
        school.region_code,
        method.method_id,
        year_before.previous_year,
        marker.* {{ without('method_id') }}
    from year
    inner join {{ source('reference', 'academic_year') }} as year_before using (academic_year)
    inner join {{ source('reference', 'marker_method') }} as method using (academic_year)
    inner join {{ source('reference', 'marker') }} as marker using (method_id)
    cross join {{ ref('int_school') }} as school
    where not school.is_no_school
)

select
    cell.academic_year,
    cell.school_id,
    cell.marker_id,
    cell.title_ru,
    cell.criterion,
    cell.procedure_id,
    'computed' as source,
    coalesce(decided.state, case when held.procedure_id is null then 'no_region_results' else 'no_results' end) as state,
    decided.is_marked,
    cast(decided.statistic as double) as statistic,
    cast(decided.critical_value as double) as critical_value,
    cast(decided.participants as bigint) as participants,
    cast(decided.earlier_participants as bigint) as earlier_participants,
    coalesce(
        decided.explanation_ru,
        case when held.procedure_id is null
            then 'Протоколов этой работы за год нет ни у одной школы региона.'
            else 'Протоколов этой работы у школы за год нет.'
        end
    ) as explanation_ru,
    case when decided.state = 'decided' and cell.earlier_procedure_id is not null then comparability.note_ru end as note_ru,
    band.reliability,
    decided.delivery_ids,
    cell.method_id
from cell
left join decided using (academic_year, school_id, marker_id)
left join held
    on
        cell.academic_year = held.academic_year
        and cell.region_code = held.region_code
        and cell.procedure_id = held.procedure_id
left join {{ ref('int_comparability') }} as comparability
    on
        cell.procedure_id = comparability.procedure_id
        and cell.academic_year = comparability.academic_year
        and cell.previous_year = comparability.earlier_year
left join {{ ref('int_official_method') }} as official on cell.academic_year = official.academic_year
left join {{ source('reference', 'reliability_band') }} as band
    on
        official.method_id = band.method_id
        and decided.is_marked is not null
        and least(decided.participants, coalesce(decided.earlier_participants, decided.participants))
        between band.participants_from and coalesce(band.participants_to, decided.participants)
union all
select
    published.academic_year,
    published.school_id,
    'published_' || published.procedure_id,
    'Опубликованный список: ' || procedure.title_ru,
    'published_list',
    published.procedure_id,
    'published',
    published.state,
    published.is_marked,
    null,
    null,
    null,
    null,
    case
        when published.is_marked then 'Школа есть в опубликованном списке.'
        when published.state = 'listed' then 'Школа есть в списке, но не по этой работе.'
        else 'Школы нет в опубликованном списке.'
    end,
    null,
    null,
    published.delivery_ids,
    null
from {{ ref('int_published_marker') }} as published
inner join {{ source('reference', 'procedure') }} as procedure using (procedure_id)
