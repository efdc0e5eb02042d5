"""Layouts: how a supplier's file is recognised by its content and mapped to a lake table.

A layout is a declaration, one YAML file under `reference/layouts/` or `<home>/layouts/`. `model.py` says what
a declaration may say, `recognise.py` finds the tables of a sheet, `convert.py` is the vocabulary of cell
conversions, `context.py` finds what a file is about (subject, grade, year), `extract.py` turns a recognised
table into canonical records, and `shapes.py` has the few shapes that no declaration can say.
"""
