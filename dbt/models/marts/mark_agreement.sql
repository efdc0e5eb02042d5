{%- set outcomes = ['lowered', 'confirmed', 'raised'] -%}
{%- set levels = {'school': 'school_id', 'municipality': 'municipality_id', 'region': 'region_code'} -%}
with setting as (
    select {{ normal_quantile('(1 + confidence) / 2') }} as z from {{ source('reference', 'journal') }}
),

-- protocols beat the report; the report stands beside them where both are
school as (
    select
        coalesce(counted.academic_year, report.academic_year) as academic_year,
        coalesce(counted.school_id, report.school_id) as school_id,
        coalesce(counted.procedure_id, report.procedure_id) as procedure_id,
        case when counted.school_id is not null then 'participants' else 'report' end as source,
        counted.participants,
        {%- for name in ['compared'] + outcomes %}
        coalesce(counted.{{ name }}_count, report.{{ name }}_count) as {{ name }}_count,
        report.{{ name }}_count as reported_{{ name }}_count,
        {%- endfor %}
        counted.far_apart_count,
        counted.compared_count as far_apart_base,
        coalesce(counted.mark_origins, {{ list_of("'report'") }}) as mark_origins,
        concat_ws(';', counted.delivery_ids, report.delivery_ids) as delivery_ids
    from (select * from {{ ref('int_vpr_summary') }} where compared_count > 0) as counted
    full outer join {{ ref('int_reported_agreement') }} as report using (academic_year, school_id, procedure_id)
),

placed as (
    select
        school.*,
        place.municipality_id,
        place.region_code,
        source = 'participants' and reported_compared_count is not null as has_both
    from school
    inner join {{ ref('int_school') }} as place on school.school_id = place.school_id
    where not place.is_no_school and school.compared_count > 0
),

territory as (
    {%- for level, key in levels.items() %}
    select
        academic_year,
        procedure_id,
        '{{ level }}' as territory_level,
        {{ key }} as territory_id,
        case when min(source) = max(source) then min(source) else 'mixed' end as source,
        count(*) as schools_count,
        cast(sum(participants) as bigint) as participants,
        {%- for name in ['compared'] + outcomes %}
        cast(sum({{ name }}_count) as bigint) as {{ name }}_count,
        {%- endfor %}
        cast(sum(far_apart_count) as bigint) as far_apart_count,
        cast(sum(far_apart_base) as bigint) as far_apart_base,
        count(*) filter (where has_both) as both_sources_count,
        count(*) filter (
            where has_both
            {%- for name in outcomes %} and {{ name }}_count = reported_{{ name }}_count{% endfor %}
        ) as reconciled_count,
        array_distinct(flatten(array_agg(mark_origins))) as mark_origins,
        {{ distinct_ids_of_lists("split(delivery_ids, ';')") }} as delivery_ids
    from placed
    group by academic_year, procedure_id, {{ key }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select
    territory.academic_year,
    territory.procedure_id,
    territory.territory_level,
    territory.territory_id,
    territory.source,
    territory.schools_count,
    territory.participants,
    territory.compared_count,
    {%- for name in outcomes %}
    territory.{{ name }}_count,
    territory.{{ name }}_count / territory.compared_count as {{ name }}_share,
    {{ wilson('territory.' ~ name ~ '_count', 'territory.compared_count', 'setting.z', '-') }} as {{ name }}_ci_low,
    {{ wilson('territory.' ~ name ~ '_count', 'territory.compared_count', 'setting.z', '+') }} as {{ name }}_ci_high,
    {%- endfor %}
    territory.far_apart_count,
    territory.far_apart_base,
    territory.far_apart_count / territory.far_apart_base as far_apart_share,
    case when territory.far_apart_base > 0
        then {{ wilson('territory.far_apart_count', 'territory.far_apart_base', 'setting.z', '-') }}
    end as far_apart_ci_low,
    case when territory.far_apart_base > 0
        then {{ wilson('territory.far_apart_count', 'territory.far_apart_base', 'setting.z', '+') }}
    end as far_apart_ci_high,
    band.informativeness,
    band.label_ru as informativeness_ru,
    territory.both_sources_count,
    territory.reconciled_count,
    case when {{ list_length('territory.mark_origins') }} > 1 then 'mixed' else {{ list_item('territory.mark_origins', 1) }} end as mark_origin,
    territory.delivery_ids
from territory
cross join setting
inner join {{ source('reference', 'journal_band') }} as band
    on
        territory.compared_count >= band.participants_from
        and territory.compared_count <= coalesce(band.participants_to, territory.compared_count)
