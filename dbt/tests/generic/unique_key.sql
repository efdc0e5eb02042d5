{#
    Checks: no two rows share the key of the table, and no part of the key is null.
    Resolve: at once; readers join by this key.
    How: look at the rows below, find the model that multiplied them (usually a join to a table with repeated keys).
#}
{% test unique_key(model, columns) %}
select
    {{ columns | join(', ') }},
    count(*) as rows_with_this_key
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1 {% for column in columns %} or {{ column }} is null{% endfor %}
{% endtest %}
