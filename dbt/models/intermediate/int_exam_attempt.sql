-- One row a person × exam × day (ОГЭ, ЕГЭ, ГВЭ): the latest delivery of it, with the accepted appeal applied.
{{ config(meta={'kept': 'portion'}) }}
with exam as (
    select
        * {{ without('person_key') }},
        coalesce(held_year, measured_year) as sitting_year,
        -- a file without documents meets one with them through the name, if only one person in the school bears it
        case
            when person_key is not null then person_key
            when person_name_key is not null and min(person_key) over same_name = max(person_key) over same_name
                then min(person_key) over same_name
        end as person_key
    from {{ ref('stg_assessment_result') }}
    where assessment in ('oge', 'ege', 'gve')
    window same_name as (partition by person_name_key, measured_year)
),

identified as (
    select
        *,
        coalesce(
            'p' || person_key,
            'n' || person_name_key,
            'c' || school_key_kind || school_key || '-' || participant_code
        ) as named_person
    from exam
),

latest as (
    select
        *,
        coalesce(named_person, 'r' || delivery_id || '-' || coalesce(sheet, '') || '-' || source_row) as person_id
    from identified
    -- without any identity the school's file of that day is replaced as a whole
    qualify
        case
            when named_person is null
                then arrival = max(arrival) over (
                    partition by school_key_kind, school_key, assessment, subject_id, measured_year, held_on
                )
            else row_number() over (
                partition by named_person, assessment, subject_id, measured_year, held_on
                order by arrival desc, sheet desc, source_row desc
            ) = 1
        end
),

appeal as (
    select
        *,
        row_number() over (order by arrival, sheet nulls first, source_row) as recency
    from {{ ref('stg_appeal') }}
    where is_accepted
),

-- an appeal finds its attempt by the document, or by the name where one of the two has no document
matched as (
    {%- for match in [
        'latest.person_key = appeal.person_key',
        'latest.person_name_key = appeal.person_name_key and (latest.person_key is null or appeal.person_key is null)',
    ] %}
    select
        latest.delivery_id,
        latest.sheet,
        latest.source_row,
        appeal.delivery_id as appeal_delivery_id,
        appeal.mark_after,
        appeal.test_score_after,
        appeal.total_score_after,
        appeal.held_on is null as is_undated,
        appeal.recency
    from latest
    inner join appeal
        on
            {{ match }}
            and latest.assessment = appeal.assessment
            and latest.subject_id = appeal.subject_id
            and latest.measured_year = appeal.measured_year
            and coalesce(latest.held_on = appeal.held_on, true)
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

-- an appeal that names no day speaks of any attempt of the year, but one that names it knows better
appealed as (
    select *
    from matched
    qualify row_number() over (
        partition by delivery_id, sheet, source_row order by is_undated, recency desc
    ) = 1
)

select
    latest.person_id,
    latest.assessment,
    -- September, for those who failed in summer
    exists (
        select 1
        from {{ source('reference', 'assessment_session') }} as session
        where
            session.assessment = latest.assessment
            and session.season = 'additional'
            and latest.held_on between session.held_from and session.held_to
    ) as is_additional,
    latest.subject_id,
    latest.test_grade,
    coalesce(latest.pupil_grade, latest.test_grade) as pupil_grade,
    latest.measured_year,
    latest.sitting_year as held_year,
    latest.portion,
    latest.held_on,
    keys.school_id,
    coalesce(latest.participant_category, 'current_year') as participant_category,
    latest.attendance = 'participated' as is_participant,
    coalesce(appealed.mark_after, latest.mark) as mark,
    coalesce(appealed.test_score_after, latest.test_score) as test_score,
    coalesce(appealed.total_score_after, latest.total_score) as total_score,
    latest.arrival,
    latest.delivery_id,
    appealed.appeal_delivery_id
from latest
inner join {{ ref('int_school_key') }} as keys on {{ is_key_of('keys', 'latest', 'latest.sitting_year') }}
left join appealed
    on
        latest.delivery_id = appealed.delivery_id
        and latest.sheet is not distinct from appealed.sheet
        and latest.source_row = appealed.source_row
