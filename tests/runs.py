"""Runs of the command line as processes, over a district of twenty schools.

What belongs here: the files of the district, starting a run and waiting for it. What does not: what must come of it.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from opora.home import Home

OPORA = str(Path(sys.executable).with_name("opora"))
REGISTER = "логин,имя,регион\n" + "".join(f"sch9900{n:02d},МБОУ СОШ №{n},Первый район\n" for n in range(1, 21))
MARKS = "Год;Класс;Предмет;Муниципалитет;Логин;ОО;Кол-во участников;2;3;4;5\n" + "".join(
    f"{year};{grade};{subject};Первый район;edu9900{n:02d};МБОУ СОШ №{n};20;{'30;30' if n == 1 else '10;50'};20;20\n"
    for year in (2023, 2024)
    for grade in (5, 6)
    for subject in ("Русский язык", "Математика")
    for n in range(1, 21)
)


@dataclass(frozen=True)
class FirstRuns:
    """A home on which two runs were started at once, what they said and how long they took."""

    home: Home
    outputs: tuple[str, str]
    seconds: float


def write_landing(home: Home) -> None:
    (home.landing / "реестр.csv").write_text(REGISTER, encoding="utf-8")
    (home.landing / "отметки.csv").write_text(MARKS, encoding="cp1251")


def start_run(home: Home, *arguments: str) -> subprocess.Popen[str]:
    command = [OPORA, "run", "--home", str(home.root), *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def finish_run(process: subprocess.Popen[str], code: int = 0) -> str:
    output, _ = process.communicate(timeout=600)
    assert process.returncode == code, output
    return output
