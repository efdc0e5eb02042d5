{{ territory_summary(['region_code']) }}
