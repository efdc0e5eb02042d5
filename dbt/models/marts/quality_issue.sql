with issue as (
    select
        delivery_id,
        sheet,
        source_row,
        column_name,
        value,
        check_id,
        severity,
        reason_ru,
        remedy_ru,
        academic_year,
        'intake' as found_by
    from {{ source('delivery_log', 'issue') }}
    union all
    select
        delivery_id,
        null,
        null,
        column_name,
        value,
        check_id,
        'warning',
        reason_ru,
        remedy_ru,
        academic_year,
        'marts'
    from {{ ref('int_data_issue') }} as found
    -- intake may have seen the same already
    where (delivery_id, check_id) not in (select delivery_id, check_id from {{ source('delivery_log', 'issue') }})
)

select
    issue.delivery_id || '-' || row_number() over (
        partition by issue.delivery_id
        order by
            issue.found_by, issue.sheet nulls last, issue.source_row nulls last, issue.column_name nulls last, issue.check_id,
            issue.value nulls last, issue.reason_ru
    ) as issue_id,
    issue.delivery_id,
    delivery.file_name,
    issue.* {{ without('delivery_id') }},
    delivery.replaced_by is null as is_active
from issue
inner join {{ ref('stg_delivery') }} as delivery on issue.delivery_id = delivery.delivery_id
