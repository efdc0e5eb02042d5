-- Agreements as they count: the last word on each, both schools found, and the pairs that a programme's document names.
-- Where no last day is named, the rules of the year of signing say for how many academic years it stands.
{%- set document = "coalesce(document_ref, leader_key || ' ' || signed_on)" %}
with latest as (
    select *
    from {{ ref('stg_partner_agreement') }}
    -- a later delivery replaces what was said of that document of the school, its leader too
    qualify
        arrival = max(arrival) over (partition by school_key_kind, school_key, {{ document }})
        and row_number() over (
            partition by school_key_kind, school_key, leader_key_kind, leader_key, {{ document }}
            order by arrival desc, sheet desc nulls last, source_row desc
        ) = 1
),

delivered as (
    select
        'delivered' as source,
        latest.programme_id,
        head.head_school_id as school_id,
        leader_head.head_school_id as leader_school_id,
        latest.document_ref,
        latest.signed_on,
        latest.valid_to,
        coalesce(latest.has_programme, false) as has_programme,
        latest.delivery_id
    from latest
    {%- for role, head in [('school', 'head'), ('leader', 'leader_head')] %}
    inner join {{ ref('int_school_key') }} as {{ role }}_keys on {{ is_key_of(role ~ '_keys', 'latest', 'latest.held_year', role) }}
    inner join {{ ref('int_school_head') }} as {{ head }} on {{ role }}_keys.school_id = {{ head }}.school_id
    {%- endfor %}
),

named as (
    select
        'programme' as source,
        pair.programme_id,
        pair.school_id,
        pair.leader_school_id,
        programme.document_number_ru as document_ref,
        coalesce(programme.valid_from, programme.document_signed_on) as signed_on,
        programme.valid_to,
        false as has_programme,
        cast(null as string) as delivery_id
    from {{ ref('int_programme_pair') }} as pair
    inner join {{ source('reference', 'programme') }} as programme on pair.programme_id = programme.programme_id
),

every as (
    select * from delivered
    union all
    select * from named
)

select
    every.*,
    coalesce(
        every.valid_to,
        make_date(
            cast(left({{ academic_year_of('every.signed_on') }}, 4) as integer) + cast(coalesce(rule.open_agreement_years, 1) as integer), 8, 31
        )
    ) as in_force_to
from every
left join {{ source('reference', 'partner_rule') }} as rule on {{ academic_year_of('every.signed_on') }} = rule.academic_year
where every.school_id <> every.leader_school_id
