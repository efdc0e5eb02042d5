{# Does the lower end of the interval for k of n reach the share num / den? Answered by the test that the interval is
   made of, so that the threshold stays in integers: Wilson's is (k − n·t)² ≥ z²·n·t·(1 − t) on the upper side, the exact
   one P(Binomial(n, t) ≥ k) ≤ (1 − confidence) / 2. `method` has the columns of reference.method and z. #}
{% macro interval_reaches(k, n, method) -%}
case {{ method }}.share_interval
    when 'wilson' then
        {{ k }} * {{ method }}.low_share_denominator >= {{ method }}.low_share_numerator * {{ n }}
        and pow({{ k }} * {{ method }}.low_share_denominator - {{ method }}.low_share_numerator * {{ n }}, 2)
        >= {{ method }}.z * {{ method }}.z * {{ n }} * {{ method }}.low_share_numerator
        * ({{ method }}.low_share_denominator - {{ method }}.low_share_numerator)
    when 'exact' then
        {{ k }} > 0
        and 1 - {{ probability_at_least('(' ~ k ~ ' - 1)', '(' ~ n ~ ' - 1)', method ~ '.low_share') }}
        <= (1 - {{ method }}.confidence) / 2
end
{%- endmacro %}

{# Is k of n a low result by the method? The order compares the shares, in integers. #}
{% macro reaches_threshold(k, n, method) -%}
case {{ method }}.low_result_decided_by
    when 'share' then {{ k }} * {{ method }}.low_share_denominator >= {{ method }}.low_share_numerator * {{ n }}
    when 'interval' then {{ interval_reaches(k, n, method) }}
    when 'probability' then
        {{ probability_at_least(k, n, method ~ '.low_share') }} >= {{ method }}.confidence
end
{%- endmacro %}

{# The flag: participants whose result is unknown may tip the scale, and then nothing is said; nor is it of fewer
   participants than the method wants. `counted` has participants, below_minimum and unknown_count. #}
{% macro is_low(counted, method) -%}
case
    when {{ counted }}.participants < {{ method }}.minimum_participants then null
    when {{ reaches_threshold(counted ~ '.below_minimum', counted ~ '.participants', method) }} then true
    when not ({{ reaches_threshold(
        '(' ~ counted ~ '.below_minimum + ' ~ counted ~ '.unknown_count)', counted ~ '.participants', method
    ) }}) then false
end
{%- endmacro %}

{# The methods with what their rules are reckoned in. #}
{% macro methods_for_rules() -%}
select
    *,
    {{ normal_quantile('(1 + confidence) / 2') }} as z,
    cast(low_share_numerator as double) / low_share_denominator as low_share
from {{ source('reference', 'method') }}
{%- endmacro %}

{# The two branches of the rule over counts named `low_…` or `sure_…` of `counts`: at least so many procedures in the
   previous year; at least so many in each of the two years, the same ones if the method wants so. #}
{% macro two_procedures(kind, counts, method) -%}
{{ counts }}.{{ kind }}_previous >= {{ method }}.previous_year_low_procedures
{%- endmacro %}

{% macro two_years(kind, counts, method, repeated) -%}
case when {{ method }}.same_procedure_required
    then {{ counts }}.{{ repeated }} >= {{ method }}.both_years_low_procedures
    else least({{ counts }}.{{ kind }}_previous, {{ counts }}.{{ kind }}_before) >= {{ method }}.both_years_low_procedures
end
{%- endmacro %}
