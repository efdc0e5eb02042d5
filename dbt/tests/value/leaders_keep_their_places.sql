{#
    Checks: nobody is proposed to a leader who has as many schools as the rules allow; agreements alone may be more.
    Resolve: before a release; a leader would be promised twice.
    How: see `assign` in opora/analysis/partners.py and capacity in reference/partners.
#}
{{ config(meta={'dagster': {'ref': {'name': 'partnership'}}}) }}
select pair.academic_year, pair.leader_school_id, count(*) as schools
from {{ ref('partnership') }} as pair
inner join {{ source('reference', 'partner_rule') }} as rule on pair.academic_year = rule.academic_year
where pair.origin is not null
group by pair.academic_year, pair.leader_school_id
having count(*) > max(rule.capacity) and count(*) filter (where pair.origin = 'proposal') > 0
