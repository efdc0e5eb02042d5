-- Every way in which a file may name a factor, an indicator or a stage, as names are compared.
select distinct
    kind,
    code,
    {{ risk_name_key('name') }} as name_key
from {{ source('reference', 'risk_name') }}
