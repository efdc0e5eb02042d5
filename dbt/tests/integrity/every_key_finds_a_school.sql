{#
    Checks: every key of a school in the lake leads to a school of the mart.
    Resolve: at once; results without a school vanish.
    How: see int_key_owner: which kind of key has no provisional form?
#}
{{ config(meta={'dagster': {'ref': {'name': 'int_school_key'}}}) }}
select mention.key_kind, mention.key_value, mention.measured_year
from {{ ref('int_school_mention') }} as mention
left join {{ ref('int_school_key') }} as keys using (key_kind, key_value, measured_year, held_year)
left join {{ ref('school') }} as school on keys.school_id = school.school_id
where school.school_id is null
