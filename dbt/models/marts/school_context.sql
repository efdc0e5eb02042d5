-- The complete matrix: every school × year with results or conditions. Conditions, index and cluster are those of
-- `context_year`, the year that the expectation looked at.
{%- set conditions = [
    'enrolment', 'transport_access', 'both_parents_higher_share', 'single_parent_share', 'low_income_share', 'registered_share',
    'non_native_russian_share', 'disability_share', 'teachers_with_category_share', 'pupils_per_teacher'
] %}

with condition as (
    select
        academic_year,
        school_id,
        cast(max(value) filter (where component_id = 'is_urban') as boolean) as is_urban,
        {%- for component in conditions %}
        max(value) filter (where component_id = '{{ component }}') as {{ component }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('int_context_component') }}
    group by academic_year, school_id
),

official as (
    select * from {{ source('analysis', 'context_index') }} where is_official
),

-- the official index by every method
wellbeing as (
    select
        index_value.academic_year,
        index_value.school_id,
        {%- for method in ['z_mean', 'min_max', 'first_component', 'regression_weights'] %}
        max(index_value.value) filter (where index_value.method = '{{ method }}') as wellbeing_{{ method }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ source('analysis', 'context_index') }} as index_value
    inner join official using (academic_year, school_id, index_id)
    group by index_value.academic_year, index_value.school_id
),

cluster as (
    select
        academic_year,
        school_id,
        max(cluster_id) filter (where is_official) as cluster_id,
        max(cluster_ru) filter (where is_official) as cluster_ru,
        max(reason_ru) filter (where is_official) as cluster_reason_ru,
        max(cluster_id) filter (where scheme = 'kmeans') as found_cluster_id
    from {{ source('analysis', 'context_cluster') }}
    group by academic_year, school_id
),

mixed as (
    select * from {{ source('analysis', 'expectation') }} where model = 'mixed'
),

contribution as (
    select * from {{ source('analysis', 'contribution') }} where is_official
)

select
    school.academic_year,
    school.school_id,
    school.is_in_population as is_compared,
    expectation.context_year,
    condition.is_urban,
    {%- for component in conditions %}
    condition.{{ component }},
    {%- endfor %}
    official.index_id,
    official.index_ru,
    official.method as index_method,
    official.value as wellbeing_index,
    wellbeing.wellbeing_z_mean,
    wellbeing.wellbeing_min_max,
    wellbeing.wellbeing_first_component,
    wellbeing.wellbeing_regression_weights,
    official.rank_share as index_rank_share,
    official.band as index_band,
    official.components_known,
    official.components_total,
    cluster.cluster_id,
    cluster.cluster_ru,
    cluster.found_cluster_id,
    cluster.cluster_reason_ru,
    expectation.participants,
    expectation.procedures_count,
    expectation.region_result,
    expectation.observed_result,
    expectation.model,
    expectation.expected_result,
    expectation.residual,
    expectation.residual_low,
    expectation.residual_high,
    expectation.residual_z,
    expectation.against_expectation,
    expectation.context_class,
    expectation.context_class_ru,
    expectation.class_stability,
    expectation.class_stability_pupils,
    expectation.schools_in_fit,
    expectation.cv_explained_pct,
    expectation.is_informative,
    mixed.expected_result as expected_result_mixed,
    mixed.residual_z as residual_z_mixed,
    mixed.context_class as context_class_mixed,
    contribution.method as contribution_method,
    contribution.participants_share,
    contribution.value as contribution,
    coalesce(expectation.reason_ru, official.reason_ru) as reason_ru,
    nullif(concat_ws(
        '; ',
        case when expectation.context_year <> school.academic_year
            then 'условия за ' || {{ year_ru('expectation.context_year') }}
        end,
        case when not expectation.is_informative
            then 'эти условия объясняют ' || {{ percent_ru('greatest(expectation.cv_explained_pct, 0)', 100) }}
                || ' различий между школами: ожидание почти равно среднему по региону'
        end
    ), '') as note_ru
from {{ ref('int_context_school') }} as school
inner join {{ source('analysis', 'expectation') }} as expectation
    on
        school.academic_year = expectation.academic_year
        and school.school_id = expectation.school_id
        and expectation.is_official
left join mixed on school.academic_year = mixed.academic_year and school.school_id = mixed.school_id
left join condition on expectation.context_year = condition.academic_year and school.school_id = condition.school_id
left join official on expectation.context_year = official.academic_year and school.school_id = official.school_id
left join wellbeing on expectation.context_year = wellbeing.academic_year and school.school_id = wellbeing.school_id
left join cluster on expectation.context_year = cluster.academic_year and school.school_id = cluster.school_id
left join contribution on school.academic_year = contribution.academic_year and school.school_id = contribution.school_id
