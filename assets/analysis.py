"""Between the two parts of dbt: calculations in Python over the build file, one asset a calculation.

What belongs here: how an analysis shows in Dagster. What does not: formulas and settings (`opora/analysis/`,
`reference/analysis/`).
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from assets.shared import OWNERS, PUBLISH_POOL, column_schema, run_of
from opora.analysis.base import Analysis, run_analysis
from resources.home import OporaHome
from schemas.registry import table


def table_key(qualified: str) -> dg.AssetKey:
    """The asset of a table of the build file: `intermediate.int_school` is `intermediate/int_school`."""
    return dg.AssetKey(qualified.split("."))


def build_analysis_assets(analyses: Sequence[Analysis]) -> list[dg.AssetsDefinition]:
    """An asset definition for each analysis, in their order; each of its tables is an asset."""
    return [_analysis_assets(analysis) for analysis in analyses]


def _analysis_assets(analysis: Analysis) -> dg.AssetsDefinition:
    inputs = [table_key(name) for name in analysis.reads]

    @dg.multi_asset(
        name=analysis.name,
        specs=[
            dg.AssetSpec(
                key=dg.AssetKey(["analysis", name]),
                deps=inputs,
                group_name="analysis",
                kinds={"python", "duckdb"},
                owners=OWNERS,
                description=f"{analysis.title_ru}. {table(name).description_ru}",
                metadata={"dagster/column_schema": column_schema(table(name))},
            )
            for name in analysis.writes
        ],
        pool=PUBLISH_POOL,
    )
    def computed(context: dg.AssetExecutionContext, opora_home: OporaHome) -> Iterator[dg.MaterializeResult]:
        database = opora_home.build_database(run_of(context))
        for name, rows in run_analysis(database, analysis).items():
            yield dg.MaterializeResult(asset_key=dg.AssetKey(["analysis", name]), metadata={"dagster/row_count": rows})

    return computed
