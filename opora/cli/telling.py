"""How every command speaks: words on the terminal, refusals with an exit code, the home folder of a command.

What belongs here: what all groups of commands share. What does not: commands.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table as Grid

from opora.home import PROJECT, Home
from opora.safe_text import plain

F = TypeVar("F", bound=Callable[..., Any])
# What is piped on has no terminal to be as narrow as.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
errors = Console(stderr=True, highlight=False)
MOST_ISSUES_SHOWN = 20


def say(words: str, *, style: str | None = None, to: Console = console) -> None:
    """Words as they are: file names hold brackets, and a line that is piped on is not to be folded."""
    to.print("\n".join(map(plain, words.split("\n"))), style=style, markup=False, soft_wrap=True)


def show_table(heading: Sequence[str], title: str, lines: Iterable[Sequence[str]], *, are_numbers: bool = True) -> None:
    """A table; its first column is words, the others are numbers, unless `are_numbers` is off."""
    grid = Grid(*heading, title=title, title_justify="left")
    for column in grid.columns[1:]:
        column.justify = "right" if are_numbers else "left"
    for cells in lines:
        grid.add_row(*cells)
    console.print(grid)


class Refused(click.ClickException):
    """Work was refused; exit code 1 and a message that says what to do."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        say(self.message, to=errors)


def with_home(command: F) -> F:
    """The option `--home` on a command, given to it as a Home."""

    @click.option(
        "--home",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="OPORA_HOME",
        default=PROJECT / "var",
        show_default="OPORA_HOME или var/",
        help="Папка с поставками и выпусками.",
    )
    @wraps(command)
    def wrapped(home: Path, **arguments: Any) -> Any:
        with in_words(home):
            return command(home=Home(home), **arguments)

    return wrapped  # type: ignore[return-value]


class Commands(click.Group):
    """Commands whose own files may be wrong and whose machine may fail: that is told in words, not as a traceback."""

    def invoke(self, context: click.Context) -> Any:
        with in_words():
            return super().invoke(context)


@contextmanager
def in_words(home: Path | None = None) -> Iterator[None]:
    """Turn errors that their reader can do something about into refusals; the others stay what they are."""
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception as error:
        words = _refusal_of(error, home)
        if words is None:
            raise
        raise Refused(words) from error


def _refusal_of(error: Exception, home: Path | None) -> str | None:
    """Words for an error that its reader can do something about; None for one that is ours."""
    from opora.dbt_project import DbtError
    from opora.facts import ReferenceFileError
    from opora.failures import explain_fault
    from opora.lake import DamagedLake
    from opora.layouts.model import LayoutError
    from opora.release import ReleaseError
    from opora.warehouse import WarehouseError

    if isinstance(error, LayoutError | ReferenceFileError):
        return f"Файл описания неверен: {error}"
    if isinstance(error, ReleaseError | DamagedLake):
        return str(error)
    if (fault := explain_fault(error, home)) is not None:
        return fault
    if isinstance(error, DbtError | WarehouseError):
        return f"Расчёт не собирается, прежний выпуск остался на месте: {error}"
    return None
