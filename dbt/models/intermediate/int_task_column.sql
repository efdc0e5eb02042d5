-- Work × delivery × task column of its protocol: which task of the specification it is, and whether that can be believed.
-- Columns are matched by place. The greatest score decides: as the header names it, else as the answers show it.
{{ config(meta={'kept': 'portion'}) }}
with rule as (
    select * from {{ source('reference', 'deficit_setting') }}
),

place as (
    select
        academic_year,
        procedure_id,
        test_grade,
        subject_id,
        delivery_id,
        position,
        cast(coalesce(sum(pupils) filter (where score is not null), 0) as bigint) as given_count,
        cast(coalesce(sum(pupils) filter (where points is not null), 0) as bigint) as scores_count
    from {{ ref('int_task_answer') }}
    group by all
),

-- values beyond the last task are those of shifted rows
used as (
    select place.*
    from place
    cross join rule
    qualify given_count * 1000 >= rule.used_column_per_mille * max(given_count) over (
        partition by academic_year, procedure_id, delivery_id
    )
),

header as (
    select
        delivery_id,
        measured_year as academic_year,
        test_grade,
        subject_id,
        position,
        min(label) as label,
        min(max_score) as max_score,
        count(distinct label) > 1 or count(distinct max_score) > 1 as is_ambiguous
    from {{ ref('stg_task_column') }}
    where assessment = 'vpr'
    group by all
),

-- the year's own specification, else the one that the reference allows
serving as (
    select
        work.academic_year,
        work.test_grade,
        work.subject_id,
        specification.specification_year,
        specification.tasks_count
    from (select distinct academic_year, test_grade, subject_id from place) as work
    left join {{ source('reference', 'deficit_specification_year') }} as allowed
        on work.academic_year = allowed.academic_year
    inner join (
        select specification_year, test_grade, subject_id, count(*) as tasks_count
        from {{ ref('int_task_specification') }}
        group by all
    ) as specification
        on
            work.test_grade = specification.test_grade
            and work.subject_id = specification.subject_id
            and specification.specification_year in (work.academic_year, allowed.specification_year)
    qualify row_number() over (
        partition by work.academic_year, work.test_grade, work.subject_id
        order by specification.specification_year = work.academic_year desc
    ) = 1
),

described as (
    select
        used.*,
        max(used.position) over (partition by used.academic_year, used.procedure_id, used.delivery_id) as columns_count,
        serving.specification_year,
        serving.tasks_count,
        task.task_label,
        task.level,
        task.title_ru,
        task.max_score as task_max_score,
        case when header.max_score is not null then {{ task_label('header.label') }} end as header_label,
        header.max_score as header_max_score,
        coalesce(header.is_ambiguous, false) as is_ambiguous
    from used
    left join header
        on
            used.delivery_id = header.delivery_id
            and used.academic_year = header.academic_year
            and used.test_grade = header.test_grade
            and used.subject_id = header.subject_id
            and used.position = header.position
    left join serving
        on
            used.academic_year = serving.academic_year
            and used.test_grade = serving.test_grade
            and used.subject_id = serving.subject_id
    left join {{ ref('int_task_specification') }} as task
        on
            serving.specification_year = task.specification_year
            and used.test_grade = task.test_grade
            and used.subject_id = task.subject_id
            and used.position = task.position
),

scored as (
    select
        described.academic_year,
        described.procedure_id,
        described.delivery_id,
        described.position,
        coalesce(sum(answer.pupils) filter (where answer.points > described.task_max_score), 0) as above_count,
        coalesce(sum(answer.pupils) filter (where answer.points = described.task_max_score), 0) as reached_count
    from described
    inner join {{ ref('int_task_answer') }} as answer using (academic_year, procedure_id, delivery_id, position)
    group by all
),

compared as (
    select
        described.*,
        case
            when described.is_ambiguous then 'ambiguous'
            when described.specification_year is null and described.header_max_score is null then 'no_specification'
            when described.specification_year is null then 'header_only'
            when described.columns_count <> described.tasks_count then 'columns'
            when described.header_max_score is not null then case
                when described.header_max_score <> described.task_max_score then 'maximum'
                when described.header_label <> described.task_label then 'label'
                else 'header'
            end
            when
                scored.above_count >= rule.above_maximum_pupils
                and scored.above_count * 1000 > rule.above_maximum_per_mille * described.scores_count
                then 'maximum'
            when described.scores_count < rule.answers_to_judge then 'unproven'
            when scored.reached_count * 1000 < rule.reached_maximum_per_mille * described.scores_count then 'maximum'
            else 'observed'
        end as finding
    from described
    inner join scored using (academic_year, procedure_id, delivery_id, position)
    cross join rule
),

-- too many tasks that do not fit: another work is described
judged as (
    select
        compared.*,
        count(*) filter (where finding in ('maximum', 'label')) over same_work * 1000
        > rule.mismatched_tasks_per_mille * count(*) over same_work
        or finding = 'columns' as is_work_refused
    from compared
    cross join rule
    window same_work as (partition by compared.academic_year, compared.procedure_id, compared.delivery_id)
)

select
    academic_year,
    procedure_id,
    test_grade,
    subject_id,
    delivery_id,
    position,
    columns_count,
    tasks_count,
    given_count,
    specification_year,
    finding,
    is_work_refused,
    finding in ('header', 'observed', 'unproven', 'header_only') and not is_work_refused as is_usable,
    -- what stands in the columns of a refused work is not known
    case when not is_work_refused then coalesce(task_label, header_label) end as task_label,
    case when not is_work_refused then level end as level,
    case when not is_work_refused then title_ru end as title_ru,
    case
        when is_work_refused then null
        when finding in ('header', 'observed', 'unproven') then task_max_score
        when finding = 'header_only' then header_max_score
    end as max_score,
    task_max_score,
    header_label,
    header_max_score
from judged
