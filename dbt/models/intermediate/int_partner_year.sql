-- Academic year × supported school × leader: an agreement is in force on some day of the year. Of several the latest
-- signed is named.
select
    year.academic_year,
    agreement.school_id,
    agreement.leader_school_id,
    max_by(agreement.source, agreement.signed_on) as source,
    {{ string_agg('agreement.document_ref', '; ', 'agreement.document_ref', distinct=true) }} as document_ref,
    max(agreement.signed_on) as signed_on,
    max(agreement.in_force_to) as in_force_to,
    max(agreement.valid_to) as valid_to,
    {{ string_agg('agreement.programme_id', ';', 'agreement.programme_id', distinct=true) }} as programme_id,
    {{ string_agg('agreement.delivery_id', ';', 'agreement.delivery_id', distinct=true) }} as delivery_ids
from {{ ref('int_partner_agreement') }} as agreement
inner join {{ source('reference', 'academic_year') }} as year
    on
        agreement.signed_on <= make_date(cast(year.start_year as integer) + 1, 8, 31)
        and agreement.in_force_to >= make_date(cast(year.start_year as integer), 9, 1)
group by year.academic_year, agreement.school_id, agreement.leader_school_id
