{{ active_rows('contingent') }}
