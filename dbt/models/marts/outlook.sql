-- The complete matrix of the last year with results: a forecast for the year after it, or the reason why there is none.
with made as (
    select distinct
        academic_year,
        results_year,
        method_id,
        model_id,
        is_published
    from {{ source('analysis', 'outlook_forecast') }}
)

select
    made.academic_year,
    result.school_id,
    result.procedure_id,
    'прогноз, не признак' as label_ru,
    made.results_year,
    result.state,
    forecast.participants,
    result.reliability,
    forecast.probability_low,
    forecast.baseline_probability,
    forecast.region_probability,
    forecast.expected_share,
    forecast.expected_share_ci_low,
    forecast.expected_share_ci_high,
    method.low_share_numerator between
    forecast.expected_share_ci_low * method.low_share_denominator
    and forecast.expected_share_ci_high * method.low_share_denominator as is_uncertain,
    forecast.drivers_ru,
    made.model_id,
    made.method_id,
    made.is_published,
    case
        when forecast.school_id is not null then forecast.reason_ru
        when result.state = 'held' and not coalesce(standing.is_counted, false)
            then 'Школа учтена в другой или не школа: прогноз сделан той.'
        when result.state = 'held' then 'Результатов процедуры слишком мало, чтобы сравнить школы, или часть их неизвестна.'
        else 'В последнем году с результатами процедуры в школе не было: состояние названо рядом.'
    end as reason_ru
from made
inner join {{ ref('int_procedure_result') }} as result
    on made.method_id = result.method_id and made.results_year = result.academic_year
inner join {{ source('reference', 'method') }} as method on made.method_id = method.method_id
left join {{ ref('int_school_standing') }} as standing
    on
        result.method_id = standing.method_id
        and result.academic_year = standing.academic_year
        and result.school_id = standing.school_id
left join {{ source('analysis', 'outlook_forecast') }} as forecast
    on
        result.school_id = forecast.school_id
        and result.procedure_id = forecast.procedure_id
