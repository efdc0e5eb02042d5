"""Documents that an official forwards: notes, the annex to the order, reports of programmes, flat tables.

Belongs here: choosing rows of a release, wording them in Russian, rendering them as docx, pdf and xlsx.
Does not belong here: figures that no mart holds (dbt), pages (`dashboards/`), sentences that may change (`reference/`).
"""
