"""Calculations that SQL is not made for, between two runs of dbt: fits, indices, assignments, probabilities.

What belongs here: the catalogue of analyses in the order in which they run. What does not: formulas (a module
each), joins and sums (dbt), and settings of the methods (`reference/analysis/`).
"""

from opora.analysis.base import Analysis
from opora.analysis.context_cluster import CONTEXT_CLUSTER
from opora.analysis.context_index import CONTEXT_INDEX
from opora.analysis.contribution import CONTRIBUTION
from opora.analysis.effect import EFFECT
from opora.analysis.exact import EXACT
from opora.analysis.expectation import EXPECTATION
from opora.analysis.outlook import OUTLOOK
from opora.analysis.partners import PARTNERS
from opora.analysis.pooling import POOLING

ANALYSES: tuple[Analysis, ...] = (
    POOLING,
    EXACT,
    CONTEXT_INDEX,
    CONTEXT_CLUSTER,
    EXPECTATION,
    CONTRIBUTION,
    PARTNERS,
    OUTLOOK,
    EFFECT,
)
