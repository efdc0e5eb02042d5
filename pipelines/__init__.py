"""Dagster assembly: definitions, partitions, jobs, schedules, sensors, checks. No calculations, SQL or paths."""
