"""Releases: which there are, their differences, whether they are whole, going back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from opora.cli.telling import MOST_ISSUES_SHOWN, Refused, console, say, show_table, with_home
from opora.home import UNDATED, Home

if TYPE_CHECKING:
    from opora.verification import Verification

_PART_BAD = ("changed", "missing", "not_recorded")
_PART_RU = {"changed": "изменена", "missing": "нет", "not_recorded": "не записано, чем была"}


@click.group()
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
    from opora.versions import find_release

    before, after = find_release(home, former), find_release(home, later)
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
    "calculation_version": "Код расчёта: SQL, реестр, код",
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
    heading = (
        *("Учебный год", "Поставок", "Исходный файл есть", "удалён по правилам", "нет"),
        *("Частей озера цело", "перечитано", "изменено", "нет", "не записано"),
    )
    shown = (
        *("deliveries", "original_present", "original_purged", "original_missing"),
        *("part_whole", "part_reread", "part_changed", "part_missing", "part_not_recorded"),
    )
    show_table(
        heading,
        f"Чем подтверждён выпуск {found.version or '—'} ({found.release_id})",
        [
            ("без года" if year == UNDATED else year, *(str(counts[name]) for name in shown))
            for year, counts in found.by_year().items()
        ],
    )
    show_table(
        ("Основание", "В выпуске", "Сейчас", ""),
        "По каким правилам",
        [
            (_BASIS_RU[line.what], line.then, line.now, "то же" if line.is_same else "изменилось")
            for line in found.basis
        ],
        are_numbers=False,
    )
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
    from opora.release import rollback as roll_back

    item = roll_back(home, release_id, reason)
    say(f"Действует выпуск {item.release_id}.")


@release.command()
@with_home
@click.argument("release_id", required=False)
def expect(home: Home, release_id: str | None) -> None:
    """Записать строки витрин выпуска по годам как ожидаемые: проверьте файл, шлюз будет с ним сверять."""
    from opora.quality.differences import rows_by_year
    from opora.quality.facts import ExpectedRowsFile, write_expected_rows
    from opora.release import current_release, read_release

    item = read_release(home.releases / release_id) if release_id else current_release(home)
    if item is None:
        raise Refused("Выпусков ещё нет.")
    expected = ExpectedRowsFile(expected=tuple(rows_by_year(item.database)))
    say(f"{write_expected_rows(home, expected)}: строк {len(expected.expected)}. Проверьте и исправьте, что не так.")
