{{ active_rows('score_scale') }}
