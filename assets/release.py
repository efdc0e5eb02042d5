"""Stage four: the candidate, the gate over it, and the release that readers get.

What belongs here: the order candidate → gate → release. What does not: what is exported and what is checked.
A refused candidate stays under `releases/.refused-<run>` and never becomes current.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

import dagster as dg
from pydantic import Field

from assets.shared import OWNERS, PUBLISH_POOL, run_of
from opora.candidate import make_candidate
from opora.comparison import DIFF_MD
from opora.gate import CHECK_IDS
from opora.release import (
    clear_leftovers,
    publish_unless_same,
    read_release,
)
from resources.home import OporaHome
from schemas.registry import tables

CANDIDATE = dg.AssetKey(["release", "candidate"])
RELEASE = dg.AssetKey(["release", "current"])
_SHOWN = 20_000


class CandidateConfig(dg.Config):
    """The reason a person gives for what the gate would refuse but may be right."""

    accept: str = Field(default="", description="why a fall or a jump against the former release is right")


class ReleaseConfig(dg.Config):
    """Whether to publish a release whose inputs, code and reference are those of the current one."""

    force: bool = Field(default=False, description="publish although nothing has changed")


def build_candidate(also_after: Sequence[dg.AssetKey] = ()) -> dg.AssetsDefinition:
    """The candidate, after the marts and after what else must have seen the build file and may block."""

    @dg.asset(
        key=CANDIDATE,
        deps=[*(dg.AssetKey(["marts", spec.table]) for spec in tables("marts")), *also_after],
        group_name="release",
        kinds={"parquet", "duckdb"},
        owners=OWNERS,
        pool=PUBLISH_POOL,
        description="Витрины, словарь и паспорт в скрытой папке; шлюз судит их такими, какими их увидит читатель.",
        check_specs=[
            dg.AssetCheckSpec(check_id, asset=CANDIDATE, blocking=True, description=words)
            for check_id, words in CHECK_IDS.items()
        ],
    )
    def candidate(
        context: dg.AssetExecutionContext, config: CandidateConfig, opora_home: OporaHome
    ) -> dg.MaterializeResult:
        home, run_id = opora_home.home, run_of(context)
        clear_leftovers(home, run_id)
        made = make_candidate(
            home, opora_home.reference(), opora_home.build_database(run_id), run_id, accepted_ru=config.accept
        )
        if made.is_refused:
            context.log.error("The candidate is refused and kept at %s", made.folder)
        manifest = read_release(made.folder).manifest
        counts = manifest["row_counts"]
        return dg.MaterializeResult(
            metadata={
                "row_counts": dg.MetadataValue.json(counts),
                "folder": dg.MetadataValue.path(str(made.folder)),
                "version": manifest["version"],
                "changes": _changes(made.folder),
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name=verdict.check_id,
                    passed=verdict.passed,
                    severity=dg.AssetCheckSeverity.ERROR if verdict.refuses else dg.AssetCheckSeverity.WARN,
                    metadata={"message": verdict.message_ru},
                )
                for verdict in made.verdicts
            ],
        )

    return candidate


def _changes(folder: Path) -> dg.MetadataValue:
    """What differs from the release in force, as Dagster shows it."""
    page = folder / DIFF_MD
    return dg.MetadataValue.md(page.read_text(encoding="utf-8")[:_SHOWN] if page.is_file() else "Это первый выпуск.")


@dg.asset(
    key=RELEASE,
    deps=[CANDIDATE],
    group_name="release",
    kinds={"parquet", "duckdb"},
    owners=OWNERS,
    pool=PUBLISH_POOL,
    description="Выпуск: папка с контрольными суммами и ссылка current, переключённая за один шаг.",
)
def release(context: dg.AssetExecutionContext, config: ReleaseConfig, opora_home: OporaHome) -> dg.MaterializeResult:
    run_id = run_of(context)
    published, is_new = publish_unless_same(opora_home.home, run_id, force=config.force)
    shutil.rmtree(opora_home.build_database(run_id).parent, ignore_errors=True)
    return dg.MaterializeResult(
        metadata={
            "release_id": published.release_id,
            "version": str(published.manifest.get("version", "")),
            "is_new": is_new,
            "folder": dg.MetadataValue.path(str(published.folder)),
            "maturity": str(published.manifest["maturity"]),
        }
    )
