-- What the headers of protocols say of their task columns, with the portion that they are of.
select
    task_column.*,
    {{ portion('task_column') }} as portion
from {{ source('delivery_log', 'task_column') }} as task_column
