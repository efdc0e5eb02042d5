{{ active_rows('risk_stage_report') }}
