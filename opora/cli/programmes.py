"""Programmes: which there are, and a draft of a new one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from opora.cli.telling import Refused, say
from opora.home import PROJECT


@click.group()
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
