{{ active_rows('objectivity_marker') }}
