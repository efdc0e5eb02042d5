-- Indicator × year × school: graduates by the sum of their best exams. A reported count beats protocols, which may not
-- hold all subjects.
with indicator as (
    select programme_id, indicator_id, subjects, minimum_sum, coalesce(attempt, 'final') as attempt
    from {{ source('reference', 'programme_indicator') }}
    where fact = 'exam_sum:at_least'
),

score as (
    select
        indicator.programme_id,
        indicator.indicator_id,
        indicator.subjects,
        indicator.minimum_sum,
        exam.measured_year,
        exam.person_id,
        head.head_school_id,
        exam.test_score
    from indicator
    inner join {{ ref('int_exam_attempt') }} as exam on exam.assessment = 'ege' and exam.is_participant
    inner join {{ ref('int_official_method') }} as official on exam.measured_year = official.academic_year
    inner join {{ source('reference', 'method_category') }} as category
        on official.method_id = category.method_id and exam.participant_category = category.participant_category
    inner join {{ ref('int_school_head') }} as head on exam.school_id = head.school_id
    where exam.test_score is not null and not (indicator.attempt = 'first' and exam.is_additional)
    qualify row_number() over (
        partition by indicator.programme_id, indicator.indicator_id, exam.measured_year, exam.person_id, exam.subject_id
        order by
            case indicator.attempt when 'final' then -1 else 1 end
            * coalesce({{ days_between("date '1900-01-01'", 'exam.held_on') }}, 0),
            exam.arrival
    ) = 1
),

best as (
    select *
    from score
    qualify row_number() over (
        partition by programme_id, indicator_id, measured_year, person_id order by test_score desc
    ) <= subjects
),

person as (
    select
        programme_id,
        indicator_id,
        measured_year,
        person_id,
        min(head_school_id) as school_id,
        count(*) as taken,
        sum(test_score) as total,
        any_value(subjects) as subjects,
        any_value(minimum_sum) as minimum_sum
    from best
    group by programme_id, indicator_id, measured_year, person_id
),

counted as (
    select
        programme_id,
        indicator_id,
        measured_year,
        school_id,
        count(*) filter (where total >= minimum_sum) as numerator,
        count(*) as denominator,
        2 as preference
    from person
    where taken = subjects
    group by programme_id, indicator_id, measured_year, school_id
),

latest as (
    select *
    from {{ ref('stg_exam_sum') }}
    qualify arrival = max(arrival) over (partition by school_key_kind, school_key, measured_year)
),

reported as (
    select
        indicator.programme_id,
        indicator.indicator_id,
        latest.measured_year,
        head.head_school_id as school_id,
        sum(case indicator.minimum_sum
            when 220 then latest.at_least_220
            when 160 then coalesce(latest.at_least_160, latest.participants - latest.below_160)
        end) as numerator,
        sum(latest.participants) as denominator,
        1 as preference
    from latest
    inner join indicator on indicator.subjects = 3
    inner join {{ ref('int_school_key') }} as keys on {{ is_key_of('keys', 'latest') }}
    inner join {{ ref('int_school_head') }} as head on keys.school_id = head.school_id
    group by all
)

select
    programme_id,
    indicator_id,
    measured_year as academic_year,
    school_id,
    numerator,
    denominator
from (select * from counted union all select * from reported)
where numerator is not null
qualify row_number() over (
    partition by programme_id, indicator_id, measured_year, school_id order by preference
) = 1
