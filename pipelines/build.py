"""Assembly: all parts of the code location, in one function whose parts tests may replace.

What belongs here: composition. What does not: any asset, job, schedule or resource of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from assets.analysis import build_analysis_assets
from assets.documents import build_document_assets, exposure_specs
from assets.lake import build_lake_assets
from assets.landing import deliveries
from assets.programmes import build_programme_assets
from assets.release import build_candidate, release
from assets.warehouse import build_warehouse_assets
from opora.analysis import ANALYSES
from opora.dbt_project import ensure_manifest
from opora.programmes import load_programmes
from opora.reference import Reference, load_reference
from pipelines.jobs import build_jobs
from pipelines.partitions import academic_years
from pipelines.schedules import build_schedules, environment
from pipelines.sensors import build_landing_sensor, build_release_sensor
from resources.home import OporaHome


def build_defs(
    *,
    resources: Mapping[str, Any] | None = None,
    loggers: Mapping[str, dg.LoggerDefinition] | None = None,
    reference: Reference | None = None,
    named_environment: str | None = None,
) -> dg.Definitions:
    """The definitions of Opora. Parses the dbt project if its manifest is missing or stale."""
    facts = reference or load_reference()
    partitions = academic_years(facts)
    named = named_environment or environment()
    programmes = build_programme_assets(load_programmes(), facts.timezone)
    return dg.Definitions(
        assets=[
            *_reference_assets(facts),
            deliveries,
            *build_lake_assets(partitions),
            *build_warehouse_assets(ensure_manifest()),
            *build_analysis_assets(ANALYSES),
            *programmes,
            build_candidate([asset.key for asset in programmes]),
            release,
            *build_document_assets(),
            *exposure_specs(),
        ],
        jobs=build_jobs(),
        schedules=build_schedules(facts, named),
        sensors=[build_landing_sensor(partitions, named), build_release_sensor(named)],
        resources={"opora_home": OporaHome(), **(resources or {})},
        loggers=loggers,
        executor=dg.in_process_executor,
    )


def _reference_assets(reference: Reference) -> list[dg.AssetSpec]:
    """Reference tables as external assets: files of this repository that nothing materialises."""
    return [
        dg.AssetSpec(
            key=dg.AssetKey(["reference", name]),
            group_name="reference",
            kinds={"yaml"},
            description="Справочные факты из reference/, с датами и источниками.",
        )
        for name in reference.tables()
    ]
