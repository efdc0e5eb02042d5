"""One instance of Dagster for several people, as docs/runbooks/shared-instance.md sets it up.

Run by `make shared-test` only, in an environment of its own, where there is a Postgres server to start.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from opora.demo import write_region
from opora.home import Home
from opora.reference import load_reference
from pipelines.jobs import ANNUAL_LIST
from pipelines.partitions import academic_years, all_years
from tests.shared.instance import Shared, postgres, postgres_folder, shared_instance

pytestmark = pytest.mark.skipif(postgres_folder() is None, reason="no Postgres server (Debian: postgresql)")

ENDED_WITHIN_SECONDS = 1800
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
    """The runs once all have ended, read from Postgres as any other process of the instance reads them."""
    deadline = time.monotonic() + ENDED_WITHIN_SECONDS
    with dg.DagsterInstance.from_config(str(shared.folder)) as instance:
        assert "Postgres" in type(instance.run_storage).__name__ or "Postgres" in repr(instance.storage_directory)
        while True:
            records = instance.get_run_records(dg.RunsFilter(run_ids=run_ids))
            if all(record.dagster_run.is_finished for record in records) and len(records) == len(run_ids):
                return list(records)
            assert time.monotonic() < deadline, [record.dagster_run.status for record in records]
            time.sleep(1)


def most_at_once(records: list[dg.RunRecord]) -> int:
    """How many of the runs went on at the same time, at most."""
    spans = [(record.start_time or 0, record.end_time or 0) for record in records]
    return max(sum(begin <= moment < end for begin, end in spans) for moment, _ in spans)


def test_two_workers_take_the_runs_of_a_queue(shared: Shared) -> None:
    records = ended(shared, [launch(shared, "waiting", "free_job") for _ in range(4)])
    assert {record.dagster_run.status for record in records} == {dg.DagsterRunStatus.SUCCESS}
    assert most_at_once(records) == 2


def test_runs_of_one_pool_take_turns(shared: Shared) -> None:
    records = ended(shared, [launch(shared, "waiting", "pooled_job") for _ in range(2)])
    assert {record.dagster_run.status for record in records} == {dg.DagsterRunStatus.SUCCESS}
    assert most_at_once(records) == 1


def test_the_server_that_shows_shows_and_starts_nothing(shared: Shared) -> None:
    assert launch(shared, "waiting", "free_job", read_only=True) == "UnauthorizedError"
    query = "{ runsOrError { ... on Runs { results { runId } } } }"
    seen = [shared.ask(query, read_only=read_only)["runsOrError"]["results"] for read_only in (True, False)]
    assert seen[0] == seen[1] != []


def test_the_annual_list_goes_through_the_queue(shared: Shared, home: Home) -> None:
    (record,) = ended(shared, [launch(shared, "opora", ANNUAL_LIST, all_years(academic_years(load_reference())))])
    assert record.dagster_run.status == dg.DagsterRunStatus.SUCCESS
    assert (home.current / "official" / "marts.duckdb").is_file()
