"""The real survey of conditions of one region: what its answers say, and how much of it is known. Aggregates only."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest

from opora.delivery import read_issues, read_records
from opora.home import Home
from opora.intake import ingest
from opora.models import choose, run_models
from opora.warehouse import prepare
from tests import builders as b
from tests.conftest import REAL_DATA

ALTAI = REAL_DATA / "altai-krai-vpr"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not ALTAI.is_dir(), reason=f"the real region is not at {ALTAI}; set OPORA_REAL_DATA"),
]
SCHOOLS = 678


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("survey")).ensure()
    for part in ("registry", "context"):
        (home.landing / part).symlink_to(ALTAI / part)
    ingest(home, b.reference())
    return home


@pytest.fixture(scope="module")
def components(home: Home, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    database: Path = tmp_path_factory.mktemp("build") / "build.duckdb"
    prepare(home, b.reference(), database)
    run_models(database, choose(["+context_component", "+school"]))
    # tests that also look at other marts need a whole build; those of the whole region see them
    run_models(database, choose(["conditions_are_complete", "context_component_key", "context_component_values"]))
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute("select * from marts.context_component").pl()


def test_every_answer_is_read_or_said_to_be_impossible(home: Home) -> None:
    """No text of the survey is unknown to the catalogue; what is set aside contradicts another answer."""
    (record,) = (r for r in read_records(home).values() if r.layout_ids == ["context_survey_2022"])
    assert record.rows.rows_in == record.rows.accepted == 2 * SCHOOLS
    assert record.academic_years == ["2021-2022"]
    contradictions = {"answers_contradict": 8, "part_exceeds_whole": 10, "parts_exceed_whole": 2}
    # codes of 11 and 12 digits, as a person's insurance or taxpayer number has them
    assert record.issues == {**contradictions, "personal_data_dropped": 5}
    severities = dict(read_issues(home).group_by("severity").len().iter_rows())
    assert severities == {"quarantine": sum(contradictions.values()), "warning": 5}


def test_what_the_survey_knows(components: pl.DataFrame) -> None:
    known = dict(components.filter(pl.col("is_known")).group_by("component_id").len().sort("component_id").iter_rows())
    assert known == {
        "disability_share": 669,
        "enrolment": SCHOOLS,
        "is_urban": SCHOOLS,
        "pupils_per_teacher": SCHOOLS,
        "settlement_kind": SCHOOLS,
        "settlement_size": 670,
        "teachers_with_category_share": 677,
        "transport_access": 673,
    }
    assert set(components.filter(pl.col("is_known"))["source_ids"]) == {"survey"}
    social = components.filter(pl.col("component_group").is_in(["social", "resources"]) & ~pl.col("is_known"))
    assert set(social.filter(pl.col("component_id") != "disability_share")["unknown_reason"]) == {"not_asked"}


def test_what_the_answers_say(components: pl.DataFrame) -> None:
    def values(component: str) -> pl.Series:
        return components.filter(component_id=component, is_known=True)["value"]

    kinds = dict(values("settlement_kind").value_counts().iter_rows())
    assert kinds == {1.0: 14, 2.0: 181, 3.0: 23, 4.0: 460}
    assert values("is_urban").sum() == 14 + 181 + 23
    assert (values("enrolment").min(), values("enrolment").median(), values("enrolment").max()) == (1, 213.5, 3262)
    assert values("pupils_per_teacher").is_between(0, 30).all()
    assert 0.7 < float(values("teachers_with_category_share").mean()) < 0.8  # type: ignore[arg-type]


def test_big_towns_are_not_asked_about_transport(components: pl.DataFrame) -> None:
    told = components.filter(component_id="transport_access")
    inferred = told.filter(pl.col("is_known") & pl.col("reason_ru").is_not_null())
    assert inferred.height == 137
    assert set(inferred["value"]) == {4.0}
    unknown = told.filter(~pl.col("is_known"))
    assert dict(unknown["unknown_reason"].value_counts().iter_rows())["not_answered"] == 5
