"""Documents of the synthetic region: figures as in the marts, reasons, files, refusals."""

from __future__ import annotations

import io
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
import yaml
from click.testing import CliRunner
from docx import Document as read_docx

from assets.documents import build_document_assets
from opora.cli import main
from opora.documents.docx import write_docx
from opora.documents.kinds import SHAPES, Wanted, make, wanted_note, wanted_reports, wanted_schools
from opora.documents.output import documents_folder, write_set
from opora.documents.reader import DocumentRefused, Marts
from opora.documents.sets import SETS
from opora.home import PROJECT
from opora.programmes import load_programmes
from opora.release import Release, require_release
from resources.home import OporaHome
from schemas.registry import tables
from tests.conftest import Region

NBSP = "\u00a0"


@pytest.fixture
def marts(demo_region: Region) -> Iterator[Marts]:
    with Marts(require_release(demo_region.home)) as opened:
        yield opened


@pytest.fixture
def listed(marts: Marts) -> str:
    """The first school of the newest list."""
    return str(
        marts.rows(
            "select school_id from school_status where is_shnor and academic_year = $1 order by 1", marts.list_year
        )[0]["school_id"]
    )


def copied_release(marts: Marts, folder: Path) -> Release:
    """The same release in a folder of the test, whose tables the test may change."""
    copied = Release(folder, marts.release.manifest)
    copied.database.parent.mkdir()
    shutil.copyfile(marts.release.database, copied.database)
    return copied


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
    if share is None:
        return "—"
    return f"{(100 * Decimal(str(share))).quantize(Decimal('0.1'), ROUND_HALF_UP)}{NBSP}%".replace(".", ",")


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
            marts.procedures[row["procedure_id"]],
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
    copied = copied_release(marts, tmp_path)
    with duckdb.connect(str(copied.database)) as connection:
        connection.execute(
            "update school set school_name = $1, municipality_name = $1 where school_id = $2", [hostile, listed]
        )
    with Marts(copied) as changed:
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
    code, said = call("note", "region", "--home", demo_region.home.root, "--profile", "public")
    assert code == 1
    assert "public/" in said
    code, said = call("note", "region", "--home", tmp_path / "empty")
    assert code == 1
    assert "opora run" in said


# --- many ----------------------------------------------------------------------------------------------


def test_a_set_appears_whole_or_stays_as_it_was(
    marts: Marts, demo_region: Region, tmp_path: Path, monkeypatch: Any
) -> None:
    home = replace(demo_region.home, root=tmp_path)
    wanted = [Wanted("annex", "99"), Wanted("quarterly", "kargasok-2023")]
    done: list[int] = []
    folder = write_set(home, marts.release, wanted, "проба", ("docx",), processes=1, tell=done.append)
    assert done == [1, 2]
    made = {path: path.read_bytes() for path in folder.rglob("*.docx")}
    assert len(made) == 2
    broken = [wanted[0], Wanted("school", "no such school")]
    with pytest.raises(DocumentRefused):
        write_set(home, marts.release, broken, "проба", ("docx",), processes=1)
    assert {path: path.read_bytes() for path in folder.rglob("*.docx")} == made
    assert [path.name for path in documents_folder(home, marts.release).iterdir()] == ["проба"]
    left, going_on = (folder.parent / f".making-{number}-проба" for number in (1, 2))
    left.mkdir()
    going_on.mkdir()
    os.utime(left, (0, 0))
    write_set(home, marts.release, wanted, "проба", ("docx",), processes=1)
    assert (left.exists(), going_on.exists()) == (False, True), (
        "what a killed process left is cleared, another's is not"
    )
    assert {path: path.read_bytes() for path in folder.rglob("*.docx")} == made, "the same release, the same bytes"


# --- the annex and the reports ------------------------------------------------------------------------


def test_the_annex_lists_every_school_with_its_grounds(marts: Marts) -> None:
    document = make(marts, Wanted("annex", "99"))
    shown = {row["school_id"]: row for row in document.sections["listed"].rows}
    rows = marts.rows("select * from school_status where is_shnor and academic_year = $1", marts.list_year)
    assert set(shown) == {row["school_id"] for row in rows}
    for row in rows:
        told = shown[row["school_id"]]
        assert told["reason"].replace(NBSP, " ") == row["reason_ru"]
        assert (told["n"], told["years"]) == (str(row["evidence_participants"]), str(row["years_listed_in_a_row"]))
    left = marts.rows("select school_id from school_status where listing = 'left' and academic_year = '2021-2022'")
    before = make(marts, Wanted("annex", "99", "2021-2022"))
    assert {row["school_id"] for row in before.sections["left"].rows} == {row["school_id"] for row in left}
    assert left


def test_the_workbook_of_the_annex_has_figures_as_figures(marts: Marts) -> None:
    import openpyxl

    from opora.documents.xlsx import write_xlsx

    book = openpyxl.load_workbook(io.BytesIO(write_xlsx(make(marts, Wanted("annex", "99")))))
    sheet = book.worksheets[0]
    heads = [cell.value for cell in sheet[4]]
    n = heads.index("Участников")
    assert all(isinstance(row[n].value, int) for row in sheet.iter_rows(min_row=5))
    assert sheet.max_row - 4 == len(
        marts.rows("select 1 as one from school_status where is_shnor and academic_year = $1", marts.list_year)
    )


def test_a_report_says_no_data_where_nothing_was_reported(marts: Marts) -> None:
    """No programme is of the synthetic region, so all stand in its release, without data."""
    programmes = {wanted.of for wanted in wanted_reports(marts)}
    assert programmes == {p.programme_id for p in load_programmes()}
    annual = make(marts, Wanted("annual", "tomsk-2020"))
    assert ("Период", "2024") in annual.facts
    counts = marts.one("select count(*) as n from measure where programme_id = 'tomsk-2020' and period = '2024'")
    assert counts is not None
    assert len(annual.sections["measures"].rows) == counts["n"] == 17
    assert {row["status"] for row in annual.sections["measures"].rows} == {"нет данных"}
    assert annual.sections["overdue"].lines == ("Просроченного нет.",)
    quarterly = make(marts, Wanted("quarterly", "tomsk-2020"))
    assert not quarterly.sections["overdue"].rows
    assert quarterly.sections["no_data"].rows
    with pytest.raises(DocumentRefused, match="tomsk-2020"):
        make(marts, Wanted("annual", "нет такой"))


def test_reports_tell_what_is_overdue_and_who_answers(marts: Marts, tmp_path: Path) -> None:
    """A release in which two of the items were reported and one is late."""
    copied = copied_release(marts, tmp_path)
    late, half = "clustering", "contests"
    with duckdb.connect(str(copied.database)) as connection:
        for mart, key in (("measure", "measure_id"), ("monitoring_report", "item_id")):
            overdue = ", is_overdue = true" if mart == "monitoring_report" else ""
            connection.execute(
                f"update {mart} set status = 'overdue', days_overdue = 61 {overdue} "
                f"where programme_id = 'tomsk-2020' and period = '2024' and {key} = '{late}'"
            )
            connection.execute(
                f"update {mart} set status = 'in_progress', actual = 4 "
                f"where programme_id = 'tomsk-2020' and period = '2024' and {key} = '{half}'"
            )
        connection.execute(
            "update monitoring_report set actual_at_quarter_start = 1, change_since_quarter_start = 3 "
            f"where programme_id = 'tomsk-2020' and period = '2024' and item_id = '{half}'"
        )
    with Marts(copied) as changed:
        quarterly = make(changed, Wanted("quarterly", "tomsk-2020"))
        annual = make(changed, Wanted("annual", "tomsk-2020"))
    (overdue_row,) = quarterly.sections["overdue"].rows
    assert (overdue_row["days"], overdue_row["who"]) == ("61", "ТОИПКРО")
    (changed_row,) = quarterly.sections["changed"].rows
    assert (changed_row["before"], changed_row["actual"], changed_row["planned"]) == ("1", "4", "10")
    assert [row["item"] for row in annual.sections["overdue"].rows] == [overdue_row["item"]]
    answers = {row["who"]: row for row in annual.sections["responsible"].rows}
    assert answers["ТОИПКРО"]["overdue"] == "1"
    assert sum(int(row["measures"]) for row in answers.values()) == len(annual.sections["measures"].rows)


def test_all_documents_are_made_at_once(
    demo_region: Region, marts: Marts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Into folders of the release; templates of the user's own are used. Of each set one document is enough here."""
    few = tuple(replace(item, wanted=lambda *asked, item=item: item.wanted(*asked)[:1]) for item in SETS)
    monkeypatch.setattr("opora.documents.sets.SETS", few)
    home = replace(demo_region.home, root=tmp_path)
    home.releases.mkdir()
    (home.releases / marts.release.release_id).symlink_to(marts.release.folder)
    home.current.symlink_to(marts.release.release_id)
    assert call("template", "documents", "--home", tmp_path)[0] == 0
    assert "не тронут" in call("template", "documents", "--home", tmp_path)[1]
    own = read_docx(str(tmp_path / "templates" / "school.docx"))
    own.paragraphs[0].insert_paragraph_before("БЛАНК УПРАВЛЕНИЯ")
    own.save(str(tmp_path / "templates" / "school.docx"))
    code, said = call("documents", "--home", tmp_path, "--format", "docx")
    assert code == 0, said
    made = documents_folder(home, marts.release)
    assert {path.name for path in made.iterdir()} == {"приказ", "регион", "муниципалитеты", "программы", "школы"}
    assert {path.suffix for path in (made / "приказ").rglob("*.*")} == {".docx", ".xlsx"}
    (note,) = (made / "школы").rglob("*.docx")
    assert read_docx(str(note)).paragraphs[0].text == "БЛАНК УПРАВЛЕНИЯ"


def test_notes_are_made_of_all_schools_or_of_those_listed_and_at_risk(marts: Marts) -> None:
    every = {wanted.of for wanted in wanted_schools(marts)}
    some = {wanted.of for wanted in wanted_schools(marts, listed_only=True)}
    rows = marts.rows(
        "select * from school_status where (is_shnor and academic_year = $1) or is_at_risk", marts.list_year
    )
    newest = max(row["academic_year"] for row in rows if row["is_at_risk"])
    expected = {row["school_id"] for row in rows if row["academic_year"] == newest and row["is_at_risk"]}
    expected |= {row["school_id"] for row in rows if row["academic_year"] == marts.list_year and row["is_shnor"]}
    assert some == expected
    assert some < every
    assert len(every) > 50


def test_processes_make_the_same_bytes(
    marts: Marts, demo_region: Region, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = wanted_reports(marts)[:1]
    made = []
    for alone in (8, 0):
        monkeypatch.setattr("opora.documents.output._ALONE", alone)
        home = replace(demo_region.home, root=tmp_path / str(alone))
        folder = write_set(home, marts.release, wanted, "программы", ("docx", "xlsx"), processes=2)
        made.append({path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")})
    assert made[0] == made[1]
    assert len(made[0]) == 2


# --- who reads what; assets ---------------------------------------------------------------------------


def test_every_document_reads_the_marts_that_its_exposure_names(
    marts: Marts, listed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = PROJECT / "dbt" / "models" / "exposures.yml"
    exposures = {item["name"]: item for item in yaml.safe_load(path.read_text(encoding="utf-8"))["exposures"]}
    known = {mart.table for mart in tables("marts")}
    rows = Marts.rows
    every = [
        Wanted("school", listed),
        Wanted("municipality", "99_m001"),
        Wanted("region", "99"),
        Wanted("annex", "99"),
        *wanted_reports(marts)[:2],
    ]
    assert {wanted.kind for wanted in every} == {shape.kind for shape in SHAPES}
    for wanted in every:
        asked: list[str] = []
        with Marts(marts.release) as opened, monkeypatch.context() as patch:
            patch.setattr(
                Marts, "rows", lambda self, query, *v, asked=asked: asked.append(query) or rows(self, query, *v)
            )
            make(opened, wanted)
        read = {name for query in asked for name in re.findall(r"(?:from|join)\s+([a-z_]+)", query)} & known
        told = {re.findall(r"'(\w+)'", ref)[0] for ref in exposures[f"document_{wanted.kind}"]["depends_on"]}
        assert read == told, wanted.kind


def test_a_set_is_an_asset_with_links_and_a_preview(demo_region: Region, marts: Marts, tmp_path: Path) -> None:
    home = replace(demo_region.home, root=tmp_path)
    home.releases.mkdir()
    (home.releases / marts.release.release_id).symlink_to(marts.release.folder)
    home.current.symlink_to(marts.release.release_id)
    (annex,) = [asset for asset in build_document_assets() if asset.key.path[-1] == "annex"]
    result = dg.materialize([annex], resources={"opora_home": OporaHome(root=str(tmp_path))})
    (event,) = result.asset_materializations_for_node("documents__annex")
    assert event.metadata["documents"].value == 1
    assert event.metadata["release_id"].value == marts.release.release_id
    assert str(event.metadata["files"].value).count("file://") == 3
    assert "Список школ для адресной поддержки" in str(event.metadata["preview"].value)
    assert len(list(Path(str(event.metadata["folder"].value)).iterdir())) == 3


def test_advice_on_the_list_is_of_its_own_year(marts: Marts, tmp_path: Path) -> None:
    """A list without schools beside a risk zone of a year that had some: nothing is said of approving a list."""
    copied = copied_release(marts, tmp_path)
    with duckdb.connect(str(copied.database)) as connection:
        connection.execute(
            "update region_summary set shnor_count = 0, new_count = 0 where academic_year = $1", [marts.list_year]
        )
    with Marts(copied) as changed:
        told = " ".join(make(changed, Wanted("region", "99")).sections["recommendations"].points)
    assert "Утвердить список" not in told
    assert "Утвердить список" in " ".join(make(marts, Wanted("region", "99")).sections["recommendations"].points)
