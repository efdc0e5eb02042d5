"""The least file of every built-in layout, made from its declaration: what a test of all layouts starts from.

What belongs here: sheets of cells that intake accepts, one set a layout. What does not: what a test does to them.
A new layout gets its file here by itself if its headers are named and its fields have an example below.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from opora.layouts.model import Layout
from schemas.registry import registry
from tests import builders as b

Cells = list[list[b.Cell]]
Sheets = dict[str, Cells]

# Told by the name of the file where a table does not say it itself.
FILE = "sch990012 Русский язык 6 класс 2023"
SCHOOLS = ("СОШ № 5 (edu990012)", "СОШ № 6 (edu990013)")
# What stands under a header, by the field that the layout reads from it; two rows.
_EXAMPLES: dict[str, tuple[b.Cell, b.Cell]] = {
    "year": ("2022-2023", "2022-2023"),
    "municipality_label": (b.PLACE, b.PLACE),
    "municipality_key": (f"reg99_m003 | {b.PLACE}", f"reg99_m003 | {b.PLACE}"),
    "grade": (6, 6),
    "subject": ("Русский язык", "Русский язык"),
    "date": ("2023-04-11", "2023-04-11"),
    "participants": (20, 20),
    "participant_code": (60001, 60002),
    "variant": (1, 2),
    "class_name": ("6А", "6А"),
    "sex": ("ж", "м"),
    "total_score": (2, 2),
    "prior_mark": (4, 4),
    "mark": (4, 4),
    "share_2_pct": (25, 25),
    "share_3_pct": (25, 25),
    "share_4_pct": (25, 25),
    "share_5_pct": (25, 25),
    "period": ("2023", "2023"),
    "programme_id": ("kargasok-2023", "kargasok-2023"),
    "reported_on": ("11.04.2023", "12.04.2023"),
    "signed_on": ("11.04.2023", "12.04.2023"),
    "valid_to": ("11.04.2025", "12.04.2025"),
    "valid_from": ("11.04.2021", "12.04.2021"),
    "done_on": ("11.04.2023", "12.04.2023"),
    "leader_key": ("Лицей № 1 (edu990021)", "Лицей № 2 (edu990022)"),
    "graduate_grade": (9, 9),
    "score_min": (0, 10),
    "score_max": (9, 20),
    "vpr_login": ("sch990012", "sch990013"),
    "school_id": ("s990012", "s990013"),
    "school_name": ("СОШ № 5", "СОШ № 6"),
    "key_value": ("990012", "990013"),
    "code": ("1.1", "1.2"),
    "label": ("Орфография", "Пунктуация"),
    "task_label": ("1", "2"),
    "position": (1, 2),
    "file": ("Математика.xlsx", "Физика.xlsx"),
    "factor": ("Низкое качество преодоления языковых барьеров", "Риски низкой адаптивности"),
    "indicator": ("Буллинг", "Мотивация"),
    "respondents": (30, 30),
    "quantity": (1, 1),
    "denominator": (1, 1),
    "at_least_220": (2, 2),
    "at_least_160": (8, 8),
    "below_160": (12, 12),
    "graduates": (30, 30),
    "with_certificate": (29, 29),
    "without_certificate": (1, 1),
    "exam_code": ("9306", "9307"),
    "inn": ("2200000001", "2200000002"),
    "ogrn": ("1022200000001", "1022200000002"),
    "first_grade": (1, 1),
    "last_grade": (11, 11),
    "pupils": (300, 300),
    "is_chosen": ("да", "нет"),
    "has_programme": ("да", "нет"),
    "level": ("высокая", "низкая"),
    "stage": ("Анкетирование | survey", "Анкетирование | survey"),
}
# Headers that a pattern means, and columns of values.
_HEADERS = {
    "prior_mark": "Отметка за предыдущий триместр",
    "status": "Состояние апелляции",
    "result": "Текущий результат (балл)",
    "total_score_after": "Текущий первичный балл",
}
_TASKS = {"vpr_participants_2020": ("a-1-grade", "a-2-grade"), "vpr_participants_2021": ("балл за 1", "балл за 2")}
_VALUES: dict[str, dict[str, b.Cell]] = {
    "context_survey_2022": {"20. Обучающихся": 300},
    "contingent": {"1-4": 100, "5-9": 120, "10-11": 30, "всего": 250},
    "risk_profile_wide": {"Риски низкой адаптивности: значимость": "высокая"},
    "social_passport": {"П1. Обучающихся": 100, "П2. Из них": 10},
    "staff_resources": {"К1. Учителей": 20},
    "vpr_bias_flat": {"4 РУ": 1, "5 МА": 0},
    "vpr_scores_flat": {"1": 5, "2": 15},
}
_EXAM_APPEAL = (
    *("Код ОО", "Класс", "Фамилия", "Имя", "Отчество", "Документ", "Экзамен", "Состояние апелляции"),
    *("Текущий первичный балл", "Текущий результат (балл)"),
)
_GROUPS = ("Группы участников", "Кол-во участников")


def minimal(layout: Layout) -> Sheets:
    """The sheets of the least book of a layout."""
    given = _special().get(layout.id)
    return {name: [list(row) for row in rows] for name, rows in (given or {"Лист1": _declared(layout)}).items()}


def _declared(layout: Layout) -> Iterable[b.Row]:
    """A header and two rows by the declaration. Fields of one column share it: the key decides what stands there."""
    header: dict[str, tuple[b.Cell, b.Cell]] = {}
    for name, source in layout.columns.items():
        title = source.header[0] if source.header else _HEADERS.get(name, name)
        header.setdefault(title, _example(layout, name))
    values = _VALUES.get(layout.id, {})
    tasks = _TASKS.get(layout.id, ("1 (2б)", "2 (2б)")) if layout.tasks else ()
    yield [*header, *tasks, *values]
    for row in (0, 1):
        yield [*(cells[row] for cells in header.values()), *(1 for _ in tasks), *values.values()]


def _example(layout: Layout, name: str) -> tuple[b.Cell, b.Cell]:
    source = layout.columns[name]
    if name == "school_key" or source.convert in ("vpr_login", "found_login"):
        by_code = source.convert == "exam_code"
        return ("9306", "9307") if by_code else _EXAMPLES["leader_key"] if name == "leader_key" else SCHOOLS
    if name == "leader_key":
        return "9310", "9311"
    if name in ("school_label", "leader_label"):
        return "СОШ № 5", "СОШ № 6"
    if name in _EXAMPLES and (name, layout.id) != ("level", "task_specification"):
        return _EXAMPLES[name]
    columns = {column.name: column for column in registry()[layout.table].columns} if layout.table else {}
    column = columns.get(name)
    if column is not None and column.vocabulary:
        return column.vocabulary[0], column.vocabulary[0]
    if column is not None and column.type in ("integer", "number"):
        return 1, 1
    return None, None


def _special() -> dict[str, dict[str, b.Table]]:
    """Tables that a declaration alone does not draw: with a head, with two header rows, of odd shapes."""
    whole = ["Вся выборка", 100, 25, 25, 25, 25]
    long = [
        [b.SCHOOL, None, None],
        ["Понизили", 5, 25],
        ["Подтвердили", 10, 50],
        ["Повысили", 5, 25],
        ["Всего", 20, 100],
    ]
    wide = (
        *("Группы участников", "Понизили, кол-во участников", "Понизили, %", "Подтвердили, кол-во участников"),
        *("Подтвердили, %", "Повысили, кол-во участников", "Повысили, %", "Кол-во участников (всего)"),
    )
    appeals = [
        [
            9306,
            "9а",
            "Фамильев",
            "Имён",
            "Отчествович",
            "4512 678900",
            "Математика(2026.06.02)",
            "Удовлетворена",
            12,
            3,
        ],
        [9307, "9б", "Фамильева", "Имена", "Отчествовна", "4512 678902", "Математика(2026.06.02)", "Отклонена", 12, 3],
    ]
    return {
        "vpr_individual_results": b.individual(b.pupil(60001), b.pupil(60002), declared=2),
        "vpr_mark_statistics": {
            "РУ 6 Статистика": b.report(
                "Статистика по отметкам", (*_GROUPS, 2, 3, 4, 5), [whole, [b.SCHOOL, 20, 25, 25, 25, 25]]
            )
        },
        "vpr_mark_comparison_long": {
            "РУ 6 Сравнение": b.report("Сравнение отметок", ("Группы участников", "Кол-во участников", "%"), long)
        },
        "vpr_mark_comparison_wide": {
            "РУ 6 Сравнение": b.report("Сравнение отметок", wide, [[b.SCHOOL, 5, 25, 10, 50, 5, 25, 20]])
        },
        "vpr_score_distribution": {
            "РУ 6 Баллы": b.report("Распределение баллов", (*_GROUPS, 0, 1, 2), [[b.SCHOOL, 20, 0, 5, 15]])
        },
        "ege_school_results": b.ege_table(
            [b.PLACE, "СОШ № 5", 20, 3, 1, 1, 0, 61.5], [b.PLACE, "СОШ № 6", 20, 3, 1, 1, 0, 60]
        ),
        "exam_protocol": {"Протокол": b.protocol(b.examinee(1), b.examinee(2, paper="678902"))},
        "exam_appeals": {"Апелляции": [_EXAM_APPEAL, *appeals]},
        "vpr_collection_form": b.form((60001, 1, 2, 1, 1, 4, 3), (60002, 2, 2, 1, 1, 4, 3), size=2),
    }


def write(folder: Path, sheets: Sheets, kind: str = "xlsx", name: str = FILE) -> Path:
    """The sheets as a file; of a text only the first sheet is written."""
    path = folder / f"{name}.{kind}"
    if kind in ("xlsx", "xls"):
        return (b.xlsx if kind == "xlsx" else b.xls)(path, sheets)
    return b.csv(path, next(iter(sheets.values())))
