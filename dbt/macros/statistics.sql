{# The quantile of the standard normal distribution for p above one half (Acklam's approximation, error below 2e-9). #}
{% macro normal_quantile(p) -%}
case
    when {{ p }} <= 0.97575 then
        ({{ p }} - 0.5)
        * (((((-39.69683028665376 * pow({{ p }} - 0.5, 2) + 220.9460984245205) * pow({{ p }} - 0.5, 2)
            - 275.9285104469687) * pow({{ p }} - 0.5, 2) + 138.3577518672690) * pow({{ p }} - 0.5, 2)
            - 30.66479806614716) * pow({{ p }} - 0.5, 2) + 2.506628277459239)
        / (((((-54.47609879822406 * pow({{ p }} - 0.5, 2) + 161.5858368580409) * pow({{ p }} - 0.5, 2)
            - 155.6989798598866) * pow({{ p }} - 0.5, 2) + 66.80131188771972) * pow({{ p }} - 0.5, 2)
            - 13.28068155288572) * pow({{ p }} - 0.5, 2) + 1)
    else
        -(((((-0.007784894002430293 * sqrt(-2 * ln(1 - {{ p }})) - 0.3223964580411365) * sqrt(-2 * ln(1 - {{ p }}))
            - 2.400758277161838) * sqrt(-2 * ln(1 - {{ p }})) - 2.549732539343734) * sqrt(-2 * ln(1 - {{ p }}))
            + 4.374664141464968) * sqrt(-2 * ln(1 - {{ p }})) + 2.938163982698783)
        / ((((0.007784695709041462 * sqrt(-2 * ln(1 - {{ p }})) + 0.3224671290700398) * sqrt(-2 * ln(1 - {{ p }}))
            + 2.445134137142996) * sqrt(-2 * ln(1 - {{ p }})) + 3.754408661907416) * sqrt(-2 * ln(1 - {{ p }})) + 1)
end
{%- endmacro %}

{# Wilson's interval for k of n. The ends are held inside 0 and 1 against rounding. #}
{% macro wilson(k, n, z, sign) -%}
greatest(0.0, least(1.0,
    (
        ({{ k }} + {{ z }} * {{ z }} / 2.0)
        {{ sign }} {{ z }} * sqrt({{ k }} * ({{ n }} - {{ k }}) * 1e0 / {{ n }} + {{ z }} * {{ z }} / 4.0)
    ) / ({{ n }} + {{ z }} * {{ z }})
))
{%- endmacro %}

{# The standard deviation from the number, the sum and the sum of squares; null where there is none. `kind` is a column
   with the word `sample` (n - 1) or `population` (n). #}
{% macro standard_deviation(n, total, squares, kind) -%}
sqrt(greatest(0.0, {{ squares }} - {{ total }} * {{ total }} / {{ n }}) / nullif({{ n }} - case {{ kind }} when 'sample' then 1 else 0 end, 0))
{%- endmacro %}

{# Newcombe's interval for the change of a share, later less earlier, from the two shares and their Wilson intervals
   (Newcombe, 1998, method 10). The ends are held inside -1 and 1 against rounding. #}
{% macro newcombe_low(earlier, earlier_low, earlier_high, later, later_low, later_high) -%}
greatest(-1.0, {{ later }} - {{ earlier }}
    - sqrt(pow({{ later }} - {{ later_low }}, 2) + pow({{ earlier_high }} - {{ earlier }}, 2)))
{%- endmacro %}

{% macro newcombe_high(earlier, earlier_low, earlier_high, later, later_low, later_high) -%}
least(1.0, {{ later }} - {{ earlier }}
    + sqrt(pow({{ later_high }} - {{ later }}, 2) + pow({{ earlier }} - {{ earlier_low }}, 2)))
{%- endmacro %}

{# Later share less earlier share of counts, as a whole number that has its sign: shares are compared as fractions. #}
{% macro share_difference(earlier_count, earlier_total, later_count, later_total) -%}
({{ later_count }} * {{ earlier_total }} - {{ earlier_count }} * {{ later_total }})
{%- endmacro %}

{# The one definition of positive dynamics: a change to the better by more than the tolerance. What lies within it is
   «without change», apart from better and worse; with nothing to compare there is no dynamics. #}
{% macro dynamics(change, direction, tolerance='0') -%}
case
    when {{ change }} is null or {{ direction }} = 'none' then null
    when abs({{ change }}) <= {{ tolerance }} + 1e-9 then 'unchanged'
    when ({{ change }} > 0) = ({{ direction }} = 'up') then 'improved'
    else 'worsened'
end
{%- endmacro %}

{# An end of the interval that the method wants: Wilson's, or the exact one that an analysis has found for these counts.
   Empty where the result of somebody is unknown. #}
{% macro interval_end(counted, exact, method, end) -%}
case
    when {{ counted }}.unknown_count > 0 then null
    when {{ method }}.share_interval = 'exact' then {{ exact }}.share_ci_{{ end }}
    else {{ wilson(counted ~ '.below_minimum', counted ~ '.participants', method ~ '.z', '-' if end == 'low' else '+') }}
end
{%- endmacro %}
