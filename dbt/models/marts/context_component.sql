select
    cell.academic_year,
    cell.school_id,
    cell.component_id,
    component.title_ru,
    component.component_group,
    component.unit,
    cell.value,
    case component.unit
        when 'flag' then case cell.value when 1 then 'да' when 0 then 'нет' end
        when 'code' then label.label_ru
    end as value_ru,
    cell.is_known,
    cell.unknown_reason,
    case cell.unknown_reason
        when 'not_asked' then 'За этот год анкеты с таким вопросом не пришло ни от одной школы.'
        when 'no_form' then 'От школы не пришла анкета с этим вопросом, от других школ пришла.'
        when 'not_answered' then 'В анкете школы ответа нет, или он отложен при приёме: причина в замечаниях к поставке.'
        when 'zero_denominator' then 'Доля от нуля не определена.'
        when 'out_of_range' then 'Ответы дают невозможное значение; оно не принято.'
        else coalesce(way.note_ru, case when cell.source_ids like '%register%' then 'Взято из реестра: в анкетах ответа нет.' end)
    end as reason_ru,
    cell.source_ids,
    source.source_ru,
    component.evidence,
    cell.delivery_ids
from {{ ref('int_context_component') }} as cell
inner join {{ source('reference', 'context_component_list') }} as component on cell.component_id = component.component_id
left join {{ source('reference', 'context_way') }} as way on cell.component_id = way.component_id and cell.way = way.way
left join {{ source('reference', 'context_label') }} as label on cell.component_id = label.component_id and cell.value = label.value
left join (
    select
        cell.source_ids,
        {{ string_agg('form.title_ru', '; ', 'form.form_id') }} as source_ru
    from (select distinct source_ids from {{ ref('int_context_component') }} where source_ids is not null) as cell
    inner join {{ source('reference', 'context_form') }} as form
        on ';' || cell.source_ids || ';' like '%;' || form.form_id || ';%'
    group by cell.source_ids
) as source on cell.source_ids = source.source_ids
