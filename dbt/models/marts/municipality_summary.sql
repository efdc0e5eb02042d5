{{ territory_summary(['municipality_id', 'municipality_name', 'region_code']) }}
