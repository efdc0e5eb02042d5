"""The command line: thin commands in front of intake, Dagster's runs and releases, a module a group of commands.

What belongs here: arguments, words for the user, exit codes. What does not: work. Dagster is imported only by
the commands that run something, so that the others answer at once. Exit code 0 is done, 1 is refused with a
message that says what to do, 2 is wrong usage.
"""

from __future__ import annotations

import click

from opora.cli import deliveries, documents, forms, methods, pages, programmes, releases, runs
from opora.cli.telling import Commands


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="opora")
def main() -> None:
    """Опора находит школы, которым нужна поддержка, и показывает, почему."""


for command in (
    *(deliveries.demo, deliveries.receive, deliveries.check, deliveries.purge),
    *(runs.run, runs.status, runs.explain),
    *(documents.note, documents.documents, documents.export),
    *(pages.dashboard, pages.ui),
    *(forms.template, programmes.programme, methods.methods, releases.release),
):
    main.add_command(command)
