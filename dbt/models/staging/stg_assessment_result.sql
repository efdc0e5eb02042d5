{{ active_rows('assessment_result') }}
