"""A whole build: dbt up to the analyses, the analyses, dbt from them on.

What belongs here: the order. What does not: how a part is done (`warehouse.py`, `analysis/`) and how Dagster shows it.
"""

from __future__ import annotations

from pathlib import Path

from opora.analysis import ANALYSES
from opora.analysis.base import run_analysis
from opora.warehouse import NodeResult, run_dbt

# dbt's words for every model and test that stands on an analysis; all others are built before.
AFTER_ANALYSIS = "source:analysis+"


def build(database: Path, *, unit_tests: bool = False) -> list[NodeResult]:
    """Build a prepared file (`warehouse.prepare`) whole; what became of every model and test.

    Raises WarehouseError or AnalysisError naming what failed.
    """
    before = run_dbt("build", database, exclude=[AFTER_ANALYSIS], unit_tests=unit_tests)
    for analysis in ANALYSES:
        run_analysis(database, analysis)
    return before + run_dbt("build", database, select=[AFTER_ANALYSIS], unit_tests=unit_tests)
