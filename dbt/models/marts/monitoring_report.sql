-- a programme none of whose schools is here is not run here
with running as (
    select distinct programme_id from {{ ref('int_programme_school') }} where is_own
),

item as (
    select
        programme_id,
        'indicator' as item_kind,
        indicator_id as item_id,
        title_ru,
        period,
        due_from,
        due_on,
        due_on as next_due_on,
        as_of,
        status,
        -- figures that should be there by now and are not; a plan that is not met is no overdue report
        status = 'no_data' and is_computable and due_on < as_of and programme_id in (select programme_id from running) as is_overdue,
        {{ days_between('due_on', 'as_of') }} as days_overdue,
        unit,
        target as planned,
        value as actual,
        case when kind not in ('change_of_count', 'change_of_share') then value_at_quarter_start end as actual_at_quarter_start,
        responsible_ru,
        no_data_reason_ru,
        sort_order
    from {{ ref('indicator') }}
    where is_judged and not is_baseline
    union all
    select
        programme_id,
        'measure',
        measure_id,
        title_ru,
        period,
        due_from,
        due_on,
        next_due_on,
        as_of,
        status,
        status = 'overdue',
        days_overdue,
        unit,
        planned,
        actual,
        actual_at_quarter_start,
        responsible_ru,
        no_data_reason_ru,
        sort_order
    from {{ ref('measure') }}
    where is_judged
)

select
    item.programme_id,
    item.item_kind,
    item.item_id,
    item.period,
    item.title_ru,
    year(item.as_of) || '-Q' || quarter(item.as_of) as quarter,
    item.as_of,
    item.due_from,
    item.due_on,
    case when item.next_due_on >= item.as_of then item.next_due_on end as next_due_on,
    coalesce(item.due_on < item.as_of, false) as is_due,
    item.status,
    coalesce(item.is_overdue, false) as is_overdue,
    cast(case when item.is_overdue then item.days_overdue end as bigint) as days_overdue,
    item.unit,
    item.planned,
    item.actual,
    item.actual_at_quarter_start,
    case when item.actual_at_quarter_start is not null or item.item_kind = 'measure'
        then item.actual - coalesce(item.actual_at_quarter_start, 0)
    end as change_since_quarter_start,
    coalesce(item.responsible_ru, 'В документе не назван: ' || programme.territory_ru) as responsible_ru,
    item.no_data_reason_ru,
    item.sort_order
from item
inner join {{ ref('int_programme') }} as programme on item.programme_id = programme.programme_id
