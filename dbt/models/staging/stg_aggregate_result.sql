{{ active_rows('aggregate_result') }}
