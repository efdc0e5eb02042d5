"""Parts of the lake against the registry: what was found good is not looked at again, whatever else changes is."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from opora import lake
from opora.home import Home, write_json
from opora.lake import failing_in_lake
from schemas.arrow import polars_schema
from schemas.registry import table

SPEC = table("school_crosswalk")


def part(home: Home, delivery_id: str, relation: str = "same") -> Path:
    row = {
        "delivery_id": delivery_id,
        "sheet": None,
        "source_row": 2,
        "key_kind": "vpr_login",
        "key_value": "990001",
        "school_id": "s990001",
        "relation": relation,
        "valid_from": None,
        "valid_to": None,
    }
    path = home.lake_part(SPEC.table, "undated", delivery_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame([row], schema=polars_schema(SPEC.table)).write_parquet(path)
    return path


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts that are opened for their rows."""
    names: list[str] = []
    really = lake.failing_values

    def noted(spec: object, parts: Sequence[Path]) -> tuple[int, pl.DataFrame]:
        names.extend(path.name for path in parts)
        return really(SPEC, parts)

    monkeypatch.setattr(lake, "failing_values", noted)
    return names


def test_a_good_part_is_looked_at_once(tmp_path: Path, looked_at: list[str]) -> None:
    home = Home(tmp_path)
    parts = [part(home, "d000000000001"), part(home, "d000000000002")]
    assert failing_in_lake(home, SPEC, parts)[0] == 2
    looked_at.clear()
    parts.append(part(home, "d000000000003"))
    rows, found = failing_in_lake(home, SPEC, parts)
    assert (rows, found.height, looked_at) == (3, 0, ["d000000000003.parquet"])


def test_a_part_that_changed_is_looked_at_again(tmp_path: Path, looked_at: list[str]) -> None:
    home = Home(tmp_path)
    parts = [part(home, "d000000000001"), part(home, "d000000000002")]
    failing_in_lake(home, SPEC, parts)
    part(home, "d000000000002", relation="соседи")
    for _ in range(2):  # what is wrong is said each time
        looked_at.clear()
        rows, found = failing_in_lake(home, SPEC, parts)
        assert (rows, found["column"].to_list(), looked_at) == (2, ["relation"], ["d000000000002.parquet"])


def test_a_run_of_one_year_forgets_no_other(tmp_path: Path, looked_at: list[str]) -> None:
    home = Home(tmp_path)
    one, two = part(home, "d000000000001"), part(home, "d000000000002")
    failing_in_lake(home, SPEC, [one])
    failing_in_lake(home, SPEC, [two])
    looked_at.clear()
    failing_in_lake(home, SPEC, [one, two])
    assert looked_at == []


def test_a_column_that_came_later_is_missing_in_good_parts(tmp_path: Path) -> None:
    home = Home(tmp_path)
    before, now, strange = (part(home, f"d{number:012x}") for number in range(3))
    pl.read_parquet(before).drop("valid_to").write_parquet(before)
    pl.read_parquet(strange).drop("relation").write_parquet(strange)
    assert failing_in_lake(home, SPEC, [before, now])[1].is_empty()
    assert failing_in_lake(home, SPEC, [before, now, strange])[1]["value"].to_list() == ["relation"]


def test_a_copy_made_by_hand_is_nobodys_part(tmp_path: Path) -> None:
    home = Home(tmp_path)
    own = part(home, "d000000000001")
    for name in ("d000000000001 (копия)", "d000000000001~", "копия"):
        shutil.copy(own, own.with_name(f"{name}.parquet"))
    assert home.lake_files(SPEC.table) == [own]


@pytest.mark.parametrize("harm", ["schemas", "half", "gone"])
def test_what_is_not_known_for_sure_is_looked_at_again(
    tmp_path: Path, looked_at: list[str], monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    home = Home(tmp_path)
    parts = [part(home, "d000000000001")]
    failing_in_lake(home, SPEC, parts)
    (memory,) = (home.lake / SPEC.table).glob("*.json")
    match harm:
        case "schemas":
            monkeypatch.setattr(lake, "_schemas", lambda: "of tomorrow")
        case "half":
            memory.write_bytes(memory.read_bytes()[:20])
        case "gone":
            write_json(memory, {})
    looked_at.clear()
    assert failing_in_lake(home, SPEC, parts)[1].is_empty()
    assert looked_at == ["d000000000001.parquet"]
