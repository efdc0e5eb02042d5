-- The academic years in which a method has anything to look at.
select distinct
    method_id,
    academic_year
from {{ ref('int_result_count') }}
