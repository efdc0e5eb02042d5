"""A whole build: models up to the analyses, the analyses, models from them on.

What belongs here: the order. What does not: how a part is done (`models.py`, `analysis/`) and how Dagster shows it.
"""

from __future__ import annotations

from pathlib import Path

from opora.analysis import ANALYSES
from opora.analysis.base import run_analysis
from opora.models import NodeResult, choose, run_models

# Every model and test that stands on an analysis; all others are built before.
AFTER_ANALYSIS = "analysis.*+"


def build(database: Path) -> list[NodeResult]:
    """Build a prepared file (`warehouse.prepare`) whole; what became of every model and test.

    Raises WarehouseError or AnalysisError naming what failed.
    """
    before = run_models(database, choose(exclude=[AFTER_ANALYSIS]))
    for analysis in ANALYSES:
        run_analysis(database, analysis)
    return before + run_models(database, choose(select=[AFTER_ANALYSIS]))
