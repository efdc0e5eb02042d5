"""Stage three: dbt models as assets and their tests as checks, built in one private file per run.

What belongs here: how models, tests and sources of dbt appear in Dagster. What does not: SQL. A build always
runs the whole project, in two parts with the analyses between them: the file is new in each run, so a smaller
part would have nothing to stand on.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, dbt_assets
from dagster_dbt.asset_utils import get_asset_check_key_for_test
from dagster_dbt.dbt_manifest import validate_manifest

from assets.shared import OWNERS, PUBLISH_POOL, column_schema, run_of
from opora.build import AFTER_ANALYSIS
from opora.kept import kept_tables
from opora.models import NodeResult, choose, running_models
from opora.warehouse import prepare
from resources.home import OporaHome
from schemas.registry import registry

# The same choice as AFTER_ANALYSIS in the words of dbt.
DBT_AFTER_ANALYSIS = "source:analysis+"


class OporaTranslator(DagsterDbtTranslator):
    """Keys, groups and owners of models: `staging/…`, `intermediate/…`, `marts/…`; sources are the lake's assets."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        name = str(dbt_resource_props["name"])
        if dbt_resource_props["resource_type"] == "source":
            return dg.AssetKey([str(dbt_resource_props["source_name"]), name])
        return dg.AssetKey([_stage(dbt_resource_props), name])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        return "reference" if dbt_resource_props["resource_type"] == "source" else _stage(dbt_resource_props)

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        return OWNERS

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        spec = registry().get(str(dbt_resource_props["name"]))
        if spec is None or spec.layer != "marts":
            return super().get_metadata(dbt_resource_props)
        return {"dagster/column_schema": column_schema(spec)}


def _stage(properties: Mapping[str, Any]) -> str:
    """`staging`, `intermediate` or `marts`: the folder below models/."""
    return str(properties["fqn"][1])


def build_warehouse_assets(manifest_path: Path) -> list[dg.AssetsDefinition]:
    """All models of the project over one private build file: those that analyses read, and those that read them."""
    manifest = validate_manifest(manifest_path)
    translator = OporaTranslator()

    @dbt_assets(
        manifest=manifest,
        dagster_dbt_translator=translator,
        name="warehouse",
        exclude=DBT_AFTER_ANALYSIS,
        pool=PUBLISH_POOL,
    )
    def warehouse(context: dg.AssetExecutionContext, opora_home: OporaHome) -> Iterator[Any]:
        database = opora_home.build_database(run_of(context))
        prepare(opora_home.home, opora_home.reference(), database)
        with kept_tables(opora_home.home, database) as kept:
            results = running_models(database, choose(exclude=[AFTER_ANALYSIS]), tests_may_fail=True, kept=kept)
            yield from _told(context, manifest, translator, results)

    @dbt_assets(
        manifest=manifest,
        dagster_dbt_translator=translator,
        name="warehouse_after_analysis",
        select=DBT_AFTER_ANALYSIS,
        pool=PUBLISH_POOL,
    )
    def warehouse_after_analysis(context: dg.AssetExecutionContext, opora_home: OporaHome) -> Iterator[Any]:
        database = opora_home.build_database(run_of(context))
        results = running_models(database, choose(select=[AFTER_ANALYSIS]), tests_may_fail=True)
        yield from _told(context, manifest, translator, results)

    return [warehouse, warehouse_after_analysis]


def _told(
    context: dg.AssetExecutionContext,
    manifest: Mapping[str, Any],
    translator: OporaTranslator,
    results: Iterable[NodeResult],
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Of each model its materialisation, of each test its check, as they come.

    A failed test that is no check of this step fails the step itself.
    """
    untold: list[str] = []
    for result in results:
        if result.resource_type == "model":
            yield from _materialisation(context, manifest, translator, result)
        elif result.status != "skipped":
            key = get_asset_check_key_for_test(manifest, translator, result.unique_id, project=None)
            if key is not None and key in context.selected_asset_check_keys:
                yield _check_result(key, result)
            elif result.status == "fail":
                untold.append(result.message)
    if untold:
        raise dg.Failure("\n".join(untold), allow_retries=False)


def _materialisation(
    context: dg.AssetExecutionContext, manifest: Mapping[str, Any], translator: OporaTranslator, result: NodeResult
) -> Iterator[dg.MaterializeResult]:
    key = translator.get_asset_key(manifest["nodes"][result.unique_id])
    if result.status != "success" or key not in context.selected_asset_keys:
        return
    metadata: dict[str, Any] = {"seconds": round(result.seconds, 3)}
    if result.rows is not None:
        metadata["dagster/row_count"] = result.rows
    if result.made:
        metadata |= {"portions_computed": result.made.computed, "portions_kept": result.made.kept}
    yield dg.MaterializeResult(asset_key=key, metadata=metadata)


def _check_result(key: dg.AssetCheckKey, result: NodeResult) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=result.status == "pass",
        severity=dg.AssetCheckSeverity.WARN if result.status == "warn" else dg.AssetCheckSeverity.ERROR,
        metadata={"failing_rows": result.failures, "message": result.message or "—"},
    )
