"""Serving the pages on this machine.

What belongs here: the server in front of the application. What does not: the application (`app.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from dashboards.app import create_app
from dashboards.data import Profile
from opora.home import Home

_THREADS = 8
OWN_NAMES = ("127.0.0.1", "localhost", "::1")


class NotServed(Exception):
    """The address cannot be served; the message says what to do."""


def make_server(home: Home, profile: Profile, host: str, port: int, names: Sequence[str] = ()) -> Any:
    """A server that is bound and does not answer yet; `run()` answers, `effective_port` is where.

    On this machine alone it answers to its own names, and to those by which a proxy passes requests on.
    """
    answers_to = {*OWN_NAMES, *names} if host in OWN_NAMES else None
    waitress: Any = import_module("waitress")  # it has no types of its own
    try:
        return waitress.create_server(
            create_app(home, profile, answers_to).server, host=host, port=port, threads=_THREADS, ident="opora"
        )
    except OSError as error:
        raise NotServed(f"Адрес {host}:{port} занят или недоступен ({error}). Назовите другой: --port.") from error


def serve(
    home: Home, profile: Profile, host: str, port: int, tell: Callable[[str], None], names: Sequence[str] = ()
) -> None:
    """Answer until somebody stops it."""
    server = make_server(home, profile, host, port, names)
    shown = f"[{host}]" if ":" in host else host
    tell(f"http://{shown}:{getattr(server, 'effective_port', port)} — страницы открыты, остановить: Ctrl+C")
    try:
        server.run()
    except KeyboardInterrupt:
        server.close()
