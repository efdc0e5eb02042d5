-- Criterion 1: the lower end of the interval of the school's mean score lies above the upper end of the region's.
with school as (
    select
        total.*,
        marker.marker_id,
        method.interval_width,
        method.mean_minimum_participants as minimum_participants,
        method.minimum_schools,
        total.score_sum / total.participants as mean,
        {{ standard_deviation('total.participants', 'total.score_sum', 'total.square_sum', 'method.standard_deviation') }}
            / sqrt(total.participants) as error
    from {{ ref('int_marker_sum') }} as total
    inner join {{ source('reference', 'marker_method') }} as method using (academic_year)
    inner join {{ source('reference', 'marker') }} as marker
        on method.method_id = marker.method_id and total.procedure_id = marker.procedure_id and marker.criterion = 'high_mean'
),

region_sum as (
    select
        academic_year,
        region_code,
        procedure_id,
        count(*) as schools,
        sum(participants) as participants,
        sum(score_sum) as score_sum,
        sum(square_sum) as square_sum
    from {{ ref('int_marker_sum') }}
    group by academic_year, region_code, procedure_id
),

region as (
    select
        total.*,
        total.score_sum / total.participants as mean,
        method.interval_width
        * {{ standard_deviation('total.participants', 'total.score_sum', 'total.square_sum', 'method.standard_deviation') }}
            / sqrt(total.participants) as reach
    from region_sum as total
    inner join {{ source('reference', 'marker_method') }} as method using (academic_year)
)

select
    school.academic_year,
    school.school_id,
    school.marker_id,
    case
        when school.error is null or school.participants < school.minimum_participants then 'too_few'
        when region.schools < school.minimum_schools then 'too_few_schools'
        else 'decided'
    end as state,
    case when state = 'decided' then school.mean - school.interval_width * school.error end as statistic,
    case when state = 'decided' then region.mean + region.reach end as critical_value,
    statistic > critical_value as is_marked,
    school.participants,
    cast(null as bigint) as earlier_participants,
    case state
        when 'decided' then 'Средний первичный балл ' || {{ number_ru('school.mean', 1) }}
            || ' (от ' || {{ number_ru('statistic', 2) }} || ') у ' || school.participants || ' участников; по региону '
            || {{ number_ru('region.mean', 1) }} || ' (до ' || {{ number_ru('critical_value', 2) }} || ').'
        when 'too_few_schools' then 'Школ региона с этой работой ' || region.schools || ': среднее региона не считается.'
        else 'Участников ' || school.participants || ': интервал среднего не считается.'
    end as explanation_ru,
    school.delivery_ids
from school
inner join region using (academic_year, region_code, procedure_id)
