{{ active_rows('appeal') }}
