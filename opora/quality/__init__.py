"""What must hold of the marts of a candidate, told so that a person sees what was looked at and what to do.

What belongs here: expectations derived from the registry, differences between figures that must agree, pages of
results. What does not: checks of rows while they are read (`opora/checks.py`), relations inside the build (dbt tests)
and the decision what becomes of a candidate (`opora/gate.py`).
"""
