"""The domain of Opora: what is computed.

Importable without Dagster; orchestration belongs in `pipelines/` and `assets/`.
"""
