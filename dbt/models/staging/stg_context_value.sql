{{ active_rows('context_value') }}
