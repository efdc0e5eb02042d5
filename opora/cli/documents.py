"""What is sent on: notes, sets of documents, tables for other tools."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from opora.cli.telling import Refused, errors, say, with_home
from opora.home import Home


@contextmanager
def _documents_refused() -> Iterator[None]:
    """A document that cannot be made, a template that cannot be filled: refused with its message."""
    from opora.documents.model import TemplateError
    from opora.documents.reader import DocumentRefused

    try:
        yield
    except (DocumentRefused, TemplateError) as error:
        raise Refused(str(error)) from error


_FORMATS = click.option(
    "--format", "formats", multiple=True, type=click.Choice(["docx", "pdf"]), help="Без него оба; можно повторять."
)


@click.command()
@with_home
@click.argument("whose")
@click.option("--year", default=None, metavar="2022-2023", help="Учебный год списка; без него последний.")
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), default=None, help="Папка, куда положить.")
@_FORMATS
@click.option("--profile", type=click.Choice(["official", "public"]), default="official", show_default=True)
def note(home: Home, whose: str, year: str | None, to: Path | None, formats: Sequence[str], profile: str) -> None:
    """Аналитическая справка. WHOSE — школа (код, логин, часть названия), муниципалитет или region."""
    from opora.documents.kinds import make, wanted_note
    from opora.documents.output import documents_folder, write_document
    from opora.documents.reader import Marts
    from opora.release import require_release

    if profile == "public":
        raise Refused(
            "По публичному профилю справки не составляются: в них точные числа малых групп. Для всех — страницы: "
            "opora dashboard --profile public, или папка public/ выпуска."
        )
    with _documents_refused():
        release = require_release(home)
        with Marts(release) as marts:
            document = make(marts, wanted_note(marts, whose, year))
        folder = to or documents_folder(home, release)
        for path in write_document(document, formats or ("docx", "pdf"), home, folder):
            say(str(path))


@click.command()
@with_home
@click.option("--all", "everything", is_flag=True, help="Справки всех школ, а не только школ списка и зоны риска.")
@click.option("--year", default=None, metavar="2022-2023", help="Учебный год списка; без него последний.")
@_FORMATS
@click.option(
    "--processes", type=click.IntRange(min=1), default=None, help="Сколько процессов; без него по числу ядер."
)
def documents(home: Home, everything: bool, year: str | None, formats: Sequence[str], processes: int | None) -> None:
    """Все документы выпуска: приложение к приказу, справки региона, муниципалитетов и школ, отчёты программ."""
    from opora.documents.output import write_set
    from opora.documents.reader import Marts
    from opora.documents.sets import SETS
    from opora.release import require_release

    with _documents_refused():
        release = require_release(home)
        with Marts(release) as marts:
            orders = [(item, item.wanted(marts, year, everything)) for item in SETS]
        with _progress() as bar:
            for item, wanted in orders:
                task = bar.add_task(item.folder, total=len(wanted))
                folder = write_set(
                    home,
                    release,
                    wanted,
                    item.folder,
                    item.formats(formats),
                    processes=processes,
                    tell=lambda done, task=task: bar.update(task, completed=done),  # type: ignore[misc]
                )
                bar.update(task, description=str(folder))
    for item, wanted in orders:
        say(f"{item.folder}: {len(wanted)}")


def _progress() -> Any:
    """Bars on a terminal; nothing where the output is piped on."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=errors, disable=not sys.stderr.isatty())


@click.group()
def export() -> None:
    """Таблицы для программ, которые у региона уже есть."""


@export.command("flat")
@with_home
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), required=True, help="Папка, куда положить.")
def export_flat(home: Home, to: Path) -> None:
    """Плоские marks.xlsx, scores.xlsx и bias.xlsx, которые читают региональные панели ВПР."""
    from opora.documents.flat import write_flat
    from opora.release import require_release

    with _documents_refused():
        for path, rows in write_flat(require_release(home), to).items():
            say(f"{path}: строк {rows}")
