"""What the three scripts of an analyst share: which files there are, which results are too low, who is on the list.

What belongs here: facts that an analyst would type in, and the rule over counts, small enough for plain Python. What
does not: reading and counting, which is what the scripts are compared in.

The scripts do from the same files what costs `opora run` the most: they keep the cells, count participants and those
below the minimum by school, year and procedure (absentees, spoiled rows and repeated ones left out), make the list of
two years, and write of every work the marts that have a row a class and task, a participant, or a score. They check
nothing else, say of no row why it is left out, and explain nothing.

In OUTPUT then lie `list.csv` and, of each work, `tasks-*`, `pupils-*` and `scores-*.parquet`, with the same columns of
every script.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

# Least total, mark or test score that is enough, by the name of the file.
ENOUGH = {
    "05_russkiy": 18,
    "05_matematika": 7,
    "06_russkiy": 25,
    "06_matematika": 6,
    "oge_russian": 3,
    "oge_mathematics": 3,
    "ege_russian": 24,
    "ege_mathematics_profile": 27,
}
# Login, code, variant, total of the layouts of ВПР, by year.
VPR = {
    "2021": ("логин школы", "код обучающегося", "вариант", "всего баллов"),
    "2022": ("Пользователь", "Код", "Вариант", "Итого баллов"),
}
# Municipality and class of the layout whose headers tell the greatest score of each task.
PLACE = {"2022": ("Муниципалитет", "Наименование класса")}
GREATEST = re.compile(r"\((\d+)б\)$")
NOT_ATTEMPTED = "X"
Z = 1.959963984540054  # of an interval of 95 %
LOGIN = r"^(?:edu|sch)(\d{6})$"
# What tasks are told by.
LEVELS = [
    ["region", "municipality", "login", "class"],
    ["region", "municipality", "login"],
    ["region", "municipality"],
    ["region"],
]
RESULT = {"oge": "Оценка", "ege": "Балл"}
ABSENT = "отсутствовал"
NAMES = {"2021": "2020-2021", "2022": "2021-2022"}
Count = tuple[str, str, str, int, int]  # year, login without prefix, procedure, participants, below


def works(landing: Path) -> Iterator[tuple[str, str]]:
    """Year and name of each file that is to be read."""
    names = {path.stem.split()[0] for pattern in ("*.*", "книги/*") for path in landing.glob(f"регион-*/*/{pattern}")}
    for year in VPR:
        for key in sorted(names):
            yield year, key


def files(landing: Path, year: str, key: str) -> tuple[list[str], list[str], list[str]]:
    """CSV, Parquet and xlsx files of one work of one year, over all regions."""
    place = f"регион-*/{year}"
    found = (
        landing.glob(f"{place}/{key}.csv"),
        landing.glob(f"{place}/{key}.parquet"),
        landing.glob(f"{place}/книги/{key} *.xlsx"),
    )
    csvs, parquets, books = (sorted(map(str, paths)) for paths in found)
    return csvs, parquets, books


def greatest(header: Iterable[str]) -> dict[str, int]:
    """The columns of tasks whose greatest score the header tells, and that score."""
    return {name: int(found[1]) for name in header if (found := GREATEST.search(name))}


def excluded(landing: Path) -> set[str]:
    with next(landing.glob("справочники/*.csv")).open(encoding="utf-8", newline="") as register:
        return {row["логин"][3:] for row in csv.DictReader(register, delimiter=";") if row["исключение"]}


def write_list(counts: Iterable[Count], landing: Path, output: Path) -> None:
    """The list of each year: two low procedures in the year before it, or one in each of the two years before."""
    low: dict[str, dict[str, int]] = {"2020": defaultdict(int), "2021": defaultdict(int), "2022": defaultdict(int)}
    for year, login, _, participants, below in counts:
        low[year][login] += participants > 0 and below * 100 >= 30 * participants
    outside = excluded(landing)
    rows = [
        (name, f"s{login}")
        for name, previous, before in (("2021-2022", "2021", "2020"), ("2022-2023", "2022", "2021"))
        for login, lows in sorted(low[previous].items())
        if login not in outside and (lows >= 2 or (lows >= 1 and low[before].get(login, 0) >= 1))
    ]
    with (output / "list.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
