-- Agreements of two schools. The year of signing is added, so that schools are found as elsewhere.
with active as (
    {{ active_rows('partner_agreement') }}
)

select
    *,
    {{ academic_year_of('signed_on') }} as measured_year,
    {{ academic_year_of('signed_on') }} as held_year
from active
