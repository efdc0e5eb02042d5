"""Dagster assembly: definitions, partitions, jobs, schedules, sensors. No calculations, SQL or paths."""
