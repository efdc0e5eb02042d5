"""A run and what it led to: the summary, and why a school is listed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from opora.cli.garbage import lasting
from opora.cli.telling import MOST_ISSUES_SHOWN, Refused, console, say, show_table, with_home
from opora.home import Home
from opora.lock import hold

if TYPE_CHECKING:
    from opora.reference import Reference


@click.command()
@with_home
@click.option("--year", "years", multiple=True, metavar="2022-2023", help="Только этот учебный год; можно повторять.")
@click.option("--reread", is_flag=True, help="Перечитать и те файлы, что уже приняты.")
@click.option("--force", is_flag=True, help="Выпустить, даже если ничего не изменилось.")
@click.option(
    "--accept", default="", metavar="ПРИЧИНА", help="Почему падение или скачок против прежнего выпуска верны."
)
def run(home: Home, years: Sequence[str], reread: bool, force: bool, accept: str) -> None:
    """Принять новое, пересчитать, проверить, выпустить и показать итог."""
    with lasting():
        from opora.freshness import nothing_new
        from opora.reference import load_reference
        from opora.release import current_release

    home.ensure()
    reference = load_reference(own_methods=home.methods)  # a wrong file is refused before anything is run
    alone = hold(home.run_lock, "opora run", lambda who: say(f"Жду, пока закончит {who}."))
    with alone, console.status("Смотрю, что нового…") as status:
        if not (reread or force or years or accept) and nothing_new(home, reference):
            say("Нового нет: поставки, справочники и код те же. Выпуск прежний.")
            for line in _left_unread(home, reference, all_years=False):  # no file waits, as has just been found
                say(line)
            _print_summary(home)
            return
        status.update("Запускаю…")
        with lasting():
            from pipelines.run import run_now

        try:
            outcome = run_now(
                home,
                years=years,
                reread=reread,
                force=force,
                accept=accept,
                tell=lambda words: status.update(words[:100]),
            )
        except ValueError as error:
            raise click.UsageError(f"Такого учебного года нет: {error}") from error
    if not outcome.succeeded:
        made = "Выпуск не сделан, прежний остался на месте."
        if outcome.release_is_new:
            made = "Выпуск сделан не за все годы: прогон следующего года не удался."
        raise Refused(
            f"{made}\n"
            + "\n".join(f"  • {failure}" for failure in outcome.failures)
            + "\nПодробности: opora ui, прогоны (Runs)."
        )
    for line in _left_unread(home, reference, all_years=not years):
        say(line)
    if current_release(home) and not outcome.release_is_new:
        say("Витрины те же, что в прежнем выпуске: новый не сделан.")
    _print_summary(home)


def _left_unread(home: Home, reference: Reference, *, all_years: bool) -> list[str]:
    """What a run could not read: files without a secret, entries of landing that are no files, originals that are gone.

    A few of each. After a run of some years only, the others are still to be read and no word of it.
    """
    from opora.delivery import read_records
    from opora.intake import files_with_work, intake_version, originals_gone
    from opora.landing import survey
    from opora.persons import SECRET, secret_is_set

    files, unread = survey(home.landing, home.digests)
    records = read_records(home)
    waiting = files_with_work(home, reference, files, records) if all_years else []
    read_before = {
        file.relative for file in files if file.delivery_id in records and records[file.delivery_id].status != "refused"
    }
    kept = [name for name in waiting if name in read_before]
    others = [name for name in waiting if name not in read_before]
    remedy = f"Задайте {SECRET}." if not secret_is_set() else "Следующий прогон попробует снова."
    gone = originals_gone(home, intake_version(home, reference), records.values(), {file.delivery_id for file in files})
    return [
        *([f"{_counted('Не перечитаны, прежние результаты сохранены', kept)} {remedy}"] if kept else ()),
        *([f"{_counted('Ещё не приняты', others)} Запустите opora run ещё раз."] if others else ()),
        *(entry.message_ru for entry in unread[:MOST_ISSUES_SHOWN]),
        *(item.message_ru for item in gone[:3]),
        *([f"Всего таких поставок без оригинала: {len(gone)}."] if len(gone) > 3 else ()),
    ]


def _counted(words: str, names: Sequence[str]) -> str:
    return f"{words}: файлов {len(names)}, например {names[0]}."


@click.command()
@with_home
def status(home: Home) -> None:
    """Показать, что принято и что в действующем выпуске."""
    _print_summary(home)


def _print_summary(home: Home) -> None:
    from opora.summary import summarise

    summary = summarise(home)
    if summary is None:
        raise Refused(f"В {home.root} ещё нет выпуска. Положите файлы в {home.landing} и запустите opora run.")
    say(f"Выпуск {summary.release_id} ({summary.maturity_ru}): {summary.folder}", style="bold")
    say(summary.deliveries_ru)
    show_table(summary.heading, "Списки для адресной поддержки", summary.lines)
    for line in summary.notes_ru:
        say(line)


@click.command()
@with_home
@click.argument("school")
@click.option("--year", default=None, metavar="2022-2023", help="Учебный год списка; без него последний.")
def explain(home: Home, school: str, year: str | None) -> None:
    """Почему школа в списке или не в нём, до файла и строки. SCHOOL — код, логин или часть названия."""
    from opora.explain import UnknownSchool, explain_school

    try:
        lines = explain_school(home, school, year)
    except UnknownSchool as error:
        raise Refused(str(error)) from error
    for line in lines:
        say(line)
