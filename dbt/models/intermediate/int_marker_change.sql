-- Criterion 3: the same children a year later. K is the school's mean share of the maximum in the earlier work over that in
-- the later one; it is marked far outside the quartiles of all schools of the region. The largest score of a work divides
-- the K of every school alike, so it moves no school across the line.
with pair as (
    select
        later.academic_year,
        later.region_code,
        later.school_id,
        marker.marker_id,
        marker.criterion,
        method.* {{ without('academic_year') }},
        later.participants,
        earlier.participants as earlier_participants,
        earlier.score_sum / earlier.participants / earlier.max_score as earlier_mean,
        later.score_sum / later.participants / later.max_score as later_mean,
        earlier_mean / nullif(later_mean, 0) as ratio,
        comparability.is_score_comparable,
        case when earlier.delivery_ids is null then later.delivery_ids else earlier.delivery_ids || ';' || later.delivery_ids end
            as delivery_ids
    from {{ ref('int_marker_sum') }} as later
    inner join {{ source('reference', 'marker_method') }} as method using (academic_year)
    inner join {{ source('reference', 'marker') }} as marker
        on
            method.method_id = marker.method_id
            and later.procedure_id = marker.procedure_id
            and marker.criterion in ('fall', 'rise')
    inner join {{ source('reference', 'academic_year') }} as year using (academic_year)
    left join {{ ref('int_marker_sum') }} as earlier
        on
            later.school_id = earlier.school_id
            and marker.earlier_procedure_id = earlier.procedure_id
            and year.previous_year = earlier.academic_year
    left join {{ ref('int_comparability') }} as comparability
        on
            later.procedure_id = comparability.procedure_id
            and later.academic_year = comparability.academic_year
            and year.previous_year = comparability.earlier_year
),

stated as (
    select
        *,
        case
            when earlier_participants is null then 'no_earlier_results'
            when least(participants, earlier_participants) < change_minimum_participants then 'too_few'
            when change_across_break = 'refused' and not is_score_comparable then 'across_break'
            when ratio is null then 'no_ratio'
            else 'decided'
        end as first_state
    from pair
),

fence as (
    select
        academic_year,
        region_code,
        marker_id,
        count(*) as schools,
        case any_value(quantile) when 'discrete' then percentile_disc(0.25) within group (order by ratio) else percentile_cont(0.25) within group (order by ratio) end as q25,
        case any_value(quantile) when 'discrete' then percentile_disc(0.75) within group (order by ratio) else percentile_cont(0.75) within group (order by ratio) end as q75
    from stated
    where first_state = 'decided'
    group by academic_year, region_code, marker_id
)

select
    stated.academic_year,
    stated.school_id,
    stated.marker_id,
    case
        when stated.first_state = 'decided' and fence.schools < stated.minimum_schools then 'too_few_schools'
        else stated.first_state
    end as state,
    case when state in ('decided', 'too_few_schools') then stated.ratio end as statistic,
    case when state <> 'decided' then null
        when stated.criterion = 'fall' then fence.q75 + stated.iqr_factor * (fence.q75 - fence.q25)
        else fence.q25 - stated.iqr_factor * (fence.q75 - fence.q25)
    end as critical_value,
    case stated.criterion when 'fall' then statistic > critical_value else statistic < critical_value end as is_marked,
    stated.participants,
    stated.earlier_participants,
    case state
        when 'decided'
            then 'Та же параллель: ' || {{ number_ru('100 * stated.earlier_mean', 1) }} || ' % от наибольшего балла у '
                || stated.earlier_participants || ' участников, через год ' || {{ number_ru('100 * stated.later_mean', 1) }}
                || ' % у ' || stated.participants || '; отношение ' || {{ number_ru('statistic', 2) }} || ', граница '
                || {{ number_ru('critical_value', 2) }} || ' по ' || fence.schools || ' школам.'
        when 'too_few_schools' then 'Школ с обеими работами ' || fence.schools || ': квартили не считаются.'
        when 'no_earlier_results' then 'Результатов этой параллели год назад нет.'
        when 'across_break' then 'Между двумя работами разрыв сопоставимости; методика такие годы не сравнивает.'
        when 'no_ratio' then 'Наибольший балл работы неизвестен или через год никто не набрал ни балла.'
        else 'Участников ' || least(stated.participants, stated.earlier_participants) || ': отношение не считается.'
    end as explanation_ru,
    stated.delivery_ids
from stated
left join fence using (academic_year, region_code, marker_id)
