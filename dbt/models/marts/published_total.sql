-- Totals that reports print, beside the sums of the school rows of the same report and what was computed.
-- Counts of a report are recovered from shares with two decimals: a total may be off by a pupil for each such row.
with total as (
    select
        total.*,
        coalesce(total.below_minimum, total.count_2) as published_below_minimum
    from {{ ref('stg_aggregate_result') }} as total
    where total.territory_level <> 'school'
),

school as (
    select
        report.delivery_id,
        report.sheet,
        report.assessment,
        report.test_grade,
        report.subject_id,
        report.measured_year,
        report.school_key,
        report.participants,
        coalesce(report.below_minimum, report.count_2) as below_minimum,
        place.municipality_id
    from {{ ref('stg_aggregate_result') }} as report
    left join {{ ref('int_school_key') }} as keys on {{ is_key_of('keys', 'report', 'coalesce(report.held_year, report.measured_year)') }}
    left join {{ ref('int_school') }} as place on keys.school_id = place.school_id
    where report.territory_level = 'school'
),

named as (
    select
        total.*,
        coalesce(place.municipality_id, total.municipality_key) as municipality_id
    from total
    left join (select distinct municipality_id from {{ ref('int_school') }}) as place
        on total.municipality_key = place.municipality_id
),

reported as (
    select
        named.delivery_id,
        named.sheet,
        named.source_row,
        named.test_grade,
        named.subject_id,
        cast(sum(school.participants) as bigint) as report_participants,
        cast(sum(school.below_minimum) as bigint) as report_below_minimum,
        count(school.school_key) as schools
    from named
    inner join school
        on
            named.delivery_id = school.delivery_id
            and named.sheet is not distinct from school.sheet
            and named.assessment = school.assessment
            and named.test_grade = school.test_grade
            and named.subject_id = school.subject_id
            and named.measured_year = school.measured_year
            and (named.territory_level = 'region' or named.municipality_id = school.municipality_id)
    where named.territory_level <> 'country'
    group by named.delivery_id, named.sheet, named.source_row, named.test_grade, named.subject_id
),

computed as (
    select
        counted.academic_year,
        procedure.assessment,
        procedure.test_grade,
        procedure.subject_id,
        school.municipality_id,
        sum(counted.participants) as participants,
        sum(counted.below_minimum) as below_minimum
    from {{ ref('int_result_count') }} as counted
    inner join {{ ref('int_official_method') }} as official
        on counted.method_id = official.method_id and counted.academic_year = official.academic_year
    inner join {{ source('reference', 'procedure_subject') }} as procedure on counted.procedure_id = procedure.procedure_id
    inner join {{ ref('int_school') }} as school on counted.school_id = school.school_id
    where procedure.assessment = 'vpr'
    group by all
),

computed_total as (
    select
        named.delivery_id,
        named.sheet,
        named.source_row,
        named.test_grade,
        named.subject_id,
        cast(sum(computed.participants) as bigint) as computed_participants,
        cast(sum(computed.below_minimum) as bigint) as computed_below_minimum
    from named
    inner join computed
        on
            named.measured_year = computed.academic_year
            and named.assessment = computed.assessment
            and named.test_grade = computed.test_grade
            and named.subject_id = computed.subject_id
            and (named.territory_level = 'region' or named.municipality_id = computed.municipality_id)
    where named.territory_level <> 'country'
    group by named.delivery_id, named.sheet, named.source_row, named.test_grade, named.subject_id
),

compared as (
    select
        named.*,
        reported.report_participants,
        reported.report_below_minimum,
        reported.schools,
        computed_total.computed_participants,
        computed_total.computed_below_minimum,
        case
            when reported.schools is null then 'not_comparable'
            when reported.report_participants < named.participants then 'partial'
            when reported.report_participants > named.participants then 'differs'
            -- a share with two decimals gives back a whole number unless there are more than 10 000 participants
            when abs(reported.report_below_minimum - named.published_below_minimum) > named.participants / 10000
                then 'differs'
            else 'agrees'
        end as status
    from named
    left join reported
        on
            named.delivery_id = reported.delivery_id
            and named.sheet is not distinct from reported.sheet
            and named.source_row = reported.source_row
            and named.test_grade = reported.test_grade
            and named.subject_id = reported.subject_id
    left join computed_total
        on
            named.delivery_id = computed_total.delivery_id
            and named.sheet is not distinct from computed_total.sheet
            and named.source_row = computed_total.source_row
            and named.test_grade = computed_total.test_grade
            and named.subject_id = computed_total.subject_id
)

select
    delivery_id,
    coalesce(sheet, '') as sheet,
    source_row,
    measured_year as academic_year,
    assessment,
    test_grade,
    subject_id,
    territory_level,
    coalesce(municipality_label, school_label) as territory_name,
    case when territory_level = 'municipality' then municipality_id end as municipality_id,
    participants as published_participants,
    published_below_minimum,
    report_participants,
    report_below_minimum,
    computed_participants,
    computed_below_minimum,
    status,
    case status
        when 'not_comparable' then 'строк школ этой территории в отчёте нет, сверить не с чем'
        when 'partial' then 'в строках школ ' || report_participants || ' участников из ' || participants
        when 'differs' then 'в итоге ' || participants || ' участников, ниже минимума ' || published_below_minimum
            || '; по строкам школ ' || report_participants || ' и ' || report_below_minimum
        else 'сходится с суммой школ: ' || schools
    end
    || case
        when computed_participants = participants and computed_below_minimum <> published_below_minimum
            then '; по принятым протоколам ниже минимума ' || computed_below_minimum
        else ''
    end as note_ru
from compared
