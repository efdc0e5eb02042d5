"""The code location: what every asset must say of itself, years, schedules, the sensor, the factory of checks."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import dagster as dg
import polars as pl
import pytest
from dagster._core.definitions.freshness import CronFreshnessPolicy
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster_dbt.dbt_manifest import validate_manifest

from assets.checks import SCHEMA_CHECK, schema_check_result
from assets.lake import build_lake_assets
from assets.landing import deliveries
from assets.programmes import EVERY_INDICATOR_IS_TOLD, programme_key
from assets.shared import POOLS
from assets.warehouse import OporaTranslator, _told
from opora.dbt_project import ensure_manifest
from opora.home import PROJECT, Home
from opora.intake import IntakeReport, ingest
from opora.lake import failing_values
from opora.lock import OWNER, process_mark
from opora.models import NodeResult, choose
from opora.programmes import Programme, load_programmes
from opora.reference import load_reference
from pipelines.build import build_defs
from pipelines.jobs import ALL_DOCUMENTS, ANNUAL_LIST, QUARTERLY_MONITORING, REBUILD_RELEASE
from pipelines.partitions import academic_years, all_years, measured_year_at
from pipelines.run import SETTINGS, Outcome, _end_dead_runs, _together, dagster_home
from pipelines.schedules import LOCAL, build_schedules
from pipelines.sensors import SETTLED_SECONDS, build_landing_sensor, build_release_sensor
from resources.event_log import OpenEventLog
from resources.home import OporaHome
from schemas.arrow import polars_schema
from schemas.registry import table, tables

REFERENCE = load_reference()


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_defs(reference=REFERENCE)


def test_definitions_validate_from_the_workspace(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("dagster")), "definitions", "validate", "-w", "workspace.yaml"]
    environment = os.environ | {"DAGSTER_HOME": str(dagster_home(Home(tmp_path))), "OPORA_HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]


def test_every_asset_says_whose_it_is_and_what_it_holds(definitions: dg.Definitions) -> None:
    specs = [spec for spec in definitions.resolve_all_asset_specs() if spec.key.path[0] != "reference"]
    assert len(specs) > 40
    for spec in specs:
        assert spec.group_name not in (None, "default"), spec.key
        assert spec.owners, spec.key
        assert spec.kinds, spec.key
    described = [spec for spec in specs if spec.key.path[0] in ("lake", "marts", "release", "delivery_log")]
    for spec in described:
        assert spec.description, spec.key
    for spec in (spec for spec in specs if spec.key.path[0] in ("lake", "marts")):
        assert "dagster/column_schema" in spec.metadata, spec.key


def test_every_table_of_the_registry_is_an_asset(definitions: dg.Definitions) -> None:
    keys = {tuple(spec.key.path) for spec in definitions.resolve_all_asset_specs()}
    assert {(spec.layer, spec.table) for layer in ("lake", "marts") for spec in tables(layer)} <= keys  # type: ignore[arg-type]


def test_documents_and_pages_follow_the_release_and_are_in_no_run_that_publishes(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    release = dg.AssetKey(["release", "current"])
    documents = {key for key in graph.get_all_asset_keys() if key.path[0] == "documents"}
    pages = {key for key in graph.get_all_asset_keys() if key.path[0] == "pages"}
    assert len(documents) >= 5
    assert len(pages) == 9
    marts = {dg.AssetKey(["marts", spec.table]) for spec in tables("marts")}
    for key in documents | pages:
        assert release in graph.get(key).parent_keys
        assert graph.get(key).parent_keys <= marts | {release}
    for job in (ANNUAL_LIST, QUARTERLY_MONITORING, REBUILD_RELEASE):
        assert not documents & set(definitions.resolve_job_def(job).asset_layer.executable_asset_keys)
    assert set(definitions.resolve_job_def(ALL_DOCUMENTS).asset_layer.executable_asset_keys) == documents


@pytest.mark.parametrize("is_new", [True, False])
def test_a_release_asks_for_its_documents_by_its_name(is_new: bool) -> None:
    """Only the latest run is seen, and may have found nothing new after one that had: a name asks once."""
    with dg.DagsterInstance.ephemeral() as instance:
        instance.report_runless_asset_event(
            dg.AssetMaterialization(
                dg.AssetKey(["release", "current"]), metadata={"is_new": is_new, "release_id": "20260101T000000000Z-0"}
            )
        )
        sensor = build_release_sensor()
        data = sensor.evaluate_tick(
            dg.build_sensor_context(instance=instance, definitions=build_defs(reference=REFERENCE))
        )
    assert [request.run_key for request in data.run_requests or []] == ["20260101T000000000Z-0"]


def test_the_boundary_of_the_lake_is_blocking(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for spec in tables("lake"):
        key = dg.AssetCheckKey(dg.AssetKey(["lake", spec.table]), SCHEMA_CHECK)
        assert key in graph.asset_check_keys, key
        assert graph.get_check_spec(key).blocking


def test_every_programme_is_an_asset_that_the_release_waits_for(definitions: dg.Definitions) -> None:
    programmes = load_programmes()
    graph = definitions.resolve_asset_graph()
    candidate = graph.get(dg.AssetKey(["release", "candidate"]))
    for programme in programmes:
        node = graph.get(programme_key(programme.programme_id))
        assert node.key in candidate.parent_keys
        assert graph.get_check_spec(dg.AssetCheckKey(node.key, EVERY_INDICATOR_IS_TOLD)).blocking
        assert (node.freshness_policy is None) == (not programme.monitoring_cycle)
    assert len(programmes) == 5


def test_dbt_tests_are_checks(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    of_marts = [key for key in graph.asset_check_keys if key.asset_key.path[0] in ("marts", "intermediate")]
    assert len(of_marts) > 10


@pytest.mark.parametrize(("status", "stops"), [("pass", False), ("warn", False), ("fail", True)])
def test_a_failed_test_that_is_no_check_of_its_step_stops_the_step(status: str, stops: bool) -> None:
    """Tests of the reference alone have no asset that their check could stand at."""
    (node,) = choose(["facts_are_known"])
    result = NodeResult(node.unique_id, node.name, "test", status, failures=1, message="строк с нарушением: 1")
    context = cast("dg.AssetExecutionContext", SimpleNamespace(selected_asset_check_keys=set()))
    told = _told(context, validate_manifest(ensure_manifest()), OporaTranslator(), [result])
    with pytest.raises(dg.Failure, match="строк с нарушением: 1") if stops else nullcontext():
        assert list(told) == []


def test_years_come_newest_first_from_the_reference() -> None:
    keys = list(academic_years(REFERENCE).get_partition_keys())
    assert keys == sorted(keys, reverse=True)
    assert set(keys) == {year.academic_year for year in REFERENCE.academic_years if year.is_open}
    tags = all_years(academic_years(REFERENCE))
    assert set(tags.values()) == {keys[0], keys[-1]}


@pytest.mark.parametrize(
    ("day", "year"),
    [
        (dt.date(2023, 7, 10), "2022-2023"),
        (dt.date(2023, 9, 20), "2022-2023"),
        (dt.date(2023, 12, 1), "2022-2023"),
        (dt.date(2024, 1, 15), "2023-2024"),
        (dt.date(2024, 5, 15), "2023-2024"),
    ],
)
def test_in_autumn_people_still_work_on_last_years_results(day: dt.date, year: str) -> None:
    assert measured_year_at(day, REFERENCE) == year


def test_schedules_are_the_calendar_of_the_programmes() -> None:
    schedules = {schedule.name: schedule for schedule in build_schedules(REFERENCE, "production")}
    months = {schedule.cron_schedule.split()[3] for schedule in schedules.values()}  # type: ignore[union-attr]
    assert months == {"3", "5", "7", "9", "10", "12"}
    assert all(s.default_status == dg.DefaultScheduleStatus.RUNNING for s in schedules.values())
    assert {s.job_name for s in schedules.values()} <= {ANNUAL_LIST, QUARTERLY_MONITORING}
    local = build_schedules(REFERENCE, "local")
    assert all(s.default_status == dg.DefaultScheduleStatus.STOPPED for s in local)
    with pytest.raises(ValueError, match="one of local, production"):
        build_schedules(REFERENCE, "prod")


def test_a_schedule_asks_for_the_year_under_work() -> None:
    schedule = next(s for s in build_schedules(REFERENCE, "production") if s.cron_schedule.split()[3] == "9")  # type: ignore[union-attr]
    at = dt.datetime(2024, 9, 20, 6, tzinfo=dt.UTC)
    with dg.build_schedule_context(scheduled_execution_time=at) as context:
        request = schedule(context)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key is None
    assert request.tags["opora/measured_year"] == "2023-2024"
    assert request.tags.items() >= all_years(academic_years(REFERENCE)).items(), "what has come may be of any year"
    assert request.run_key == f"{schedule.name}:2024-09-20"


def test_sensors_run_by_themselves_in_production_and_stand_still_on_a_desk() -> None:
    for named, status in (
        ("production", dg.DefaultSensorStatus.RUNNING),
        (LOCAL, dg.DefaultSensorStatus.STOPPED),
    ):
        sensors = (build_landing_sensor(academic_years(REFERENCE), named), build_release_sensor(named))
        assert [sensor.default_status for sensor in sensors] == [status, status], named


def test_the_sensor_waits_until_files_have_settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPORA_PERSON_SECRET", raising=False)
    home = Home(tmp_path).ensure()
    sensor = build_landing_sensor(academic_years(REFERENCE))

    def tick(cursor: str | None) -> dg.SensorResult | dg.SkipReason:
        resources = {"opora_home": OporaHome(root=str(tmp_path))}
        with dg.build_sensor_context(cursor=cursor, resources=resources) as context:
            return sensor(context)  # type: ignore[return-value]

    assert isinstance(tick(None), dg.SkipReason)
    file = home.landing / "файл.csv"
    file.write_text("а;б", encoding="utf-8")
    assert isinstance(tick(None), dg.SkipReason), "still arriving"
    then = time.time() - SETTLED_SECONDS - 1
    os.utime(file, (then, then))
    found = tick(None)
    assert isinstance(found, dg.SensorResult)
    assert found.run_requests is not None
    assert len(found.run_requests) == 1
    assert isinstance(tick(found.cursor), dg.SkipReason), "the same state asks for no second run"
    ahead = time.time() + 365 * 86400
    os.utime(file, (ahead, ahead))
    assert isinstance(tick(found.cursor), dg.SensorResult), "a clock that goes wrong keeps nothing out"
    os.utime(file, (then, then))
    monkeypatch.setenv("OPORA_PERSON_SECRET", "made up")
    assert isinstance(tick(found.cursor), dg.SensorResult), "what was refused without the secret can be read with it"
    monkeypatch.delenv("OPORA_PERSON_SECRET")
    file.write_text("а;б;в", encoding="utf-8")
    os.utime(file, (then, then))
    changed = tick(found.cursor)
    assert isinstance(changed, dg.SensorResult)
    file.write_text("а;б", encoding="utf-8")
    os.utime(file, (then, then))
    back = tick(changed.cursor)
    assert isinstance(back, dg.SensorResult)
    assert back.run_requests is not None
    assert back.run_requests[0].run_key is None, "Dagster would pass over a key that it has run before"


def test_a_retry_marks_the_build_folder_as_its_own(tmp_path: Path) -> None:
    resource = OporaHome(root=str(tmp_path))
    folder = tmp_path / "build" / "run"
    assert resource.build_database("run") == folder / "opora.duckdb"
    assert not folder.exists(), "a run that was never begun leaves nothing"
    folder.mkdir(parents=True)
    (folder / OWNER).write_text('{"pid": 1}', encoding="utf-8")
    resource.build_database("run")
    assert json.loads((folder / OWNER).read_text(encoding="utf-8")) == process_mark()


def test_years_one_after_another_tell_of_a_new_release_if_any_made_one() -> None:
    made, same = Outcome(True, True, ()), Outcome(True, False, ())
    assert _together([made, same]) == made
    assert _together([same, same]) == same
    assert _together([made, Outcome(False, False, ("нет места",))]) == Outcome(False, True, ("нет места",))


def test_a_run_of_one_year_takes_in_that_year(tmp_path: Path) -> None:
    """Started in the UI, where nobody writes the year into the settings of intake once more."""
    home = Home(tmp_path).ensure()
    (home.landing / "реестр.csv").write_text("логин,имя,регион\nsch990001,Школа 1,Первый район\n", encoding="utf-8")
    read: list[object] = []

    def noted(*values: object, **options: object) -> IntakeReport:
        read.append(options["years"])
        return ingest(*values, **options)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        patch.setattr("assets.landing.ingest", noted)
        resources = {"opora_home": OporaHome(root=str(tmp_path))}
        for tags in ({}, {"dagster/partition": "2022-2023"}):
            assert dg.materialize([deliveries], instance=instance, resources=resources, tags=tags).success
    assert read == [None, ["2022-2023"]]


def test_a_check_of_a_table_without_years_runs_by_itself(tmp_path: Path, definitions: dg.Definitions) -> None:
    """As «Execute» does in the UI: the table is not made, its check is told."""
    Home(tmp_path).ensure()
    lake_undated = next(
        asset for asset in build_lake_assets(academic_years(REFERENCE)) if asset.op.name == "lake_undated"
    )
    key = dg.AssetCheckKey(dg.AssetKey(["lake", "school_register"]), SCHEMA_CHECK)
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize(
            [lake_undated],
            instance=instance,
            resources={"opora_home": OporaHome(root=str(tmp_path))},
            selection=dg.AssetSelection.checks(key),
        )
    assert [told.asset_check_key for told in done.get_asset_check_evaluations()] == [key]
    assert not done.get_asset_materialization_events()


def test_only_runs_of_ended_processes_of_the_command_line_are_ended() -> None:
    """A run that was repeated in the UI has the tags of the former one, and belongs to the daemon."""
    ended: list[str] = []
    runs = [
        SimpleNamespace(run_id="of the command line", remote_job_origin=None),
        SimpleNamespace(run_id="repeated in the UI", remote_job_origin=object()),
    ]
    instance = SimpleNamespace(
        get_runs=lambda filters: runs, report_run_canceled=lambda run, words: ended.append(run.run_id)
    )
    _end_dead_runs(cast("dg.DagsterInstance", instance))
    assert ended == ["of the command line"]


def test_a_scheduled_run_of_a_month_is_fresh_when_the_month_is_over(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for event in REFERENCE.monitoring:
        policy = graph.get(programme_key(event.seed)).freshness_policy
        day, month = (int(part) for part in event.cron.split()[2:4])
        months = {month for cycle in _programme(event.seed).monitoring_cycle for month in cycle.months}
        if policy is None or month not in months:
            continue
        ran = dt.datetime(2023, month, day, 6)
        over = dt.datetime(2023 + month // 12, month % 12 + 1, 1, 9)
        assert isinstance(policy, CronFreshnessPolicy)
        assert over - policy.lower_bound_delta <= ran < over, event.event_id
        assert month % 12 + 1 in {int(part) for part in policy.deadline_cron.split()[3].split(",")}


def _programme(programme_id: str) -> Programme:
    return next(programme for programme in load_programmes() if programme.programme_id == programme_id)


def test_jobs_hold_what_they_say(definitions: dg.Definitions) -> None:
    rebuild = definitions.resolve_job_def(REBUILD_RELEASE)
    names = {node.name for node in rebuild.graph.node_defs}
    assert {"warehouse", "release__candidate", "release__current"} <= names
    assert "deliveries" not in names
    annual = {node.name for node in definitions.resolve_job_def(ANNUAL_LIST).graph.node_defs}
    assert {"deliveries", "lake_by_year", "lake_undated"} <= annual


def test_pools_keep_two_runs_apart(definitions: dg.Definitions) -> None:
    assert SETTINGS["concurrency"]["pools"]["default_limit"] == 1  # type: ignore[index]
    annual = definitions.resolve_job_def(ANNUAL_LIST)
    pools = {node.name: node.pool for node in annual.graph.node_defs}  # type: ignore[attr-defined]
    assert set(pools.values()) == set(POOLS)


def test_the_log_of_events_is_one_that_dagster_reads_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More runs than connections are kept open; a moved home takes its log along."""

    @dg.asset
    def figure() -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata={"rows": 3})

    home = Home(tmp_path / "home").ensure()
    monkeypatch.setenv("DAGSTER_HOME", str(dagster_home(home)))
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        assert isinstance(instance.event_log_storage, OpenEventLog)
        runs = [dg.materialize([figure], instance=instance).run_id for _ in range(10)]
        assert all(len(instance.all_logs(run)) > 5 for run in runs)
    moved = Home((tmp_path / "home").rename(tmp_path / "moved"))
    plain = SqliteEventLogStorage(str(moved.dagster / "history" / "runs"))
    assert set(plain.get_all_run_ids()) == set(runs)
    assert len(plain.fetch_materializations(figure.key, limit=20).records) == 10
    plain.dispose()


def test_the_factory_names_what_is_wrong(tmp_path: Path) -> None:
    key = dg.AssetKey(["lake", "school_crosswalk"])
    row = {
        "delivery_id": "d000000000001",
        "sheet": None,
        "source_row": 2,
        "key_kind": "vpr_login",
        "key_value": "990001",
        "school_id": "s990001",
        "relation": "same",
        "valid_from": None,
        "valid_to": None,
    }
    schema = polars_schema("school_crosswalk")
    good = pl.DataFrame([row], schema=schema)
    bad = pl.DataFrame([row, row | {"source_row": 3, "relation": "соседи"}], schema=schema)
    parts = [tmp_path / "good.parquet", tmp_path / "bad.parquet"]
    good.write_parquet(parts[0])
    bad.write_parquet(parts[1])
    spec = table("school_crosswalk")
    assert schema_check_result(key, *failing_values(spec, [])).passed
    assert schema_check_result(key, *failing_values(spec, parts[:1])).passed
    result = schema_check_result(key, *failing_values(spec, parts[1:]))
    assert result.metadata["rows"].value == 2
    assert not result.passed
    assert result.metadata["failures"].value == 1
    assert "relation" in str(result.metadata["by_check"].value)
    twice = tmp_path / "twice.parquet"
    pl.concat([good, bad.head(1)]).write_parquet(twice)
    assert set(failing_values(spec, [twice])[1]["check_id"]) == {"key_not_unique"}
    other = tmp_path / "other.parquet"
    good.rename({"relation": "связь"}).write_parquet(other)
    assert not schema_check_result(key, *failing_values(spec, [other])).passed
    assert "remedy" in result.metadata


def test_the_domain_does_not_know_dagster() -> None:
    modules = [path.stem for path in (PROJECT / "opora").glob("*.py") if path.stem not in ("__init__", "cli")]
    code = (
        f"import sys; import {', '.join(f'opora.{name}' for name in modules)}, opora.cli; "
        "print('dagster' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
