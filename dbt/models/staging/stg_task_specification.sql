{{ active_rows('task_specification') }}
