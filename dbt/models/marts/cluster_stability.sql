with size as (
    select
        academic_year,
        region_code,
        scheme,
        count(*) as clusters_count,
        min(schools) as smallest_cluster,
        max(schools) as largest_cluster,
        max(silhouette) as silhouette
    from {{ source('analysis', 'context_cluster_fit') }}
    group by academic_year, region_code, scheme
)

select
    stability.academic_year,
    stability.region_code,
    stability.scheme,
    stability.comparison,
    stability.compared_year,
    coalesce(size.clusters_count, 0) as clusters_count,
    size.smallest_cluster,
    size.largest_cluster,
    size.silhouette,
    stability.schools as schools_count,
    stability.resamples,
    stability.adjusted_rand,
    stability.adjusted_rand_low,
    stability.adjusted_rand_high,
    stability.stay_share,
    stability.stay_share_low as stay_ci_low,
    stability.stay_share_high as stay_ci_high,
    stability.reason_ru
from {{ source('analysis', 'context_cluster_stability') }} as stability
left join size using (academic_year, region_code, scheme)
