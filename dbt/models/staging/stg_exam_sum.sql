{{ active_rows('exam_sum') }}
