with setting as (
    select * from {{ source('reference', 'dynamics') }}
),

span as (
    select min(start_year) as first_year from {{ ref('int_result_end') }}
),

-- every end of a span, whether or not there is a beginning
pair as (
    select
        this.*,
        procedure.assessment,
        year.academic_year as earlier_year,
        this.start_year - year.start_year as years_between
    from {{ ref('int_result_end') }} as this
    cross join setting
    cross join span
    inner join {{ source('reference', 'procedure') }} as procedure on this.procedure_id = procedure.procedure_id
    inner join {{ source('reference', 'academic_year') }} as year
        on
            year.start_year < this.start_year
            and year.start_year > this.start_year - setting.years_in_span
            and year.start_year >= span.first_year
),

compared as (
    select
        pair.*,
        earlier.method_id as earlier_method_id,
        earlier.schools_count as earlier_schools_count,
        earlier.participants as earlier_participants,
        earlier.below_minimum as earlier_below_minimum,
        earlier.below_share as earlier_below_share,
        earlier.scored_count as earlier_scored_count,
        earlier.mean_score_pct as earlier_mean_score_pct,
        {{ share_difference(
            'earlier.below_minimum', 'earlier.participants', 'pair.below_minimum', 'pair.participants'
        ) }} as difference,
        {%- for end in ['low', 'high'] %}
        100 * {{ {'low': newcombe_low, 'high': newcombe_high}[end](
            'earlier.below_share', 'earlier.share_low', 'earlier.share_high', 'pair.below_share', 'pair.share_low', 'pair.share_high'
        ) }} as change_{{ end }}_pp,
        {%- endfor %}
        case
            when earlier.participants is null then 'no_earlier_result'
            when pair.below_minimum is null or earlier.below_minimum is null then 'unknown_result'
            else 'compared'
        end as state
    from pair
    left join {{ ref('int_result_end') }} as earlier
        on
            pair.territory_level = earlier.territory_level
            and pair.territory_id = earlier.territory_id
            and pair.procedure_id = earlier.procedure_id
            and pair.earlier_year = earlier.academic_year
),

worded as (
    select
        compared.*,
        compared.state = 'compared' and compared.years_between = max(case when compared.state = 'compared' then compared.years_between end)
            over (partition by compared.territory_level, compared.territory_id, compared.procedure_id, compared.academic_year)
            as is_longest,
        compared.method_id <> compared.earlier_method_id as is_other_method,
        comparability.is_mark_comparable,
        comparability.is_score_comparable,
        comparability.note_ru
    from compared
    left join {{ ref('int_comparability') }} as comparability using (procedure_id, academic_year, earlier_year)
)

select
    worded.territory_level,
    worded.territory_id,
    worded.procedure_id,
    worded.academic_year,
    worded.earlier_year,
    worded.years_between,
    coalesce(worded.is_longest, false) as is_longest,
    worded.state,
    worded.schools_count,
    worded.earlier_schools_count,
    worded.participants,
    worded.earlier_participants,
    worded.below_minimum,
    worded.earlier_below_minimum,
    worded.below_share,
    worded.earlier_below_share,
    1e2 * worded.difference / (worded.participants * worded.earlier_participants) as change_pp,
    worded.change_low_pp,
    worded.change_high_pp,
    {{ dynamics('worded.difference', "'down'") }} as dynamics,
    dynamics = 'improved' as is_improved,
    case when worded.state = 'compared' and least(worded.participants, worded.earlier_participants) >= setting.certain_from_participants
        then not (worded.change_low_pp <= 0 and worded.change_high_pp >= 0)
    end as is_change_clear,
    case when worded.assessment = 'vpr' and coalesce(worded.academic_year >= setting.sharp_worsening_from, true)
        then worded.difference * 100 >= setting.sharp_worsening_points * worded.participants * worded.earlier_participants
    end as is_sharp_worsening,
    case when worded.state = 'compared' then coalesce(worded.is_mark_comparable, true) and not worded.is_other_method end
        as is_comparable,
    case when worded.state = 'compared'
        then nullif(concat_ws(' ', worded.note_ru, case when worded.is_other_method then 'Годы посчитаны по разным методикам.' end), '')
    end as note_ru,
    worded.scored_count,
    worded.earlier_scored_count,
    worded.mean_score_pct,
    worded.earlier_mean_score_pct,
    case when worded.state <> 'no_earlier_result' then coalesce(worded.is_score_comparable, true) end as is_score_comparable,
    case when worded.is_score_comparable then worded.mean_score_pct - worded.earlier_mean_score_pct end as mean_score_change,
    worded.method_id
from worded
cross join setting
