"""Files on their way in: a synthetic region, receiving, checking, removing originals."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from opora.cli.telling import MOST_ISSUES_SHOWN, Refused, console, say, with_home
from opora.home import Home, read_json
from opora.lock import hold


@click.command()
@with_home
@click.option("--seed", type=click.IntRange(min=0), default=None, help="Другое зерно — другой выдуманный регион.")
@click.option("--schools", type=click.IntRange(min=20), default=60, show_default=True, help="Сколько школ.")
@click.option(
    "--participants-per-year",
    type=click.IntRange(min=100),
    default=None,
    help="Сколько строк участников в год: тогда пишется выдуманная страна, файл за файлом.",
)
def demo(home: Home, seed: int | None, schools: int, participants_per_year: int | None) -> None:
    """Написать поставки выдуманного региона в настоящих раскладках, или выдуманной страны любого размера."""
    from opora.demo import DEFAULT_SEED, write_region
    from opora.demo.country import DEFAULT_SEED as COUNTRY_SEED
    from opora.demo.country import write_country
    from opora.demo.population import LEAST_SCHOOLS

    if participants_per_year is None and schools < LEAST_SCHOOLS:
        raise click.UsageError(
            f"Выдуманному региону нужно не меньше {LEAST_SCHOOLS} школ. Меньше — со строками: --participants-per-year."
        )
    if seed is None:
        seed = DEFAULT_SEED if participants_per_year is None else COUNTRY_SEED
    _refuse_another(home, seed, schools, participants_per_year)
    if participants_per_year is not None:
        with console.status("Пишу поставки выдуманной страны…"):
            country = write_country(home.root, schools, participants_per_year, seed)
        say(f"Поставки выдуманной страны: {home.landing}")
        say(
            f"Регионов {country.regions}, муниципалитетов {country.municipalities}, школ {country.schools}; "
            f"файлов {country.deliveries}, строк {country.rows}."
        )
    else:
        with console.status("Пишу поставки выдуманного региона…"):
            region = write_region(home.root, seed, schools)
        say(f"Поставки выдуманного региона: {home.landing}")
        say(
            f"{region.region_name}: школ {region.schools}, муниципалитетов {region.municipalities}, "
            f"учеников {region.pupils}; файлов {region.deliveries}, строк {region.rows}."
        )
    say(f"Что в них верно и что испорчено нарочно: {home.root / 'truth'}")


def _refuse_another(home: Home, seed: int, schools: int, participants_per_year: int | None) -> None:
    """Two made-up worlds in one home would be read together, and neither truth would be true."""
    told = read_json(home.root / "truth" / "truth.json")
    rows = next(iter(told.get("participants", {}).values()), None)
    if told and (told["seed"], told["schools"], rows) != (seed, schools, participants_per_year):
        size = f", строк участников в год {rows}" if rows else ""
        raise Refused(
            f"В {home.root} уже другой выдуманный мир: зерно {told['seed']}, школ {told['schools']}{size}. "
            "Вместе они дадут списки, которых не знает ни один. Назовите другую папку: --home."
        )


@click.command()
@with_home
@click.argument("sources", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--link", is_flag=True, help="Не копировать, а сослаться: данные читаются там, где лежат.")
def receive(home: Home, sources: Sequence[Path], link: bool) -> None:
    """Положить файлы и папки в landing."""
    home.ensure()
    linked = {source for source in sources if link and (home.landing / source.name).resolve() == source.resolve()}
    wanted = {source: home.landing / source.name for source in sources if source not in linked}
    for source, target in wanted.items():
        if target.is_symlink() or target.exists() or list(wanted.values()).count(target) > 1:
            raise Refused(
                f"В landing уже есть «{source.name}», ничего не принято. Переименуйте новое или уберите прежнее."
            )
    for source, target in wanted.items():
        if link:
            target.symlink_to(source.resolve())
        else:
            _copy(source, target)
        say(f"{source} → {target}")


def _copy(source: Path, target: Path) -> None:
    """A file or folder, hidden until it is whole: a run beside takes in no half of it."""
    copy = shutil.copytree if source.is_dir() else shutil.copy2
    try:
        with TemporaryDirectory(dir=target.parent, prefix=".") as hidden:
            copy(source, Path(hidden) / target.name)
            (Path(hidden) / target.name).rename(target)
    except OSError as error:
        raise Refused(f"«{source}» не скопировано: {error.strerror or error}. В landing ничего не осталось.") from error


@click.command()
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


@click.command()
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
