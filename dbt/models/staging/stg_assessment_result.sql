-- The rows of participants that hold, with their portion. Their deliveries tell whether they have changed.
{{ config(meta={'told_by': 'int_delivered_work'}) }}
select
    result.*,
    {{ portion('result') }} as portion
from ({{ active_rows('assessment_result') }}) as result
