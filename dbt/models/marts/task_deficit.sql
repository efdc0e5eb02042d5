-- Completion of every task, skill and content element by class, school, municipality and region, against the region.
{{ config(meta={'kept': 'portion'}) }}
with setting as (
    select * from {{ source('reference', 'deficit_setting') }}
),

item as (
    select academic_year, procedure_id, item_kind, item_id, sort_order, level, max_score, specification_year
    from {{ ref('task_item') }}
    where has_figures
),

compared as (
    select
        deficit.* {{ without('share_ci_low, share_ci_high, interval_unit') }},
        item.sort_order,
        item.level,
        item.max_score,
        item.specification_year,
        deficit.share_ci_low,
        deficit.share_ci_high,
        deficit.interval_unit,
        case when deficit.territory_level <> 'region' then region.completion_share end as region_completion_share,
        case when deficit.territory_level <> 'region' then deficit.completion_share - region.completion_share end as gap,
        -- greatest() and least() pass over nulls: without answers there is no gap and no interval
        {%- for end in ['low', 'high'] %}
        case
            when deficit.territory_level <> 'region' and deficit.completion_share is not null
                then {{ {'low': newcombe_low, 'high': newcombe_high}[end](
                    'region.completion_share', 'region.share_ci_low', 'region.share_ci_high',
                    'deficit.completion_share', 'deficit.share_ci_low', 'deficit.share_ci_high'
                ) }}
        end as gap_{{ end }},
        {%- endfor %}
        case
            when deficit.max_points = 0 then null
            when deficit.points * 1000 >= rule.sufficient_from * deficit.max_points then 'sufficient'
            when deficit.points * 1000 < rule.insufficient_below * deficit.max_points then 'insufficient'
            when rule.level is not null then 'borderline'
        end as found_state,
        deficit.pupils_count >= setting.minimum_pupils as is_group,
        setting.insufficient_first
    from {{ ref('int_deficit') }} as deficit
    inner join item using (academic_year, procedure_id, item_kind, item_id)
    inner join {{ ref('int_deficit') }} as region
        on
            region.territory_level = 'region'
            and deficit.region_code = region.territory_id
            and deficit.academic_year = region.academic_year
            and deficit.procedure_id = region.procedure_id
            and deficit.item_kind = region.item_kind
            and deficit.item_id = region.item_id
    cross join setting
    left join {{ source('reference', 'deficit_level') }} as rule
        on item.level = rule.level and {{ holds_on('deficit.academic_year', 'rule.valid_from', 'rule.valid_to') }}
),

judged as (
    select
        *,
        coalesce(gap_high < 0, false) as is_behind,
        coalesce(found_state = 'insufficient', false) as is_insufficient
    from compared
),

-- only what there is to teach again has a place in the order
ordered as (
    select
        *,
        row_number() over (
            partition by academic_year, procedure_id, territory_level, territory_id, item_kind
            order by
                insufficient_first and is_insufficient desc,
                {{ rounded('coalesce(gap, 0) * max_points', 9) }},
                completion_share nulls last,
                sort_order,
                item_id
        ) as teach_again_order
    from judged
    where is_insufficient or is_behind
    union all
    select
        *,
        null
    from judged
    where not (is_insufficient or is_behind)
)

select
    academic_year,
    procedure_id,
    item_kind,
    item_id,
    territory_level,
    territory_id,
    school_id,
    class_name,
    level,
    max_score,
    participants,
    pupils_count,
    answers_count,
    not_attempted_count,
    not_taught_count,
    unread_count,
    points,
    max_points,
    completion_share,
    share_ci_low,
    share_ci_high,
    interval_unit,
    region_completion_share,
    gap,
    gap_low,
    gap_high,
    case when is_group then gap_high < 0 or gap_low > 0 end as is_gap_significant,
    case when is_group then found_state end as level_state,
    case
        when max_points = 0 and not_taught_count > 0 then 'not_taught'
        when max_points = 0 then 'no_answers'
        when not is_group then 'too_few'
        when is_insufficient and is_behind then 'high'
        when is_insufficient then 'medium'
        when is_behind then 'low'
        else 'none'
    end as severity,
    teach_again_order,
    specification_year
from ordered
