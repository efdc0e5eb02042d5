-- Year of the list × school × method: what the official list says of the school and what the list of the method would.
-- The official method stands beside itself, so that its list is summed up in the same way. A year without anything to
-- judge by in one of the two is not compared.
with list_year as (
    select
        method_id,
        academic_year
    from {{ ref('int_school_status') }}
    group by method_id, academic_year
    having bool_or(is_assessed)
),

list as (
    select status.*
    from {{ ref('int_school_status') }} as status
    inner join list_year on status.method_id = list_year.method_id and status.academic_year = list_year.academic_year
),

compared as (
    select
        official.academic_year,
        official.school_id,
        other.method_id,
        official.method_id as official_method_id,
        official.is_shnor as in_official,
        other.is_shnor as in_other,
        other.is_assessed as is_assessed_by_other,
        case
            when other.is_shnor and official.is_shnor then 'both'
            when other.is_shnor then 'enters'
            when official.is_shnor then 'leaves'
            else 'neither'
        end as movement,
        {%- for method in ['official', 'other'] %}
        case when {{ method }}.assessed_previous > 0 then {{ method }}.low_previous end as {{ method }}_low_previous_year,
        case when {{ method }}.assessed_before > 0 then {{ method }}.low_before end as {{ method }}_low_year_before,
        {{ decision_ru(method) }} as {{ method }}_ru,
        {%- endfor %}
        {%- for column in ['evidence_participants', 'reliability', 'reliability_ru', 'holds_at_confidence'] %}
        -- of the list that the school is in, of the compared one if it is in both
        case when other.is_shnor then other.{{ column }} when official.is_shnor then official.{{ column }} end
            as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from list as official
    inner join {{ ref('int_official_method') }} as chosen
        on official.method_id = chosen.method_id and official.academic_year = chosen.academic_year
    inner join list as other on official.academic_year = other.academic_year and official.school_id = other.school_id
)

select
    * {{ without('official_ru, other_ru') }},
    case when movement in ('enters', 'leaves')
        then 'по этой методике ' || other_ru || '; по официальной ' || official_ru
    end as reason_ru
from compared
