{#
    Checks: status, list, basis, movement and years in a row tell the same story.
    Resolve: at once; the list would contradict itself.
    How: see int_school_status and school_status.
#}
{{ config(meta={'dagster': {'ref': {'name': 'school_status'}}}) }}
select
    this.academic_year,
    this.school_id,
    this.status,
    this.listing,
    this.years_listed_in_a_row
from {{ ref('school_status') }} as this
inner join {{ source('reference', 'academic_year') }} as year on this.academic_year = year.academic_year
left join {{ ref('school_status') }} as former
    on this.school_id = former.school_id and year.previous_year = former.academic_year
where
    (this.status = 'shnor') <> this.is_shnor
    or (this.shnor_basis is not null) <> coalesce(this.meets_shnor_rule, false)
    or (this.evidence_participants is not null) <> coalesce(this.meets_shnor_rule, false)
    or this.is_shnor <> (this.years_listed_in_a_row > 0)
    or this.is_shnor <> (this.listing in ('new', 'continuing'))
    or this.is_shnor
    and this.years_listed_in_a_row <> 1 + coalesce(former.years_listed_in_a_row, 0)
    or (this.listing = 'continuing') <> (this.is_shnor and coalesce(former.is_shnor, false))
    or (this.listing = 'left' and not coalesce(former.is_shnor, false))
    or (not this.is_assessed and this.undecided_reason_ru is null)
