-- School × work × year: sums from which means and deviations of schools and of the region are made. Sums of whole points
-- are exact, so the figures do not depend on the order of rows.
with wanted as (
    {{ marker_procedures() }}
),

-- exams: the attempt that the official method counts
exam as (
    select
        outcome.academic_year,
        school.region_code,
        outcome.school_id,
        outcome.procedure_id,
        outcome.total_score as score,
        cast(null as double) as max_score,
        {{ joined('array_sort(outcome.delivery_ids)') }} as delivery_ids
    from {{ ref('int_exam_outcome') }} as outcome
    inner join {{ ref('int_official_method') }} as official
        on outcome.method_id = official.method_id and outcome.academic_year = official.academic_year
    inner join wanted on outcome.procedure_id = wanted.procedure_id
    inner join {{ ref('int_school') }} as school on outcome.school_id = school.school_id
    where outcome.total_score is not null and not school.is_no_school
),

pupil as (
    select academic_year, region_code, school_id, procedure_id, score, max_score, delivery_id as delivery_ids
    from {{ ref('int_marker_pupil') }}
    union all
    select * from exam
)

select
    academic_year,
    region_code,
    school_id,
    procedure_id,
    count(*) as participants,
    sum(score) as score_sum,
    sum(score * score) as square_sum,
    max(max_score) as max_score,
    {{ distinct_ids('delivery_ids') }} as delivery_ids
from pupil
group by academic_year, region_code, school_id, procedure_id
