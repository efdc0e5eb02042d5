-- Year × school or territory × procedure: the figures that a change is drawn between. A school has the procedures of the
-- method, with its branches; a territory every procedure, pooled from schools all of whose results are known.
{%- set levels = {'municipality': 'municipality_id', 'region': 'region_code'} %}
with setting as (
    select {{ normal_quantile('(1 + confidence) / 2') }} as z from {{ source('reference', 'dynamics') }}
),

held as (
    select
        'school' as territory_level,
        result.school_id as territory_id,
        result.procedure_id,
        result.academic_year,
        1 as schools_count,
        result.participants,
        case when result.unknown_count = 0 then result.below_minimum end as below_minimum
    from {{ ref('int_procedure_result') }} as result
    inner join {{ ref('int_official_method') }} as official
        on result.method_id = official.method_id and result.academic_year = official.academic_year
    where result.state = 'held'
    {%- for level, key in levels.items() %}
    union all
    select
        '{{ level }}',
        {{ key }},
        procedure_id,
        academic_year,
        count(*),
        sum(participants),
        sum(below_minimum)
    from {{ ref('int_own_result') }}
    where unknown_count = 0
    group by academic_year, procedure_id, {{ key }}
    {%- endfor %}
),

-- mean scores are of ВПР: its protocols bring them, and its largest score is known
scored as (
    select
        score.academic_year,
        score.procedure_id,
        school.school_id,
        school.municipality_id,
        school.region_code,
        score.scored_count,
        score.score_sum,
        score.max_score
    from {{ ref('int_vpr_summary') }} as score
    inner join {{ ref('int_school') }} as school on score.school_id = school.school_id
    where score.scored_count > 0 and score.max_score > 0 and not school.is_no_school
),

mean as (
    {%- for level, key in [('school', 'school_id')] + levels.items() | list %}
    select
        '{{ level }}' as territory_level,
        {{ key }} as territory_id,
        procedure_id,
        academic_year,
        sum(scored_count) as scored_count,
        100 * sum(score_sum) / sum(scored_count) / max(max_score) as mean_score_pct
    from scored
    group by academic_year, procedure_id, {{ key }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select
    held.territory_level,
    held.territory_id,
    held.procedure_id,
    held.academic_year,
    year.start_year,
    official.method_id,
    cast(held.schools_count as bigint) as schools_count,
    cast(held.participants as bigint) as participants,
    cast(held.below_minimum as bigint) as below_minimum,
    held.below_minimum / held.participants as below_share,
    {{ wilson('held.below_minimum', 'held.participants', 'setting.z', '-') }} as share_low,
    {{ wilson('held.below_minimum', 'held.participants', 'setting.z', '+') }} as share_high,
    cast(mean.scored_count as bigint) as scored_count,
    mean.mean_score_pct
from held
cross join setting
inner join {{ source('reference', 'academic_year') }} as year using (academic_year)
inner join {{ ref('int_official_method') }} as official using (academic_year)
left join mean using (territory_level, territory_id, procedure_id, academic_year)
