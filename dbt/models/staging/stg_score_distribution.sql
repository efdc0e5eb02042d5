{{ active_rows('score_distribution') }}
