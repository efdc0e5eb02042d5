"""What is opened in a browser: the pages over a release, and Dagster."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from opora.cli.telling import Refused, errors, say, with_home
from opora.home import PROJECT, Home

LOOPBACK = "127.0.0.1"


@click.command()
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


@click.command()
@with_home
@click.option(
    "--profile",
    type=click.Choice(("official", "public")),
    default="official",
    show_default=True,
    help="Точные числа для органа управления или то, что можно показать всем.",
)
@click.option("--host", default=LOOPBACK, show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8050, show_default=True)
@click.option("--name", "names", multiple=True, metavar="ИМЯ", help="Имя, под которым страницы отдаёт прокси-сервер.")
def dashboard(home: Home, profile: Literal["official", "public"], host: str, port: int, names: Sequence[str]) -> None:
    """Открыть страницы над действующим выпуском: обзор, список, школа, программы, качество данных."""
    try:
        from dashboards.serve import OWN_NAMES, NotServed, serve
    except ModuleNotFoundError as error:
        raise Refused(f"Нет библиотеки {error.name}: установите opora[pages].") from error
    if profile == "official" and host not in OWN_NAMES:
        say(
            "Внимание: официальный профиль увидит всякий, кто достучится до этого адреса. Для всех — --profile public.",
            to=errors,
        )
    try:
        serve(home, profile, host, port, tell=say, names=names)
    except NotServed as error:
        raise Refused(str(error)) from error
