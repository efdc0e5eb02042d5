"""One instance of Dagster for several people, as docs/runbooks/shared-instance.md sets it up.

Run by `make shared-test` only, in an environment of its own, where there is a Postgres server to start.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import dagster as dg
import duckdb
import pytest

from assets.release import RELEASE
from opora.demo import write_region
from opora.home import Home
from opora.reference import load_reference
from opora.release import current_release, releases
from pipelines.jobs import ANNUAL_LIST
from pipelines.partitions import academic_years, all_years
from tests.processes import wait_until
from tests.shared.instance import Shared, postgres, postgres_folder, shared_instance
from tests.shared.jobs import GROUP, SIZE

pytestmark = pytest.mark.skipif(postgres_folder() is None, reason="no Postgres server (Debian: postgresql)")

ENDED_WITHIN_SECONDS = 2400
LAUNCH = """
mutation($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("home")
    write_region(folder)
    return Home(folder).ensure()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, home: Home) -> Iterator[Shared]:
    patch = pytest.MonkeyPatch()
    with (
        postgres() as environment,
        shared_instance(tmp_path_factory.mktemp("dagster"), home.root, environment) as running,
    ):
        for name, value in environment.items():
            patch.setenv(name, value)
        yield running
    patch.undo()


def launch(
    shared: Shared, location: str, job: str, tags: dict[str, str] | None = None, *, read_only: bool = False
) -> Any:
    """Put a run into the queue; its id, or what the server says instead."""
    selector = {
        "repositoryLocationName": location,
        "repositoryName": "__repository__",
        "jobName": job,
    }
    metadata = {"tags": [{"key": key, "value": value} for key, value in (tags or {}).items()]}
    params = {"selector": selector, "mode": "default", "executionMetadata": metadata}
    said = shared.ask(LAUNCH, {"params": params}, read_only=read_only)["launchRun"]
    return said["run"]["runId"] if said["__typename"] == "LaunchRunSuccess" else said["__typename"]


def ended(shared: Shared, run_ids: list[str]) -> list[dg.RunRecord]:
    """The runs in this order once all have ended, read from Postgres as any process of the instance reads them."""
    with dg.DagsterInstance.from_config(str(shared.folder)) as instance:
        assert "Postgres" in type(instance.run_storage).__name__

        def records() -> list[dg.RunRecord]:
            found = instance.get_run_records(dg.RunsFilter(run_ids=run_ids))
            return sorted(found, key=lambda record: run_ids.index(record.dagster_run.run_id))

        wait_until(
            lambda: all(record.dagster_run.is_finished for record in records()),
            shared.servers,
            seconds=ENDED_WITHIN_SECONDS,
        )
        return records()


def succeeded(shared: Shared, run_ids: list[str]) -> list[dg.RunRecord]:
    """The runs once all have ended well; when each began and ended is known."""
    records = ended(shared, run_ids)
    assert [record.dagster_run.status for record in records] == [dg.DagsterRunStatus.SUCCESS] * len(run_ids)
    assert all(record.start_time and record.end_time for record in records)
    return records


def group(shared: Shared, *jobs: str) -> list[str]:
    """Runs that wait for one another, put into the queue in this order."""
    tags = {GROUP: uuid.uuid4().hex, SIZE: str(len(jobs))}
    return [launch(shared, "waiting", job, tags) for job in jobs]


def were_together(one: dg.RunRecord, other: dg.RunRecord) -> bool:
    """Whether the two went on at the same time."""
    return max(one.start_time or 0, other.start_time or 0) < min(one.end_time or 0, other.end_time or 0)


def most_at_once(records: list[dg.RunRecord]) -> int:
    """How many of the runs went on at the same time, at most."""
    spans = [(record.start_time or 0, record.end_time or 0) for record in records]
    return max(sum(begin <= moment < end for begin, end in spans) for moment, _ in spans)


def test_two_workers_take_the_runs_of_a_queue(shared: Shared) -> None:
    assert most_at_once(succeeded(shared, group(shared, *["free_job"] * 4))) == 2


def test_runs_of_one_pool_take_turns(shared: Shared) -> None:
    """The second waits although a worker is free: the third comes after it into the queue and goes on before it."""
    first, second, third = succeeded(shared, group(shared, "pooled_job", "pooled_job", "free_job"))
    assert not were_together(first, second)
    assert were_together(first, third)


def test_the_server_that_shows_shows_and_starts_nothing(shared: Shared) -> None:
    assert launch(shared, "waiting", "free_job", read_only=True) == "UnauthorizedError"
    query = "{ runsOrError { ... on Runs { results { runId } } } }"
    seen = [shared.ask(query, read_only=read_only)["runsOrError"]["results"] for read_only in (True, False)]
    assert seen[0] == seen[1] != []


def test_annual_lists_go_through_the_queue_in_turn(shared: Shared, home: Home) -> None:
    """Two people ask for the list at once: the true one is published, and the second run finds nothing new."""
    assert current_release(home) is None
    tags = all_years(academic_years(load_reference()))
    records = succeeded(shared, [launch(shared, "opora", ANNUAL_LIST, tags) for _ in range(2)])
    assert not were_together(*records)
    with dg.DagsterInstance.from_config(str(shared.folder)) as instance:
        published = [metadata_of_release(instance, record.dagster_run.run_id) for record in records]
    (release,) = releases(home)
    assert published == [(release.release_id, True), (release.release_id, False)]
    assert listed_schools(f"'{release.database.parent}/school_status.parquet'") == listed_schools(
        f"'{home.root}/truth/school_status.csv'"
    )


def metadata_of_release(instance: dg.DagsterInstance, run_id: str) -> tuple[object, object]:
    """The release that a run led to and whether it is new, as its event in Postgres says."""
    logs = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    (said,) = [
        materialization.metadata
        for entry in logs
        if (materialization := entry.asset_materialization) and materialization.asset_key == RELEASE
    ]
    return said["release_id"].value, said["is_new"].value


def listed_schools(file: str) -> list[tuple[object, ...]]:
    found = duckdb.sql(f"select academic_year, school_id from {file} where is_shnor order by all").fetchall()
    assert len(found) > 20
    return found
