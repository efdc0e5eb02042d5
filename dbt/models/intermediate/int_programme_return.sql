-- Facts of execution as they count: the latest report of each fact, in the period of its date, at the place it names.
with latest as (
    select *
    from {{ ref('stg_programme_return') }}
    qualify row_number() over (
        partition by
            programme_id, return_kind, item_id, territory_level, school_key_kind, school_key, municipality_label,
            reported_on, document_ref
        order by arrival desc, sheet desc nulls last, source_row desc
    ) = 1
),

municipality as (
    select
        region_code,
        {{ municipality_core('municipality_name') }} as core,
        min(municipality_id) as municipality_id
    from {{ ref('int_school') }}
    group by all
)

select
    latest.programme_id,
    period.period,
    latest.return_kind,
    latest.item_id,
    latest.territory_level,
    head.head_school_id as school_id,
    -- all that is reported to a municipal programme is its own, also what a neighbour's school did for it
    case
        when programme.municipality_id is not null then programme.municipality_id
        when latest.territory_level = 'school' then school.municipality_id
        when latest.territory_level = 'municipality' then municipality.municipality_id
    end as municipality_id,
    programme.region_code,
    latest.reported_on,
    latest.quantity,
    latest.denominator,
    latest.reported_on < date_trunc('quarter', today.as_of) as is_before_quarter,
    latest.delivery_id
from latest
cross join {{ source('reference', 'as_of') }} as today
inner join {{ ref('int_programme') }} as programme on latest.programme_id = programme.programme_id
inner join {{ ref('int_programme_period') }} as period
    on latest.programme_id = period.programme_id and latest.reported_on between period.starts_on and period.ends_on
left join {{ ref('int_school_key') }} as keys
    on
        latest.territory_level = 'school'
        and latest.school_key_kind = keys.key_kind
        and {{ comparable_key('latest.school_key_kind', 'latest.school_key') }} = keys.key_value
        and latest.measured_year = keys.measured_year
        and latest.held_year = keys.held_year
left join {{ ref('int_school_head') }} as head on keys.school_id = head.school_id
left join {{ ref('int_school') }} as school on head.head_school_id = school.school_id
left join municipality
    on
        latest.territory_level = 'municipality'
        and programme.region_code = municipality.region_code
        and {{ municipality_core('latest.municipality_label') }} = municipality.core
