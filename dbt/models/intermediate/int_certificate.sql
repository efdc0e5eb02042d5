-- Year × school × graduation grade: graduates with and without a certificate, by the latest delivery.
with latest as (
    select *
    from {{ ref('stg_certificate_count') }}
    qualify arrival = max(arrival) over (partition by school_key_kind, school_key, measured_year, graduate_grade)
)

select
    latest.measured_year as academic_year,
    head.head_school_id as school_id,
    latest.graduate_grade,
    cast(sum(latest.graduates) as bigint) as graduates,
    cast(sum(latest.without_certificate) as bigint) as without_certificate
from latest
inner join {{ ref('int_school_key') }} as keys on {{ is_key_of('keys', 'latest') }}
inner join {{ ref('int_school_head') }} as head on keys.school_id = head.school_id
group by all
