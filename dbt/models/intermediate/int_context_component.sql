-- The complete matrix year × school × condition, for the years in which any form of conditions was delivered. The first
-- way of the catalogue whose answers are all known gives the value; what is not known stays null and says why.
with year as (
    select distinct academic_year from {{ ref('int_context_answer') }}
),

cell as (
    select
        year.academic_year,
        school.school_id,
        component.component_id
    from year
    cross join {{ ref('int_school') }} as school
    cross join {{ source('reference', 'context_component_list') }} as component
    where
        not school.is_no_school
        -- a school that was taken in is part of another one
        and coalesce(school.merged_on > {{ key_date('year.academic_year', 'year.academic_year') }}, school.merged_into_school_id is null)
),

answered as (
    select
        answer.academic_year,
        answer.school_id,
        term.component_id,
        term.way,
        sum(coalesce(map.value, answer.value)) filter (where term.side = 'numerator') as numerator,
        sum(answer.value) filter (where term.side = 'denominator') as denominator,
        count(*) filter (where term.side = 'numerator' and (map.value is not null or not way.is_mapped)) as numerators,
        count(*) filter (where term.side = 'denominator') as denominators,
        {{ string_agg('answer.form_id', ';', 'answer.form_id', distinct=true) }} as source_ids,
        {{ string_agg('answer.delivery_id', ';', 'answer.delivery_id', distinct=true) }} as delivery_ids
    from {{ ref('int_context_answer') }} as answer
    inner join {{ source('reference', 'context_way_term') }} as term on answer.question_id = term.question_id
    inner join {{ source('reference', 'context_way') }} as way
        on term.component_id = way.component_id and term.way = way.way
    left join {{ source('reference', 'context_way_map') }} as map
        on term.component_id = map.component_id and term.way = map.way and answer.value = map.answer
    group by all
),

valued as (
    select
        answered.*,
        -- rounded, so that 35 % and 7 of 20 are one share
        {{ rounded('way.factor * answered.numerator / case when way.denominators = 0 then 1 else nullif(answered.denominator, 0) end', 12) }}
            as value,
        component.at_least,
        component.at_most
    from answered
    inner join {{ source('reference', 'context_way') }} as way
        on answered.component_id = way.component_id and answered.way = way.way
    inner join {{ source('reference', 'context_component_list') }} as component
        on answered.component_id = component.component_id
    where answered.numerators = way.numerators and answered.denominators = way.denominators
),

known as (
    select *
    from valued
    where value >= at_least and coalesce(value <= at_most, true)
    qualify row_number() over (partition by academic_year, school_id, component_id order by way) = 1
),

-- what the forms of the ways say of cells without a value
refused as (
    select
        academic_year,
        school_id,
        component_id,
        bool_or(value is not null) as is_out_of_range
    from valued
    group by academic_year, school_id, component_id
),

form_of_component as (
    select distinct term.component_id, question.form_id
    from {{ source('reference', 'context_way_term') }} as term
    inner join {{ source('reference', 'context_question') }} as question on term.question_id = question.question_id
    where question.form_id <> 'register'
),

delivered as (
    select distinct answer.academic_year, answer.school_id, form.component_id
    from {{ ref('int_context_answer') }} as answer
    inner join form_of_component as form on answer.form_id = form.form_id
),

asked as (
    select distinct academic_year, component_id from delivered
)

select
    cell.academic_year,
    cell.school_id,
    cell.component_id,
    known.value,
    known.value is not null as is_known,
    known.source_ids,
    known.delivery_ids,
    known.way,
    case
        when known.value is not null then null
        when refused.is_out_of_range then 'out_of_range'
        when refused.component_id is not null then 'zero_denominator'
        when delivered.component_id is not null then 'not_answered'
        when asked.component_id is not null then 'no_form'
        else 'not_asked'
    end as unknown_reason
from cell
left join known using (academic_year, school_id, component_id)
left join refused using (academic_year, school_id, component_id)
left join delivered using (academic_year, school_id, component_id)
left join asked using (academic_year, component_id)
