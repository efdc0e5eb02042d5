-- Facts of execution as they count: the latest report of each fact, in the period of its date, at the place it names; and
-- agreements of schools that were delivered as such, where executors reported fewer of that school in the period; and
-- questionnaires that a delivered risk profile shows, where executors said nothing of that school.
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
),

reported as (
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
        latest.delivery_id,
        'executor' as source
    from latest
    inner join {{ ref('int_programme') }} as programme on latest.programme_id = programme.programme_id
    inner join {{ ref('int_programme_period') }} as period
        on latest.programme_id = period.programme_id and latest.reported_on between period.starts_on and period.ends_on
    left join {{ ref('int_school_key') }} as keys
        on
            latest.territory_level = 'school'
            and {{ is_key_of('keys', 'latest', 'latest.held_year') }}
    left join {{ ref('int_school_head') }} as head on keys.school_id = head.school_id
    left join {{ ref('int_school') }} as school on head.head_school_id = school.school_id
    left join municipality
        on
            latest.territory_level = 'municipality'
            and programme.region_code = municipality.region_code
            and {{ municipality_core('latest.municipality_label') }} = municipality.core
),

-- an agreement is there in every period on a day of which it is in force
agreement as (
    select
        programme.programme_id,
        period.period,
        kind.return_kind,
        agreement.school_id,
        school.municipality_id,
        programme.region_code,
        greatest(agreement.signed_on, period.starts_on) as reported_on,
        agreement.delivery_id,
        row_number() over (
            partition by programme.programme_id, period.period, kind.return_kind, agreement.school_id
            order by agreement.signed_on nulls last, agreement.leader_school_id, agreement.document_ref nulls last
        ) as nth
    from {{ ref('int_partner_agreement') }} as agreement
    cross join (values ('agreement'), ('partner_programme')) as kind (return_kind)
    inner join {{ ref('int_school') }} as school on agreement.school_id = school.school_id
    inner join {{ ref('int_programme') }} as programme
        on
            school.region_code = programme.region_code
            and coalesce(programme.municipality_id = school.municipality_id, true)
            and coalesce(agreement.programme_id = programme.programme_id, true)
    inner join {{ ref('int_programme_period') }} as period
        on
            programme.programme_id = period.programme_id
            and agreement.signed_on <= period.ends_on
            and agreement.in_force_to >= period.starts_on
    where agreement.source = 'delivered' and (kind.return_kind = 'agreement' or agreement.has_programme)
),

told as (
    select programme_id, period, return_kind, school_id, {{ stable_sum('quantity') }} as quantity
    from reported
    where school_id is not null
    group by programme_id, period, return_kind, school_id
),

surveyed as (
    select
        programme.programme_id,
        period.period,
        'survey_taken' as return_kind,
        participant.school_id,
        school.municipality_id,
        programme.region_code,
        participant.taken_on as reported_on,
        split_part(participant.delivery_ids, ';', 1) as delivery_id
    from {{ ref('int_risk_participant') }} as participant
    inner join {{ ref('int_risk_period') }} as period on participant.academic_year = period.academic_year
    inner join {{ ref('int_school') }} as school on participant.school_id = school.school_id
    inner join {{ ref('int_programme') }} as programme
        on
            period.programme_id = programme.programme_id
            and school.region_code = programme.region_code
            and coalesce(programme.municipality_id = school.municipality_id, true)
),

every as (
    select * from reported
    {%- for name, source in [('agreement', 'agreement'), ('surveyed', 'profile')] %}
    union all
    select
        {{ name }}.programme_id,
        {{ name }}.period,
        {{ name }}.return_kind,
        null as item_id,
        'school' as territory_level,
        {{ name }}.school_id,
        {{ name }}.municipality_id,
        {{ name }}.region_code,
        {{ name }}.reported_on,
        1 as quantity,
        null as denominator,
        {{ name }}.delivery_id,
        '{{ source }}' as source
    from {{ name }}
    left join told using (programme_id, period, return_kind, school_id)
    where {{ 'agreement.nth > coalesce(told.quantity, 0)' if name == 'agreement' else 'told.quantity is null' }}
    {%- endfor %}
)

select
    every.*,
    every.reported_on < date_trunc('quarter', today.as_of) as is_before_quarter
from every
cross join {{ source('reference', 'as_of') }} as today
