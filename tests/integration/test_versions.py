"""Two releases beside one another: what changed, which schools, why; versions, what was in force, retention."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from opora.comparison import compare, comparison_markdown
from opora.facts import Setting
from opora.gate import RESTATEMENT, _restated
from opora.home import Home
from opora.release import (
    DATABASE,
    LOG,
    OFFICIAL,
    Release,
    ReleaseError,
    add_to_manifest,
    current_release,
    publish,
    published_releases,
    read_log,
    read_release,
    releases,
    rollback,
)
from opora.versions import (
    find_release,
    load_version_facts,
    next_version,
    parse_version,
    prune,
    release_on,
    restated,
    step_of,
    superfluous,
)
from tests.conftest import Region

Change = Callable[[Path, str], Release]
OLD, NEW = "d0000000000aa", "d0000000000bb"
# A school of the demo's newest list and the year it rests on.
FACTS = load_version_facts()


@pytest.fixture(scope="module")
def former(demo_region: Region) -> Release:
    release = current_release(demo_region.home)
    assert release is not None
    return release


@pytest.fixture
def changed(former: Release, tmp_path: Path) -> Callable[..., Release]:
    """A copy of the release with SQL run over its marts and facts added to its manifest."""

    def make(*statements: str, **facts: object) -> Release:
        folder = tmp_path / "later"
        shutil.copytree(former.folder, folder)
        database = folder / OFFICIAL / DATABASE
        database.chmod(0o644)
        with duckdb.connect(str(database)) as connection:
            for statement in statements:
                connection.execute(statement)
        add_to_manifest(folder, release_id="later", **facts)
        return read_release(folder)

    return make


def listed(release: Release) -> tuple[str, str]:
    """A school in the newest list, and that list's year."""
    with duckdb.connect(str(release.database), read_only=True) as connection:
        row = connection.execute(
            "select school_id, academic_year from school_status where is_shnor order by academic_year desc, 1 limit 1"
        ).fetchone()
    assert row is not None
    return row[0], row[1]


def leaves(school: str, year: str) -> str:
    return (
        "update school_status set status = 'none', status_ru = 'не в списке', is_shnor = false, listing = 'left' "
        f"where school_id = '{school}' and academic_year = '{year}'"
    )


def deliveries_of(release: Release, school: str) -> list[str]:
    with duckdb.connect(str(release.database), read_only=True) as connection:
        rows = connection.execute(
            "select distinct unnest(string_split(delivery_ids, ';')) from procedure_result where school_id = $1",
            [school],
        ).fetchall()
    return [name for (name,) in rows]


# --- comparison --------------------------------------------------------------------------------------


def test_a_release_does_not_differ_from_itself(former: Release) -> None:
    found = compare(former, former)
    assert found.schools == ()
    assert all(mart.is_same for mart in found.marts)
    assert step_of(found) == "none"


def test_a_school_that_left_is_named_with_both_reasons(former: Release, changed: Callable[..., Release]) -> None:
    school, year = listed(former)
    (found,) = compare(former, changed(leaves(school, year))).schools
    assert (found.school_id, found.academic_year, found.before, found.after) == (school, year, "shnor", "none")
    assert "в списке ШНОР" in found.before_ru
    assert "не в списке" in found.after_ru
    assert found.causes == ("code_or_reference",)


def test_corrected_data_are_the_cause_where_a_delivery_was_replaced(
    former: Release, changed: Callable[..., Release]
) -> None:
    school, year = listed(former)
    old = deliveries_of(former, school)[-1]
    inputs = [item | ({"replaced_by": NEW} if item["delivery_id"] == old else {}) for item in former.manifest["inputs"]]
    inputs.append(inputs[0] | {"delivery_id": NEW, "replaced_by": None, "paths": ["исправлено.xlsx"]})
    later = changed(
        leaves(school, year),
        f"update procedure_result set below_minimum = 0, delivery_ids = replace(delivery_ids, '{old}', '{NEW}') "
        f"where school_id = '{school}'",
        inputs=inputs,
    )
    (found,) = compare(former, later).schools
    assert found.causes == ("corrected_data",)
    assert any("исправлено.xlsx" in item.files for item in found.results)
    assert step_of(compare(former, later)) == "patch"


def test_new_data_are_the_cause_where_a_delivery_came(former: Release, changed: Callable[..., Release]) -> None:
    school, year = listed(former)
    inputs = [*former.manifest["inputs"], former.manifest["inputs"][0] | {"delivery_id": NEW, "replaced_by": None}]
    later = changed(
        leaves(school, year),
        f"update procedure_result set delivery_ids = delivery_ids || ';{NEW}' where school_id = '{school}'",
        inputs=inputs,
    )
    found = compare(former, later)
    assert found.schools[0].causes == ("new_data",)
    assert step_of(found) == "minor"


def test_a_withdrawn_delivery_is_the_cause(former: Release, changed: Callable[..., Release]) -> None:
    school, year = listed(former)
    old = deliveries_of(former, school)[-1]
    later = changed(
        leaves(school, year),
        f"update procedure_result set delivery_ids = null where delivery_ids like '%{old}%'",
        inputs=[item for item in former.manifest["inputs"] if item["delivery_id"] != old],
    )
    assert "withdrawn_data" in compare(former, later).schools[0].causes


def test_a_method_with_other_settings_is_the_cause(former: Release, changed: Callable[..., Release]) -> None:
    school, year = listed(former)
    methods = [item | {"settings_hash": "other"} for item in former.manifest["methods"]]
    later = changed(leaves(school, year), methods=methods)
    found = compare(former, later)
    assert found.schools[0].causes == ("method",)
    assert step_of(found) == "minor"


def test_what_the_register_says_is_the_cause(former: Release, changed: Callable[..., Release]) -> None:
    school, year = listed(former)
    later = changed(leaves(school, year), f"update school set is_excluded = true where school_id = '{school}'")
    assert compare(former, later).schools[0].causes == ("register",)


def test_a_new_list_tells_of_its_schools_only(former: Release, changed: Callable[..., Release]) -> None:
    later = changed(
        "insert into school_status by name select * replace ('2030-2031' as academic_year) from school_status "
        "where academic_year = (select max(academic_year) from school_status)"
    )
    found = compare(former, later)
    assert found.years_added == ("2030-2031",)
    assert {item.causes for item in found.schools} == {("new_year",)}
    assert {item.after for item in found.schools} <= {"shnor", "risk", "excluded"}
    assert step_of(found) == "minor"


@pytest.mark.parametrize(
    "statement",
    [
        "drop table quality_issue",
        "alter table school drop column enrolment",
        "alter table school alter enrolment type varchar",
        "delete from school_status where academic_year = (select min(academic_year) from school_status)",
        "delete from school where school_id = (select min(school_id) from school)",
    ],
)
def test_what_readers_relied_on_and_is_gone_is_a_major_step(
    former: Release, changed: Callable[..., Release], statement: str
) -> None:
    assert step_of(compare(former, changed(statement))) == "major"


def test_rows_are_counted_by_key(former: Release, changed: Callable[..., Release]) -> None:
    later = changed(
        "update region_summary set shnor_count = shnor_count + 1 where shnor_count > 0",
        "delete from municipality_summary where procedure_id = 'all'",
    )
    marts = {item.mart: item for item in compare(former, later).marts}
    with duckdb.connect(str(former.database), read_only=True) as connection:
        raised, removed = (
            connection.execute(query).pl().item()
            for query in (
                "select count(*) from region_summary where shnor_count > 0",
                "select count(*) from municipality_summary where procedure_id = 'all'",
            )
        )
    assert (marts["region_summary"].changed, marts["region_summary"].removed) == (raised, 0)
    assert (marts["municipality_summary"].changed, marts["municipality_summary"].removed) == (0, removed)


def test_the_page_names_the_school_and_harms_nobody(former: Release, changed: Callable[..., Release]) -> None:
    school, year = listed(former)
    later = changed(
        leaves(school, year),
        f"update school set school_name = '<script>x</script> [a](b)' where school_id = '{school}'",
    )
    page = comparison_markdown(compare(former, later), "1.0.1")
    assert school in page
    assert "<script>" not in page
    assert "[a](b)" not in page


# --- numbers -----------------------------------------------------------------------------------------


def test_versions_grow_past_every_known_one(former: Release) -> None:
    known = [Release(Path(), {"version": version}) for version in ("1.2.3", "2.0.0", "1.10.0")]
    assert next_version([], "major") == "1.0.0"
    assert [next_version(known, step) for step in ("major", "minor", "patch", "none")] == [
        "3.0.0",
        "2.1.0",
        "2.0.1",
        "2.0.1",
    ]
    assert parse_version("1.10.0") > parse_version("1.2.3")
    assert parse_version(former.manifest["version"]) >= parse_version("1.0.0")


def test_only_lists_older_than_the_window_are_restated(former: Release, changed: Callable[..., Release]) -> None:
    years = compare(former, former).list_years
    school, _ = listed(former)
    flip = "update school_status set status = 'shnor', listing = 'new' where school_id = '{}' and academic_year = '{}'"
    later = changed(*(flip.format(school, year) for year in years[:2]), leaves(school, years[-1]))
    found = compare(former, later)
    assert {item.academic_year for item in found.schools} >= {years[0], years[-1]}
    assert years[-1] not in restated(found, FACTS)
    assert years[0] in restated(found, FACTS)


def test_an_old_list_changes_only_with_a_reason() -> None:
    refused = _restated(["2019-2020"], "")
    assert refused.check_id == RESTATEMENT
    assert not refused.lets_pass
    assert "2019-2020" in refused.message_ru
    accepted = _restated(["2019-2020"], "суд")
    assert accepted.lets_pass
    assert "суд" in accepted.message_ru
    assert _restated([], "").passed


# --- in time -----------------------------------------------------------------------------------------


@pytest.fixture
def home(former: Release, tmp_path: Path) -> Home:
    """Three releases made on three days; the first was returned to afterwards."""
    home = Home(tmp_path / "home")
    home.releases.mkdir(parents=True)
    for number, day in enumerate(("2024-09-01", "2025-09-01", "2025-12-01"), start=1):
        candidate = home.releases / f".candidate-{number}"
        shutil.copytree(former.folder, candidate)
        made = f"{day}T08:00:00+00:00"
        before = f"r{number - 1}" if number > 1 else None
        add_to_manifest(
            candidate, release_id=f"r{number}", created_at=made, version=f"1.{number}.0", former_release_id=before
        )
        publish(home, candidate)
    lines = [
        f'{{"at": "{day}T08:00:00+00:00", "action": "{action}", "release_id": "{name}"}}'
        for day, action, name in (
            ("2024-09-01", "publish", "r1"),
            ("2025-09-01", "publish", "r2"),
            ("2025-10-01", "rollback", "r1"),
            ("2025-12-01", "publish", "r3"),
        )
    ]
    (home.releases / LOG).write_text("\n".join(lines), encoding="utf-8")
    return home


@pytest.mark.parametrize(
    ("day", "release_id"),
    [("2024-09-01", "r1"), ("2025-09-30", "r2"), ("2025-10-02", "r1"), ("2025-12-31", "r3")],
)
def test_what_was_in_force_on_a_day(home: Home, day: str, release_id: str) -> None:
    assert release_on(home, dt.date.fromisoformat(day)).release_id == release_id
    assert find_release(home, day).release_id == release_id


def test_a_release_is_found_by_id_version_and_as_current(home: Home) -> None:
    assert [find_release(home, words).release_id for words in ("r2", "1.2.0", "current")] == ["r2", "r2", "r3"]
    for words in ("r9", "2020-01-01"):
        with pytest.raises(ReleaseError):
            find_release(home, words)


def test_a_line_that_was_never_finished_hides_no_other(home: Home) -> None:
    with (home.releases / LOG).open("a", encoding="utf-8") as file:
        file.write('\n{"at": "2026-0')
    rollback(home, "r2", "ошибка в списке")
    log = read_log(home)
    assert (log[-1]["action"], log[-1]["release_id"], log[-1]["reason_ru"]) == ("rollback", "r2", "ошибка в списке")
    assert len(log) == 5


def test_what_readers_have_seen_last_is_known_after_a_rollback(home: Home) -> None:
    assert published_releases(home)[0] == current_release(home)
    rollback(home, "r1")
    assert [item.release_id for item in published_releases(home)] == ["r3", "r2", "r1"]
    shutil.rmtree(home.releases / "r3")
    assert [item.release_id for item in published_releases(home)] == ["r2", "r1"]


def test_a_home_without_a_log_knows_when_its_releases_were_made(home: Home) -> None:
    (home.releases / LOG).unlink()
    assert [entry["release_id"] for entry in read_log(home)] == ["r1", "r2", "r3"]


def test_retention_keeps_the_newest_the_current_and_the_last_of_each_year(home: Home) -> None:
    rollback(home, "r1")
    few = FACTS.model_copy(update={"keep_newest": Setting(value=1, status="OPEN", note_ru="-")})
    assert [item.release_id for item in superfluous(home, few)] == ["r2"]
    prune(home, superfluous(home, few))
    assert {item.release_id for item in releases(home)} == {"r1", "r3"}
    with pytest.raises(ReleaseError):
        release_on(home, dt.date(2025, 9, 2))


def test_no_difference_is_told_in_words_too(former: Release) -> None:
    found = compare(former, former)
    assert "Таких школ нет." in comparison_markdown(found, "1.0.0")
    assert {item.mart for item in found.marts} == set(former.manifest["row_counts"])
