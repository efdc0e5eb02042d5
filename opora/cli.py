"""The command line: thin commands in front of intake, Dagster's runs and releases.

What belongs here: arguments, words for the user, exit codes. What does not: work. Dagster is imported only by
the commands that run something, so that the others answer at once. Exit code 0 is done, 1 is refused with a
message that says what to do, 2 is wrong usage.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click
from rich.console import Console
from rich.table import Table as Grid

from opora.home import PROJECT, UNDATED, Home
from opora.lock import hold
from opora.safe_text import plain

if TYPE_CHECKING:
    from opora.verification import Verification

F = TypeVar("F", bound=Callable[..., Any])
# What is piped on has no terminal to be as narrow as.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
errors = Console(stderr=True, highlight=False)
MOST_ISSUES_SHOWN = 20
LOOPBACK = "127.0.0.1"
_PART_BAD = ("changed", "missing", "not_recorded")
_PART_RU = {"changed": "изменена", "missing": "нет", "not_recorded": "не записано, чем была"}


def say(words: str, *, style: str | None = None, to: Console = console) -> None:
    """Words as they are: file names hold brackets, and a line that is piped on is not to be folded."""
    to.print("\n".join(map(plain, words.split("\n"))), style=style, markup=False, soft_wrap=True)


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
    from opora.facts import ReferenceFileError
    from opora.failures import explain_fault
    from opora.layouts.model import LayoutError
    from opora.release import ReleaseError

    if isinstance(error, LayoutError | ReferenceFileError):
        return f"Файл описания неверен: {error}"
    if isinstance(error, ReleaseError):
        return str(error)
    return explain_fault(error, home)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="opora")
def main() -> None:
    """Опора находит школы, которым нужна поддержка, и показывает, почему."""


# --- deliveries ----------------------------------------------------------------------------------------


@main.command()
@with_home
@click.option("--seed", type=int, default=None, help="Другое зерно — другой выдуманный регион.")
@click.option("--schools", type=click.IntRange(min=20), default=60, show_default=True, help="Сколько школ.")
@click.option(
    "--participants-per-year",
    type=click.IntRange(min=100),
    default=None,
    help="Сколько строк участников в год: тогда пишется выдуманная страна, файл за файлом.",
)
def demo(home: Home, seed: int | None, schools: int, participants_per_year: int | None) -> None:
    """Написать поставки выдуманного региона в настоящих раскладках, или выдуманной страны любого размера."""
    from opora.demo import write_region
    from opora.demo.country import write_country

    arguments = {} if seed is None else {"seed": seed}
    if participants_per_year is not None:
        with console.status("Пишу поставки выдуманной страны…"):
            country = write_country(home.root, schools, participants_per_year, *arguments.values())
        say(f"Поставки выдуманной страны: {home.landing}")
        say(
            f"Регионов {country.regions}, муниципалитетов {country.municipalities}, школ {country.schools}; "
            f"файлов {country.deliveries}, строк {country.rows}.\n"
            f"Что в них верно и что испорчено нарочно: {home.root / 'truth'}",
        )
        return
    with console.status("Пишу поставки выдуманного региона…"):
        summary = write_region(home.root, schools=schools, **arguments)
    say(f"Поставки выдуманного региона: {home.landing}")
    say(
        f"{summary.region_name}: школ {summary.schools}, муниципалитетов {summary.municipalities}, "
        f"учеников {summary.pupils}; файлов {summary.deliveries}, строк {summary.rows}.\n"
        f"Что в них верно и что испорчено нарочно: {home.root / 'truth'}",
    )


@main.command()
@with_home
@click.argument("sources", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--link", is_flag=True, help="Не копировать, а сослаться: данные читаются там, где лежат.")
def receive(home: Home, sources: Sequence[Path], link: bool) -> None:
    """Положить файлы и папки в landing."""
    home.ensure()
    for source in sources:
        target = home.landing / source.name
        if link and target.is_symlink() and target.resolve() == source.resolve():
            continue
        if target.is_symlink() or target.exists():
            raise Refused(f"В landing уже есть «{source.name}». Переименуйте новое или уберите прежнее.")
        if link:
            target.symlink_to(source.resolve())
        elif source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy2(source, target)
        say(f"{source} → {target}")


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--home", type=click.Path(path_type=Path), default=None, envvar="OPORA_HOME", help="Чьи раскладки.")
def check(paths: Sequence[Path], home: Path | None) -> None:
    """Проверить файлы теми же правилами, что и приём, ничего не загружая."""
    from opora import intake
    from opora.layouts.model import BUILT_IN, read_layouts
    from opora.reference import load_reference

    layouts = read_layouts(BUILT_IN, *([Home(home).layouts] if home else []))
    reference = load_reference()
    results = [result for path in paths for result in intake.check(path, layouts, reference)]
    for result in results:
        _print_delivery(result)
    refused = [result for result in results if result.record.status == "refused"]
    if refused:
        raise Refused(f"Отклонено файлов: {len(refused)} из {len(results)}.")


def _print_delivery(result: Any) -> None:
    record = result.record
    words = {"accepted": "принят", "accepted_with_quarantine": "принят не весь", "refused": "ОТКЛОНЁН"}
    say(f"{record.file_name}: {words[record.status]}", style="bold")
    if record.status != "refused":
        rows = record.rows
        say(
            f"  раскладка: {', '.join(record.layout_ids)}; строк {rows.rows_in}: принято {rows.accepted}, "
            f"отложено {rows.quarantined}, не данные {rows.non_data}; годы: {', '.join(record.academic_years) or '—'}",
        )
    shown = result.issues.head(MOST_ISSUES_SHOWN)
    for issue in shown.iter_rows(named=True):
        place = ", ".join(
            f"{word} {value}"
            for word, value in (
                ("лист", issue["sheet"]),
                ("строка", issue["source_row"]),
                ("столбец", issue["column_name"]),
            )
            if value
        )
        say(f"  [{issue['check_id']}] {place}: {issue['reason_ru']} {issue['remedy_ru']}")
    if result.issues.height > MOST_ISSUES_SHOWN:
        say(f"  … и ещё {result.issues.height - MOST_ISSUES_SHOWN}")


# --- runs ----------------------------------------------------------------------------------------------


@main.command()
@with_home
@click.option("--year", "years", multiple=True, metavar="2022-2023", help="Только этот учебный год; можно повторять.")
@click.option("--reread", is_flag=True, help="Перечитать и те файлы, что уже приняты.")
@click.option("--force", is_flag=True, help="Выпустить, даже если ничего не изменилось.")
@click.option(
    "--accept", default="", metavar="ПРИЧИНА", help="Почему падение или скачок против прежнего выпуска верны."
)
def run(home: Home, years: Sequence[str], reread: bool, force: bool, accept: str) -> None:
    """Принять новое, пересчитать, проверить, выпустить и показать итог."""
    from opora.freshness import nothing_new
    from opora.intake import files_with_work
    from opora.persons import SECRET
    from opora.reference import load_reference
    from opora.release import current_release

    home.ensure()
    reference = load_reference(own_methods=home.methods)  # a wrong file is refused before anything is run
    alone = hold(home.run_lock, "opora run", lambda who: say(f"Жду, пока закончит {who}."))
    with alone, console.status("Смотрю, что нового…") as status:
        if not (reread or force or years or accept) and nothing_new(home, reference):
            say("Нового нет: поставки, справочники и код те же. Выпуск прежний.")
            _print_summary(home)
            return
        status.update("Запускаю…")
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
        raise Refused(
            "Выпуск не сделан, прежний остался на месте.\n"
            + "\n".join(f"  • {failure}" for failure in outcome.failures)
            + "\nПодробности: opora ui, прогоны (Runs)."
        )
    unread = files_with_work(home, reference)
    if unread and not years:
        say(f"Не перечитаны без {SECRET}, прежние результаты сохранены: {len(unread)} файлов, например {unread[0]}.")
    for line in _left_unread(home):
        say(line)
    if current_release(home) and not outcome.release_is_new:
        say("Витрины те же, что в прежнем выпуске: новый не сделан.")
    _print_summary(home)


def _left_unread(home: Home) -> list[str]:
    """What a run could not read: entries of landing that are no files, originals that are gone. A few of each."""
    from opora.delivery import read_records
    from opora.intake import intake_version, originals_gone, survey
    from opora.reference import load_reference

    files, unread = survey(home.landing)
    present = {file.delivery_id for file in files}
    gone = originals_gone(home, intake_version(home, load_reference()), read_records(home).values(), present)
    lines = [entry.message_ru for entry in unread[:MOST_ISSUES_SHOWN]] + [item.message_ru for item in gone[:3]]
    return [*lines, *([f"Всего таких поставок без оригинала: {len(gone)}."] if len(gone) > 3 else [])]


@main.command()
@with_home
@click.argument("deliveries", nargs=-1, metavar="[ПОСТАВКА]...")
@click.option("--all", "everything", is_flag=True, help="Все принятые поставки.")
@click.option("--older-than", "days", type=click.IntRange(min=0), metavar="ДНЕЙ", help="Полученные раньше.")
@click.option("--refused", is_flag=True, help="И отклонённые: данных из них нигде больше нет.")
@click.option("--reason", required=True, metavar="ПРИЧИНА", help="Почему; остаётся в журнале поставок.")
@click.option("--by", default=None, metavar="КТО", help="Кто удаляет; без этого имя пользователя системы.")
@click.option("--dry-run", is_flag=True, help="Только показать, что было бы удалено.")
def purge(
    home: Home,
    deliveries: Sequence[str],
    everything: bool,
    days: int | None,
    refused: bool,
    reason: str,
    by: str | None,
    dry_run: bool,
) -> None:
    """Удалить оригиналы принятых поставок из landing; озеро и выпуски остаются, в журнале — кто, когда и почему."""
    import getpass

    from opora.purge import purge as remove
    from opora.reference import load_reference

    if sum((bool(deliveries), everything, days is not None)) != 1:
        raise click.UsageError("Назовите поставки (d…), --all или --older-than: одно из трёх.")
    home.ensure()
    alone = hold(home.run_lock, "opora purge", lambda who: say(f"Жду, пока закончит {who}."))
    with alone, hold(home.intake_lock, "удаление оригиналов"):
        report = remove(
            home,
            load_reference(),
            by=by or getpass.getuser(),
            reason_ru=reason,
            deliveries=deliveries,
            older_than=dt.timedelta(days=days or 0),
            with_refused=refused,
            dry_run=dry_run,
        )
    for record, paths in report.removed:
        say(f"{record.delivery_id}  {', '.join(paths)}")
    for item in report.kept:
        say(f"Остаётся «{item.path}»: {item.reason_ru}.")
    unknown = set(deliveries) - {record.delivery_id for record, _ in report.removed} if deliveries else set()
    if unknown:
        raise Refused(f"Не удалены: {', '.join(sorted(unknown))}. Их оригиналов в landing нет или они остаются.")
    done = "Было бы удалено" if dry_run else "Удалено"
    say(f"{done} поставок: {len(report.removed)}, остаётся файлов: {len(report.kept)}.")


@main.command()
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
    grid = Grid(*summary.heading, title="Списки для адресной поддержки", title_justify="left")
    for column in grid.columns[1:]:
        column.justify = "right"
    for cells in summary.lines:
        grid.add_row(*cells)
    console.print(grid)
    for line in summary.notes_ru:
        say(line)


@main.command()
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


# --- documents -----------------------------------------------------------------------------------------


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


@main.command()
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
    from opora.documents.reader import Marts, release_of

    if profile == "public":
        raise Refused(
            "По публичному профилю справки не составляются: в них точные числа малых групп. Для всех — страницы: "
            "opora dashboard --profile public, или папка public/ выпуска."
        )
    with _documents_refused():
        release = release_of(home)
        with Marts(release) as marts:
            document = make(marts, wanted_note(marts, whose, year))
        folder = to or documents_folder(home, release)
        for path in write_document(document, formats or ("docx", "pdf"), home, folder):
            say(str(path))


@main.command()
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
    from opora.documents.reader import Marts, release_of
    from opora.documents.sets import SETS

    with _documents_refused():
        release = release_of(home)
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


@main.group()
def export() -> None:
    """Таблицы для программ, которые у региона уже есть."""


@export.command("flat")
@with_home
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), required=True, help="Папка, куда положить.")
def export_flat(home: Home, to: Path) -> None:
    """Плоские marks.xlsx, scores.xlsx и bias.xlsx, которые читают региональные панели ВПР."""
    from opora.documents.flat import write_flat
    from opora.documents.reader import release_of

    with _documents_refused():
        for path, rows in write_flat(release_of(home), to).items():
            say(f"{path}: строк {rows}")


@main.command()
@with_home
@click.option("--port", type=int, default=3000, show_default=True)
@click.option("--host", default=LOOPBACK, show_default=True, help="Без входа по паролю наружу не открывайте.")
@click.option("--read-only", is_flag=True, help="Только смотреть: без демона, запускать и менять ничего нельзя.")
def ui(home: Home, port: int, host: str, read_only: bool) -> None:
    """Открыть Dagster с демоном: что откуда взялось, прогоны, проверки, расписания."""
    from pipelines.run import dagster_home

    environment = os.environ | {
        "DAGSTER_HOME": str(dagster_home(home.ensure())),
        "OPORA_HOME": str(home.root.resolve()),
        "DAGSTER_DISABLE_TELEMETRY": "true",
    }
    if host != LOOPBACK:
        say(f"Dagster не спрашивает, кто вы: {host} увидят все, кто до него дойдёт. См. docs/runbooks/access.md.")
    say(f"http://{host}:{port}")
    sys.exit(subprocess.call(ui_command(port, host, read_only), cwd=PROJECT, env=environment))


def ui_command(port: int, host: str, read_only: bool) -> list[str]:
    """What is started for the UI: the web server with the daemon, or the web server alone that changes nothing."""
    folder, where = Path(sys.executable).parent, ["-w", str(PROJECT / "workspace.yaml"), "-p", str(port), "-h", host]
    if read_only:
        return [str(folder / "dagster-webserver"), *where, "--read-only"]
    return [str(folder / "dagster"), "dev", *where]


@main.command()
@with_home
@click.option(
    "--profile",
    type=click.Choice(("official", "public")),
    default="official",
    show_default=True,
    help="Точные числа для органа управления или то, что можно показать всем.",
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8050, show_default=True)
def dashboard(home: Home, profile: Literal["official", "public"], host: str, port: int) -> None:
    """Открыть страницы над действующим выпуском: обзор, список, школа, программы, качество данных."""
    try:
        from dashboards.serve import NotServed, serve
    except ModuleNotFoundError as error:
        raise Refused(f"Нет библиотеки {error.name}: установите opora[pages].") from error
    if profile == "official" and host not in ("127.0.0.1", "localhost", "::1"):
        say(
            "Внимание: официальный профиль увидит всякий, кто достучится до этого адреса. Для всех — --profile public.",
            to=errors,
        )
    try:
        serve(home, profile, host, port, tell=say)
    except NotServed as error:
        raise Refused(str(error)) from error


# --- programmes ----------------------------------------------------------------------------------------


@main.group()
def template() -> None:
    """Пустые формы, которые заполняют люди."""


@template.command("returns")
@with_home
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), default="Отчёты исполнителей.xlsx")
def template_returns(home: Home, path: Path) -> None:
    """Книга для отчётов исполнителей: списки программ, мер и школ для выбора, памятка."""
    from opora.programmes import load_programmes
    from opora.release import current_release
    from opora.templates import schools_of_release, write_returns_template

    if path.exists():
        raise Refused(f"Файл «{path}» уже есть. Назовите другое имя или уберите прежний.")
    release = current_release(home)
    written = write_returns_template(path, load_programmes(), schools_of_release(release) if release else ())
    say(f"Форма: {written}. Заполните её и положите в {home.landing}.")


@template.command("passport")
@with_home
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), default="Социальные паспорта.xlsx")
@click.option("--year", default=None, metavar="2022-2023", help="Учебный год, о котором ответы; без него идущий.")
@click.option("--municipality", default=None, help="Только школы этого муниципалитета, как он назван в выпуске.")
def template_passport(home: Home, path: Path, year: str | None, municipality: str | None) -> None:
    """Книга социальных паспортов, кадров и ресурсов: строка на школу, списки ответов, памятка."""
    from opora.context_facts import load_context
    from opora.reference import load_reference
    from opora.release import current_release
    from opora.templates import schools_of_release, write_passport_template

    if path.exists():
        raise Refused(f"Файл «{path}» уже есть. Назовите другое имя или уберите прежний.")
    reference = load_reference()
    years = [item.academic_year for item in reference.academic_years if item.is_open]
    asked = year or reference.academic_year_of(dt.date.today())
    if asked not in years:
        raise click.UsageError(f"Учебного года {asked} нет; есть: {', '.join(years)}.")
    release = current_release(home)
    schools = schools_of_release(release) if release else []
    if municipality:
        known = sorted({school.municipality for school in schools})
        if municipality not in known:
            raise click.UsageError(f"Муниципалитета «{municipality}» в выпуске нет; есть: {', '.join(known) or '—'}.")
        schools = [school for school in schools if school.municipality == municipality]
    written = write_passport_template(path, load_context(), asked, years, schools)
    say(f"Форма на {asked}, школ {len(schools)}: {written}. Заполните её и положите в {home.landing}.")


@template.command("risk-profile")
@with_home
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), default="Рисковые профили.xlsx")
@click.option("--year", default=None, metavar="2021-2022", help="Чей список факторов; без него последний.")
def template_risk_profile(home: Home, path: Path, year: str | None) -> None:
    """Книга для рисковых профилей: уровни факторов, этапы антирисковых планов, ответы анкет."""
    from opora.release import current_release
    from opora.risk import load_risk
    from opora.templates import schools_of_release, write_risk_template

    if path.exists():
        raise Refused(f"Файл «{path}» уже есть. Назовите другое имя или уберите прежний.")
    release = current_release(home)
    try:
        written = write_risk_template(path, load_risk(), year, schools_of_release(release) if release else ())
    except LookupError as error:
        raise Refused(str(error)) from error
    say(f"Форма: {written}. Заполните её и положите в {home.landing}.")


@template.command("documents")
@with_home
def template_documents(home: Home) -> None:
    """Шаблоны документов в папку templates: исправленный шаблон заменяет прежний вид документа."""
    from opora.documents.docx import shipped_template
    from opora.documents.kinds import SHAPES
    from opora.documents.output import templates_folder
    from opora.documents.pdf import TEMPLATE

    shipped = {f"{shape.kind}.docx": shipped_template(shape) for shape in SHAPES}
    shipped[TEMPLATE.name] = TEMPLATE.read_bytes()
    folder = templates_folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in shipped.items():
        path = folder / name
        if path.exists():
            say(f"Уже есть, не тронут: {path}")
        else:
            path.write_bytes(content)
            say(f"Шаблон: {path}")


@main.group()
def programme() -> None:
    """Программы: список и черновик новой по образцу."""


@programme.command("list")
def list_programmes() -> None:
    """Какие программы описаны."""
    from opora.programmes import load_programmes

    for item in load_programmes():
        say(f"{item.programme_id}: {item.title_ru} ({len(item.indicators)} показателей, {len(item.measures)} мер)")


@programme.command("new")
@click.argument("programme_id")
@click.option("--like", required=True, metavar="kargasok-2023", help="Программа-образец.")
@click.option("--territory", required=True, help="Чья программа: «Н-ский район», «Н-ская область».")
@click.option("--period", "periods", multiple=True, required=True, help="Год, как в образце; можно повторять.")
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), default=None, help="Куда записать.")
def new_programme(programme_id: str, like: str, territory: str, periods: Sequence[str], target: Path | None) -> None:
    """Черновик программы по образцу: показатели и меры те же, планы пусты."""
    from opora.programmes import draft_like, load_programmes

    known = {item.programme_id: item for item in load_programmes()}
    if like not in known:
        raise Refused(f"Программы {like} нет; есть: {', '.join(known)}.")
    path = target or PROJECT / "reference" / "programmes" / f"{programme_id}.yaml"
    if path.exists():
        raise Refused(f"Файл «{path}» уже есть.")
    try:
        text = draft_like(known[like], programme_id, territory, periods)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    path.write_text(text, encoding="utf-8")
    say(f"Черновик: {path}. Впишите документ, планы и сроки; проверяет их opora programme list.")


# --- methods -------------------------------------------------------------------------------------------


@main.group()
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
    from opora.release import current_release
    from opora.what_if import HEADING, UnknownMethod, compare

    item = current_release(home)
    if item is None:
        raise Refused("Выпуска ещё нет: сначала opora run.")
    try:
        found = compare(item, other, method, year) if other else compare(item, method, year=year)
    except UnknownMethod as error:
        raise Refused(str(error)) from error
    grid = Grid(*HEADING, title=found.title_ru, title_justify="left")
    for column in grid.columns[1:]:
        column.justify = "right"
    for cells in found.lines:
        grid.add_row(*cells)
    console.print(grid)
    say(found.note_ru)
    for line in found.moved:
        say(line)


# --- releases ------------------------------------------------------------------------------------------


@main.group()
def release() -> None:
    """Выпуски: список, проверка, возврат."""


@release.command("list")
@with_home
def list_releases(home: Home) -> None:
    """Все выпуски, новые сверху; действующий отмечен."""
    from opora.release import current_release, releases

    current = current_release(home)
    for item in releases(home):
        mark = "→" if current and current.release_id == item.release_id else " "
        counts = item.manifest["row_counts"]
        version = item.manifest.get("version", "—")
        say(f"{mark} {version:>8}  {item.release_id}  школ {counts['school']}, поставок {counts['delivery']}")


@release.command()
@with_home
@click.argument("former")
@click.argument("later", default="current")
@click.option("--school", "school_id", metavar="SCHOOL", help="Только эта школа.")
def diff(home: Home, former: str, later: str, school_id: str | None) -> None:
    """Чем выпуски отличаются и почему. Выпуск — имя, версия, current или день (2025-10-01: что действовало тогда)."""
    from dataclasses import replace

    from opora.comparison import compare, comparison_markdown
    from opora.release import ReleaseError
    from opora.versions import find_release

    try:
        before, after = find_release(home, former), find_release(home, later)
    except ReleaseError as error:
        raise Refused(str(error)) from error
    found = compare(before, after)
    if school_id:
        found = replace(found, schools=tuple(item for item in found.schools if item.school_id == school_id), marts=())
    click.echo(comparison_markdown(found, str(after.manifest.get("version", "—"))), nl=False)


@release.command()
@with_home
@click.option("--dry-run", is_flag=True, help="Только показать, что было бы удалено.")
def prune(home: Home, dry_run: bool) -> None:
    """Удалить выпуски, которые по правилам хранения больше не нужны."""
    from opora.versions import load_version_facts, superfluous
    from opora.versions import prune as remove

    items = superfluous(home, load_version_facts())
    for item in items:
        say(f"{item.manifest.get('version', '—'):>8}  {item.release_id}")
    removed = items if dry_run else remove(home, items)
    say(f"{'Было бы удалено' if dry_run else 'Удалено'} выпусков: {len(removed)}.")


@release.command()
@with_home
@click.argument("release_name", metavar="RELEASE", default="current")
@click.option("--json", "as_json", is_flag=True, help="Всё найденное как JSON.")
@click.option("--rebuild", is_flag=True, help="Пересобрать витрины по озеру в стороне и сравнить побайтно.")
def verify(home: Home, release_name: str, as_json: bool, rebuild: bool) -> None:
    """Цел ли выпуск и на месте ли всё, из чего сделаны его показатели. RELEASE — имя, версия, current или день."""
    from opora.build import build
    from opora.reference import load_reference
    from opora.verification import differences_when_made_again, verify_release
    from opora.versions import find_release

    reference = load_reference(own_methods=home.methods)
    item = find_release(home, release_name)
    with console.status("Пересчитываю контрольные суммы…"):
        found = verify_release(home, item, reference)
    differing: Sequence[str] | None = None
    if rebuild:
        with console.status("Пересобираю витрины…"):
            differing = differences_when_made_again(home, item, reference, build)
    if as_json:
        click.echo(json.dumps(found.as_dict() | {"differ_when_made_again": differing}, ensure_ascii=False, indent=2))
    else:
        _print_verification(found, differing)
    if not found.is_good or differing:
        raise Refused(f"Выпуск {found.release_id} не подтверждён.")


_BASIS_RU = {
    "code_version": "Версия программы",
    "calculation_version": "Код расчёта: SQL, реестр, анализ",
    "intake_version": "Код приёма, раскладки",
    "reference_version": "Справочники",
    "methods": "Методики",
}


def _print_verification(found: Verification, differing: Sequence[str] | None) -> None:
    """Tables of what was looked at and what stands behind each year, then what is wrong, then the sum of it."""
    wrong = [*found.wrong_files, *found.wrong_rows]
    wrong += [
        f"поставка «{item.file_name}» ({item.delivery_id}): "
        + "; ".join(f"{path} — {_PART_RU[state]}" for path, state in item.parts.items() if state in _PART_BAD)
        for item in found.unavailable
    ]
    grid = Grid(
        *("Учебный год", "Поставок", "Исходный файл есть", "удалён по правилам", "нет"),
        *("Частей озера цело", "перечитано", "изменено", "нет", "не записано"),
        title=f"Чем подтверждён выпуск {found.version or '—'} ({found.release_id})",
        title_justify="left",
    )
    for column in grid.columns[1:]:
        column.justify = "right"
    shown = (
        *("deliveries", "original_present", "original_purged", "original_missing"),
        *("part_whole", "part_reread", "part_changed", "part_missing", "part_not_recorded"),
    )
    for year, counts in found.by_year().items():
        grid.add_row("без года" if year == UNDATED else year, *(str(counts[name]) for name in shown))
    console.print(grid)
    basis = Grid("Основание", "В выпуске", "Сейчас", "", title="По каким правилам", title_justify="left")
    for line in found.basis:
        basis.add_row(_BASIS_RU[line.what], line.then, line.now, "то же" if line.is_same else "изменилось")
    console.print(basis)
    for words in wrong[:MOST_ISSUES_SHOWN]:
        say(f"  • {words}")
    if len(wrong) > MOST_ISSUES_SHOWN:
        say(f"  … и ещё {len(wrong) - MOST_ISSUES_SHOWN}")
    used = [item for item in found.inputs if item.status != "refused" and not item.is_replaced]
    say(
        f"Файлов {found.files}: не таких {len(found.wrong_files)}. Витрин {found.marts}: строк не столько у "
        f"{len(found.wrong_rows)}. Поставок в показателях {len(used)}: недоступно {len(found.unavailable)}."
    )
    if differing is not None:
        say(
            f"Пересобрано заново: отличаются файлы {', '.join(differing)}."
            if differing
            else "Пересобрано заново: все витрины совпали побайтно."
        )
    elif found.can_be_made_again:
        say("Показатели можно пересобрать и сравнить побайтно: opora release verify --rebuild.")
    if found.is_good and not differing:
        say(f"Выпуск {found.release_id} цел, входные данные каждого показателя на месте.", style="bold")


@release.command()
@with_home
@click.argument("release_id")
@click.option("--reason", default="", metavar="ПРИЧИНА", help="Почему; остаётся в журнале выпусков.")
def rollback(home: Home, release_id: str, reason: str) -> None:
    """Сделать действующим один из прежних выпусков."""
    from opora.release import ReleaseError
    from opora.release import rollback as roll_back

    try:
        item = roll_back(home, release_id, reason)
    except ReleaseError as error:
        raise Refused(str(error)) from error
    say(f"Действует выпуск {item.release_id}.")


@release.command()
@with_home
@click.argument("release_id", required=False)
def expect(home: Home, release_id: str | None) -> None:
    """Записать строки витрин выпуска по годам как ожидаемые: проверьте файл, шлюз будет с ним сверять."""
    from opora.quality.differences import rows_by_year
    from opora.quality.facts import ExpectedRowsFile, write_expected_rows
    from opora.release import ReleaseError, current_release, read_release

    try:
        item = read_release(home.releases / release_id) if release_id else current_release(home)
    except ReleaseError as error:
        raise Refused(str(error)) from error
    if item is None:
        raise Refused("Выпусков ещё нет.")
    expected = ExpectedRowsFile(expected=tuple(rows_by_year(item.database)))
    say(f"{write_expected_rows(home, expected)}: строк {len(expected.expected)}. Проверьте и исправьте, что не так.")


if __name__ == "__main__":
    main()
