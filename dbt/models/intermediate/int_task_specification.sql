-- Tasks of a work in the order of its protocol, as the latest specification of a year describes them. A task described
-- twice stands once, by its last row.
with latest as (
    select
        specification_year,
        test_grade,
        subject_id,
        position as row_position,
        source_row,
        {{ task_label('task_label') }} as task_label,
        level,
        max_score,
        coalesce(poop_block, skill_fgos) as title_ru,
        skill_fgos,
        coalesce(split(replace(skill_codes, ' ', ''), ';'), {{ no_texts() }}) as skill_codes,
        coalesce(split(replace(content_codes, ' ', ''), ';'), {{ no_texts() }}) as content_codes,
        delivery_id
    from {{ ref('stg_task_specification') }}
    where assessment = 'vpr' and specification_year is not null
    qualify arrival = max(arrival) over (partition by specification_year, test_grade, subject_id)
),

single as (
    select
        *,
        count(*) over (partition by specification_year, test_grade, subject_id, task_label) as rows_count
    from latest
    qualify row_number() over (
        partition by specification_year, test_grade, subject_id, task_label order by row_position desc, source_row desc
    ) = 1
)

select
    * {{ without('row_position, source_row') }},
    row_number() over (partition by specification_year, test_grade, subject_id order by row_position nulls last, source_row) as position
from single
