"""Configurable resources of Dagster. No connection is opened at import."""
