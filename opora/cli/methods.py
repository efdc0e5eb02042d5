"""Methods: which there are, and what a list by another would be."""

from __future__ import annotations

import click

from opora.cli.telling import Refused, say, show_table, with_home
from opora.home import Home


@click.group()
def methods() -> None:
    """Методики: какие есть и что изменилось бы по другой."""


@methods.command("list")
@with_home
def list_methods(home: Home) -> None:
    """Официальная методика и те, с которыми её сравнивают; свои лежат в папке methods."""
    from opora.reference import load_reference
    from opora.what_if import describe_methods

    for line in describe_methods(load_reference(own_methods=home.methods), load_reference()):
        say(line)


@methods.command("compare")
@with_home
@click.argument("method")
@click.argument("other", required=False)
@click.option("--year", default=None, metavar="2022-2023", help="Только этот список, со школами, которых это коснётся.")
def compare_methods(home: Home, method: str, other: str | None, year: str | None) -> None:
    """Что изменится, если список составить по METHOD вместо официальной; с OTHER — по OTHER вместо METHOD."""
    from opora.release import require_release
    from opora.what_if import HEADING, UnknownMethod, compare

    item = require_release(home)
    try:
        found = compare(item, other, method, year) if other else compare(item, method, year=year)
    except UnknownMethod as error:
        raise Refused(str(error)) from error
    show_table(HEADING, found.title_ru, found.lines)
    say(found.note_ru)
    for line in found.moved:
        say(line)
