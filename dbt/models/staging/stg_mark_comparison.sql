{{ active_rows('mark_comparison') }}
