{#
    Checks: a rule of the registry about a whole row. A null result holds: the rule speaks only of values that are there.
    Resolve: before a release.
    How: the rule and what to do are in schemas/marts/<table>.yaml under `rules`.
#}
{% test rule_holds(model, rule_id, holds) %}
select *
from {{ model }}
where not ({{ holds }})
{% endtest %}
