{{ active_rows('codifier') }}
