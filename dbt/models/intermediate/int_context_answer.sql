-- Year × school × question: the answer that counts, as a number. A form is one statement: of several deliveries of one
-- form the newest counts as a whole, and a cell left empty in it is unknown. What is not known has no row.
with delivered as (
    select
        answer.measured_year as academic_year,
        keys.school_id,
        question.form_id,
        question.question_id,
        case when question.is_coded then coded.value else answer.value_number end as value,
        answer.delivery_id,
        -- a school that was taken in speaks only where the school itself says nothing
        keys.own_school_id = keys.school_id as is_own,
        answer.arrival,
        answer.sheet,
        answer.source_row
    from {{ ref('stg_context_value') }} as answer
    inner join {{ source('reference', 'context_question') }} as question on answer.indicator_id = question.question_id
    inner join {{ ref('int_school_key') }} as keys on {{ is_key_of('keys', 'answer') }}
    left join {{ source('reference', 'context_answer') }} as coded
        on answer.indicator_id = coded.question_id and answer.value_text = coded.value_text
),

newest as (
    select *
    from delivered
    qualify dense_rank() over (partition by academic_year, school_id, form_id order by is_own desc, arrival desc) = 1
),

year as (
    select distinct academic_year from delivered
),

-- the register as it was at the end of the year, else as it was last written
registered as (
    {%- for question, value in [
        ('register_enrolment', 'register.enrolment'),
        ('register_settlement', "case register.settlement_type when 'urban' then 1 when 'rural' then 2 end"),
    ] %}
    select
        year.academic_year,
        register.school_id,
        'register' as form_id,
        '{{ question }}' as question_id,
        cast({{ value }} as double) as value,
        register.delivery_id
    from {{ ref('int_register_school') }} as register
    cross join year
    where {{ value }} is not null
    qualify row_number() over (
        partition by year.academic_year, register.school_id
        order by
            {{ holds_on(key_date('year.academic_year', 'year.academic_year'), 'register.valid_from', 'register.valid_to') }} desc,
            register.recency desc
    ) = 1
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

answered as (
    select academic_year, school_id, form_id, question_id, value, delivery_id
    from newest
    where value is not null
    -- two keys of one school in one delivery: the first row
    qualify row_number() over (partition by academic_year, school_id, question_id order by sheet, source_row) = 1
)

select * from answered
union all
select * from registered
