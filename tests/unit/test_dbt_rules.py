"""The marts against cases worked by hand: one small lake, one build, one school for each case."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from scipy import stats

from opora.build import build
from opora.dbt_project import run_dbt
from opora.delivery import ISSUE_SCHEMA, DeliveryRecord, RowCounts, write_issues, write_record
from opora.facts import Setting
from opora.home import Home
from opora.means import profile_settings
from opora.methods import Method
from opora.models import choose, run_models
from opora.reference import Reference, load_reference
from opora.warehouse import WarehouseError, prepare
from schemas.arrow import polars_schema
from schemas.pandera_schemas import failures
from schemas.registry import table, tables
from tests.built import rows_of

Row = dict[str, Any]
Y1, Y2, Y3, Y4 = "2021-2022", "2022-2023", "2023-2024", "2024-2025"
METHOD = "rosobrnadzor-847"
OTHER_METHOD = "another-reading"
_REFERENCE = load_reference()


# --- a small lake --------------------------------------------------------------------------------


@dataclass
class Lake:
    """Rows by table and delivery, written as Parquet parts with a record for every delivery."""

    home: Home
    rows: dict[tuple[str, str], list[Row]] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: count(2))

    def add(self, table_name: str, delivery: int, *rows: Row) -> None:
        self.rows.setdefault((table_name, delivery_id(delivery)), []).extend(rows)

    def write(self, replaced: dict[int, int]) -> None:
        for (table_name, delivery), rows in self.rows.items():
            schema = polars_schema(table_name)
            full = [
                {name: row.get(name) for name in schema} | {"delivery_id": delivery, "source_row": next(self.numbers)}
                for row in rows
            ]
            frame = pl.DataFrame(full, schema=schema)
            year = next((name for name in ("measured_year", "scale_year") if name in schema), None)
            for key, part in frame.group_by(year) if year else [(("undated",), frame)]:
                path = self.home.lake_part(table_name, str(key[0]), delivery)
                path.parent.mkdir(parents=True, exist_ok=True)
                part.write_parquet(path)
        for number, delivery in enumerate(sorted({delivery for _, delivery in self.rows})):
            by = next((delivery_id(new) for old, new in replaced.items() if delivery_id(old) == delivery), None)
            write_record(self.home, _record(delivery, number, by))


def delivery_id(number: int) -> str:
    return f"d{number:012x}"


def _record(delivery: str, number: int, replaced_by: str | None) -> DeliveryRecord:
    moment = datetime(2025, 1, 1, number // 60, number % 60, tzinfo=UTC)
    return DeliveryRecord(
        delivery_id=delivery,
        sha256=delivery[1:] * 5,
        size_bytes=1,
        paths=[f"file-{delivery}.xlsx"],
        received_at=moment,
        modified_at=moment,
        status="accepted",
        intake_version="test",
        rows=RowCounts(rows_in=1, accepted=1),
        replaced_by=replaced_by,
    )


def works(login: str, procedure: str, year: str, below: int, participants: int, **values: Any) -> list[Row]:
    """ВПР works of one school: `below` marks «2», the rest «4»."""
    assessment, grade, subject = procedure.split("_")
    return [
        {
            "assessment": assessment,
            "subject_id": subject,
            "test_grade": int(grade),
            "measured_year": year,
            "held_year": year,
            "school_key_kind": "vpr_login",
            "school_key": login,
            "participant_code": f"{grade}{number:04}",
            "attendance": "participated",
            "mark": 2 if number < below else 4,
        }
        | values
        for number in range(participants)
    ]


def exam(code: str, procedure: str, person: str, day: date, **values: Any) -> Row:
    """One attempt of an exam in Y2."""
    assessment, grade, subject = procedure.split("_", 2)
    return {
        "assessment": assessment,
        "subject_id": subject,
        "test_grade": int(grade),
        "measured_year": Y2,
        "held_year": Y2,
        "held_on": day,
        "school_key_kind": "exam_code",
        "school_key": code,
        "person_key": person,
        "attendance": "participated",
    } | values


def school(login: str, **values: Any) -> Row:
    return {
        "vpr_login": login,
        "school_name": f"МБОУ СОШ № {int(login[2:])}",
        "municipality_label": "Бийский район",
    } | values


def report(login: str, procedure: str, year: str, below: int, participants: int, **values: Any) -> Row:
    assessment, grade, subject = procedure.split("_")
    return {
        "assessment": assessment,
        "subject_id": subject,
        "test_grade": int(grade),
        "measured_year": year,
        "held_year": year,
        "territory_level": "school",
        "school_key_kind": "vpr_login",
        "school_key": login,
        "participants": participants,
        "below_minimum": below,
    } | values


def _scale(grade: int, subject: str, year: str) -> dict[int, int]:
    """The lowest score of every mark in the reference."""
    scale = next(
        scale
        for scale in _REFERENCE.scales
        if (scale.assessment, scale.test_grade, scale.subject_id) == ("vpr", grade, subject)
        and any(period.covers(year) for period in scale.periods)
    )
    return {band.mark: band.score_min for band in scale.mark_bands}


JUNE, JULY, SEPTEMBER = date(2023, 6, 1), date(2023, 7, 1), date(2023, 9, 6)


def fill(lake: Lake) -> None:
    """Every school is a case; its login is its number after 22."""
    add = lake.add
    # 1: 3 of 10 and 30 of 100 in one year
    add("assessment_result", 1, *works("220001", "vpr_5_russian", Y2, 3, 10))
    add("assessment_result", 1, *works("220001", "vpr_5_mathematics", Y2, 30, 100))
    # 2: 29 of 100 and 2 of 10
    add("assessment_result", 1, *works("220002", "vpr_5_russian", Y2, 29, 100))
    add("assessment_result", 1, *works("220002", "vpr_5_mathematics", Y2, 2, 10))
    # 3: one in each of two years, of different procedures
    add("assessment_result", 1, *works("220003", "vpr_5_russian", Y1, 4, 10))
    add("assessment_result", 1, *works("220003", "vpr_6_mathematics", Y2, 3, 9))
    # 4: both grounds, on groups of different size
    add("assessment_result", 1, *works("220004", "vpr_5_russian", Y1, 30, 60))
    for procedure, participants in (("vpr_5_russian", 25), ("vpr_6_russian", 12), ("vpr_6_mathematics", 5)):
        add("assessment_result", 1, *works("220004", procedure, Y2, participants // 2, participants))
    # 5: nothing low but in the current year; listed for the first year that can be
    add("assessment_result", 1, *works("220005", "vpr_5_russian", Y2, 0, 10))
    add("assessment_result", 1, *works("220005", "vpr_5_russian", Y3, 5, 10))
    # 6: no marks in the export, some in another work; 7: absentees with a total of zero
    lowest = _scale(5, "russian", Y2)[3]
    add(
        "assessment_result",
        1,
        *works("220006", "vpr_5_russian", Y2, 0, 4, mark=None, total_score=lowest - 1.0),
    )
    add(
        "assessment_result",
        1,
        *works("220006", "vpr_5_russian", Y2, 0, 6, mark=None, total_score=float(lowest)),
    )
    add("assessment_result", 1, *works("220006", "vpr_5_mathematics", Y2, 1, 3))
    add("assessment_result", 1, *works("220006", "vpr_5_mathematics", Y2, 0, 1, mark=None, total_score=0.0))
    add("assessment_result", 1, *works("220006", "vpr_6_mathematics", Y2, 1, 5))
    add("assessment_result", 1, *works("220006", "vpr_6_mathematics", Y2, 0, 1, mark=None, total_score=900.0))
    add("assessment_result", 1, *works("220007", "vpr_5_russian", Y2, 2, 10))
    add(
        "assessment_result",
        1,
        *works("220007", "vpr_5_russian", Y2, 0, 5, mark=None, total_score=0.0, attendance="absent"),
        *works("220007", "vpr_6_russian", Y2, 0, 2, mark=None, total_score=0.0, attendance="absent"),
    )
    # 8: a primary school; it appears in the register only
    # 9: a later file replaces the works of this school alone; 10: a corrected file replaced a former one
    add("assessment_result", 1, *works("220009", "vpr_5_russian", Y2, 5, 10))
    add("assessment_result", 2, *works("220009", "vpr_5_russian", Y2, 0, 9))
    add("assessment_result", 3, *works("220010", "vpr_5_russian", Y2, 5, 10))
    add("assessment_result", 4, *works("220010", "vpr_5_russian", Y2, 1, 8))
    # 11 and its branch 12; 13 merged into 14; 15 is known by two logins
    for procedure in ("vpr_5_russian", "vpr_5_mathematics"):
        add("assessment_result", 1, *works("220011", procedure, Y2, 5, 20))
        add("assessment_result", 1, *works("220012", procedure, Y2, 5, 10))
        add("assessment_result", 1, *works("220013", procedure, Y2, 5, 10))
    add("assessment_result", 1, *works("220014", "vpr_5_russian", Y2, 3, 10))
    add("assessment_result", 1, *works("220013", "vpr_5_russian", Y3, 1, 4))
    add("assessment_result", 1, *works("220014", "vpr_5_russian", Y3, 1, 6))
    add("assessment_result", 1, *works("220015", "vpr_5_russian", Y2, 1, 10))
    add("assessment_result", 1, *works("229915", "vpr_5_russian", Y2, 5, 10))
    # 16: an evening school; 17: not in the register and without a municipality
    for procedure in ("vpr_5_russian", "vpr_5_mathematics"):
        add("assessment_result", 1, *works("220016", procedure, Y2, 5, 10))
    add("assessment_result", 1, *works("220017", "vpr_5_russian", Y2, 0, 10))
    # 18: a report alone; 19: protocols and a report that differs; and the row of the whole region
    add("aggregate_result", 5, report("220018", "vpr_5_russian", Y2, 4, 12))
    add("aggregate_result", 5, report("220019", "vpr_5_russian", Y2, 9, 12))
    add("assessment_result", 1, *works("220019", "vpr_5_russian", Y2, 1, 11))
    add(
        "aggregate_result",
        5,
        report(
            "",
            "vpr_5_russian",
            Y2,
            900,
            1000,
            territory_level="region",
            school_key=None,
            school_key_kind=None,
        ),
    )
    # 5 again: named in full, without a login
    full_name = "муниципальное бюджетное общеобразовательное учреждение средняя общеобразовательная школа №5"
    by_name = {"school_key_kind": "name", "school_key": f"муниципальный округ бийский район|{full_name}"}
    add("aggregate_result", 5, report("", "vpr_6_russian", Y2, 0, 15, **by_name))
    # 21: an autumn sitting measures the year before it
    autumn = works("220021", "vpr_5_russian", Y2, 5, 10, held_year=Y3, pupil_grade=6)
    add("assessment_result", 1, *autumn)
    # 20 and 22: exams
    oge = "oge_9_mathematics"
    add(
        "assessment_result",
        6,
        exam("2001", oge, "retaken", JUNE, mark=2),
        exam("2001", oge, "retaken", JULY, mark=3),
        exam("2001", oge, "appealed", JUNE, mark=2),
        exam("2001", oge, "refused", JUNE, mark=2),
        exam("2001", oge, "named", JUNE, mark=2, person_name_key="name"),
        exam("2001", oge, "good", JUNE, mark=5),
        exam("2001", oge, "late", SEPTEMBER, mark=2),
        exam("2001", oge, "gone", JUNE, mark=None, attendance="absent"),
        exam("2001", oge, "former", JUNE, mark=2, participant_category="previous_years"),
        exam("2001", "gve_9_mathematics", "unwell", JUNE, mark=4),
        exam("2001", "gve_9_russian", "unwell", JULY, mark=4),
    )
    add("assessment_result", 7, exam("2001", oge, "good", JUNE, mark=4))  # the same attempt, delivered again
    add(
        "appeal",
        8,
        exam("2001", oge, "appealed", JUNE, is_accepted=True, mark_after=3),
        exam("2001", oge, "refused", JUNE, is_accepted=False, mark_after=3),
        exam("2001", oge, None, None, is_accepted=True, mark_after=4, person_name_key="name"),  # type: ignore[arg-type]
    )
    base, profile = "ege_11_mathematics_base", "ege_11_mathematics_profile"
    add(
        "assessment_result",
        6,
        exam("2002", base, "profile saves", JUNE, mark=2),
        exam("2002", profile, "profile saves", JULY, test_score=40.0),
        exam("2002", base, "neither", JUNE, mark=2),
        exam("2002", profile, "neither", JULY, test_score=26.0),
        exam("2002", base, "base only", JUNE, mark=2),
        exam("2002", profile, "just enough", JULY, test_score=27.0),
        exam("2002", "ege_11_russian", "neither", JUNE, test_score=23.0),
        exam("2002", "ege_11_russian", "base only", JUNE, test_score=24.0),
        exam("2002", "ege_11_russian", "just enough", JUNE, test_score=36.0),
    )
    add(
        "school_register",
        9,
        *(school(f"2200{number:02}") for number in range(1, 23) if number not in (8, 16, 17)),
        school("220008", school_name="МБОУ «Хвойная НОШ»", municipality_label="г. Бийск"),
        school("220016", school_name="Вечерняя (сменная) школа № 16", municipality_label="город Бийск"),
    )
    rows: Iterable[tuple[str, str, str, str, date | None]] = (
        ("vpr_login", "220012", "s220011", "branch_of", None),
        ("vpr_login", "220013", "s220014", "merged_into", date(2023, 9, 1)),
        ("vpr_login", "229915", "s220015", "same", None),
        ("exam_code", "2001", "s220020", "same", None),
        ("exam_code", "2002", "s220022", "same", None),
    )
    for kind, value, school_id, relation, since in rows:
        add(
            "school_crosswalk",
            9,
            {
                "key_kind": kind,
                "key_value": value,
                "school_id": school_id,
                "relation": relation,
                "valid_from": since,
            },
        )


# --- the build -----------------------------------------------------------------------------------


def another_method(**changes: Any) -> Method:
    """The official method with some settings decided otherwise."""
    official = _REFERENCE.method(METHOD)
    settings = official.settings.model_copy(
        update={name: Setting(value=value, status="OPEN", note_ru="-") for name, value in changes.items()}
    )
    return official.model_copy(
        update={"method_id": OTHER_METHOD, "is_official": False, "settings": settings},
    )


@dataclass(frozen=True)
class Built:
    home: Home
    reference: Reference
    database: Path
    statuses: dict[str, str]

    def rows(self, relation: str, **key: Any) -> list[Row]:
        return rows_of(self.database, relation, **key)

    def row(self, relation: str, **key: Any) -> Row:
        (found,) = self.rows(relation, **key)
        return found

    def result(self, school_id: str, procedure_id: str, year: str = Y2) -> Row:
        return self.row("marts.procedure_result", school_id=school_id, procedure_id=procedure_id, academic_year=year)

    def status(self, school_id: str, year: str = Y3) -> Row:
        return self.row("marts.school_status", school_id=school_id, academic_year=year)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    home = Home(tmp_path_factory.mktemp("rules")).ensure()
    lake = Lake(home)
    fill(lake)
    lake.write(replaced={3: 4})
    issue = {"delivery_id": delivery_id(1), "check_id": "attribute_unreadable", "severity": "warning"}
    words = {"reason_ru": "Пол не распознан.", "file_name": "file"}
    write_issues(
        home,
        delivery_id(1),
        pl.DataFrame([dict.fromkeys(ISSUE_SCHEMA) | issue | words], ISSUE_SCHEMA),
    )
    method = another_method(
        attempt="final",
        ege_mathematics="two",
        procedures=(
            "vpr_5_russian",
            "vpr_6_russian",
            "oge_9_mathematics",
            "ege_11_russian",
            "ege_11_mathematics_base",
            "ege_11_mathematics_profile",
        ),
        ege_russian_minimum="university",
        year_basis="held",
        grade_basis="pupil",
        minimum_participants=10,
        roll_up_branches=False,
        same_procedure_required=True,
        merged_history="inherit",
        excluded_school_reasons=(),
    )
    reference = replace(_REFERENCE, methods=(*_REFERENCE.methods, method))
    database = home.build / "run.duckdb"
    prepare(home, reference, database)
    results = build(database)
    return Built(home, reference, database, {result.name: result.status for result in results})


# --- cases ---------------------------------------------------------------------------------------


def test_every_model_and_test_passes(built: Built) -> None:
    """Only the two expected warnings: a score that is on no scale, and nothing else."""
    assert {name for name, status in built.statuses.items() if status not in ("success", "pass")} == {
        "scales_and_minimums_are_known"
    }


def test_dbt_itself_builds_the_same_tables(built: Built, tmp_path: Path) -> None:
    """Compiled models run here as dbt would run them: the same tables and rows, and its tests pass."""
    database = tmp_path / "copy.duckdb"
    database.write_bytes(built.database.read_bytes())
    with duckdb.connect(database) as connection:
        for schema in ("staging", "intermediate", "marts"):
            connection.execute(f"drop schema {schema} cascade")
    statuses = run_dbt("build", profile_settings(database), tmp_path / "dbt")
    assert {name: status for name, status in statuses.items() if name in built.statuses} == built.statuses
    # an exposure is nothing to run
    unit_tests = {n: status for n, status in statuses.items() if n not in built.statuses and status != "no-op"}
    assert len(unit_tests) >= 4
    assert set(unit_tests.values()) == {"pass"}
    with duckdb.connect() as connection:
        connection.execute(f"attach '{built.database}' as ours (read_only); attach '{database}' as theirs (read_only)")
        for name in (f"marts.{spec.table}" for spec in tables("marts")):
            differing = connection.execute(
                f"(select * from ours.{name} except all select * from theirs.{name})"
                f" union all (select * from theirs.{name} except all select * from ours.{name})"
            ).fetchall()
            assert differing == [], name


@pytest.mark.parametrize("table_name", [table.table for table in tables("marts")])
def test_marts_match_the_registry(built: Built, table_name: str) -> None:
    with duckdb.connect(built.database, read_only=True) as connection:
        frame = connection.execute(f"select * from marts.{table_name}").pl()
    assert frame.columns == table(table_name).names
    assert failures(table_name, frame).is_empty()


@pytest.mark.parametrize(
    ("school_id", "procedure_id", "is_low"),
    [
        ("s220001", "vpr_5_russian", True),
        ("s220001", "vpr_5_mathematics", True),
        ("s220002", "vpr_5_russian", False),
        ("s220002", "vpr_5_mathematics", False),
    ],
)
def test_threshold_is_inclusive(built: Built, school_id: str, procedure_id: str, is_low: bool) -> None:
    assert built.result(school_id, procedure_id)["is_low"] is is_low


def test_two_low_procedures_in_the_previous_year(built: Built) -> None:
    status = built.status("s220001")
    assert (status["status"], status["shnor_basis"], status["listing"]) == ("shnor", "two_procedures", "new")
    assert (status["low_procedures_previous_year"], status["low_procedures_year_before"]) == (2, None)
    assert (status["evidence_participants"], status["reliability"]) == (10, "limited")
    assert status["reason_ru"] == (
        "низкие результаты: ВПР-5 РУ 2022/23 — 3 из 10 (30,0 %); ВПР-5 МА 2022/23 — 30 из 100 (30,0 %)"
    )
    assert status["decided_from_years"].startswith("2022/23: ВПР-5 РУ, ВПР-5 МА (не поступили: ВПР-6 РУ")
    assert status["undecided_reason_ru"] is None


def test_one_low_procedure_in_each_of_two_years(built: Built) -> None:
    status = built.status("s220003")
    assert (status["is_shnor"], status["shnor_basis"]) == (True, "two_years")
    assert (status["evidence_participants"], status["reliability"]) == (9, "low")
    assert built.status("s220003", Y2)["undecided_reason_ru"].startswith("правило двух лет проверить нельзя")


def test_both_grounds_rest_on_the_surer_one(built: Built) -> None:
    """By two procedures 12 pupils would do; by two years the group of 25 meets the group of 60."""
    status = built.status("s220004")
    assert (status["shnor_basis"], status["evidence_participants"], status["reliability"]) == (
        "both",
        25,
        "ok",
    )


def test_few_low_results_are_not_enough(built: Built) -> None:
    status = built.status("s220002")
    assert (status["status"], status["meets_shnor_rule"], status["evidence_participants"]) == (
        "none",
        False,
        None,
    )
    assert status["reason_ru"] == "низких результатов нет"
    assert status["undecided_reason_ru"] is None


def test_risk_is_decided_by_the_current_year(built: Built) -> None:
    this, following = built.status("s220005", Y3), built.status("s220005", Y4)
    assert (this["status"], this["is_at_risk"], this["low_procedures_current_year"]) == ("risk", True, 1)
    assert "зона риска: ВПР-5 РУ 2023/24 — 5 из 10 (50,0 %)" in this["reason_ru"]
    assert (following["is_at_risk"], following["low_procedures_current_year"]) == (None, None)
    assert following["undecided_reason_ru"] is None, "2022/23 has results, so the rule of two years is decided"


def test_leaving_needs_results(built: Built) -> None:
    """Without results of 2023/24 a school is not assessed: it has not left the list."""
    status = built.status("s220001", Y4)
    assert (status["status"], status["listing"], status["meets_shnor_rule"]) == ("not_assessed", "none", None)


def test_marks_come_from_the_scale_where_the_export_has_none(built: Built) -> None:
    scaled = built.result("s220006", "vpr_5_russian")
    assert (scaled["participants"], scaled["below_minimum"], scaled["mark_origin"]) == (10, 4, "scale")
    assert scaled["scale_id"].startswith("vpr_5_russian")
    assert scaled["evidence"]
    mixed = built.result("s220006", "vpr_5_mathematics")
    assert (mixed["participants"], mixed["below_minimum"], mixed["mark_origin"]) == (4, 2, "mixed")


def test_unknown_result_leaves_the_flag_open(built: Built) -> None:
    """1 of 6 below and one unknown: 2 of 6 would be low."""
    result = built.result("s220006", "vpr_6_mathematics")
    assert (result["participants"], result["below_minimum"], result["unknown_count"]) == (6, 1, 1)
    assert (result["is_low"], result["below_share"]) == (None, None)


def test_absentees_are_no_participants(built: Built) -> None:
    result = built.result("s220007", "vpr_5_russian")
    assert (result["participants"], result["below_minimum"], result["absent_count"]) == (10, 2, 5)
    nobody = built.result("s220007", "vpr_6_russian")
    assert (nobody["state"], nobody["participants"], nobody["absent_count"]) == ("no_participants", None, 2)


def test_primary_school_is_not_assessed(built: Built) -> None:
    assert built.result("s220008", "vpr_5_russian")["state"] == "no_such_grade"
    status = built.status("s220008")
    assert (status["status"], status["is_assessed"], status["meets_shnor_rule"]) == (
        "not_assessed",
        False,
        None,
    )
    assert "нет классов" in status["reason_ru"]


def test_later_delivery_replaces_the_works_it_brings(built: Built) -> None:
    result = built.result("s220009", "vpr_5_russian")
    assert (result["participants"], result["below_minimum"]) == (9, 0)
    assert result["delivery_ids"] == delivery_id(2)
    (issue,) = built.rows("marts.quality_issue", check_id="overlapping_deliveries")
    assert (issue["delivery_id"], issue["found_by"]) == (delivery_id(1), "marts")


def test_replaced_delivery_counts_for_nothing(built: Built) -> None:
    result = built.result("s220010", "vpr_5_russian")
    assert (result["participants"], result["below_minimum"]) == (8, 1)
    assert not built.row("marts.delivery", delivery_id=delivery_id(3))["is_active"]


def test_branch_counts_with_its_head_and_keeps_its_row(built: Built) -> None:
    head, branch = built.result("s220011", "vpr_5_russian"), built.result("s220012", "vpr_5_russian")
    assert (head["participants"], head["below_minimum"], head["is_low"]) == (30, 10, True)
    assert (head["own_participants"], head["own_below_minimum"]) == (20, 5)
    assert (branch["participants"], branch["is_low"]) == (10, True)
    assert built.status("s220011")["is_shnor"]
    status = built.status("s220012")
    assert (status["meets_shnor_rule"], status["is_shnor"], status["excluded_reason"]) == (
        True,
        False,
        "branch",
    )
    described = built.row("marts.school", school_id="s220012")
    assert (described["is_branch"], described["parent_school_id"]) == (True, "s220011")


def test_merged_school_keeps_its_past_and_leaves_the_list(built: Built) -> None:
    status = built.status("s220013")
    assert (status["meets_shnor_rule"], status["is_shnor"], status["excluded_reason"]) == (
        True,
        False,
        "merged",
    )
    assert built.result("s220014", "vpr_5_russian", Y3)["participants"] == 10, "its login counts for the successor"
    assert built.result("s220013", "vpr_5_russian", Y3)["state"] == "not_delivered"
    assert built.status("s220014")["low_procedures_previous_year"] == 1, "official: own history only"


def test_one_school_under_two_logins(built: Built) -> None:
    result = built.result("s220015", "vpr_5_russian")
    assert (result["participants"], result["below_minimum"], result["is_low"]) == (20, 6, True)


def test_excluded_school_is_computed_but_not_listed(built: Built) -> None:
    described = built.row("marts.school", school_id="s220016")
    assert (described["school_type"], described["is_excluded"]) == ("evening", True)
    status = built.status("s220016")
    assert (status["status"], status["meets_shnor_rule"], status["is_shnor"]) == ("excluded", True, False)
    assert status["reason_ru"].startswith("вне списка по виду школы; низкие результаты: ")


def test_school_outside_the_register_is_kept_and_named(built: Built) -> None:
    described = built.row("marts.school", school_id="s220017")
    assert (described["is_registered"], described["municipality_id"]) == (False, "22_unknown")
    (issue,) = built.rows("marts.quality_issue", check_id="unknown_school")
    assert issue["value"] == "220017"


def test_municipality_is_found_by_its_words(built: Built) -> None:
    primary, evening = (built.row("marts.school", school_id=f"s2200{n}")["municipality_id"] for n in ("08", "16"))
    assert primary == evening != built.row("marts.school", school_id="s220001")["municipality_id"]


def test_report_counts_only_where_there_are_no_protocols(built: Built) -> None:
    reported = built.result("s220018", "vpr_5_russian")
    assert (reported["participants"], reported["below_minimum"]) == (12, 4)
    assert (reported["result_source"], reported["mark_origin"]) == ("aggregate", "report")
    both = built.result("s220019", "vpr_5_russian")
    assert (both["participants"], both["below_minimum"], both["result_source"]) == (11, 1, "participants")


def test_school_is_found_by_its_full_name_in_its_municipality(built: Built) -> None:
    assert built.result("s220005", "vpr_6_russian")["participants"] == 15
    assert {row["school_id"] for row in built.rows("marts.school", is_registered=False)} == {"s220017"}


def test_autumn_sitting_measures_the_year_before(built: Built) -> None:
    assert built.result("s220021", "vpr_5_russian", Y2)["participants"] == 10
    assert built.result("s220021", "vpr_5_russian", Y3)["state"] == "not_delivered"


def test_first_attempt_counts_and_appeals_change_it(built: Built) -> None:
    """Failed: the one who retook, the one whose appeal was refused. Others appealed."""
    result = built.result("s220020", "oge_9_mathematics")
    assert (result["participants"], result["below_minimum"], result["mark_origin"]) == (5, 2, "exported")
    assert result["absent_count"] == 1
    assert result["delivery_ids"] == ";".join(delivery_id(number) for number in (6, 7, 8))


def test_mathematics_is_one_procedure_of_unique_people(built: Built) -> None:
    result = built.result("s220022", "ege_11_mathematics")
    assert (result["participants"], result["below_minimum"], result["mark_origin"]) == (4, 2, "mixed")
    russian = built.result("s220022", "ege_11_russian")
    assert (russian["participants"], russian["below_minimum"], russian["mark_origin"]) == (3, 1, "threshold")


def test_another_method_runs_beside_the_official_one(built: Built) -> None:
    def outcome(school_id: str, procedure_id: str, year: str = Y2) -> tuple[Any, ...]:
        row = built.row(
            "intermediate.int_procedure_outcome",
            method_id=OTHER_METHOD,
            school_id=school_id,
            procedure_id=procedure_id,
            academic_year=year,
        )
        return row["participants"], row["below_minimum"], row["is_low"]

    assert outcome("s220020", "oge_9_mathematics") == (6, 2, None), (
        "the last attempt, September too; too few participants"
    )
    assert outcome("s220022", "ege_11_mathematics_base") == (3, 3, None)
    assert outcome("s220022", "ege_11_mathematics_profile") == (3, 1, None)
    assert outcome("s220022", "ege_11_russian") == (3, 2, None), "36 points for a university"
    assert outcome("s220021", "vpr_6_russian", Y3) == (10, 5, True), "by the year and grade of writing"
    assert outcome("s220011", "vpr_5_russian") == (20, 5, False), "without the branch"

    def lows(school_id: str, year: str) -> tuple[Any, ...]:
        row = built.row(
            "intermediate.int_school_status", method_id=OTHER_METHOD, school_id=school_id, academic_year=year
        )
        return row["low_previous"], row["is_shnor"]

    assert lows("s220014", Y3) == (1, False), "own and inherited result of one procedure count once"
    assert not {row["method_id"] for row in built.rows("marts.school_status")} - {METHOD}


@pytest.mark.parametrize(
    ("school_id", "procedure_id"),
    [("s220001", "vpr_5_russian"), ("s220001", "vpr_5_mathematics"), ("s220005", "vpr_5_russian")],
)
def test_interval_and_probability_agree_with_scipy(built: Built, school_id: str, procedure_id: str) -> None:
    result = built.result(school_id, procedure_id)
    k, n = result["below_minimum"], result["participants"]
    interval = stats.binomtest(k, n).proportion_ci(confidence_level=0.95, method="wilson")
    assert math.isclose(result["share_ci_low"], interval.low, abs_tol=1e-8)
    assert math.isclose(result["share_ci_high"], interval.high, abs_tol=1e-8)
    assert math.isclose(result["probability_low"], stats.beta(k + 1, n - k + 1).sf(0.3), abs_tol=1e-10)


def test_matrix_is_complete(built: Built) -> None:
    schools, years, procedures = len(built.rows("marts.school")), 3, 8
    assert len(built.rows("marts.procedure_result")) == schools * years * procedures
    assert built.result("s220001", "oge_9_russian")["state"] == "not_delivered"


def test_territory_is_pooled_without_counting_branches_twice(built: Built) -> None:
    own = [
        row
        for row in built.rows("marts.procedure_result", procedure_id="vpr_5_russian", academic_year=Y2)
        if row["state"] == "held" and row["own_unknown_count"] == 0
    ]
    region = built.row("marts.region_summary", procedure_id="vpr_5_russian", academic_year=Y2)
    assert region["participants"] == sum(row["own_participants"] for row in own)
    assert region["below_minimum"] == sum(row["own_below_minimum"] for row in own)
    assert math.isclose(region["below_share"], region["below_minimum"] / region["participants"])
    whole = built.row("marts.region_summary", procedure_id="all", academic_year=Y3)
    listed = [row["school_id"] for row in built.rows("marts.school_status", academic_year=Y3, is_shnor=True)]
    assert sorted(listed) == ["s220001", "s220003", "s220004", "s220006", "s220011", "s220022"]
    # 22 schools less one branch and one merged
    assert (whole["schools_count"], whole["shnor_count"], whole["excluded_schools_count"]) == (20, 6, 1)
    assert math.isclose(whole["shnor_share"], 0.3)
    assert built.row("marts.region_summary", procedure_id="all", academic_year=Y2)["gve_count"] == 1


def test_issues_of_intake_stand_beside_those_of_the_marts(built: Built) -> None:
    (issue,) = built.rows("marts.quality_issue", found_by="intake")
    assert (issue["check_id"], issue["issue_id"]) == ("attribute_unreadable", f"{delivery_id(1)}-1")


def test_an_empty_home_builds_empty_marts(tmp_path: Path) -> None:
    home = Home(tmp_path).ensure()
    database = tmp_path / "empty.duckdb"
    prepare(home, _REFERENCE, database)
    build(database)
    with duckdb.connect(database, read_only=True) as connection:
        assert connection.execute("select count(*) from marts.school_status").fetchone() == (0,)


def test_a_failing_test_is_named_with_its_rows(built: Built, tmp_path: Path) -> None:
    database = tmp_path / "broken.duckdb"
    database.write_bytes(built.database.read_bytes())
    with duckdb.connect(database) as connection:
        connection.execute("update marts.procedure_result set is_low = not is_low where school_id = 's220001'")
    with pytest.raises(WarehouseError) as error:
        run_models(database, choose(["flag_follows_the_rule"]))
    assert "flag_follows_the_rule" in str(error.value)
    assert "s220001" in str(error.value)


def test_a_column_that_need_not_be_there_is_null_in_older_parts(tmp_path: Path) -> None:
    home = Home(tmp_path).ensure()
    path = home.lake_part("codifier", "undated", delivery_id(1))
    path.parent.mkdir(parents=True)
    row = {"delivery_id": delivery_id(1), "source_row": 2, "subject_id": "russian", "test_grade": 5}
    row |= {"codifier": "kes", "code": "1"}
    pl.DataFrame([row]).write_parquet(path)
    prepare(home, _REFERENCE, tmp_path / "x.duckdb")
    with duckdb.connect(str(tmp_path / "x.duckdb"), read_only=True) as connection:
        assert connection.execute("select code, label from lake.codifier").fetchall() == [("1", None)]


def test_a_lake_part_that_does_not_fit_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path).ensure()
    path = home.lake_part("appeal", Y2, delivery_id(1))
    path.parent.mkdir(parents=True)
    pl.DataFrame({"delivery_id": [delivery_id(1)]}).write_parquet(path)
    with pytest.raises(WarehouseError, match="appeal"):
        prepare(home, _REFERENCE, tmp_path / "x.duckdb")
