"""What `opora release verify` says of a whole release, of a damaged one, and of what it was made of."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime

import pytest

from opora.delivery import Purge, read_records, write_record
from opora.home import Home, sha256_of
from opora.reference import Reference, load_reference
from opora.release import MANIFEST, Release, ReleaseError, add_to_manifest, current_release
from opora.verification import Verification, differences_when_made_again, verify_release
from tests.runs import OPORA, FirstRuns

REFERENCE = load_reference()
MARKS_YEARS = ("2022-2023", "2023-2024")


def release_of(home: Home) -> Release:
    release = current_release(home)
    assert release is not None
    return release


def verified(home: Home, reference: Reference = REFERENCE) -> Verification:
    return verify_release(home, release_of(home), reference)


def test_a_whole_release_stands_on_all_it_was_made_of(first_runs: FirstRuns) -> None:
    found = verified(first_runs.home)
    manifest = release_of(first_runs.home).manifest
    assert found.is_good
    assert found.can_be_made_again
    assert (found.files, found.marts) == (len(manifest["files"]), len(manifest["row_counts"]))
    years = found.by_year()
    assert set(years) == {*MARKS_YEARS, "undated"}
    assert all(dict(counts) | {"unavailable": 0} == counts for counts in years.values())
    assert years["2022-2023"]["part_whole"] == years["2022-2023"]["original_present"] == 1


def test_its_marts_made_again_are_the_same_bytes(first_runs: FirstRuns) -> None:
    command = [OPORA, "release", "verify", "--rebuild", "--json", "--home", str(first_runs.home.root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["differ_when_made_again"] == []
    assert told["is_good"]


def test_what_has_changed_since_cannot_be_compared(finished: Home) -> None:
    (finished.methods / "strict.yaml").write_text("method_id: strict\n", encoding="utf-8")
    assert not verified(finished).can_be_made_again
    with pytest.raises(ReleaseError, match="Пересобрать и сравнить нельзя"):
        differences_when_made_again(finished, release_of(finished), REFERENCE, lambda database: None)


def test_damage_of_the_release_is_named(finished: Home) -> None:
    release = release_of(finished)
    counts = release.manifest["row_counts"]
    add_to_manifest(release.folder, row_counts=counts | {"school": counts["school"] + 1})
    (release.folder / "official" / "school.csv").write_text("", encoding="utf-8")
    (release.folder / "diff.json").write_text("{}", encoding="utf-8")
    (release.folder / "official" / "school_key.csv").unlink()
    found = verified(finished)
    assert set(found.wrong_files) == {
        "нет файла official/school_key.csv",
        "лишний файл diff.json",
        "изменён файл official/school.csv",
    }
    assert [line.partition(":")[0] for line in found.wrong_rows] == [
        "official/school (parquet)",
        "official/school (marts.duckdb)",
    ]
    assert not found.is_good


@pytest.mark.parametrize(
    ("original", "part", "state", "is_available"),
    [
        ("gone", "as it was", "whole", True),
        ("purged", "as it was", "whole", True),
        ("purged", "gone", "missing", False),
        ("there", "gone", "missing", True),
        ("gone", "gone", "missing", False),
        ("there", "changed", "changed", False),
        ("gone", "written by a later intake", "reread", True),
        ("gone", "taken away by a later intake", "reread", True),
    ],
)
def test_an_input_is_there_while_its_figures_can_be_made_again(
    finished: Home, original: str, part: str, state: str, is_available: bool
) -> None:
    record = next(item for item in read_records(finished).values() if item.file_name == "отметки.csv")
    path = next(path for path in record.part_sha256 if MARKS_YEARS[0] in path)
    file = finished.lake / path
    if original != "there":
        (finished.landing / "отметки.csv").unlink()
    if original == "purged":
        why = Purge(at=datetime.now(UTC), by="test", reason_ru="-", sha256=record.sha256, paths=record.paths)
        record.purged.append(why)
    if part in ("gone", "taken away by a later intake"):
        file.unlink()
    elif part != "as it was":
        file.write_bytes(b"PAR1")
    if part == "written by a later intake":
        record.part_sha256[path] = sha256_of(file)
    if part == "taken away by a later intake":
        del record.part_sha256[path]
    write_record(finished, record)
    found = verified(finished)
    (item,) = (item for item in found.inputs if item.file_name == "отметки.csv")
    assert item.original == {"gone": "missing", "purged": "purged", "there": "present"}[original]
    assert item.parts[path] == state
    assert item.is_available == is_available == found.is_good
    assert found.by_year()[MARKS_YEARS[0]]["unavailable"] == (not is_available)


def test_the_command_says_it_in_words_and_refuses(finished: Home) -> None:
    release = release_of(finished)
    part = next(finished.lake.glob("school_register/*/*.parquet"))
    part.write_bytes(b"")
    (release.folder / "dictionary.md").unlink()
    command = [OPORA, "release", "verify", str(release.manifest["version"]), "--home", str(finished.root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "нет файла dictionary.md" in done.stdout
    assert f"{part.name} — изменена" in done.stdout
    assert "недоступно 1" in done.stdout
    assert "не подтверждён" in done.stderr
    assert (release.folder / MANIFEST).is_file()
