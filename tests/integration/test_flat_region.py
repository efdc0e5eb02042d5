"""Flat tables for regional dashboards: what was delivered comes out again, and intake reads what was exported."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from opora.documents.flat import write_flat
from opora.documents.reader import DocumentRefused, Marts
from opora.intake import check
from opora.layouts.model import BUILT_IN, read_layouts
from opora.reference import load_reference
from opora.release import Release, require_release
from tests.conftest import Region

Row = dict[str, object]


def table_of(path: Path) -> list[Row]:
    return pl.read_excel(path, infer_schema_length=None).to_dicts()


@pytest.fixture(scope="module")
def exported(demo_region: Region, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("flat")
    written = write_flat(require_release(demo_region.home), folder)
    assert [path.name for path in written] == ["marks.xlsx", "scores.xlsx", "bias.xlsx"]
    assert all(written.values())
    return folder


@pytest.fixture
def marts(demo_region: Region) -> Iterator[duckdb.DuckDBPyConnection]:
    with demo_region.marts() as connection:
        yield connection


def test_intake_reads_every_exported_row(exported: Path) -> None:
    results = check(exported, read_layouts(BUILT_IN), load_reference())
    found = {result.record.file_name.rpartition("/")[2]: result.record for result in results}
    layouts = {name: record.layout_ids for name, record in found.items()}
    assert layouts == {
        "marks.xlsx": ["vpr_marks_flat"],
        "scores.xlsx": ["vpr_scores_flat"],
        "bias.xlsx": ["vpr_bias_flat"],
    }
    for record in found.values():
        assert record.status == "accepted"
        assert record.rows.accepted == record.rows.rows_in


@pytest.mark.parametrize("name", ["marks", "scores"])
def test_a_delivered_flat_table_comes_out_as_it_came_in(demo_region: Region, exported: Path, name: str) -> None:
    keys = ("Год", "Класс", "Предмет", "Логин", "Кол-во участников")
    values = [str(n) for n in ((2, 3, 4, 5) if name == "marks" else range(40))]

    def of(path: Path) -> dict[tuple[object, ...], list[object]]:
        return {tuple(row[key] for key in keys): [row.get(value) or 0 for value in values] for row in table_of(path)}

    given, told = of(demo_region.home.landing / "2023-2024" / f"{name}.xlsx"), of(exported / f"{name}.xlsx")
    same = [key for key in given if key in told]
    assert len(same) > 0.95 * len(given), "a few rows are dirty on purpose"
    assert all(told[key] == pytest.approx(given[key], abs=0.011) for key in same)


def test_shares_of_protocols_are_those_of_the_results(exported: Path, marts: duckdb.DuckDBPyConnection) -> None:
    """The share of «2» is that of the official mart where both count the same protocols."""
    compared = marts.execute(
        """
        select count(*), count(*) filter (m.mark_2_count = r.own_below_minimum and m.participants = r.own_participants)
        from mark_count as m join procedure_result as r using (academic_year, school_id, procedure_id)
        where m.source = 'participants' and m.unknown_count = 0 and r.result_source = 'participants'
        """
    ).fetchone()
    assert compared is not None
    assert compared[0] > 500
    assert compared[0] == compared[1]
    for row in table_of(exported / "marks.xlsx"):
        assert sum(float(str(row[str(mark)])) for mark in (2, 3, 4, 5)) == pytest.approx(100, abs=0.021)
    for row in table_of(exported / "scores.xlsx"):
        assert sum(float(str(v or 0)) for k, v in row.items() if k.isdigit()) == pytest.approx(100, abs=0.2)


def test_markers_are_those_of_the_mart(exported: Path, marts: duckdb.DuckDBPyConnection) -> None:
    rows = table_of(exported / "bias.xlsx")
    expected = marts.execute(
        """
        select count(distinct (academic_year, school_id)), count(distinct (academic_year, school_id, procedure_id))
        from objectivity join school using (school_id)
        where source = 'computed' and is_marked and vpr_login is not null
            and regexp_matches(procedure_id, '^vpr_[45]_(russian|mathematics)$')
        """
    ).fetchone()
    assert (len(rows), sum(int(str(row["Количество маркеров"])) for row in rows)) == expected
    assert all(
        row["Количество маркеров"] == sum(int(str(row[n])) for n in ("4 РУ", "4 МА", "5 РУ", "5 МА")) for row in rows
    )


def test_names_are_text_and_an_older_release_is_refused(demo_region: Region, tmp_path: Path) -> None:
    release = require_release(demo_region.home)
    copied = tmp_path / "official" / "marts.duckdb"
    copied.parent.mkdir()
    shutil.copy(release.database, copied)
    copied.chmod(0o644)
    with duckdb.connect(str(copied)) as connection:
        connection.execute("update school set school_name = '=HYPERLINK(\"http://x\")', municipality_name = '+1+1'")
        connection.execute("delete from mark_count where academic_year <> '2022-2023'")
        connection.execute("delete from score_count where academic_year <> '2022-2023'")
    changed = Release(tmp_path, release.manifest)
    write_flat(changed, tmp_path)
    for name in ("marks", "scores", "bias"):
        for row in table_of(tmp_path / f"{name}.xlsx"):
            assert row["ОО"] == '\'=HYPERLINK("http://x")'
            assert row["Муниципалитет"] == "'+1+1"
    with duckdb.connect(str(copied)) as connection:
        connection.execute("drop table mark_count")
    with pytest.raises(DocumentRefused, match="opora run"):
        write_flat(changed, tmp_path)
    with Marts(changed) as opened, pytest.raises(DocumentRefused):
        opened.rows("select no_such_column from school")
