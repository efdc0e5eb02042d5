{{ active_rows('risk_factor_level') }}
