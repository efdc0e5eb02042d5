"""Documents of the synthetic region: figures as in the marts, reasons, files, refusals."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner
from docx import Document as read_docx

from opora.cli import main
from opora.documents.docx import write_docx
from opora.documents.kinds import Wanted, make, wanted_note, wanted_schools
from opora.documents.output import documents_folder, write_set
from opora.documents.reader import DocumentRefused, Marts, release_of
from opora.release import Release
from tests.conftest import Region

NBSP = "\u00a0"


@pytest.fixture
def marts(demo_region: Region) -> Iterator[Marts]:
    with Marts(release_of(demo_region.home)) as opened:
        yield opened


@pytest.fixture
def listed(marts: Marts) -> str:
    """The first school of the newest list."""
    return str(
        marts.rows(
            "select school_id from school_status where is_shnor and academic_year = $1 order by 1", marts.list_year
        )[0]["school_id"]
    )


def call(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def table_of(content: bytes, *heads: str) -> list[list[str]]:
    """Rows of the table whose head begins with these words."""
    document = read_docx(io.BytesIO(content))
    for table in document.tables:
        rows = [[cell.text for cell in row.cells] for row in table.rows]
        if rows[0][: len(heads)] == list(heads):
            return rows[1:]
    raise AssertionError(f"no table {heads}")


def pct(share: float | None) -> str:
    return "—" if share is None else f"{share * 100:.1f}{NBSP}%".replace(".", ",")


# --- figures -------------------------------------------------------------------------------------------


def test_the_evidence_of_a_school_is_that_of_the_mart(marts: Marts, listed: str) -> None:
    shown = table_of(write_docx(make(marts, Wanted("school", listed))), "Учебный год", "Процедура")
    start = int(marts.list_year[:4])
    years = [f"{start - 1}-{start}", f"{start - 2}-{start - 1}"]
    rows = marts.rows(
        "select * from procedure_result where school_id = $1 and academic_year in ($2, $3)", listed, *years
    )
    expected = {
        (
            f"{row['academic_year'][:5]}{row['academic_year'][7:]}".replace("-", "/"),
            marts.procedures[row["procedure_id"]][1],
        ): [
            "—" if row["participants"] is None else str(row["participants"]),
            "—" if row["below_minimum"] is None else str(row["below_minimum"]),
            pct(row["below_share"]),
        ]
        for row in rows
    }
    assert len(expected) == 16
    assert {(row[0], row[1]): row[2:5] for row in shown} == expected


def test_the_summary_of_the_region_is_that_of_the_mart(marts: Marts) -> None:
    document = make(marts, wanted_note(marts, "регион"))
    shown = table_of(write_docx(document), "Учебный год", "Школ", "Оценивается")
    rows = marts.rows("select * from region_summary where procedure_id = 'all' order by academic_year")
    names = (
        "schools_count",
        "assessed_schools_count",
        "shnor_count",
        "new_count",
        "continuing_count",
        "left_count",
        "at_risk_count",
    )
    assert [row[1:] for row in shown] == [["—" if row[n] is None else str(row[n]) for n in names] for row in rows]
    named = {row["school"].rpartition(", ")[0] for row in document.sections["listed"].rows}
    assert len(named) == rows[-1]["shnor_count"]


def test_every_ground_of_a_listing_is_told(marts: Marts, listed: str) -> None:
    reason = marts.one(
        "select reason_ru from school_status where school_id = $1 and academic_year = $2", listed, marts.list_year
    )
    assert reason is not None
    section = make(marts, Wanted("school", listed)).sections["reasons"]
    told = " ".join((*section.lines, *section.points)).replace(NBSP, " ")
    for ground in str(reason["reason_ru"]).partition(": ")[2].split("; "):
        assert ground in told


def test_a_school_outside_the_list_gets_a_note_too(marts: Marts) -> None:
    (school,) = marts.rows(
        "select school_id from school_status where status = 'none' and academic_year = $1 order by 1 limit 1",
        marts.list_year,
    )
    sections = make(marts, Wanted("school", school["school_id"])).sections
    assert sections["reasons"].title_ru == "Почему школа не в списке"
    assert "списка поддержки" not in " ".join(sections["recommendations"].points)


def test_documents_read_no_pupil(marts: Marts, listed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    rows = Marts.rows
    monkeypatch.setattr(Marts, "rows", lambda self, query, *values: asked.append(query) or rows(self, query, *values))
    for wanted in (Wanted("school", listed), wanted_note(marts, "region"), Wanted("municipality", "99_m001")):
        make(marts, wanted)
    assert len(asked) > 20
    assert not any("pupil" in query for query in asked)


def test_recommendations_follow_from_what_was_found(marts: Marts, listed: str) -> None:
    status = marts.one(
        "select * from school_status where school_id = $1 and academic_year = $2", listed, marts.list_year
    )
    assert status is not None
    told = " ".join(make(marts, Wanted("school", listed)).sections["recommendations"].points)
    assert ("Изменить формат поддержки" in told) is (status["support_format"] == "repeated")
    assert ("Принять школьную программу" in told) is (status["listing"] == "new")


# --- names ---------------------------------------------------------------------------------------------


def test_a_hostile_name_in_the_marts_stays_a_name(marts: Marts, listed: str, tmp_path: Path) -> None:
    hostile = '</w:t>{{ 1/0 }}<script>=HYPERLINK("http://x")&#import\n../../etc'
    copied = tmp_path / "official" / "marts.duckdb"
    copied.parent.mkdir()
    shutil.copy(marts.release.database, copied)
    copied.chmod(0o644)
    with duckdb.connect(str(copied)) as connection:
        connection.execute(
            "update school set school_name = $1, municipality_name = $1 where school_id = $2", [hostile, listed]
        )
    with Marts(Release(tmp_path, marts.release.manifest)) as changed:
        document = make(changed, Wanted("school", listed))
    text = "\n".join(p.text for p in read_docx(io.BytesIO(write_docx(document))).paragraphs)
    assert "{{ 1/0 }}<script>=HYPERLINK(«http://x»)&#import ../../etc" in text
    for part in (document.stem, document.folder):
        assert not set(part) & set('/\\:*?"<>|\n')
        assert ".." not in Path(part).parts


# --- what people ask for -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "kind"),
    [("region", "region"), ("99", "region"), ("99_m001", "municipality"), ("город Верхнеозёрск", "municipality")],
)
def test_whose_note_is_meant(marts: Marts, asked: str, kind: str) -> None:
    assert wanted_note(marts, asked).kind == kind


def test_a_school_is_meant_by_id_and_login(marts: Marts, listed: str) -> None:
    school = marts.one("select * from school where school_id = $1", listed)
    assert school is not None
    for asked in (listed, f"edu{school['vpr_login']}"):
        assert wanted_note(marts, asked) == Wanted("school", listed)


def test_what_is_not_there_is_refused_with_what_is(marts: Marts) -> None:
    with pytest.raises(DocumentRefused, match="Назовите код школы"):
        wanted_note(marts, "нет такой")
    with pytest.raises(DocumentRefused, match="есть: 2019-2020"):
        make(marts, Wanted("region", "99", "1999-2000"))


def test_the_note_command_writes_both_formats(demo_region: Region, listed: str, tmp_path: Path) -> None:
    code, said = call("note", listed, "--home", demo_region.home.root, "--to", tmp_path)
    assert code == 0, said
    assert sorted(path.suffix for path in tmp_path.rglob("*.*")) == [".docx", ".pdf"]
    assert call("note", "нет такой", "--home", demo_region.home.root)[0] == 1
    code, said = call("note", "region", "--home", tmp_path / "empty")
    assert code == 1
    assert "opora run" in said


# --- many ----------------------------------------------------------------------------------------------


def test_a_set_appears_whole_or_stays_as_it_was(
    marts: Marts, demo_region: Region, tmp_path: Path, monkeypatch: Any
) -> None:
    home = replace(demo_region.home, root=tmp_path)
    wanted = wanted_schools(marts, listed_only=True)[:2]
    done: list[int] = []
    folder = write_set(home, marts.release, wanted, "школы", ("docx",), processes=1, tell=done.append)
    assert done == [1, 2]
    made = {path: path.read_bytes() for path in folder.rglob("*.docx")}
    assert len(made) == 2
    broken = [wanted[0], Wanted("school", "no such school")]
    with pytest.raises(DocumentRefused):
        write_set(home, marts.release, broken, "школы", ("docx",), processes=1)
    assert {path: path.read_bytes() for path in folder.rglob("*.docx")} == made
    assert [path.name for path in documents_folder(home, marts.release).iterdir()] == ["школы"]
    write_set(home, marts.release, wanted, "школы", ("docx",), processes=1)
    assert {path: path.read_bytes() for path in folder.rglob("*.docx")} == made, "the same release, the same bytes"
