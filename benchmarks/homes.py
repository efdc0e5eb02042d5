"""Homes to measure `opora run` on, and the command.

What belongs here: what the benchmarks of a country and of the real region share. What does not: measuring
(`measuring.py`).
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from measuring import ROOT, Cost, measure

OPORA = (sys.executable, "-m", "opora.cli")
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "DAGSTER_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1"}
SMALL = "логин,имя,регион\nsch990001,Школа 1,Первый район\n"


def new_home(folder: Path, parts: Iterable[Path] = ()) -> Path:
    """A new home whose landing holds links to files and folders, or one small register where there are none."""
    shutil.rmtree(folder, ignore_errors=True)
    landing = folder / "landing"
    landing.mkdir(parents=True)
    for part in parts:
        (landing / part.name).symlink_to(part.resolve())
    if not any(landing.iterdir()):
        (landing / "реестр.csv").write_text(SMALL, encoding="utf-8")
    return folder


def run(home: Path) -> Cost:
    return measure([*OPORA, "run", "--home", str(home)], ENVIRONMENT)
