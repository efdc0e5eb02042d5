{{ active_rows('risk_answer') }}
