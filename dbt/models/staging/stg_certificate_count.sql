{{ active_rows('certificate_count') }}
