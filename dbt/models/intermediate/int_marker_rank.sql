-- Criterion 2: Spearman's correlation of the mark in the journal and the primary score is negative. Equal values share
-- their average rank. Ranks are taken twice over, so they are whole numbers and the sign is decided without rounding.
{{ config(meta={'kept': 'portion'}) }}
with compared as (
    select
        pupil.*,
        marker.marker_id,
        method.correlation_minimum_participants as minimum_participants
    from {{ ref('int_marker_pupil') }} as pupil
    inner join {{ source('reference', 'marker_method') }} as method using (academic_year)
    inner join {{ source('reference', 'marker') }} as marker
        on
            method.method_id = marker.method_id
            and pupil.procedure_id = marker.procedure_id
            and marker.criterion = 'against_journal'
    where pupil.prior_mark is not null
),

ranked as (
    select
        *,
        {%- for value, name in [('score', 'score_rank'), ('prior_mark', 'mark_rank')] %}
        2 * rank() over (partition by academic_year, school_id, marker_id order by {{ value }})
        + count(*) over (partition by academic_year, school_id, marker_id, {{ value }}) - 1 as {{ name }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from compared
),

total as (
    select
        academic_year,
        procedure_id,
        school_id,
        marker_id,
        minimum_participants,
        count(*) as participants,
        {%- for x, y, name in [
            ('score_rank', 'mark_rank', 'covariance'),
            ('score_rank', 'score_rank', 'score_variance'),
            ('mark_rank', 'mark_rank', 'mark_variance'),
        ] %}
        count(*) * sum({{ x }} * {{ y }}) - sum({{ x }}) * sum({{ y }}) as {{ name }},
        {%- endfor %}
        {{ distinct_ids('delivery_id') }} as delivery_ids
    from ranked
    group by academic_year, procedure_id, school_id, marker_id, minimum_participants
)

select
    academic_year,
    procedure_id,
    school_id,
    marker_id,
    case
        when participants < greatest(2, minimum_participants) then 'too_few'
        when score_variance = 0 or mark_variance = 0 then 'constant'
        else 'decided'
    end as state,
    case when state = 'decided'
        then covariance / sqrt(cast(score_variance as double) * cast(mark_variance as double))
    end as statistic,
    case when state = 'decided' then 0.0 end as critical_value,
    case when state = 'decided' then covariance < 0 end as is_marked,
    participants,
    cast(null as bigint) as earlier_participants,
    case state
        when 'decided'
            then 'Ранговая корреляция первичного балла и отметки в журнале ' || {{ number_ru('statistic', 2) }} || ' у '
                || participants || ' участников.'
        when 'constant'
            then 'У всех ' || participants || ' участников один балл или одна отметка в журнале: корреляции нет.'
        else 'Участников с баллом и отметкой в журнале ' || participants || ': корреляция не считается.'
    end as explanation_ru,
    delivery_ids
from total
