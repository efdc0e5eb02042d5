{{ active_rows('attendance') }}
