"""Reference facts load, agree with one another, answer questions; a wrong one is named by file and field."""

import datetime as dt
import os
import shutil
from functools import cache
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opora.facts import ReferenceFileError, default_root
from opora.reference import Reference, load_reference, parse_bands

REAL = Path(os.environ.get("OPORA_REAL_DATA", default_root().parents[1] / "shared/data/real"))
ALTAI = REAL / "altai-krai-vpr"
METHOD = "rosobrnadzor-847"


@cache
def _shared_reference() -> Reference:
    """One load for all tests and all examples of a property, which cannot take a fixture's place."""
    return load_reference()


@pytest.fixture(scope="module")
def reference() -> Reference:
    return _shared_reference()


@pytest.fixture(scope="module")
def tables(reference: Reference) -> dict[str, pl.DataFrame]:
    return reference.tables()


# --- files -----------------------------------------------------------------------------------------


def test_every_file_loads_and_each_fact_is_cited(reference: Reference) -> None:
    facts = [
        *reference.academic_years,
        *reference.subjects,
        *reference.exam_codes,
        *reference.procedures,
        *reference.methods,
        *reference.scales,
        *(period for scale in reference.scales for period in scale.periods),
        *reference.thresholds,
        *reference.sessions,
        *reference.monitoring,
        *reference.school_types,
        *reference.breaks,
        *reference.marker_methods,
        reference.journal,
        reference.dynamics,
    ]
    assert all(fact.source.strip() for fact in facts)


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        ("scales/oge.yaml", "0-14/15-22/23-28/29-33", "0-14/16-22/23-28/29-33", r"scales\[1\].*gap.*mark 3"),
        ("scales/oge.yaml", "0-14/15-22/23-28/29-33", "0-14/14-22/23-28/29-33", r"scales\[1\].*overlap"),
        ("scales/oge.yaml", "max_score: 37", "max_score: 38", r"scales\[2\].*max_score 38"),
        ("scales/vpr.yaml", "valid_to: 2023-2024", "valid_to: 2025-2026", "two scales in one year.*vpr"),
        ("thresholds/ege.yaml", "minimum: 24", 'minimum: "24"', r"thresholds\[0\]\.minimum"),
        ("thresholds/ege.yaml", "2025-2026", "2025-2027", r"thresholds\[2\]\.valid_from.*2025-2027"),
        ("subjects.yaml", 'code: "01"', "code: 1", r"exam_codes\[0\]\.code"),
        ("subjects.yaml", "aliases: [физика,", "aliases: [химия,", "two subjects claim:.*химия"),
        ("subjects.yaml", "subject_id: russian", "subject_id: russkij", "subject_ids: unknown: russian"),
        ("procedures.yaml", "grade: 4", "grade: 5", r"procedures\[0\].*contradicts"),
        ("procedures.yaml", "short_ru: ВПР-4 РУ", "shrt_ru: ВПР-4 РУ", r"procedures\[0\]\.shrt_ru"),
        ("procedures.yaml", "grade: 4", "grade: 4\n    grade: 4", "repeated keys.*grade"),
        ("calendar.yaml", "is_default: true", "is_default: false", "is_default.*'vpr', 2018"),
        ("calendar.yaml", '"0 6 10 7 *"', '"10 7 *"', r"monitoring\[0\]\.cron"),
        ("school_types.yaml", "'фсин'", "'фсин('", r"school_types\[0\]\.patterns\[0\]"),
        (f"methods/{METHOD}.yaml", "value: 30", "value: 130", "settings.*low_share_numerator"),
        (f"methods/{METHOD}.yaml", "value: one", "value: two", "settings.*ege_mathematics"),
        (f"methods/{METHOD}.yaml", "value: measured", "value: calendar", r"settings\.year_basis\.value"),
        (f"methods/{METHOD}.yaml", "participants_from: 5,", "participants_from: 6,", "without gap"),
        (f"methods/{METHOD}.yaml", "- vpr_5_russian", "- vpr_3_russian", "unknown: vpr_3_russian"),
        (f"methods/{METHOD}.yaml", "evening,", "night,", "excluded_school_reasons.*night"),
        ("breaks.yaml", "affects_marks: true", "affects_marks: yes please", r"breaks\[0\]\.affects_marks"),
        ("breaks.yaml", "academic_years: [2019-2020, 2020-2021]", "academic_years: [2019-2020]", "temporary"),
        ("objectivity/federal-14.yaml", "criterion: fall", "criterion: drop", r"markers\[10\]\.criterion"),
        (
            "objectivity/federal-14.yaml",
            "earlier_procedure_id: vpr_4_russian, ",
            "",
            "fall_russian.*earlier_procedure_id",
        ),
        ("objectivity/federal-14.yaml", "procedure_id: oge_9_russian", "procedure_id: oge_8_russian", "oge_8_russian"),
        ("objectivity/federal-14.yaml", "marker_id: rise_russian", "marker_id: fall_russian", "repeated: fall_russian"),
        (
            "objectivity/federal-14.yaml",
            "value: vpr_4_russian",
            "value: vpr_3_russian",
            "published_base.*vpr_3_russian",
        ),
        ("journal.yaml", "value: 0.95", 'value: "0.95"', r"confidence\.value"),
        ("dynamics.yaml", "alternatives: [2025-2026]", "alternatives: [2025-2027]", "2025-2027"),
        ("academic_years.yaml", "starts_on: 2020-09-01", "starts_on: 2020-09-02", "starts_on.*2020-09-02"),
    ],
)
def test_a_wrong_file_is_refused_by_name_and_field(
    tmp_path: Path, file: str, old: str, new: str, complaint: str
) -> None:
    root = tmp_path / "reference"
    shutil.copytree(default_root(), root)
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ReferenceFileError, match=complaint) as refusal:
        load_reference(root)
    assert "reference/" in str(refusal.value)


def test_two_methods_of_markers_cannot_share_a_year(tmp_path: Path) -> None:
    root = tmp_path / "reference"
    shutil.copytree(default_root(), root)
    text = (root / "objectivity" / "federal-14.yaml").read_text(encoding="utf-8")
    later = text.replace("method_id: federal-14\n", "method_id: another\nvalid_from: 2023-2024\n", 1)
    (root / "objectivity" / "another.yaml").write_text(later, encoding="utf-8")
    with pytest.raises(ReferenceFileError, match=r"objectivity.*two methods in one year.*2023-2024"):
        load_reference(root)


def test_unreadable_and_missing_files_are_named(tmp_path: Path) -> None:
    root = tmp_path / "reference"
    shutil.copytree(default_root(), root)
    (root / "breaks.yaml").write_text("breaks: [", encoding="utf-8")
    with pytest.raises(ReferenceFileError, match=r"breaks\.yaml: not readable as YAML"):
        load_reference(root)
    (root / "breaks.yaml").unlink()
    with pytest.raises(ReferenceFileError, match=r"breaks\.yaml: the file is missing"):
        load_reference(root)


def test_version_follows_the_bytes_and_nothing_else(tmp_path: Path, reference: Reference) -> None:
    root = tmp_path / "elsewhere"
    shutil.copytree(default_root(), root)
    assert load_reference(root).version == reference.version
    with (root / "breaks.yaml").open("a", encoding="utf-8") as file:
        file.write("# a comment\n")
    assert load_reference(root).version != reference.version


# --- scales and minimums ---------------------------------------------------------------------------


def test_scales_cover_every_score_once_in_every_year(tables: dict[str, pl.DataFrame]) -> None:
    key = ["assessment", "test_grade", "subject_id", "academic_year"]
    for _, group in tables["score_scale"].group_by(key, maintain_order=True):
        bands = group.sort("mark")
        assert bands["mark"].to_list() == [2, 3, 4, 5]
        covered = [s for low, high in bands.select("score_min", "score_max").rows() for s in range(low, high + 1)]
        assert covered == list(range(bands["max_score"][0] + 1))


@pytest.mark.parametrize(
    ("assessment", "grade", "subject", "year", "starts"),
    [  # the first scores of the marks 3, 4, 5 and the maximum
        ("vpr", 4, "russian", "2020-2021", (14, 24, 33, 38)),
        ("vpr", 4, "russian", "2025-2026", (10, 16, 21, 24)),
        ("vpr", 5, "mathematics", "2019-2020", (7, 11, 15, 20)),
        ("vpr", 6, "russian", "2023-2024", (25, 35, 45, 51)),
        ("vpr", 7, "russian", "2020-2021", (22, 32, 42, 47)),
        ("vpr", 8, "chemistry", "2022-2023", (10, 19, 28, 36)),
        ("oge", 9, "russian", "2018-2019", (15, 25, 34, 39)),
        ("oge", 9, "russian", "2022-2023", (15, 23, 29, 33)),
        ("oge", 9, "russian", "2024-2025", (15, 26, 33, 37)),
        ("oge", 9, "mathematics", "2025-2026", (8, 15, 22, 31)),
        ("oge", 9, "physics", "2025-2026", (10, 20, 30, 39)),
    ],
)
def test_scale_of_a_year(
    tables: dict[str, pl.DataFrame],
    assessment: str,
    grade: int,
    subject: str,
    year: str,
    starts: tuple[int, ...],
) -> None:
    rows = tables["score_scale"].filter(assessment=assessment, test_grade=grade, subject_id=subject, academic_year=year)
    assert (*rows.sort("mark")["score_min"].to_list()[1:], rows["max_score"][0]) == starts


def test_no_old_scale_survives_the_change_of_instrument(tables: dict[str, pl.DataFrame]) -> None:
    later = tables["score_scale"].filter(pl.col("academic_year") >= "2024-2025", assessment="vpr")
    assert set(later["scale_id"]) == {"vpr_4_russian_24", "vpr_6_russian_25"}


@given(st.lists(st.integers(1, 100), min_size=4, max_size=4))
def test_bands_follow_one_another(widths: list[int]) -> None:
    starts = [sum(widths[:i]) for i in range(5)]
    text = "/".join(f"{low}-{high - 1}" for low, high in pairwise(starts))
    bands = parse_bands(text)
    assert [(b.mark, b.score_min, b.score_max + 1) for b in bands] == [
        (mark, low, high) for mark, low, high in zip((2, 3, 4, 5), starts[:-1], starts[1:], strict=True)
    ]


@pytest.mark.parametrize("text", ["0-5/6-9/10-14", "1-5/6-9/10-14/15-20", "0-5/7-9/10-14/15-20", "0-5/6-9/a/b"])
def test_broken_bands_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"ranges|gap"):
        parse_bands(text)


@pytest.mark.parametrize(
    ("subject", "year", "purpose", "minimum"),
    [
        ("russian", "2019-2020", "certificate", 24),
        ("russian", "2025-2026", "certificate", 24),
        ("russian", "2025-2026", "university", 36),
        ("mathematics_profile", "2020-2021", "certificate", 27),
        ("mathematics_base", "2019-2020", "certificate", None),
        ("mathematics_base", "2020-2021", "certificate", None),
        ("mathematics_base", "2021-2022", "certificate", 3),
        ("physics", "2022-2023", "certificate", 36),
        ("social_studies", "2023-2024", "university", 42),
        ("russian", "2026-2027", "certificate", None),
    ],
)
def test_minimum_of_a_year(
    tables: dict[str, pl.DataFrame], subject: str, year: str, purpose: str, minimum: int | None
) -> None:
    rows = tables["minimum_score"].filter(subject_id=subject, academic_year=year, purpose=purpose)
    assert rows["minimum"].to_list() == ([] if minimum is None else [minimum])


def test_only_base_mathematics_is_measured_by_a_mark(tables: dict[str, pl.DataFrame]) -> None:
    marks = tables["minimum_score"].filter(scale="mark")
    assert set(marks["subject_id"]) == {"mathematics_base"}


# --- look-ups --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("Проведение работы по русскому языку, 4 класс. ВПР 2021", "russian"),
        ("Русскому языку.xlsx", "russian"),
        ("04_okruzhayushchiy_mir.parquet", "environment"),
        ("06_obshchestvoznanie", "social_studies"),
        ("РУ 4 Индивидуальные результаты", "russian"),
        ("МА 4 Сравнение отметок с отметк", "mathematics"),
        ("01 - Русский язык 2022.06.23", "russian"),
        ("22 - Математика базовая 2022.06.27", "mathematics_base"),
        ("Математика профильная", "mathematics_profile"),
        ("Математика (профильный уровень)", "mathematics_profile"),
        ("Информатика и ИКТ (КЕГЭ)", "informatics"),
        ("Английский язык п.: 2021.06.18, у.: 2021.06.21", "english"),
        ("ВПР 2026 Окружающий мир 4 класс", "environment"),
        ("Мордкович А.Г. Алгебра (в 2 частях) 7 класс", "mathematics"),
        ("Вигасин А.А. Всеобщая история. История Древнего мира 5 кл", "history"),
        ("Виноградова Н.Ф., Городецкая Н.И. Обществознание 6 класс", "social_studies"),
        ("Проведение работы по биологии, 7 класс (по образцу 7 класса)", "biology"),
        ("Литературное чтение 4 класс", None),
        ("об изменении физических лиц", None),
        ("", None),
    ],
)
def test_subject_in_a_text(reference: Reference, text: str, subject: str | None) -> None:
    assert reference.subject_for(text) == subject


def test_the_assessment_settles_the_level_of_mathematics(reference: Reference) -> None:
    assert reference.subject_for("Математика (базовый уровень) 7 класс", "vpr") == "mathematics"
    assert reference.subject_for("Математика (базовый уровень)", "ege") == "mathematics_base"


def test_every_alias_names_its_own_subject(reference: Reference) -> None:
    for subject in reference.subjects:
        for alias in subject.aliases:
            assert reference.subject_for(f"2. {alias.upper()}, работа") == subject.subject_id


@given(st.text(max_size=60))
def test_any_text_gives_a_known_subject_or_none(text: str) -> None:
    reference = _shared_reference()
    assert reference.subject_for(text) in {None, *(s.subject_id for s in reference.subjects)}


@pytest.mark.parametrize(
    ("assessment", "code", "year", "subject"),
    [
        ("oge", "02", "2021-2022", "mathematics"),
        ("ege", "02", "2021-2022", "mathematics_profile"),
        ("ege", " 2 ", "2021-2022", "mathematics_profile"),
        ("ege", "22", "2021-2022", "mathematics_base"),
        ("oge", "22", "2021-2022", None),
        ("ege", "25", "2019-2020", None),
        ("ege", "25", "2020-2021", "informatics"),
        ("ege", "29", "2022-2023", "english"),
        ("gve", "51", "2022-2023", "russian"),
        ("vpr", "01", "2022-2023", None),
    ],
)
def test_subject_of_an_exam_code(
    reference: Reference, assessment: str, code: str, year: str, subject: str | None
) -> None:
    assert reference.subject_for_exam_code(assessment, code, year) == subject


@pytest.mark.parametrize(
    ("assessment", "year", "held_on", "grade", "held_year", "measured_year", "shift"),
    [
        ("vpr", 2021, None, 5, "2020-2021", "2020-2021", 0),
        ("vpr", 2020, None, 5, "2020-2021", "2019-2020", 1),
        ("vpr", 2020, dt.date(2020, 9, 20), 5, "2020-2021", "2019-2020", 1),
        ("vpr", 2022, None, 6, "2022-2023", "2021-2022", 1),
        ("vpr", 2022, dt.date(2022, 3, 17), 6, "2021-2022", "2021-2022", 0),
        ("vpr", 2022, dt.date(2022, 10, 31), 6, "2022-2023", "2021-2022", 1),
        ("vpr", 2022, None, 11, "2021-2022", "2021-2022", 0),
        ("vpr", 2026, dt.date(2026, 4, 20), 4, "2025-2026", "2025-2026", 0),
        ("oge", 2023, None, None, "2022-2023", "2022-2023", 0),
        ("ege", 2022, dt.date(2022, 6, 23), 11, "2021-2022", "2021-2022", 0),
        ("ege", 2022, dt.date(2022, 9, 5), 11, "2022-2023", "2021-2022", 0),
        ("ege", 2027, dt.date(2027, 6, 1), 11, "2026-2027", "2026-2027", 0),
    ],
)
def test_sitting_of_a_result(
    reference: Reference,
    assessment: str,
    year: int,
    held_on: dt.date | None,
    grade: int | None,
    held_year: str,
    measured_year: str,
    shift: int,
) -> None:
    session = reference.session_for(assessment, year, held_on, grade)
    assert (session.held_year, session.measured_year, session.grade_shift) == (
        held_year,
        measured_year,
        shift,
    )


def test_a_sitting_outside_the_calendar_is_refused_in_words(reference: Reference) -> None:
    with pytest.raises(LookupError, match="vpr, 2025 год, 11 класс"):
        reference.session_for("vpr", 2025, grade=11)


def test_sittings_lie_in_the_years_they_name(reference: Reference) -> None:
    for session in reference.sessions:
        for day in filter(None, (session.held_from, session.held_to)):
            assert reference.academic_year_of(day) == session.held_year
            assert day.year == session.calendar_year
        autumn = session.season in ("autumn", "additional")
        assert (session.held_year != session.measured_year) is autumn


@given(st.dates(dt.date(2017, 9, 1), dt.date(2027, 8, 31)))
def test_academic_year_starts_in_september(day: dt.date) -> None:
    start = day.year if day.month >= 9 else day.year - 1
    assert _shared_reference().academic_year_of(day) == f"{start}-{start + 1}"


def test_a_date_outside_the_years_is_refused_in_words(reference: Reference) -> None:
    with pytest.raises(LookupError, match=r"31\.08\.2017"):
        reference.academic_year_of(dt.date(2017, 8, 31))


@pytest.mark.parametrize(
    ("name", "school_type", "reason"),
    [
        ("МБОУ «СОШ №7»", "secondary", None),
        ("МБОУ Шипуновская CОШ №1", "secondary", None),  # a Latin C
        ("МБОУ Приобская ОСШ", "secondary", None),
        ("МКОУ Акутихинская ОСПШ", "secondary", None),
        ("МБОУ СОШ №88 с кадетскими классами", "secondary", None),
        ("МБОУ «СОШ с гимназическими и лицейскими классами»", "secondary", None),
        ("Сосновская ООШ, филиал МБОУ «Ивановская СОШ»", "basic", None),
        ("МОУ Кругло-Семенцовская НОШ", "primary", None),
        ("МБОУ «Начальная школа – детский сад №3»", "primary_kindergarten", None),
        ("МБДОУ «Детский сад №3»", "kindergarten", None),
        ("МБОУ Прогимназия №1", "progymnasium", None),
        ("МБОУ Гимназия №42", "gymnasium", None),
        ("КГБОУ Бийский лицей-интернат", "lyceum", None),
        ("МБОУ «О(С)ОШ № 6»", "evening", "evening"),
        ("МБОУ «Открытая (сменная) общеобразовательная школа № 1»", "evening", "evening"),
        ("ГКОУ «С(К)ОШИ № 4»", "correctional", "correctional"),
        (
            "КГБОУ для обучающихся с ограниченными возможностями здоровья Алтайская школа",
            "correctional",
            "correctional",
        ),
        ("Вечерняя школа при ФКУ ИК-3 УФСИН России", "penal", "penal"),
        (
            "КГБОСУВУ «Специальная общеобразовательная школа закрытого типа»",
            "special_education",
            "special_education",
        ),
        ("КГБПОУ Алтайский транспортный техникум", "college", "college"),
        ("КГБОУКШИ Алтайский кадетский корпус", "cadet", None),
        ("МАОУ «Центр образования № 5»", "education_centre", None),
        ("МКОУ «Санаторная школа-интернат»", "sanatorium", None),
        ("ЧОУ Монтессори-школа", "school", None),
    ],
)
def test_school_type_of_a_name(reference: Reference, name: str, school_type: str, reason: str | None) -> None:
    found = reference.school_type_for(name)
    assert found is not None
    assert (found.school_type, found.excluded_reason) == (school_type, reason)


def test_a_name_without_a_type_has_none(reference: Reference) -> None:
    assert reference.school_type_for("АКПЛ") is None


# --- calendar and method ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("year", "procedure", "is_held"),
    [
        ("2019-2020", "vpr_5_russian", True),  # in the autumn
        ("2019-2020", "vpr_11_history", False),
        ("2019-2020", "oge_9_russian", False),
        ("2019-2020", "ege_11_mathematics", True),  # profile only
        ("2019-2020", "ege_11_mathematics_base", False),
        ("2020-2021", "oge_9_mathematics", True),
        ("2020-2021", "oge_9_physics", False),
        ("2020-2021", "ege_11_mathematics_base", False),
        ("2021-2022", "vpr_6_mathematics", True),
        ("2021-2022", "ege_11_mathematics_base", True),
        ("2023-2024", "vpr_11_physics", True),
        ("2024-2025", "vpr_11_physics", False),
        ("2024-2025", "vpr_6_social_studies", True),
        ("2025-2026", "vpr_6_social_studies", False),
        ("2017-2018", "vpr_8_russian", False),
        ("2026-2027", "vpr_5_russian", True),
    ],
)
def test_whether_a_procedure_was_held(
    tables: dict[str, pl.DataFrame], year: str, procedure: str, is_held: bool
) -> None:
    rows = tables["procedure_calendar"].filter(academic_year=year, procedure_id=procedure)
    assert rows["is_held_federally"].to_list() == [is_held]
    assert is_held or rows["note_ru"][0]  # a gap is never without its reason


def test_the_calendar_has_one_row_for_each_year_and_procedure(tables: dict[str, pl.DataFrame]) -> None:
    calendar = tables["procedure_calendar"]
    assert calendar.height == tables["academic_year"].height * tables["procedure"].height
    assert not calendar.select("academic_year", "procedure_id").is_duplicated().any()


def test_method_of_order_847(reference: Reference) -> None:
    settings = reference.method(METHOD).settings
    assert (settings.low_share_numerator.value, settings.low_share_denominator.value) == (30, 100)
    assert settings.procedures.value == (
        "vpr_5_russian",
        "vpr_5_mathematics",
        "vpr_6_russian",
        "vpr_6_mathematics",
        "oge_9_russian",
        "oge_9_mathematics",
        "ege_11_russian",
        "ege_11_mathematics",
    )
    assert settings.previous_year_low_procedures.value == 2
    assert settings.both_years_low_procedures.value == 1
    with pytest.raises(LookupError, match="no-such-method"):
        reference.method("no-such-method")


def test_open_points_of_the_method_offer_an_alternative(reference: Reference) -> None:
    for name, setting in reference.method(METHOD).settings:
        if setting.status == "OPEN" and name != "reliability_bands":
            assert setting.alternatives, name
            assert setting.value not in setting.alternatives, name


@pytest.mark.parametrize(
    ("participants", "label"),
    [
        (1, "very_low"),
        (4, "very_low"),
        (5, "low"),
        (9, "low"),
        (10, "limited"),
        (19, "limited"),
        (20, "ok"),
        (5000, "ok"),
    ],
)
def test_reliability_of_a_number_of_participants(
    tables: dict[str, pl.DataFrame], participants: int, label: str
) -> None:
    bands = tables["reliability_band"].filter(
        pl.col("method_id") == METHOD,
        pl.col("participants_from") <= participants,
        pl.col("participants_to").fill_null(participants) >= participants,
    )
    assert bands["reliability"].to_list() == [label]


def test_monitoring_follows_the_programmes(reference: Reference) -> None:
    months = {(event.cron.split()[3], event.job) for event in reference.monitoring}
    assert months == {
        ("7", "quarterly_monitoring"),
        ("9", "annual_list"),
        ("12", "annual_list"),
        ("10", "quarterly_monitoring"),
        ("12", "quarterly_monitoring"),
        ("3", "quarterly_monitoring"),
        ("5", "quarterly_monitoring"),
    }


# --- tables ----------------------------------------------------------------------------------------


def test_tables_are_the_same_every_time_and_plainly_typed(tables: dict[str, pl.DataFrame]) -> None:
    again = load_reference().tables()
    plain = {pl.String, pl.Int64, pl.Boolean, pl.Date, pl.Float64}
    for name, table in tables.items():
        assert table.equals(again[name]), name
        assert table.height > 0, name
        assert {dtype.base_type() for dtype in table.dtypes} <= plain, name


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("academic_year", ["academic_year"]),
        ("subject", ["subject_id"]),
        ("procedure", ["procedure_id"]),
        ("procedure_subject", ["procedure_id", "subject_id"]),
        ("method", ["method_id"]),
        ("method_procedure", ["method_id", "procedure_id"]),
        ("minimum_score", ["assessment", "subject_id", "academic_year", "purpose"]),
        ("score_scale", ["assessment", "test_grade", "subject_id", "academic_year", "mark"]),
        ("assessment_session", ["session_id", "test_grade"]),
        ("school_type", ["school_type"]),
        ("comparability_break", ["break_id", "procedure_id", "academic_year"]),
    ],
)
def test_tables_keep_their_grain(tables: dict[str, pl.DataFrame], table: str, key: list[str]) -> None:
    assert not tables[table].select(key).is_duplicated().any()


# --- the real region -------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.skipif(not ALTAI.exists(), reason="the real region is not here (OPORA_REAL_DATA)")
def test_every_real_school_name_has_a_type(reference: Reference) -> None:
    names = pl.read_excel(ALTAI / "registry/logins.xlsx", infer_schema_length=0)["имя"].to_list()
    found = [reference.school_type_for(name) for name in names]
    counts = pl.Series([kind.school_type if kind else "none" for kind in found]).value_counts().rows()
    assert len(names) == 692
    assert dict(counts) == {
        "secondary": 551,
        "basic": 37,
        "correctional": 30,
        "lyceum": 25,
        "gymnasium": 24,
        "college": 13,
        "cadet": 4,
        "school": 4,
        "boarding": 2,
        "primary": 1,
        "special_education": 1,
    }


@pytest.mark.real
@pytest.mark.skipif(not ALTAI.exists(), reason="the real region is not here (OPORA_REAL_DATA)")
def test_scales_agree_with_the_official_ones_of_2021(reference: Reference, tables: dict[str, pl.DataFrame]) -> None:
    official = pl.read_csv(ALTAI / "reference/score_to_mark_2021.csv").with_columns(
        pl.col("subject").map_elements(reference.subject_for, return_dtype=pl.String).alias("subject_id")
    )
    ours = tables["score_scale"].filter(assessment="vpr", academic_year="2020-2021")
    joined = ours.join(official, left_on=["test_grade", "subject_id", "mark"], right_on=["grade", "subject_id", "mark"])
    assert joined.height == ours.height == 12 * 4
    assert joined.filter(
        (pl.col("score_min") != pl.col("score_min_right")) | (pl.col("score_max") != pl.col("score_max_right"))
    ).is_empty()


@pytest.mark.real
@pytest.mark.skipif(not ALTAI.exists(), reason="the real region is not here (OPORA_REAL_DATA)")
def test_every_real_protocol_names_a_known_procedure(reference: Reference) -> None:
    procedures = {p.procedure_id: p for p in reference.procedures}
    for path in sorted(ALTAI.glob("participants/*/*.parquet")):
        grade = int(path.stem[:2])
        subject = reference.subject_for(path.stem)
        session = reference.session_for("vpr", int(path.parent.name), grade=grade)
        assert procedures[f"vpr_{grade}_{subject}"].covers(session.measured_year), path.stem
