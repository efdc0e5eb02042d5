{#
    Checks: every value is one that the registry allows: its vocabulary, its range.
    Resolve: before a release; readers rely on the closed lists.
    How: correct the model, or add the value to schemas/marts/*.yaml and run `python -m schemas.contracts`.
#}
{% test values_in_registry(model, vocabulary={}, ranges={}) %}
{% for column, words in vocabulary.items() %}
select '{{ column }}' as column_name, cast({{ column }} as string) as value, count(*) as rows_with_it
from {{ model }}
where {{ column }} not in ({% for word in words %}'{{ word }}'{{ ', ' if not loop.last }}{% endfor %})
group by {{ column }}
union all
{% endfor %}
{% for column, range in ranges.items() %}
select '{{ column }}', cast({{ column }} as string), count(*)
from {{ model }}
where not ({{ column }} >= {{ range[0] if range[0] is not none else column }} and {{ column }} <= {{ range[1] if range[1] is not none else column }})
group by {{ column }}
union all
{% endfor %}
select null, null, 0
where false
{% endtest %}
